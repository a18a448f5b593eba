"""Tiles against the whole: exactly with a student that sees perfectly, nearly with a network."""

from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
import torch

from folk_ros.cli.demo_room import load_demo_room
from folk_ros.resources import model_folder
from folk_ros.structures import PointCloud
from folk_ros.student.face import MaskStudent, Prediction
from folk_ros.student.suppression import overlaps, suppress, suppress_pairs
from folk_ros.student.tiles import cut, join, predict_in_tiles, take, Tile
from folk_ros.student.weights import load_student, STUDENT_FILE
from folk_ros.voxels import voxelize


class ColourStudent(MaskStudent):
    """Sees each colour as one object; remembers how much it was shown at a time."""

    def __init__(self):
        super().__init__()
        self.config = SimpleNamespace(embedding_dim=3)
        self.shown = []

    def predict(self, voxels, min_quality, nms_iou):
        self.shown.append(len(voxels))
        colours, which = np.unique(np.rint(voxels.rgb * 255), axis=0, return_inverse=True)
        which = which.reshape(-1)
        rows = np.argsort(which, kind='stable')
        embeddings = torch.nn.functional.normalize(torch.from_numpy(colours + 1).float(), dim=1)
        quality = torch.linspace(0.9, 0.5, len(colours))
        return Prediction(
            torch.from_numpy(which[rows]), torch.from_numpy(rows), quality, embeddings
        )


def blocks(boxes):
    """A cloud of solid blocks on a grid of 1 m, one colour each; later ones give way."""
    cells = {}
    for number, (corner, size) in enumerate(boxes):
        for cell in np.ndindex(*size):
            cells.setdefault(tuple(np.add(corner, cell)), number)
    xyz = np.array(list(cells), np.float32) + 0.5
    shade = np.array(list(cells.values()))
    rgb = np.stack([shade * 7 % 256, shade * 31 % 256, shade], 1).astype(np.uint8)
    return voxelize(PointCloud(xyz, rgb), 1.0)


def things(found):
    """Each mask as a set of voxels."""
    owner, rows = found.owner.numpy(), found.rows.numpy()
    return {frozenset(rows[owner == mask].tolist()) for mask in range(len(found.quality))}


sizes = st.tuples(st.integers(1, 24), st.integers(1, 24), st.integers(1, 2))
corners = st.tuples(st.integers(0, 90), st.integers(0, 90), st.just(0))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(corners, sizes), min_size=1, max_size=6), st.integers(20, 1000))
def test_tiles_are_within_the_limit_and_every_voxel_is_one_tiles_own(boxes, limit):
    voxels = blocks(boxes)
    tiles = cut(voxels.coords, limit)
    own = np.concatenate([tile.own for tile in tiles])
    assert sorted(own.tolist()) == list(range(len(voxels)))
    for tile in tiles:
        assert set(tile.own.tolist()) <= set(tile.seen.tolist())
        assert (np.diff(tile.seen) > 0).all()
        spread = np.ptp(voxels.coords[tile.own][:, :2], axis=0)
        assert len(tile.seen) <= limit or not spread.any()


def apart(boxes):
    """Keep the blocks that touch no other, so that none hides part of another."""
    kept = []
    for corner, size in boxes:
        low, high = np.array(corner), np.add(corner, size)
        if all((low > b).any() or (high < a).any() for a, b in kept):
            kept.append((low, high))
    return [(tuple(a), tuple(b - a)) for a, b in kept]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(corners, sizes), min_size=1, max_size=6), st.integers(50, 1000))
def test_blocks_across_seams_come_out_whole_whatever_the_tiles(boxes, limit):
    voxels, student = blocks(apart(boxes)), ColourStudent()
    whole = student.predict(voxels, 0.1, 0.4)
    tiled = predict_in_tiles(student, voxels, 0.1, 0.4, limit)
    assert things(tiled) == things(whole)


def test_an_object_across_a_seam_is_one_instance_with_the_average_embedding():
    voxels, student = blocks([((0, 0, 0), (200, 4, 1)), ((0, 9, 0), (30, 4, 1))]), ColourStudent()
    tiled = predict_in_tiles(student, voxels, 0.1, 0.4, 400)
    assert max(student.shown) <= 400 < len(voxels)
    assert sorted(torch.bincount(tiled.owner).tolist()) == [120, 800]
    assert torch.allclose(tiled.embeddings.norm(dim=1), torch.ones(2))
    assert (tiled.quality.diff() <= 0).all()


def test_without_overlap_a_seam_would_show(monkeypatch):
    voxels, student = blocks([((0, 0, 0), (200, 4, 1))]), ColourStudent()
    apart_tiles = [Tile(t.own, t.own) for t in cut(voxels.coords, 400)]
    monkeypatch.setattr('folk_ros.student.tiles.cut', lambda *_: apart_tiles)
    assert len(predict_in_tiles(student, voxels, 0.1, 0.4, 400).quality) == len(apart_tiles) > 1


def prediction(*masks, quality=None):
    owner = np.repeat(np.arange(len(masks)), [len(mask) for mask in masks])
    rows = np.concatenate([np.asarray(mask) for mask in masks])
    scores = torch.tensor(quality or [0.8] * len(masks))
    return Prediction(
        torch.from_numpy(owner), torch.from_numpy(rows), scores, torch.eye(4)[: len(masks)]
    )


TWO = [
    Tile(np.arange(0, 10), np.arange(0, 14)),
    Tile(np.arange(10, 20), np.arange(6, 20)),
]


def test_in_a_joined_mask_each_voxel_is_as_its_own_tile_says():
    left = prediction([4, 5, 6, 7, 8, 9, 10, 11, 12])
    right = prediction([7, 8, 9, 10, 11, 13, 14])
    joined = join([left, right], TWO, 0.4)
    assert things(joined) == {frozenset([4, 5, 6, 7, 8, 9, 10, 11, 13, 14])}


def test_masks_that_differ_in_what_both_tiles_see_stay_two_and_whole():
    left = prediction([4, 5, 6, 7, 8, 9, 10])
    right = prediction([10, 11, 12, 13, 14, 15])
    assert things(join([left, right], TWO, 0.4)) == things(left) | things(right)


def test_exclusive_voxels_go_to_the_mask_of_their_own_tile():
    left = prediction([4, 5, 6, 7, 8, 9, 10])
    right = prediction([10, 11, 12, 13, 14, 15])
    joined = join([left, right], TWO, 0.4, exclusive=True)
    assert things(joined) == {frozenset(range(4, 10)), frozenset(range(10, 16))}


def test_two_masks_of_one_tile_are_never_joined_by_way_of_another():
    left = prediction([6, 7, 8, 9], [10, 11, 12, 13])
    right = prediction([6, 7, 8, 9, 10, 11, 12])
    # the right tile's mask agrees best with the first (4 of 7), second shares 3
    joined = join([left, right], TWO, 1.0)
    assert len(joined.quality) == 2


def test_of_two_tellings_of_one_thing_the_worse_goes():
    left = prediction([8, 9, 10, 11, 12, 13], quality=[0.9])
    right = prediction([12, 13, 14, 15, 16, 17], quality=[0.6])
    assert things(join([left, right], TWO, 0.3)) == things(left) | things(right)
    assert things(join([left, right], TWO, 0.1)) == things(left)


def random_masks(seed):
    rng = np.random.default_rng(seed)
    inside = rng.random((12, 60)) < rng.uniform(0.02, 0.5, (12, 1))
    return inside, rng.permutation(12) / 12 + 0.01


@pytest.mark.parametrize('seed', range(20))
def test_suppressing_pairs_equals_suppressing_masks(seed):
    inside, quality = random_masks(seed)
    owner, rows = inside.nonzero()
    dense = suppress(torch.from_numpy(inside), torch.from_numpy(quality), 0.0, 0.2, 0.6)
    assert suppress_pairs(owner, rows, quality, 0.2, 0.6).tolist() == dense.tolist()


@pytest.mark.parametrize('seed', range(5))
def test_overlaps_are_counted_as_one_by_one(seed):
    inside, _ = random_masks(seed)
    first, second, shared = overlaps(*inside.nonzero())
    found = dict(zip(zip(first.tolist(), second.tolist(), strict=True), shared, strict=True))
    for a in range(12):
        for b in range(a + 1, 12):
            assert found.get((a, b), 0) == (inside[a] & inside[b]).sum()


def iou(one, other):
    return len(one & other) / len(one | other)


def test_a_room_in_tiles_has_the_instances_of_the_room_whole():
    student, _ = load_student(model_folder('') / STUDENT_FILE)
    voxels = voxelize(load_demo_room().cloud, student.config.voxel_size_m)
    whole = student.predict(voxels, 0.45, 0.4)
    limit = len(voxels) // 2
    assert 2 < len(cut(voxels.coords, limit)) < 8
    tiled = predict_in_tiles(student, voxels, 0.45, 0.4, limit)
    best = [max(iou(thing, other) for other in things(tiled)) for thing in things(whole)]
    assert len(best) > 10
    assert np.mean(np.array(best) > 0.5) >= 0.9 and np.mean(best) > 0.85
    assert abs(len(tiled.quality) - len(best)) <= 0.2 * len(best)


def test_a_tile_is_a_small_cloud_of_the_same_grid():
    voxels = blocks([((0, 0, 0), (100, 50, 2))])
    rows = np.flatnonzero((voxels.coords[:, 0] >= 70) & (voxels.coords[:, 1] >= 40))
    part = take(voxels, rows)
    assert part.coords.min(0).tolist() == [70 - 64, 40 - 32, 0]
    places = part.origin + (part.coords + 0.5) * part.size_m
    assert np.allclose(places, part.centres)
