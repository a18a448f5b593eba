"""The solids rooms are made of: boxes, frusta, ellipsoids and soft boxes, posed and painted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

BOX, FRUSTUM, ELLIPSOID, SOFT, FIRM = range(5)  # SOFT and FIRM: rounded boxes
BOTTOM, TOP, CLOSED = 1, 2, 3  # caps of a frustum, bits

(
    PLAIN, WOOD, STRIPES, CHECKS, SPECKLE, FABRIC, TILES, PICTURE, SCREEN, KEYS, BOOKS, TEXT,
    LEAVES, BRICKS, DOTS, PLANKS, CLOCK, SKY, WEAVE, GRILL,
) = range(20)  # fmt: skip

Colour = tuple[float, float, float]  # linear-ish RGB in [0, 1]


@dataclass(frozen=True)
class Material:
    """How a surface looks: two colours, a pattern between them and how it shines."""

    colour: Colour
    accent: Colour = (0.5, 0.5, 0.5)
    pattern: int = PLAIN
    period_m: float = 0.1  # size of one repeat of the pattern
    gloss: float = 0.1  # 0 dull to 1 mirror-like highlight
    wear: float = 0.05  # strength of stains and fading
    seed: int = 0


@dataclass(frozen=True)
class Part:
    """One painted solid. Its unit shape lies in [-1, 1]^3 of its own frame."""

    kind: int
    material: Material
    centre: NDArray[np.float64]  # [3] metres
    half: NDArray[np.float64]  # [3] metres, half extents along its own axes
    rotation: NDArray[np.float64]  # [3, 3] own axes to the frame it stands in
    taper: float = 1.0  # FRUSTUM: radius at own +z over radius at own -z, in [0, 1]
    caps: int = CLOSED  # FRUSTUM: which ends are closed

    def moved(self, rotation: NDArray[np.float64], shift: ArrayLike) -> Part:
        """Turn the part about the origin of its frame, then shift it."""
        return replace(
            self,
            centre=rotation @ self.centre + np.asarray(shift, float),
            rotation=rotation @ self.rotation,
        )

    def corners(self) -> NDArray[np.float64]:
        """Return the corners [8, 3] of the part's box in the frame it stands in."""
        return (UNIT_CORNERS * self.half) @ self.rotation.T + self.centre


UNIT_CORNERS = np.array([[c >> k & 1 for k in range(3)] for c in range(8)]) * 2.0 - 1.0  # [8, 3]


def turn(axis: str, angle: float) -> NDArray[np.float64]:
    """Return the rotation [3, 3] about x, y or z by an angle in radians."""
    cos, sin = np.cos(angle), np.sin(angle)
    i, j = {'x': (1, 2), 'y': (2, 0), 'z': (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = cos
    matrix[i, j], matrix[j, i] = -sin, sin
    return matrix


def box(
    material: Material, centre: ArrayLike, size: ArrayLike, rotation: ArrayLike | None = None
) -> Part:
    """Make a box by its centre and full size in metres."""
    return _solid(BOX, material, centre, np.asarray(size, float) / 2, rotation)


def slab(material: Material, low: ArrayLike, high: ArrayLike) -> Part:
    """Make a box by its two extreme corners in metres."""
    low, high = np.asarray(low, float), np.asarray(high, float)
    return _solid(BOX, material, (low + high) / 2, (high - low) / 2, None)


def soft(
    material: Material, centre: ArrayLike, size: ArrayLike, rotation: ArrayLike | None = None
) -> Part:
    """Make a box with generously rounded edges: a cushion, by its full size in metres."""
    return _solid(SOFT, material, centre, np.asarray(size, float) / 2, rotation)


def firm(
    material: Material, centre: ArrayLike, size: ArrayLike, rotation: ArrayLike | None = None
) -> Part:
    """Make a box with slightly rounded edges: a mattress, by its full size in metres."""
    return _solid(FIRM, material, centre, np.asarray(size, float) / 2, rotation)


def ball(
    material: Material, centre: ArrayLike, radii: ArrayLike, rotation: ArrayLike | None = None
) -> Part:
    """Make an ellipsoid by its half axes in metres."""
    radii = np.broadcast_to(np.asarray(radii, float), 3)
    return _solid(ELLIPSOID, material, centre, radii, rotation)


def cone(
    material: Material,
    base: ArrayLike,
    height: float,
    radius: ArrayLike,
    top: float = 1.0,
    caps: int = CLOSED,
) -> Part:
    """
    Make an upright cylinder or frustum standing on `base`.

    `radius` is one number or (x, y) at the bottom; `top` is the radius at the top over that.
    """
    radius = np.broadcast_to(np.asarray(radius, float), 2)
    centre = np.asarray(base, float) + (0, 0, height / 2)
    if top <= 1.0:
        half = np.array([radius[0], radius[1], height / 2])
        return replace(_solid(FRUSTUM, material, centre, half, None), taper=top, caps=caps)
    half = np.array([radius[0] * top, radius[1] * top, height / 2])
    flipped = (caps & BOTTOM) * TOP | (caps & TOP) // TOP
    part = _solid(FRUSTUM, material, centre, half, turn('x', np.pi))
    return replace(part, taper=1.0 / top, caps=flipped)


def rod(
    material: Material, start: ArrayLike, end: ArrayLike, radius: float, top: float = 1.0
) -> Part:
    """Make a round bar between two points; `top` is the radius at the end over the start's."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    along = end - start
    length = float(np.linalg.norm(along))
    axis = along / length
    x, y, z = axis
    side = np.array((z, 0.0, -x) if abs(y) < 0.9 else (0.0, -z, y))  # across y or x
    side /= np.sqrt((side * side).sum())
    a, b, c = side
    up = np.array((y * c - z * b, z * a - x * c, x * b - y * a))
    rotation = np.stack([side, up, axis], axis=1)
    part = cone(material, (0, 0, -length / 2), length, radius, top)
    return part.moved(rotation, (start + end) / 2)


def lying(part: Part, axis: str) -> Part:
    """Turn a part that was made about the z axis through the origin onto the x or y axis."""
    return part.moved(turn('y', np.pi / 2) if axis == 'x' else turn('x', -np.pi / 2), (0, 0, 0))


def moved(
    parts: Iterable[Part], shift: ArrayLike, yaw: float = 0.0, tilt: float = 0.0
) -> list[Part]:
    """Tilt parts about y, turn them about z, then shift them."""
    rotation = turn('z', yaw) @ turn('y', tilt)
    return [part.moved(rotation, shift) for part in parts]


def stretched(parts: Iterable[Part], width: float) -> list[Part]:
    """Make parts wider along y by a factor; turned ones keep their angles."""
    factors = np.array([1.0, width, 1.0])
    result = []
    for part in parts:
        own = np.linalg.norm(part.rotation * factors[:, None], axis=0)  # [3] along its own axes
        result.append(replace(part, centre=part.centre * factors, half=part.half * own))
    return result


def bounds(parts: Sequence[Part]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return lowest and highest corner [3] of the box around parts (exact to their own boxes)."""
    corners = np.concatenate([part.corners() for part in parts])
    return corners.min(0), corners.max(0)


def _solid(
    kind: int, material: Material, centre: ArrayLike, half: ArrayLike, rotation: ArrayLike | None
) -> Part:
    half = np.asarray(half, float)
    if not (half > 0).all():
        raise ValueError(f'a solid needs positive extents, got half sizes {half.tolist()}')
    own = np.eye(3) if rotation is None else np.asarray(rotation, float)
    return Part(kind, material, np.asarray(centre, float), half, own)
