"""
Pickled checkpoints, read with torch's weights-only reader.

A training framework stores settings beside the tensors, as objects of its own libraries. Those
libraries are neither needed nor called here: every such object becomes a lifeless `Foreign`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
import zipfile

import torch
from torch import serialization


class Foreign(dict):
    """Stands in for an object of a library that is not loaded; keeps its state, does nothing."""

    state: Any = None

    def __init__(self, *arguments: object) -> None:
        super().__init__()  # whatever they would have meant

    def __setstate__(self, state: object) -> None:
        self.state = state

    def append(self, item: object) -> None:
        """Take what a list would take."""

    def extend(self, items: object) -> None:
        """Take what a list would take."""


def read_checkpoint(path: Path) -> dict[str, Any]:
    """
    Read a checkpoint written by torch.save: what it holds, tensors on the CPU.

    Raises FileNotFoundError, or ValueError if it is damaged or asks for more than data.
    """
    if not path.is_file():
        raise FileNotFoundError(f'{path}: there is no such checkpoint')
    if not zipfile.is_zipfile(path):
        raise ValueError(
            f'{path}: expected a checkpoint of torch.save (1.6 or newer), got a file that is none '
            'or was not copied whole; copy it again'
        )
    with zipfile.ZipFile(path) as archive:
        altered = archive.testzip()  # torch itself does not look at the check sums
    if altered:
        raise ValueError(f'{path}: damaged, {altered} in it was altered; copy it again')
    try:
        names = serialization.get_unsafe_globals_in_checkpoint(path)
        with serialization.safe_globals([(Foreign, name) for name in names]):
            found = torch.load(path, map_location='cpu', weights_only=True)
    except AttributeError as error:
        raise ValueError(f'{path}: reading it needs torch 2.6 or newer ({error})') from error
    except (RuntimeError, ValueError, serialization.pickle.UnpicklingError) as error:
        reason = str(error).split('\n')[0]
        raise ValueError(f'{path}: damaged, or more than data ({reason}); refused') from error
    if not isinstance(found, dict):
        raise ValueError(f'{path}: expected a dictionary of tensors, got {type(found).__name__}')
    return found


def find_settings(value: Any, name: str) -> dict[str, Any]:
    """Find the settings called `name` among stored ones, as plain values; {} if not there."""
    plain = value if isinstance(value, dict) and not isinstance(value, Foreign) else _plain(value)
    if not isinstance(plain, dict):
        return {}
    if isinstance(_plain(plain.get(name)), dict):
        found: dict[str, Any] = _plain(plain[name])
        return found
    for part in plain.values():
        inner = find_settings(part, name)
        if inner:
            return inner
    return {}


def _plain(value: Any) -> Any:
    """Turn a stand-in of an OmegaConf node into the dict, list or value that it held."""
    if isinstance(value, Foreign):
        state = value.state if isinstance(value.state, dict) else {}
        return _plain(state.get('_content', state.get('_val')))
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value
