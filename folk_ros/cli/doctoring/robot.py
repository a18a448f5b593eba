"""ROS 2: which runtime the node takes, whether it is whole, and which RMW it speaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
import importlib
from importlib.metadata import PackageNotFoundError, version
import os
from pathlib import Path
import platform
import re

from folk_ros.cli.doctoring.finding import Finding, note, ok, wrong

CYCLONE = 'rmw_cyclonedds_cpp'
STAND_INS = ('cyclonedds>=11.0.1,<12', 'rosbags>=0.11')  # as in setup.py
PEERS = (
    f'its services answer nodes of the same RMW alone ({CYCLONE} here and there, or ask on the '
    'topic /folk/query_text)'
)


@dataclass(frozen=True)
class RosFacts:
    """What there is of ROS 2, and of the runtime that stands in for it."""

    runtime: str  # 'rclpy' or 'embedded'
    distribution: str = ''  # ROS_DISTRO
    rclpy_error: str = ''  # why rclpy cannot be imported
    rclpy_built_for: str = ''  # '3.12', of the one on PYTHONPATH
    python: str = '3.11'
    missing: Mapping[str, str] = field(default_factory=dict)  # ROS package to why it fails
    unsourced: Sequence[str] = ()  # distributions in /opt/ros
    cyclonedds: str | None = None
    rosbags: str | None = None
    machine: str = 'x86_64'


def look_at_ros() -> RosFacts:
    """Look for ROS 2 as the node does."""
    from folk_ros.ros import runtime

    chosen, error = runtime.chosen(), ''
    try:
        importlib.import_module('rclpy')
    except ImportError as failure:
        error = ' '.join(str(failure).split())
    missing = {}
    if chosen == 'rclpy':
        wanted = ('sensor_msgs.msg', 'vision_msgs.msg', 'tf2_msgs.msg', 'std_srvs.srv')
        missing = {name: why for name in (*wanted, 'folk_ros.srv') if (why := _import_error(name))}
    opt = Path('/opt/ros')
    return RosFacts(
        runtime=chosen,
        distribution=os.environ.get('ROS_DISTRO', ''),
        rclpy_error=error,
        rclpy_built_for=_python_of_rclpy(os.environ.get('PYTHONPATH', '')),
        python='.'.join(platform.python_version_tuple()[:2]),
        missing=missing,
        unsourced=sorted(p.name for p in opt.iterdir() if (p / 'setup.bash').exists())
        if opt.is_dir()
        else [],
        cyclonedds=_version('cyclonedds'),
        rosbags=_version('rosbags'),
        machine=platform.machine(),
    )


def _import_error(name: str) -> str:
    try:
        importlib.import_module(name)
    except (ImportError, AttributeError) as failure:
        return ' '.join(str(failure).split()) or type(failure).__name__
    return ''


def _python_of_rclpy(python_path: str) -> str:
    for folder in python_path.split(os.pathsep):
        found = re.search(r'python(3\.\d+)', folder)
        if found and (Path(folder) / 'rclpy').is_dir():
            return found.group(1)
    return ''


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def judge_ros(facts: RosFacts) -> Finding:
    """The runtime that the node takes is whole."""
    return _judge_rclpy(facts) if facts.runtime == 'rclpy' else _judge_embedded(facts)


def _judge_rclpy(facts: RosFacts) -> Finding:
    text = f'rclpy of ROS 2 {facts.distribution or "(ROS_DISTRO is not set)"}'
    lacking = [name.split('.')[0] for name in facts.missing]
    ros = [name for name in lacking if name != 'folk_ros']
    if ros:
        names = ' '.join(
            f'ros-{facts.distribution or "$ROS_DISTRO"}-{name.replace("_", "-")}' for name in ros
        )
        return wrong(f'{text}, without {", ".join(ros)}', f'sudo apt install {names}')
    if lacking:
        return wrong(
            f'{text}, but the messages of folk_ros are not built or not sourced '
            f'({facts.missing["folk_ros.srv"]})',
            'cd ~/ws && colcon build --packages-select folk_ros && source install/setup.bash',
        )
    return ok(f'{text}, with all message packages')


def _judge_embedded(facts: RosFacts) -> Finding:
    for package, have in (('cyclonedds', facts.cyclonedds), ('rosbags', facts.rosbags)):
        if have is None:
            if facts.machine != 'x86_64' and package == 'cyclonedds':
                return wrong(
                    f'no ROS 2, and Cyclone DDS has no wheel for {facts.machine}: source ROS 2',
                    f'source /opt/ros/{(facts.unsourced or ["jazzy"])[-1]}/setup.bash',
                )
            return wrong(
                f'no ROS 2 ({facts.rclpy_error}), and {package}, which stands in for it, is not '
                'installed',
                f'pip install {" ".join(map(repr, STAND_INS))}',
            )
    text = f'embedded, on cyclonedds {facts.cyclonedds}'
    if facts.rclpy_built_for and facts.rclpy_built_for != facts.python:
        return wrong(
            f'{text}, because the rclpy that is sourced is made for Python '
            f'{facts.rclpy_built_for} and this is {facts.python}',
            f'python{facts.rclpy_built_for} -m venv --system-site-packages ~/folk',
        )
    if facts.distribution:
        return note(
            f'{text}, although ROS 2 {facts.distribution} is sourced: rclpy cannot be imported '
            f'({facts.rclpy_error or "FOLK_ROS_RUNTIME=embedded"})',
            'python3 -m venv --system-site-packages ~/folk  # and install into it',
        )
    if facts.unsourced:
        return note(
            f'{text}; there is ROS 2 {", ".join(facts.unsourced)}, not sourced in this shell',
            f'source /opt/ros/{facts.unsourced[-1]}/setup.bash',
        )
    return ok(f'{text}; no ROS 2 on this machine')


@dataclass(frozen=True)
class RmwFacts:
    """Which middleware speaks, and which others there are."""

    runtime: str
    wanted: str = ''  # RMW_IMPLEMENTATION
    taken: str = ''  # what rclpy has loaded
    installed: Sequence[str] = ()
    distribution: str = ''
    error: str = ''


def look_at_rmw() -> RmwFacts:
    """Ask rclpy which RMW it has, and the ament index which there are."""
    from folk_ros.ros import runtime

    taken, error = '', ''
    if runtime.chosen() == 'rclpy':
        try:
            taken = importlib.import_module('rclpy').get_rmw_implementation_identifier()
        except (RuntimeError, ImportError) as failure:
            error = ' '.join(str(failure).split())
    places = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    index = 'share/ament_index/resource_index/rmw_typesupport'
    found = {path.name for place in places if place for path in Path(place, index).glob('rmw_*')}
    return RmwFacts(
        runtime=runtime.chosen(),
        wanted=os.environ.get('RMW_IMPLEMENTATION', ''),
        taken=taken,
        installed=sorted(found),
        distribution=os.environ.get('ROS_DISTRO', ''),
        error=error,
    )


def judge_rmw(facts: RmwFacts) -> Finding:
    """Programs that ask can reach the services of the node."""
    choose = f'export RMW_IMPLEMENTATION={CYCLONE}'
    install = f'sudo apt install ros-{facts.distribution or "$ROS_DISTRO"}-'
    if facts.runtime == 'embedded':
        if facts.wanted and facts.wanted != CYCLONE:
            return note(
                f'Cyclone DDS here, but nodes of this shell speak {facts.wanted}: {PEERS}', choose
            )
        return ok(f'Cyclone DDS; {PEERS}')
    if facts.error or (facts.installed and facts.wanted and facts.wanted not in facts.installed):
        return wrong(
            f'RMW_IMPLEMENTATION={facts.wanted or "(not set)"} cannot be loaded '
            f'({facts.error or "not installed"}); there are: '
            f'{", ".join(facts.installed) or "none"}',
            install + (facts.wanted or CYCLONE).replace('_', '-'),
        )
    if facts.taken == CYCLONE:
        return ok(f'{facts.taken}; {PEERS}')
    if CYCLONE not in facts.installed:
        choose = f'{install}{CYCLONE.replace("_", "-")} && {choose}'
    return note(
        f'{facts.taken}; its services answer nodes of the same RMW alone, so not the folk '
        'commands of a shell without ROS; to be reached from there too:',
        choose,
    )
