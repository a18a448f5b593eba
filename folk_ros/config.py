"""
Every setting of the program, once: type, default, allowed values and what it means.

The dataclasses are plain values for Python users. ROS parameters, YAML files and `folk --help`
are derived from the same fields, so that a default stands in exactly one place.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass, replace
import difflib
import math
from typing import Any, get_type_hints, NamedTuple, TypeVar

T = TypeVar('T')


class Meaning(NamedTuple):
    """What a setting means and which values it may take."""

    text: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    fixed: bool = False  # read once, when the program starts


def setting(default: Any, text: str, **limits: Any) -> Any:
    """Declare a field with its default, its meaning and its limits (see Meaning)."""
    metadata = {'meaning': Meaning(text, **limits)}
    if isinstance(default, (list, dict)):
        raise TypeError('give a tuple: a mutable default would be shared')
    return field(default=default, metadata=metadata)


def problem_with(name: str, meaning: Meaning, value: Any) -> str | None:
    """Return why a value is not allowed, as a sentence, or None if it is."""
    if meaning.choices and value not in meaning.choices:
        return f'{name}: expected one of {", ".join(map(repr, meaning.choices))}, got {value!r}'
    if isinstance(value, float) and not math.isfinite(value):
        return f'{name}: expected a finite number, got {value}'
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        low, high = meaning.low, meaning.high
        if (low is not None and value < low) or (high is not None and value > high):
            return f'{name}: expected a value from {low} to {high}, got {value}'
    return None


class Checked:
    """Base of all configs: checks each field's type and limits when built."""

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for item in fields(self):  # type: ignore[arg-type]
            value, wanted = getattr(self, item.name), hints[item.name]
            if is_dataclass(value):
                continue
            value = self._as_declared(item.name, value, wanted)
            problem = problem_with(item.name, item.metadata['meaning'], value)
            if problem:
                raise ValueError(f'{type(self).__name__}.{problem}')
            object.__setattr__(self, item.name, value)

    def _as_declared(self, name: str, value: Any, wanted: Any) -> Any:
        if wanted is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if wanted == tuple[str, ...]:
            if isinstance(value, str) or not all(isinstance(v, str) for v in value):
                raise ValueError(f'{type(self).__name__}.{name}: expected texts, got {value!r}')
            return tuple(value)
        if isinstance(wanted, type) and (
            not isinstance(value, wanted) or (wanted is not bool and isinstance(value, bool))
        ):
            raise ValueError(
                f'{type(self).__name__}.{name}: expected {wanted.__name__}, '
                f'got {value!r} ({type(value).__name__})'
            )
        return value


@dataclass(frozen=True)
class SegmentConfig(Checked):
    """From a cloud to instances."""

    device: str = setting(
        'auto', "Where the student runs: 'auto', 'cpu', 'cuda', 'cuda:1'.", fixed=True
    )
    engine: str = setting(
        'auto',
        'What computes sparse convolutions: auto takes the fastest whose numbers are right here.',
        choices=('auto', 'torch', 'minkowski', 'spconv'),
        fixed=True,
    )
    threads: int = setting(
        0, 'CPU threads of the student; 0 leaves it to torch.', low=0, high=256, fixed=True
    )
    min_quality: float = setting(
        0.45, 'Instances of lower mask quality are dropped.', low=0.0, high=1.0
    )
    min_points: int = setting(30, 'Instances of fewer points are dropped.', low=1, high=1_000_000)
    max_instances: int = setting(200, 'At most so many instances per cloud.', low=1, high=2000)
    nms_iou: float = setting(
        0.4, 'Of two masks that overlap more, the better stays.', low=0.0, high=1.0
    )
    max_points: int = setting(5_000_000, 'Larger clouds are refused.', low=1000, high=100_000_000)
    max_voxels: int = setting(
        400_000,
        'A cloud that fills more voxels is segmented on a coarser grid.',
        low=1000,
        high=10_000_000,
    )


@dataclass(frozen=True)
class QueryConfig(Checked):
    """From texts to answers."""

    min_score: float = setting(
        0.25,
        'Answers below this probability are left out when a query names no minimum.',
        low=0.0,
        high=1.0,
    )
    max_results: int = setting(
        50, 'At most so many answers per text when a query names no maximum.', low=1, high=1000
    )
    max_texts: int = setting(64, 'At most so many texts in one query.', low=1, high=1024)
    max_text_length: int = setting(300, 'Longer texts are refused.', low=1, high=10_000)


@dataclass(frozen=True)
class NodeConfig(Checked):
    """The ROS side: topics, frames, rates."""

    cloud_topics: tuple[str, ...] = setting(
        ('/cloud',), 'Fused PointCloud2 topics; several are fused in fixed_frame.', fixed=True
    )
    qos: str = setting(
        'auto',
        'Cloud subscription: auto matches the publishers it finds.',
        choices=('auto', 'sensor_data', 'reliable', 'latched'),
        fixed=True,
    )
    fixed_frame: str = setting(
        '', 'Frame in which several clouds are fused; empty: the first cloud.', fixed=True
    )
    model: str = setting('', 'Folder of the student; empty: the shipped one.', fixed=True)
    standing_query: tuple[str, ...] = setting((), 'Texts shown as markers from the start.')
    publish_markers: bool = setting(True, 'Publish ~/markers for the standing query.')
    max_rate: float = setting(
        0.0, 'Segment at most so often (Hz); 0: as fast as clouds arrive.', low=0.0, high=1000.0
    )
    warn_after: float = setting(
        5.0, 'Say why it is silent after so many seconds.', low=0.5, high=3600.0
    )


@dataclass(frozen=True)
class FolkConfig(Checked):
    """All settings of one program; ROS parameter names are `group.name`, node settings bare."""

    segment: SegmentConfig = SegmentConfig()
    query: QueryConfig = QueryConfig()
    node: NodeConfig = NodeConfig()


def with_values(config: T, values: dict[str, Any]) -> T:
    """Return the config with some settings changed; an unknown name raises with a suggestion."""
    names = [item.name for item in fields(config)]  # type: ignore[arg-type]
    for name in values:
        if name not in names:
            close = difflib.get_close_matches(name, names, n=2)
            hint = (
                f'; did you mean {" or ".join(close)}?'
                if close
                else f'; there are {", ".join(names)}'
            )
            raise ValueError(f'{type(config).__name__} has no setting {name!r}{hint}')
    return replace(config, **values)  # type: ignore[type-var]
