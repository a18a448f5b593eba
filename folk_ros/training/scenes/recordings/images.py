"""
Pixels of sensor_msgs Image and CompressedImage messages, whichever library made the messages.

Colour becomes [H, W, 3] uint8, depth [H, W] float32 metres with 0 where nothing was measured.
Rows may be padded and numbers big-endian. Compressed depth is as compressed_depth_image_transport
writes it: twelve bytes (a format number and two floats a, b), then a PNG of 16 bits that holds
millimetres (16UC1), or counts n that stand for a / (n - b) metres (32FC1).
"""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.cloud import as_bytes
from folk_ros.training.scenes.images import COUNT_MODES, pillow

COLOURS = {  # encoding -> bytes of a pixel, and which of them are red, green and blue
    'rgb8': (3, (0, 1, 2)),
    'bgr8': (3, (2, 1, 0)),
    'rgba8': (4, (0, 1, 2)),
    'bgra8': (4, (2, 1, 0)),
    'mono8': (1, (0, 0, 0)),
}
DEPTHS = {'16UC1': ('u2', 0.001), 'mono16': ('u2', 0.001), '32FC1': ('f4', 1.0)}  # metres
PNG = b'\x89PNG'
HEADER_BYTES = 12


def is_compressed(message: Any) -> bool:
    """Whether a message is a CompressedImage: it has a format where an Image has an encoding."""
    return hasattr(message, 'format')


def kind_of(message: Any) -> str:
    """Return the encoding of an image, or the format of a compressed one."""
    return str(message.format if is_compressed(message) else message.encoding)


def shows_depth(message: Any) -> bool | None:
    """Tell depth (True) from colour (False) by the encoding; None where it is neither."""
    if is_compressed(message):
        words = message.format.lower()
        if 'compresseddepth' in words or words.startswith(('16uc1', '32fc1', 'mono16')):
            return True
        return False if any(kind in words for kind in ('jpeg', 'jpg', 'png')) else None
    if message.encoding in DEPTHS:
        return True
    return False if message.encoding in COLOURS else None


def decode_colour(message: Any) -> NDArray[np.uint8]:
    """Return the photograph [H, W, 3]; raise ValueError where the message is none."""
    if is_compressed(message):
        return _decode_photograph(message)
    if message.encoding not in COLOURS:
        raise ValueError(
            f'colour image: expected encoding {", ".join(COLOURS)} or a JPEG or PNG, got '
            f"'{message.encoding}'; record the rectified or debayered topic, or the compressed one"
        )
    size, order = COLOURS[message.encoding]
    return np.ascontiguousarray(_pixels(message, 'u1', size)[..., order])


def decode_depth(message: Any) -> NDArray[np.float32]:
    """Return depth [H, W] in metres, 0 for none; raise ValueError where the message has none."""
    if is_compressed(message):
        metres = _decode_compressed_depth(message)
    elif message.encoding in DEPTHS:
        kind, unit = DEPTHS[message.encoding]
        metres = _pixels(message, kind, 1)[..., 0] * np.float32(unit)
    else:
        raise ValueError(
            f'depth image: expected encoding {", ".join(DEPTHS)} or compressedDepth, got '
            f"'{message.encoding}'; choose another topic with --depth"
        )
    metres = metres.astype(np.float32)
    return np.where(np.isfinite(metres) & (metres > 0), metres, np.float32(0))


def _pixels(message: Any, kind: str, channels: int) -> NDArray[Any]:
    """View the pixels [H, W, C] in place, whatever stands between the rows."""
    data = as_bytes(message.data)
    height, width, step = int(message.height), int(message.width), int(message.step)
    order = '>' if message.is_bigendian else '<'
    dtype = np.dtype(order + kind)
    pixel = channels * dtype.itemsize
    needed = (height - 1) * step + width * pixel  # the last row may lack its padding
    if min(height, width) < 1 or step < width * pixel or len(data) < needed:
        raise ValueError(
            f'image of {width}x{height} pixels ({message.encoding}) with step {step}: expected '
            f'a step of {width * pixel} or more and {max(needed, 0)} bytes, got {len(data)}'
        )
    strides = (step, pixel, dtype.itemsize)
    return np.ndarray((height, width, channels), dtype, data, 0, strides)


def _decode_photograph(message: Any) -> NDArray[np.uint8]:
    """Decode a JPEG or PNG; channels are swapped back where the publisher says it swapped them."""
    image = _open(as_bytes(message.data).tobytes(), message.format)
    if image.mode in COUNT_MODES:
        raise ValueError(f"colour image: expected colours, got depth ('{message.format}')")
    rgb = np.asarray(image.convert('RGB'))
    swapped = 'compressed rgb' in message.format  # OpenCV wrote RGB where it expects BGR
    return np.ascontiguousarray(rgb[..., ::-1]) if swapped else rgb


def _decode_compressed_depth(message: Any) -> NDArray[Any]:
    """Decode a PNG of 16 bits, with or without the header of compressed depth, to metres."""
    data = as_bytes(message.data).tobytes()
    start = data.find(PNG, 0, HEADER_BYTES + len(PNG))
    if start not in (0, HEADER_BYTES):
        raise ValueError(
            f"compressed depth ('{message.format}'): expected a PNG after {HEADER_BYTES} bytes, "
            'got other data; record it with the format png, or the raw depth topic'
        )
    image = _open(data[start:], message.format)
    if image.mode not in COUNT_MODES:
        raise ValueError(
            f"compressed depth ('{message.format}'): expected 16 bits a pixel, got an image of "
            f'kind {image.mode}'
        )
    counts = np.asarray(image).astype(np.float32)
    if start == 0 or '32FC1' not in message.format:
        return counts * np.float32(0.001)
    a, b = struct.unpack_from('<ff', data, 4)
    measured = counts > 0
    return np.divide(a, counts - b, out=np.zeros_like(counts), where=measured & (counts != b))


def _open(data: bytes, kind: str) -> Any:
    """Decode an image file in memory; raise ValueError where it is damaged."""
    library = pillow()
    try:
        image = library.open(io.BytesIO(data))
        image.load()
    except (OSError, SyntaxError, ValueError, library.DecompressionBombError) as error:
        raise ValueError(f"compressed image ('{kind}'): cannot be decoded ({error})") from None
    return image
