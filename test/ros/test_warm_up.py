"""The first scene costs what the tenth costs: everything that is made once is made before."""

import os
from pathlib import Path
import subprocess
import sys

import pytest

pytest.importorskip('rosbags')

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import sys
from types import SimpleNamespace

from folk_ros.ros import runtime
from folk_ros.ros.embedded.messages import interfaces
from folk_ros.ros.outputs import Outputs
from folk_ros.ros.segmenter import Segmented
from colour_folk import ColourFolk, room
from folk_ros.config import FolkConfig

published = []

class Publisher:
    def publish(self, message):
        published.append(runtime.serialize_message(message))

    def get_subscription_count(self):
        return 1

def made():
    store = interfaces().store
    classes, hashes = interfaces()._classes, interfaces()._hashes
    return len(sys.modules), len(classes), len(store.types), len(store.cache), len(hashes)

out = Outputs(SimpleNamespace(create_publisher=lambda *a: Publisher()))
folk = ColourFolk(FolkConfig())
folk.segment(room())  # the program warms itself up
out.warm_up()
warm, counts = made(), []
for second in range(1, 11):
    cloud = room(stamp_ns=second * 10**9)
    scene = folk.segment(cloud)
    found = Segmented(scene, cloud, folk.name(scene))
    out.publish(found)
    out.show(lambda: found, lambda s: folk.query(['red thing', 'box'], scene=s.scene))
    counts.append(made())
assert counts == 10 * [warm], (warm, counts)
assert len(published) == 40
"""


def test_nothing_is_loaded_or_made_for_the_first_scene():
    paths = [str(ROOT), str(ROOT / 'test' / 'ros')]
    environment = {**os.environ, 'FOLK_ROS_RUNTIME': 'embedded', 'PYTHONPATH': ':'.join(paths)}
    done = subprocess.run(
        [sys.executable, '-c', CODE], env=environment, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
