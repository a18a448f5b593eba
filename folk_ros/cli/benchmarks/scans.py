"""Measure masks on real table scans, and beside them what a user would take instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from folk_ros.cli.output import Progress, table

if TYPE_CHECKING:
    from folk_ros.training.evaluate.predictions import Predictions
    from folk_ros.training.evaluate.table_scans import TableScan
    from folk_ros.training.scenes.scene import Scene

WEAKEST = 0.05  # quality; a curve needs its weak end too
COLUMNS = {
    'ap50': 'AP50',
    'ap50_equal_scores': 'at 1.0',
    'ap': 'AP[.5:.95]',
    'ap_equal_scores': 'at 1.0',
    'f1_75': 'F1@.75',
    'recall_75_whole': 'recall@.75 whole',
    'recall_75_split': 'split',
}


@dataclass(frozen=True)
class Trial:
    """Which students are scored on which scans of a folder."""

    folder: Path
    models: tuple[str, ...] = ('',)
    """One student, or those of cross-validation: number K has not seen each Nth scan from K on."""
    every: int = 1
    """With one student: only each so manieth scan counts ..."""
    held_out: int = 0
    """... from this one on."""

    def model_of(self, number: int) -> str | None:
        """Return who segments a scan, by its number; None where nobody does."""
        if len(self.models) > 1:
            return self.models[number % len(self.models)]
        return self.models[0] if number % self.every == self.held_out else None


def chosen(folder: str | None, fold: str, models: Sequence[str] = ('',)) -> Trial:
    """Read what is asked for on the command line: the folder, K/N, and the students."""
    if not folder:
        raise ValueError('student: expected a folder of labelled scans; name it with --scans DIR')
    first, _, every = fold.partition('/')
    if not (first.isdigit() and every.isdigit() and int(first) < int(every)):
        raise ValueError(f'--fold: expected K/N with K from 0 to N - 1, got {fold!r}')
    if len(models) > 1 and int(every) > 1:
        raise ValueError('--fold is for one student; those of --folds say themselves which scans')
    return Trial(Path(folder), tuple(models), int(every), int(first))


def run(trial: Trial) -> dict[str, float]:
    """
    Score students and their rivals on labelled scans of the OSD (.pcd), and print a table.

    Times are CPU seconds of one thread.
    """
    from folk_ros.config import SegmentConfig
    from folk_ros.training.evaluate.table_scans import score_table_scans

    found, seconds = find_all(trial)
    figures: dict[str, float] = {}
    for name, scans in found.items():
        scores = score_table_scans(scans, SegmentConfig().min_quality)
        figures |= {f'scans_{name}_{key}': scores[key] for key in COLUMNS}
        figures[f'scans_{name}_s'] = seconds[name] / len(scans)
    print(side_by_side(figures, list(found)))
    return figures


def find_all(trial: Trial) -> tuple[dict[str, list[TableScan]], dict[str, float]]:
    """Let every method segment its scans; returns them and the seconds by method."""
    from folk_ros.training.evaluate.table_scans import TableScan
    from folk_ros.training.scenes.datasets.osd import osd_files, read_osd

    files = [
        (path, model)
        for number, path in enumerate(osd_files(trial.folder))
        if (model := trial.model_of(number)) is not None
    ]
    students = {model: student_method(model) for _, model in files}
    rivals = {'clusters': clusters_method(), 'convexity': convexity_method()}
    found: dict[str, list[TableScan]] = {name: [] for name in ('student', *rivals)}
    seconds = dict.fromkeys(found, 0.0)
    progress = Progress('scans', len(files))
    for path, model in files:
        scene, parts = read_osd(path), seen_parts(read_osd(path), read_osd(path, parts=True))
        assert scene.truth is not None
        for name, method in {'student': students[model], **rivals}.items():
            start = time.process_time()
            predictions = method(scene)
            seconds[name] += time.process_time() - start
            found[name].append(
                TableScan(path.stem, predictions, scene.truth.point_instance, parts)
            )
        progress.step()
    return found, seconds


def side_by_side(figures: dict[str, float], names: Sequence[str]) -> str:
    """Lay the methods out below each other; 'at 1.0' is the score when all masks have the same."""
    rows = [
        (
            name,
            *(f'{figures[f"scans_{name}_{key}"]:.3f}' for key in COLUMNS),
            f'{figures[f"scans_{name}_s"]:.2f}',
        )
        for name in names
    ]
    return table(('method', *COLUMNS.values(), 's a scan'), rows)


def seen_parts(whole: Scene, split: Scene) -> NDArray[np.int64]:
    """Return in how many pieces each object is seen, from both ways of labelling a scan."""
    assert whole.truth is not None and split.truth is not None
    pairs = np.stack([whole.truth.point_instance, split.truth.point_instance], 1)
    owners = np.unique(pairs[pairs[:, 0] >= 0], axis=0)[:, 0]
    return np.bincount(owners, minlength=len(whole.truth.names)).astype(np.int64)


def student_method(model: str) -> Callable[[Scene], Predictions]:
    """
    Return what segments a scan with a student, scored by its own qualities.

    `model` names a shipped one, its folder, or the folder of a mask training.
    """
    import torch

    from folk_ros.instances import expand_masks
    from folk_ros.resources import model_folder
    from folk_ros.training.evaluate.table_scans import as_predictions
    from folk_ros.training.masks.trained import load_trained
    from folk_ros.voxels import voxelize

    torch.set_num_threads(1)
    student = load_trained(model_folder(model)).eval()

    def segment(scene: Scene) -> Predictions:
        voxels = voxelize(scene.cloud, student.config.voxel_size_m)
        found = student.predict(voxels, WEAKEST, student.nms_iou)
        masks = expand_masks(found.owner.numpy(), found.rows.numpy(), len(found.quality), voxels)
        return as_predictions(*masks, found.quality.numpy(), len(scene.cloud))

    return segment


def clusters_method() -> Callable[[Scene], Predictions]:
    """Return what takes the table away and calls what hangs together an object."""
    from folk_ros.training.evaluate.rivals.clusters import euclidean_clusters
    from folk_ros.training.evaluate.table_scans import as_masks

    return lambda scene: as_masks(euclidean_clusters(scene.cloud.xyz))


def convexity_method() -> Callable[[Scene], Predictions]:
    """Return what joins patches of surface where they meet in a convex way."""
    from folk_ros.training.evaluate.rivals.convexity import convex_segments
    from folk_ros.training.evaluate.table_scans import as_masks

    return lambda scene: as_masks(
        convex_segments(scene.cloud.xyz, scene.views[0].T_world_camera[:3, 3])
    )
