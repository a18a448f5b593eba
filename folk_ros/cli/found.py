"""One found object as commands print it: the same from a message and from a scene in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
import math
from typing import Any, TYPE_CHECKING

from folk_ros.cli.output import table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from folk_ros.structures import Instances, Match


@dataclass(frozen=True)
class Found:
    """An object that answers a text, or that has its best name. Metres, radians, cloud frame."""

    text: str
    id: int
    score: float  # probability in [0, 1]
    similarity: float  # cosine
    quality: float
    position: tuple[float, float, float]
    size: tuple[float, float, float]
    yaw: float
    point_count: int

    @classmethod
    def from_message(cls, instance: Any) -> Found:
        """Read a folk_ros/Instance message of either runtime."""
        at, turn, size = instance.pose.position, instance.pose.orientation, instance.size
        return cls(
            text=instance.text,
            id=int(instance.id),
            score=float(instance.score),
            similarity=float(instance.similarity),
            quality=float(instance.quality),
            position=(float(at.x), float(at.y), float(at.z)),
            size=(float(size.x), float(size.y), float(size.z)),
            yaw=2.0 * math.atan2(float(turn.z), float(turn.w)),
            point_count=int(instance.point_count),
        )

    @classmethod
    def from_match(
        cls, match: Match, scene: Instances, T: NDArray[np.float64] | None = None
    ) -> Found:
        """Look a match up in the scene that it speaks of; its place is moved by T [4, 4]."""
        row = match.row
        (x, y, z), yaw = _place(scene, row, T)
        length, width, height = (float(value) for value in scene.boxes.size[row])
        return cls(
            text=match.text,
            id=int(scene.ids[row]),
            score=match.score,
            similarity=match.similarity,
            quality=float(scene.quality[row]),
            position=(x, y, z),
            size=(length, width, height),
            yaw=yaw,
            point_count=int(scene.point_counts[row]),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the values by name, for JSON."""
        return asdict(self)


def _place(scene: Instances, row: int, T: NDArray[np.float64] | None) -> tuple[list[float], float]:
    """Return the centre of a box and how far it is turned about z, moved by T [4, 4]."""
    centre, yaw = scene.boxes.centre[row], float(scene.boxes.yaw[row])
    if T is not None:
        from folk_ros.transforms import turned_about_z

        centre, yaw = T[:3, :3] @ centre + T[:3, 3], turned_about_z(T, yaw)
    return [float(value) for value in centre], yaw


def by_text(found: Sequence[Found], texts: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Group answers by the text asked, texts without an answer included, for JSON."""
    return {text: [item.as_dict() for item in found if item.text == text] for text in texts}


def answers_table(found: Sequence[Found], texts: Sequence[str] = ()) -> str:
    """Lay answers out, one object a line, text by text; also a text that nothing answers."""
    header = ('text', 'id', 'score', 'position (m)', 'size (m)', 'points')
    rows: list[tuple[str, ...]] = []
    for text in dict.fromkeys([*texts, *(item.text for item in found)]):
        answers = [_row(item) for item in found if item.text == text]
        rows += answers or [(text, '-', '-', 'nothing found', '', '')]
    return table(header, rows)


def _row(item: Found) -> tuple[str, ...]:
    return (
        item.text,
        str(item.id),
        f'{item.score:.2f}',
        ' '.join(f'{value:6.2f}' for value in item.position),
        ' x '.join(f'{value:.2f}' for value in item.size),
        str(item.point_count),
    )
