"""The topics of a running robot, told apart by the rules that hold for recordings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from folk_ros.cli.output import CommandFailed
from folk_ros.cli.peer import Peer, qos
from folk_ros.ros import runtime
from folk_ros.ros.image_conversion import with_plain_pixels
from folk_ros.training.scenes.recordings.bag import Topic
from folk_ros.training.scenes.recordings.topics import CLOUD, IMAGES, INFO

PATIENCE_S = 10.0  # for the first messages
SETTLE_S = 1.0  # after those that are needed, for others


class LiveTopics:
    """What choose_topics asks of a recording, answered by a robot."""

    path = 'the robot'

    def __init__(self, peer: Peer, named: Sequence[str]) -> None:
        """Hear the first message of every image and calibration topic, or of those named."""
        self._peer = peer
        self._first: dict[str, Any] = {}
        self._named = set(named)
        self._heard: list[Any] = []
        self._listened: set[str] = set()
        peer.wait_until(self._complete, PATIENCE_S)
        peer.rest(SETTLE_S)
        self.topics = [
            Topic(name, kind, int(name in self._first or kind == CLOUD))
            for name, kind in sorted(self._live())
        ]
        for subscription in self._heard:
            peer.node.destroy_subscription(subscription)

    def _live(self) -> list[tuple[str, str]]:
        """Return name and type of what is published and may be wanted."""
        node = self._peer.node
        return [
            (name, types[0])
            for name, types in node.get_topic_names_and_types()
            if types[0] in (*IMAGES, INFO, CLOUD) and node.count_publishers(name)
        ]

    def _complete(self) -> bool:
        """Listen to what is new; whether enough was heard to choose from."""
        for name, kind in self._live():
            if kind != CLOUD and name not in self._listened:
                self._listened.add(name)
                self._listen(name, kind)
        kinds = {kind for name, kind in self._live() if name in self._first}
        if self._named:
            return self._named <= set(self._first)
        return INFO in kinds and sum(kind in kinds for kind in IMAGES) > 0

    def _listen(self, name: str, kind: str) -> None:
        def keep(message: Any) -> None:
            if name not in self._first:
                self._first[name] = with_plain_pixels(message)

        subscription = self._peer.node.create_subscription(
            runtime.message(kind), name, keep, qos('sensor_data')
        )
        self._heard.append(subscription)

    def of_type(self, *types: str) -> list[Topic]:
        """Return the topics of some types that something was heard of."""
        return [topic for topic in self.topics if topic.type in types and topic.count]

    def first(self, topic: str) -> Any:
        """Return the first message of a topic; ValueError where none came."""
        if topic not in self._first:
            raise ValueError(f'{topic}: no message came within {PATIENCE_S:g} s; is it published?')
        return self._first[topic]

    def listed(self) -> str:
        """Say which topics there are, for an error."""
        shown = [f'{t.name} ({t.type}{"" if t.count else ", silent"})' for t in self.topics[:40]]
        return 'topics: ' + (', '.join(shown) or 'none')

    def check_any(self) -> None:
        """Raise CommandFailed where nothing is published at all."""
        if not self.topics:
            raise CommandFailed(
                'no images, calibrations or clouds are published here; is the camera running, '
                'under the same ROS_DOMAIN_ID?'
            )
