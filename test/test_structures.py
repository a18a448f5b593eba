import numpy as np
import pytest

from folk_ros.structures import Boxes, Instances, PointCloud


def two_instances() -> Instances:
    return Instances(
        starts=np.array([0, 2, 5]),
        points=np.array([0, 1, 1, 2, 3], np.int32),
        embeddings=np.eye(2, 4, dtype=np.float32),
        quality=np.array([0.9, 0.5], np.float32),
        boxes=Boxes(
            np.zeros((2, 3), np.float32), np.ones((2, 3), np.float32), np.zeros(2, np.float32)
        ),
        ids=np.array([7, 9], np.uint32),
        num_points=4,
    )


def test_a_wrong_shape_names_field_expected_and_got():
    with pytest.raises(ValueError, match=r'PointCloud.rgb.*N=3.*\[2, 3\]'):
        PointCloud(np.zeros((3, 3), np.float32), np.zeros((2, 3), np.uint8))


def test_a_wrong_dtype_is_refused():
    with pytest.raises(ValueError, match='PointCloud.xyz: expected float32, got float64'):
        PointCloud(np.zeros((3, 3)))


def test_selecting_points_keeps_colours_with_their_points():
    cloud = PointCloud(
        np.arange(9, dtype=np.float32).reshape(3, 3), np.arange(9, dtype=np.uint8).reshape(3, 3)
    )
    part = cloud.select(np.array([2, 0]))
    assert (part.xyz == part.rgb).all()


def test_selecting_instances_keeps_their_points_and_order():
    picked = two_instances().select(np.array([1, 0]))
    assert picked.ids.tolist() == [9, 7]
    assert picked.points_of(0).tolist() == [1, 2, 3]
    assert picked.points_of(1).tolist() == [0, 1]


def test_selecting_no_instance_gives_an_empty_valid_result():
    assert len(two_instances().select(np.zeros(2, bool))) == 0


def test_a_mask_point_outside_the_cloud_is_refused():
    whole = two_instances()
    with pytest.raises(ValueError, match=r'indices must lie in \[0, 3\)'):
        Instances(
            **{**{f: getattr(whole, f) for f in whole.__dataclass_fields__}, 'num_points': 3}
        )


def test_box_corners_turn_with_yaw():
    box = Boxes(
        np.array([[1, 2, 3]], np.float32),
        np.array([[4, 2, 1]], np.float32),
        np.array([np.pi / 2], np.float32),
    )
    corners = box.corners()[0]
    assert np.allclose(corners.max(0) - corners.min(0), [2, 4, 1], atol=1e-5)
    assert np.allclose(corners.mean(0), [1, 2, 3], atol=1e-5)
