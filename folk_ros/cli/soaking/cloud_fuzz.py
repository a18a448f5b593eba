"""Clouds that are readable messages and make no sense: fields, sizes, numbers, frames, stamps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from folk_ros.ros import runtime

Rng = np.random.Generator
Spoil = Callable[[Rng, Any], None]

FIELDS = 'xyz'
STEP, MOST_POINTS = 16, 300
SIZES = (0, 1, 3, 15, 17, 255, 65_535, 65_536, 2**31 - 1, 2**31, 2**32 - 1)
ODD = (
    *(np.nan, np.inf, -np.inf, 1e-45, -0.0, 3.4e38, -3.4e38, 1e30, 1e12, 1e7),
    *(1e5, 65_536.0, 16_777_216.0, 2.0**31, 2.0**63),
)
FRAMES = (
    *('', ' ', '/', '//', 'map/', '/map', 'camera_optical_frame', '_optical_frame', 'ma\0p', '\n'),
    *('x' * 5000, 'кадр', '🪑', '../../etc', '%s%n', '\x1b[31mred'),
)
SECONDS = (0, 1, -1, -(2**31), 2**31 - 1, 1_000_000_000, 4_000)
NANOSECONDS = (0, 1, 999_999_999, 1_000_000_000, 2**32 - 1)
NAMES = ('x', 'y', 'z', 'rgb', 'rgba', 'r', 'g', 'b', 'intensity', '', 'X', 'x\0', 'ж', 'n' * 3000)


def absurd(rng: Rng) -> bytes:
    """Return a small cloud with one to four things wrong with it."""
    message = _fair(rng)
    for _ in range(int(rng.integers(1, 5))):
        SPOILS[int(rng.integers(len(SPOILS)))](rng, message)
    return bytes(runtime.serialize_message(message))


def fair(rng: Rng) -> bytes:
    """Return a good cloud."""
    return bytes(runtime.serialize_message(_fair(rng)))


def _fair(rng: Rng) -> Any:
    """Return a good cloud of x, y, z and rgb within some metres."""
    count = int(rng.integers(1, MOST_POINTS))
    message = runtime.message('sensor_msgs/msg/PointCloud2')()
    message.header.frame_id = 'map'
    message.header.stamp.sec = int(rng.integers(1_700_000_000, 1_800_000_000))
    message.height, message.width = 1, count
    message.point_step, message.row_step = STEP, STEP * count
    message.fields = [_field(name, 4 * n, 7) for n, name in enumerate((*FIELDS, 'rgb'))]
    points = np.zeros((count, STEP), np.uint8)
    points[:, :12] = rng.uniform(-3, 3, (count, 3)).astype('<f4').view(np.uint8)
    points[:, 12:15] = rng.integers(0, 256, (count, 3))
    message.data = points.ravel()
    message.is_dense = bool(rng.random() < 0.5)
    return message


def _field(name: str, offset: int, datatype: int, count: int = 1) -> Any:
    kind = runtime.message('sensor_msgs/msg/PointField')
    return kind(name=name, offset=offset, datatype=datatype, count=count)


def _one_of(rng: Rng, choices: Any) -> Any:
    return choices[int(rng.integers(len(choices)))]


def _some_field(rng: Rng, message: Any) -> Any:
    return _one_of(rng, message.fields) if message.fields else _field('x', 0, 7)


def _offset(rng: Rng, message: Any) -> None:
    _some_field(rng, message).offset = _one_of(rng, (*range(20), *SIZES))


def _datatype(rng: Rng, message: Any) -> None:
    _some_field(rng, message).datatype = int(rng.integers(0, 256 if rng.random() < 0.3 else 10))


def _count(rng: Rng, message: Any) -> None:
    _some_field(rng, message).count = _one_of(rng, SIZES)


def _name(rng: Rng, message: Any) -> None:
    _some_field(rng, message).name = _one_of(rng, NAMES)


def _more_fields(rng: Rng, message: Any) -> None:
    many = 2000 if rng.random() < 0.05 else int(rng.integers(1, 20))
    message.fields = [
        *message.fields,
        *(
            _field(_one_of(rng, NAMES), int(rng.integers(64)), int(rng.integers(10)))
            for _ in range(many)
        ),
    ]


def _fewer_fields(rng: Rng, message: Any) -> None:
    message.fields = [field for field in message.fields if rng.random() < 0.5]


def _shuffled_fields(rng: Rng, message: Any) -> None:
    message.fields = [message.fields[i] for i in rng.permutation(len(message.fields))]


def _size(rng: Rng, message: Any) -> None:
    setattr(
        message, _one_of(rng, ('width', 'height', 'point_step', 'row_step')), _one_of(rng, SIZES)
    )


def _product(rng: Rng, message: Any) -> None:
    """Make width times height, or times the step, go round in 32 bits."""
    message.width, message.height = _one_of(
        rng, ((65_536, 65_536), (2**31, 2), (2**16, 2**16 + 1))
    )
    message.row_step = _one_of(rng, (0, STEP, 2**32 - 1))


def _organised(rng: Rng, message: Any) -> None:
    """Part the points into rows, with padding that may be there or not."""
    height = int(rng.integers(1, 5))
    message.height, message.width = height, int(message.width) // height
    message.row_step = (STEP * int(message.width) + int(rng.integers(0, 9))) % 2**32


def _bytes_cut(rng: Rng, message: Any) -> None:
    message.data = message.data[: int(rng.integers(len(message.data) + 1))]


def _bytes_added(rng: Rng, message: Any) -> None:
    more = np.frombuffer(rng.bytes(int(rng.integers(1, 64))), np.uint8)
    message.data = np.concatenate([message.data, more])


def _no_points(rng: Rng, message: Any) -> None:
    message.width = 0
    message.height = int(rng.integers(0, 2))
    message.row_step = 0
    message.data = message.data[:0]


def _numbers(rng: Rng, message: Any) -> None:
    """Put odd numbers among the coordinates, or nothing else."""
    data = np.array(message.data)
    values = data[: len(data) // STEP * STEP].reshape(-1, STEP)[:, :12].copy().view('<f4')
    chosen = rng.random(values.shape) < _one_of(rng, (0.01, 0.3, 1.0))
    with np.errstate(over='ignore', invalid='ignore'):
        values[chosen] = np.float32(_one_of(rng, ODD)) * _one_of(rng, (1, -1))
    data[: len(data) // STEP * STEP].reshape(-1, STEP)[:, :12] = values.view(np.uint8)
    message.data = data


def _scattered(rng: Rng, message: Any) -> None:
    """Throw the points over a country: every one alone."""
    data = np.array(message.data)
    whole = data[: len(data) // STEP * STEP].reshape(-1, STEP)
    far = rng.uniform(-1, 1, (len(whole), 3)) * 10 ** rng.uniform(1, 9)
    whole[:, :12] = far.astype('<f4').view(np.uint8)
    message.data = data


def _one_place(rng: Rng, message: Any) -> None:
    """Put every point in one place."""
    data = np.array(message.data)
    whole = data[: len(data) // STEP * STEP].reshape(-1, STEP)
    whole[:, :12] = whole[:1, :12]
    message.data = data


def _big_endian(rng: Rng, message: Any) -> None:
    message.is_bigendian = True


def _frame(rng: Rng, message: Any) -> None:
    message.header.frame_id = _one_of(rng, FRAMES)


def _stamp(rng: Rng, message: Any) -> None:
    message.header.stamp.sec = _one_of(rng, SECONDS)
    message.header.stamp.nanosec = _one_of(rng, NANOSECONDS)


def _large(rng: Rng, message: Any) -> None:
    """Send some megabytes of one point, rarely."""
    if rng.random() < 0.03:
        message.data = np.zeros(int(rng.integers(1, 9)) << 20, np.uint8)
        message.width = len(message.data) // STEP
        message.row_step = len(message.data)


SPOILS: tuple[Spoil, ...] = (
    *(_offset, _datatype, _count, _name, _more_fields, _fewer_fields, _shuffled_fields),
    *(_size, _size, _product, _organised, _bytes_cut, _bytes_added, _no_points),
    *(_numbers, _numbers, _scattered, _one_place, _big_endian, _frame, _stamp, _large),
)
