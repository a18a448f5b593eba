"""Encodings of images that need more than numpy: by cv_bridge, where ROS 2 has it."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

from folk_ros.ros import runtime

PLAIN = ('rgb8', 'bgr8', 'rgba8', 'bgra8', 'mono8', 'mono16', '16UC1', '32FC1')


def with_plain_pixels(message: Any) -> Any:
    """
    Return an image in an encoding that everyone reads: Bayer patterns and YUV become rgb8.

    Compressed images, and those that cannot be converted here, are returned as they are: who
    decodes them says what is wrong. cv_bridge is loaded when it is needed, not before: it breaks
    where it was built for another NumPy.
    """
    encoding = getattr(message, 'encoding', '')
    if not encoding or encoding in PLAIN or runtime.name != 'rclpy':
        return message
    try:
        bridge = import_module('cv_bridge').CvBridge()
        pixels = bridge.imgmsg_to_cv2(message, 'rgb8')
    except (ImportError, AttributeError, RuntimeError, TypeError, ValueError):
        return message
    height, width = pixels.shape[:2]
    return SimpleNamespace(
        header=message.header,
        encoding='rgb8',
        height=height,
        width=width,
        step=3 * width,
        is_bigendian=0,
        data=pixels.tobytes(),
    )
