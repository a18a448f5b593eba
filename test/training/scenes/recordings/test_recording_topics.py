from types import SimpleNamespace

import pytest

from folk_ros.training.scenes.recordings.bag import Topic
from folk_ros.training.scenes.recordings.topics import (
    base_topic,
    choose_topics,
    is_rectified,
    NONE,
    TopicNames,
)

CLOUD = 'sensor_msgs/msg/PointCloud2'


class ListedBag:
    """Topics as a driver publishes them: name -> encoding, 'info', 'cloud', or a format."""

    path = 'drive'

    def __init__(self, kinds, frames=()):
        self.kinds, self.frames = kinds, dict(frames)
        self.topics = [Topic(name, self.type_of(name), 5) for name in kinds]

    def type_of(self, name):
        kind = self.kinds[name]
        if kind in ('info', 'cloud'):
            return CLOUD if kind == 'cloud' else 'sensor_msgs/msg/CameraInfo'
        compressed = ';' in kind or kind == 'jpeg'
        return 'sensor_msgs/msg/CompressedImage' if compressed else 'sensor_msgs/msg/Image'

    def of_type(self, *types):
        return [topic for topic in self.topics if topic.type in types]

    def first(self, name):
        kind = self.kinds[name]
        word = 'format' if self.type_of(name).endswith('CompressedImage') else 'encoding'
        header = SimpleNamespace(frame_id=self.frames.get(name, 'optical'))
        return SimpleNamespace(header=header, **{word: kind})

    def listed(self):
        return 'topics: …'


REALSENSE = {
    '/camera/color/image_raw': 'rgb8',
    '/camera/color/image_raw/compressed': 'rgb8; jpeg compressed bgr8',
    '/camera/color/camera_info': 'info',
    '/camera/depth/image_rect_raw': '16UC1',
    '/camera/depth/camera_info': 'info',
    '/camera/aligned_depth_to_color/image_raw': '16UC1',
    '/camera/aligned_depth_to_color/image_raw/compressedDepth': '16UC1; compressedDepth png',
    '/camera/aligned_depth_to_color/camera_info': 'info',
    '/camera/infra1/image_rect_raw': 'mono8',
    '/camera/depth/color/points': 'cloud',
    '/rtabmap/cloud_map': 'cloud',
}
ZED = {
    '/zed/zed_node/left/image_rect_color': 'bgra8',
    '/zed/zed_node/right/image_rect_color': 'bgra8',
    '/zed/zed_node/rgb/image_rect_color': 'bgra8',
    '/zed/zed_node/rgb/camera_info': 'info',
    '/zed/zed_node/depth/depth_registered': '32FC1',
    '/zed/zed_node/depth/camera_info': 'info',
    '/zed/zed_node/disparity/disparity_image': '32FC1',
    '/zed/zed_node/mapping/fused_cloud': 'cloud',
}
ORBBEC = {
    '/camera/color/image_raw': 'rgb8',
    '/camera/color/camera_info': 'info',
    '/camera/depth/image_raw': '16UC1',
    '/camera/depth/camera_info': 'info',
    '/camera/ir/image_raw': 'mono16',
    '/camera/depth/points': 'cloud',
}
ISAAC = {'/rgb': 'rgb8', '/depth': '32FC1', '/camera_info': 'info', '/local_map': 'cloud'}
COMPRESSED = {
    '/front/image/compressed': 'jpeg',
    '/front/camera_info': 'info',
    '/front/depth/compressedDepth': '16UC1; compressedDepth png',
}


@pytest.mark.parametrize(
    ('kinds', 'rgb', 'depth', 'infos', 'cloud'),
    [
        (
            REALSENSE,
            '/camera/color/image_raw',
            '/camera/aligned_depth_to_color/image_raw',
            ('/camera/color/camera_info', '/camera/aligned_depth_to_color/camera_info'),
            '/rtabmap/cloud_map',
        ),
        (
            ZED,
            '/zed/zed_node/rgb/image_rect_color',
            '/zed/zed_node/depth/depth_registered',
            ('/zed/zed_node/rgb/camera_info', '/zed/zed_node/depth/camera_info'),
            '/zed/zed_node/mapping/fused_cloud',
        ),
        (
            ORBBEC,
            '/camera/color/image_raw',
            '/camera/depth/image_raw',
            ('/camera/color/camera_info', '/camera/depth/camera_info'),
            NONE,
        ),
        (ISAAC, '/rgb', '/depth', ('/camera_info', '/camera_info'), NONE),
        (
            COMPRESSED,
            '/front/image/compressed',
            '/front/depth/compressedDepth',
            ('/front/camera_info', '/front/camera_info'),
            NONE,
        ),
    ],
    ids=['realsense', 'zed', 'orbbec', 'isaac', 'compressed'],
)
def test_the_topics_of_usual_cameras_are_found(kinds, rgb, depth, infos, cloud):
    assert choose_topics(ListedBag(kinds), TopicNames()) == TopicNames(rgb, depth, *infos, cloud)


def test_names_that_are_given_are_kept():
    wanted = TopicNames(
        rgb='/zed/zed_node/left/image_rect_color',
        camera_info='/zed/zed_node/rgb/camera_info',
        cloud=NONE,
    )
    chosen = choose_topics(ListedBag(ZED), wanted)
    assert (chosen.rgb, chosen.cloud) == (wanted.rgb, NONE)
    assert chosen.depth == '/zed/zed_node/depth/depth_registered'


def test_a_calibration_elsewhere_is_found_by_its_frame():
    kinds = {'/a/rgb': 'rgb8', '/b/depth': '16UC1', '/x/info': 'info', '/y/info': 'info'}
    frames = {'/a/rgb': 'left', '/x/info': '/left', '/b/depth': 'right', '/y/info': 'right'}
    chosen = choose_topics(ListedBag(kinds, frames), TopicNames())
    assert (chosen.camera_info, chosen.depth_camera_info) == ('/x/info', '/y/info')
    with pytest.raises(ValueError, match=r'expected /a/camera_info .* found /x/info, /y/info'):
        choose_topics(ListedBag(kinds, frames | {'/x/info': 'right'}), TopicNames())


def test_only_the_last_word_says_that_an_image_is_rectified():
    assert is_rectified('/camera/image_rect_color/compressed')
    assert not is_rectified('/direct/image_raw')
    assert base_topic('/camera/image_raw/compressedDepth') == '/camera/image_raw'
    assert base_topic('/camera/image_raw') == '/camera/image_raw'
