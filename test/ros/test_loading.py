"""While torch is loaded, the rest of the node goes on."""

import subprocess
import sys

import pytest

pytest.importorskip('torch')

from folk_ros.ros.model import LIBRARIES

CODE = """
import sys, threading, time
from folk_ros.ros.model import load_libraries
ended, gaps = threading.Event(), [0.0]
def load():
    load_libraries()
    ended.set()
begin = last = time.perf_counter()
threading.Thread(target=load).start()
while not ended.is_set():
    time.sleep(0.001)
    gaps.append(time.perf_counter() - last)
    last = time.perf_counter()
loaded = time.perf_counter() - begin
assert 'torch' not in sys.modules
maps = open('/proc/self/maps').read()
import torch
assert float(torch.ones(3).sum()) == 3.0
print(loaded, max(gaps), *[name for name in sys.argv[1:] if name in maps])
"""


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='other names, no /proc')
def test_the_libraries_are_loaded_without_holding_up_other_threads():
    done = subprocess.run(
        [sys.executable, '-c', CODE, *LIBRARIES], capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    loaded, gap, *names = done.stdout.split()
    assert LIBRARIES[0] in names
    assert float(gap) < max(0.3 * float(loaded), 0.05)
