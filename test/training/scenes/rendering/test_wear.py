"""What years do to surfaces."""

import numpy as np
import pytest

from folk_ros.training.scenes.rendering.patterns import Surface
from folk_ros.training.scenes.rendering.wear import worn


def sheet(seed=3, side=200):
    v, u = np.mgrid[0 : 1 : 1j * side, 0 : 1 : 1j * side].reshape(2, -1).astype(np.float32)
    rgb = np.tile(np.float32([0.6, 0.1, 0.1]), (len(u), 1))
    period = np.full(len(u), 0.1, np.float32)
    return rgb, Surface(u, v, u, v, rgb, rgb, period, np.full(len(u), seed, np.uint32))


def strength(surface, value):
    return np.full(len(surface.u), value, np.float32)


def test_a_new_thing_looks_as_it_is_painted():
    rgb, surface = sheet()
    assert np.allclose(worn(rgb, surface, strength(surface, 0.0)), rgb, atol=1e-6)


def test_the_more_worn_the_farther_from_the_paint():
    rgb, surface = sheet()
    change = [np.abs(worn(rgb, surface, strength(surface, s)) - rgb).mean() for s in (0.1, 0.3)]
    assert 0 < change[0] < change[1] < 0.2


def test_only_the_worn_are_scratched_and_red_stays_red():
    rgb, surface = sheet()
    new, old = (worn(rgb, surface, strength(surface, s)) for s in (0.04, 0.4))
    steps = [np.abs(np.diff(x[:, 0].reshape(200, 200), axis=0)) for x in (new, old)]
    assert steps[0].max() < 0.02 < 0.1 < steps[1].max()
    assert (old[:, 0] > old[:, 1] + 0.05).all()


@pytest.mark.parametrize('value', [0.0, 0.2, 0.4])
def test_colours_stay_colours(value):
    rgb, surface = sheet(seed=9)
    picture = worn(rgb, surface, strength(surface, value))
    assert picture.dtype == np.float32 and picture.shape == rgb.shape
    assert (picture >= 0).all() and (picture < 1.5).all()
