"""What lies on the disk: the shipped weights, the places that are written to; and memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import os
from pathlib import Path
import shutil
import tempfile

from folk_ros.cli.doctoring.finding import Finding, note, ok, size, wrong

MIB = 1 << 20
LEAST = 200 * MIB  # below, a recording stops and a scene may not be saved
ROOMY = 2048 * MIB  # ViT-L-14-336, the largest text tower in the guides, is 1.7 GB
NODE_MEMORY = 1536 * MIB  # the node with the shipped model takes 1.1 GB


@dataclass(frozen=True)
class WeightFacts:
    """The shipped models and the state of each weight file, as `folk weights verify` says."""

    folder: str
    states: Mapping[str, str]
    in_git: bool = False  # so that git has them as they were


def look_at_weights() -> WeightFacts:
    """Compare every shipped weight file with its SHA-256."""
    from folk_ros.cli.weights import verify
    from folk_ros.resources import find_file

    top = find_file('resource/models')
    folders = sorted(path for path in top.iterdir() if path.is_dir())
    states = {str(path): state for folder in folders for path, state in verify(folder).items()}
    return WeightFacts(str(top), states, (top.parents[1] / '.git').exists())


def judge_weights(facts: WeightFacts) -> Finding:
    """Every shipped weight file is as shipped."""
    again = 'pip install --force-reinstall --no-deps folk_ros-*.whl  # where you have it from'
    if facts.in_git:
        again = f'git -C {facts.folder} checkout -- .'
    if not facts.states:
        return wrong(f'no weights in {facts.folder}', again)
    bad = [f'{path} is {state}' for path, state in facts.states.items() if state != 'ok']
    if bad:
        return wrong('; '.join(bad), again)
    return ok(f'{len(facts.states)} files as shipped in {facts.folder}')


@dataclass(frozen=True)
class Place:
    """A folder that the program writes to."""

    what: str
    path: str
    free: int  # bytes
    writable: bool
    variable: str = ''  # environment variable that moves it


def look_at_places() -> list[Place]:
    """Measure the folders for fetched weights, for state, for temporary files, and this one."""
    from folk_ros.ros.standing import state_folder

    hub = os.environ.get('HF_HUB_CACHE') or os.path.join(
        os.environ.get('HF_HOME') or os.path.expanduser('~/.cache/huggingface'), 'hub'
    )
    return [
        _place('fetched weights', hub, 'HF_HOME'),
        _place('state of the node', str(state_folder('')), 'ROS_HOME'),
        _place('temporary files', tempfile.gettempdir(), 'TMPDIR'),
        _place('scenes and pictures (here)', os.getcwd()),
    ]


def _place(what: str, path: str, variable: str = '') -> Place:
    """Look at a folder, or where it would be made at the nearest folder above it."""
    there = Path(path)
    while not there.exists():
        there = there.parent
    free, writable = shutil.disk_usage(there).free, os.access(there, os.W_OK)
    return Place(what, path, free, writable, variable)


def judge_places(places: Sequence[Place]) -> Finding:
    """There is room, and leave to write, where files go."""
    for place in places:
        move = f'export {place.variable}=/a/folder/elsewhere' if place.variable else 'cd ~'
        if not place.writable:
            return wrong(f'{place.what}: {place.path} cannot be written to', move)
        if place.free < LEAST:
            return wrong(f'{place.what}: only {size(place.free)} free for {place.path}', move)
    for place in places:
        if place.variable == 'HF_HOME' and place.free < ROOMY:
            return note(
                f'{place.what}: {size(place.free)} free for {place.path}; a large CLIP takes '
                '1.7 GB',
                'export HF_HOME=/a/folder/elsewhere',
            )
    least = min(places, key=lambda place: place.free)
    return ok(f'at least {size(least.free)} free ({least.path})')


def look_at_memory(told: Path = Path('/proc/meminfo')) -> int | None:
    """Return the bytes of memory that programs can still have, None where nobody says."""
    try:
        lines = told.read_text(encoding='ascii').splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith('MemAvailable:'):
            return int(line.split()[1]) * 1024
    return None


def judge_memory(available: int | None) -> Finding:
    """There is memory for the node."""
    if available is None:
        return ok('unknown on this system')
    if available < NODE_MEMORY:
        return note(
            f'{size(available)} available; the node with the shipped model takes 1.1 GB',
            'ps -eo rss,comm --sort=-rss | head  # what to end',
        )
    return ok(f'{size(available)} available')
