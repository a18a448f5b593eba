"""Parts of a report in Markdown that also reads well in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
import math
import textwrap

WIDTH = 96  # characters of a line of prose
NONE = '-'  # stands where there is no number
ESCAPED = str.maketrans({'\\': '\\\\', '|': '\\|', '*': '\\*', '`': '\\`', '<': '&lt;'})


def escape(text: str) -> str:
    """Make a text stand in a line or in a cell as it is."""
    return ' '.join(text.split()).translate(ESCAPED)


def number(value: float | None, digits: int = 3) -> str:
    """Write a figure; '-' for none and NaN."""
    if value is None or math.isnan(value):
        return NONE
    return str(value) if isinstance(value, int) else f'{value:.{digits}f}'


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out cells; columns of numbers stand to the right. Cells are escaped here."""
    cells = [[escape(cell) for cell in row] for row in (header, *rows)]
    columns = list(zip(*cells, strict=True))
    widths = [max(3, *map(len, column)) for column in columns]
    right = [all(_is_number(cell) for cell in column[1:]) for column in columns]
    rule = ['-' * (w - 1) + (':' if r else '-') for w, r in zip(widths, right, strict=True)]
    lines = [
        ' | '.join(
            cell.rjust(width) if align else cell.ljust(width)
            for cell, width, align in zip(row, widths, right, strict=True)
        )
        for row in (cells[0], rule, *cells[1:])
    ]
    return '\n'.join(f'| {line} |' for line in lines)


def paragraph(text: str) -> str:
    """Break a text into lines."""
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def bullets(items: Sequence[str], most: int) -> str:
    """List some items, each escaped, and say how many more there are."""
    shown = [_bullet(escape(item)) for item in items[:most]]
    if len(items) > most:
        shown.append(f'- and {len(items) - most} more')
    return '\n'.join(shown)


def definitions(pairs: Sequence[tuple[str, str]]) -> str:
    """List what words stand for."""
    return '\n'.join(_bullet(f'**{escape(word)}**: {escape(text)}') for word, text in pairs)


def _bullet(text: str) -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent='- ', subsequent_indent='  ', break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def _is_number(cell: str) -> bool:
    return cell == NONE or (bool(cell) and all(char in '0123456789.-' for char in cell))
