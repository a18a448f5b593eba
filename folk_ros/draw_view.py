"""Cameras that look into a room, and pictures of points seen through them, in plain NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLE = 50_000  # points from which a room is measured
ELEVATION = np.radians(42)
MIN_ROOM_HEIGHT_M = 1.8  # lower clouds are no rooms: they have no ceiling or walls to cut away
CEILING_M = 2.2  # what hangs inside a room as high as this is a ceiling
MIN_ROOM_WIDTH_M = 1.2  # of what is narrower no wall is taken away
WALL_M = 0.2  # walls and ceilings are thinner than this
GAP_FREE = 1.9  # points thrown at random close their surface at about twice their spacing
MOST_PIXELS = 9  # a point is drawn no larger
CELL_M = 0.12  # the density of points is counted in cells of this size


@dataclass(frozen=True)
class View:
    """A camera: perspective, or orthographic where it is endlessly far away."""

    axes: NDArray[np.float64]  # [3, 3] rows: right, up, towards the viewer
    target: NDArray[np.float64]  # [3] metres
    distance: float  # metres from the target; inf: orthographic
    scale: float  # pixels per unit of the image plane
    offset: NDArray[np.float64]  # [2] pixel of the target
    size: tuple[int, int]  # width and height, pixels

    def project(
        self, xyz: NDArray[np.floating]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return pixels [M, 2], from the top left, and depths [M] in metres, of points [M, 3]."""
        plane, depth = _on_plane(xyz, self.axes, self.target, self.distance)
        return plane * (self.scale, -self.scale) + self.offset, depth


@dataclass(frozen=True)
class Room:
    """The upright box that a cloud fills, without its outliers."""

    yaw: float  # radians: turn the cloud by -yaw and its walls lie along the axes
    low: NDArray[np.float64]  # [3] metres, in the turned frame
    high: NDArray[np.float64]
    ceiling: float  # height above which the cloud hides the room from above; inf if it does not

    def turned(self, xyz: NDArray[np.floating]) -> NDArray[np.float64]:
        """Turn points [M, 3] so that the walls lie along the axes."""
        return xyz @ _turn(self.yaw).T


def _turn(yaw: float) -> NDArray[np.float64]:
    cos, sin = np.cos(yaw), np.sin(yaw)
    return np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])


def _on_plane(
    xyz: NDArray[np.floating],
    axes: NDArray[np.float64],
    target: NDArray[np.float64],
    distance: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    seen = (xyz - target) @ axes.T  # [M, 3] right, up, towards the viewer
    if np.isinf(distance):
        return seen[:, :2], -seen[:, 2]
    depth = np.maximum(distance - seen[:, 2], 0.05)
    return seen[:, :2] / depth[:, None], depth


def measure_room(xyz: NDArray[np.float32]) -> Room:
    """Find the direction of the walls, the extent, and the ceiling of a cloud [N, 3]."""
    sample = xyz[:: len(xyz) // SAMPLE + 1].astype(np.float64)
    yaws = np.radians(np.arange(0, 90, 3))
    extents = []
    for yaw in yaws:
        flat = sample[:, :2] @ _turn(yaw)[:2, :2].T
        extents.append(np.prod(np.ptp(np.quantile(flat, (0.01, 0.99), axis=0), axis=0)))
    yaw = float(yaws[int(np.argmin(extents))])
    turned = sample @ _turn(yaw).T
    low, high = np.quantile(turned, (0.002, 0.998), axis=0)
    return Room(yaw, low, high, _find_ceiling(turned, low, high))


def _find_ceiling(
    xyz: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> float:
    """Return the height under a top layer that covers enough of the floor, else infinity."""
    height = high[2] - low[2]
    if height < MIN_ROOM_HEIGHT_M:
        return np.inf
    inner = xyz[((xyz[:, :2] > low[:2] + WALL_M) & (xyz[:, :2] < high[:2] - WALL_M)).all(1)]
    cells = np.floor((inner[:, :2] - low[:2]) / 0.25).astype(np.int64)
    top = inner[:, 2] > high[2] - WALL_M
    covered = len(np.unique(cells[top], axis=0)) / max(len(np.unique(cells, axis=0)), 1)
    # a camera sees little of a ceiling, and little else is as high
    enough = 0.1 if height > CEILING_M else 0.4
    return float(high[2] - WALL_M) if covered > enough else np.inf


def open_room(
    xyz: NDArray[np.float32], room: Room, corner: tuple[int, int] | None
) -> NDArray[np.bool_]:
    """
    Tell which points [N] stay when the ceiling and the walls of a corner are taken away.

    A corner is the side, -1 or 1, along each axis of the turned room; None leaves all walls.
    """
    turned = room.turned(xyz)
    stay = turned[:, 2] < room.ceiling
    if corner is None or room.high[2] - room.low[2] < MIN_ROOM_HEIGHT_M:
        return stay
    above_floor = turned[:, 2] > room.low[2] + 0.1
    for axis, side in enumerate(corner):
        if room.high[axis] - room.low[axis] < MIN_ROOM_WIDTH_M:
            continue
        wall = room.low[axis] + WALL_M if side < 0 else room.high[axis] - WALL_M
        stay &= ~((turned[:, axis] * side > wall * side) & above_floor)
    return stay if stay.any() else ~stay


def corner_view(
    xyz: NDArray[np.floating], room: Room, corner: tuple[int, int], size: tuple[int, int]
) -> View:
    """Look down into the room from above a corner, with all of the points [M, 3] in the frame."""
    extent = room.high - room.low
    azimuth = np.arctan2(corner[1], corner[0]) + room.yaw
    return _fit(xyz, _look(azimuth, ELEVATION), 1.5 * float(np.linalg.norm(extent)), size)


def top_view(xyz: NDArray[np.floating], size: tuple[int, int]) -> View:
    """Look straight down, x to the right, with all of the points [M, 3] in the frame."""
    return _fit(xyz, np.eye(3), np.inf, size)


def _look(azimuth: float, elevation: float) -> NDArray[np.float64]:
    back = np.array(
        [
            np.cos(elevation) * np.cos(azimuth),
            np.cos(elevation) * np.sin(azimuth),
            np.sin(elevation),
        ]
    )
    right = np.array([-np.sin(azimuth), np.cos(azimuth), 0])
    return np.stack([right, np.cross(back, right), back])


def _fit(
    xyz: NDArray[np.floating],
    axes: NDArray[np.float64],
    distance: float,
    size: tuple[int, int],
) -> View:
    target = (xyz.min(0) + xyz.max(0)).astype(np.float64) / 2
    plane, _ = _on_plane(xyz, axes, target, distance)
    low, high = plane.min(0), plane.max(0)
    scale = float(np.min(np.array(size) / np.maximum(high - low, 1e-6)))
    middle = (low + high) / 2
    offset = np.array(size) / 2 - middle * (scale, -scale)
    return View(axes, target, distance, scale, offset, size)


def render(
    view: View, xyz: NDArray[np.float32], rgb: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """
    Draw points [N, 3] with colours [N, 3] on white; return picture [H, W, 3] and depth [H, W].

    Points hide those behind them and are as large as it takes to close the surface that they lie
    on. The depth is infinite where there is nothing.
    """
    pixels, depth = view.project(xyz)
    unit = 1.0 if np.isinf(view.distance) else depth
    wanted = np.ceil(GAP_FREE * view.scale * _spacing(xyz) / unit)
    sizes = wanted.clip(2, MOST_PIXELS).astype(np.int64)  # [N] pixels
    nearest = np.full((view.size[1], view.size[0]), np.inf, np.float32)
    owner = np.full(nearest.shape, -1)  # which point is seen
    for size in np.unique(sizes):
        rows = np.flatnonzero(sizes == size)
        layer = _plot(view, pixels[rows] - (size - 1) / 2, depth[rows], rows)
        grown = 1
        while grown < size:
            step = min(grown, size - grown)
            layer = _grow(*_grow(*layer, 0, step), 1, step)
            grown += step
        front = layer[0] < nearest
        nearest[front], owner[front] = layer[0][front], layer[1][front]
    picture = np.full((*nearest.shape, 3), 255, np.uint8)
    picture[owner >= 0] = rgb[owner[owner >= 0]]
    return _shade(nearest, picture), nearest


def _spacing(xyz: NDArray[np.float32]) -> NDArray[np.float64]:
    """Estimate how far apart [N] the points around each point lie on their surface, metres."""
    grid = np.floor(xyz / CELL_M).clip(-(2**20), 2**20 - 1).astype(np.int64) + 2**20
    packed = (grid << np.array([42, 21, 0])).sum(1)
    _, cell, count = np.unique(packed, return_inverse=True, return_counts=True)
    return CELL_M / np.sqrt(count[cell.reshape(-1)])


def _plot(
    view: View, pixels: NDArray[np.float64], depth: NDArray[np.float64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Draw points `rows` [M] of one pixel each; return depth and point seen, both [H, W]."""
    width, height = view.size
    x, y = np.floor(pixels.T).clip(-1, 2**30).astype(np.int64)
    inside = np.flatnonzero((x >= 0) & (x < width) & (y >= 0) & (y < height))
    order = inside[np.argsort(-depth[inside], kind='stable')]  # the nearest is written last
    nearest = np.full((height, width), np.inf, np.float32)
    nearest[y[order], x[order]] = depth[order]
    owner = np.full((height, width), -1)
    owner[y[order], x[order]] = rows[order]
    return nearest, owner


def _grow(
    depth: NDArray[np.float32], owner: NDArray[np.int64], axis: int, step: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Let every pixel hide what is farther, `step` pixels along one axis."""
    whole = (slice(None),) * axis
    target, source = (*whole, slice(step, None)), (*whole, slice(None, -step))
    best, seen = depth.copy(), owner.copy()
    nearer = depth[source] < depth[target]
    best[target] = np.where(nearer, depth[source], depth[target])
    seen[target] = np.where(nearer, owner[source], owner[target])
    return best, seen


def _shade(depth: NDArray[np.float32], picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Darken pixels beside nearer ones, so that shapes stand out (eye-dome lighting)."""
    with np.errstate(invalid='ignore'):
        hidden = np.zeros_like(depth)
        for rows, columns in ((0, 2), (0, -2), (2, 0), (-2, 0)):
            drop = depth - np.roll(depth, (rows, columns), (0, 1))
            hidden += np.where(np.isfinite(drop), np.clip(drop, 0, 0.3), 0)
    light = np.exp(-0.9 * hidden)[..., None]
    return (picture * np.where(np.isfinite(depth)[..., None], light, 1)).astype(np.uint8)
