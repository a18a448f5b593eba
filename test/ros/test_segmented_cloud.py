import numpy as np
import pytest

from folk_ros.ros.segmented_cloud import BACKGROUND, colours_of, paint
from folk_ros.structures import Boxes, Instances, PointCloud


def scene(parts, quality, ids, num_points=6):
    count = len(parts)
    zero = np.zeros((count, 3), np.float32)
    return Instances(
        starts=np.cumsum([0, *map(len, parts)]),
        points=np.concatenate([np.empty(0, int), *parts]).astype(np.int32),
        embeddings=np.ones((count, 1), np.float32),
        quality=np.array(quality, np.float32),
        boxes=Boxes(zero, zero, zero[:, 0].copy()),
        ids=np.array(ids, np.uint32),
        num_points=num_points,
    )


def cloud(count=6):
    return PointCloud(np.zeros((count, 3), np.float32), None, 'map', 5)


def test_every_point_says_whose_it_is():
    painted, ids = paint(cloud(), scene([[0, 1], [3]], [0.5, 0.6], [7, 9]))
    assert ids.tolist() == [7, 7, 0, 9, 0, 0]
    assert (painted.rgb[[2, 4, 5]] == BACKGROUND).all()
    assert (painted.rgb[0] == painted.rgb[1]).all() and (painted.rgb[0] != painted.rgb[3]).any()
    assert (painted.frame_id, painted.stamp_ns) == ('map', 5)


def test_a_shared_point_goes_to_the_better_mask():
    for quality, owner in (([0.9, 0.2], 7), ([0.2, 0.9], 9)):
        assert paint(cloud(), scene([[0, 1], [1, 2]], quality, [7, 9]))[1][1] == owner


def test_nothing_found_is_all_grey():
    painted, ids = paint(cloud(), scene([], [], []))
    assert not ids.any() and (painted.rgb == BACKGROUND).all()


def test_another_clouds_scene_is_refused():
    with pytest.raises(ValueError, match='6 points, got 4'):
        paint(cloud(4), scene([], [], []))


def test_colours_are_strong_and_stay_with_their_id():
    ids = np.arange(1, 60, dtype=np.uint32)
    colours = colours_of(ids).astype(int)
    assert (colours.max(1) - colours.min(1) > 100).all()
    assert (colours_of(ids[10:12]) == colours[10:12]).all()
    assert len({tuple(c) for c in colours.tolist()}) == len(ids)
