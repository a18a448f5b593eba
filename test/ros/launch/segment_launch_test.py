"""
Node and player under launch_testing: launch_test test/ros/launch/segment_launch_test.py.

Collected by launch_test alone; test_under_ros.py runs it where ROS 2 is installed.
"""

from pathlib import Path
import shutil
import subprocess
import sys
import unittest

from launch.actions import ExecuteProcess
from launch_testing.actions import ReadyToTest
import launch_testing.asserts
import rclpy

from launch import LaunchDescription

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from node_support import get_parameters, Peer, set_parameter, status, wait_for  # noqa: E402


def generate_test_description():
    node = ExecuteProcess(
        cmd=[sys.executable, str(HERE.parent / 'node_support.py'), '--ros-args']
        + ['-p', 'cloud_topics:=/cloud', '-p', 'standing_query:=[red thing]'],
        output='screen',
    )
    player = ExecuteProcess(cmd=[sys.executable, str(HERE / 'player.py')], output='screen')
    return LaunchDescription([node, player, ReadyToTest()]), {'node': node, 'player': player}


class TestRunning(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        rclpy.init()
        cls.peer = Peer().watch()

    @classmethod
    def tearDownClass(cls):
        cls.peer.close()
        rclpy.try_shutdown()

    def setUp(self):
        wait_for(lambda: self.peer.instances, 60, 'a scene')

    def test_scenes_come_and_questions_are_answered(self):
        answer = self.peer.ask(['red thing', 'grand piano'])
        assert answer.success and [i.text for i in answer.instances] == ['red thing']
        assert answer.header.frame_id == 'map'
        assert status(self.peer, 'model')[2]['runtime'] == 'rclpy'

    def test_parameters_are_read_and_set(self):
        assert set_parameter(self.peer, 'query.min_score', 0.5).successful
        (value,) = get_parameters(self.peer, 'query.min_score')
        assert value.double_value == 0.5
        refused = set_parameter(self.peer, 'query.min_score', 7.0)
        assert not refused.successful and refused.reason

    @unittest.skipIf(shutil.which('ros2') is None, 'the command ros2 is not there')
    def test_ros2_node_info_lists_what_the_readme_promises(self):
        done = subprocess.run(
            ['ros2', 'node', 'info', '/folk', '--no-daemon', '--spin-time', '5'],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        listed = {line.strip() for line in done.stdout.splitlines()}
        assert {
            '/cloud: sensor_msgs/msg/PointCloud2',
            '/folk/query_text: std_msgs/msg/String',
            '/folk/markers: visualization_msgs/msg/MarkerArray',
            '/folk/instances: folk_ros/msg/InstanceArray',
            '/folk/segmented_cloud: sensor_msgs/msg/PointCloud2',
            '/folk/ready: std_msgs/msg/Bool',
            '/diagnostics: diagnostic_msgs/msg/DiagnosticArray',
            '/folk/query: folk_ros/srv/Query',
            '/folk/save: std_srvs/srv/Trigger',
            '/folk/load: std_srvs/srv/Trigger',
        } <= listed, listed

    def test_a_question_may_be_remembered_and_forgotten(self):
        assert self.peer.ask(['blue thing'], remember=True).success
        answer = self.peer.ask([], remember=True)
        assert answer.success and "'blue thing'" in answer.message


@launch_testing.post_shutdown_test()
class TestEnd(unittest.TestCase):
    def test_every_process_ended_in_order(self, proc_info):
        launch_testing.asserts.assertExitCodes(proc_info)
