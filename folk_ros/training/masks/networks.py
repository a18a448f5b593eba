"""Which network a configuration means, and the weights it begins with."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from folk_ros.student.mask3d import Mask3D, Mask3DConfig
from folk_ros.student.query_student import QueryStudent
from folk_ros.student.student import Student, StudentConfig

NetworkConfig = StudentConfig | Mask3DConfig
STEM = 'backbone.stem.weight'  # [27, inputs, channels]


def make_network(config: NetworkConfig) -> QueryStudent:
    """Build the network that a configuration describes, with random weights."""
    return Mask3D(config) if isinstance(config, Mask3DConfig) else Student(config)


def stored_config(values: dict[str, Any]) -> NetworkConfig:
    """Read a configuration stored as JSON; only Mask3D's says what its backbone is."""
    if 'backbone' in values:
        return Mask3DConfig.from_json(values)
    return StudentConfig.from_json(values)


def begun_with(start: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, Tensor]:
    """
    Return the weights `own` of a network with those of `start` put in their places.

    Inputs that `start` does not know count for nothing at first, and scores of another number of
    classes are learnt anew. Raises ValueError, naming both sides, for weights of another network.
    """
    result = dict(own)
    for name, value in start.items():
        wanted = own.get(name)
        if wanted is None:
            raise ValueError(f'--start: has {name}, for which the network has no place')
        if wanted.shape == value.shape:
            result[name] = value
        elif name == STEM and wanted.shape[1] > value.shape[1]:
            result[name] = torch.zeros_like(wanted)
            result[name][:, : value.shape[1]] = value
        elif not name.startswith('decoder.classes.'):
            raise ValueError(
                f'--start: {name} is {list(value.shape)}, the network has {list(wanted.shape)}; '
                'begin with weights of the same preset'
            )
    return result
