from bag_support import (
    colour_message,
    compressed,
    depth_message,
    encoded,
    image,
    inverse_depth,
)
import numpy as np
import pytest

from folk_ros.training.scenes.recordings.images import decode_colour, decode_depth, shows_depth

RGB = np.random.default_rng(0).integers(0, 256, (6, 9, 3)).astype(np.uint8)
DEPTH = np.random.default_rng(1).uniform(0.4, 6.0, (6, 9))
DEPTH[2, 3] = 0


@pytest.mark.parametrize('encoding', ['rgb8', 'bgr8', 'rgba8', 'bgra8', 'png'])
def test_red_stays_red_in_every_encoding(encoding):
    message = colour_message(1, 'camera', RGB, encoding)
    np.testing.assert_array_equal(decode_colour(message), RGB)
    assert shows_depth(message) is False


def test_a_jpeg_is_nearly_the_photograph():
    even = np.full((32, 32, 3), (200, 90, 30), np.uint8)
    decoded = decode_colour(colour_message(1, 'camera', even, 'jpeg')).astype(int)
    assert abs(decoded - even).max() <= 3


def test_channels_that_the_publisher_swapped_are_swapped_back():
    data = encoded(np.ascontiguousarray(RGB[..., ::-1]), 'png')
    message = compressed(1, 'camera', data, 'rgb8; png compressed rgb8')
    np.testing.assert_array_equal(decode_colour(message), RGB)


def test_a_grey_photograph_gets_three_equal_channels():
    message = colour_message(1, 'camera', RGB, 'mono8')
    np.testing.assert_array_equal(decode_colour(message), np.repeat(RGB[..., 1:2], 3, 2))


@pytest.mark.parametrize(
    'encoding', ['16UC1', 'mono16', '32FC1', '16UC1 compressedDepth', '32FC1 compressedDepth']
)
def test_depth_is_metres_with_zero_for_none(encoding):
    message = depth_message(1, 'camera', DEPTH, encoding)
    got = decode_depth(message)
    # inverse depth is stored with a quantum that grows with the square of the distance
    tolerance = 36 / inverse_depth(100.0, 10.0)[0] if encoding.startswith('32FC1 c') else 0.0006
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, DEPTH, atol=tolerance)
    assert got[2, 3] == 0
    assert shows_depth(message) is True


@pytest.mark.parametrize('big', [False, True])
@pytest.mark.parametrize('padding', [0, 6])
@pytest.mark.parametrize('kind', ['16UC1', '32FC1'])
def test_padding_and_byte_order_change_nothing(kind, padding, big):
    pixels = np.rint(DEPTH * 1000).astype('u2') if kind == '16UC1' else DEPTH.astype('f4')
    message = image(1, 'camera', pixels, kind, padding=padding, big=big)
    np.testing.assert_allclose(decode_depth(message), DEPTH, atol=0.0006)


def test_the_last_row_may_lack_its_padding():
    message = image(1, 'camera', RGB, 'rgb8', padding=5)
    message.data = message.data[:-5]
    np.testing.assert_array_equal(decode_colour(message), RGB)


def test_what_is_no_distance_is_not_measured():
    strange = np.array([[np.nan, np.inf, -1.0, -0.0, 2.5]], np.float32)
    got = decode_depth(image(1, 'camera', strange, '32FC1'))
    np.testing.assert_array_equal(got, [[0, 0, 0, 0, 2.5]])


def test_depth_without_the_header_is_read_as_millimetres():
    counts = np.rint(DEPTH * 1000).astype(np.uint16)
    message = compressed(1, 'camera', encoded(counts, 'png'), '16UC1; png compressed ')
    np.testing.assert_allclose(decode_depth(message), DEPTH, atol=0.0006)


def test_an_image_that_is_neither_is_taken_for_neither():
    assert shows_depth(image(1, 'camera', RGB[..., 0], 'bayer_rggb8')) is None


def cut(message):
    message.data = message.data[: len(message.data) // 2]
    return message


def narrow(message):
    message.step = 4
    return message


@pytest.mark.parametrize(
    ('decode', 'message', 'said'),
    [
        (decode_colour, image(1, 'c', RGB[..., 0], 'bayer_rggb8'), "got 'bayer_rggb8'"),
        (decode_depth, image(1, 'c', RGB, 'rgb8'), "got 'rgb8'; choose another topic"),
        (decode_colour, cut(image(1, 'c', RGB, 'rgb8')), '162 bytes, got 81'),
        (decode_colour, narrow(image(1, 'c', RGB, 'rgb8')), 'expected a step of 27'),
        (decode_colour, cut(colour_message(1, 'c', RGB, 'png')), 'cannot be decoded'),
        (decode_depth, cut(depth_message(1, 'c', DEPTH, '16UC1 compressedDepth')), 'cannot be'),
        (decode_depth, compressed(1, 'c', bytes(99), '16UC1; compressedDepth rvl'), 'a PNG after'),
        (decode_depth, colour_message(1, 'c', RGB, 'png'), 'expected 16 bits a pixel'),
        (
            decode_colour,
            compressed(1, 'c', encoded(RGB[..., 0].astype('u2'), 'png'), 'png'),
            'got depth',
        ),
    ],
)
def test_images_that_do_not_fit_are_refused_with_a_sentence(decode, message, said):
    with pytest.raises(ValueError, match=said):
        decode(message)
