"""Frames: answers stay in that of the cloud, wherever it is segmented, also from a file."""

from colour_folk import room
from node_support import call, node_process, publish_until, set_parameter, wait_for
import numpy as np
import pytest

from folk_ros.ros import runtime
from folk_ros.ros.conversions import to_point_cloud2

pytestmark = pytest.mark.dds


@pytest.fixture
def camera(peer):
    """A camera 1 m above the ground that looks along x; returns its view of a blue cube."""
    frames = peer.publisher('/tf_static', 'tf2_msgs/msg/TFMessage', latched=True)
    link = runtime.message('geometry_msgs/msg/TransformStamped')()
    link.header.frame_id, link.child_frame_id = 'base_link', 'cam_optical_frame'
    turn = link.transform.rotation
    turn.x, turn.y, turn.z, turn.w = -0.5, 0.5, -0.5, 0.5
    link.transform.translation.z = 1.0
    frames.publish(runtime.message('tf2_msgs/msg/TFMessage')(transforms=[link]))
    upright = room(colours=(2,))  # a cube at x 2.0 to 2.4, y 0 to 0.4, z 0 to 0.4
    x, y, z = (upright.xyz - [0, 0, 1]).T
    optical = room(colours=(2,), frame_id='cam_optical_frame')
    optical.xyz[:] = np.stack([-y, -z, x], 1)
    return to_point_cloud2(optical)


def stands_before_the_camera(scene):
    """Check that the box of the cube is in the camera's frame, and upright in the room."""
    (blue,) = scene.instances
    assert scene.header.frame_id == 'cam_optical_frame'
    p = blue.pose.position
    assert [p.x, p.y, p.z] == pytest.approx([-0.2, 0.8, 2.2], abs=0.05)
    q = np.array([blue.pose.orientation.x, blue.pose.orientation.y, blue.pose.orientation.z])
    w = blue.pose.orientation.w
    up = 2 * q * q[2] + (2 * w * w - 1) * np.array([0, 0, 1]) + 2 * w * np.cross(q, [0, 0, 1])
    assert up == pytest.approx([0, -1, 0], abs=1e-3)  # the box's own z points up in the room


def test_an_optical_cloud_is_answered_in_its_own_frame_with_boxes_that_stand(
    tmp_path, peer, camera
):
    with node_process(tmp_path) as (_, log):
        publish_until(peer.clouds, camera, lambda: peer.instances, 'a scene', period_s=1.0)
        wait_for(lambda: "segmenting in 'base_link'" in log.read_text(), what='what was chosen')
        peer.clouds.publish(camera)
        wait_for(lambda: peer.instances[-1].instances, what='the thing')
    stands_before_the_camera(peer.instances[-1])


def test_a_scene_from_a_file_is_answered_in_the_frame_in_which_it_was_published(
    tmp_path, peer, camera
):
    parameters = {'scene_folder': str(tmp_path), 'inference_frame': 'base_link'}
    trigger = 'std_srvs/srv/Trigger'
    with node_process(tmp_path, parameters):
        seen = publish_until(
            peer.clouds,
            camera,
            lambda: [one for one in peer.instances if one.instances],
            'the thing',
            period_s=1.0,
        )[-1]
        assert set_parameter(peer, 'scene_file', 'room.safetensors').successful
        assert call(peer, trigger, '/folk/save').success
    with node_process(tmp_path, {**parameters, 'scene_file': 'room.safetensors'}) as (_, log):
        wait_for(lambda: 'is ready' in log.read_text(), what='the model')
        before = len(peer.instances)
        answer = call(peer, trigger, '/folk/load')
        assert answer.success and "'cam_optical_frame'" in answer.message, answer.message
        wait_for(lambda: peer.instances[before:], what='the scene')
        assert peer.ask(['blue thing']).header.frame_id == 'cam_optical_frame'
    again = peer.instances[-1]
    stands_before_the_camera(again)
    assert again.header == seen.header
    assert [one.pose for one in again.instances] == [one.pose for one in seen.instances]
