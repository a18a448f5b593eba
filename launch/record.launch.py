"""
Record the RGB-D camera of a running robot as a scene folder; Ctrl-C ends.

    ros2 launch folk_ros record.launch.py folder:=scenes/kitchen
    ros2 run folk_ros folk record scenes/kitchen --finish
"""

from __future__ import annotations

import os
from pathlib import Path
import shutil
from typing import Any

from ament_index_python.packages import get_package_prefix, PackageNotFoundError
from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction, Shutdown

from launch import LaunchContext, LaunchDescription

ARGUMENTS = (  # name, default, what it is for
    ('folder', 'scenes/recording', 'Scene folder to write; one that was interrupted goes on'),
    ('rgb', '', 'Topic of colour images; default: found by type and name'),
    ('depth', '', 'Topic of depth images'),
    ('camera_info', '', 'Topic of the calibration of the colour camera'),
    ('depth_camera_info', '', 'Topic of the calibration of the depth camera'),
    ('cloud', '', "Topic of the fused cloud; 'none': made from the images"),
    ('fixed_frame', '', 'World of the scene; default: map, odom or world'),
    ('distance', '', 'Keep an image when the camera moved this far (m)'),
    ('angle', '', 'Or turned this far (degrees)'),
    ('max_delay', '', 'Longest time between depth and colour (s)'),
    ('max_size', '', 'End when the folder has grown to this (GB)'),
    ('seconds', '', 'End after so long (s)'),
    ('python_env', '', 'Virtual environment that has Pillow and numpy, as in /home/me/venv'),
)
# ros2 launch ends its processes only at Ctrl-C: told to by SIGTERM, or killed, it leaves them
ENDS_WITH_LAUNCH = 'setpriv --pdeathsig TERM' if shutil.which('setpriv') else ''  # util-linux
NOT_OPTIONS = ('folder', 'python_env')


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; what they lead to is decided when they are known."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, default, text in ARGUMENTS
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=_start)])


def _start(context: LaunchContext) -> list[Any]:
    given = {name: context.launch_configurations[name].strip() for name, *_ in ARGUMENTS}
    command = [_python(given), '-m', 'folk_ros.cli', 'record', given['folder']]
    for name, value in given.items():
        if value and name not in NOT_OPTIONS:
            command += [f'--{name.replace("_", "-")}', value]
    return [
        ExecuteProcess(
            cmd=command,
            name='record',
            output='screen',
            prefix=ENDS_WITH_LAUNCH or None,
            additional_env=_environment(),
            on_exit=[Shutdown(reason='the recording has ended')],
        )
    ]


def _python(given: dict[str, str]) -> str:
    environment = given['python_env']
    return str(Path(environment).expanduser() / 'bin' / 'python3') if environment else 'python3'


def _environment() -> dict[str, str]:
    """Return what a bare source tree needs: the module, and messages without a colcon build."""
    try:
        get_package_prefix('folk_ros')
    except PackageNotFoundError:
        source = str(Path(__file__).resolve().parents[1])
        path = os.pathsep.join([source, *filter(None, [os.environ.get('PYTHONPATH')])])
        return {'PYTHONPATH': path, 'FOLK_ROS_RUNTIME': 'embedded'}
    return {}
