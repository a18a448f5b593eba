"""The worker when time is set back: at rest, in the midst of a cloud, told twice."""

import gc
import threading
import weakref

from colour_folk import ColourFolk, room
from node_support import SECOND, wait_for
import pytest

from folk_ros.config import FolkConfig
from folk_ros.ros.conversions import to_point_cloud2
from folk_ros.ros.frames import OwnFrames
from folk_ros.ros.gathering import Gathering, Letter
from folk_ros.ros.placing import Placing
from folk_ros.ros.segmenter import Segmenter


class Log:
    def __init__(self):
        self.lines = []

    def info(self, text, **_):
        self.lines.append(text)

    warning = error = info


class HeldFolk(ColourFolk):
    """Segments when it is let."""

    def __init__(self, config):
        super().__init__(config)
        self.inside, self.go = threading.Event(), threading.Event()
        self.go.set()

    def segment(self, cloud):
        self.inside.set()
        assert self.go.wait(30)
        return super().segment(cloud)


class Worker:
    """A segmenter at work, and what it tells: stamps of scenes, and of resets as -stamp."""

    def __init__(self):
        self.log, self.told = Log(), []
        self.folk = HeldFolk(FolkConfig())
        gathering = Gathering(Placing(OwnFrames()), self.log)
        self.segmenter = Segmenter(lambda config: self.folk, FolkConfig(), gathering, self.log)
        self.segmenter.on_scene = lambda s: self.told.append(s.scene.stamp_ns // SECOND)
        self.segmenter.on_reset = lambda stamp_ns: self.told.append(-stamp_ns // SECOND)
        self.segmenter.start()
        wait_for(lambda: self.segmenter.folk, what='the model')

    def put(self, second):
        cloud = to_point_cloud2(room(stamp_ns=second * SECOND))
        self.segmenter.mailbox.put('/cloud', Letter(cloud))

    def wait(self, *told):
        wait_for(lambda: self.told == list(told), 10, f'{told}, got {self.told} {self.log.lines}')


@pytest.fixture
def worker():
    made = Worker()
    yield made
    made.folk.go.set()
    assert made.segmenter.stop(30)


def test_the_clock_set_back_takes_the_scene_back_at_once_and_the_next_cloud_makes_one(worker):
    worker.put(100)
    worker.wait(100)
    worker.segmenter.start_anew('set back', 10 * SECOND)
    assert worker.segmenter.latest is None and worker.told[:2] == [100, -10]
    worker.put(11)
    worker.wait(100, -10, -10, 11)
    assert worker.segmenter.latest.scene.stamp_ns == 11 * SECOND


def test_nothing_of_a_scene_is_left_when_time_was_set_back(worker):
    worker.put(100)
    worker.wait(100)
    latest = worker.segmenter.latest
    watched = [weakref.ref(one) for one in (latest, latest.scene, latest.cloud, latest.cloud.xyz)]
    del latest
    worker.segmenter.start_anew('set back', 10 * SECOND)
    worker.wait(100, -10, -10)
    gc.collect()
    wait_for(lambda: [one() for one in watched] == [None] * 4, 5, 'the memory')


def test_what_is_in_the_network_or_waits_when_time_is_set_back_is_never_shown(worker):
    worker.folk.go.clear()
    worker.put(100)
    assert worker.folk.inside.wait(30)
    worker.put(101)  # waits
    worker.segmenter.start_anew('set back', 10 * SECOND)
    worker.folk.go.set()
    worker.wait(-10, -10)
    worker.put(12)
    worker.wait(-10, -10, 12)
    assert worker.folk.memory.last_id == 3  # ids begin anew, none of 100 or 101 is left


def test_a_cloud_of_the_new_time_that_waits_is_used_though_the_clock_tells_later(worker):
    worker.folk.go.clear()
    worker.put(100)
    assert worker.folk.inside.wait(30)
    worker.put(10)  # of the bag that was begun again; /clock comes after it
    worker.segmenter.start_anew('set back', 10 * SECOND)
    worker.folk.go.set()
    worker.wait(-10, -10, 10)


def test_one_jump_told_by_a_cloud_and_then_by_the_clock_forgets_once(worker):
    worker.put(100)
    worker.wait(100)
    worker.put(10)
    worker.wait(100, -10, 10)
    worker.segmenter.start_anew('set back', 10 * SECOND + SECOND // 10)
    assert worker.segmenter.latest.scene.stamp_ns == 10 * SECOND
    worker.segmenter.start_anew('set back again', 2 * SECOND)  # farther: another jump
    assert worker.segmenter.latest is None
    worker.wait(100, -10, 10, -2, -2)
