"""Ages by the right clock, with clocks that the test sets."""

from types import SimpleNamespace

import pytest

from folk_ros.ros import timekeeping
from folk_ros.ros.timekeeping import Timekeeper

SECOND = 1_000_000_000
TODAY = 1_790_000_000 * SECOND


class FakeClock:
    def __init__(self, now_ns, simulated):
        self.now_ns, self.ros_time_is_active = now_ns, simulated

    def now(self):
        return SimpleNamespace(nanoseconds=self.now_ns)


@pytest.fixture
def steady(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(timekeeping, 'time', SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_a_cloud_is_as_old_as_its_stamp_and_gets_older(steady):
    keeper = Timekeeper(FakeClock(TODAY, False))
    arrival = keeper.arrived(TODAY - 2 * SECOND)
    assert arrival.clocks_agree and keeper.age_s(arrival) == pytest.approx(2.0)
    steady[0] += 5.0
    assert keeper.age_s(arrival) == pytest.approx(7.0)


def test_a_step_of_the_systems_clock_makes_no_cloud_older_or_newer(steady):
    clock = FakeClock(TODAY, False)
    keeper = Timekeeper(clock)
    arrival = keeper.arrived(TODAY)
    for now in (TODAY + 3600 * SECOND, 5 * SECOND):
        clock.now_ns = now
        steady[0] += 1.0
        assert keeper.age_s(arrival) == pytest.approx(steady[0] - 100.0)
        assert keeper.set_back_s() == 0.0


@pytest.mark.parametrize('stamp', [0, 5 * SECOND, TODAY - 3600 * SECOND, TODAY + 60 * SECOND])
def test_a_stamp_of_another_clock_is_not_believed(steady, stamp):
    keeper = Timekeeper(FakeClock(TODAY, False))
    arrival = keeper.arrived(stamp)
    assert not arrival.clocks_agree
    steady[0] += 3.0
    assert keeper.age_s(arrival) == pytest.approx(3.0)


def test_simulated_time_that_stands_still_ages_nothing(steady):
    clock = FakeClock(50 * SECOND, True)
    keeper = Timekeeper(clock)
    arrival = keeper.arrived(49 * SECOND)
    steady[0] += 500.0
    assert arrival.clocks_agree and keeper.age_s(arrival) == pytest.approx(1.0)
    clock.now_ns = 60 * SECOND
    assert keeper.age_s(arrival) == pytest.approx(11.0)


def test_simulated_time_that_is_set_back_is_noticed_once():
    clock = FakeClock(50 * SECOND, True)
    keeper = Timekeeper(clock)
    assert keeper.set_back_s() == 0.0
    clock.now_ns -= SECOND // 2  # messages may come out of order
    assert keeper.set_back_s() == 0.0
    clock.now_ns = 3 * SECOND
    assert keeper.set_back_s() == pytest.approx(46.5)
    assert keeper.set_back_s() == 0.0


def test_before_the_first_clock_message_no_age_is_claimed(steady):
    keeper = Timekeeper(FakeClock(0, True))
    assert not keeper.arrived(7 * SECOND).clocks_agree


def test_another_clock_is_no_jump_but_the_jumps_of_that_clock_are():
    clock = FakeClock(TODAY, False)
    keeper = Timekeeper(clock)
    assert keeper.set_back_s() == 0.0
    clock.ros_time_is_active = True
    for now in (0, 40 * SECOND, 41 * SECOND):  # use_sim_time is set, then /clock begins to tell
        clock.now_ns = now
        assert keeper.set_back_s() == 0.0
    clock.now_ns = 0  # a simulator begins anew; its first message may say 0
    assert keeper.set_back_s() == 0.0
    clock.now_ns = SECOND
    assert keeper.set_back_s() == pytest.approx(40.0)
    clock.ros_time_is_active, clock.now_ns = False, TODAY
    assert keeper.set_back_s() == 0.0
