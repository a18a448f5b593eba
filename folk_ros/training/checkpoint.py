"""Checkpoints of a training run: safetensors for weights and optimiser, written atomically."""

from __future__ import annotations

import json
import os
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file
import torch
from torch import Tensor

NAME = 'checkpoint.safetensors'


def save_checkpoint(
    folder: Path,
    step: int,
    tensors: dict[str, Tensor],
    optimizer: torch.optim.Optimizer,
    settings: str,
) -> None:
    """Write weights and optimiser state; the old checkpoint stays until the new one is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    everything = {name: value.detach().contiguous() for name, value in tensors.items()}
    for number, state in optimizer.state_dict()['state'].items():
        for key, value in state.items():
            everything[f'optimizer.{number}.{key}'] = torch.as_tensor(value)
    temporary = folder / f'{NAME}.part'
    metadata = {'step': str(step), 'settings': settings}
    save_file({k: v.clone() for k, v in everything.items()}, temporary, metadata)
    os.replace(temporary, folder / NAME)


def load_checkpoint(
    folder: Path, optimizer: torch.optim.Optimizer | None
) -> tuple[int, dict[str, Tensor]] | None:
    """Read the newest checkpoint, or None; fills the optimiser if one is given."""
    path = folder / NAME
    if not path.exists():
        return None
    with safe_open(path, 'pt') as file:
        step = int(file.metadata()['step'])
        tensors = {
            name: file.get_tensor(name)
            for name in file.keys()  # noqa: SIM118 - the file is no dictionary
        }
    moments: dict[int, dict[str, Tensor]] = {}
    for name in [n for n in tensors if n.startswith('optimizer.')]:
        _, number, key = name.split('.')
        moments.setdefault(int(number), {})[key] = tensors.pop(name)
    if optimizer is not None and moments:
        state = optimizer.state_dict()
        state['state'] = moments
        optimizer.load_state_dict(state)
    return step, tensors


def read_settings(folder: Path) -> dict:
    """Read the settings stored with a checkpoint."""
    with safe_open(folder / NAME, 'pt') as file:
        settings: dict = json.loads(file.metadata()['settings'])
    return settings
