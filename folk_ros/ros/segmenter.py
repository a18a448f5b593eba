"""
The one worker thread: the newest clouds go in, scenes come out, and nobody waits for it.

It loads the model too, so that the node answers questions (with "loading") from the first moment.
What goes wrong in here becomes a sentence in log and diagnostics, and the last scene stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
import threading
import time
import traceback
from typing import Any, TYPE_CHECKING

from folk_ros.config import FolkConfig
from folk_ros.ros.conversions import to_cloud
from folk_ros.ros.fusion import Fusion
from folk_ros.ros.mailbox import Mailbox
from folk_ros.ros.model import is_out_of_memory, load_sentence, Loader, Model, sentence
from folk_ros.structures import Instances, Match, PointCloud
from folk_ros.transforms import TransformError

if TYPE_CHECKING:
    from folk_ros.pipeline import Folk

REFUSALS_PER_LINE = 50


@dataclass(frozen=True)
class Segmented:
    """A scene with the cloud it was found in; replaced as a whole, never changed."""

    scene: Instances
    cloud: PointCloud
    names: list[Match]  # of every instance, its best vocabulary name


@dataclass(frozen=True)
class Run:
    """What the last cloud cost."""

    milliseconds: dict[str, float]  # by stage
    points: int
    instances: int
    has_colour: bool
    at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Refusal:
    """Why the last cloud was not used."""

    reason: str
    count: int = 0  # of this topic so far
    at: float = field(default_factory=time.monotonic)


class Segmenter:
    """Owns the network; `latest` is the last good scene, read by anyone at any time."""

    def __init__(self, loader: Loader, config: FolkConfig, fusion: Fusion, log: Any) -> None:
        self.latest: Segmented | None = None
        self.folk: Folk | None = None
        self.model = Model()
        self.last_run: Run | None = None
        self.count = 0  # clouds segmented
        self.failure = ''  # of the last cloud; '' if it went well
        self.refusals: dict[str, Refusal] = {}  # by topic: the last one
        self.mailbox: Mailbox[Any] = Mailbox()
        self.on_scene: Callable[[Segmented], None] = lambda segmented: None
        self.on_reset: Callable[[], None] = lambda: None
        self.on_idle: Callable[[], None] = lambda: None
        self._loader, self._config, self._fusion, self._log = loader, config, fusion, log
        self._load_wanted = threading.Event()
        self._thread = threading.Thread(target=self._run, name='folk-segment', daemon=True)

    def start(self) -> None:
        """Begin to load the model, then to segment."""
        self._load_wanted.set()
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Ask the thread to end; whether it did in time."""
        self.mailbox.close()
        self._load_wanted.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def configure(self, config: FolkConfig) -> None:
        """Use other settings from the next cloud on; a model that failed is tried again."""
        self._config = config
        if self.folk is not None:
            self.folk.config = config
        elif self.model.state == 'failed':
            self._load_wanted.set()

    def _run(self) -> None:
        while not self.mailbox.closed:
            if self.folk is None:
                self._load_wanted.wait()
                self._load_wanted.clear()
                if not self.mailbox.closed:
                    self._load()
                continue
            messages = self.mailbox.take()
            if messages:
                self._guarded(messages)
                self._keep_rate()
            elif not self.mailbox.closed:
                self.on_idle()

    def _load(self) -> None:
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
        loading = time.monotonic() - self.model.since
        self.folk, self.model = folk, Model('ready')
        self._log.info(f'the model is ready after {loading:.1f} s on {folk.device}')

    def _guarded(self, messages: dict[str, Any]) -> None:
        """Segment; whatever goes wrong, say it and go on with the next cloud."""
        try:
            self._segment(messages)
        except Exception as error:  # noqa: BLE001 - the one place that keeps the node alive
            self.failure = sentence(error)
            self._log.error(f'a cloud was not segmented: {self.failure}')
            if not is_out_of_memory(error):
                self._log.error(traceback.format_exc())

    def _segment(self, messages: dict[str, Any]) -> None:
        assert self.folk is not None
        begin = time.perf_counter()
        cloud = self._gather(messages)
        if cloud is None:
            return
        decoded = time.perf_counter()
        try:
            scene = self.folk.segment(cloud)
        except ValueError as error:
            self._refuse(', '.join(messages), str(error))
            return
        done = time.perf_counter()
        self.latest = Segmented(scene, cloud, self.folk.name(scene))
        self.on_scene(self.latest)
        stages = {
            'decode': 1e3 * (decoded - begin),
            'segment': 1e3 * (done - decoded),
            'publish': 1e3 * (time.perf_counter() - done),
        }
        self.failure = ''
        self.count += 1
        self.last_run = Run(stages, len(cloud), len(scene), cloud.rgb is not None)

    def _gather(self, messages: dict[str, Any]) -> PointCloud | None:
        """Decode what came and fuse it with what came before; None if nothing was usable."""
        added = [topic for topic, message in messages.items() if self._add(topic, message)]
        cloud = self._fusion.fused() if added else None
        if cloud is not None and not len(cloud):
            self._refuse(', '.join(added), 'no point is finite; there is nothing to segment')
            return None
        return cloud

    def _add(self, topic: str, message: Any) -> bool:
        """Decode a cloud for the fusion; whether it was usable."""
        try:
            cloud = to_cloud(message, self._config.segment.max_points)
            if self._fusion.went_back(topic, cloud.stamp_ns):
                self._start_anew(topic)
            self._fusion.add(topic, cloud, alone=len(self._config.node.cloud_topics) == 1)
        except (ValueError, TransformError) as error:
            self._refuse(topic, str(error))
            return False
        return True

    def _start_anew(self, topic: str) -> None:
        """Forget the scene: the clouds went back in time."""
        self._log.warning(
            f'{topic}: the clouds went back in time by more than 1 s (a bag played again?); '
            'the scene starts anew'
        )
        self._fusion.forget()
        self.latest = None
        if self.folk is not None:
            self.folk.reset()
        self.on_reset()

    def _refuse(self, topic: str, reason: str) -> None:
        """Note why a cloud was not used; the log says so once, then now and then."""
        last = self.refusals.get(topic, Refusal(''))
        count = last.count + 1
        self.refusals[topic] = Refusal(reason, count)
        if reason != last.reason or count % REFUSALS_PER_LINE == 0:
            self._log.warning(f'{topic}: cloud refused: {reason} ({count} refused so far)')

    def _keep_rate(self) -> None:
        rate = self._config.node.max_rate
        if rate and self.last_run:
            self.mailbox.pause(self.last_run.at + 1 / rate - time.monotonic())
