from __future__ import annotations

import tracemalloc

from cloud_messages import F32, F64, I32, make_layout, U16, U32, XYZ
import numpy as np
import pytest

from folk_ros.cloud import decode, PointField


def test_names_from_a_message_are_cut_short_in_what_is_said():
    layout = make_layout(fields=tuple(PointField('n' * 3000, 0, F32) for _ in range(500)))
    with pytest.raises(ValueError, match='and 484 more') as caught:
        decode(bytes(16), layout)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ('layout', 'size', 'said'),
    [
        (make_layout(fields=XYZ[:2]), 16, "expected x, y and z, got 'x', 'y'"),
        (make_layout(fields=()), 16, 'expected x, y and z, got none'),
        (make_layout(fields=(*XYZ[:2], PointField('z', 8, I32))), 16, 'FLOAT64, got INT32'),
        (make_layout(fields=(*XYZ[:2], PointField('z', 8, 77))), 16, 'unknown datatype'),
        (make_layout(fields=(*XYZ[:2], PointField('z', 8, F64))), 16, 'of one datatype'),
        (make_layout(fields=(*XYZ[:2], PointField('z', 8, F32, 3))), 16, 'one value per point'),
        (make_layout(fields=(*XYZ, PointField('x', 12, F32))), 16, "'x' once, got it 2 times"),
        (make_layout(fields=(*XYZ[:2], PointField('z', 6, F32))), 16, "'y' and 'z' overlap"),
        (make_layout(fields=(*XYZ, PointField('rgb', 8, F32))), 16, 'overlap'),
        (make_layout(fields=(*XYZ, PointField('rgb', 13, F32))), 16, '13 to 17'),
        (make_layout(fields=(*XYZ, PointField('rgb', 12, U16))), 16, 'UINT16'),
        (
            make_layout(fields=(*XYZ, PointField('rgb', 12, F32), PointField('rgba', 8, U32))),
            16,
            'got several',
        ),
        (make_layout(step=0, row_step=16), 16, 'point_step'),
        (make_layout(4, 2, row_step=63), 128, 'row of 4 points'),
        (make_layout(4, 2), 127, 'take 128 bytes, got 127'),
        (make_layout(4, 2, row_step=70), 133, 'take 134 to 140 bytes, got 133'),
        (make_layout(4, 2), 129, 'take 128 bytes, got 129'),
        (make_layout(20_000_000), 16, '20000000, the limit is 5000000'),
        (make_layout(2**32 - 1, 2**32 - 1), 16, 'limit'),
        (make_layout(-1), 16, 'negative'),
        (make_layout(2**20, 4, step=2**32 - 1), 16, 'take 18014398505287680 bytes'),
    ],
)
def test_a_wrong_message_is_refused_with_a_sentence(layout, size, said):
    with pytest.raises(ValueError, match='^cloud') as error:
        decode(bytes(size), layout)
    assert said in str(error.value)


@pytest.mark.parametrize('data', [[1, 2, 3], 'text', None, np.zeros(4, np.float32)])
def test_what_is_not_bytes_is_refused(data):
    with pytest.raises(ValueError, match='expected bytes'):
        decode(data, make_layout())


def test_a_refused_size_takes_no_memory():
    layout = make_layout(4_000_000)
    tracemalloc.start()
    with pytest.raises(ValueError, match='take 64000000 bytes'):
        decode(b'', layout)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000
