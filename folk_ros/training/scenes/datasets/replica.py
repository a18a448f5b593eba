"""
Read the eight scenes of Replica that open-vocabulary methods are scored on, with 48 labels.

No images or per-vertex labels come with Replica itself; three layouts of others are read.
- cvg/nice-slam (`Replica.zip`): `<scene>_mesh.ply`, `<scene>/results/frameNNNNNN.jpg` and
  `depthNNNNNN.png`, `<scene>/traj.txt` (a camera-to-world matrix a line, optical axes) and
  `cam_params.json` (camera: w, h, fx, fy, cx, cy, scale).
- aminebdj/OpenYOLO3D: `<scene>/<scene>_mesh.ply`, `color/N.jpg`, `depth/N.png`, `poses/N.txt`,
  `intrinsics.txt`, and `ground_truth/<scene>.txt`, made for OpenMask3D: a line per vertex,
  label_id * 1000 + instance + 1, label ids being those of Replica's own table.
- facebookresearch/Replica-Dataset: `<room_0>/habitat/mesh_semantic.ply`, quads with an
  `object_id`, and `info_semantic.json`, which names the class of each object. Its vertices are
  not those of `<scene>_mesh.ply`, so scores on them are near those of the papers, not the same.
Ground truth files win over habitat's annotation. Depth counts 6553.5 a metre unless
`cam_params.json` says otherwise. z is up. Classes beyond the 48 (wall, floor, ...) are nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.evaluate.benchmark_files import read_truth
from folk_ros.training.labels import LabelSet, load_labels
from folk_ros.training.scenes.datasets.exported_frames import find_frames, Frames
from folk_ros.training.scenes.datasets.mesh import read_vertices, vertex_values
from folk_ros.training.scenes.ground_truth import read_json, rows_of, truth_from_ids
from folk_ros.training.scenes.scene import GroundTruth, Scene
from folk_ros.training.scenes.view_files import FileViews, ViewFile

SCENES = ('office0', 'office1', 'office2', 'office3', 'office4', 'room0', 'room1', 'room2')
DEPTH_PER_METRE = 6553.5
CAMERA = {'w': 1200, 'h': 680, 'fx': 600.0, 'fy': 600.0, 'cx': 599.5, 'cy': 339.5}  # nice-slam


@dataclass(frozen=True)
class Replica:
    """A copy of the dataset: where it lies, and its ground truth files where they lie apart."""

    root: Path
    labels: LabelSet
    truth: Path


def open_replica(root: Path | str, truth: Path | str | None = None) -> Replica:
    """Point at a copy of the dataset; ground truth files lie in its `ground_truth/` or `truth`."""
    root = Path(root)
    return Replica(root, load_labels('replica'), Path(truth or root / 'ground_truth'))


def read_replica(source: Replica, scene_id: str, every: int = 10) -> Scene:
    """
    Read one scene; images stay in their files, every `every`-th of them.

    Truth is None where neither a ground truth file nor habitat's annotation is there. Raises
    ValueError naming the file that is missing or malformed.
    """
    folder = source.root / scene_id
    truth_file = source.truth / f'{scene_id}.txt'
    mesh = find_mesh(source.root, scene_id, plain=truth_file.is_file())
    cloud, kept = read_vertices(mesh)
    truth: GroundTruth | None = None
    if mesh.parent.name == 'habitat':
        truth = _habitat_truth(mesh, source.labels, kept)
    elif truth_file.is_file():
        truth = _file_truth(truth_file, source.labels, kept, mesh)
    if (folder / 'traj.txt').is_file():
        frames = _slam_frames(source.root, folder, every)
    else:
        frames = find_frames(folder, every, DEPTH_PER_METRE, np.eye(4))
    facts: dict[str, Any] = {
        'kind': scene_id.rstrip('0123456789'),
        'dataset': 'replica',
        'mesh': mesh.name,
        'frames_without_pose': frames.without_pose,
        'vertices_left_out': int((~kept).sum()),
    }
    return Scene(scene_id, cloud, truth, FileViews(frames.files), facts)


def find_mesh(root: Path, scene_id: str, plain: bool) -> Path:
    """Return `<scene>_mesh.ply` if `plain`, else rather habitat's; ValueError if there is none."""
    named = f'{scene_id}_mesh.ply'
    paths = [root / named, root / scene_id / named, root / scene_id / f'{scene_id}.ply']
    for name in (f'{scene_id[:-1]}_{scene_id[-1]}', scene_id):  # room0 is room_0 in Replica itself
        habitat = root / name / 'habitat' / 'mesh_semantic.ply'
        if not plain and habitat.is_file():
            return habitat
    for path in paths:
        if path.is_file():
            return path
    raise ValueError(
        f'{paths[0]}: there is no such mesh, nor {scene_id}/{named}; download it, or give the '
        'folder that holds it'
    )


def _file_truth(path: Path, labels: LabelSet, kept: NDArray[np.bool_], mesh: Path) -> GroundTruth:
    ids = read_truth(path)
    if len(ids) != len(kept):
        raise ValueError(
            f'{path}: expected a line for each of the {len(kept)} vertices of {mesh.name}, got '
            f'{len(ids)}; they are of different meshes'
        )
    try:
        return truth_from_ids(ids[kept], labels)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None


def _habitat_truth(mesh: Path, labels: LabelSet, kept: NDArray[np.bool_]) -> GroundTruth:
    """Return the objects of the 48 classes that have vertices, by what habitat's faces say."""
    classes = _object_classes(mesh.with_name('info_semantic.json'))
    objects = vertex_values(mesh, 'object_id', -1)[kept]
    found = [k for k in np.unique(objects).tolist() if classes.get(k) in labels.names]
    names = [classes[k] for k in found]
    return GroundTruth(
        point_instance=rows_of(objects, np.array(found, np.int64)),
        names=names,
        captions=tuple((name,) for name in names),
        novel=np.zeros(len(names), np.bool_),
    )


def _object_classes(path: Path) -> dict[int, str]:
    stored = read_json(path)
    try:
        return {int(entry['id']): str(entry['class_name']) for entry in stored['objects']}
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path}: expected 'objects' with 'id' and 'class_name' ({error!r})"
        ) from None


def _slam_frames(root: Path, folder: Path, every: int) -> Frames:
    """List the frames of nice-slam's layout whose number divides by `every`."""
    camera, size, depth_per_metre = _camera(root, folder)
    poses = _trajectory(folder / 'traj.txt')
    files, without_pose = [], 0
    for rgb in sorted((folder / 'results').glob('frame*.jpg')):
        digits = rgb.stem.removeprefix('frame')
        if not digits.isdecimal() or int(digits) % every:
            continue
        number = int(digits)
        if number >= len(poses):
            raise ValueError(
                f'{folder / "traj.txt"}: expected a line for {rgb.name}, got {len(poses)} lines'
            )
        if not np.isfinite(poses[number]).all():
            without_pose += 1
            continue
        entry = ViewFile(
            rgb=rgb,
            depth=rgb.with_name(rgb.stem.replace('frame', 'depth') + '.png'),
            intrinsics=camera,
            T_world_camera=poses[number].astype(np.float32),
            depth_per_metre=depth_per_metre,
            size=size,
        )
        files.append(entry.check())
    return Frames(tuple(files), without_pose)


def _trajectory(path: Path) -> NDArray[np.float64]:
    """Read camera poses [K, 4, 4], one in a line."""
    poses = []
    for number, line in enumerate(
        path.read_text(encoding='ascii', errors='replace').splitlines(), 1
    ):
        try:
            poses.append(np.array([float(word) for word in line.split()]).reshape(4, 4))
        except ValueError:
            raise ValueError(
                f"{path}: line {number}: expected 16 numbers of a pose, got '{line[:60]}'"
            ) from None
    return np.array(poses).reshape(-1, 4, 4)


def _camera(root: Path, folder: Path) -> tuple[NDArray[np.float32], tuple[int, int], float]:
    """Return intrinsics [3, 3], (W, H) and the depth counts in a metre, of cam_params.json."""
    paths = (root / 'cam_params.json', folder / 'cam_params.json')
    path = next((path for path in paths if path.is_file()), None)
    values: dict[str, Any] = dict(CAMERA)
    if path is not None:
        stored = read_json(path).get('camera')
        if not isinstance(stored, dict) or not CAMERA.keys() <= stored.keys():
            raise ValueError(f"{path}: expected 'camera' with {', '.join(CAMERA)}, got {stored}")
        values = stored
    try:
        fx, fy, cx, cy = (float(values[key]) for key in ('fx', 'fy', 'cx', 'cy'))
        size = (int(values['w']), int(values['h']))
        counts = float(values.get('scale', DEPTH_PER_METRE))
    except (TypeError, ValueError) as error:
        raise ValueError(f'{path}: expected numbers ({error})') from None
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]], np.float32), size, counts
