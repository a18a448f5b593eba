"""
Every setting of the program, once: type, default, allowed values and what it means.

The dataclasses are plain values for Python users. ROS parameters, YAML files and `folk --help`
are derived from the same fields, so that a default stands in exactly one place.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass, replace
import difflib
from functools import lru_cache
import math
from typing import Any, get_origin, get_type_hints, NamedTuple, TypeVar

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


@lru_cache  # a request may set thousands of parameters
def _hints(kind: type) -> dict[str, Any]:
    """Return the declared types of a dataclass."""
    return get_type_hints(kind)


class Checked:
    """Base of all configs: checks each field's type and limits when built."""

    def __post_init__(self) -> None:
        hints = _hints(type(self))  # type: ignore[arg-type]  # classes are hashable
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
        if (
            isinstance(wanted, type)
            and get_origin(wanted) is None
            and (not isinstance(value, wanted) or (wanted is not bool and isinstance(value, bool)))
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
        0.3, 'Instances of lower mask quality are dropped.', low=0.0, high=1.0
    )
    min_points: int = setting(30, 'Instances of fewer points are dropped.', low=1, high=1_000_000)
    max_instances: int = setting(200, 'At most so many instances per cloud.', low=1, high=2000)
    nms_iou: float = setting(
        0.0,
        'Of two masks that overlap more, the better stays; 0: as the model was made for.',
        low=0.0,
        high=1.0,
    )
    gravity: str = setting(
        'auto',
        'auto turns a cloud of an optical frame so that its table or floor is level; given never.',
        choices=('auto', 'given'),
    )
    max_points: int = setting(5_000_000, 'Larger clouds are refused.', low=1000, high=100_000_000)
    max_voxels: int = setting(
        150_000,
        'A cloud that fills more voxels is segmented in overlapping tiles of at most so many: '
        'memory grows with it.',
        low=1000,
        high=10_000_000,
    )
    voxel_size: float = setting(
        0.0,
        'Voxel edge that the model must have (m), so that another one is refused; 0: any.',
        low=0.0,
        high=1.0,
        fixed=True,
    )
    incremental_points: int = setting(
        200_000,
        'Of a cloud of at least so many points only what changed is segmented; 0: always all.',
        low=0,
        high=100_000_000,
    )
    max_unseen: int = setting(
        200, 'At most so many objects out of view stay in the scene.', low=0, high=10_000
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
        ('/cloud',),
        'Fused PointCloud2 topics; several are fused in fixed_frame. See also sources.* below.',
        fixed=True,
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
    inference_frame: str = setting(
        '',
        'Frame with z up in which clouds are segmented; answers stay in the frame of the cloud or '
        'in fixed_frame. Empty: that frame too, and for optical frames map, odom or base_link.',
        fixed=True,
    )
    wait_for_transform: float = setting(
        0.5, 'A cloud waits so long for the transform of its time (s).', low=0.0, high=10.0
    )
    max_age: float = setting(
        10.0,
        'Answers from clouds that are older say so (s); 0: never.',
        low=0.0,
        high=86_400.0,
    )
    model: str = setting('', 'Folder of the student; empty: the shipped one.', fixed=True)
    standing_query: tuple[str, ...] = setting((), 'Texts shown as markers from the start.')
    keep_standing_query: bool = setting(
        False,
        'Take up the standing query of the last run; it is kept in state_folder.',
        fixed=True,
    )
    state_folder: str = setting(
        '', 'Where that is kept; empty: folk_ros in ROS_HOME, or in ~/.ros.', fixed=True
    )
    vocabulary: tuple[str, ...] = setting(
        (), "Names of ~/instances; empty: the model's, which questions are judged against anyhow."
    )
    scene_folder: str = setting(
        '', '~/save and ~/load work in this folder alone; empty: they refuse.', fixed=True
    )
    scene_file: str = setting(
        'scene.safetensors', 'File in scene_folder that ~/save and ~/load mean.'
    )
    publish_markers: bool = setting(True, 'Publish ~/markers for the standing query.')
    max_rate: float = setting(
        0.0, 'Segment at most so often (Hz); 0: as fast as clouds arrive.', low=0.0, high=1000.0
    )
    warn_after: float = setting(
        5.0, 'Say why it is silent after so many seconds.', low=0.5, high=3600.0
    )


@dataclass(frozen=True)
class SourceConfig(Checked):
    """One source of clouds, where it differs from the others: `sources.<name>.*`."""

    name: str = setting('', 'What the source is called among the parameters.', fixed=True)
    topic: str = setting('', 'Its PointCloud2 topic.', fixed=True)
    qos: str = setting(
        '',
        'As qos, for this source; empty: as qos says.',
        choices=('', 'auto', 'sensor_data', 'reliable', 'latched'),
        fixed=True,
    )
    max_age: float = setting(
        0.0,
        'Its cloud is refused when it comes later, and left out when others are newer by more '
        '(s); 0: never.',
        low=0.0,
        high=86_400.0,
    )
    min_range: float = setting(
        0.0, 'Nearer points are left out, from the origin of its own frame (m).', low=0, high=1e4
    )
    max_range: float = setting(0.0, 'Farther points are left out (m); 0: none.', low=0.0, high=1e4)
    min_height: float = setting(
        -1000.0, 'Lower points are left out, in the frame of the fusion (m).', low=-1e3, high=1e3
    )
    max_height: float = setting(1000.0, 'Higher points are left out (m).', low=-1e3, high=1e3)
    colour: str = setting(
        'auto',
        'auto takes its colour where it has one, none does not, required refuses clouds without.',
        choices=('auto', 'none', 'required'),
    )


@dataclass(frozen=True)
class FolkConfig(Checked):
    """All settings of one program; ROS parameter names are `group.name`, node settings bare."""

    segment: SegmentConfig = SegmentConfig()
    query: QueryConfig = QueryConfig()
    node: NodeConfig = NodeConfig()
    sources: tuple[SourceConfig, ...] = setting((), 'Clouds with settings of their own.')

    def source(self, topic: str) -> SourceConfig:
        """Return the settings of a cloud topic, as it stands in cloud_topics."""
        found = (source for source in self.sources if source.topic == topic)
        return next(found, SourceConfig(topic=topic))


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
