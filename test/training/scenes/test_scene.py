"""Scene folders: what is saved is what is loaded."""

import dataclasses

import numpy as np
import pytest

from folk_ros.structures import PointCloud
from folk_ros.training.scenes.scene import GroundTruth, load_scene, save_scene, Scene, View


def small_scene(rng=None, truth=True):
    rng = rng or np.random.default_rng(0)
    views = []
    for k in range(3):
        pose = np.eye(4, dtype=np.float32)
        pose[:3, 3] = k
        views.append(
            View(
                rgb=rng.integers(0, 256, (6, 8, 3)).astype(np.uint8),
                depth=(rng.integers(0, 4000, (6, 8)) / np.float32(1000)).astype(np.float32),
                intrinsics=np.diag([10, 11, 1]).astype(np.float32),
                T_world_camera=pose,
                instance=rng.integers(-1, 2, (6, 8)).astype(np.int32),
            )
        )
    cloud = PointCloud(
        rng.normal(size=(20, 3)).astype(np.float32),
        rng.integers(0, 256, (20, 3)).astype(np.uint8),
        'world',
    )
    known = GroundTruth(
        point_instance=rng.integers(-1, 2, 20).astype(np.int32),
        names=['chair', 'cup'],
        captions=(('chair', 'something to sit on'), ('cup', 'a red cup')),
        novel=np.array([False, True]),
    )
    return Scene('train_00000', cloud, known if truth else None, views, {'kind': 'office'})


def same_view(a, b):
    return all(
        np.array_equal(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(View)
    )


def test_a_saved_scene_is_the_loaded_scene(tmp_path):
    scene = small_scene()
    loaded = load_scene(save_scene(scene, tmp_path))
    assert loaded.scene_id == scene.scene_id and loaded.facts == scene.facts
    assert np.array_equal(loaded.cloud.xyz, scene.cloud.xyz)
    assert np.array_equal(loaded.cloud.rgb, scene.cloud.rgb)
    assert np.array_equal(loaded.truth.point_instance, scene.truth.point_instance)
    assert loaded.truth.names == scene.truth.names
    assert loaded.truth.captions == scene.truth.captions
    assert np.array_equal(loaded.truth.novel, scene.truth.novel)
    assert len(loaded.views) == 3
    assert all(same_view(a, b) for a, b in zip(loaded.views, scene.views, strict=True))
    assert same_view(loaded.views[-1], scene.views[2])
    assert [view.rgb.shape for view in loaded.views[1:]] == [(6, 8, 3)] * 2


def test_a_scene_without_truth_or_views_can_be_saved(tmp_path):
    scene = small_scene(truth=False)
    scene = dataclasses.replace(scene, views=())
    loaded = load_scene(save_scene(scene, tmp_path))
    assert loaded.truth is None and len(loaded.views) == 0


def test_a_view_out_of_range_is_an_index_error(tmp_path):
    loaded = load_scene(save_scene(small_scene(), tmp_path))
    with pytest.raises(IndexError, match='view 3 of 3'):
        loaded.views[3]


def test_a_scene_that_cannot_be_written_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError('disk full')

    monkeypatch.setattr(np, 'savez_compressed', fail)
    with pytest.raises(OSError, match='disk full'):
        save_scene(small_scene(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_leaves_is_no_scene(tmp_path, monkeypatch):
    def die(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr('os.replace', die)
    monkeypatch.setattr('shutil.rmtree', lambda *args, **kwargs: None)  # no time to clean up
    with pytest.raises(KeyboardInterrupt):
        save_scene(small_scene(), tmp_path)
    assert list(tmp_path.rglob('cloud.npz')) and not list(tmp_path.glob('*/cloud.npz'))
    monkeypatch.undo()
    assert load_scene(save_scene(small_scene(), tmp_path)).scene_id == 'train_00000'


def test_saving_again_replaces_the_whole_scene(tmp_path):
    save_scene(small_scene(np.random.default_rng(1)), tmp_path)
    other = small_scene(np.random.default_rng(2))
    folder = save_scene(other, tmp_path)
    assert np.array_equal(load_scene(folder).cloud.xyz, other.cloud.xyz)
    assert [path.name for path in tmp_path.iterdir()] == ['train_00000']


def test_a_truncated_file_is_named(tmp_path):
    folder = save_scene(small_scene(), tmp_path)
    (folder / 'cloud.npz').write_bytes((folder / 'cloud.npz').read_bytes()[:100])
    with pytest.raises(ValueError, match=r'cloud\.npz'):
        load_scene(folder)


def test_a_folder_that_is_no_scene_is_named(tmp_path):
    with pytest.raises(ValueError, match=r'cloud\.npz is missing'):
        load_scene(tmp_path / 'nothing')


def test_a_truth_without_names_is_refused(tmp_path):
    folder = save_scene(small_scene(), tmp_path)
    (folder / 'truth.json').write_text('{"captions": [], "novel": []}')
    with pytest.raises(ValueError, match=r"truth\.json.*\['names'\]"):
        load_scene(folder)


def test_ids_beyond_the_names_are_refused():
    with pytest.raises(ValueError, match=r'ids in \[-1, 1\)'):
        GroundTruth(np.array([0, 1], np.int32), ['chair'], (('chair',),), np.array([False]))


def test_a_view_with_images_of_different_sizes_is_refused():
    view = small_scene().views[0]
    with pytest.raises(ValueError, match='View.depth'):
        dataclasses.replace(view, depth=np.zeros((5, 8), np.float32))
