"""An end in the middle of a cloud: the network stops at its next layer, and the node can go."""

import threading

from colour_folk import room, untrained_folk
from node_support import wait_for
import pytest

torch = pytest.importorskip('torch')

from folk_ros.config import FolkConfig  # noqa: E402
from folk_ros.ros.gathering import Letter  # noqa: E402
from folk_ros.ros.segmenter import Segmenter  # noqa: E402
from folk_ros.student.runner import Cancelled  # noqa: E402


class Halfway:
    """Holds the network up at one of its layers until it is let go; counts the layers begun."""

    def __init__(self, folk, at):
        self.count, self._at = 0, at
        self.reached, self.go = threading.Event(), threading.Event()
        for layer in folk.student.modules():
            layer.register_forward_pre_hook(self._on_layer)

    def _on_layer(self, *_):
        self.count += 1
        if self.count == self._at:
            self.reached.set()
            assert self.go.wait(30)


@pytest.fixture
def folk():
    return untrained_folk()


def test_a_segmentation_called_off_begins_no_further_layer(folk):
    whole = Halfway(folk, at=0)
    folk.segment(room())
    middle = whole.count // 2
    half = Halfway(folk, at=middle)
    errors = []

    def segment():
        try:
            folk.segment(room())
        except Cancelled as error:
            errors.append(error)

    thread = threading.Thread(target=segment)
    thread.start()
    assert half.reached.wait(30)
    folk.cancel()
    half.go.set()
    thread.join(30)
    assert errors and half.count == middle
    with pytest.raises(Cancelled):
        folk.segment(room())


class _Gathering:
    """Hands every letter to the network as it is."""

    waits = False

    def __init__(self):
        self.letters = []

    def decode(self, letters, config):
        self.letters = list(letters.values())
        return ''

    def place(self, config):
        from folk_ros.ros.fusion import Placed

        return Placed(self.letters.pop().message, 'map') if self.letters else None


class _Log:
    def __init__(self):
        self.lines = []

    def info(self, text, **_):
        self.lines.append(text)

    warning = error = info


def test_the_worker_ends_in_the_middle_of_a_cloud_and_complains_of_nothing(folk):
    half, log, scenes = Halfway(folk, at=40), _Log(), []
    segmenter = Segmenter(lambda config: folk, FolkConfig(), _Gathering(), log)
    segmenter.on_scene = scenes.append
    folk.warm_up = lambda: None
    segmenter.start()
    segmenter.mailbox.put('/cloud', Letter(room()))
    assert half.reached.wait(30)
    said = len(log.lines)
    threading.Timer(0.2, half.go.set).start()  # while stop waits
    assert segmenter.stop(30)
    assert not scenes and log.lines[said:] == [] and half.count == 40


def test_the_worker_ends_after_a_cloud_too(folk):
    segmenter = Segmenter(lambda config: folk, FolkConfig(), _Gathering(), _Log())
    segmenter.start()
    wait_for(lambda: segmenter.folk, what='the model')
    assert segmenter.stop(30)
