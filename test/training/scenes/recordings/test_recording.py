"""Whole recordings, written here with rosbags, become scenes; broken ones become sentences."""

from dataclasses import replace
import tracemalloc

from bag_support import (
    as_ros1,
    BASELINE_M,
    HEIGHT,
    K,
    look,
    paint,
    pose_of,
    Recipe,
    room_cloud,
    SECOND,
    standing,
    START,
    STORAGES,
    true_pose,
    wall_distance,
    WIDTH,
    write_bag,
)
import numpy as np
import pytest

from folk_ros.training.scenes.fusion.fuse import back_project
from folk_ros.training.scenes.recordings import recording
from folk_ros.training.scenes.recordings.bag import open_bag
from folk_ros.training.scenes.recordings.keyframes import KeyframeConfig
from folk_ros.training.scenes.recordings.recording import import_recording, RecordingConfig
from folk_ros.training.scenes.recordings.survey import find_keyframes, survey
from folk_ros.training.scenes.recordings.topics import choose_topics, TopicNames
from folk_ros.training.scenes.scene import load_scene


def imported(tmp_path, recipe=None, storage='mcap', config=None):
    """The scene of a recording, and the stamps of its views."""
    bag = write_bag(tmp_path / 'bag', recipe, storage)
    scene = load_scene(import_recording(bag, tmp_path / 'out', 'room', config))
    return scene, [entry.stamp_ns for entry in scene.views.files]


@pytest.mark.parametrize('storage', STORAGES)
def test_views_stand_where_the_camera_was_and_show_what_it_saw(tmp_path, storage):
    scene, stamps = imported(tmp_path, storage=storage)
    assert len(scene.views) == len(stamps) > 3
    for view, stamp in zip(scene.views, stamps, strict=True):
        pose = true_pose(Recipe(), stamp)
        np.testing.assert_allclose(view.T_world_camera, pose, atol=1e-5)
        depth, rgb = look(pose, K, WIDTH, HEIGHT)
        depth[:3] = 0
        np.testing.assert_allclose(view.depth, depth, atol=0.0006)
        assert abs(view.rgb.astype(int) - rgb).mean() < 2  # JPEG
    assert scene.truth is None
    assert scene.facts['colour'] == 'registered'
    assert (scene.facts['depth_images'], scene.facts['frames_without_pose']) == (60, 0)


def test_points_of_the_views_lie_on_the_cloud_of_the_last_message(tmp_path):
    scene, _ = imported(tmp_path)
    assert scene.facts['cloud'] == '/cloud_map'
    assert wall_distance(scene.cloud.xyz).max() < 1e-4
    assert abs(scene.cloud.rgb.astype(int) - paint(scene.cloud.xyz)).max() <= 1
    for view in scene.views:
        xyz, _ = back_project(view)
        assert wall_distance(xyz).max() < 0.002


def test_keyframes_are_as_far_apart_as_was_asked(tmp_path):
    _, near = imported(tmp_path / 'a')
    config = RecordingConfig(keyframes=KeyframeConfig(distance_m=0.6, angle_deg=90))
    _, far = imported(tmp_path / 'b', config=config)
    assert len(far) == 3 < len(near)
    for stamps, limit in ((near, 0.25), (far, 0.6)):
        places = np.array([true_pose(Recipe(), stamp)[:3, 3] for stamp in stamps])
        assert (np.linalg.norm(np.diff(places, axis=0), axis=1) < limit + 0.06).all()


def test_a_camera_that_stands_gives_one_view(tmp_path):
    scene, stamps = imported(tmp_path, Recipe(path=standing))
    assert stamps == [START]
    assert len(scene.views) == 1


def test_without_a_fused_cloud_it_is_made_from_the_views(tmp_path):
    scene, _ = imported(tmp_path, Recipe(cloud=False))
    assert scene.facts['cloud'].startswith(f'fused from {len(scene.views)} views')
    assert len(scene.cloud) > 1000
    assert np.percentile(wall_distance(scene.cloud.xyz), 95) < 0.02


def test_the_cloud_of_a_single_image_is_not_taken_for_a_map(tmp_path):
    extra = {'/camera/depth/color/points': room_cloud(START, 'camera_optical')}
    scene, _ = imported(tmp_path, Recipe(cloud=False, extra=extra))
    assert scene.facts['cloud'].startswith('fused')


def test_a_cloud_in_another_frame_is_moved_to_the_fixed_one(tmp_path):
    later = START + 2 * SECOND + SECOND // 30
    pose = true_pose(Recipe(), later)
    extra = {'/my_cloud': room_cloud(later, 'camera_optical')}
    config = RecordingConfig(TopicNames(cloud='/my_cloud'), fixed_frame='map')
    scene, _ = imported(tmp_path, Recipe(cloud=False, extra=extra), config=config)
    inverse = np.linalg.inv(pose)
    back = scene.cloud.xyz @ inverse[:3, :3].T + inverse[:3, 3]
    assert wall_distance(back).max() < 1e-4
    assert scene.facts['fixed_frame'] == 'map'


def test_the_fixed_frame_can_be_chosen(tmp_path):
    config = RecordingConfig(fixed_frame='/odom')
    scene, stamps = imported(tmp_path, config=config)
    in_odom = pose_of([0, 0, -0.1]) @ true_pose(Recipe(), stamps[-1])
    np.testing.assert_allclose(scene.views[-1].T_world_camera, in_odom, atol=1e-5)
    assert scene.cloud.xyz[:, 2].min() == pytest.approx(-0.1, abs=1e-5)


def test_two_cameras_are_brought_together_through_tf_at_both_stamps(tmp_path):
    recipe = Recipe(registered=False, rgb_delay_s=0.03)
    bag_path = write_bag(tmp_path / 'bag', recipe)
    with open_bag(bag_path) as bag:
        found = survey(bag, choose_topics(bag, TopicNames()), lambda done: None)
        frames, _ = find_keyframes(bag, found, 'map', KeyframeConfig())
    assert not found.registered
    for frame in frames:
        later = true_pose(recipe, frame.stamp_ns + round(0.03 * SECOND))
        colour = later @ pose_of([BASELINE_M, 0, 0])
        wanted = np.linalg.inv(colour) @ true_pose(recipe, frame.stamp_ns)
        np.testing.assert_allclose(frame.T_colour_depth, wanted, atol=1e-4)
    scene = load_scene(import_recording(bag_path, tmp_path, 'room'))
    for view in scene.views:
        _, rgb = look(view.T_world_camera.astype(float), K, WIDTH, HEIGHT)
        seen = view.rgb.min(-1) > 10
        assert seen.mean() > 0.6
        assert np.median(abs(view.rgb.astype(int) - rgb)[seen]) <= 2  # JPEG
    assert scene.facts['colour'].startswith('moved')


@pytest.mark.parametrize(
    'recipe',
    [
        Recipe(rgb_encoding='bgra8', depth_encoding='32FC1'),
        Recipe(rgb_encoding='jpeg', depth_encoding='32FC1 compressedDepth'),
        Recipe(rgb_encoding='png', depth_encoding='16UC1 compressedDepth'),
    ],
    ids=['raw', 'jpeg', 'png'],
)
def test_compressed_topics_are_found_and_read(tmp_path, recipe):
    scene, stamps = imported(tmp_path, replace(recipe, seconds=2.0))
    depth, rgb = look(true_pose(recipe, stamps[0]), K, WIDTH, HEIGHT)
    depth[:3] = 0
    np.testing.assert_allclose(scene.views[0].depth, depth, atol=0.002)
    assert abs(scene.views[0].rgb.astype(int) - rgb).mean() < 3


def test_images_before_the_first_transform_are_counted_not_guessed(tmp_path):
    late = write_bag(tmp_path / 'late', Recipe())
    with open_bag(late) as bag:
        found = survey(bag, choose_topics(bag, TopicNames()), lambda done: None)
        link = found.tree._links['base']
        link.stamps, link.numbers = link.stamps[10:], link.numbers[70:]
        frames, counts = find_keyframes(bag, found, 'map', KeyframeConfig())
    assert counts == {'depth_images': 60, 'pairs': 60, 'frames_without_pose': 10}
    assert frames[0].stamp_ns == START + SECOND


def test_measurements_too_far_away_are_left_out(tmp_path):
    scene, _ = imported(tmp_path, config=RecordingConfig(max_depth_m=2.5))
    assert 0 < max(view.depth.max() for view in scene.views) <= 2.5


def test_a_single_storage_file_and_a_folder_without_metadata_are_read_too(tmp_path):
    for storage, name in (('sqlite3', 'one.db3'), ('mcap', 'two.mcap')):
        folder = write_bag(tmp_path / name.split('.')[0], Recipe(seconds=1.0), storage)
        assert import_recording(folder / name, tmp_path / 'out', storage).is_dir()
        (folder / 'metadata.yaml').unlink()
        assert import_recording(folder, tmp_path / 'out', f'{storage}_bare').is_dir()


def test_a_ros_1_bag_is_read_as_well(tmp_path):
    path = as_ros1(write_bag(tmp_path / 'bag', Recipe(seconds=2.0)), tmp_path / 'old.bag')
    scene = load_scene(import_recording(path, tmp_path, 'old'))
    assert wall_distance(scene.cloud.xyz).max() < 1e-4
    assert len(scene.views) > 1


@pytest.mark.parametrize('storage', STORAGES)
def test_memory_does_not_grow_with_the_recording(tmp_path, storage):
    bag = write_bag(tmp_path / 'bag', Recipe(scale=4, seconds=8.0, path=standing), storage)
    import_recording(bag, tmp_path / 'out', 'warm')  # imports are not counted
    tracemalloc.start()
    import_recording(bag, tmp_path / 'out', 'room')
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8e6  # the images alone are 20 MB


def test_what_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    bag = write_bag(tmp_path / 'bag', Recipe(seconds=1.0))

    def fail(*_, **__):
        raise OSError('the disk is full')

    monkeypatch.setattr(recording, 'append_view', fail)
    with pytest.raises(OSError, match='full'):
        import_recording(bag, tmp_path / 'out', 'room')
    assert list((tmp_path / 'out').iterdir()) == []


def test_progress_ends_with_all_views(tmp_path):
    said = []
    bag = write_bag(tmp_path / 'bag')
    import_recording(bag, tmp_path, 'room', progress=lambda *step: said.append(step))
    assert said[0][0] == 'messages'
    stage, done, total = said[-1]
    assert stage == 'views' and done == total > 3
