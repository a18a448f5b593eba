"""
Save a scene and load it again: its objects, their embeddings and masks, and the cloud.

One safetensors file holds xyz [N, 3] float32, rgb [N, 3] uint8 where there is colour, the arrays
of Instances under their names (boxes as box_centre, box_size, box_yaw), and in its metadata the
format, frame, time, the CLIP space of the embeddings, the last id given, and a SHA-256 of all of
it; where answers are given in another frame, also that (answer_frame) and its place
(T_answer_scene, 16 numbers as JSON, row by row). Nothing is packed or pickled, so a file takes as
much memory as it is long.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open, SafetensorError
from safetensors.numpy import save

from folk_ros.cloud_files import replacing
from folk_ros.structures import Boxes, Instances, PointCloud

FORMAT = 'folk_ros scene 1'
SUFFIX = '.safetensors'
MAX_FILE_BYTES = 4 << 30
MAX_HEADER_BYTES = 1 << 16
MAX_POINTS = 50_000_000
MAX_TRANSFORM_CHARS = 500
SKEW = 1e-3  # quaternions on /tf are rounded
ARRAYS: dict[str, tuple[str, int]] = {  # safetensors' name of the type, number of axes
    'xyz': ('F32', 2),
    'rgb': ('U8', 2),
    'starts': ('I64', 1),
    'points': ('I32', 1),
    'embeddings': ('F32', 2),
    'quality': ('F32', 1),
    'ids': ('U32', 1),
    'box_centre': ('F32', 2),
    'box_size': ('F32', 2),
    'box_yaw': ('F32', 1),
}
NUMBERS = {  # in the metadata: what each stays below, as the messages of ROS hold them
    'stamp_ns': 2**31 * 1_000_000_000,
    'scene_id': 2**64,
    'last_id': 2**32,
}
TEXTS = ('format', 'frame_id', 'clip', 'sha256')


@dataclass(frozen=True)
class SavedScene:
    """A scene as it was saved."""

    instances: Instances
    cloud: PointCloud
    clip: str  # name of the CLIP space of the embeddings
    last_id: int = 0  # last id given to an object; the next new one has a greater one
    answer_frame: str = ''  # in which answers were given; empty: the frame of the scene
    T_answer_scene: NDArray[np.float64] | None = None  # [4, 4], None: the frames are one

    @property
    def frame_id(self) -> str:
        """The frame in which answers were given."""
        return self.answer_frame or self.instances.frame_id

    def __post_init__(self) -> None:
        if self.T_answer_scene is not None:
            _check_transform(self.T_answer_scene)
        if bool(self.answer_frame) != (self.T_answer_scene is not None):
            raise ValueError('SavedScene: expected answer_frame and T_answer_scene, got one alone')
        if self.instances.num_points != len(self.cloud):
            raise ValueError(
                f'SavedScene: masks over {self.instances.num_points} points do not fit a cloud '
                f'of {len(self.cloud)}'
            )


def save_scene(path: str | Path, scene: SavedScene) -> None:
    """
    Write a scene, at once or not at all.

    Raises OSError where it cannot be written, and ValueError for a name of another kind.
    """
    path = Path(path)
    if path.suffix.lower() != SUFFIX:
        raise ValueError(f'{path}: expected a name that ends in {SUFFIX}')
    instances, cloud = scene.instances, scene.cloud
    arrays: dict[str, NDArray[Any]] = {
        'xyz': cloud.xyz,
        'box_centre': instances.boxes.centre,
        'box_size': instances.boxes.size,
        'box_yaw': instances.boxes.yaw,
    }
    arrays |= {
        name: getattr(instances, name)
        for name in ('starts', 'points', 'embeddings', 'quality', 'ids')
    }
    if cloud.rgb is not None:
        arrays['rgb'] = cloud.rgb
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    metadata = {
        'format': FORMAT,
        'frame_id': cloud.frame_id,
        'stamp_ns': str(cloud.stamp_ns),
        'scene_id': str(instances.scene_id),
        'clip': scene.clip,
        'last_id': str(max([scene.last_id, *(int(one) for one in instances.ids)])),
    }
    if scene.T_answer_scene is not None:
        metadata['answer_frame'] = scene.answer_frame
        metadata['T_answer_scene'] = json.dumps(scene.T_answer_scene.ravel().tolist())
    metadata['sha256'] = digest(arrays, metadata)
    with replacing(path) as file:
        file.write(save(arrays, metadata))


def load_scene(path: str | Path, max_points: int = MAX_POINTS) -> SavedScene:
    """
    Read a scene.

    Raises FileNotFoundError if there is none, and ValueError, naming the file, where it is cut
    off, altered, of another format or larger than `max_points`. Sizes are checked before memory
    is taken.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'{path}: there is no such file')
    _check_lengths(path)
    with _said_of(path), safe_open(path, 'numpy') as file:
        metadata = _checked_metadata(file.metadata() or {})
        names = list(file.keys())
        for name in names:
            _check_array(name, file.get_slice(name))
        _check_sizes({name: file.get_slice(name).get_shape() for name in names}, max_points)
        arrays = {name: file.get_tensor(name) for name in names}
        if digest(arrays, metadata) != metadata['sha256']:
            raise ValueError('was altered since it was saved: its SHA-256 is another')
        return _scene(arrays, metadata)


def _check_lengths(path: Path) -> None:
    """Check the file's length and its header's, which is read before anything else."""
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise ValueError(f'{path}: has {size} bytes, expected at most {MAX_FILE_BYTES}')
    with path.open('rb') as file:
        header = int.from_bytes(file.read(8), 'little')
    if header > MAX_HEADER_BYTES:
        raise ValueError(f'{path}: is no saved scene: its header would have {header} bytes')


@contextmanager
def _said_of(path: Path) -> Iterator[None]:
    """Name the file in what is said about it."""
    try:
        yield
    except SafetensorError as error:
        raise ValueError(f'{path}: is no whole safetensors file ({error})') from None
    except (ValueError, TypeError) as error:
        raise ValueError(f'{path}: {error}') from None


def _checked_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    found = metadata.get('format', 'none')
    if found != FORMAT:
        raise ValueError(f'expected format {FORMAT!r}, got {found[:40]!r}; is it a saved scene?')
    missing = sorted({*NUMBERS, *TEXTS} - set(metadata))
    if missing:
        raise ValueError(f'its metadata lack {missing}')
    for name, limit in NUMBERS.items():
        text = metadata[name]
        if not text.isdecimal() or len(text) > 20 or int(text) >= limit:
            raise ValueError(
                f'metadata {name}: expected a number below {limit}, got {text[:40]!r}'
            )
    return dict(metadata)


def _check_array(name: str, stored: Any) -> None:
    if name not in ARRAYS:
        raise ValueError(f'holds an array {name[:40]!r}, which is not of this format')
    kind, axes = ARRAYS[name]
    if stored.get_dtype() != kind or len(stored.get_shape()) != axes:
        raise ValueError(
            f"array '{name}': expected {kind} with {axes} axes, got {stored.get_dtype()} "
            f'{stored.get_shape()}'
        )


def _check_sizes(shapes: dict[str, list[int]], max_points: int) -> None:
    missing = sorted(set(ARRAYS) - {'rgb'} - set(shapes))
    if missing:
        raise ValueError(f'lacks the arrays {missing}')
    if shapes['xyz'][0] > max_points:
        raise ValueError(
            f'holds {shapes["xyz"][0]} points, expected at most {max_points}; thin the map out'
        )


def _scene(arrays: dict[str, NDArray[Any]], metadata: dict[str, str]) -> SavedScene:
    """Build a scene; its types check what else may be wrong."""
    stamp_ns, frame_id = int(metadata['stamp_ns']), metadata['frame_id']
    starts = arrays['starts']
    if len(starts) and (np.diff(starts) < 0).any():
        raise ValueError("array 'starts': expected numbers that do not fall")
    if len(np.unique(arrays['ids'])) != len(arrays['ids']):
        raise ValueError("array 'ids': expected every object to have its own")
    if not all(np.isfinite(array).all() for array in arrays.values() if array.dtype.kind == 'f'):
        raise ValueError('holds numbers that are not finite')
    instances = Instances(
        starts=starts,
        points=arrays['points'],
        embeddings=arrays['embeddings'],
        quality=arrays['quality'],
        boxes=Boxes(arrays['box_centre'], arrays['box_size'], arrays['box_yaw']),
        ids=arrays['ids'],
        num_points=len(arrays['xyz']),
        frame_id=frame_id,
        stamp_ns=stamp_ns,
        scene_id=int(metadata['scene_id']),
    )
    cloud = PointCloud(arrays['xyz'], arrays.get('rgb'), frame_id, stamp_ns)
    T_answer_scene = None
    if 'T_answer_scene' in metadata:
        T_answer_scene = _transform(metadata['T_answer_scene'])
    return SavedScene(
        instances,
        cloud,
        metadata['clip'],
        int(metadata['last_id']),
        metadata.get('answer_frame', ''),
        T_answer_scene,
    )


def _transform(text: str) -> NDArray[np.float64]:
    """Read 16 numbers in JSON, the first MAX_TRANSFORM_CHARS characters at most."""
    numbers = json.loads(text) if len(text) <= MAX_TRANSFORM_CHARS else None
    if not isinstance(numbers, list) or len(numbers) != 16:
        raise ValueError(f'metadata T_answer_scene: expected 16 numbers, got {text[:40]!r}')
    return np.array(numbers, np.float64).reshape(4, 4)


def _check_transform(T: NDArray[np.float64]) -> None:
    """Raise ValueError unless T [4, 4] turns and moves, and nothing else."""
    R = T[:3, :3]
    rigid = T.shape == (4, 4) and np.isfinite(T).all() and np.allclose(T[3], (0, 0, 0, 1))
    if not rigid or not np.allclose(R @ R.T, np.eye(3), atol=SKEW) or np.linalg.det(R) < 0:
        raise ValueError('T_answer_scene: expected a rotation and a translation, [4, 4]')


def digest(arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> str:
    """Return the SHA-256 of arrays, with their names and shapes, and of metadata."""
    told = {name: value for name, value in metadata.items() if name != 'sha256'}
    shapes = {name: [str(a.dtype), *a.shape] for name, a in arrays.items()}
    summary = hashlib.sha256(json.dumps([told, shapes], sort_keys=True).encode())
    for name in sorted(arrays):
        summary.update(np.ascontiguousarray(arrays[name]).data)
    return summary.hexdigest()
