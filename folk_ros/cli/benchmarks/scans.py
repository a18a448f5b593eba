"""Measure masks on real table scans, and beside them what a user would take instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from folk_ros.cli.output import Progress

if TYPE_CHECKING:
    from folk_ros.training.evaluate.predictions import Predictions
    from folk_ros.training.scenes.scene import Scene

WEAKEST = 0.05  # quality; a curve needs its weak end too
KEPT = ('ap50', 'ap', 'ap50_equal_scores', 'f1_75', 'recall_75_whole', 'recall_75_split')


def chosen(folder: str | None, fold: str) -> tuple[Path, int, int]:
    """Read what is asked for on the command line: the folder, N and K of K/N."""
    if not folder:
        raise ValueError('student: expected a folder of labelled scans; name it with --scans DIR')
    first, _, every = fold.partition('/')
    if not (first.isdigit() and every.isdigit() and int(first) < int(every)):
        raise ValueError(f'--fold: expected K/N with K from 0 to N - 1, got {fold!r}')
    return Path(folder), int(every), int(first)


def run(model: str, folder: Path, every: int = 1, held_out: int = 0) -> dict[str, float]:
    """
    Score a student and its rivals on a folder of labelled scans of the OSD (.pcd).

    With `every` > 1 only each Nth scan counts, beginning with number `held_out`: what a
    student of cross-validation has not seen. Times are CPU seconds of one thread.
    """
    from folk_ros.config import SegmentConfig
    from folk_ros.training.evaluate.table_scans import score_table_scans, TableScan
    from folk_ros.training.scenes.datasets.osd import osd_files, read_osd

    files = osd_files(folder)[held_out::every]
    methods = {
        'student': student_method(model),
        'clusters': clusters_method(),
        'convexity': convexity_method(),
    }
    found: dict[str, list[TableScan]] = {name: [] for name in methods}
    seconds = dict.fromkeys(methods, 0.0)
    progress = Progress('scans', len(files))
    for path in files:
        scene, parts = read_osd(path), seen_parts(read_osd(path), read_osd(path, parts=True))
        assert scene.truth is not None
        for name, method in methods.items():
            start = time.process_time()
            predictions = method(scene)
            seconds[name] += time.process_time() - start
            scan = TableScan(path.stem, predictions, scene.truth.point_instance, parts)
            found[name].append(scan)
        progress.step()
    figures: dict[str, float] = {}
    for name, scans in found.items():
        scores = score_table_scans(scans, SegmentConfig().min_quality)
        figures |= {f'scans_{name}_{key}': scores[key] for key in KEPT}
        figures[f'scans_{name}_s'] = seconds[name] / len(files)
    return figures


def seen_parts(whole: Scene, split: Scene) -> NDArray[np.int64]:
    """Return in how many pieces each object is seen, from both ways of labelling a scan."""
    assert whole.truth is not None and split.truth is not None
    pairs = np.stack([whole.truth.point_instance, split.truth.point_instance], 1)
    owners = np.unique(pairs[pairs[:, 0] >= 0], axis=0)[:, 0]
    return np.bincount(owners, minlength=len(whole.truth.names)).astype(np.int64)


def student_method(model: str) -> Callable[[Scene], Predictions]:
    """Return what segments a scan with a student, scored by its own qualities."""
    import torch

    from folk_ros.config import SegmentConfig
    from folk_ros.instances import expand_masks
    from folk_ros.resources import model_folder
    from folk_ros.student.weights import load_masks, STUDENT_FILE
    from folk_ros.training.evaluate.table_scans import as_predictions
    from folk_ros.voxels import voxelize

    torch.set_num_threads(1)
    student = load_masks(model_folder(model) / STUDENT_FILE).eval()

    def segment(scene: Scene) -> Predictions:
        voxels = voxelize(scene.cloud, student.config.voxel_size_m)
        found = student.predict(voxels, WEAKEST, SegmentConfig().nms_iou)
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
