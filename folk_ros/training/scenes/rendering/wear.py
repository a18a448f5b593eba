"""What years do to surfaces: stains, fading, scratches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.scenes.rendering.patterns import Floats, hashed, noise, Surface

SCRATCH_M = (0.0035, 0.13)  # width and length
SCRATCHED = 0.05  # least wear at which scratches show


def worn(rgb: Floats, surface: Surface, strength: Floats) -> Floats:
    """Return the colours [M, 3] of surfaces that are worn by a strength [M], 0 new to 1 ruined."""
    u, v, seed = surface.u, surface.v, surface.seed
    broad = noise(u / 0.31, v / 0.31, seed)
    stain = broad + 0.5 * noise(u / 0.06, v / 0.06, seed)
    stained = rgb * (1 + strength * 2 * (stain - 0.75))[:, None]
    fade = (strength * np.clip(2 * broad - 0.6, 0, 1))[:, None]  # the sun came in there
    faded = stained * (1 - fade) + fade * (0.35 + 0.5 * stained.mean(1, keepdims=True))
    rows = np.flatnonzero(strength > SCRATCHED)
    scratch = np.zeros(len(u), np.float32)
    scratch[rows] = _scratches(u[rows], v[rows], seed[rows], strength[rows])
    return np.asarray(faded * (1 - scratch[:, None]), np.float32)


def _scratches(u: Floats, v: Floats, seed: NDArray[np.uint32], strength: Floats) -> Floats:
    """Return how much [M] scratches darken: thin short lines, all in about one direction."""
    slope = 0.3 * (hashed(seed, seed, 11) - 0.5)
    line = np.floor((v + slope * u) / SCRATCH_M[0])
    piece = np.floor(u / SCRATCH_M[1] + hashed(line, line, seed))
    there = hashed(line, piece, seed) > 1 - 0.25 * strength
    return np.where(there, 0.3 + strength, 0).clip(0, 0.6).astype(np.float32)
