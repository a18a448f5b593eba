"""Pictures of scenes: all kinds of scenes can be drawn, and no view is read in vain."""

from matplotlib.image import imread
import numpy as np
import pytest

from folk_ros.structures import PointCloud
from folk_ros.training.scenes import pictures
from folk_ros.training.scenes.pictures import draw_page, draw_scene, true_instances
from folk_ros.training.scenes.scene import GroundTruth, save_scene, Scene
from folk_ros.training.scenes.view_pictures import colour_depth, colour_instances
from folk_ros.training.scenes.views import View


def view(k=0, truth=True):
    instance = np.full((12, 16), -1, np.int32)
    instance[4:10, 3:12] = k % 2
    return View(
        rgb=np.full((12, 16, 3), 40 + k, np.uint8),
        depth=np.linspace(0, 3, 12 * 16, dtype=np.float32).reshape(12, 16),
        intrinsics=np.array([[16, 0, 8], [0, 16, 6], [0, 0, 1]], np.float32),
        T_world_camera=np.eye(4, dtype=np.float32),
        instance=instance if truth else None,
    )


class Counting(list):
    """Views that note which of them are asked for."""

    def __init__(self, views):
        super().__init__(views)
        self.asked = []

    def __getitem__(self, index):
        self.asked.append(index)
        return super().__getitem__(index)

    def __iter__(self):
        raise AssertionError('all views are read')


def scene(colour=True, truth=True, views=()):
    rng = np.random.default_rng(0)
    floor = rng.uniform((0, 0, 0), (3, 2, 0.01), (3000, 3))
    boxes = [
        rng.uniform(low, np.add(low, 0.4), (900, 3)) for low in ((0.2, 0.2, 0), (2.0, 1.2, 0))
    ]
    xyz = np.concatenate([floor, *boxes]).astype(np.float32)
    rgb = np.repeat(np.uint8([[90, 90, 90], [200, 0, 0], [0, 0, 200]]), (3000, 900, 900), 0)
    owner = np.repeat(np.int32([-1, 0, 1]), (3000, 900, 900))
    known = GroundTruth(owner, ['crate', 'box'], (('a',), ('b',)), np.array([False, True]))
    cloud = PointCloud(xyz, rgb if colour else None, 'map')
    return Scene('val_00000', cloud, known if truth else None, views, {'kind': 'office'})


@pytest.mark.parametrize('colour', [True, False])
@pytest.mark.parametrize('truth', [True, False])
def test_scenes_without_views_colour_or_truth_are_drawn(colour, truth, tmp_path):
    draw_scene(scene(colour, truth), tmp_path / 'a.png')
    assert imread(tmp_path / 'a.png').shape[:2] == (900, 1600)


def test_views_stand_below_the_cloud_and_only_those_shown_are_read(tmp_path):
    views = Counting([view(k) for k in range(30)])
    draw_scene(scene(views=views), tmp_path / 'a.png')
    assert sorted(set(views.asked)) == [0, 7, 14, 22, 29]
    with_truth = imread(tmp_path / 'a.png')
    assert with_truth.shape[0] > 900 + 3 * 180 and with_truth.shape[1] == 1600
    draw_scene(scene(views=[view(k, truth=False) for k in range(2)]), tmp_path / 'b.png')
    assert 900 + 2 * 180 < imread(tmp_path / 'b.png').shape[0] < with_truth.shape[0]


def test_a_page_shows_every_scene_and_leaves_broken_ones_out(tmp_path):
    folders = []
    for number in range(5):
        folder = save_scene(scene(), tmp_path / str(number))
        folders.append(folder)
    (folders[2] / 'cloud.npz').write_bytes(b'broken')
    failed = []
    drawn = draw_page(folders, tmp_path / 'page.png', lambda folder, error: failed.append(folder))
    assert drawn == 4 and failed == [folders[2]]
    page = imread(tmp_path / 'page.png')[..., :3]
    wide = pictures.PAGE_CELL[0] + pictures.STRIP_GAP
    cells = [page[60:380, 10 + k * wide : wide + k * wide] for k in range(4)]
    assert all((cell < 0.9).any(-1).mean() > 0.05 for cell in cells)


def test_nothing_is_written_where_no_scene_can_be_read(tmp_path):
    assert draw_page([tmp_path / 'no'], tmp_path / 'page.png', lambda folder, error: None) == 0
    assert not (tmp_path / 'page.png').exists()


def test_true_objects_have_exactly_their_points_up_to_a_voxel():
    drawn = scene()
    instances, labels = true_instances(drawn)
    assert labels == ['crate', 'box']
    for row in range(2):
        own = np.flatnonzero(drawn.truth.point_instance == row)
        assert set(own) <= set(instances.points_of(row))
        assert len(instances.points_of(row)) < 1.2 * len(own)


def luminance(picture):
    return picture.astype(float) @ (0.299, 0.587, 0.114)


def test_depth_reads_in_grey_and_holes_are_white():
    ramp = np.linspace(0.01, 4, 50, dtype=np.float32)[None]
    assert (np.diff(luminance(colour_depth(ramp, 4.0))[0]) > 0).all()
    assert (colour_depth(np.zeros((2, 2), np.float32), 4.0) == 255).all()


def test_neighbouring_objects_differ_in_brightness_or_have_a_line_between_them():
    instance = np.repeat(np.arange(-1, 7, dtype=np.int32), 4)[None].repeat(3, 0)
    picture = colour_instances(instance)
    edges = np.flatnonzero(np.diff(instance[1])) + 1
    assert (picture[1, edges] == 40).all()
    again = colour_instances(np.full((3, 3), 5, np.int32))
    assert (again[1, 1] == picture[1, np.flatnonzero(instance[1] == 5)[2]]).all()
