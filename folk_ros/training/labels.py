"""Sets of labels that scenes are annotated with and predictions are scored on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from folk_ros.resources import find_file

GROUPS = ('head', 'common', 'tail', '')  # by frequency; '' where the benchmark has no groups
KEYS = {'id', 'name', 'group', 'aliases'}


@dataclass(frozen=True)
class LabelSet:
    """
    The labels of a benchmark or of our own words, in the benchmark's order.

    One entry per label in each tuple; `aliases` may be empty where no label has any.
    """

    name: str
    ids: tuple[int, ...]  # as in ground truth files: label_id * 1000 + instance + 1
    names: tuple[str, ...]
    groups: tuple[str, ...]  # one of GROUPS
    countable: tuple[bool, ...]  # False for what is no instance: wall, floor
    prompt: str = '{}'  # the sentence the benchmark asks a text tower with
    aliases: tuple[tuple[str, ...], ...] = ()  # other spellings of the names

    def __post_init__(self) -> None:
        count = len(self.ids)
        parts = {'names': self.names, 'groups': self.groups, 'countable': self.countable}
        parts |= {'aliases': self.aliases} if self.aliases else {}
        for part, values in parts.items():
            if len(values) != count:
                raise ValueError(f'{self.name}.{part}: expected [{count}], got [{len(values)}]')
        for part, values in (('ids', self.ids), ('names', self.names)):
            doubled = sorted({str(value) for value in values if values.count(value) > 1})
            if doubled:
                raise ValueError(f'{self.name}.{part}: {doubled} stand there more than once')
        if min(self.ids, default=1) < 1:
            raise ValueError(f'{self.name}.ids: expected 1 or more, got {min(self.ids)}')
        if not set(self.groups) <= set(GROUPS):
            unknown = sorted(set(self.groups) - set(GROUPS))
            raise ValueError(f'{self.name}.groups: expected some of {GROUPS}, got {unknown}')
        if self.prompt.count('{}') != 1:
            raise ValueError(f"{self.name}.prompt: expected one {{}}, got '{self.prompt}'")

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def from_names(cls, names: Sequence[str], name: str = 'words') -> LabelSet:
        """Make a set of our own words, all countable, with the ids 1 to L."""
        count = len(names)
        return cls(name, tuple(range(1, count + 1)), tuple(names), ('',) * count, (True,) * count)

    @cached_property
    def _row_of_name(self) -> dict[str, int]:
        rows: dict[str, int] = {}
        for row, words in enumerate(self.aliases):
            rows |= dict.fromkeys(words, row)
        return rows | {name: row for row, name in enumerate(self.names)}  # names win

    @cached_property
    def _row_of_id(self) -> dict[int, int]:
        return {label_id: row for row, label_id in enumerate(self.ids)}

    def row_of(self, name: str) -> int:
        """Return the position of a label by its name or an alias; ValueError if unknown."""
        row = self._row_of_name.get(name)
        if row is None:
            near = get_close_matches(name, self._row_of_name, 3) or list(self.names[:5])
            raise ValueError(f"{self.name} has no label '{name}'; the nearest are {near}")
        return row

    def id_of(self, name: str) -> int:
        """Return the id of a label by its name or an alias; ValueError if unknown."""
        return self.ids[self.row_of(name)]

    def name_of(self, label_id: int) -> str:
        """Return the name of an id; ValueError if unknown."""
        row = self._row_of_id.get(int(label_id))
        if row is None:
            raise ValueError(
                f'{self.name} has no label with id {label_id}; it has {len(self)} ids in '
                f'[{min(self.ids, default=0)}, {max(self.ids, default=0)}]'
            )
        return self.names[row]

    def instance_labels(self) -> LabelSet:
        """Return the labels that count objects: without wall and floor."""
        return self._rows([row for row, counts in enumerate(self.countable) if counts])

    def subset(self, names: Sequence[str]) -> LabelSet:
        """Return some of the labels, in the order of this set; ValueError for unknown names."""
        return self._rows(sorted({self.row_of(name) for name in names}))

    def sentences(self) -> tuple[str, ...]:
        """Return what to ask a text tower, label by label: the prompt around the name."""
        return tuple(self.prompt.replace('{}', name.replace('-', ' ')) for name in self.names)

    def _rows(self, rows: Sequence[int]) -> LabelSet:
        parts: dict[str, Any] = {
            part: tuple(getattr(self, part)[row] for row in rows)
            for part in ('ids', 'names', 'groups', 'countable')
        }
        aliases = tuple(self.aliases[row] for row in rows) if self.aliases else ()
        return replace(self, aliases=aliases, **parts)


def load_labels(name_or_path: str | Path) -> LabelSet:
    """
    Read a label set: a shipped one by its name ('scannet200', 'replica'), or a YAML file.

    The file holds name, prompt, not_instances (names) and labels, a list of
    {id, name, group, aliases}. Raises ValueError where it is malformed or unknown.
    """
    path = Path(name_or_path)
    if path.suffix not in ('.yaml', '.yml'):
        try:
            path = find_file(f'config/{path}.yaml')
        except FileNotFoundError:
            raise ValueError(
                f"there is no label set '{name_or_path}'; there are {shipped_sets()}, "
                'or give the path of a .yaml file'
            ) from None
    stored = _read_yaml(path)
    if not isinstance(stored.get('labels'), list):
        raise ValueError(f"{path}: expected a list 'labels'; the sets are {shipped_sets()}")
    labels = [_checked_label(entry, number, path) for number, entry in enumerate(stored['labels'])]
    not_instances = set(stored.get('not_instances') or ())
    unknown = not_instances - {label['name'] for label in labels}
    if unknown:
        raise ValueError(f'{path}: not_instances {sorted(unknown)} are not among the labels')
    try:
        return LabelSet(
            name=str(stored.get('name', path.stem)),
            ids=tuple(label['id'] for label in labels),
            names=tuple(label['name'] for label in labels),
            groups=tuple(label.get('group', '') for label in labels),
            countable=tuple(label['name'] not in not_instances for label in labels),
            prompt=str(stored.get('prompt', '{}')),
            aliases=tuple(tuple(label.get('aliases', ())) for label in labels),
        )
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None


def shipped_sets() -> list[str]:
    """Return the names of the label sets that come with the program."""
    folder = find_file('config')
    return sorted(p.stem for p in folder.glob('*.yaml') if 'labels' in _read_yaml(p))


def _read_yaml(path: Path) -> dict[str, Any]:
    import yaml

    try:
        stored = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f'{path}: cannot be read ({error})') from None
    if not isinstance(stored, dict):
        raise ValueError(f'{path}: expected keys and values, got {type(stored).__name__}')
    return stored


def _checked_label(entry: Any, number: int, path: Path) -> dict[str, Any]:
    if (
        not isinstance(entry, dict)
        or not set(entry) <= KEYS
        or type(entry.get('id')) is not int
        or not isinstance(entry.get('name'), str)
    ):
        raise ValueError(
            f"{path}: label {number}: expected a whole number 'id', a text 'name' and perhaps "
            f"'group' and 'aliases', got {entry}"
        )
    return entry
