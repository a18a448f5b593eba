"""What the node keeps, says of itself and forgets; each test has a node of its own."""

import signal
import time

from colour_folk import DELAY, LOADER, room
from node_support import (
    call,
    CLOUD,
    get_parameters,
    INSTANCES,
    MARKERS,
    node_process,
    Peer,
    publish_until,
    SECOND,
    set_parameter,
    show,
    wait_for,
)
import pytest

from folk_ros.ros import runtime
from folk_ros.ros.conversions import to_point_cloud2

pytestmark = pytest.mark.dds


def test_the_standing_query_survives_a_restart_where_it_was_asked_to(tmp_path, peer):
    parameters = {'keep_standing_query': 'true', 'state_folder': str(tmp_path / 'state')}
    with node_process(tmp_path, parameters):
        peer.ask([], remember=True)
        peer.ask(['red thing', 'lamp'], remember=True)
        wait_for(lambda: list((tmp_path / 'state').iterdir()), what='the file')
    with node_process(tmp_path, parameters) as (_, log):
        wait_for(lambda: 'is taken up: red thing, lamp' in log.read_text(), what='the old query')
        (value,) = get_parameters(peer, 'standing_query')
        assert list(value.string_array_value) == ['red thing', 'lamp']
        answer = peer.ask([], remember=True)
        assert answer.success and "it was: 'red thing', 'lamp'" in answer.message
        assert list(get_parameters(peer, 'standing_query')[0].string_array_value) == ['']
    with node_process(tmp_path, {**parameters, 'standing_query': "['table']"}) as (_, log):
        wait_for(lambda: 'is ready' in log.read_text(), what='the node')
        assert list(get_parameters(peer, 'standing_query')[0].string_array_value) == ['table']


def test_another_vocabulary_renames_the_last_scene_at_once(tmp_path, peer):
    with node_process(tmp_path):
        scene = show(peer, room())
        assert set_parameter(peer, 'vocabulary', ['red thing', 'box']).successful
        names = {'red thing', 'box'}
        wait_for(lambda: {i.text for i in peer.instances[-1].instances} <= names, what='the names')
        assert peer.instances[-1].header == scene.header  # no other cloud has come
        assert not set_parameter(peer, 'vocabulary', ['x' * 1000]).successful
        assert set_parameter(peer, 'vocabulary', ['']).successful  # the model's own again
        names = {i.text for i in scene.instances}
        wait_for(lambda: {i.text for i in peer.instances[-1].instances} == names, what='the names')


def test_an_answer_from_a_cloud_that_is_old_says_so(tmp_path, peer):
    with node_process(tmp_path, {'max_age': 60.0}):
        show(peer, room(stamp_ns=time.time_ns()))
        assert 'old' not in peer.ask(['red thing']).message
        assert set_parameter(peer, 'max_age', 0.1).successful
        time.sleep(0.2)
        answer = peer.ask(['red thing'])
        assert answer.success and 's old, expected at most 0.1 s (max_age)' in answer.message
        assert set_parameter(peer, 'max_age', 0.0).successful
        assert 'old' not in peer.ask(['red thing']).message


def test_it_is_ready_once_the_model_is_loaded(tmp_path, peer):
    ready = peer.listen('~/ready', 'std_msgs/msg/Bool')
    with node_process(tmp_path, environment={LOADER: 'late'}):
        wait_for(lambda: [m.data for m in ready] == [False, True], what='ready')
        late = Peer()
        try:
            heard = late.listen('~/ready', 'std_msgs/msg/Bool')
            wait_for(lambda: [m.data for m in heard] == [True], what='the latched state')
        finally:
            late.close()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_node_within_two_seconds_of_a_running_network(tmp_path, peer, number):
    with node_process(tmp_path, environment={DELAY: '30'}) as (process, log):
        wait_for(lambda: 'is ready' in log.read_text(), what='the model')
        publish_until(
            peer.clouds, to_point_cloud2(room()), lambda: received(peer) > 0, 'the cloud', 60
        )
        time.sleep(0.3)  # it is in the network now
        begin = time.monotonic()
        process.send_signal(number)
        assert process.wait(10) == 0
        assert time.monotonic() - begin < 2.0
        assert 'Traceback' not in log.read_text()


def received(peer):
    for array in reversed(peer.diagnostics):
        for item in array.status:
            values = {pair.key: pair.value for pair in item.values}
            if 'clouds received' in values:
                return int(values['clouds received'])
    return 0


def test_a_node_that_was_killed_is_replaced_while_its_peers_run(tmp_path, peer):
    with node_process(tmp_path / 'a') as (process, _):
        show(peer, room())
        process.kill()
        process.wait()
    with node_process(tmp_path / 'b'):
        peer.instances.clear()
        scene = show(peer, room(stamp_ns=5 * SECOND))
        answer = peer.ask(['red thing'])
        assert answer.success and answer.scene_id == scene.scene_id
        # DDS believes in the dead one for 10 s; what others ask of it till then is lost
        wait_for(lambda: peer.clouds.get_subscription_count() == 1, what='it to be forgotten')


def test_simulated_time_that_jumps_back_starts_the_scene_anew(tmp_path, peer):
    clock = peer.publisher('/clock', 'rosgraph_msgs/msg/Clock', reliable=False)

    def tick(seconds):
        message = runtime.message('rosgraph_msgs/msg/Clock')()
        message.clock.sec = seconds
        return message

    painted, markers = peer.listen('~/segmented_cloud', CLOUD), peer.listen('~/markers', MARKERS)
    parameters = {'use_sim_time': 'true', 'standing_query': "['red thing']"}
    with node_process(tmp_path, parameters) as (_, log):
        wait_for(clock.get_subscription_count, what='the node to follow /clock')
        clock.publish(tick(100))
        show(peer, room(stamp_ns=100 * SECOND))
        wait_for(lambda: painted and markers, what='the scene on every topic')
        publish_until(
            clock, tick(10), lambda: 'the time was set back by' in log.read_text(), 'the reset'
        )
        wait_for(lambda: not peer.instances[-1].instances, what='the latched scene to be gone')
        gone, answer = peer.instances[-1], peer.ask(['red thing'])
        assert (gone.scene_id, gone.header.stamp.sec, gone.header.frame_id) == (0, 10, 'map')
        assert not answer.success and 'the scene is forgotten' in answer.message
        assert not painted[-1].width and markers[-1].markers[0].action == 3  # DELETEALL
        late = Peer()
        try:  # nor do those who come late see the old scene
            heard = late.listen('~/instances', INSTANCES)
            wait_for(lambda: heard, what='what is latched')
            assert [m.scene_id for m in heard] == [0]
        finally:
            late.close()
        assert show(peer, room(stamp_ns=11 * SECOND)).instances


def test_files_are_served_below_the_folder_alone(tmp_path, peer):
    trigger = 'std_srvs/srv/Trigger'
    with node_process(tmp_path, {'scene_folder': str(tmp_path)}):
        assert 'no scene' in call(peer, trigger, '/folk/save').message
        assert set_parameter(peer, 'scene_file', '../../etc/passwd').successful
        for name in ('save', 'load'):
            answer = call(peer, trigger, f'/folk/{name}')
            assert not answer.success and 'scene_file: expected a name' in answer.message
        assert not list(tmp_path.glob('*.safetensors'))


def test_a_scene_that_was_saved_is_there_again_after_a_restart(tmp_path, peer):
    parameters = {'scene_folder': str(tmp_path), 'scene_file': 'room.safetensors'}
    with node_process(tmp_path, parameters):
        before = show(peer, room())
        answer = call(peer, 'std_srvs/srv/Trigger', '/folk/save')
        assert answer.success and '3 instances' in answer.message, answer.message
    with node_process(tmp_path, parameters) as (_, log):
        wait_for(lambda: 'is ready' in log.read_text(), what='the model')
        answer = call(peer, 'std_srvs/srv/Trigger', '/folk/load')
        assert answer.success, answer.message
        wait_for(lambda: peer.ask(['red thing']).success, what='the scene')
        answer = peer.ask(['red thing'])
        assert [i.text for i in answer.instances] == ['red thing']
        assert 'loaded from a file' in answer.message
        kept = {i.id: i.text for i in before.instances}
        assert {answer.instances[0].id: 'red thing'}.items() <= kept.items()
        (tmp_path / 'room.safetensors').write_bytes(b'\x10' * 1000)
        answer = call(peer, 'std_srvs/srv/Trigger', '/folk/load')
        assert not answer.success and 'room.safetensors' in answer.message
        assert peer.ask(['red thing']).success
