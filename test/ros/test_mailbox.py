import threading
import time

from folk_ros.ros.mailbox import Mailbox


def test_the_newest_waits_and_the_rest_is_counted():
    box = Mailbox()
    for number in range(5):
        box.put('/a', number)
    box.put('/b', 'x')
    assert box.take() == {'/a': 4, '/b': 'x'}
    assert (box.dropped('/a'), box.dropped('/b'), box.dropped('/c')) == (4, 0, 0)


def test_what_was_taken_is_not_dropped_by_what_follows():
    box = Mailbox()
    box.put('/a', 1)
    box.take()
    box.put('/a', 2)
    assert box.dropped('/a') == 0


def test_a_ring_wakes_without_an_item():
    box = Mailbox()
    threading.Timer(0.05, box.ring).start()
    assert box.take(timeout_s=20.0) == {}


def test_closing_wakes_the_worker_and_hands_out_nothing_more():
    box = Mailbox()
    threading.Timer(0.05, box.close).start()
    assert box.take() == {}
    box.put('/a', 1)
    assert box.take() == {}
    assert box.closed


def test_a_pause_ends_with_closing():
    box = Mailbox()
    threading.Timer(0.05, box.close).start()
    begin = time.monotonic()
    box.pause(20.0)
    assert time.monotonic() - begin < 15


def test_items_go_on_replacing_each_other_during_a_pause():
    box = Mailbox()
    waiting = threading.Thread(target=box.pause, args=(0.1,))
    waiting.start()
    box.put('/a', 1)
    box.put('/a', 2)
    waiting.join()
    assert box.take() == {'/a': 2}
