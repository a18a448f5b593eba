"""Ground truth of scenes from the ids and annotations of benchmarks, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.labels import LabelSet
from folk_ros.training.scenes.scene import GroundTruth, Scene

PER_LABEL = 1000  # ids are label_id * PER_LABEL + instance + 1; labels of 0 are groups


def ground_truth_ids(scene: Scene, labels: LabelSet) -> NDArray[np.int64]:
    """
    Return label_id * 1000 + instance + 1 of every point [N], 0 for what is no instance.

    This is what a benchmark's ground truth file holds, line by line (write_truth). Instances of
    names outside the label set are 0 too, as what nobody scores. Raises ValueError for a scene
    without truth or with more instances than the ids can count.
    """
    if scene.truth is None:
        raise ValueError(f'{scene.scene_id}: this scene has no ground truth')
    if len(scene.truth.names) >= PER_LABEL:
        raise ValueError(
            f'{scene.scene_id}: the ids of ground truth files count up to {PER_LABEL - 1} '
            f'instances, got {len(scene.truth.names)}'
        )
    known = dict(zip(labels.names, labels.ids, strict=True))
    for aliases, label_id in zip(labels.aliases, labels.ids):  # noqa: B905 - none or as many
        known = dict.fromkeys(aliases, label_id) | known
    names = enumerate(scene.truth.names)
    ids = [known[name] * PER_LABEL + k + 1 if name in known else 0 for k, name in names]
    return np.array([*ids, 0], np.int64)[scene.truth.point_instance]


def truth_from_ids(ids: NDArray[np.int64], labels: LabelSet) -> GroundTruth:
    """Return the truth that ids [N] speak of; ids of labels outside the set are no instances."""
    if len(ids) and ids.min() < 0:
        raise ValueError(f'expected ids from 0 on, got {ids.min()}')
    known = set(labels.instance_labels().ids)
    found = [int(value) for value in np.unique(ids) if int(value) // PER_LABEL in known]
    names = [labels.name_of(value // PER_LABEL) for value in found]
    return GroundTruth(
        point_instance=rows_of(ids, np.array(found, np.int64)),
        names=names,
        captions=tuple((name,) for name in names),
        novel=np.zeros(len(names), np.bool_),
    )


def rows_of(ids: NDArray[np.int64], found: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return where each id [N] stands in `found`, which rises; -1 where it does not."""
    if not len(found):
        return np.full(len(ids), -1, np.int32)
    rows = np.searchsorted(found, ids).clip(max=len(found) - 1)
    return np.where(found[rows] == ids, rows, -1).astype(np.int32)


def read_json(path: Path) -> dict[str, Any]:
    """Read the JSON object of an annotation; ValueError naming the file."""
    try:
        stored = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise ValueError(f'{path}: cannot be read ({error})') from None
    if not isinstance(stored, dict):
        raise ValueError(f'{path}: expected a JSON object, got {type(stored).__name__}')
    return stored
