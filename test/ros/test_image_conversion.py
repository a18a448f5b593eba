"""Encodings for which cv_bridge is asked, and what happens where it is not there or broken."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from folk_ros.ros import image_conversion, runtime
from folk_ros.ros.image_conversion import PLAIN, with_plain_pixels


@pytest.fixture
def under_rclpy(monkeypatch):
    monkeypatch.setattr(image_conversion, 'runtime', SimpleNamespace(name='rclpy'))


def bridge(monkeypatch, convert):
    module = ModuleType('cv_bridge')
    module.CvBridge = lambda: SimpleNamespace(imgmsg_to_cv2=convert)
    monkeypatch.setitem(sys.modules, 'cv_bridge', module)


def an_image(encoding):
    message = runtime.message('sensor_msgs/msg/Image')()
    message.encoding, message.height, message.width, message.step = encoding, 2, 3, 3
    message.header.frame_id = 'camera'
    message.data = bytes(6)
    return message


def test_a_bayer_image_is_converted_by_cv_bridge(under_rclpy, monkeypatch):
    pixels = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    bridge(monkeypatch, lambda message, encoding: pixels if encoding == 'rgb8' else None)
    plain = with_plain_pixels(an_image('bayer_rggb8'))
    assert (plain.encoding, plain.height, plain.width, plain.step) == ('rgb8', 2, 3, 9)
    assert plain.data == pixels.tobytes() and plain.header.frame_id == 'camera'


def test_an_image_that_everyone_reads_does_not_load_cv_bridge(under_rclpy, monkeypatch):
    bridge(monkeypatch, lambda *_: pytest.fail('it was asked for nothing'))
    for encoding in PLAIN:
        message = an_image(encoding)
        assert with_plain_pixels(message) is message
    compressed = SimpleNamespace(format='jpeg', data=b'')
    assert with_plain_pixels(compressed) is compressed


@pytest.mark.parametrize('error', [AttributeError('_ARRAY_API not found'), RuntimeError('bad')])
def test_where_cv_bridge_fails_the_image_stays_and_the_decoder_says_what_to_do(
    under_rclpy, monkeypatch, error
):
    from folk_ros.training.scenes.recordings.images import decode_colour

    def fail(*_):
        raise error

    bridge(monkeypatch, fail)
    message = an_image('bayer_rggb8')
    assert with_plain_pixels(message) is message
    with pytest.raises(ValueError, match='debayered topic'):
        decode_colour(message)


def test_without_cv_bridge_or_ros_the_image_stays(monkeypatch, under_rclpy):
    monkeypatch.setitem(sys.modules, 'cv_bridge', None)  # importing it raises ImportError
    message = an_image('yuv422')
    assert with_plain_pixels(message) is message
