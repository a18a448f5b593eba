"""Open a recording (rosbag2 as SQLite or MCAP, ROS 1 .bag) without ROS, by the library rosbags."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
import struct
import sys
from typing import Any

STORAGES = ('.db3', '.mcap')
NANOSECONDS = 1_000_000_000
LISTED = 40  # topics in an error


@dataclass(frozen=True)
class Topic:
    """One topic of a recording."""

    name: str
    type: str  # such as sensor_msgs/msg/Image
    count: int


class Bag:
    """An open recording: its topics, and their messages in the order they were recorded in."""

    def __init__(self, path: Path, reader: Any) -> None:
        self.path = path
        self._reader = reader
        self.topics = [
            Topic(name, info.msgtype or 'several types', info.msgcount)
            for name, info in sorted(reader.topics.items())
        ]

    def of_type(self, *types: str) -> list[Topic]:
        """Return the topics of some types that have messages."""
        return [topic for topic in self.topics if topic.type in types and topic.count]

    def messages(self, topics: Collection[str]) -> Iterator[tuple[str, Any]]:
        """Give topic and message of some topics, one after another; ValueError if damaged."""
        connections = [c for c in self._reader.connections if c.topic in topics]
        if not connections:
            return
        with damage_named(self.path):
            for connection, _, data in self._reader.messages(connections=connections):
                yield connection.topic, self._reader.deserialize(data, connection.msgtype)

    def first(self, topic: str) -> Any:
        """Return the first message of a topic; ValueError where it has none after all."""
        for _, message in self.messages([topic]):
            return message
        raise ValueError(
            f'{self.path}: {topic}: no message can be read though some were counted; the '
            'recording is damaged'
        )

    def listed(self) -> str:
        """Say which topics there are, for an error."""
        shown = [f'{t.name} ({t.type}, {t.count} messages)' for t in self.topics[:LISTED]]
        more = [f'and {len(self.topics) - LISTED} more'] if len(self.topics) > LISTED else []
        return 'topics: ' + (', '.join(shown + more) or 'none')


@contextmanager
def open_bag(path: Path | str) -> Iterator[Bag]:
    """
    Open a recording: a folder, or one .db3, .mcap or .bag file.

    Raises ValueError naming the file where it is missing, damaged or of another kind, and
    ImportError where the library is not installed.
    """
    try:
        from rosbags.highlevel import AnyReader
        from rosbags.typesys import get_typestore, Stores
    except ImportError as error:
        raise ImportError(
            'recordings are read with rosbags; pip install rosbags, or folk_ros[train]'
        ) from error
    path = Path(path)
    paths = _storage_files(path)
    with damage_named(path):  # older recordings do not hold the definitions of their messages
        reader = AnyReader(paths, default_typestore=get_typestore(Stores.ROS2_HUMBLE))
        reader.open()
    try:
        with damage_named(path):
            bag = Bag(path, reader)
        yield bag
    finally:
        reader.close()


def _storage_files(path: Path) -> list[Path]:
    """Return what to open: the path, or the files in a folder that lost its metadata."""
    if not path.exists():
        raise ValueError(f'{path}: there is no such recording')
    if path.is_file():
        if path.suffix not in (*STORAGES, '.bag'):
            raise ValueError(
                f'{path}: expected a folder of ros2 bag record, or a .db3, .mcap or .bag file'
            )
        return [path]
    if (path / 'metadata.yaml').is_file():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix in STORAGES)
    if not files:
        raise ValueError(f'{path}: expected metadata.yaml or .db3 or .mcap files, found none')
    return files


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Turn what rosbags raises on damaged files into a ValueError that names the file."""
    try:
        yield
    except damage_errors() as error:
        reason = ' '.join(str(error).split())[:200] or type(error).__name__
        raise ValueError(
            f'{path}: the recording is damaged or was cut off ({reason}); try ros2 bag reindex '
            'for SQLite, mcap recover for MCAP, or record again'
        ) from None


def damage_errors() -> tuple[type[Exception], ...]:
    """Return what rosbags was seen to raise when files were cut off or bytes in them changed."""
    import apsw
    from rosbags.highlevel import AnyReaderError
    from rosbags.rosbag1 import ReaderError as Reader1Error
    from rosbags.rosbag2 import ReaderError as Reader2Error

    if sys.version_info >= (3, 14):
        from compression.zstd import ZstdError
    else:
        from backports.zstd import ZstdError
    own = (AnyReaderError, Reader1Error, Reader2Error, apsw.Error, ZstdError, struct.error)
    builtin = (ValueError, LookupError, TypeError, OverflowError, MemoryError, EOFError, OSError)
    return (*own, *builtin, AssertionError, RuntimeError)


def stamp_ns(stamp: Any) -> int:
    """Return a builtin_interfaces/Time as nanoseconds."""
    return int(stamp.sec) * NANOSECONDS + int(stamp.nanosec)
