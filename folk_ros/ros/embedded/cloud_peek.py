"""A look at the first bytes of a PointCloud2, before millions of objects are made of them."""

from __future__ import annotations

import struct

from rosbags.serde import SerdeError

CLOUD = 'sensor_msgs/msg/PointCloud2'
MAX_FIELDS = 1024
CDR_HEADER = 4


def check_fields(payload: memoryview) -> None:
    """
    Refuse a cloud that declares more fields than any sensor has; raises SerdeError.

    Each field is decoded to an object of its own: a message of 16 MB could hold a million. Bytes
    that are cut off raise struct.error; those in the other byte order pass, and fail later.
    """
    order = '<' if payload[1] & 1 else '>'
    body = payload[CDR_HEADER:]
    (length,) = struct.unpack_from(f'{order}I', body, 8)  # of frame_id, after the stamp
    place = 12 + length
    place += -place % 4 + 8  # height and width
    if place + 4 > len(body):
        return
    (count,) = struct.unpack_from(f'{order}I', body, place)
    if count > MAX_FIELDS:
        raise SerdeError(f'{count} fields were declared, expected at most {MAX_FIELDS}')
