"""What a machine does to the node: a full disk, no memory, other files under it, another time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
import os
from pathlib import Path
import resource
import time
from typing import Any

from folk_ros.cli.soaking.live import Live, PROOF_S
from folk_ros.cli.soaking.tally import Tally
from folk_ros.cli.soaking.truth import encoded, stamped, Truth
from folk_ros.ros import runtime

TRIGGER = 'std_srvs/srv/Trigger'
SCENE = 'soak.safetensors'
CUT_BYTES = 400  # of a message that is then no cloud
LEAST_BYTES = 65_536  # of a scene of some thousand points; a log is shorter
MIB = 1 << 20
LARGE_CLOUD = 1_000_000
SPARE_MIB = 160  # what the node may still take: too little for a large cloud, enough for DDS
JUMPS_S = (0, -3600, 3600, -86_400 * 365, 86_400 * 365, -5, 5, -30, 0)
LOOP_S, LOOPS = 4, 3


@contextmanager
def limited(pid: int, kind: int, value: int) -> Iterator[None]:
    """Give a process a limit for as long as the block runs."""
    before = resource.prlimit(pid, kind)
    resource.prlimit(pid, kind, (value, before[1]))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # it did not survive: that is counted elsewhere
            resource.prlimit(pid, kind, before)


def full_disk(live: Live, scenes: Path) -> Tally:
    """Save where there is no room: for the scene, then not even for the log."""
    tally = Tally('a full disk')
    wrong = live.set('scene_file', SCENE)
    if wrong:
        tally.note(f'scene_file: {wrong}')
    _expect(tally, live.call(TRIGGER, 'save'), True, 'with room')
    before = (scenes / SCENE).read_bytes() if (scenes / SCENE).exists() else b''
    for what, room in (('no room', LEAST_BYTES), ('no room for the log either', 0)):
        size = room or live.node.log.stat().st_size
        with limited(live.node.pid, resource.RLIMIT_FSIZE, size):
            _expect(tally, live.call(TRIGGER, 'save'), False, what)
            payload, _ = live.truth.payload()
            live.clouds.publish(payload[:CUT_BYTES])  # to log a refusal, too
            live.ping(tally, what)
            live.check(tally, what)
        if live.dead():
            break
        left = [path.name for path in scenes.iterdir() if path.name != SCENE]
        if left or (scenes / SCENE).read_bytes() != before:
            tally.wrong += 1
            tally.note(f'{what}: left behind {left}, or the last scene was spoilt')
    _expect(tally, live.call(TRIGGER, 'save'), True, 'with room again')
    live.check(tally, 'at the end')
    return tally


def _expect(tally: Tally, response: Any, success: bool, what: str) -> None:
    tally.cases += 1
    if response is None:
        tally.lost += 1
    elif response.success != success:
        tally.wrong += 1
    elif not success:
        tally.refused += bool(response.message)
        tally.unsaid += not response.message
    if response is None or response.success != success:
        tally.note(f'{what}: {"no answer" if response is None else response.message}')


def other_model(live: Live, student: Path) -> Tally:
    """Replace and cut off the model's file under the node; then start it with a broken one."""
    tally = Tally('a model that changes')
    good = student.read_bytes()
    for what, spoil in (('replaced', _replaced), ('cut off in place', _cut)):
        spoil(student)
        tally.cases += 1
        live.ping(tally, what)
        live.check(tally, what)
    live.node.stop()
    tally.cases += 1
    wrong = live.start_broken()
    if wrong:
        tally.wrong += 1
        tally.note(f'started with a broken model: {wrong}')
    else:
        tally.refused += 1
    _write(student, good)
    live.set('scene_file', SCENE)  # any setting makes it try again
    live.check(tally, 'whole again')
    return tally


def _replaced(path: Path) -> None:
    _write(path, b'\0' * 1000)


def _cut(path: Path) -> None:
    with path.open('r+b') as file:
        file.truncate(100)


def _write(path: Path, data: bytes) -> None:
    """Write a file beside it and put it in its place."""
    temporary = path.with_suffix('.other')
    temporary.write_bytes(data)
    os.replace(temporary, path)


def time_jumps(live: Live) -> Tally:
    """Let stamps jump, then the clock of a simulation go round and round."""
    tally = Tally('jumps of time')
    now = time.time_ns()
    for seconds in JUMPS_S:
        _at(live, tally, now + seconds * 1_000_000_000, f'stamps {seconds:+d} s')
    if live.set('use_sim_time', True):
        tally.wrong += 1
        tally.note('use_sim_time cannot be set')
    clock = live.peer.node.create_publisher(
        runtime.message('rosgraph_msgs/msg/Clock'), '/clock', 5
    )
    for loop in range(LOOPS):
        for second in range(1, LOOP_S + 1):
            stamp = 1000 * 1_000_000_000 + second * 1_000_000_000
            _tick(clock, stamp)
            live.peer.rest(0.05)
            _at(live, tally, stamp, f'loop {loop}, second {second}')
    live.set('use_sim_time', False)
    live.peer.node.destroy_publisher(clock)
    live.check(tally, 'at the end')
    return tally


def _tick(clock: Any, nanoseconds: int) -> None:
    message = clock.msg_type()
    message.clock.sec, message.clock.nanosec = divmod(nanoseconds, 1_000_000_000)
    clock.publish(message)


def _at(live: Live, tally: Tally, nanoseconds: int, what: str) -> None:
    """Show a good cloud of some time; the answer must be of that time soon."""
    tally.cases += 1
    wrong = live.prove(PROOF_S, nanoseconds)
    if wrong:
        tally.wrong += 1
        tally.note(f'{what}: {wrong}')


def no_memory(live: Live) -> Tally:
    """Send a cloud for which there is no memory; then lift the limit."""
    tally = Tally('no memory left')
    large = encoded(Truth(LARGE_CLOUD).cloud)
    size = _virtual_bytes(live.node.pid) + SPARE_MIB * MIB
    lines = len(live.log_lines())
    with limited(live.node.pid, resource.RLIMIT_AS, size):
        for number in range(3):
            payload, _ = stamped(large, time.time_ns())
            live.clouds.publish(payload)
            tally.cases += 1
            for _ in range(20):
                live.ping(tally, f'large cloud {number}')
                live.peer.rest(0.1)
            if live.dead():
                break
    said = [line for line in live.log_lines()[lines:] if 'out of memory' in line]
    tally.refused += bool(said)
    if not said:
        tally.unsaid += 1
        tally.note('nothing was said of memory')
    live.check(tally, 'with memory again')
    return tally


def _virtual_bytes(pid: int) -> int:
    pages = Path(f'/proc/{pid}/statm').read_text().split()[0]
    return int(pages) * resource.getpagesize()
