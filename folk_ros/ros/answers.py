"""Answers ~/query from the last scene: at once, and in words when there is nothing to answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import traceback
from typing import Any

from folk_ros.config import FolkConfig
from folk_ros.query import check_limits, check_texts
from folk_ros.ros.conversions import header, to_instance
from folk_ros.ros.model import sentence
from folk_ros.ros.segmenter import Segmented, Segmenter
from folk_ros.structures import Match

MAX_NAMED = 3  # texts quoted in a message


class Answers:
    """Fills folk_ros/srv/Query responses; never raises, never waits for the network."""

    def __init__(
        self,
        segmenter: Segmenter,
        why_silent: Callable[[], str],
        remember: Callable[[list[str]], str],
        log: Any,
        note: Callable[[Segmented], str] = lambda segmented: '',
    ) -> None:
        self._segmenter, self._log = segmenter, log
        self._why_silent = why_silent  # in one sentence, when there is no scene
        self._remember = remember  # makes texts the standing query; returns what is wrong, or ''
        self._note = note  # what is to be said of the scene answered from, or ''

    def fill(self, request: Any, response: Any, config: FolkConfig) -> Any:
        """Answer a request."""
        segmented = self._segmenter.latest  # read once: the worker may replace it meanwhile
        try:
            if segmented is not None:
                response.header = header(segmented.frame_id, segmented.scene.stamp_ns)
                response.scene_id = segmented.scene.scene_id
            if request.remember and not request.texts:
                return self._clear(response, config)
            texts = check_texts(list(request.texts), config.query)
            limits = float(request.min_score), int(request.max_results)
            check_limits(*limits, config.query)
            problem = self._remember(texts) if request.remember else ''
            if problem:
                raise ValueError(problem)
            matches = self._ask(segmented, texts, limits)
        except (ValueError, RuntimeError) as error:
            response.message = str(error)
        except Exception as error:  # noqa: BLE001 - a text tower may fail in any way
            self._log.error(traceback.format_exc())
            response.message = sentence(error)
        else:
            assert segmented is not None
            response.success = True
            response.message = summary(texts, matches, segmented) + self._note(segmented)
            scene, T = segmented.scene, segmented.T_answer_scene
            response.instances = [to_instance(match, scene, T) for match in matches]
        return response

    def _clear(self, response: Any, config: FolkConfig) -> Any:
        """Answer a request that remembers nothing: there is no standing query from now on."""
        before = config.node.standing_query
        response.message = self._remember([])
        response.success = not response.message
        if response.success:
            listed = ', '.join(map(repr, before)) or 'there was none'
            response.message = f'the standing query is cleared; it was: {listed}'
        return response

    def _ask(
        self, segmented: Segmented | None, texts: list[str], limits: tuple[float, int]
    ) -> list[Match]:
        folk = self._segmenter.folk
        if folk is None:
            raise RuntimeError(str(self._segmenter.model))
        if segmented is None:
            raise RuntimeError(self._why_silent())
        return folk.query(texts, *limits, scene=segmented.scene)


def summary(texts: Sequence[str], matches: Sequence[Match], segmented: Segmented) -> str:
    """Say in one sentence what was found."""
    scene = segmented.scene
    found = {match.text for match in matches}
    missing = [text for text in dict.fromkeys(texts) if text not in found]
    quoted = ', '.join(repr(text) for text in missing[:MAX_NAMED])
    if len(missing) > MAX_NAMED:
        quoted += f' and {len(missing) - MAX_NAMED} more'
    if not matches:
        return f'nothing here matches {quoted} (scene {scene.scene_id}, {len(scene)} instances)'
    count = f'{len(matches)} match{"es" * (len(matches) != 1)} in scene {scene.scene_id}'
    return f'{count}; nothing matches {quoted}' if missing else count
