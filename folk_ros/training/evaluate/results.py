"""
The results table: every figure with the command, config, seed and commit that it came from.

Rows are kept in a JSON file beside the Markdown, which is written from it and never by hand. A
new measurement replaces the row of its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from folk_ros.cloud_files import replacing
from folk_ros.training.evaluate.markdown import bullets, number, paragraph, table
from folk_ros.training.evaluate.retrieval import ABSENT

NAMES = (('AP', 'ap'), ('AP50', 'ap50'), ('AP25', 'ap25'))
WORDS = {
    'name': 'names',
    'synonym': 'synonyms',
    'function': 'functions',
    'attribute': 'attributes',
}


@dataclass(frozen=True)
class Origin:
    """Where figures come from."""

    command: str
    config: str = ''
    seed: str = ''
    commit: str = ''
    date: str = ''
    machine: str = ''


@dataclass(frozen=True)
class Result:
    """One way to name instances, measured on scenes never seen."""

    name: str
    scenes: str  # how many of which folder
    top1: Mapping[str, float]  # ap, ap50, ap25, and each with _base and _novel
    topk: Mapping[str, float]
    words: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # by kind of question
    min_score: float = 0.0  # from which questions were answered
    seconds: float = float('nan')  # of one core, for one scene, median
    origin: Origin = Origin('')


def by_novelty(
    classes: Mapping[str, Mapping[str, float]], novel: frozenset[str]
) -> dict[str, Any]:
    """Return AP, AP50 and AP25 over all labels with truth, over base and over novel ones."""
    figures: dict[str, Any] = {}
    for _, key in NAMES:
        told = {name: own[key] for name, own in classes.items() if np.isfinite(own[key])}
        parts = {
            '': list(told.values()),
            '_base': [value for name, value in told.items() if name not in novel],
            '_novel': [value for name, value in told.items() if name in novel],
        }
        figures |= {
            key + part: float(np.mean(values)) if values else float('nan')
            for part, values in parts.items()
        }
    return figures


def add_result(path: Path, result: Result) -> None:
    """Put a result into the file beside `path` and write the Markdown `path` anew."""
    stored = read_results(path)
    stored['results'][result.name] = _plain(asdict(result))
    write_results(path, stored)


def _plain(value: Any) -> Any:
    """Return a value in which NaN, which JSON does not know, is None."""
    if isinstance(value, dict):
        return {key: _plain(own) for key, own in value.items()}
    return None if isinstance(value, float) and np.isnan(value) else value


def add_ablation(path: Path, name: str, rows: Sequence[Sequence[str]], origin: Origin) -> None:
    """Put the table of an ablation, header first, into the file, and write the Markdown anew."""
    stored = read_results(path)
    stored['ablations'][name] = {'rows': [list(row) for row in rows], 'origin': asdict(origin)}
    write_results(path, stored)


def read_results(path: Path) -> dict[str, Any]:
    """Read what was measured before; ValueError if the file is damaged."""
    beside = path.with_suffix('.json')
    if not beside.is_file():
        return {'results': {}, 'ablations': {}}
    try:
        stored: dict[str, Any] = json.loads(beside.read_text(encoding='utf-8'))
        return {key: dict(stored[key]) for key in ('results', 'ablations')}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f'{beside}: no readable results ({error}); remove it') from None


def write_results(path: Path, stored: Mapping[str, Any]) -> None:
    """Write both files, each at once or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix('.json')
    temporary = beside.with_name(f'.{beside.name}.{os.getpid()}.part')
    temporary.write_text(json.dumps(stored, indent=1) + '\n', encoding='utf-8')
    os.replace(temporary, beside)
    with replacing(path) as file:
        file.write(compose(stored).encode())


def compose(stored: Mapping[str, Any]) -> str:
    """Return the Markdown of all results."""
    results = [
        Result(**{**r, 'origin': Origin(**r['origin'])}) for r in stored['results'].values()
    ]
    parts = [
        '# Results',
        paragraph(
            'Written by `folk evaluate --results`, `folk teach --ablate` and `folk distill '
            '--ablate`, never by hand. Scenes are ones that nothing was trained on. Novel '
            "categories never stand in labelled training scenes. AP is the ScanNet benchmark's, "
            "over the names that occur; every row chooses among ScanNet200's 198. Top-1 gives "
            'each mask its best name, Top-K the best 600 pairs of a scene. Seconds are those of '
            'one processor core, medians, finding masks included; on true masks they are of '
            'naming alone. The demo CLIP learned from regions pooled by mask, so crops, which '
            'show more than the object, suit it less than they would suit a web CLIP.'
        ),
    ]
    if results:
        parts += ['## Names', _names(results), '## Free words', _about_words(), _words(results)]
    for name, ablation in stored['ablations'].items():
        header, *rows = ablation['rows']
        parts += [f'## Ablation: {name}', table(header, rows), _told(Origin(**ablation['origin']))]
    if results:
        parts += ['## Where each figure comes from']
        parts += [f'**{r.name}** ({r.scenes})\n{_told(r.origin)}' for r in results]
    return '\n\n'.join(parts) + '\n'


def _names(results: Sequence[Result]) -> str:
    header = ['', *(f'Top-1 {n}' for n, _ in NAMES), 'AP50 base', 'AP50 novel']
    header += [f'Top-K {n}' for n, _ in NAMES] + ['core s a scene']
    rows = [
        [
            r.name,
            *(number(_value(r.top1, key)) for _, key in NAMES),
            number(_value(r.top1, 'ap50_base')),
            number(_value(r.top1, 'ap50_novel')),
            *(number(_value(r.topk, key)) for _, key in NAMES),
            number(r.seconds, 2),
        ]
        for r in results
    ]
    return table(header, rows)


def _about_words() -> str:
    return paragraph(
        'A word, none of which was taught, is asked of every scene; recall@1: the best answer is '
        'an object that the word is true of, with IoU over 0.25; answered: and its probability '
        'reaches min_score. Of words that nothing in a scene answers, the share answered all the '
        'same: "here" stands elsewhere in these scenes, "anywhere" stands in none.'
    )


def _words(results: Sequence[Result]) -> str:
    told = [r for r in results if r.words]
    header = [''] + [
        f'{name} {what}' for name in WORDS.values() for what in ('recall@1', 'mAP', 'answered')
    ]
    header += ['absent here', 'absent anywhere', 'min_score']
    rows = []
    for r in told:
        cells = [r.name]
        for kind in WORDS:
            own = r.words.get(kind, {})
            keys = ('recall1_25', 'map_25', 'answered_25')
            cells += [number(_value(own, key), 2) for key in keys]
        cells += [number(_value(r.words.get(k, {}), 'wrongly_answered'), 3) for k in ABSENT]
        rows.append([*cells, number(r.min_score, 2)])
    return table(header, rows)


def _value(figures: Mapping[str, Any], key: str) -> float:
    value = figures.get(key)
    return float('nan') if value is None else float(value)


def _told(origin: Origin) -> str:
    facts = {k: v for k, v in asdict(origin).items() if v and k != 'command'}
    return bullets(
        [f'command: {origin.command}', *(f'{key}: {value}' for key, value in facts.items())], 9
    )
