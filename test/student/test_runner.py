"""Memory that runs out: tiles, then the CPU, then a refusal; never another error."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from folk_ros.config import SegmentConfig
from folk_ros.structures import PointCloud
from folk_ros.student import runner as module
from folk_ros.student.face import MaskStudent, Prediction
from folk_ros.student.runner import CPU, ran_out_of_memory, Runner
from folk_ros.student.student import Student, StudentConfig
from folk_ros.voxels import voxelize

GPU = torch.device('meta')  # stands for a GPU: parameters can be sent there
HOST = "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"


class HungryStudent(MaskStudent):
    """Runs out of memory with more voxels than fit where it is, and notes what it was asked."""

    def __init__(self, fits, error):
        super().__init__()
        self.config = SimpleNamespace(embedding_dim=2)
        self.fits, self.error, self.asked = fits, error, []
        self.where = 'cpu'

    def to(self, device):
        self.where = torch.device(device).type
        return self

    def predict(self, voxels, min_quality, nms_iou):
        self.asked.append((self.where, len(voxels)))
        if len(voxels) > self.fits[self.where]:
            raise self.error
        rows = torch.arange(len(voxels))
        return Prediction(rows * 0, rows, torch.tensor([0.8]), torch.tensor([[0.6, 0.8]]))


@pytest.fixture
def voxels():
    grid = np.stack(np.meshgrid(np.arange(100), np.arange(100), [0]), -1).reshape(-1, 3)
    return voxelize(PointCloud((grid + 0.5).astype(np.float32)), 1.0)


ERRORS = [
    torch.cuda.OutOfMemoryError('CUDA out of memory. Tried to allocate 80.00 GiB'),
    MemoryError(),
    RuntimeError(HOST),
    RuntimeError('CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate'),
]


@pytest.mark.parametrize('error', ERRORS, ids=lambda error: type(error).__name__)
def test_a_gpu_too_small_for_the_whole_is_enough_for_tiles(voxels, error):
    student = HungryStudent({'meta': 3000, 'cpu': 0}, error)
    runner = Runner(student, GPU, 'auto')
    found = runner.predict(voxels, SegmentConfig())
    assert found.rows.tolist() == list(range(10_000))
    assert {where for where, _ in student.asked} == {'meta'}
    (notice,) = runner.notices
    assert notice.text.startswith('out of memory with 10000 voxels at once on meta: segmented on')
    assert 'with at most 2500 voxels at once' in notice.text


def test_where_no_tile_fits_on_the_gpu_the_cpu_takes_over_and_the_next_cloud_tries_again(voxels):
    student = HungryStudent({'meta': 0, 'cpu': 10**6}, ERRORS[0])
    runner = Runner(student, GPU, 'auto')
    assert len(runner.predict(voxels, SegmentConfig()).rows) == 10_000
    tried = [where for where, _ in student.asked]
    assert tried[:2] == ['meta', 'meta'] and set(tried[2:]) == {'cpu'}
    assert 'segmented on cpu' in runner.notices[0].text and 'slower' in runner.notices[0].text
    student.asked.clear()
    student.fits['meta'] = 10**6
    runner.predict(voxels, SegmentConfig())
    assert student.asked == [('meta', 10_000)]
    assert runner.notices == ()


def test_memory_of_the_gpu_is_given_back_where_it_ran_out_and_when_it_is_asked_for(
    voxels, monkeypatch
):
    given = []
    monkeypatch.setattr(module, 'give_back', lambda device: given.append(device.type))
    student = HungryStudent({'meta': 0, 'cpu': 10**6}, ERRORS[0])
    runner = Runner(student, GPU, 'auto')
    assert given == []
    runner.predict(voxels, SegmentConfig())
    assert given == ['meta'] * 3  # after both attempts, and when the weights had gone to the CPU
    runner.release()
    assert given == ['meta'] * 4


def test_memory_of_the_machine_that_runs_out_is_met_with_ever_smaller_tiles(voxels):
    student = HungryStudent({'cpu': 1200}, RuntimeError(HOST))
    runner = Runner(student, CPU, 'auto')
    assert len(runner.predict(voxels, SegmentConfig()).rows) == 10_000
    asked = [count for _, count in student.asked]
    too_much = [place for place, count in enumerate(asked) if count > 1200]
    assert len(too_much) == 2 and asked[0] == 10_000 and asked[too_much[1]] <= 2500
    assert max(asked[too_much[1] + 1 :]) <= 1000


def test_where_nothing_helps_the_cloud_is_refused_with_a_sentence(voxels):
    student = HungryStudent({'meta': 0, 'cpu': 0}, ERRORS[0])
    runner = Runner(student, GPU, 'auto')
    with pytest.raises(ValueError, match='out of memory with 10000 .* on meta, 2500 .* on cpu'):
        runner.predict(voxels, SegmentConfig())
    student.fits['meta'] = 10**6
    assert len(runner.predict(voxels, SegmentConfig()).rows) == 10_000  # and the next one is not


def test_a_student_that_needs_a_gpu_is_never_sent_to_the_cpu(voxels):
    student = HungryStudent({'meta': 0}, ERRORS[0])
    student.needs_cuda = True
    with pytest.raises(ValueError, match='out of memory'):
        Runner(student, GPU, 'auto').predict(voxels, SegmentConfig())
    assert {where for where, _ in student.asked} == {'meta'}


def test_other_errors_are_not_taken_for_memory(voxels):
    student = HungryStudent({'cpu': 0}, RuntimeError('expected scalar type Float but found Half'))
    with pytest.raises(RuntimeError, match='scalar type'):
        Runner(student, CPU, 'auto').predict(voxels, SegmentConfig())
    assert len(student.asked) == 1
    assert not ran_out_of_memory(ValueError('out of memory'))


def test_a_model_without_room_on_the_gpu_waits_on_the_cpu(voxels, caplog):
    student = HungryStudent({'meta': 10**6, 'cpu': 10**6}, ERRORS[0])
    full = [True]

    def to(device):
        if full[0] and torch.device(device) == GPU:
            raise ERRORS[0]
        student.where = torch.device(device).type

    student.to = to
    runner = Runner(student, GPU, 'auto')
    assert 'no room for the model' in caplog.text
    runner.predict(voxels, SegmentConfig())
    assert student.where == 'cpu'
    full[0] = False
    runner.predict(voxels, SegmentConfig())
    assert student.where == 'meta'


def test_a_network_that_looks_in_vain_on_the_gpu_sees_on_the_cpu_with_torch(monkeypatch):
    torch.manual_seed(0)
    student = Student(StudentConfig(encoder=(8, 8, 8), decoder=(8, 8), decoder_reads=(1,)))
    with torch.no_grad():
        student.fields.out.bias[-2] = 2.0  # seeds everywhere
    points = np.random.default_rng(0).uniform(0, 1, (500, 3)).astype(np.float32)
    voxels = voxelize(PointCloud(points), 0.04)
    expected = student.eval().predict(voxels, 0.0, 0.4)
    chosen, look, where = [], student.look, []

    def choose(name, device, compute):
        chosen.append((name, device.type))
        return SimpleNamespace(engine=None)

    def look_there(voxels):
        if where[-1] == GPU:
            raise ERRORS[0]
        return look(voxels)

    monkeypatch.setattr(module, 'choose_engine', choose)
    monkeypatch.setattr(student, 'to', where.append)  # stays on the CPU, as there is no GPU
    monkeypatch.setattr(student, 'look', look_there)
    found = Runner(student, GPU, 'spconv').predict(voxels, SegmentConfig(min_quality=0.0))
    assert chosen == [('spconv', 'meta'), ('torch', 'cpu')]
    assert len(found.quality) and torch.equal(found.rows, expected.rows)
