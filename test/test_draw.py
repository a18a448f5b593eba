from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip('matplotlib', reason='pictures need matplotlib')

from matplotlib.image import imread

from folk_ros.draw import _colours, _ticks, draw_overview, overview
from folk_ros.draw_annotations import _place, _shared
from folk_ros.draw_view import corner_view, measure_room, open_room, render, top_view, View
from folk_ros.structures import Boxes, Instances, PointCloud

CEILING = np.array([[1.5, 1.5, 2.5]], np.float32)


def make_room(yaw=0.4, points=4000, coloured=True):
    """A room of 4 x 3 x 2.5 m with floor, ceiling and walls, and a red crate in it."""
    rng = np.random.default_rng(0)
    share = rng.uniform(0, 1, (6, points, 3))
    for side in range(6):
        share[side, :, side // 2] = side % 2
    crate = rng.uniform(-0.4, 0.4, (points, 3)) + (2.5, 1.0, 0.4)
    xyz = np.concatenate([share.reshape(-1, 3) * (4.0, 3.0, 2.5), crate])
    cos, sin = np.cos(yaw), np.sin(yaw)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    rgb = np.full((len(xyz), 3), 200, np.uint8)
    rgb[-points:] = (255, 0, 0)
    cloud = PointCloud((xyz @ turn.T).astype(np.float32), rgb if coloured else None, 'map')
    centre = (np.array([[2.5, 1.0, 0.4]]) @ turn.T).astype(np.float32)
    instances = Instances(
        starts=np.array([0, points]),
        points=np.arange(6 * points, 7 * points, dtype=np.int32),
        embeddings=np.ones((1, 1), np.float32),
        quality=np.ones(1, np.float32),
        boxes=Boxes(centre, np.full((1, 3), 0.8, np.float32), np.full(1, yaw, np.float32)),
        ids=np.ones(1, np.uint32),
        num_points=len(cloud),
    )
    return cloud, instances


def is_red(picture):
    return (picture[..., 0] > 0.5) & (picture[..., 1] < 0.3) & (picture[..., 2] < 0.3)


def test_the_picture_has_its_size_and_shows_the_object_in_both_views(tmp_path):
    cloud, instances = make_room()
    draw_overview(cloud, instances, ['crate 0.93'], tmp_path / 'a.png', 'A room')
    picture = imread(tmp_path / 'a.png')
    assert picture.shape[:2] == (900, 1600)
    assert is_red(picture[:, :1000]).sum() > 1000
    assert is_red(picture[:, 1050:]).sum() > 500
    assert [p.name for p in tmp_path.iterdir()] == ['a.png']


def test_what_hangs_in_the_ceiling_that_is_taken_away_is_named_from_above_alone():
    cloud, crate = make_room()
    points = crate.points - len(crate.points)  # those of the ceiling
    lamp = replace(crate, points=points, boxes=replace(crate.boxes, centre=CEILING))
    for one, corner in ((crate, ['crate']), (lamp, [])):
        axes = overview(cloud, one, ['crate']).figure.axes
        assert [[text.get_text() for text in panel.texts] for panel in axes] == [corner, ['crate']]


@pytest.mark.parametrize('coloured', [True, False])
def test_a_cloud_without_objects_or_colour_is_drawn(tmp_path, coloured):
    cloud, _ = make_room(points=500, coloured=coloured)
    draw_overview(cloud, Instances.empty(4, cloud), [], tmp_path / 'a.png')
    picture = imread(tmp_path / 'a.png')[..., :3]
    assert (picture < 0.95).any(-1).mean() > 0.1
    if not coloured:
        assert np.ptp(picture, axis=-1).max() > 0.2  # shaded by height


@pytest.mark.parametrize('count', [0, 1, 2])
def test_a_cloud_of_next_to_nothing_is_drawn(tmp_path, count):
    cloud = PointCloud(np.zeros((count, 3), np.float32))
    draw_overview(cloud, Instances.empty(4, cloud), [], tmp_path / 'a.png', 'nothing')
    assert imread(tmp_path / 'a.png').shape[:2] == (900, 1600)


@pytest.mark.filterwarnings('ignore:Glyph')
def test_labels_are_drawn_as_they_are_whatever_they_hold(tmp_path):
    cloud, instances = make_room(points=200)
    draw_overview(
        cloud, instances, ['$\\frac{$ \x00 椅子 ' + 'x' * 200], tmp_path / 'a.png', '$^$'
    )
    assert (tmp_path / 'a.png').stat().st_size > 1000


def test_labels_that_do_not_fit_are_refused_and_nothing_is_written(tmp_path):
    cloud, instances = make_room(points=10)
    with pytest.raises(ValueError, match='expected 1 labels'):
        draw_overview(cloud, instances, [], tmp_path / 'a.png')
    assert not list(tmp_path.iterdir())


def test_the_walls_of_a_turned_room_are_found():
    cloud, _ = make_room(yaw=0.4)
    room = measure_room(cloud.xyz)
    assert np.degrees(room.yaw) == pytest.approx(np.degrees(0.4), abs=1.6)
    np.testing.assert_allclose(np.sort(room.high - room.low), [2.5, 3, 4], atol=0.15)


def test_ceiling_and_near_walls_are_taken_away_and_the_rest_stays():
    cloud, _ = make_room(yaw=0.0)
    room = measure_room(cloud.xyz)
    kept = cloud.xyz[open_room(cloud.xyz, room, (-1, -1))]
    assert kept[:, 2].max() < 2.4
    assert not (kept[kept[:, 2] > 0.5, 0] < 0.1).any()
    assert (kept[kept[:, 2] > 0.5, 0] > 3.9).any()
    assert (kept[:, 2] < 0.01).sum() > 3900  # all of the floor


def test_a_table_top_loses_nothing():
    xyz = np.random.default_rng(0).uniform(0, 1, (2000, 3)).astype(np.float32)
    assert open_room(xyz, measure_room(xyz), (1, 1)).all()


def test_a_single_wall_is_not_taken_away():
    xyz = np.random.default_rng(0).uniform(0, 1, (2000, 3)).astype(np.float32) * (3, 0.05, 2.5)
    room = measure_room(xyz)
    assert open_room(xyz, room, (1, 1))[(xyz[:, 0] < 2.7) & (xyz[:, 2] < 2.2)].all()


def test_a_far_outlier_does_not_shrink_the_room(tmp_path):
    cloud, instances = make_room(points=300)
    xyz = cloud.xyz.copy()
    xyz[0] = 1e30
    outlying = PointCloud(xyz, cloud.rgb)
    draw_overview(outlying, instances, ['crate'], tmp_path / 'a.png')
    assert is_red(imread(tmp_path / 'a.png')).sum() > 1000


@pytest.mark.parametrize('corner', [(-1, -1), (1, -1), (1, 1), None])
def test_all_points_lie_in_the_frame(corner):
    cloud, _ = make_room()
    room, size = measure_room(cloud.xyz), (300, 200)
    view = corner_view(cloud.xyz, room, corner, size) if corner else top_view(cloud.xyz, size)
    pixels, depth = view.project(cloud.xyz)
    assert (pixels >= -1e-6).all() and (pixels <= np.array(size) + 1e-6).all()
    if corner:
        assert depth.min() > 0
    else:  # x to the right, y up
        pixels, _ = view.project(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0.0]]))
        assert pixels[1, 0] > pixels[0, 0] and pixels[2, 1] < pixels[0, 1]


def test_rendering_agrees_with_its_point_by_point_twin():
    rng = np.random.default_rng(0)
    xyz = rng.uniform(0, 1, (300, 3)).astype(np.float32)
    rgb = rng.integers(0, 256, (300, 3), np.uint8)
    view = View(np.eye(3), np.zeros(3), np.inf, 100.0, np.array([10.0, 110.0]), (120, 120))
    picture, depth = render(view, xyz, rgb)
    # Few of these points lie in a cell of 12 cm: all are drawn at the largest size.
    pixels, far = view.project(xyz)
    slow = np.full((120, 120), np.inf, np.float32)
    for (x, y), z in zip(pixels - 4, far, strict=True):
        column, row = int(np.floor(x)), int(np.floor(y))
        if column >= 0 and row >= 0:
            patch = slow[row : row + 9, column : column + 9]
            np.minimum(patch, z, out=patch)
    np.testing.assert_array_equal(depth, slow)
    assert (picture[np.isinf(depth)] == 255).all()


def test_a_near_point_hides_a_far_one():
    xyz = np.array([[0, 0, 1], [0, 0, 0]], np.float32)
    rgb = np.array([[255, 0, 0], [0, 255, 0]], np.uint8)
    view = View(np.eye(3), np.zeros(3), np.inf, 10.0, np.array([10.0, 10.0]), (20, 20))
    picture, _ = render(view, xyz, rgb)
    assert picture[10, 10].tolist() == [255, 0, 0]
    picture, _ = render(view, xyz[::-1], rgb[::-1])
    assert picture[10, 10].tolist() == [255, 0, 0]


def test_labels_of_boxes_side_by_side_do_not_overlap():
    half, placed = np.array([40.0, 8.0]), []
    for x in range(0, 200, 20):
        pixels = np.array([[300 + x, 300], [310 + x, 330]], float)
        middle, _, _ = _place(pixels, half, (800, 600), placed)
        placed.append(np.concatenate([middle - half, middle + half]))
    for i, first in enumerate(placed):
        assert not any(_shared(first, second) for second in placed[i + 1 :])


def test_labels_stay_in_the_picture():
    half = np.array([40.0, 8.0])
    middle, _, _ = _place(np.array([[0.0, 0], [5, 5]]), half, (100, 100), [])
    assert (middle - half >= 0).all() and (middle + half <= 100).all()


def test_a_label_with_no_place_left_says_how_much_it_would_cover():
    half = np.array([20.0, 8.0])
    box = np.array([[30.0, 30], [70, 70]])
    everywhere = [np.array([0.0, 0, 100, 100])]
    assert _place(box, half, (100, 100), everywhere)[2] == 4 * half.prod()
    assert _place(box, half, (100, 100), [])[2] == 0


def test_equal_words_have_equal_colours_and_others_differ():
    words = ['chair 0.91', 'table 0.8', 'chair 0.12', 'sofa', 'chair?']
    first, second, third, fourth, doubtful = _colours(words)
    assert first == third == doubtful
    assert len({first, second, fourth}) == 3


def test_there_are_colours_for_any_number_of_words():
    assert len(_colours([f'word {chr(97 + i)}' for i in range(20)])) == 20


@pytest.mark.parametrize(('low', 'high'), [(0, 5), (-3.2, 8.1), (0.01, 0.05), (1000, 9000)])
def test_ticks_are_few_round_numbers_between_the_ends(low, high):
    ticks = _ticks(low, high)
    assert 3 <= len(ticks) <= 8
    assert low <= ticks[0] and ticks[-1] <= high
