import numpy as np
import pytest

from folk_ros.training.labels import load_labels
from folk_ros.training.scenes.rendering.primitives import (
    BOX,
    box,
    CLOSED,
    ELLIPSOID,
    FRUSTUM,
    Material,
    turn,
)
from folk_ros.training.scenes.scene import load_scene
from folk_ros.training.scenes.tabletops.heaps import heap_up
from folk_ros.training.scenes.tabletops.piles import make_body, Pile
from folk_ros.training.scenes.tabletops.tabletop import (
    generate_tabletops,
    make_tabletop,
    place_camera,
    projector_sees,
    TabletopConfig,
)
from folk_ros.training.scenes.tabletops.things import HOUSEHOLD, KINDS

GREY = Material((0.5, 0.5, 0.5))
SMALL = TabletopConfig(width=160, height=120)
CAMERA = np.array([-0.8, 0.0])


def block(size, rotation=None):
    """A box as a body."""
    rotation = np.eye(3) if rotation is None else rotation
    return make_body([box(GREY, (0, 0, 0), size)], rotation)


def inside(part, points, margin):
    """Which points [M, 3] lie deeper than a margin inside a solid (boxes, frusta, balls)."""
    half = part.half - margin
    if (half <= 0).any():
        return np.zeros(len(points), bool)
    unit = (points - part.centre) @ part.rotation / half
    if part.kind == BOX:
        return (np.abs(unit) < 1).all(1)
    if part.kind == ELLIPSOID:
        return (unit**2).sum(1) < 1
    radius = (1 + part.taper) / 2 + (part.taper - 1) / 2 * unit[:, 2]
    return (np.abs(unit[:, 2]) < 1) & (np.hypot(unit[:, 0], unit[:, 1]) < radius)


def massive(part):
    return part.kind in (BOX, ELLIPSOID) or (part.kind == FRUSTUM and part.caps == CLOSED)


@pytest.fixture(scope='module')
def heaps():
    return [heap_up(np.random.default_rng(seed), CAMERA, 16, False) for seed in range(8)]


def test_the_same_seed_gives_the_same_scan():
    a, b, other = (make_tabletop(seed, SMALL) for seed in (3, 3, 4))
    assert np.array_equal(a.cloud.xyz, b.cloud.xyz) and np.array_equal(a.cloud.rgb, b.cloud.rgb)
    assert np.array_equal(a.truth.point_instance, b.truth.point_instance)
    assert a.cloud.xyz.shape != other.cloud.xyz.shape


def test_points_stand_where_their_pixels_saw_them():
    scene = make_tabletop(5, SMALL)
    view = scene.views[0]
    T = view.T_world_camera.astype(float)
    seen = (scene.cloud.xyz - T[:3, 3]) @ T[:3, :3]
    pixel = seen[:, :2] / seen[:, 2:] * view.intrinsics[0, 0] + view.intrinsics[:2, 2]
    row, column = np.nonzero(view.depth > 0)
    assert np.abs(pixel - np.stack([column, row], 1)).max() < 0.01
    assert np.array_equal(scene.truth.point_instance, view.instance[row, column])


def test_the_world_stands_on_the_table_below_the_camera():
    for seed in range(4):
        scene = make_tabletop(seed, SMALL)
        table = scene.cloud.xyz[scene.truth.point_instance < 0]
        pose = scene.views[0].T_world_camera
        assert abs(np.median(table[:, 2])) < 0.004
        assert np.abs(pose[:2, 3]).max() < 1e-5 and pose[2, 3] > 0.3
        assert pose[0, 2] > 0 and abs(pose[1, 2]) < 1e-5  # it looks along x


def test_things_do_not_pierce_each_other(heaps):
    rng = np.random.default_rng(0)
    worst = 0.0
    for things in heaps:
        parts = [(k, p) for k, t in enumerate(things) for p in t.placed.parts() if massive(p)]
        for k, part in parts:
            unit = rng.uniform(-1, 1, (400, 3))
            points = (unit * part.half) @ part.rotation.T + part.centre
            points = points[inside(part, points, 0.0)]
            for other, solid in parts:
                if other != k and len(points):
                    worst = max(worst, inside(solid, points, 0.005).mean())
    assert worst < 0.02


def test_nothing_sinks_into_the_table_or_floats(heaps):
    for things in heaps:
        for thing in things:
            low = thing.placed.place[2]
            assert -1e-9 < low < 0.42
            assert thing.placed.body.under.min() == pytest.approx(0, abs=1e-4)
        assert any(thing.placed.place[2] < 0.002 for thing in things)


def test_heaps_hold_stacks_and_leaning_things_and_no_more_than_asked(heaps):
    stacked = [t for things in heaps for t in things if t.placed.place[2] > 0.01]
    up = [
        np.abs(t.placed.parts()[0].rotation[2]).max()
        for things in heaps for t in things if t.placed.parts()[0].kind == BOX
    ]  # fmt: skip
    assert len(stacked) >= 5
    assert min(up) < 0.97  # some box stands on no side of it
    assert max(len(things) for things in heaps) <= 16
    assert max(len(heap_up(np.random.default_rng(k), CAMERA, 3, False)) for k in range(8)) <= 6


def test_a_thing_falls_on_what_is_below_and_not_beside_it():
    pile = Pile()
    base = pile.let_down(block((0.2, 0.1, 0.1)), (0, 0))
    top = pile.let_down(block((0.1, 0.1, 0.06)), (0.05, 0))
    assert base.place[2] == 0
    assert top.place[2] == pytest.approx(0.1, abs=1e-3)
    heights = pile.heights.copy()
    assert pile.let_down(block((0.1, 0.1, 0.06)), (0.13, 0.0)) is None  # it would tip over
    assert np.array_equal(pile.heights, heights)


def test_a_thing_is_pushed_until_it_touches():
    pile = Pile()
    pile.let_down(block((0.1, 0.1, 0.1)), (0, 0))
    near = pile.push(block((0.06, 0.06, 0.05)), (0.4, 0), (0, 0))
    assert near.place[0] == pytest.approx(0.08, abs=0.009) and near.place[2] == 0
    far = pile.push(block((0.06, 0.06, 0.05)), (0, 0.4), (0, 0), gap_m=0.05)
    assert far.place[1] == pytest.approx(0.13, abs=0.009)
    assert pile.push(block((0.06, 0.06, 0.05)), (-0.3, 0.3), (-0.3, -0.3)) is None


def test_a_tilted_thing_has_its_lower_side_where_its_corners_are():
    body = block((0.2, 0.1, 0.02), turn('y', -0.7))
    corners = np.concatenate([part.corners() for part in body.parts])
    assert corners[:, 2].min() == pytest.approx(0, abs=4e-3)  # the map has cells of 4 mm
    assert body.height_m == pytest.approx(corners[:, 2].max(), abs=4e-3)
    assert body.under[body.under.shape[0] // 2 + 15].min() > 0.03  # the +x end is up


def test_the_projector_misses_what_something_hides_from_it():
    rng = np.random.default_rng(0)
    depth = np.where(rng.random((6, 60)) < 0.2, 0.7, 1.2).astype(np.float32)
    depth[rng.random(depth.shape) < 0.1] = 0
    factor = 40.0
    sees = projector_sees(depth, factor)
    for row, column in zip(*np.nonzero(depth), strict=True):
        own = column - factor / depth[row, column]
        right = [
            c - (factor / depth[row, c] if depth[row, c] else 0)
            for c in range(column, depth.shape[1])
        ]
        assert sees[row, column] == (own <= min(right) + 1.0)
    assert 0.2 < sees[depth > 0].mean() < 1


def test_the_camera_looks_at_the_table_from_where_it_was_told():
    for seed in range(5):
        camera = place_camera(np.random.default_rng(seed), TabletopConfig())
        pose = camera.T_world_camera
        tilt = np.degrees(np.arcsin(-pose[2, 2]))
        assert 24.9 < tilt < 60.1
        assert np.allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3))
        assert np.linalg.det(pose[:3, :3]) == pytest.approx(1)
        assert pose[2, 1] < 0  # the image's down is the world's


def test_all_things_have_names_of_the_benchmark_and_words():
    known = set(load_labels('scannet200').names)
    assert {kind.category.name for kind in KINDS} | set(HOUSEHOLD) <= known
    scene = make_tabletop(1, SMALL)
    assert len(scene.truth.names) == len(scene.truth.captions) > 0
    assert all(words for words in scene.truth.captions)


def test_novel_things_lie_on_no_table_to_learn_from(tmp_path):
    splits = {'train': 6, 'val': 1}
    folders = generate_tabletops(tmp_path, splits, 1, config=SMALL)
    assert [f.name for f in folders] == [*(f'train_{k:05d}' for k in range(6)), 'val_00000']
    assert not any(load_scene(f).truth.novel.any() for f in folders[:6])
    before = (folders[0] / 'cloud.npz').stat().st_mtime_ns
    made = []
    generate_tabletops(
        tmp_path, splits, 1, config=SMALL, progress=lambda done, total, name: made.append(name)
    )
    assert made == []
    assert (folders[0] / 'cloud.npz').stat().st_mtime_ns == before
