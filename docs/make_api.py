"""
Write docs/api.md from the docstrings: python docs/make_api.py (a test fails where it is stale).

Read from the source, so that nothing has to be installed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
import textwrap

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / 'docs' / 'api.md'
MODULES = (  # what other programs may rely on, in the order in which a reader wants it
    'pipeline',
    'structures',
    'cloud_files',
    'cloud',
    'voxels',
    'instances',
    'query',
    'text',
    'scene_files',
    'draw',
    'config',
    'student/face',
    'training/scenes/scene',
    'training/scenes/views',
)
HEAD = """# Python API

Written by `python docs/make_api.py` from the docstrings. Names that begin with an underscore, and
modules that are not here, may change at any time. Letters of shapes: `N` points, `V` voxels,
`I` instances, `Q` texts, `D` embedding, `K` views, `H W` image. Metres, radians, nanoseconds.
"""
LONGEST = 90  # signatures and values; longer ones lose their middle


def page() -> str:
    """Return the text of the page."""
    return '\n'.join([HEAD, *(line for name in MODULES for line in module_lines(name))])


def module_lines(name: str) -> Iterator[str]:
    """Describe one module: its classes and functions in the order of the file."""
    path = ROOT / 'folk_ros' / f'{name}.py'
    source = path.read_text(encoding='utf-8')
    tree = ast.parse(source)
    yield f'## folk_ros.{name.replace("/", ".")}\n'
    yield f'{said(tree)}\n'
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith('_'):
            yield from class_lines(node, source.splitlines())
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith('_'):
            yield f'**`{node.name}{signature(node)}`** {said(node, " ")}\n'


def class_lines(node: ast.ClassDef, source: list[str]) -> Iterator[str]:
    """Describe a class: its fields with what stands beside them, and its public methods."""
    bases = f'({", ".join(ast.unparse(base) for base in node.bases)})' if node.bases else ''
    yield f'### {node.name}{bases}\n'
    yield f'{said(node)}\n'
    rows = [row for item in node.body if (row := field_row(item, source))]
    if rows:
        yield '| field | type | |\n|---|---|---|'
        yield '\n'.join(rows) + '\n'
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and not item.name.startswith('_'):
            marks = {ast.unparse(mark) for mark in item.decorator_list}
            call = item.name if 'property' in marks else f'{item.name}{signature(item)}'
            yield f'- **`{call}`** {said(item, " ")}'
    yield ''


def field_row(item: ast.stmt, source: list[str]) -> str:
    """Return a row of the table of fields, '' for what is none."""
    if not isinstance(item, ast.AnnAssign) or not isinstance(item.target, ast.Name):
        return ''
    kind, value, beside = ast.unparse(item.annotation), item.value, ''
    if isinstance(value, ast.Call) and ast.unparse(value.func) == 'setting':
        default, *rest = value.args
        beside = f'{cut(ast.unparse(default))}. {ast.literal_eval(rest[0])}'
    elif isinstance(item.end_lineno, int):
        beside = source[item.end_lineno - 1].partition('  # ')[2]
        beside = beside or (f'default {cut(ast.unparse(value))}' if value else '')
    cells = f'`{item.target.id}`', f'`{kind}`', beside
    return f'| {" | ".join(cell.replace("|", chr(92) + "|") for cell in cells)} |'


def signature(node: ast.FunctionDef) -> str:
    """Return the arguments and the result of a function as they are written."""
    arguments = ast.parse(ast.unparse(node)).body[0]
    assert isinstance(arguments, ast.FunctionDef)
    own = arguments.args
    own.args = [given for given in own.args if given.arg not in ('self', 'cls')]
    result = f' -> {ast.unparse(node.returns)}' if node.returns else ''
    return cut(f'({ast.unparse(own)}){result}')


def cut(text: str) -> str:
    """Leave out the end of what is too long to read."""
    return text if len(text) <= LONGEST else f'{text[: LONGEST - 2].rstrip()} …'


def said(node: ast.Module | ast.ClassDef | ast.FunctionDef, between: str = '\n\n') -> str:
    """Return the docstring, a line a paragraph; what is indented in it is code."""
    paragraphs = (ast.get_docstring(node) or '').split('\n\n')
    return between.join(
        f'```python\n{textwrap.dedent(part)}\n```'
        if part.startswith('    ')
        else ' '.join(part.split())
        for part in paragraphs
    )


if __name__ == '__main__':
    PAGE.write_text(page().rstrip() + '\n', encoding='utf-8')
