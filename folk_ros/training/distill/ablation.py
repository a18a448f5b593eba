"""Many recipes on the same features, judged on the same scenes: a table and its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np

from folk_ros.cloud_files import replacing
from folk_ros.text_embeddings import TextEncoder
from folk_ros.training.distill.background import background
from folk_ros.training.distill.recipes import open_choices, Recipe, steps_beyond
from folk_ros.training.distill.run import (
    look_at_scenes,
    Material,
    Run,
    train_adapter,
    trial_of,
)
from folk_ros.training.distill.trial import judge_adapter, Trial

log = logging.getLogger(__name__)
COLUMNS = {
    'AP50': 'top1_ap50',
    'AP50 base': 'top1_ap50_base',
    'AP50 novel': 'top1_ap50_novel',
    'AP25': 'top1_ap25',
    'Top-K AP50': 'topk_ap50',
    'synonyms': 'synonym recall1_25',
    'functions': 'function recall1_25',
    'attributes': 'attribute recall1_25',
}  # figures of the table


@dataclass(frozen=True)
class Row:
    """A recipe and the figures of its runs, seed by seed."""

    name: str
    recipe: Recipe
    figures: Sequence[Mapping[str, float]]

    def mean(self, key: str) -> float:
        """Return the mean of a figure over the seeds."""
        return float(np.mean([run.get(key, np.nan) for run in self.figures]))

    def spread(self, key: str) -> float:
        """Return the standard deviation of a figure over the seeds, 0 for one."""
        values = [run.get(key, np.nan) for run in self.figures]
        return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def all_recipes() -> dict[str, Recipe]:
    """Return every recipe of the ablation by name."""
    return {**open_choices(), **steps_beyond()}


def ablate(
    run: Run, text: TextEncoder, out: Path, seeds: Sequence[int], only: str = ''
) -> list[Row]:
    """
    Train recipes whose name begins with `only`, with each seed, and judge them on val_* scenes.

    Writes all figures to `out` (JSON) after every recipe. Those there already, of the same files
    of student and teacher, are not run again.
    """
    material = look_at_scenes(run, text)
    vocabulary = background(material.names, text)
    trial = trial_of(run, material, vocabulary, text)
    stored, learned_from = _read(out), digest(material, trial)
    rows = []
    for name, own in all_recipes().items():
        if not name.startswith(only):
            continue
        recipe = replace(own, steps=run.recipe.steps)
        key = json.dumps(asdict(recipe) | {'files': learned_from}, sort_keys=True)
        figures = dict(stored.get(name, {}).get('seeds', {}))
        if stored.get(name, {}).get('recipe') != key:
            figures = {}
        for seed in seeds:
            if str(seed) not in figures:
                figures[str(seed)] = _try(material, recipe, text, seed, trial)
        rows.append(Row(name, recipe, [figures[str(seed)] for seed in seeds]))
        stored[name] = {'recipe': key, 'seeds': figures}
        _write(out, stored)
        log.info('%s', ' '.join(cells(rows[-1:])[1]))
    return rows


def digest(material: Material, trial: Trial) -> str:
    """Return letters that differ where scenes, features or teacher files do."""
    files = [path.stat() for scene in material.scenes for path in (scene.seen, scene.teacher)]
    ids = [scene.scene_id for scene in material.scenes]
    ids += [scene.scene_id for scene in trial.scenes]
    told = repr([ids, trial.labels.names, [(file.st_size, file.st_mtime_ns) for file in files]])
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _try(
    material: Material, recipe: Recipe, text: TextEncoder, seed: int, trial: Trial
) -> dict[str, float]:
    adapter, _ = train_adapter(material, recipe, text, seed)
    return judge_adapter(adapter, recipe.pooling, trial)


def cells(rows: Sequence[Row]) -> list[list[str]]:
    """Return the table of an ablation, header first: means over seeds, and AP50's deviation."""
    table = [['config', *COLUMNS, 'AP50 deviation']]
    for row in rows:
        values = [f'{row.mean(key):.3f}' for key in COLUMNS.values()]
        table.append([row.name, *values, f'{row.spread("top1_ap50"):.3f}'])
    return table


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    stored: dict[str, Any] = json.loads(path.read_text(encoding='utf-8'))
    return stored


def _write(out: Path, stored: Mapping[str, Any]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as file:
        file.write(json.dumps(stored, indent=1).encode())
