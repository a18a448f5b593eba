"""Run a student over scenes and keep what it predicts, for `folk evaluate`."""

from __future__ import annotations

import argparse
from pathlib import Path
import time
from typing import Any, TYPE_CHECKING

from folk_ros.cli.output import Progress

if TYPE_CHECKING:
    from folk_ros.pipeline import Folk
    from folk_ros.training.labels import LabelSet

WEAKEST = 0.05  # quality; a curve needs its weak end too


def predict(args: argparse.Namespace) -> tuple[LabelSet, dict[str, Any]]:
    """
    Write `<args.out>/<scene>.npz` for the scenes of a split.

    Returns the labels scored and facts for the report. Without --format the labels are the words
    the student knows and the names that stand in the scenes.
    """
    from folk_ros.config import FolkConfig, SegmentConfig
    from folk_ros.pipeline import Folk
    from folk_ros.training.evaluate.labelling import label_instances
    from folk_ros.training.evaluate.predictions import save_predictions
    from folk_ros.training.scenes.scene import load_scene
    from folk_ros.training.scenes.splits import split_folders

    folders = split_folders(args.rooms, args.split)
    folk = Folk.load(args.model, FolkConfig(segment=SegmentConfig(min_quality=WEAKEST)))
    labels = _labels(args.format, folk, folders)
    if args.format:
        texts = folk.embed_texts(list(labels.sentences()))
    else:
        texts = folk.embed_texts(list(labels.names))
    progress, seconds = Progress('scenes segmented', len(folders)), []
    for folder in folders:
        scene = load_scene(folder)
        start = time.perf_counter()
        found = folk.segment(scene.cloud)
        seconds.append(time.perf_counter() - start)
        folk.reset()  # scenes are strangers to each other
        pairs = 1 if args.pairs is None else args.pairs or len(found) * len(labels)
        predictions = label_instances(found, texts, labels, folk.vocabulary.scale, pairs)
        save_predictions(args.out / f'{folder.name}.npz', predictions)
        progress.step()
    return labels, {'seconds_per_scene_median': sorted(seconds)[len(seconds) // 2]}


def _labels(name: str, folk: Folk, folders: list[Path]) -> LabelSet:
    from folk_ros.training.labels import LabelSet, load_labels
    from folk_ros.training.scenes.scene import load_scene

    if name:
        return load_labels(name).instance_labels()
    names = set(folk.vocabulary.labels)
    for folder in folders:
        truth = load_scene(folder).truth
        names |= set(truth.names) if truth is not None else set()
    return LabelSet.from_names(sorted(names))
