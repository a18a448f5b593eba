import multiprocessing
import threading
import time

import pytest
import torch

from folk_ros.student.engines.workers import share_out


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_work_is_shared_out_among_threads_that_use_one_core_each(two_threads):
    both = threading.Barrier(2, timeout=20)

    def run(number, count):
        both.wait()  # neither waits for the other to end
        return number, count, torch.get_num_threads(), torch.is_grad_enabled()

    assert share_out(run, 5) == [(0, 2, 1, False), (1, 2, 1, False)]


def test_other_threads_keep_their_number_of_cores(two_threads):
    share_out(lambda number, count: None, 2)
    seen = []
    later = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert [torch.get_num_threads(), *seen] == [2, 2]


def test_a_single_piece_is_done_where_it_is_asked_for(two_threads):
    here = threading.get_ident()
    assert share_out(lambda number, count: threading.get_ident() == here, 1) == [True]


def test_the_mode_of_the_caller_holds_in_the_threads(two_threads):
    with torch.inference_mode():
        assert share_out(lambda *_: torch.is_inference_mode_enabled(), 2) == [True, True]
    assert share_out(lambda *_: torch.is_inference_mode_enabled(), 2) == [False, False]


def test_an_error_in_a_thread_is_raised_to_the_caller(two_threads):
    def run(number, count):
        raise ValueError(f'piece {number}')

    with pytest.raises(ValueError, match='piece 0'):
        share_out(run, 2)


def test_after_an_error_no_thread_works_on(two_threads):
    ended = []

    def run(number, count):
        if number == 0:
            raise ValueError('piece 0')
        time.sleep(0.2)
        ended.append(number)

    with pytest.raises(ValueError, match='piece 0'):
        share_out(run, 2)
    assert ended == [1]


def test_a_call_within_a_call_is_done_by_the_same_thread(two_threads):
    both = threading.Barrier(2, timeout=20)

    def inner(number, count):
        both.wait()
        here = threading.get_ident()
        return share_out(lambda *_: threading.get_ident() == here, 2)

    assert share_out(inner, 2) == [[True], [True]]


def answer_of_a_child(pipe):
    torch.set_num_threads(2)
    pipe.send(share_out(lambda number, count: number, 2))


def test_a_forked_process_starts_threads_of_its_own(two_threads):
    share_out(lambda number, count: None, 2)  # the parent's run already
    fork = multiprocessing.get_context('fork')
    ours, theirs = fork.Pipe()
    child = fork.Process(target=answer_of_a_child, args=(theirs,))
    child.start()
    assert ours.poll(20)
    assert ours.recv() == [0, 1]
    child.join(20)
