"""Views in image files: what is appended is what is read, and nothing is read before."""

import json

import numpy as np
from PIL import Image
import pytest

from folk_ros.structures import PointCloud
from folk_ros.training.scenes.images import image_size, read_colour
from folk_ros.training.scenes.scene import load_scene, save_scene, Scene, View
from folk_ros.training.scenes.view_files import FileViews, read_views, ViewFile
from folk_ros.training.scenes.view_recording import append_entry, append_view

WIDTH, HEIGHT = 16, 12


def intrinsics(scale=1.0):
    """Return the camera of an image `scale` times as large, pixel centres at whole numbers."""
    k = np.array([[20, 0, 7.5], [0, 21, 5.5], [0, 0, 1]])
    k[:2] *= scale
    k[:2, 2] += (scale - 1) / 2
    return k.astype(np.float32)


def make_view(k=0, instance=True):
    rng = np.random.default_rng(k)
    pose = np.eye(4, dtype=np.float32)
    pose[:3, 3] = rng.normal(size=3)
    return View(
        rgb=rng.integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8),
        depth=(rng.integers(0, 5000, (HEIGHT, WIDTH)) / np.float32(1000)).astype(np.float32),
        intrinsics=intrinsics(),
        T_world_camera=pose,
        instance=rng.integers(-1, 3, (HEIGHT, WIDTH)).astype(np.int32) if instance else None,
    )


def recorded(folder, count=3):
    views = [make_view(k) for k in range(count)]
    for k, view in enumerate(views):
        append_view(folder, view, colour='.png', stamp_ns=10**18 + k)
    return views


def check_same(got, wanted):
    for name in ('rgb', 'depth', 'intrinsics', 'T_world_camera', 'instance'):
        np.testing.assert_array_equal(getattr(got, name), getattr(wanted, name), name)


def edit_line(folder, **changes):
    """Change keys of the first line of views.jsonl; None takes a key away."""
    path = folder / 'views.jsonl'
    lines = path.read_text().splitlines()
    entry = json.loads(lines[0]) | changes
    lines[0] = json.dumps({key: value for key, value in entry.items() if value is not None})
    path.write_text('\n'.join(lines) + '\n')


def test_appended_views_are_read_back(tmp_path):
    views = recorded(tmp_path)
    stored = read_views(tmp_path)
    assert len(stored) == 3 and [f.stamp_ns - 10**18 for f in stored.files] == [0, 1, 2]
    for got, wanted in zip(stored, views, strict=True):
        check_same(got, wanted)
    check_same(stored[-1], views[2])
    assert isinstance(stored[1:], FileViews) and len(stored[1:]) == 2


def test_a_jpeg_is_near_and_needs_no_instances(tmp_path):
    shade = np.linspace(0, 255, WIDTH)[None, :, None] + np.zeros((HEIGHT, 1, 3))
    view = View(
        shade.astype(np.uint8),
        np.ones((HEIGHT, WIDTH), np.float32),
        intrinsics(),
        np.eye(4, dtype=np.float32),
    )
    append_view(tmp_path, view)
    got = read_views(tmp_path)[0]
    assert got.instance is None
    assert np.abs(got.rgb.astype(int) - view.rgb).max() < 12


def test_depth_beyond_16_bits_is_stored_as_not_measured(tmp_path):
    view = make_view()
    depth = view.depth.copy()
    depth[0, :4] = [70.0, np.inf, np.nan, -1.0]
    view = View(view.rgb, depth, view.intrinsics, view.T_world_camera)
    append_view(tmp_path, view, depth_per_metre=1000.0)
    np.testing.assert_array_equal(read_views(tmp_path)[0].depth[0, :4], 0)


def test_a_torn_last_line_is_left_out_and_then_replaced(tmp_path, caplog):
    views = recorded(tmp_path, 2)
    with (tmp_path / 'views.jsonl').open('a') as file:
        file.write('{"rgb": "rgb/0000')
    assert len(read_views(tmp_path)) == 2 and 'cut off' in caplog.text
    append_view(tmp_path, make_view(7), colour='.png')
    stored = read_views(tmp_path)
    assert len(stored) == 3
    check_same(stored[1], views[1])
    check_same(stored[2], make_view(7))


def test_a_last_line_without_its_end_counts(tmp_path):
    recorded(tmp_path, 2)
    path = tmp_path / 'views.jsonl'
    path.write_text(path.read_text().rstrip('\n'))
    assert len(read_views(tmp_path)) == 2
    append_view(tmp_path, make_view(7), colour='.png')
    assert len(read_views(tmp_path)) == 3


def test_images_are_not_opened_before_they_are_asked_for(tmp_path):
    recorded(tmp_path / 'work')
    cloud = PointCloud(np.zeros((5, 3), np.float32), frame_id='world')
    save_scene(Scene('one', cloud, None, read_views(tmp_path / 'work')), tmp_path, copy=True)
    scene = load_scene(tmp_path / 'one')
    (tmp_path / 'one' / 'depth' / '000001.png').unlink()
    (tmp_path / 'one' / 'rgb' / '000002.png').write_bytes(b'no image')
    assert len(scene.views) == 3
    check_same(scene.views[0], make_view(0))
    with pytest.raises(ValueError, match=r'depth/000001\.png: there is no such image'):
        scene.views[1]
    with pytest.raises(ValueError, match=r'rgb/000002\.png: cannot be read as an image'):
        scene.views[2]


@pytest.mark.parametrize('copy', [False, True])
def test_a_saved_scene_points_at_its_images_or_has_copies(tmp_path, copy):
    views = recorded(tmp_path / 'source')
    cloud = PointCloud(np.zeros((5, 3), np.float32), frame_id='world')
    scene = Scene('one', cloud, None, read_views(tmp_path / 'source'), {'kind': 'office'})
    folder = save_scene(scene, tmp_path / 'out', copy=copy)
    loaded = load_scene(folder)
    assert loaded.facts == {'kind': 'office'}
    check_same(loaded.views[1], views[1])
    assert all(p.is_relative_to(folder) == copy for f in loaded.views.files for p in f.images())
    assert not (folder / 'views.npz').exists() and (folder / 'rgb').exists() == copy


def test_saving_a_scene_over_itself_keeps_its_images(tmp_path):
    views = recorded(tmp_path / 'work')
    cloud = PointCloud(np.zeros((5, 3), np.float32), frame_id='world')
    save_scene(Scene('one', cloud, None, read_views(tmp_path / 'work')), tmp_path, copy=True)
    save_scene(load_scene(tmp_path / 'one'), tmp_path)
    for got, wanted in zip(load_scene(tmp_path / 'one').views, views, strict=True):
        check_same(got, wanted)


def test_a_scene_is_not_saved_over_a_folder_that_is_none(tmp_path):
    (tmp_path / 'one').mkdir()
    (tmp_path / 'one' / 'data.sens').write_text('years of work')
    scene = Scene('one', PointCloud(np.zeros((5, 3), np.float32)))
    with pytest.raises(ValueError, match='one: is there already and is no scene'):
        save_scene(scene, tmp_path)
    assert (tmp_path / 'one' / 'data.sens').read_text() == 'years of work'


def slow_colour(image, own, other, size):
    """Look each pixel of the depth image up in a colour image that is linear in x and y."""
    out = np.zeros((size[1], size[0], 3))
    for v in range(size[1]):
        for u in range(size[0]):
            ray = np.linalg.inv(own.astype(float)) @ (u, v, 1)
            x, y, _ = other.astype(float) @ ray
            inside = -0.5 <= x <= image.shape[1] - 0.5 and -0.5 <= y <= image.shape[0] - 0.5
            out[v, u] = image.astype(float)[0, 0] + (2 * x, 3 * y, x + y) if inside else 0
    return out


@pytest.mark.parametrize(
    ('scale', 'shift'), [(2.0, (0, 0)), (2.0, (1.5, -2.0)), (1.0, (3.0, 0.5)), (0.5, (0, 0.25))]
)
def test_colour_moves_to_the_pixels_of_depth(tmp_path, scale, shift):
    own, other = intrinsics(), intrinsics(scale)
    other[:2, 2] += shift
    size = (round(WIDTH * scale), round(HEIGHT * scale))
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    image = np.stack([2 * x, 3 * y, x + y], axis=-1).astype(np.uint8)
    Image.fromarray(image).save(tmp_path / 'rgb.png')
    got = read_colour(
        tmp_path / 'rgb.png',
        (WIDTH, HEIGHT),
        other.astype(float) @ np.linalg.inv(own.astype(float)),
    )
    wanted = slow_colour(image, own, other, (WIDTH, HEIGHT))
    inner = (slice(2, -2), slice(3, -3))  # at the borders pixels mix with what is outside
    assert np.abs(got[inner] - wanted[inner]).max() <= 1.0


def test_colour_is_black_where_its_camera_does_not_look(tmp_path):
    Image.fromarray(np.full((HEIGHT, WIDTH, 3), 200, np.uint8)).save(tmp_path / 'rgb.png')
    to_colour = np.array([[1, 0, -6.0], [0, 1, 0], [0, 0, 1]])
    got = read_colour(tmp_path / 'rgb.png', (WIDTH, HEIGHT), to_colour)
    assert (got[:, :6] == 0).all() and (got[:, 6:] == 200).all()


def save_counts(path, shape):
    Image.fromarray(np.ones(shape, np.uint16)).save(path)


@pytest.mark.parametrize(
    ('spoil', 'says'),
    [
        (lambda f: save_counts(f / 'depth/000000.png', (9, 8)), 'expected a depth image of 16x12'),
        (lambda f: save_counts(f / 'instance/000000.png', (9, 8)), r'instance/.*expected \[12, 1'),
        (
            lambda f: Image.new('RGB', (32, 24)).save(f / 'rgb/000000.png'),
            r'rgb/000000.png: expected 16x12 .* got 32x24; give rgb_intrinsics',
        ),
        (
            lambda f: Image.new('L', (16, 12)).save(f / 'depth/000000.png'),
            'expected one channel of 16 bits, got an image of kind L',
        ),
        (
            lambda f: (f / 'depth/000000.png').write_bytes(
                (f / 'depth/000000.png').read_bytes()[:120]
            ),
            'depth/000000.png: cannot be read as an image',
        ),
        (
            lambda f: edit_line(f, size=None, intrinsics=intrinsics(3).tolist()),
            'the principal point .* lies outside of 16x12 pixels',
        ),
        (
            lambda f: edit_line(f, rgb_intrinsics=(intrinsics() + 1000).tolist()),
            'rgb_intrinsics do not fit|skewed',
        ),
        (
            lambda f: edit_line(f, rgb_intrinsics=[[20, 0, 900], [0, 21, 5], [0, 0, 1]]),
            'rgb_intrinsics do not fit',
        ),
    ],
)
def test_a_view_that_does_not_fit_names_its_file(tmp_path, spoil, says):
    recorded(tmp_path)
    spoil(tmp_path)
    views = read_views(tmp_path)
    check_same(views[1], make_view(1))
    with pytest.raises(ValueError, match=says):
        views[0]


@pytest.mark.parametrize(
    ('changes', 'says'),
    [
        ({'T_world_camera': [[float('inf')] * 4] * 4}, 'T_world_camera: expected finite numbers'),
        ({'T_world_camera': [[1.0]]}, r'expected finite numbers \[4, 4\]'),
        ({'intrinsics': None}, 'expected an object with rgb, depth, intrinsics'),
        ({'depth_per_metre': 0}, 'depth_per_metre must be positive'),
        ({'size': [3]}, 'a value has the wrong type'),
        ({'rgb': 5}, 'a value has the wrong type'),
    ],
)
def test_a_wrong_line_is_named(tmp_path, changes, says):
    recorded(tmp_path)
    edit_line(tmp_path, **changes)
    with pytest.raises(ValueError, match=rf'views\.jsonl: line 1: .*{says}'):
        read_views(tmp_path)


def test_a_broken_line_before_the_last_is_an_error(tmp_path):
    recorded(tmp_path, 2)
    path = tmp_path / 'views.jsonl'
    path.write_text('{"rgb"\n' + path.read_text())
    with pytest.raises(ValueError, match='line 1: '):
        read_views(tmp_path)


def test_checking_reads_headers_alone(tmp_path):
    recorded(tmp_path)
    entry = read_views(tmp_path).files[0]
    data = entry.depth.read_bytes()
    entry.depth.write_bytes(data[:60])  # the header is whole, the pixels are not
    assert entry.check() is entry and image_size(entry.depth) == (WIDTH, HEIGHT)
    with pytest.raises(ValueError, match='cannot be read'):
        entry.read()
    save_counts(entry.depth, (9, 8))
    with pytest.raises(ValueError, match='expected a depth image of 16x12'):
        entry.check()


def test_images_elsewhere_are_appended_by_their_absolute_path(tmp_path):
    recorded(tmp_path / 'elsewhere')
    entry = read_views(tmp_path / 'elsewhere').files[1]
    append_entry(tmp_path / 'here', entry)
    line = json.loads((tmp_path / 'here' / 'views.jsonl').read_text())
    assert line['rgb'] == str(tmp_path / 'elsewhere' / 'rgb' / '000001.png')
    check_same(read_views(tmp_path / 'here')[0], make_view(1))
    assert isinstance(entry, ViewFile)
