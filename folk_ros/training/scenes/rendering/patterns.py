"""Procedural surface patterns: colour of many surface points at once, all from hashes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.scenes.rendering import primitives as p

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Surface:
    """Points on painted surfaces: where on the face they lie and with what they are painted."""

    u: Floats  # [M] metres to the right, seen from the front
    v: Floats  # [M] metres up
    s: Floats  # [M] the same in [-1, 1] over the face
    t: Floats  # [M]
    colour: Floats  # [M, 3]
    accent: Floats  # [M, 3]
    period: Floats  # [M] metres
    seed: NDArray[np.uint32]  # [M]

    def select(self, rows: NDArray[np.int64]) -> Surface:
        """Keep some points."""
        return Surface(**{name: values[rows] for name, values in vars(self).items()})


def hashed(x: NDArray[Any], y: NDArray[Any], seed: NDArray[Any] | int) -> Floats:
    """Return a number in [0, 1) for each whole-number pair and seed."""
    h = x.astype(np.int64).astype(np.uint32) * np.uint32(374761393)
    h = h + y.astype(np.int64).astype(np.uint32) * np.uint32(668265263)
    h = h + np.asarray(seed).astype(np.uint32) * np.uint32(2246822519)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(1274126177)
    h = (h ^ (h >> np.uint32(15))) * np.uint32(2654435761)
    h = (h ^ (h >> np.uint32(16))) >> np.uint32(8)
    return h.astype(np.float32) * np.float32(2.0**-24)


def noise(x: Floats, y: Floats, seed: NDArray[Any] | int) -> Floats:
    """Return smooth noise in [0, 1) with features of about one unit."""
    x0, y0 = np.floor(x), np.floor(y)
    fx, fy = x - x0, y - y0
    fx, fy = fx * fx * (3 - 2 * fx), fy * fy * (3 - 2 * fy)
    low = hashed(x0, y0, seed) * (1 - fx) + hashed(x0 + 1, y0, seed) * fx
    high = hashed(x0, y0 + 1, seed) * (1 - fx) + hashed(x0 + 1, y0 + 1, seed) * fx
    return np.asarray(low * (1 - fy) + high * fy, np.float32)


def random_colour(key: Floats) -> Floats:
    """Return a saturated colour [M, 3] for each number in [0, 1)."""
    hue = key[:, None] * 6.0 + np.array([0, 4, 2], np.float32)
    base = np.clip(np.abs(hue % 6 - 3) - 1, 0, 1)
    value = 0.25 + 0.6 * ((key * 37.7) % 1)[:, None]
    saturation = 0.25 + 0.65 * ((key * 91.3) % 1)[:, None]
    return value * (1 - saturation + saturation * base)


def mix(surface: Surface, share: NDArray[Any]) -> Floats:
    """Blend from colour (0) to accent (1)."""
    part = np.asarray(share, np.float32)[:, None]
    return surface.colour * (1 - part) + surface.accent * part


def plain(f: Surface) -> Floats:
    """Paint one colour."""
    return f.colour


def wood(f: Surface) -> Floats:
    """Paint grain that runs along the v axis."""
    bend = 3.5 * noise(f.u / 0.3, f.v / 1.3, f.seed) + 0.8 * noise(f.u / 0.06, f.v / 0.5, f.seed)
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * (0.4 * f.u / f.period + bend))
    fibre = noise(f.u / 0.008, f.v / 0.2, f.seed)
    return mix(f, 0.35 * rings * rings + 0.3 * fibre)


def stripes(f: Surface) -> Floats:
    """Paint upright stripes."""
    return mix(f, (f.u / f.period) % 1 < 0.5)


def checks(f: Surface) -> Floats:
    """Paint a chequerboard."""
    return mix(f, (np.floor(f.u / f.period) + np.floor(f.v / f.period)) % 2)


def speckle(f: Surface) -> Floats:
    """Paint grains of the accent: stone, terrazzo."""
    grain = hashed(np.floor(f.u / f.period), np.floor(f.v / f.period), f.seed)
    return mix(f, np.where(grain > 0.75, grain, 0.15 * grain))


def fabric(f: Surface) -> Floats:
    """Paint soft uneven cloth."""
    fine = hashed(np.floor(f.u / 0.008), np.floor(f.v / 0.008), f.seed)
    return mix(f, 0.2 * fine + 0.25 * noise(f.u / 0.12, f.v / 0.12, f.seed))


def tiles(f: Surface) -> Floats:
    """Paint square tiles with joints of the accent."""
    a, b = f.u / f.period, f.v / f.period
    joint = (np.minimum(a % 1, b % 1) < 0.05).astype(np.float32)
    tint = 0.92 + 0.12 * hashed(np.floor(a), np.floor(b), f.seed)
    return mix(f, joint) * tint[:, None]


def bricks(f: Surface) -> Floats:
    """Paint bricks in bond."""
    row = np.floor(f.v / (f.period / 3))
    a = f.u / f.period + 0.5 * (row % 2)
    joint = ((a % 1) < 0.05) | ((f.v / (f.period / 3)) % 1 < 0.14)
    tint = 0.75 + 0.4 * hashed(np.floor(a), row, f.seed)
    return mix(f, joint) * np.where(joint, 1, tint)[:, None]


def planks(f: Surface) -> Floats:
    """Paint floor boards along v."""
    row = np.floor(f.u / f.period)
    shift = hashed(row, row, f.seed)
    piece = np.floor(f.v / (8 * f.period) + shift)
    grain = noise(f.u / 0.015, f.v / 0.3 + 9 * row, f.seed)
    tint = 0.82 + 0.3 * hashed(row, piece, f.seed)
    joint = (f.u / f.period) % 1 < 0.04
    return mix(f, 0.5 * grain) * (tint * np.where(joint, 0.6, 1))[:, None]


def dots(f: Surface) -> Floats:
    """Paint polka dots."""
    a, b = (f.u / f.period) % 1 - 0.5, (f.v / f.period) % 1 - 0.5
    return mix(f, a * a + b * b < 0.08)


def weave(f: Surface) -> Floats:
    """Paint wicker."""
    a, b = f.u / f.period, f.v / f.period
    over = (np.floor(a) + np.floor(b)) % 2
    bump = np.abs(np.sin(np.pi * np.where(over > 0, a, b)))
    return mix(f, 1 - bump)


def grill(f: Surface) -> Floats:
    """Paint level slots."""
    return mix(f, (f.v / f.period) % 1 < 0.4)


def leaves(f: Surface) -> Floats:
    """Paint foliage: dark gaps between leaves of many tints."""
    leaf = noise(f.u / f.period, f.v / f.period, f.seed)
    tint = hashed(np.floor(f.u / f.period * 2), np.floor(f.v / f.period), f.seed)
    return mix(f, leaf) * (0.55 + 0.6 * tint)[:, None]


def books(f: Surface) -> Floats:
    """Paint a row of book spines side by side along u."""
    column = np.floor(f.u / f.period + 0.35 * np.sin(9 * f.u / f.period))
    key = hashed(column, column * 0 + 7, f.seed)
    colour = random_colour(key)
    band = (np.abs(f.t - 0.55) < 0.12) | (np.abs(f.t + 0.6) < 0.05)
    colour = np.where((band & (key > 0.4))[:, None], 0.35 * colour + 0.6, colour)
    gap = (f.u / f.period + 0.35 * np.sin(9 * f.u / f.period)) % 1 < 0.1
    return np.where(gap[:, None], 0.08, colour)


def text(f: Surface) -> Floats:
    """Paint lines of writing in the accent."""
    line = np.floor(f.v / f.period)
    inside = (f.v / f.period) % 1 < 0.45
    word = hashed(np.floor(f.u / (f.period * 0.55)), line, f.seed) > 0.25
    keep = (hashed(line, line, f.seed) > 0.2) & (np.abs(f.s) < 0.85) & (np.abs(f.t) < 0.88)
    return mix(f, inside & word & keep)


def keys(f: Surface) -> Floats:
    """Paint rows of keys."""
    a, b = f.u / f.period, f.v / f.period
    offset = 0.3 * hashed(np.floor(b), np.floor(b), f.seed)
    gap = (np.minimum((a + offset) % 1, b % 1) < 0.2) | (np.abs(f.s) > 0.96) | (np.abs(f.t) > 0.9)
    return mix(f, ~gap)


def picture(f: Surface) -> Floats:
    """Paint a picture: a landscape, patches of colour or a figure, by the seed."""
    kind = hashed(f.seed, f.seed, 5)
    one, two = random_colour(hashed(f.seed, f.seed, 1)), random_colour(hashed(f.seed, f.seed, 2))
    hill = -0.1 + 0.35 * (noise(f.s * 1.7, f.s * 0, f.seed) - 0.3) + 0.1 * np.sin(5 * f.s)
    sky = np.array([0.55, 0.72, 0.9], np.float32) + 0.15 * (1 - f.t)[:, None] * two
    ground = one * (0.6 + 0.5 * noise(f.s * 6, f.t * 9, f.seed))[:, None]
    sun = (f.s - 0.4) ** 2 + (f.t - 0.55) ** 2 < 0.03
    land = np.where((f.t > hill)[:, None], np.where(sun[:, None], (1, 0.9, 0.5), sky), ground)
    cell = hashed(np.floor(f.s * 1.8 + 3), np.floor(f.t * 1.8 + 3), f.seed)
    patches = random_colour(cell)
    face = (f.s / 0.42) ** 2 + ((f.t - 0.25) / 0.4) ** 2 < 1
    body = (f.s / 0.75) ** 2 + ((f.t + 1.0) / 0.75) ** 2 < 1
    figure = np.where(face[:, None], (0.85, 0.65, 0.5), np.where(body[:, None], one, two))
    painted = np.where((kind < 0.45)[:, None], land, patches)
    painted = np.where((kind > 0.72)[:, None], figure, painted)
    border = (np.abs(f.s) > 0.86) | (np.abs(f.t) > 0.86)
    return np.where(border[:, None], f.accent, painted)


def screen(f: Surface) -> Floats:
    """Paint what a display shows: nothing, a desktop with windows, or a film."""
    kind = hashed(f.seed, f.seed, 3)
    off = np.zeros_like(f.colour) + 0.03
    window = (np.abs(f.s - 0.1) < 0.6) & (np.abs(f.t - 0.1) < 0.65)
    title = window & (f.t > 0.62)
    line = np.floor(f.t * 9)
    ink = ((f.t * 9) % 1 < 0.4) & (hashed(np.floor(f.s * 14), line, f.seed) > 0.35)
    page = np.where(ink[:, None], 0.25, 0.95)
    desk = np.where(window[:, None], page, 0.5 * f.accent + (0.05, 0.15, 0.35))
    desk = np.where(title[:, None], (0.3, 0.45, 0.75), desk)
    film = picture(f)
    shown = np.where((kind < 0.65)[:, None], desk, film)
    shown = np.where((kind < 0.25)[:, None], off, shown)
    edge = (np.abs(f.s) > 0.95) | (np.abs(f.t) > 0.93)
    return np.where(edge[:, None], 0.05, shown)


def clock(f: Surface) -> Floats:
    """Paint a dial with twelve marks and two hands."""
    radius, angle = np.hypot(f.s, f.t), np.arctan2(f.s, f.t)
    marks = (np.abs((angle * 6 / np.pi + 0.5) % 1 - 0.5) < 0.14) & (radius > 0.72)
    hour = hashed(f.seed, f.seed, 8) * 2 * np.pi
    hands = (np.abs(np.sin(angle - hour)) * radius < 0.07) & (np.cos(angle - hour) > 0)
    minute = (hour * 12) % (2 * np.pi)
    long = (np.abs(np.sin(angle - minute)) * radius < 0.05) & (np.cos(angle - minute) > 0)
    return mix(f, (marks & (radius < 0.9)) | (hands & (radius < 0.5)) | (long & (radius < 0.75)))


def sky(f: Surface) -> Floats:
    """Paint the view from a window: sky above trees and houses."""
    house = np.floor(f.u / 0.35)
    roof = -0.55 + 0.5 * hashed(house, house, f.seed)
    tree = -0.35 + 0.45 * noise(f.u / 0.18, f.u * 0, f.seed)
    cloud = 0.25 * noise(f.u / 0.4, f.v / 0.15, f.seed)
    above = np.array([0.62, 0.78, 0.95], np.float32) + cloud[:, None]
    wall = (0.45 + 0.4 * hashed(house, house, f.seed))[:, None] * np.array([1, 0.9, 0.85])
    view = np.where((f.t < roof)[:, None], wall, above)
    return np.where((f.t < tree)[:, None], (0.25, 0.42, 0.22), view)


PAINTERS: dict[int, Callable[[Surface], Floats]] = {
    p.PLAIN: plain, p.WOOD: wood, p.STRIPES: stripes, p.CHECKS: checks, p.SPECKLE: speckle,
    p.FABRIC: fabric, p.TILES: tiles, p.PICTURE: picture, p.SCREEN: screen, p.KEYS: keys,
    p.BOOKS: books, p.TEXT: text, p.LEAVES: leaves, p.BRICKS: bricks, p.DOTS: dots,
    p.PLANKS: planks, p.CLOCK: clock, p.SKY: sky, p.WEAVE: weave, p.GRILL: grill,
}  # fmt: skip


def paint(surface: Surface, pattern: NDArray[np.int64]) -> Floats:
    """Return the unlit colour [M, 3] of surface points, each with its own pattern [M]."""
    rgb = np.empty((len(surface.u), 3), np.float32)
    for kind in np.unique(pattern):
        rows = np.flatnonzero(pattern == kind)
        rgb[rows] = PAINTERS[int(kind)](surface.select(rows))
    return rgb
