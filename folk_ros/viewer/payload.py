"""What the page in the browser reads: the points as bytes, the objects as JSON."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.markers import clean_text, colour_of
from folk_ros.structures import Instances, Match, PointCloud

MAGIC = b'FOLKVIEW'
SHOWN_POINTS = 3_000_000  # more than that, and browsers on laptops stutter


def cloud_bytes(cloud: PointCloud, scene: Instances, limit: int = SHOWN_POINTS) -> bytes:
    """
    Pack a cloud for the page, evenly thinned to at most `limit` points.

    Little-endian: MAGIC, uint32 count n, uint32 1 where there is colour, float64 origin [3], then
    float32 xyz [n, 3] relative to it (maps lie far from zero, and the page counts in float32),
    uint8 rgb [n, 3] padded to a multiple of four bytes, and uint32 row + 1 of the instance of each
    point [n], 0 for none.
    """
    step = max(1, -(-len(cloud) // limit))
    xyz, owner = cloud.xyz[::step], owners(scene)[::step]
    origin = xyz.mean(0, dtype=np.float64) if len(xyz) else np.zeros(3)
    near = (xyz - origin).astype('<f4')
    rgb = b'' if cloud.rgb is None else np.ascontiguousarray(cloud.rgb[::step]).tobytes()
    rgb += bytes(-len(rgb) % 4)
    head = MAGIC + struct.pack('<II3d', len(xyz), cloud.rgb is not None, *origin)
    return head + near.tobytes() + rgb + owner.astype('<u4').tobytes()


def owners(scene: Instances) -> NDArray[np.int64]:
    """Return the row + 1 of the best instance of each point [N], 0 for none."""
    owner = np.zeros(scene.num_points, np.int64)
    for row in np.argsort(scene.quality, kind='stable'):
        owner[scene.points_of(row)] = row + 1
    return owner


def scene_json(cloud: PointCloud, scene: Instances, names: list[Match], title: str) -> bytes:
    """Describe the objects of a scene: what the page lists before anybody asks."""
    corners = scene.boxes.corners()
    objects = [
        {
            'row': match.row,
            'id': int(scene.ids[match.row]),
            'name': clean_text(match.text),
            'score': match.score,
            'quality': float(scene.quality[match.row]),
            'points': int(scene.point_counts[match.row]),
            'corners': np.round(corners[match.row].astype(np.float64), 4).tolist(),
            'colour': [round(255 * value) for value in colour_of(match.text)],
        }
        for match in names
        if np.isfinite(corners[match.row]).all()
    ]
    facts: dict[str, Any] = {
        'title': clean_text(title),
        'points': len(cloud),
        'frame': clean_text(cloud.frame_id),
        'objects': objects,
    }
    return json.dumps(facts).encode()


def answers_json(matches: list[Match]) -> bytes:
    """Describe the answers to a question, best first."""
    answers = [{'row': m.row, 'text': clean_text(m.text), 'score': m.score} for m in matches]
    return json.dumps({'answers': answers}).encode()
