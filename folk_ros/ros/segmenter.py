"""
The one worker thread: the newest clouds go in, scenes come out, and nobody waits for it.

It loads the model too, so that the node answers questions (with "loading") from the first moment.
What goes wrong in here becomes a sentence in log and diagnostics, and the last scene stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
import threading
import time
import traceback
from typing import Any, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from folk_ros.config import FolkConfig
from folk_ros.ros.conversions import stamp_ns
from folk_ros.ros.fusion import Placed
from folk_ros.ros.gathering import Gathering, Letter, Refusal
from folk_ros.ros.mailbox import Mailbox
from folk_ros.ros.model import is_out_of_memory, load_sentence, Loader, Model, sentence
from folk_ros.ros.timekeeping import Arrival, Reset
from folk_ros.ros.vocabulary import Vocabularies
from folk_ros.structures import Instances, Match, PointCloud

if TYPE_CHECKING:
    from folk_ros.pipeline import Folk

LOOK_AGAIN_S = 0.02  # while clouds wait for their transforms
THROTTLE_S = 1.0  # of the log, where time jumps with every cloud
SAME_JUMP_S = 2.0  # clouds and clock, both set back, are noticed within so long of each other


@dataclass(frozen=True)
class Segmented:
    """A scene with the cloud it was found in; replaced as a whole, never changed."""

    scene: Instances
    cloud: PointCloud
    names: list[Match]  # of every instance, its best vocabulary name
    answer_frame: str = ''  # of what is published; empty: the frame of the scene
    T_answer_scene: NDArray[np.float64] | None = None  # [4, 4], None: the frames are one
    arrival: Arrival | None = None  # of the cloud; None: it came from a file

    @property
    def frame_id(self) -> str:
        """The frame of what is published."""
        return self.answer_frame or self.scene.frame_id


@dataclass(frozen=True)
class Run:
    """What the last cloud cost."""

    milliseconds: dict[str, float]  # by stage
    points: int
    instances: int
    has_colour: bool
    at: float = field(default_factory=time.monotonic)


class Segmenter:
    """Owns the network; `latest` is the last good scene, read by anyone at any time."""

    def __init__(self, loader: Loader, config: FolkConfig, gathering: Gathering, log: Any) -> None:
        self.latest: Segmented | None = None
        self.folk: Folk | None = None
        self.model = Model()
        self.last_run: Run | None = None
        self.count = 0  # clouds segmented
        self.failure = ''  # of the last cloud; '' if it went well
        self.busy = False  # whether a cloud is in the network
        self.reset: Reset | None = None  # the last one that the clock, not a cloud, told of
        self.mailbox: Mailbox[Letter] = Mailbox()
        self.on_scene: Callable[[Segmented], None] = lambda segmented: None
        self.on_reset: Callable[[int], None] = lambda stamp_ns: None
        self.on_idle: Callable[[], None] = lambda: None
        self.on_model: Callable[[Model], None] = lambda model: None
        self.vocabularies = Vocabularies(log)
        self._loader, self._config, self._gathering, self._log = loader, config, gathering, log
        self._adopted: tuple[Segmented, int] | None = None  # from a file, and the last id given
        self._reset: Reset | None = None  # set by anyone, worked off by the worker
        self._behind: Reset | None = None  # the last one that a cloud told of
        self._load_wanted = threading.Event()
        self._thread = threading.Thread(target=self._run, name='folk-segment', daemon=True)

    @property
    def note(self) -> str:
        """What was chosen for the clouds without being told; '' if nothing."""
        return self._gathering.placing.note

    @property
    def refusals(self) -> dict[str, Refusal]:
        """By topic, why the last cloud was not used."""
        return self._gathering.refusals

    def start(self) -> None:
        """Begin to load the model, then to segment."""
        self._load_wanted.set()
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Ask the thread to end, out of the network too; whether it did in time."""
        self.mailbox.close()
        if self.folk is not None:
            self.folk.cancel()
        self._load_wanted.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def configure(self, config: FolkConfig) -> None:
        """Use other settings from the next cloud on; a model that failed is tried again."""
        self._config = config
        if self.folk is not None:
            self.folk.config = config
            self.mailbox.ring()  # a changed vocabulary is taken up by the worker
        elif self.model.state == 'failed':
            self._load_wanted.set()

    def adopt(self, segmented: Segmented, clip: str, last_id: int) -> None:
        """Show a scene from a file soon; raises RuntimeError or ValueError if it cannot be."""
        if self.folk is None:
            raise RuntimeError(str(self.model))
        own = self.folk.student.config.clip
        if own != clip:
            raise ValueError(
                f'the objects of the scene live in CLIP space {clip!r}, the model in {own!r}: it '
                'was saved with another model'
            )
        self._adopted = segmented, last_id
        self.mailbox.ring()

    def start_anew(self, reason: str, stamp_ns: int) -> None:
        """Forget the scene: time was set back to a stamp. What is in the network makes none."""
        reset, behind = Reset(reason, stamp_ns), self._behind
        if behind and reset.at - behind.at < SAME_JUMP_S and reset.spares(behind.stamp_ns):
            return  # a cloud was faster to tell, and is of the new time
        self._reset = self.reset = reset
        self.latest = None
        self.on_reset(stamp_ns)  # at once, and again by the worker: it may just publish
        self.mailbox.ring()

    def _run(self) -> None:
        while not self.mailbox.closed:
            if self.folk is None:
                self._load_wanted.wait()
                self._load_wanted.clear()
                if not self.mailbox.closed:
                    self._load()
                continue
            self.step(LOOK_AGAIN_S if self.waits else None)

    @property
    def waits(self) -> bool:
        """Whether clouds wait for their transforms: a step is due soon."""
        return self._gathering.waits

    def step(self, timeout_s: float | None = None) -> None:
        """Wait for clouds, or so long, and do what there is to do. For the worker alone."""
        letters = self.mailbox.take(timeout_s)
        if not self.mailbox.closed:
            self._guarded(letters)

    def _load(self) -> None:
        self._try_to_load()
        try:
            self.on_model(self.model)
        except Exception as error:  # noqa: BLE001 - what tells of the model is not the model
            if not self.mailbox.closed:  # else the node has gone meanwhile, with its publishers
                self._log.error(f'the state of the model was not told: {error}')

    def _try_to_load(self) -> None:
        self.model = Model()
        try:
            folk = self._loader(self._config)
            folk.warm_up()
        except Exception as error:  # noqa: BLE001 - drivers and weights fail in any way; we live on
            self.model = Model('failed', f'the model was not loaded: {load_sentence(error)}')
            self._log.error(str(self.model))
            if not isinstance(error, (OSError, ValueError, ImportError)):
                self._log.error(traceback.format_exc())
            return
        folk.config = self._config  # may have changed meanwhile
        self.vocabularies.changed(folk, self._config)
        loading = time.monotonic() - self.model.since
        self.folk, self.model = folk, Model('ready')
        self._log.info(f'the model is ready after {loading:.1f} s on {folk.device}')

    def _guarded(self, letters: dict[str, Letter]) -> None:
        """Do what there is to do; whatever goes wrong, say it and go on."""
        try:
            self._work(letters)
        except Exception as error:  # noqa: BLE001 - the one place that keeps the node alive
            if self.mailbox.closed:  # the node has gone meanwhile, with its publishers
                return
            self.failure = sentence(error)
            self._log.error(f'a cloud was not segmented: {self.failure}')
            if not is_out_of_memory(error):
                self._log.error(traceback.format_exc())

    def _work(self, letters: dict[str, Letter]) -> None:
        assert self.folk is not None
        begin = time.perf_counter()
        reset, self._reset = self._reset, None
        if reset is not None:
            letters = self._left_after(reset, letters)
        behind = self._gathering.decode(letters, self._config)
        if behind:
            self._behind = behind
            self._forget(behind)
        adopted, self._adopted = self._adopted, None
        renamed = self.vocabularies.changed(self.folk, self._config)
        shown = self.latest if renamed else None
        if adopted is not None:
            shown, last_id = adopted
            scene = self.folk.take_up(shown.scene, shown.cloud, last_id)
            shown = replace(shown, scene=scene)
        if shown is not None:
            self.latest = replace(shown, names=self.folk.name(shown.scene))
            self.on_scene(self.latest)
        placed = self._gathering.place(self._config)
        if placed is None:
            if not letters:
                self.on_idle()
            return
        self._segment(placed, ', '.join(letters), 1e3 * (time.perf_counter() - begin))
        self._keep_rate()

    def _left_after(self, reset: Reset, letters: dict[str, Letter]) -> dict[str, Letter]:
        """Forget what was before; return the letters that may be of the new time."""
        self._gathering.forget(reset.stamp_ns)
        self._forget(reset)
        stamps = {topic: stamp_ns(one.message.header.stamp) for topic, one in letters.items()}
        return {topic: letters[topic] for topic, ns in stamps.items() if reset.spares(ns)}

    def _segment(self, placed: Placed, topics: str, decode_ms: float) -> None:
        assert self.folk is not None
        begin, cloud = time.perf_counter(), placed.cloud
        self.busy = True
        try:
            scene = self.folk.segment(cloud)
        except ValueError as error:
            self._gathering.refuse(topics or 'the clouds', str(error))
            return
        finally:
            self.busy = False
        done = time.perf_counter()
        if self._reset is not None:
            return  # time was set back meanwhile: this is of the past
        self.latest = Segmented(
            scene,
            cloud,
            self.folk.name(scene),
            placed.answer_frame,
            placed.T_answer_cloud,
            placed.arrival,
        )
        self.on_scene(self.latest)
        stages = {
            'decode': decode_ms,
            'segment': 1e3 * (done - begin),
            'publish': 1e3 * (time.perf_counter() - done),
        }
        self.failure = ''
        self.count += 1
        self.last_run = Run(stages, len(cloud), len(scene), cloud.rgb is not None)

    def _forget(self, reset: Reset) -> None:
        self._log.warning(
            f'{reset.reason}; the scene starts anew', throttle_duration_sec=THROTTLE_S
        )
        self.latest = None
        if self.folk is not None:
            self.folk.reset()
        self.on_reset(reset.stamp_ns)

    def _keep_rate(self) -> None:
        rate = self._config.node.max_rate
        if rate and self.last_run:
            self.mailbox.pause(self.last_run.at + 1 / rate - time.monotonic())
