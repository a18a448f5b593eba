"""
From messages to one cloud: decoded, filtered, moved in time, fused; or refused with a reason.

Called by the worker alone. A cloud whose transform is not there yet waits in a short list, which
is worked off when it is looked at again; nobody sleeps for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
import time
from typing import Any

from folk_ros.config import FolkConfig, SourceConfig
from folk_ros.ros.conversions import to_cloud
from folk_ros.ros.fusion import Fusion, in_height, in_range, Placed
from folk_ros.ros.placing import Placing
from folk_ros.ros.timekeeping import Arrival, Reset
from folk_ros.structures import PointCloud
from folk_ros.transforms import TransformError

MAX_WAITING = 3  # clouds of one source that wait for transforms; they are large
PER_LINE = 50  # refusals for one reason: then it is logged again
LINE_S = 1.0  # from a line about a topic to the next, whatever the reasons
MAX_REASON = 1000  # characters


@dataclass(frozen=True)
class Letter:
    """A cloud message, and when it came."""

    message: Any
    arrival: Arrival | None = None


@dataclass(frozen=True)
class Refusal:
    """Why the last cloud was not used."""

    reason: str
    count: int = 0  # of this topic so far
    at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class _Waiting:
    topic: str
    cloud: PointCloud
    arrival: Arrival | None
    until: float  # monotonic seconds
    number: int  # in the order they came


class Gathering:
    """Keeps the newest cloud of every source, moved to the frame where they are segmented."""

    def __init__(self, placing: Placing, log: Any) -> None:
        self.placing = placing
        self.refusals: dict[str, Refusal] = {}  # by topic: the last one
        self.configured: dict[str, str] = {}  # resolved topic -> as it stands in cloud_topics
        self._told: dict[str, Refusal] = {}  # by topic: the last one that was logged
        self._fusion = Fusion()
        self._waiting: list[_Waiting] = []
        self._count = 0
        self._used: dict[str, int] = {}  # by topic: the number of the last cloud that was used
        self._log = log

    @property
    def waits(self) -> bool:
        """Whether clouds wait for transforms: look again soon."""
        return bool(self._waiting)

    def decode(self, letters: Mapping[str, Letter], config: FolkConfig) -> Reset | None:
        """Take what came; returns what to say and to when, if clouds went back in time."""
        behind = None
        for topic, letter in letters.items():
            source = config.source(self.configured.get(topic, topic))
            try:
                cloud = self._decoded(letter, source, config)
            except ValueError as error:
                self.refuse(topic, str(error))
                continue
            if self._fusion.went_back(topic, cloud.stamp_ns):
                self.forget(cloud.stamp_ns)
                reason = f'{topic}: the clouds went back in time (a bag played again?)'
                behind = Reset(reason, cloud.stamp_ns)
            self._fusion.note(topic, cloud.stamp_ns)
            until = time.monotonic() + config.node.wait_for_transform
            self._count += 1
            self._append(_Waiting(topic, cloud, letter.arrival, until, self._count))
        return behind

    def _decoded(self, letter: Letter, source: SourceConfig, config: FolkConfig) -> PointCloud:
        """Decode and filter; ValueError says why a cloud is of no use."""
        arrival = letter.arrival
        delay_s = arrival.delay_s if arrival is not None and arrival.clocks_agree else 0.0
        if 0 < source.max_age < delay_s:
            raise ValueError(
                f'the cloud was {delay_s:.1f} s old when it came, expected at most '
                f'{source.max_age:g} s (sources.{source.name}.max_age)'
            )
        cloud = to_cloud(letter.message, config.segment.max_points)
        if source.colour == 'required' and cloud.rgb is None:
            raise ValueError(
                f'the cloud has no colour, and sources.{source.name}.colour is required'
            )
        if source.colour == 'none':
            cloud = replace(cloud, rgb=None)
        return in_range(cloud, source)

    def _append(self, item: _Waiting) -> None:
        """Put a cloud on the list; where it is full the newest of its source is replaced."""
        own = [index for index, other in enumerate(self._waiting) if other.topic == item.topic]
        if len(own) >= MAX_WAITING:
            self._waiting[own[-1]] = item
        else:
            self._waiting.append(item)

    def place(self, config: FolkConfig) -> Placed | None:
        """Work off the list; the fused cloud if something new could be used, else None."""
        added: list[str] = []
        still: list[_Waiting] = []
        for item in self._waiting:
            if item.number < self._used.get(item.topic, 0):
                continue  # one that came after it was used already
            last_chance = time.monotonic() >= item.until
            try:
                self._place(item, config, last_chance)
            except TransformError as error:
                if not last_chance:
                    still.append(item)
                else:
                    self.refuse(item.topic, f'{error}; waited {config.node.wait_for_transform} s')
            else:
                added.append(item.topic)
        self._waiting = still
        return self._fused(added)

    def _place(self, item: _Waiting, config: FolkConfig, last_chance: bool) -> None:
        node = config.node
        answer = node.fixed_frame
        if not answer and len(node.cloud_topics) > 1:
            answer = self._fusion.first_frame()
        placed = self.placing.place(item.cloud, config, answer, last_chance=last_chance)
        source = config.source(self.configured.get(item.topic, item.topic))
        cloud = in_height(placed.cloud, source)
        placed = replace(placed, cloud=cloud, arrival=item.arrival)
        self._fusion.keep(item.topic, placed, source.max_age)
        self._used[item.topic] = item.number

    def _fused(self, added: Sequence[str]) -> Placed | None:
        if not added:
            return None
        fused = self._fusion.fused()
        if len(fused.cloud):
            return fused
        topics = ', '.join(dict.fromkeys(added))
        self.refuse(topics, 'no point is finite or within limits; there is nothing to segment')
        return None

    def forget(self, stamp_ns: int) -> None:
        """Drop clouds, and those that wait and transforms if they are later: time was set back."""
        reset = Reset('', stamp_ns)
        self._waiting = [item for item in self._waiting if reset.spares(item.cloud.stamp_ns)]
        self._fusion.forget()
        self.placing.forget(stamp_ns)

    def refuse(self, topic: str, reason: str) -> None:
        """Note why a cloud was not used; the log says so once, then now and then."""
        if len(reason) > MAX_REASON:  # names from a message may stand in it
            reason = reason[:MAX_REASON] + ' ...'
        count = self.refusals.get(topic, Refusal('')).count + 1
        refusal = Refusal(reason, count, time.monotonic())
        self.refusals[topic] = refusal
        told = self._told.get(topic)
        if told is not None and refusal.at < told.at + LINE_S:
            return
        if told is None or _kind(reason) != _kind(told.reason) or count >= told.count + PER_LINE:
            self._told[topic] = refusal
            self._log.warning(f'{topic}: cloud refused: {reason} ({count} refused so far)')


def _kind(reason: str) -> str:
    """Take out the numbers, which change while the reason stays the same."""
    return ''.join(char for char in reason if not char.isdigit())
