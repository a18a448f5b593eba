"""
Read scans of ScanNet with the 200 labels of its benchmark.

Files of `<root>/scans/<scene>/` (or `scans_test/`, without annotation), as downloaded:
`<scene>_vh_clean_2.ply` (the mesh whose vertices the benchmark scores),
`<scene>_vh_clean_2.0.010000.segs.json` (segment of each vertex), `<scene>.aggregation.json`
(segments of each object and its raw category; `<scene>_vh_clean.aggregation.json` only where it
speaks of the same segments) and `<scene>.txt` (axisAlignment). `scannetv2-labels.combined.tsv`
maps raw categories to label ids. Frames as its reader exports them (see exported_frames.py), in
the folder of the scan or in `<frames>/<scene>/`; depth counts millimetres.

Cloud and camera poses are turned by axisAlignment, so that z is up and walls follow the axes: the
student's boxes and words stand upright. Vertices keep their order and number, by which alone the
benchmark compares. As there, a vertex of several objects belongs to the last one in the file;
objects of other categories, walls and floors are no instances.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from folk_ros.resources import find_file
from folk_ros.structures import PointCloud
from folk_ros.training.labels import LabelSet, load_labels
from folk_ros.training.scenes.datasets.exported_frames import find_frames
from folk_ros.training.scenes.datasets.mesh import read_vertices
from folk_ros.training.scenes.datasets.scannet_annotation import read_objects
from folk_ros.training.scenes.ground_truth import rows_of
from folk_ros.training.scenes.scene import GroundTruth, Scene
from folk_ros.training.scenes.view_files import FileViews

LABEL_MAP = 'scannetv2-labels.combined.tsv'
SPLITS = ('train', 'val', 'test')
DEPTH_PER_METRE = 1000.0
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScanNet:
    """A copy of the dataset: where it lies and what its raw categories are called."""

    root: Path
    category_ids: dict[str, int]  # raw category to label id
    countable: LabelSet  # the labels that are instances
    frames: Path | None = None  # folder of exported frames, where they lie elsewhere


def open_scannet(
    root: Path | str, frames: Path | str | None = None, label_map: Path | str | None = None
) -> ScanNet:
    """Find the label map (in the root or its scans/ unless given); ValueError if it is lost."""
    root = Path(root)
    places = [root / LABEL_MAP, root / 'scans' / LABEL_MAP, root.parent / LABEL_MAP]
    path = Path(label_map) if label_map else next((p for p in places if p.is_file()), places[0])
    countable = load_labels('scannet200').instance_labels()
    return ScanNet(root, read_label_map(path), countable, Path(frames) if frames else None)


def split_scenes(split: str) -> list[str]:
    """Return the official scenes of a split: train (1201), val (312) or test (100)."""
    if split not in SPLITS:
        raise ValueError(f"there is no split '{split}'; there are {', '.join(SPLITS)}")
    return read_list(find_file(f'resource/splits/scannetv2_{split}.txt'))


def read_list(path: Path | str) -> list[str]:
    """Read a list of scenes, one id a line; ValueError if there is none."""
    try:
        lines = Path(path).read_text(encoding='utf-8').split()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f'{path}: cannot be read ({error})') from None
    if not lines:
        raise ValueError(f'{path}: expected one scene id a line, found none')
    odd = [line for line in lines if Path(line).name != line]
    if odd:
        raise ValueError(f"{path}: expected plain scene ids, got '{odd[0]}'")
    return list(dict.fromkeys(lines))


def read_label_map(path: Path) -> dict[str, int]:
    """Read the id of each raw category; as in the benchmark the first line of a category wins."""
    ids: dict[str, int] = {}
    try:
        with path.open(encoding='utf-8', newline='') as file:
            rows = csv.DictReader(file, delimiter='\t', quoting=csv.QUOTE_NONE)
            missing = {'id', 'raw_category'} - set(rows.fieldnames or ())
            if missing:
                raise ValueError(f'columns are missing: {sorted(missing)}')
            for row in rows:
                ids.setdefault(row['raw_category'], _label_id(row['id'], rows.line_num))
    except (OSError, csv.Error, ValueError) as error:
        raise ValueError(f'{path}: cannot be read as the label map of ScanNet ({error})') from None
    return ids


def _label_id(text: str, line: int) -> int:
    try:
        return int(text)
    except (TypeError, ValueError):
        raise ValueError(f"line {line}: expected a whole number as id, got '{text}'") from None


def read_scan(source: ScanNet, scene_id: str, every: int = 10) -> Scene:
    """
    Read one scan; images stay in their files, every `every`-th of them.

    Truth is None where the scan has no annotation and is of no annotated split. Facts count the
    frames without a pose and the raw categories that the label map lacks. Raises ValueError
    naming the file that is missing or malformed.
    """
    folder = _scan_folder(source.root, scene_id)
    about = read_info(folder / f'{scene_id}.txt')
    T_world_scan = alignment(about, folder / f'{scene_id}.txt')
    cloud, kept = read_vertices(folder / f'{scene_id}_vh_clean_2.ply')
    if not kept.all():
        log.warning('%s: %d vertices are not finite and are left out', folder, (~kept).sum())
    truth, unknown = _read_truth(source, folder, kept)
    frames = find_frames(
        source.frames / scene_id if source.frames else folder,
        every,
        DEPTH_PER_METRE,
        T_world_scan,
        _depth_size(about),
    )
    facts = {
        'kind': about.get('sceneType', ''),
        'dataset': 'scannet200',
        'T_world_scan': T_world_scan.tolist(),
        'frames_without_pose': frames.without_pose,
        'unknown_categories': unknown,
        'vertices_left_out': int((~kept).sum()),
    }
    moved = cloud.xyz.astype(np.float64) @ T_world_scan[:3, :3].T + T_world_scan[:3, 3]
    cloud = PointCloud(moved.astype(np.float32), cloud.rgb, 'world')
    return Scene(scene_id, cloud, truth, FileViews(frames.files), facts)


def _read_truth(
    source: ScanNet, folder: Path, kept: NDArray[np.bool_]
) -> tuple[GroundTruth | None, int]:
    """Return the truth of the kept vertices, and how many objects are of no known category."""
    scene_id = folder.name
    objects = read_objects(folder, scene_id, len(kept))
    if objects is None:
        if scene_id in {*split_scenes('train'), *split_scenes('val')}:
            raise ValueError(
                f'{folder}: the annotation of this scan is missing: {scene_id}.aggregation.json '
                f'and {scene_id}_vh_clean_2.0.010000.segs.json; download them'
            )
        return None, 0
    of_point = objects.vertex_object[kept]
    known = dict(zip(source.countable.ids, source.countable.names, strict=True))
    ids = [source.category_ids.get(category, 0) for category in objects.categories]
    seen = set(np.unique(of_point).tolist())
    rows = [row for row, label_id in enumerate(ids) if label_id in known and row in seen]
    names = [known[ids[row]] for row in rows]
    truth = GroundTruth(
        point_instance=rows_of(of_point.astype(np.int64), np.array(rows, np.int64)),
        names=names,
        captions=tuple(
            tuple(dict.fromkeys((name, objects.categories[row])))
            for name, row in zip(names, rows, strict=True)
        ),
        novel=np.zeros(len(rows), np.bool_),
    )
    return truth, sum(category not in source.category_ids for category in objects.categories)


def _scan_folder(root: Path, scene_id: str) -> Path:
    places = [root / part / scene_id for part in ('scans', 'scans_test', '')]
    for place in places:
        if place.is_dir():
            return place
    raise ValueError(f'{places[0]}: there is no such scan (nor in scans_test/); download it')


def read_info(path: Path) -> dict[str, str]:
    """Read the lines `key = value` of a scan's text file."""
    try:
        lines = path.read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f'{path}: cannot be read ({error})') from None
    pairs = (line.partition('=') for line in lines if '=' in line)
    return {key.strip(): value.strip() for key, _, value in pairs}


def alignment(about: dict[str, str], path: Path) -> NDArray[np.float64]:
    """Return axisAlignment [4, 4]: scan to world. Identity where the scan has none, as in test."""
    if 'axisAlignment' not in about:
        return np.eye(4)
    try:
        matrix = np.array([float(v) for v in about['axisAlignment'].split()]).reshape(4, 4)
    except ValueError:
        matrix = np.full((4, 4), np.nan)
    turn = matrix[:3, :3]
    if not (np.isfinite(matrix).all() and np.allclose(turn @ turn.T, np.eye(3), atol=1e-3)):
        raise ValueError(
            f'{path}: axisAlignment: expected 16 numbers of a rigid motion, got '
            f"'{about['axisAlignment'][:80]}'"
        )
    return matrix


def _depth_size(about: dict[str, str]) -> tuple[int, int] | None:
    values = [about.get(key, '') for key in ('depthWidth', 'depthHeight')]
    return (int(values[0]), int(values[1])) if all(v.isdecimal() for v in values) else None
