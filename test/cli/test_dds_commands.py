"""Commands that speak DDS, each in a process of its own."""

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

from folk_ros.cli.domain import free_domain
from folk_ros.cloud_files import write_npz, write_ply

pytestmark = pytest.mark.dds

FOLK = [sys.executable, '-m', 'folk_ros.cli']
RECEIVER = """
import sys, numpy as np
from folk_ros.cli.peer import Peer
from folk_ros.ros.conversions import to_cloud
with Peer('receiver') as peer:
    heard = []
    peer.listen(sys.argv[1], 'sensor_msgs/msg/PointCloud2', heard.append, sys.argv[2])
    print('ready', flush=True)
    assert peer.wait_until(lambda: len(heard) >= 2, 60.0)
    cloud = to_cloud(heard[0], 10_000_000)
    np.savez(sys.argv[3], xyz=cloud.xyz, rgb=cloud.rgb, frame=cloud.frame_id)
"""
DEMO = """
import sys
from pathlib import Path
from folk_ros.cli import demo_room, main
load = demo_room.load_demo_room
demo_room.load_demo_room = lambda: load(Path(sys.argv[1]))
sys.exit(main.main(['demo', '--stay', '--out', sys.argv[2], '--model', sys.argv[3]]))
"""


@pytest.fixture
def environment():
    with free_domain() as domain:
        yield {
            **os.environ,
            'ROS_DOMAIN_ID': str(domain),
            'FOLK_ROS_RUNTIME': 'embedded',
            'OMP_NUM_THREADS': '1',
        }


@contextmanager
def process(command, environment, **options):
    """A process that is killed at the end of the block at the latest."""
    child = subprocess.Popen(command, env=environment, text=True, **options)
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def folk(environment, *arguments):
    return subprocess.run(
        [*FOLK, *arguments], env=environment, capture_output=True, text=True, timeout=120
    )


def wait_for(condition, child, seconds=200.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert child.poll() is None, 'the process ended'
        assert time.monotonic() < deadline, 'it did not happen in time'
        time.sleep(0.1)


@pytest.mark.parametrize('offered', ['reliable', 'sensor_data', 'latched'])
def test_a_played_file_arrives_point_by_point(offered, small_cloud, tmp_path, environment):
    write_ply(small_cloud, tmp_path / 'room.ply')
    got = tmp_path / 'got.npz'
    command = [sys.executable, '-c', RECEIVER, '/played', 'sensor_data', str(got)]
    with process(command, environment, stdout=subprocess.PIPE) as receiver:
        assert receiver.stdout.readline() == 'ready\n'
        played = folk(
            environment,
            *('play', str(tmp_path / 'room.ply'), '--topic', '/played', '--frame', 'robot'),
            *('--qos', offered, '--count', '4', '--rate', '5'),
        )
        assert played.returncode == 0, played.stderr
        assert 'published 4 clouds' in played.stderr
        assert receiver.wait(60) == 0
    with np.load(got) as cloud:
        np.testing.assert_array_equal(cloud['xyz'], small_cloud.xyz)
        np.testing.assert_array_equal(cloud['rgb'], small_cloud.rgb)
        assert cloud['frame'] == 'robot'


def test_playing_to_nobody_says_so(small_cloud, tmp_path, environment):
    write_ply(small_cloud, tmp_path / 'room.ply')
    played = folk(environment, 'play', str(tmp_path / 'room.ply'), '--once', '--wait', '0.5')
    assert played.returncode == 1
    assert 'nobody listens to /cloud' in played.stderr


def test_playing_nothing_is_wrong_usage(environment):
    assert folk(environment, 'play').returncode == 2
    assert folk(environment, 'play', '--demo', 'room.ply').returncode == 2
    assert folk(environment, 'play', 'room.ply', '--rate', '0').returncode == 2


def test_a_question_without_a_node_says_what_to_do(environment):
    asked = folk(environment, 'query', 'chair', '--timeout', '0.5')
    assert asked.returncode == 1
    assert asked.stderr.count('\n') == 1
    assert 'no node answers on /folk/query' in asked.stderr


@pytest.mark.timeout(600)
def test_a_node_on_a_topic_hears_it_and_ends_at_ctrl_c(
    small_cloud, untrained_model, tmp_path, environment
):
    write_ply(small_cloud, tmp_path / 'room.ply')
    command = [*FOLK, 'node', '/map', '--model', str(untrained_model)]
    with process(command, environment, stderr=subprocess.DEVNULL) as node:
        play = ('play', str(tmp_path / 'room.ply'), '--topic', '/map', '--once', '--wait', '100')
        assert folk(environment, *play, '--qos', 'latched').returncode == 0
        wait_for(lambda: folk(environment, 'query', 'chair').returncode == 0, node)
        node.send_signal(signal.SIGINT)
        assert node.wait(20) == 0


def test_a_message_comes_back_to_the_doctor(environment):
    command = [sys.executable, '-m', 'folk_ros.cli', 'doctor', 'dds']
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert 'came back' in done.stdout


@pytest.mark.timeout(900)
def test_the_demo_answers_stays_for_others_and_leaves_nothing_behind(
    small_cloud, small_truth, untrained_model, tmp_path, environment
):
    room, out = tmp_path / 'room', tmp_path / 'out'
    room.mkdir()
    write_npz(small_cloud, room / 'room.npz', small_truth)
    about = {'names': ['chair', 'bed'], 'questions': ['something to sit on', 'giraffe']}
    (room / 'room.json').write_text(json.dumps(about))
    command = [sys.executable, '-c', DEMO, str(room), str(out), str(untrained_model)]
    with process(command, environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as demo:
        wait_for((out / 'answers.json').exists, demo)
        answers = json.loads((out / 'answers.json').read_text())
        assert answers['objects'] == 2
        assert 0 <= answers['named_right'] <= 2
        assert answers['seconds'] > 0
        assert set(answers['answers']) == {'something to sit on', 'giraffe'}
        assert (out / 'overview.png').read_bytes().startswith(b'\x89PNG')

        asked = folk(environment, 'query', 'chair', 'table', '--min-score', '0.01', '--json')
        assert asked.returncode == 0, asked.stderr
        first = json.loads(asked.stdout)
        assert first['frame_id'] == 'map'
        assert set(first['found']) == {'chair', 'table'}

        write_ply(small_cloud, tmp_path / 'again.ply')
        played = folk(environment, 'play', str(tmp_path / 'again.ply'), '--once')
        assert played.returncode == 0, played.stderr
        wait_for(lambda: scene_id(environment) > first['scene_id'], demo)

        refused = folk(environment, 'query', ' ')
        assert refused.returncode == 1
        assert 'expected a word' in refused.stderr

        node = children_of(demo.pid)
        assert len(node) == 1
        demo.send_signal(signal.SIGINT)
        stdout, stderr = demo.communicate(timeout=60)
        assert demo.returncode == 0, stderr
        assert 'Traceback' not in stdout + stderr
        assert not Path(f'/proc/{node[0]}').exists()


def scene_id(environment):
    asked = folk(environment, 'query', 'chair', '--json')
    assert asked.returncode == 0, asked.stderr
    return json.loads(asked.stdout)['scene_id']


def children_of(pid):
    return Path(f'/proc/{pid}/task/{pid}/children').read_text().split()


def test_a_model_that_does_not_load_ends_the_demo_with_the_reason(
    small_cloud, small_truth, tmp_path, environment
):
    write_npz(small_cloud, tmp_path / 'room.npz', small_truth)
    (tmp_path / 'room.json').write_text(json.dumps({'names': ['chair', 'bed'], 'questions': []}))
    command = [sys.executable, '-c', DEMO, str(tmp_path), str(tmp_path), str(tmp_path / 'none')]
    with process(command, environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as demo:
        _, stderr = demo.communicate(timeout=200)
    assert demo.returncode == 1
    assert 'no student weights there' in stderr
    assert 'Traceback' not in stderr


@pytest.mark.timeout(900)
def test_the_shipped_demo_names_most_of_its_room_and_finds_no_giraffe(tmp_path, environment):
    done = subprocess.run(
        [*FOLK, 'demo', '--out', str(tmp_path), '--json'],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert answers == json.loads((tmp_path / 'answers.json').read_text())
    assert answers['named_right'] >= 0.8 * answers['objects']
    assert answers['answers']['giraffe'] == []
    assert answers['answers']['fridge']
