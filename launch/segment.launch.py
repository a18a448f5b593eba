"""
Start the node, RViz where there is a screen, and on demand a bag or the shipped demo cloud.

    ros2 launch folk_ros segment.launch.py cloud_topics:="['/rtabmap/cloud_map']"
    ros2 launch folk_ros segment.launch.py demo:=true
"""

from __future__ import annotations

import os
from pathlib import Path
import shutil
from typing import Any

from ament_index_python.packages import get_package_prefix, PackageNotFoundError
from launch.actions import DeclareLaunchArgument, ExecuteProcess, LogInfo, OpaqueFunction
from launch_ros.actions import Node
import yaml

from launch import LaunchContext, LaunchDescription

SCREEN = 'true' if os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY') else 'false'
BOOLEAN = ['true', 'false']
ARGUMENTS = (  # name, default, what it is for, choices
    ('cloud_topics', '', "Fused PointCloud2 topics, as in \"['/a', '/b']\" or /a", None),
    ('params_file', '', 'Parameter file; default: config/folk.yaml of this package', None),
    ('device', '', "Where the network runs: 'auto', 'cpu', 'cuda', 'cuda:1'", None),
    ('model', '', 'Folder of the student, or the name of a shipped one', None),
    ('fixed_frame', '', 'Frame in which clouds are fused and shown', None),
    ('rviz', SCREEN, 'Start RViz (default: where there is a screen)', BOOLEAN),
    ('use_sim_time', 'false', 'Take the time from /clock', BOOLEAN),
    ('bag', '', 'Bag to play, with its clock; sets use_sim_time', None),
    ('demo', 'false', 'Play the shipped demo cloud, with config/demo.yaml', BOOLEAN),
    ('log_level', 'info', 'debug, info, warn, error or fatal', None),
    ('python_env', '', 'Virtual environment that has torch, as in /home/me/venv', None),
    ('namespace', '', 'Namespace of the node, as in robot1', None),
)
# ros2 launch ends the others only at Ctrl-C: told to by SIGTERM, or killed, it leaves them running
ENDS_WITH_LAUNCH = 'setpriv --pdeathsig TERM' if shutil.which('setpriv') else ''  # util-linux
RVIZ_TOPICS = ('markers', 'segmented_cloud', 'detections')  # of the node, in config/folk.rviz


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; what they lead to is decided when they are known."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text, choices=choices)
        for name, default, text, choices in ARGUMENTS
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=_start)])


def _start(context: LaunchContext) -> list[Any]:
    given = {name: context.launch_configurations[name].strip() for name, *_ in ARGUMENTS}
    config = _share() / 'config'
    demo, sim_time = given['demo'] == 'true', given['use_sim_time'] == 'true' or bool(given['bag'])
    params_file = given['params_file'] or str(config / ('demo.yaml' if demo else 'folk.yaml'))
    overrides = _overrides(given, sim_time)
    topics = overrides.get('cloud_topics') or _topics_in(params_file)
    actions = [_node(given, params_file, overrides)]
    if given['rviz'] == 'true':
        actions.append(_rviz(given, config, topics, sim_time))
    if given['bag']:
        actions.append(_process('bag', ['ros2', 'bag', 'play', given['bag'], '--clock']))
    if demo:
        play = [_python(given), '-m', 'folk_ros.cli', 'play', '--demo', '--topic', topics[0]]
        play += ['--frame', given['fixed_frame'] or 'map', '--rate', '0.5']
        actions.append(_process('demo', play, additional_env=_environment()))
    return actions


def _process(name: str, command: list[str], **options: Any) -> ExecuteProcess:
    prefix = ENDS_WITH_LAUNCH or None
    return ExecuteProcess(cmd=command, name=name, output='screen', prefix=prefix, **options)


def _node(given: dict[str, str], params_file: str, overrides: dict[str, Any]) -> Node:
    logger = '.'.join([*given['namespace'].strip('/').split('/'), 'folk']).lstrip('.')
    python = _python(given) if given['python_env'] or not _installed() else ''
    return Node(
        executable=str(_script()),
        exec_name='folk',
        name='folk',
        namespace=given['namespace'],
        parameters=[params_file, overrides],
        arguments=['--ros-args', '--log-level', f'{logger}:={given["log_level"]}'],
        prefix=f'{ENDS_WITH_LAUNCH} {python}'.strip() or None,
        additional_env=_environment(),
        output='screen',
        emulate_tty=True,
    )


def _rviz(given: dict[str, str], config: Path, topics: list[str], sim_time: bool) -> Any:
    """Start RViz on the shipped config; when it is closed, the node goes on."""
    try:
        get_package_prefix('rviz2')
    except PackageNotFoundError:
        return LogInfo(msg='rviz:=true, but rviz2 is not installed: going on without it')
    space = '/' + given['namespace'].strip('/') if given['namespace'].strip('/') else ''
    remappings = [(f'/folk/{topic}', f'{space}/folk/{topic}') for topic in RVIZ_TOPICS if space]
    return Node(
        package='rviz2',
        executable='rviz2',
        exec_name='rviz',
        name='folk_rviz',
        arguments=['-d', str(config / 'folk.rviz'), '-f', given['fixed_frame'] or 'map'],
        remappings=[*remappings, ('/cloud', topics[0])],
        prefix=ENDS_WITH_LAUNCH or None,
        parameters=[{'use_sim_time': sim_time}],
    )


def _overrides(given: dict[str, str], sim_time: bool) -> dict[str, Any]:
    """Return the parameters that were named as launch arguments."""
    named: dict[str, Any] = {'use_sim_time': True} if sim_time else {}
    if given['cloud_topics']:
        named['cloud_topics'] = _as_topics(given['cloud_topics'])
    if given['device']:
        named['segment.device'] = given['device']
    return {**named, **{k: given[k] for k in ('model', 'fixed_frame') if given[k]}}


def _as_topics(text: str) -> list[str]:
    """Read "['/a', '/b']", '/a, /b' or '/a'."""
    value = yaml.safe_load(text) if text.startswith('[') else text.split(',')
    return [str(topic).strip() for topic in value if str(topic).strip()]


def _topics_in(params_file: str) -> list[str]:
    """Return the cloud topics that a parameter file names."""
    nodes = yaml.safe_load(Path(params_file).read_text(encoding='utf-8')) or {}
    found = [node.get('ros__parameters', {}).get('cloud_topics') for node in nodes.values()]
    topics = next((topics for topics in found if topics), ['/cloud'])
    return [topics] if isinstance(topics, str) else list(topics)


def _installed() -> Path | None:
    """Return where colcon (or apt) installed the package; None in a bare source tree."""
    try:
        return Path(get_package_prefix('folk_ros'))
    except PackageNotFoundError:
        return None


def _source() -> Path:
    return Path(__file__).resolve().parents[1]


def _share() -> Path:
    prefix = _installed()
    return prefix / 'share' / 'folk_ros' if prefix else _source()


def _script() -> Path:
    prefix = _installed()
    return prefix / 'lib' / 'folk_ros' / 'segment' if prefix else _source() / 'scripts' / 'segment'


def _python(given: dict[str, str]) -> str:
    """Return the interpreter that runs the node."""
    environment = given['python_env']
    return str(Path(environment).expanduser() / 'bin' / 'python3') if environment else 'python3'


def _environment() -> dict[str, str]:
    """Return what a bare source tree needs: the module, and messages without a colcon build."""
    if _installed():
        return {}
    path = os.pathsep.join([str(_source()), *filter(None, [os.environ.get('PYTHONPATH')])])
    return {'PYTHONPATH': path, 'FOLK_ROS_RUNTIME': 'embedded'}
