"""One node in this process: executors, timers, clocks, loggers, names."""

from __future__ import annotations

import gc
import threading
import time

import numpy as np
import pytest

pytest.importorskip('rosbags')

from folk_ros.ros import embedded
from folk_ros.ros.embedded.clock import Duration, Time
from folk_ros.ros.embedded.logger import get_logger, LoggingSeverity, set_level
from folk_ros.ros.embedded.messages import interfaces

pytestmark = [pytest.mark.dds, pytest.mark.timeout(60)]


@pytest.fixture
def node(tester):
    made = embedded.Node(
        'node',
        namespace='ns',
        cli_args=['-r', 'in:=/elsewhere', '-p', 'rate:=2.5'],
        parameter_overrides=[embedded.Parameter('word', value='given')],
    )
    yield made
    made.destroy_node()


def spin(executor, condition, timeout_s: float = 10.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        executor.spin_once(0.02)
    return bool(condition())


def test_names_are_those_that_ros_gives(node):
    assert node.get_fully_qualified_name() == '/ns/node'
    topics = [node.resolve_topic_name(name) for name in ('in', '~/out', '/abs', 'rel')]
    assert topics == ['/elsewhere', '/ns/node/out', '/abs', '/ns/rel']


def test_overrides_of_arguments_and_constructor_reach_the_parameters(node):
    values = node.declare_parameters('', [('rate', 1.0), ('word', 'none'), ('left', 3)])
    assert [parameter.value for parameter in values] == [2.5, 'given', 3]
    assert node.get_parameter('use_sim_time').value is False


def test_a_timer_calls_back_at_its_period_until_it_is_cancelled(node):
    calls = []
    executor = embedded.SingleThreadedExecutor()
    executor.add_node(node)
    timer = node.create_timer(0.02, lambda: calls.append(time.monotonic()))
    assert spin(executor, lambda: len(calls) >= 5)
    assert calls[-1] - calls[0] >= 0.06
    timer.cancel()
    count = len(calls)
    executor.spin_once(0.1)
    assert len(calls) == count
    executor.shutdown()


def test_groups_run_side_by_side_and_each_one_by_one(node):
    executor = embedded.MultiThreadedExecutor()
    executor.add_node(node)
    running, together, clashes = [], set(), []

    def work(group: str):
        if group in running:
            clashes.append(group)
        running.append(group)
        together.add(frozenset(running))
        time.sleep(0.05)
        running.remove(group)

    for name in ('a', 'b'):
        group = embedded.MutuallyExclusiveCallbackGroup()
        for _ in range(2):
            node.create_timer(0.01, lambda name=name: work(name), group)
    thread = threading.Thread(target=executor.spin)
    thread.start()
    time.sleep(0.5)
    executor.shutdown()
    thread.join(5)
    assert frozenset('ab') in together
    assert clashes == []


def test_an_exception_in_a_callback_comes_out_of_spin(node):
    def fail():
        raise ZeroDivisionError('in the callback')

    for executor in (embedded.SingleThreadedExecutor(), embedded.MultiThreadedExecutor()):
        executor.add_node(node)
        timer = node.create_timer(0.01, fail)
        with pytest.raises(ZeroDivisionError, match='in the callback'):
            executor.spin()
        node.destroy_timer(timer)
        executor.shutdown()


def test_a_service_can_be_called_and_awaited_inside_a_callback(node):
    trigger = embedded.service('std_srvs/srv/Trigger')
    executor = embedded.MultiThreadedExecutor()
    executor.add_node(node)
    groups = [embedded.ReentrantCallbackGroup() for _ in range(3)]

    def answer(_request, response):
        response.message = 'inner'
        return response

    node.create_service(trigger, 'inner', answer, callback_group=groups[0])
    client = node.create_client(trigger, 'inner', callback_group=groups[1])
    answers = []

    def ask():
        timer.cancel()
        client.wait_for_service(timeout_sec=5.0)
        answers.append(client.call(trigger.Request(), timeout_sec=5.0).message)
        future.set_result(None)

    from folk_ros.ros.embedded.future import Future

    future = Future()
    timer = node.create_timer(0.01, ask, groups[2])
    executor.spin_until_future_complete(future, 10.0)
    executor.shutdown()
    assert answers == ['inner']


def test_a_call_that_nobody_answers_times_out(node):
    trigger = embedded.service('std_srvs/srv/Trigger')
    client = node.create_client(trigger, 'nobody')
    assert not client.wait_for_service(timeout_sec=0.05)
    with pytest.raises(TimeoutError, match='/ns/nobody: no answer within 0.05 s'):
        client.call(trigger.Request(), timeout_sec=0.05)


def test_a_raw_subscription_gets_the_bytes(node):
    string = embedded.message('std_msgs/msg/String')
    executor, got = embedded.SingleThreadedExecutor(), []
    executor.add_node(node)
    node.create_subscription(string, 'raw', got.append, 10, raw=True)
    publisher = node.create_publisher(string, 'raw', 10)
    publisher.publish(string(data='abc'))
    assert spin(executor, lambda: got)
    assert interfaces().decode(memoryview(got[0]), 'std_msgs/msg/String').data == 'abc'
    executor.shutdown()


def test_a_message_of_another_type_is_not_sent(node):
    publisher = node.create_publisher(embedded.message('std_msgs/msg/String'), 'x', 10)
    with pytest.raises(TypeError, match='/ns/x: expected std_msgs/msg/String, got Bool'):
        publisher.publish(embedded.message('std_msgs/msg/Bool')())


def test_received_data_stays_valid_after_the_subscription_is_gone(node):
    cloud = embedded.message('sensor_msgs/msg/PointCloud2')
    executor, got = embedded.SingleThreadedExecutor(), []
    executor.add_node(node)
    subscription = node.create_subscription(cloud, 'cloud', got.append, 5)
    publisher = node.create_publisher(cloud, 'cloud', 5)
    sent = np.random.default_rng(0).integers(0, 256, 500_000, np.uint8)
    for _ in range(3):
        publisher.publish(cloud(data=sent))
    assert spin(executor, lambda: len(got) == 3)
    executor.shutdown()
    node.destroy_subscription(subscription)
    node.destroy_publisher(publisher)
    data = got[1].data
    got.clear()
    gc.collect()
    assert np.array_equal(data, sent)


def test_simulated_time_follows_the_clock_topic_and_its_jumps(node):
    executor = embedded.SingleThreadedExecutor()
    executor.add_node(node)
    message = embedded.message('rosgraph_msgs/msg/Clock')
    publisher = node.create_publisher(message, '/clock', 10)
    clock, calls = node.get_clock(), []
    assert abs(clock.now().nanoseconds - time.time_ns()) < 5e9
    node.set_parameters([embedded.Parameter('use_sim_time', value=True)])
    assert clock.now().nanoseconds == 0
    node.create_timer(1.0, lambda: calls.append(clock.now().nanoseconds // 10**9))
    for second in (100, 102, 50, 52):
        stamp = embedded.message('builtin_interfaces/msg/Time')(sec=second)
        publisher.publish(message(clock=stamp))
        assert spin(executor, lambda second=second: clock.now().nanoseconds == second * 10**9)
        spin(executor, lambda: False, 0.1)
    assert calls == [100, 102, 52]
    node.set_parameters([embedded.Parameter('use_sim_time', value=False)])
    assert abs(clock.now().nanoseconds - time.time_ns()) < 5e9
    executor.shutdown()


def test_times_are_compared_subtracted_and_sent():
    early, late = Time(nanoseconds=1_500_000_000), Time(seconds=2)
    assert early < late
    assert late - early == Duration(seconds=0.5)
    assert early + Duration(nanoseconds=500_000_000) == late
    assert (early.to_msg().sec, early.to_msg().nanosec) == (1, 500_000_000)
    assert Time.from_msg(early.to_msg()) == early


def test_log_lines_have_level_time_and_name_and_can_be_held_back(capsys):
    logger = get_logger('test_log')
    for _ in range(3):
        logger.warning('slow', throttle_duration_sec=60.0)
        logger.info('hello', once=True)
    logger.debug('hidden')
    set_level('test_log', 'debug')
    logger.debug('shown')
    set_level('test_log', LoggingSeverity.ERROR)
    logger.warning('too little')
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(': ')[1] for line in lines] == ['slow', 'hello', 'shown']
    assert lines[0].startswith('[WARN] [')
    assert lines[0].endswith('] [test_log]: slow')


def test_an_unknown_log_level_is_refused():
    with pytest.raises(ValueError, match="Log level 'loud' is unknown; use one of unset, debug"):
        set_level('', 'loud')


def test_a_second_init_is_refused(tester):
    with pytest.raises(RuntimeError, match=r'init\(\) was called already'):
        embedded.init(args=[])


def test_two_nodes_of_one_name_in_one_process_are_warned_of(node, capsys):
    twin = embedded.Node('node', namespace='/ns')
    assert 'another node named /ns/node' in capsys.readouterr().err
    twin.destroy_node()
