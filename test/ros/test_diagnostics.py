"""What the diagnostics say of a GPU, without one."""

import pytest

from folk_ros.ros.diagnostics import gpu_memory, GpuMemory

MIB = 1 << 20


def test_the_memory_of_the_gpu_of_the_model_is_told():
    def read(device):
        asked.append(device)
        return GpuMemory(allocated=150 * MIB, reserved=2048 * MIB, peak=1000 * MIB + 1)

    asked = []
    assert gpu_memory('cuda:1', read) == {
        'GPU memory allocated MiB': '150',
        'GPU memory reserved MiB': '2048',
        'GPU memory peak MiB': '1000',
    }
    assert asked == ['cuda:1']


def test_nothing_is_asked_or_told_on_a_cpu():
    assert gpu_memory('cpu', lambda device: pytest.fail('there is no GPU to ask')) == {}
