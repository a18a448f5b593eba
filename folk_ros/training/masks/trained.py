"""Reading students wherever their masks lie: in a shipped file, or in a training run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from folk_ros.student.face import PooledStudent
from folk_ros.student.weights import load_masks, STUDENT_FILE
from folk_ros.training.checkpoint import load_checkpoint, NAME, read_settings
from folk_ros.training.masks.networks import make_network, stored_config

AVERAGE = 'average.'


def load_trained(path: Path) -> PooledStudent:
    """
    Read a student file, the one in a folder, or the averaged weights of a mask training.

    Raises as `load_masks` does, and FileNotFoundError where a folder holds none of them.
    """
    if path.is_dir() and not (path / STUDENT_FILE).is_file():
        return _averaged(path)
    return load_masks(path / STUDENT_FILE if path.is_dir() else path)


def average_students(paths: Sequence[Path]) -> PooledStudent:
    """
    Return the mean of the weights of students that one network became, in the last one's form.

    Of runs that began with the same weights the mean is often better than each (model soups,
    Wortsman et al., 2022). Raises ValueError for networks of different sizes.
    """
    students = [load_trained(path) for path in paths]
    last = students[-1]
    states = [student.state_dict() for student in students]
    mean: dict[str, Tensor] = {}
    for name, value in states[-1].items():
        if name.startswith('adapter.'):
            mean[name] = value  # fits the features of its own run alone: to be distilled anew
            continue
        found = [state.get(name) for state in states]
        if any(other is None or other.shape != value.shape for other in found):
            shapes = [None if other is None else list(other.shape) for other in found]
            raise ValueError(
                f'{name}: expected weights of one network, got the shapes {shapes} in '
                f'{", ".join(map(str, paths))}; average runs that began with the same student'
            )
        if value.dtype.is_floating_point:
            total = torch.stack([o.double() for o in found if o is not None]).mean(0)
            mean[name] = total.to(value.dtype)
        else:
            mean[name] = value
    last.load_state_dict(mean)
    return last.eval()


def _averaged(folder: Path) -> PooledStudent:
    found = load_checkpoint(folder, None)
    if found is None:
        raise FileNotFoundError(
            f'{folder}: expected {STUDENT_FILE} or {NAME} there, found neither; name the folder '
            'of a student, or that of `folk train-masks --out`'
        )
    student = make_network(stored_config(read_settings(folder)['student']))
    student.load_state_dict(
        {name[len(AVERAGE) :]: v for name, v in found[1].items() if name.startswith(AVERAGE)}
    )
    return student.eval()
