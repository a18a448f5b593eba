"""Replies to clients that cannot hear yet: kept back, in nobody's way."""

from __future__ import annotations

import time

import pytest

pytest.importorskip('rosbags')

from folk_ros.ros import embedded
from folk_ros.ros.embedded import late_replies
from folk_ros.ros.embedded.late_replies import LateReplies, MAX_WAITING


def wait_for(condition, timeout_s=10.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_reply_goes_out_when_its_client_hears_and_not_before():
    late, hears, sent = LateReplies(), [], []
    late.put(lambda: bool(hears), lambda: sent.append(1))
    time.sleep(0.05)
    assert sent == []
    hears.append(1)
    wait_for(lambda: sent == [1])
    late.put(lambda: True, lambda: sent.append(2))  # after the first thread has ended, too
    wait_for(lambda: sent == [1, 2])


def test_a_client_that_never_hears_is_given_up(monkeypatch):
    monkeypatch.setattr(late_replies, 'REPLY_READER_S', 0.05)
    late, sent = LateReplies(), []
    late.put(lambda: False, lambda: sent.append(1))
    wait_for(lambda: sent == [1])


def test_too_many_are_sent_at_once_and_nothing_is_sent_after_the_end():
    late, sent = LateReplies(), []
    for number in range(MAX_WAITING + 2):
        late.put(lambda: False, lambda number=number: sent.append(number))
    assert sent == [MAX_WAITING, MAX_WAITING + 1]
    late.close()
    time.sleep(2 * late_replies.POLL_S + late_replies.REPLY_READER_S)
    assert len(sent) == 2


def test_a_reply_that_raises_does_not_hold_up_the_next_one(monkeypatch):
    monkeypatch.setattr('threading.excepthook', lambda args: None)
    late, sent = LateReplies(), []
    late.put(lambda: True, lambda: 1 / 0)
    time.sleep(0.05)
    late.put(lambda: True, lambda: sent.append(1))
    wait_for(lambda: sent == [1])


@pytest.mark.dds
def test_a_client_without_a_reader_does_not_hold_up_the_others(tester):
    kind = 'std_srvs/srv/Trigger'
    name = '/not_held_up'
    tester.node.create_service(embedded.service(kind), name, lambda request, response: response)
    fast, deaf = tester.client(kind, name), tester.client(kind, name)
    tester.call(fast)
    deaf.reader.close()
    tester.until(lambda: False, 0.2)  # until that is known
    slow = deaf.call_async(deaf.srv_type.Request())
    begin = time.monotonic()
    for _ in range(5):
        tester.call(fast)
    assert time.monotonic() - begin < late_replies.REPLY_READER_S
    assert not slow.done()
