"""The objects of a scan of ScanNet: groups of segments, and the segment of each vertex."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.scenes.ground_truth import read_json


@dataclass(frozen=True)
class Objects:
    """The annotated objects of a scan, in the order of the file."""

    vertex_object: NDArray[np.int32]  # [M] -1 where a vertex belongs to no object
    categories: tuple[str, ...]  # [I] raw category of each object


def read_objects(folder: Path, scene_id: str, num_vertices: int) -> Objects | None:
    """
    Read the annotation of a scan's decimated mesh; None where the folder has none at all.

    A vertex of several objects belongs to the last. Raises ValueError naming the file.
    """
    segs = folder / f'{scene_id}_vh_clean_2.0.010000.segs.json'
    aggregation = _aggregation(folder, scene_id, segs)
    if aggregation is None and not segs.is_file():
        return None
    if aggregation is None:
        raise ValueError(
            f'{folder / scene_id}.aggregation.json: is missing beside {segs.name}; download it'
        )
    groups = _groups(aggregation)
    segment = _segments(segs, num_vertices)
    _check_same_mesh(groups, segment, aggregation, segs)
    numbers, inverse = np.unique(segment, return_inverse=True)
    owner = np.full(len(numbers), -1, np.int32)
    for row, (_, segments) in enumerate(groups):
        owner[np.isin(numbers, segments)] = row
    return Objects(owner[inverse.reshape(-1)], tuple(category for category, _ in groups))


def _aggregation(folder: Path, scene_id: str, segs: Path) -> Path | None:
    """Return the annotation of the decimated mesh; the other file is often of the full one."""
    path = folder / f'{scene_id}.aggregation.json'
    if path.is_file():
        return path
    other = folder / f'{scene_id}_vh_clean.aggregation.json'
    if not other.is_file():
        return None
    named = str(read_json(other).get('segmentsFile', ''))
    if named and not named.endswith(segs.name):
        raise ValueError(
            f'{other}: speaks of the segments of {named}, the benchmark is scored on those of '
            f'{segs.name}; download {path.name}'
        )
    return other


def _groups(path: Path) -> list[tuple[str, NDArray[np.int64]]]:
    """Return raw category and segments of each object."""
    stored = read_json(path)
    try:
        return [
            (str(group['label']), np.array(group['segments'], np.int64))
            for group in stored['segGroups']
        ]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"{path}: expected 'segGroups' with 'label' and 'segments' ({error!r})"
        ) from None


def _segments(path: Path, num_vertices: int) -> NDArray[np.int64]:
    stored = read_json(path)
    try:
        segment = np.array(stored['segIndices'], np.int64)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{path}: expected whole numbers in 'segIndices' ({error!r})") from None
    if segment.shape != (num_vertices,):
        raise ValueError(
            f'{path}: expected a segment for each of {num_vertices} vertices, got '
            f'{list(segment.shape)}; mesh and segments are of different downloads'
        )
    return segment


def _check_same_mesh(
    groups: list[tuple[str, NDArray[np.int64]]],
    segment: NDArray[np.int64],
    aggregation: Path,
    segs: Path,
) -> None:
    """Segments of another mesh have other numbers: most would not be found."""
    named = np.unique(np.concatenate([np.zeros(0, np.int64), *(s for _, s in groups)]))
    found = int(np.isin(named, segment).sum())
    if found * 2 < len(named):
        raise ValueError(
            f'{aggregation}: only {found} of its {len(named)} segments are in {segs.name}; it is '
            'the annotation of another mesh'
        )
