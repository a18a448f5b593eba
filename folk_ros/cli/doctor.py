"""`folk doctor`: look at everything the program stands on, and say what is wrong."""

from __future__ import annotations

import argparse
from collections.abc import Callable
import importlib
from importlib.metadata import version
import platform
import sys
from typing import Any

from folk_ros.cli.output import as_json, table

Check = Callable[[], str]


def add_parser(commands: Any) -> None:
    """Add `folk doctor` to the parser."""
    parser = commands.add_parser(
        'doctor',
        help='check the installation',
        description='Check the installation: each line is ok, or says what is wrong.',
        epilog='Example: folk doctor. The exit code is 1 if something is wrong.',
    )
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run every check; one that fails does not keep the others from running."""
    results = {name: _result(check) for name, check in CHECKS.items()}
    if args.json:
        print(as_json({name: {'ok': ok, 'what': what} for name, (ok, what) in results.items()}))
    else:
        rows = [(name, 'ok' if ok else 'WRONG', what) for name, (ok, what) in results.items()]
        print(table(('check', '', 'found'), rows))
    return 0 if all(ok for ok, _ in results.values()) else 1


def _result(check: Check) -> tuple[bool, str]:
    try:
        return True, check()
    except (ImportError, OSError, RuntimeError, ValueError, AttributeError) as error:
        return False, ' '.join(str(error).split()) or type(error).__name__


def check_python() -> str:
    """Python is new enough."""
    if sys.version_info < (3, 10):  # noqa: UP036  the interpreter may be any
        raise RuntimeError(f'expected Python 3.10 or newer, got {platform.python_version()}')
    return f'{platform.python_version()} ({sys.executable})'


def check_torch() -> str:
    """Import torch; name the device that 'auto' means."""
    import torch

    from folk_ros.pipeline import choose_device

    device = choose_device('auto')
    name = torch.cuda.get_device_name(device) if device.type == 'cuda' else platform.machine()
    return f'{torch.__version__}, device auto is {device} ({name})'


def check_engine() -> str:
    """Say which engine computes sparse convolutions, and why it is this one."""
    from folk_ros.pipeline import choose_device
    from folk_ros.student.engines.choose import AUTO, choose_engine

    choice = choose_engine(AUTO, choose_device('auto'))
    return f'{choice.engine.name}: {choice.why}'


def check_open_clip() -> str:
    """open_clip imports: a torchvision built for another torch breaks it."""
    try:
        open_clip = importlib.import_module('open_clip')
    except RuntimeError as error:
        raise RuntimeError(
            f'{error}: torch and torchvision do not fit each other; install both from one index '
            '(pip install --force-reinstall torch torchvision)'
        ) from error
    return str(open_clip.__version__)


def check_weights() -> str:
    """Every shipped weight file is as shipped."""
    from folk_ros.cli.weights import verify
    from folk_ros.resources import find_file

    folders = sorted(path for path in find_file('resource/models').iterdir() if path.is_dir())
    states = {path: state for folder in folders for path, state in verify(folder).items()}
    wrong = [f'{path} is {state}' for path, state in states.items() if state != 'ok']
    if wrong:
        raise RuntimeError(f'{"; ".join(wrong)}; install again')
    return f'{len(states)} files as shipped in {find_file("resource/models")}'


def check_runtime() -> str:
    """Say which ROS runtime the node would take."""
    from folk_ros.ros import runtime

    if runtime.chosen() == 'rclpy':
        return 'rclpy'
    importlib.import_module('cyclonedds')  # it is there, and its C library loads
    return f'embedded, on cyclonedds {version("cyclonedds")}'


def check_dds() -> str:
    """Send a message through DDS and receive it."""
    from folk_ros.cli.peer import Peer, qos
    from folk_ros.ros import runtime

    heard: list[str] = []
    with Peer('folk_doctor') as peer:
        text, topic = runtime.message('std_msgs/msg/String'), '/folk_doctor'
        peer.listen(topic, 'std_msgs/msg/String', lambda m: heard.append(m.data), 'latched')
        publisher = peer.node.create_publisher(text, topic, qos('latched'))
        publisher.publish(text(data='hello'))
        if not peer.wait_until(lambda: bool(heard), 5.0):
            raise RuntimeError(
                'a message did not come back within 5 s: does a firewall, or CYCLONEDDS_URI, keep '
                'DDS from the network?'
            )
    return 'a message went out and came back'


CHECKS: dict[str, Check] = {
    'python': check_python,
    'torch': check_torch,
    'engine': check_engine,
    'open_clip': check_open_clip,
    'weights': check_weights,
    'runtime': check_runtime,
    'dds': check_dds,
}
