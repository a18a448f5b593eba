"""What is missing in a recording is said with its name, the topics it has and what to do."""

import re

from bag_support import (
    camera_info,
    frames,
    image,
    K,
    pose_of,
    Recipe,
    room_cloud,
    START,
    STORAGES,
    transform,
    write_bag,
)
import numpy as np
import pytest

from folk_ros.training.scenes.recordings.keyframes import KeyframeConfig
from folk_ros.training.scenes.recordings.recording import import_recording, RecordingConfig
from folk_ros.training.scenes.recordings.topics import TopicNames
from folk_ros.training.scenes.scene import load_scene

SHORT = 1.0  # seconds
RGB = np.zeros((48, 64, 3), np.uint8)


def refusal(tmp_path, recipe, config=None):
    """The sentence with which a recording is refused; nothing may be left in the folder."""
    bag = write_bag(tmp_path / 'office', recipe)
    with pytest.raises(ValueError, match='office') as raised:
        import_recording(bag, tmp_path / 'out', 'room', config)
    assert list((tmp_path / 'out').iterdir()) == []
    return str(raised.value)


@pytest.mark.parametrize(
    ('without', 'said'),
    [
        (('/tf',), 'expected transforms on /tf and /tf_static, found none; record them'),
        (('/color/image_raw',), 'expected a topic of colour images, found none'),
        (('/aligned',), 'expected a topic of depth images, found none'),
        (('camera_info',), 'expected /camera/color/camera_info .* found none'),
        (('/camera', '/tf', '/cloud'), r'found none; .*\(topics: none\)'),
    ],
)
def test_what_is_missing_is_named_with_the_topics_there_are(tmp_path, without, said):
    sentence = refusal(tmp_path, Recipe(seconds=SHORT, without=without))
    assert re.search(said, sentence), sentence
    if '/tf' not in without:
        assert '/tf (tf2_msgs/msg/TFMessage, 12 messages)' in sentence


def test_frames_that_are_not_connected_are_named(tmp_path):
    sentence = refusal(tmp_path, Recipe(seconds=SHORT, without=('/tf_static',)))
    assert "is in frame 'camera_optical', which TF does not connect with 'map'" in sentence
    assert 'frames in TF: base, odom' in sentence


def test_a_fixed_frame_that_does_not_exist_is_named(tmp_path):
    config = RecordingConfig(fixed_frame='world')
    sentence = refusal(tmp_path, Recipe(seconds=SHORT), config)
    assert "does not connect with 'world'" in sentence
    assert 'frames in TF: base, camera, camera_optical, colour_optical, map, odom' in sentence


def test_a_camera_that_hangs_on_nothing_is_no_scene(tmp_path):
    tf = frames(transform(START, 'map', 'base', pose_of([0, 0, 0])))
    recipe = Recipe(seconds=SHORT, without=('/tf', '/cloud'), extra={'/moves': tf})
    assert 'the camera is its own fixed frame' in refusal(tmp_path, recipe)


def test_images_of_another_time_than_the_transforms_have_no_pose(tmp_path):
    sentence = refusal(tmp_path, Recipe(seconds=SHORT, tf_ahead_s=1000.0))
    assert "none of 10 images has a pose in 'map'" in sentence
    assert 'the oldest one is 999.950 s younger' in sentence


def test_images_without_a_time_have_no_pose(tmp_path):
    rgb = image(0, 'camera_optical', RGB, 'rgb8')
    depth = image(0, 'camera_optical', RGB[..., 0].astype(np.uint16), '16UC1')
    recipe = Recipe(seconds=SHORT, without=('image_raw',), extra={'/rgb': rgb, '/depth': depth})
    names = TopicNames(camera_info='/camera/color/camera_info')
    sentence = refusal(tmp_path, recipe, RecordingConfig(names))
    assert 'the images bear no time (stamp 0)' in sentence


def test_photographs_too_late_for_their_depth_are_no_pair(tmp_path):
    config = RecordingConfig(keyframes=KeyframeConfig(max_delay_s=0.01))
    sentence = refusal(tmp_path, Recipe(seconds=SHORT, rgb_delay_s=0.04), config)
    assert 'was taken within 0.01 s of one of /camera/aligned' in sentence


def test_an_encoding_that_is_not_known_is_named(tmp_path):
    sentence = refusal(tmp_path, Recipe(seconds=SHORT, rgb_encoding='bayer_rggb8'))
    assert '/camera/color/image_raw is bayer_rggb8' in sentence
    names = TopicNames(rgb='/camera/color/image_raw')
    sentence = refusal(
        tmp_path / 'b', Recipe(seconds=SHORT, rgb_encoding='yuv422'), RecordingConfig(names)
    )
    assert 'no image can be read: colour image: expected encoding rgb8' in sentence
    assert "got 'yuv422'" in sentence


def test_images_of_another_size_than_their_calibration_are_refused(tmp_path):
    info = camera_info(START, 'camera_optical', K, (320, 240))
    recipe = Recipe(seconds=SHORT, without=('color/camera_info',), extra={'/info': info})
    names = TopicNames(camera_info='/info')
    sentence = refusal(tmp_path, recipe, RecordingConfig(names))
    assert 'expected 320x240 pixels, as its camera_info says, got 64x48' in sentence


def test_one_damaged_image_does_not_stop_the_others(tmp_path):
    bag = write_bag(tmp_path / 'bag', Recipe(seconds=3.0, cut_first=True))
    scene = load_scene(import_recording(bag, tmp_path, 'room'))
    assert scene.facts['unreadable'] == 1
    assert len(scene.views) == scene.facts['views'] > 1


@pytest.mark.parametrize(
    ('extra', 'said'),
    [
        ({'/other_map': room_cloud(START)}, 'several topics could be the fused cloud: /cloud_map'),
        (
            {'/rear/color/image_raw': image(START, 'rear', RGB, 'rgb8')},
            'several topics could be the colour images: /camera/color/image_raw, /rear',
        ),
    ],
)
def test_several_topics_that_would_do_are_for_the_user_to_choose(tmp_path, extra, said):
    sentence = refusal(tmp_path, Recipe(seconds=SHORT, extra=extra))
    assert said in sentence
    assert 'choose one with --' in sentence


@pytest.mark.parametrize(
    ('names', 'said'),
    [
        (TopicNames(rgb='/nowhere'), '--rgb /nowhere: no such topic (topics: /camera/'),
        (TopicNames(depth='/tf'), '--depth /tf: expected messages of sensor_msgs/msg/Image or'),
        (TopicNames(cloud='/tf'), 'got 12 of tf2_msgs/msg/TFMessage'),
    ],
)
def test_topics_named_wrongly_are_refused(tmp_path, names, said):
    assert said in refusal(tmp_path, Recipe(seconds=SHORT), RecordingConfig(names))


def test_a_cloud_that_cannot_be_read_is_refused_with_a_way_out(tmp_path):
    cloud = room_cloud(START)
    cloud.data = cloud.data[:1000]
    recipe = Recipe(seconds=SHORT, cloud=False, extra={'/fused': cloud})
    sentence = refusal(tmp_path, recipe)
    assert '/fused: cloud data:' in sentence and 'or say --cloud none' in sentence


@pytest.mark.parametrize('storage', STORAGES)
@pytest.mark.parametrize('keep', [0.3, 0.7, 0.98])
def test_a_recording_cut_off_is_called_that(tmp_path, storage, keep):
    bag = write_bag(tmp_path / 'office', Recipe(seconds=SHORT), storage)
    (file,) = (path for path in bag.iterdir() if path.name != 'metadata.yaml')
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * keep)])
    for path in (bag, file):
        with pytest.raises(ValueError, match='office.*(damaged or was cut off|found none)'):
            import_recording(path, tmp_path / 'out', 'room')
    assert list((tmp_path / 'out').iterdir()) == []


def test_changed_bytes_end_in_a_sentence_or_in_a_scene(tmp_path):
    rng = np.random.default_rng(0)
    bag = write_bag(tmp_path / 'office', Recipe(seconds=0.5), 'mcap')
    (file,) = bag.glob('*.mcap')
    whole = np.frombuffer(file.read_bytes(), np.uint8)
    refused = 0
    for trial in range(12):
        changed = whole.copy()
        changed[rng.integers(len(whole) - 3000, len(whole), 30)] = rng.integers(0, 256, 30)
        file.write_bytes(changed.tobytes())
        try:
            import_recording(file, tmp_path / 'out', f'room{trial}')
        except ValueError as error:
            assert 'office' in str(error)
            refused += 1
    assert refused > 0


@pytest.mark.parametrize(
    ('name', 'said'),
    [
        ('missing', 'no such recording'),
        ('a.txt', 'expected a folder of ros2'),
        ('empty', 'found none'),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path, name, said):
    (tmp_path / 'a.txt').write_text('hello')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match=said):
        import_recording(tmp_path / name, tmp_path / 'out', 'room')


@pytest.mark.parametrize('scene_id', ['', 'a/b', '.hidden', '..'])
def test_a_scene_needs_a_plain_name(tmp_path, scene_id):
    with pytest.raises(ValueError, match='expected a plain name'):
        import_recording(tmp_path / 'bag', tmp_path, scene_id)


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match='cell_m: expected more than 0, got -1'):
        RecordingConfig(cell_m=-1)
