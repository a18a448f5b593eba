import os
from pathlib import Path

import numpy as np
from pcd_support import BOX_M, BOXES, CAMERA_M, table_scan, write_pcd
import pytest

from folk_ros.training.scenes.datasets.osd import osd_files, read_osd
from folk_ros.training.scenes.fusion.fuse import back_project
from folk_ros.upright import camera_above, find_plane

BESIDE = Path(__file__).resolve().parents[4] / 'shared/data/mosd/learn'
SCANS = Path(os.environ.get('FOLK_MOSD', BESIDE))
needs_scans = pytest.mark.skipif(
    not SCANS.is_dir(), reason='no mOSD scans (set FOLK_MOSD to their folder)'
)
KINDS = ('ascii', 'binary', 'binary_compressed')


@pytest.mark.parametrize('kind', KINDS)
def test_each_encoding_gives_the_photograph_the_depth_and_the_objects(tmp_path, kind):
    xyz, label, rgb = table_scan()
    scene = read_osd(write_pcd(tmp_path / 'learn7.pcd', (xyz, label, rgb), kind))
    (view,) = scene.views
    measured = label > 0
    assert scene.scene_id == 'learn7'
    np.testing.assert_array_equal(view.rgb, rgb)  # of pixels without depth, too
    np.testing.assert_array_equal(view.depth, np.where(measured, xyz[..., 2], 0))
    np.testing.assert_array_equal(scene.cloud.rgb, rgb[measured])
    np.testing.assert_array_equal(view.instance[measured], scene.truth.point_instance)
    np.testing.assert_array_equal(view.instance >= 0, label >= 20)


def test_a_colour_declared_as_float_keeps_its_bits(tmp_path):
    xyz, label, rgb = table_scan()
    rgb[..., 0] |= 128
    scan = xyz, label, rgb
    path = write_pcd(tmp_path / 'a.pcd', scan, colour='F', fields='label x y z rgb')
    np.testing.assert_array_equal(read_osd(path).views[0].rgb, rgb)


def test_the_table_top_is_zero_and_up_is_up(tmp_path):
    xyz, label, rgb = table_scan()
    scene = read_osd(write_pcd(tmp_path / 'a.pcd', (xyz, label, rgb)))
    seen = label[label > 0]
    assert np.allclose(scene.cloud.xyz[seen == 1, 2], 0, atol=1e-4)
    assert np.allclose(scene.cloud.xyz[seen >= 20, 2], BOX_M[2], atol=1e-4)
    for number, place in BOXES.items():  # x where the camera looks, y to its left
        assert np.allclose(scene.cloud.xyz[seen == number, :2].mean(0), place, atol=0.03)
    T = scene.views[0].T_world_camera
    assert np.allclose(T[:3, 3], [0, 0, CAMERA_M], atol=1e-4)
    assert np.isclose(np.linalg.det(T[:3, :3]), 1)
    assert scene.facts['camera_tilt_deg'] == pytest.approx(40, abs=0.01)


def test_the_view_projects_back_to_the_points_of_the_cloud(tmp_path):
    scene = read_osd(write_pcd(tmp_path / 'a.pcd', table_scan()))
    xyz, _ = back_project(scene.views[0])
    np.testing.assert_allclose(xyz, scene.cloud.xyz, atol=1e-5)


def test_parts_are_merged_unless_they_are_asked_for(tmp_path):
    path = write_pcd(tmp_path / 'a.pcd', table_scan())
    merged, apart = read_osd(path).truth, read_osd(path, parts=True).truth
    assert merged.names == ['object'] * 2
    assert merged.captions == ((), ())
    assert len(apart.names) == 3
    second = merged.point_instance == 1
    np.testing.assert_array_equal(second, np.isin(apart.point_instance, [1, 2]))
    assert np.unique(apart.point_instance[second]).tolist() == [1, 2]


def test_files_are_counted_not_spelled(tmp_path):
    for name in ('learn10', 'learn2', 'learn1'):
        (tmp_path / f'{name}.pcd').touch()
    assert [path.stem for path in osd_files(tmp_path)] == ['learn1', 'learn2', 'learn10']
    with pytest.raises(ValueError, match='found none'):
        osd_files(tmp_path / 'elsewhere')


def wrong_label(xyz, label, rgb):
    label[10, 10] = 13
    return xyz, label, rgb


def moved(xyz, label, rgb):
    return xyz + np.float32([0.1, 0, 0]), label, rgb


def scattered(xyz, label, rgb):
    distance = np.random.default_rng(0).uniform(0.5, 5.0, label.shape).astype(np.float32)
    return xyz / xyz[..., 2:] * distance[..., None], label, rgb


def nothing(xyz, label, rgb):
    return np.full_like(xyz, np.nan), np.zeros_like(label), rgb


def one_row(*images):
    return [image.reshape(1, -1, *image.shape[2:]) for image in images]


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        (wrong_label, r'from 20 on \(objects\), got \[13\]'),
        (moved, 'pixels beside their own'),
        (scattered, 'expected a table, but the best plane holds'),
        (nothing, 'expected a table, got 0 points'),
        (one_row, 'expected an organised cloud'),
    ],
)
def test_what_is_no_scan_of_a_table_is_refused_with_its_name(tmp_path, change, said):
    path = write_pcd(tmp_path / 'learn3.pcd', change(*table_scan()))
    with pytest.raises(ValueError, match=rf'learn3\.pcd: .*{said}'):
        read_osd(path)


def test_a_file_cut_off_or_without_labels_is_refused_with_its_name(tmp_path):
    path = write_pcd(tmp_path / 'cut.pcd', table_scan(), kind='binary_compressed')
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r'cut\.pcd: compressed data'):
        read_osd(path)
    path = write_pcd(tmp_path / 'a.pcd', table_scan(), fields='ring x y z rgba')
    with pytest.raises(ValueError, match=r"a\.pcd: expected fields label.*got 'ring'"):
        read_osd(path)
    with pytest.raises(ValueError, match='no such file'):
        read_osd(tmp_path / 'missing.pcd')


def test_the_plane_is_found_among_more_points_that_lie_elsewhere():
    rng = np.random.default_rng(1)
    flat = np.c_[rng.uniform(-1, 1, (3000, 2)), rng.normal(0.5, 0.003, 3000)]
    other = rng.uniform([-1, -1, -0.5], [1, 1, 0.5], (5000, 3))
    normal, height, share = find_plane(np.concatenate([flat, other]))
    assert normal @ [0, 0, -1] > np.cos(np.radians(0.3))  # up is where the origin is
    assert height == pytest.approx(0.5, abs=0.002)
    assert share == pytest.approx(3000 / 8000, abs=0.03)


def test_a_camera_that_looks_straight_down_has_a_frame_too():
    T = camera_above(np.array([0.0, 0.0, -1.0]), 2.0)
    assert np.allclose(T @ [0, 0, 2, 1], [0, 0, 0, 1])
    assert np.allclose(T[:3, :3] @ [0, -1, 0], [1, 0, 0])  # up in the image is ahead
    assert np.isclose(np.linalg.det(T[:3, :3]), 1)


@needs_scans
@pytest.mark.parametrize('name', ['learn0', 'learn24', 'learn33'])
def test_real_scans_lie_on_their_table_and_on_their_pixels(name):
    from folk_ros.cloud import read_field
    from folk_ros.cloud_pcd import read_pcd

    scene = read_osd(SCANS / f'{name}.pcd')
    layout, data = read_pcd(SCANS / f'{name}.pcd', 10**6)
    label, z = (read_field(data, layout, field) for field in ('label', 'z'))
    seen = label[np.isfinite(z)]
    assert len(seen) == len(scene.cloud)
    table = scene.cloud.xyz[seen < 20, 2]
    objects = scene.cloud.xyz[seen >= 20, 2]
    assert abs(table.mean()) < 0.001 and np.percentile(abs(table), 95) < 0.005
    assert (objects > -0.005).mean() > 0.995 and objects.max() < 0.35
    assert 0.55 < scene.facts['camera_height_m'] < 0.65
    assert 33 < scene.facts['camera_tilt_deg'] < 44
    assert len(scene.truth.names) == len(np.unique(seen[seen >= 20] // 10))
    xyz, _ = back_project(scene.views[0])
    np.testing.assert_allclose(xyz, scene.cloud.xyz, atol=1e-4)
    np.testing.assert_array_equal(scene.views[0].rgb[np.isfinite(z)], scene.cloud.rgb)
