"""
Write README's rows about the shipped student: python docs/readme_rows.py.

They are read from the row SHIPPED of docs/results.json, which `folk evaluate --results` writes; a
test fails where they are stale.
"""

from __future__ import annotations

from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / 'README.md'
RESULTS = ROOT / 'docs' / 'results.json'
SHIPPED = 'our best student'
KINDS = ('name', 'synonym', 'function', 'attribute')


def rows() -> Iterator[tuple[str, str]]:
    """Yield the first cell of each row and its figure; what was not measured is left out."""
    result = json.loads(RESULTS.read_text(encoding='utf-8'))['results'][SHIPPED]
    top1, words = result['top1'], result['words']
    yield from _masks(top1)
    yield (
        'named instances there, among 198 names, Top-1',
        f'AP50 {top1["ap50"]:.2f} (base {top1["ap50_base"]:.2f}, novel {top1["ap50_novel"]:.2f})',
    )
    best = ', '.join(f'{100 * words[kind]["recall1_25"]:.0f}' for kind in KINDS)
    here, everywhere = (
        100 * words[f'absent {where}']['wrongly_answered'] for where in ('here', 'everywhere')
    )
    yield (
        'free words there, best answer right: names, synonyms, functions, looks',
        f'{best} %; absent things answered {here:.0f} %, those in no room {everywhere:.0f} %',
    )


def _masks(top1: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if 'class_agnostic_ap50' in top1:
        ap50, ap25 = top1['class_agnostic_ap50'], top1['class_agnostic_ap25']
        yield (
            'masks in 30 rooms never trained on, class-agnostic',
            f'AP50 {ap50:.2f}, AP25 {ap25:.2f}',
        )
        right = 100 * top1['named_right_of_found']
        yield 'found objects with the right best name there', f'{right:.0f} %'


def updated(readme: str) -> str:
    """Return the README with the figures of these rows; ValueError if it lacks one."""
    for cell, figure in rows():
        readme, count = re.subn(
            rf'^\| {re.escape(cell)} \| [^|]* \|', f'| {cell} | {figure} |', readme, flags=re.M
        )
        if count != 1:
            raise ValueError(f'README.md: expected one row "{cell}", found {count}')
    return readme


if __name__ == '__main__':
    README.write_text(updated(README.read_text(encoding='utf-8')), encoding='utf-8')
