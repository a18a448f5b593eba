"""Why nothing is published, or what is doubtful: sentences that a person can act on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import time
from typing import Any

from folk_ros.config import NodeConfig
from folk_ros.ros.cloud_input import CloudInput
from folk_ros.ros.qos_matching import CLOUD_TYPE
from folk_ros.ros.segmenter import Segmenter
from folk_ros.ros.timekeeping import Reset

REPEAT_S = 30.0  # the same reasons are logged again after so long, then after twice as long ..
LONGEST_S = 480.0  # .. up to this
FAR_M = 10_000.0  # from here on float32 has steps of more than a millimetre
GRACE_S = 2.0  # a new reason must hold so long before it is logged: discovery takes a moment


def why_silent(
    segmenter: Segmenter, inputs: Sequence[CloudInput], config: NodeConfig
) -> list[str]:
    """Return why no scene is made now; empty if there is nothing to complain of."""
    reasons = [] if segmenter.model.state == 'ready' else [str(segmenter.model)]
    if not inputs:
        reasons.append('cloud_topics names no topic; set it to those of your fused clouds')
    for source in inputs:
        reasons += _of_source(source, segmenter, config)
    if segmenter.failure:
        reasons.append(f'the last cloud was not segmented: {segmenter.failure}')
    return reasons


def _of_source(source: CloudInput, segmenter: Segmenter, config: NodeConfig) -> list[str]:
    age, refusal = source.age(), segmenter.refusals.get(source.topic)
    if refusal is not None and (segmenter.last_run is None or refusal.at > segmenter.last_run.at):
        return [f'{source.topic}: the last cloud was refused: {refusal.reason}']
    if source.obstacle():
        return [f'{source.topic}: {source.obstacle()}']
    late = age is not None and age > config.warn_after and not source.may_rest
    if age is not None and not late:
        return []
    last = f'the last cloud came {age:.0f} s ago' if age is not None else 'no cloud came yet'
    return [f'{source.topic}: {last}; {source.state()}']


def no_scene(segmenter: Segmenter, inputs: Sequence[CloudInput], config: NodeConfig) -> str:
    """Say in one sentence why a question cannot be answered yet, or not any more."""
    if segmenter.reset and not any(_came_after(source, segmenter.reset) for source in inputs):
        return f'{segmenter.reset.reason}: the scene is forgotten, and no cloud has come since'
    came = any(source.received for source in inputs)
    reasons = why_silent(segmenter, inputs, config)
    if came and (segmenter.busy or not reasons):
        return 'the first cloud is being segmented; ask again in a moment'
    counts = ', '.join(
        f'{source.topic} ({len(source.offers)} publisher{"s" * (len(source.offers) != 1)})'
        for source in inputs
    )
    if came:
        return f'no usable cloud received yet on {counts}: {"; ".join(reasons)}'
    return f'no cloud received yet on {counts or "any topic"}'


def _came_after(source: CloudInput, reset: Reset) -> bool:
    return source.arrival is not None and source.arrival.steady_s >= reset.at


def other_cloud_topics(node: Any, inputs: Sequence[CloudInput]) -> str:
    """Name topics that do carry clouds, where ours have no publisher: the usual slip."""
    if all(source.offers for source in inputs):
        return ''
    ours = {source.topic for source in inputs} | {node.resolve_topic_name('~/segmented_cloud')}
    others = sorted(
        topic
        for topic, types in node.get_topic_names_and_types()
        if CLOUD_TYPE in types and topic not in ours and node.count_publishers(topic)
    )
    return f'topics with clouds now: {", ".join(others[:8])}' if others else ''


def doubts_about(node: Any, segmenter: Segmenter) -> list[str]:
    """Return what makes answers less sure although they come."""
    doubts = []
    own = (node.get_name(), node.get_namespace())
    if _nodes(node).count(own) > 1:
        doubts.append(
            f'another node is called {node.get_fully_qualified_name()} too, so that questions '
            'reach either; end it, or give one another name with --ros-args -r __node:=NAME'
        )
    latest = segmenter.latest
    if latest is not None and latest.cloud.rgb is None and len(latest.cloud):
        doubts.append('the clouds have no colour, so that names are less sure')
    if latest is not None and len(latest.cloud) and abs(latest.cloud.xyz[0]).max() > FAR_M:
        doubts.append(
            f'the clouds lie {abs(latest.cloud.xyz[0]).max() / 1000:.0f} km from the origin of '
            f'{latest.cloud.frame_id!r}, where coordinates of 32 bits have coarse steps; set '
            'fixed_frame or inference_frame to a frame that is near'
        )
    return doubts + [text for text in (segmenter.note, segmenter.vocabularies.problem) if text]


def _nodes(node: Any) -> list[tuple[str, str]]:
    """Return who is there; nobody if rclpy refuses to say, for one node without a name."""
    try:
        return list(node.get_node_names_and_namespaces())
    except RuntimeError:
        return []


def clocks_apart(inputs: Sequence[CloudInput]) -> list[str]:
    """Tell which clouds are stamped by another clock than the node's."""
    return [
        f'{source.topic}: its stamps and the clock of this node are '
        f'{abs(source.arrival.delay_s):.0f} s apart: set use_sim_time where a bag or a simulation '
        'tells the time, else synchronise the machines; ages count from when clouds come'
        for source in inputs
        if source.arrival is not None and not source.arrival.clocks_agree and not source.may_rest
    ]


class Complaints:
    """Logs reasons when they are new and have held for a while, then seldom."""

    def __init__(self, warn: Callable[[str], Any], opening: str = '') -> None:
        self._warn, self._opening = warn, opening
        self._kinds: tuple[str, ...] = ()
        self._since = self._said_at = 0.0
        self._said = False
        self._pause = REPEAT_S

    def tell(self, reasons: Sequence[str], grace_s: float = GRACE_S) -> None:
        """Log the reasons if it is time to."""
        now = time.monotonic()
        kinds = tuple(_without_numbers(reason) for reason in reasons)
        if kinds != self._kinds:
            self._kinds, self._since, self._said, self._pause = kinds, now, False, REPEAT_S
        due = now - self._said_at > self._pause if self._said else now - self._since >= grace_s
        if reasons and due:
            self._pause = min(2 * self._pause, LONGEST_S) if self._said else REPEAT_S
            self._said, self._said_at = True, now
            self._warn(self._opening + '; '.join(reasons))


def _without_numbers(reason: str) -> str:
    """Take out counts and ages, which change while the reason stays the same."""
    return ''.join(char for char in reason if not char.isdigit())
