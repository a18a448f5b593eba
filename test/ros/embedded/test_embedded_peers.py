"""Two processes that talk over DDS."""

from __future__ import annotations

from dataclasses import replace
import signal
import time

import numpy as np
import pytest

from folk_ros.ros import embedded
from folk_ros.ros.embedded.messages import dds_type, interfaces
from folk_ros.ros.embedded.qos import QoSProfile, services_default

pytestmark = [pytest.mark.dds, pytest.mark.timeout(120)]

LATCHED = QoSProfile(depth=1, durability=embedded.DurabilityPolicy.TRANSIENT_LOCAL)
QUERY = 'folk_ros/srv/Query'


@pytest.fixture
def query(tester, peer):
    client = tester.client(QUERY, '/lab/robot/query')
    yield client
    tester.node.destroy_client(client)


@pytest.fixture
def clouds(tester, peer):
    """A publisher that the peer listens to, and the counts that the peer sends back."""
    node, counts = tester.node, []
    listener = node.create_subscription(
        embedded.message('std_msgs/msg/String'), '/lab/robot/count', counts.append, 10
    )
    publisher = node.create_publisher(
        embedded.message('sensor_msgs/msg/PointCloud2'), '/fused/cloud', 5
    )
    assert tester.until(publisher.get_subscription_count)
    assert tester.until(listener.get_publisher_count)
    yield publisher, counts
    node.destroy_publisher(publisher)
    node.destroy_subscription(listener)


def make_cloud(points: int):
    data = np.random.default_rng(1).integers(0, 256, points * 16, np.uint8)
    cloud = embedded.message('sensor_msgs/msg/PointCloud2')(
        width=points, height=1, point_step=16, row_step=points * 16, data=data
    )
    cloud.header.frame_id = 'map'
    return cloud


def test_a_cloud_of_100_000_points_arrives_whole(tester, clouds):
    publisher, counts = clouds
    cloud = make_cloud(100_000)
    publisher.publish(cloud)
    assert tester.until(lambda: counts)
    assert counts[0].data.split()[1:] == ['100000', '1600000', str(cloud.data[-1]), 'map']


def test_a_long_callback_does_not_delay_a_service_of_another_group(tester, clouds, query):
    publisher, counts = clouds
    tester.call(query, texts=['first'])
    publisher.publish(make_cloud(10))
    assert tester.until(lambda: counts)  # the peer now sleeps 1.5 s in its callback
    begun = time.monotonic()
    for _ in range(5):
        assert tester.call(query, texts=['chair']).success
    assert time.monotonic() - begun < 1.0


def test_a_latched_message_reaches_a_subscription_that_comes_late(tester, peer, query):
    got = []
    subscription = tester.node.create_subscription(
        embedded.message('visualization_msgs/msg/MarkerArray'),
        '/lab/robot/markers',
        got.append,
        LATCHED,
    )
    assert tester.until(lambda: got)
    tester.node.destroy_subscription(subscription)
    assert [(marker.id, marker.text) for marker in got[0].markers] == [(7, 'chair')]


def test_a_question_is_answered_with_everything_it_asked(tester, query):
    texts = ['something to sit on', 'Stühle, 椅子', '']
    answer = tester.call(query, texts=texts, min_score=0.25, max_results=3, remember=True)
    assert answer.success
    assert [item.text for item in answer.instances] == texts
    assert [item.score for item in answer.instances] == [0.25] * 3


def test_clients_at_the_same_time_each_get_their_own_answers(launch, tester, query):
    process = launch('asking.py', '/lab/robot/query')  # three of them
    answers = []
    while process.poll() is None:
        answers.append(tester.call(query, texts=[f'mine{len(answers)}']).message)
    written = process.communicate(timeout=10)[0]
    assert (process.returncode, written) == (0, '50 50 50\n')
    assert answers == [f'mine{number}' for number in range(len(answers))]


@pytest.mark.parametrize('turn', range(6))  # of a client that has just come
def test_no_answer_is_lost_where_many_are_on_their_way_to_a_new_client(tester, peer, turn):
    client = tester.client(QUERY, '/lab/robot/query')
    requests = [client.srv_type.Request(texts=[f'{turn}.{number}']) for number in range(100)]
    futures = [client.call_async(request) for request in requests]
    assert tester.until(lambda: all(future.done() for future in futures), 5.0), [
        number for number, future in enumerate(futures) if not future.done()
    ]
    assert [future.result().message for future in futures] == [r.texts[0] for r in requests]
    tester.node.destroy_client(client)


def test_bad_requests_do_not_hurt_the_server(tester, query):
    name = f'{QUERY}_Request'
    writer = tester.participant.create_writer(
        'rq/lab/robot/queryRequest', dds_type(name), services_default(), ''
    )
    assert tester.until(writer.matched)
    whole = bytes(interfaces().encode(interfaces().message(name)(texts=['chair'] * 3)))
    header, identity, body = whole[:4], bytes(16), whole[4:]
    bad = [
        header + b'\0',  # next to nothing
        whole[:12],
        whole,  # no identity: a client of another middleware
        header + identity,
        header + identity + body[:-3],
        header + identity + b'\xff' * 40,
        header + identity + b'\xff\xff\xff\x7f' + body,  # 2 billion texts
        header + identity + body.replace(b'chair', b'ch\xffir'),  # no UTF-8
        header + np.random.default_rng(0).bytes(5000),
    ]
    for data in bad:
        writer.write([data])
    assert tester.call(query, texts=['still there']).message == 'still there'
    writer.close()


def test_a_bad_message_is_dropped_and_the_next_one_arrives(tester, clouds):
    publisher, counts = clouds
    whole = bytes(interfaces().encode(make_cloud(100)))
    for data in (whole[:50], whole[:4] + b'\xff' * 100, whole[:-200]):
        publisher.publish(data)
    publisher.publish(make_cloud(42))
    assert tester.until(lambda: counts)
    assert counts[0].data.split()[1] == '42'


def test_parameters_come_from_file_and_command_line_in_their_order(tester, peer):
    client = tester.client('std_srvs/srv/Trigger', '/lab/robot/state')
    answer = tester.call(client)
    assert answer.message == '/lab/robot|1.5|from the wildcard|[5, 6]'


def test_parameters_can_be_read_and_set_from_outside(tester, peer):
    parameter = embedded.message('rcl_interfaces/msg/Parameter')
    get = tester.client('rcl_interfaces/srv/GetParameters', '/lab/robot/get_parameters')
    set_ = tester.client('rcl_interfaces/srv/SetParameters', '/lab/robot/set_parameters')
    before = tester.call(get, names=['word']).values[0]
    assert before.string_value == 'from the wildcard'
    wrong = parameter(name='word')
    wrong.value.type, wrong.value.integer_value = 2, 3
    right = embedded.Parameter('word', value='new').to_parameter_msg()
    results = tester.call(set_, parameters=[wrong, right, parameter(name='nothing')]).results
    assert [result.successful for result in results] == [False, True, False]
    assert 'expected STRING, got INTEGER' in results[0].reason
    assert "no parameter 'nothing'" in results[2].reason
    assert tester.call(get, names=['word']).values[0].string_value == 'new'
    back = embedded.Parameter('word', value='from the wildcard').to_parameter_msg()
    assert tester.call(set_, parameters=[back]).results[0].successful


def test_the_graph_shows_nodes_topics_services_and_who_publishes(tester, peer, query):
    node = tester.node
    assert tester.until(lambda: ('robot', '/lab') in node.get_node_names_and_namespaces())
    topics = dict(node.get_topic_names_and_types())
    assert topics['/lab/robot/markers'] == ['visualization_msgs/msg/MarkerArray']
    assert topics['/fused/cloud'] == ['sensor_msgs/msg/PointCloud2']
    assert dict(node.get_service_names_and_types())['/lab/robot/query'] == [QUERY]
    assert node.count_publishers('/lab/robot/markers') == 1
    assert node.count_subscribers('/lab/robot/markers') == 0
    (info,) = node.get_publishers_info_by_topic('/lab/robot/markers')
    assert (info.node_name, info.node_namespace) == ('robot', '/lab')
    assert info.qos_profile.durability == embedded.DurabilityPolicy.TRANSIENT_LOCAL
    assert info.qos_profile.reliability == embedded.ReliabilityPolicy.RELIABLE
    assert (info.qos_profile.history.name, info.qos_profile.depth) == ('KEEP_LAST', 1)
    (info,) = node.get_subscriptions_info_by_topic('/fused/cloud')
    assert info.topic_type == 'sensor_msgs/msg/PointCloud2'


def test_profiles_that_do_not_match_are_warned_of_once_with_both(tester, peer, capfd):
    node, string = tester.node, embedded.message('std_msgs/msg/String')
    best_effort = QoSProfile(depth=1, reliability=embedded.ReliabilityPolicy.BEST_EFFORT)
    publishers = [node.create_publisher(string, '/mismatch', best_effort) for _ in range(2)]
    subscription = node.create_subscription(string, '/mismatch', print, LATCHED)
    written = []
    assert tester.until(lambda: written.append(capfd.readouterr().err) or 'offered' in written[-1])
    time.sleep(0.2)
    text = ''.join(written) + capfd.readouterr().err
    wanted = [line for line in text.splitlines() if 'a publisher does not match' in line]
    assert len(wanted) == 1
    assert 'offered best_effort, volatile, wanted reliable, transient_local' in wanted[0]
    for item in publishers:
        node.destroy_publisher(item)
    node.destroy_subscription(subscription)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_node_within_two_seconds(tester, launch, number):
    process = launch('peer_node.py', '--ros-args', '-r', f'__node:=mortal{int(number)}')
    tester.node.destroy_client(tester.client(QUERY, f'/mortal{int(number)}/query'))
    begun = time.monotonic()
    process.send_signal(number)
    written = process.communicate(timeout=10)[0]
    assert (process.returncode, written) == (0, '')
    assert time.monotonic() - begun < 2.0


def test_a_second_node_of_the_same_name_is_warned_of_by_name(tester, launch):
    process = launch('peer_node.py', '--ros-args', '-r', '__node:=tester')
    client = tester.client(QUERY, '/tester/query')
    process.send_signal(signal.SIGINT)
    written = process.communicate(timeout=10)[0]
    tester.node.destroy_client(client)
    assert written.count('There is another node named /tester') == 1


def test_a_nodes_log_goes_to_rosout_also_for_those_who_come_late(tester, capfd):
    speaker, heard = embedded.Node('speaker'), []
    speaker.get_logger().warning('the lamp is hot')
    speaker.get_logger().get_child('arm').info('folded')
    speaker.get_logger().debug('not at this level')
    kind = embedded.message('rcl_interfaces/msg/Log')
    many = replace(LATCHED, depth=1000)  # other nodes, too, are heard late
    subscription = tester.node.create_subscription(kind, '/rosout', heard.append, many)

    def lines():
        return [(m.level, m.name, m.msg) for m in heard if m.name.startswith('speaker')]

    assert tester.until(lambda: (20, 'speaker.arm', 'folded') in lines())
    speaker.destroy_node()
    speaker.get_logger().error('gone')  # on stderr alone
    assert not tester.until(lambda: len(lines()) > 2, timeout_s=0.5)
    tester.node.destroy_subscription(subscription)


def test_big_endian_messages_are_read_and_warned_of(tester, capfd):
    store = interfaces().store
    kind = embedded.message('sensor_msgs/msg/PointField')
    message = kind(name='x', offset=4, datatype=7, count=1)
    interfaces().encode(message)
    big = bytes(store.serialize_cdr(message, kind.ros_type, little_endian=False))
    heard = []
    subscription = tester.node.create_subscription(kind, '/big', heard.append, 5)
    publisher = tester.node.create_publisher(kind, '/big', 5)
    assert tester.until(publisher.get_subscription_count)
    publisher.publish(big)
    publisher.publish(message)
    assert tester.until(lambda: len(heard) == 2)
    assert heard[0] == heard[1] == message
    tester.node.destroy_subscription(subscription)
    tester.node.destroy_publisher(publisher)
