"""Questions that nobody should ask, as readable requests."""

from __future__ import annotations

import numpy as np

from folk_ros.ros import runtime

Rng = np.random.Generator

TEXTS = (
    *('', ' ', '\t\n', '\x00', '\x1b[2J', 'a' * 257, 'a' * 100_000, 'é' * 200, '椅子', '🪑'),
    *('{}', '{0}', '%s', "'; DROP TABLE", '../../etc/passwd', '\u202e desrever', '\ufeff'),
    *('chair', 'a chair', 'CHAIR', 'chair;table', 'a\nb', 'nan', '-1'),
)
SCORES = (0.0, 0.5, 1.0, -0.1, 1.1, np.nan, np.inf, -np.inf, 1e-45, 3.4e38)
RESULTS = (0, 1, 3, 1000, 2**31, 2**32 - 1)
MANY = 2000


def odd(rng: Rng) -> bytes:
    """Return a request of folk_ros/srv/Query, without the identity of who asks."""
    request = runtime.service('folk_ros/srv/Query').Request()
    count = MANY if rng.random() < 0.03 else int(rng.integers(0, 6))
    request.texts = [TEXTS[int(rng.integers(len(TEXTS)))] for _ in range(count)]
    if rng.random() < 0.5:
        request.min_score = float(SCORES[int(rng.integers(len(SCORES)))])
    if rng.random() < 0.5:
        request.max_results = RESULTS[int(rng.integers(len(RESULTS)))]
    request.remember = bool(rng.random() < 0.1)
    return bytes(runtime.serialize_message(request))


def heavy(rng: Rng) -> bytes:
    """Return a request of some megabytes, which takes long to take apart."""
    request = runtime.service('folk_ros/srv/Query').Request()
    kind = int(rng.integers(3))
    size = int(rng.integers(1, 5)) << 20
    if kind == 0:
        request.texts = ['x' * size]
    elif kind == 1:
        request.texts = [''] * (size // 8)
    else:
        request.texts = ['chair'] * (size // 12)
    return bytes(runtime.serialize_message(request))
