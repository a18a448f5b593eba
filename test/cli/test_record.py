"""`folk record` beside a robot in another process: what lands on the disk, whatever ends it."""

from contextlib import contextmanager
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip('rosbags')
pytest.importorskip('PIL')

from folk_ros.cli.domain import own_domain
from folk_ros.cli.main import main
from folk_ros.training.scenes.scene import load_scene

pytestmark = [pytest.mark.dds, pytest.mark.timeout(180)]
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ROOM = np.array([4.0, 3.0, 2.5])  # that of live_robot.py


@pytest.fixture(autouse=True)
def domain():
    with own_domain() as number:
        yield number


def environment():
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get('PYTHONPATH')])])
    return {**os.environ, 'PYTHONPATH': path}


@contextmanager
def robot(*arguments):
    process = subprocess.Popen(
        [sys.executable, str(HERE / 'live_robot.py'), *arguments], env=environment()
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def recording(folder, *arguments):
    command = [sys.executable, '-m', 'folk_ros.cli', 'record', str(folder), *arguments]
    with (folder.parent / 'record.log').open('wb') as log:
        process = subprocess.Popen(command, env=environment(), stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for_views(folder, count, process):
    deadline = time.monotonic() + 90.0
    index = folder / 'views.jsonl'
    while not index.is_file() or index.read_text().count('\n') < count:
        assert process.poll() is None, (folder.parent / 'record.log').read_text()
        assert time.monotonic() < deadline, (folder.parent / 'record.log').read_text()
        time.sleep(0.1)


def wall_distance(points):
    """How far points [N, 3] are from the nearest wall."""
    return np.minimum(abs(points), abs(points - ROOM)).min(-1)


def check(scene):
    """What was filmed lies on the walls, and the views on the way that the robot took."""
    assert np.quantile(wall_distance(scene.cloud.xyz), 0.95) < 0.05
    for view in scene.views:
        assert view.rgb.shape == (48, 64, 3) and (view.depth > 0).mean() > 0.9
        assert view.T_world_camera[2, 3] == pytest.approx(1.2, abs=1e-3)


def test_a_recording_that_is_killed_is_a_scene_and_goes_on(tmp_path):
    folder = tmp_path / 'room'
    options = ('--distance', '0.05', '--angle', '5', '--cloud', 'none')
    with robot():
        with recording(folder, *options) as process:
            wait_for_views(folder, 4, process)
            process.send_signal(signal.SIGKILL)
            process.wait()
        with (folder / 'views.jsonl').open('ab') as index:
            index.write(b'{"rgb": "rgb/0000')  # what a write leaves that was cut off
        killed = load_scene(folder)
        assert len(killed.views) >= 4 and len(killed.cloud) > 500
        check(killed)
        with recording(folder, *options) as process:
            wait_for_views(folder, len(killed.views) + 2, process)
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0, (tmp_path / 'record.log').read_text()
    resumed = load_scene(folder)
    assert len(resumed.views) >= len(killed.views) + 2
    assert resumed.facts['fixed_frame'] == 'map' and resumed.facts['views'] == len(resumed.views)
    check(resumed)
    poses = np.stack([view.T_world_camera for view in resumed.views])
    steps = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1)
    assert steps.max() > 0.02  # the camera has moved between the views
    assert main(['record', str(folder), '--finish', '--cell', '0.05']) == 0
    finished = load_scene(folder)
    assert 'TSDF' in finished.facts['cloud']
    check(finished)


def test_the_fused_cloud_of_the_robot_is_taken_where_it_has_one(tmp_path):
    folder = tmp_path / 'room'
    with robot('--cloud'), recording(folder, '--seconds', '4', '--max-size', '0.00005') as process:
        assert process.wait(60) == 0, (tmp_path / 'record.log').read_text()
    scene = load_scene(folder)
    assert scene.facts['cloud'] == '/map_cloud' and len(scene.cloud) == 500
    assert sum(p.stat().st_size for p in (folder / 'rgb').iterdir()) < 60_000
    assert main(['record', str(folder), '--finish']) == 0
    assert len(load_scene(folder).cloud) == 500


def test_nothing_to_record_is_said(tmp_path):
    impatient = (
        'import sys; from folk_ros.cli import main, record_topics; '
        'record_topics.PATIENCE_S, record_topics.SETTLE_S = 0.5, 0.1; '
        'sys.exit(main.main(sys.argv[1:]))'
    )
    done = subprocess.run(
        [sys.executable, '-c', impatient, 'record', str(tmp_path / 'room')],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert 'is the camera running' in done.stderr


def test_a_folder_that_holds_something_else_is_not_recorded_into(tmp_path):
    (tmp_path / 'other').mkdir()
    (tmp_path / 'other' / 'thesis.tex').write_text('')
    assert main(['record', str(tmp_path / 'other')]) == 2
    assert main(['record', str(tmp_path / 'other'), '--finish']) == 2


def test_facts_are_json_whatever_happens(tmp_path):
    from folk_ros.training.scenes.recordings.live import read_facts, write_facts

    write_facts({'fixed_frame': 'Küche'}, tmp_path)
    assert json.loads((tmp_path / 'facts.json').read_text())['fixed_frame'] == 'Küche'
    (tmp_path / 'facts.json').write_text('{"cut')
    assert read_facts(tmp_path) == {}
