"""Run a student where there is memory for it: on its device, there in tiles, then on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
import logging

import torch

from folk_ros.config import SegmentConfig
from folk_ros.notices import Notice
from folk_ros.structures import Voxels
from folk_ros.student.engines.choose import choose_engine, product_type
from folk_ros.student.engines.kept import forget
from folk_ros.student.engines.protocol import SparseEngine
from folk_ros.student.face import MaskStudent, PooledStudent, Prediction
from folk_ros.student.tiles import predict_in_tiles

log = logging.getLogger(__name__)

FEWER = 4  # times fewer voxels at once in the next attempt
FEWEST = 1000  # smaller tiles would show the network too little
CPU = torch.device('cpu')
OUT_OF_MEMORY = (  # in the messages of RuntimeErrors of allocators, cuBLAS and cuDNN
    'out of memory',
    "can't allocate memory",
    'not enough memory',
    'STATUS_ALLOC_FAILED',
)


class Cancelled(Exception):
    """The answer is no longer wanted."""


class Runner:
    """Holds a student on a device; `notices` say what the last cloud took."""

    def __init__(self, student: MaskStudent, device: torch.device, engine: str) -> None:
        self.student, self.device = student.eval(), device
        self.notices: tuple[Notice, ...] = ()
        self._engine_name = engine
        self._engines: dict[torch.device, SparseEngine] = {}
        self._place: torch.device | None = None  # unknown while it moves
        self._cancelled = False
        for layer in student.modules():
            layer.register_forward_pre_hook(lambda *_: self.check())
        try:
            self._move_to(device)
        except (RuntimeError, MemoryError) as error:
            if device == CPU or student.needs_cuda or not ran_out_of_memory(error):
                raise
            log.warning(
                '%s has no room for the model (%s); it waits on the CPU, and each cloud tries',
                device,
                first_line(error),
            )
        if self._place is None:
            self._move_to(CPU)

    def cancel(self) -> None:
        """Let `predict` raise Cancelled at its next layer, in whatever thread it runs."""
        self._cancelled = True

    def check(self) -> None:
        """Raise Cancelled if nobody wants the answer."""
        if self._cancelled:
            raise Cancelled('the segmentation was called off')

    def predict(self, voxels: Voxels, config: SegmentConfig) -> Prediction:
        """
        Segment a cloud with at most `max_voxels` in the network at a time.

        Where memory runs out it tries fewer at a time, then the CPU; the next cloud begins on the
        device again. Raises ValueError, with a sentence, if nothing helped.
        """
        failed: list[str] = []
        for device, limit in self._attempts(len(voxels), config.max_voxels):
            found = self._attempt(device, limit, voxels, config)
            if isinstance(found, Prediction):
                self.notices = _notice(failed, device, min(limit, len(voxels)), self.device)
                return found
            failed.append(f'{min(limit, len(voxels))} voxels at once on {device}')
            log.info('out of memory with %s: %s', failed[-1], found)
        self.notices = ()
        raise ValueError(
            f'out of memory with {", ".join(failed)}; thin the cloud out, or free memory on this '
            'machine'
        )

    def release(self) -> None:
        """Give memory of the device back to other programs, beside what the weights take."""
        give_back(self.device)

    def _attempts(self, count: int, limit: int) -> Iterator[tuple[torch.device, int]]:
        """Say where to try, and with how many voxels at once."""
        fewer = max(FEWEST, min(count, limit) // FEWER)
        yield self.device, limit
        yield self.device, fewer
        if self.device.type == 'cpu':
            yield CPU, max(FEWEST, fewer // FEWER)
        elif not self.student.needs_cuda:
            yield CPU, fewer
            yield CPU, max(FEWEST, fewer // FEWER)

    def _attempt(
        self, device: torch.device, limit: int, voxels: Voxels, config: SegmentConfig
    ) -> Prediction | str:
        """Predict once; if memory ran out, return what was said then."""
        nms_iou = config.nms_iou or self.student.nms_iou
        try:
            self._move_to(device)
            return predict_in_tiles(self.student, voxels, config.min_quality, nms_iou, limit)
        except (RuntimeError, MemoryError) as error:
            if not ran_out_of_memory(error):
                raise
            said = first_line(error)
        give_back(device)  # only here is the error gone, and with it the frames that held tensors
        return said

    def _move_to(self, device: torch.device) -> None:
        if self._place != device:
            self._place = None
            self.student.to(device)
            self._place = device
            if device != self.device:
                give_back(self.device)  # the room of the weights
        if isinstance(self.student, PooledStudent):
            self.student.compute = product_type(device, self.student.wide)
            if device not in self._engines:
                name = self._engine_name if device == self.device else 'torch'
                choice = choose_engine(name, device, self.student.compute)
                self._engines[device] = choice.engine
            self.student.engine = self._engines[device]


def _notice(
    failed: list[str], device: torch.device, limit: int, wanted: torch.device
) -> tuple[Notice, ...]:
    """Say what a cloud took, if it took more than one attempt."""
    if not failed:
        return ()
    slower = ', which is slower' if device != wanted else ''
    return (
        Notice(
            f'memory {device}',
            f'out of memory with {", ".join(failed)}: segmented on {device} with at most {limit} '
            f'voxels at once{slower}; lower segment.max_voxels or thin the cloud out',
        ),
    )


def give_back(device: torch.device) -> None:
    """Give back what torch and this program keep of a GPU for later."""
    if device.type == 'cuda':
        forget()
        torch.cuda.empty_cache()


def ran_out_of_memory(error: Exception) -> bool:
    """Say whether memory ran out, of a GPU or of the machine."""
    if isinstance(error, MemoryError) or type(error).__name__ == 'OutOfMemoryError':
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in OUT_OF_MEMORY)


def first_line(error: Exception) -> str:
    """Return the first line of what an error says, or its name."""
    return next(iter(str(error).splitlines()), '') or type(error).__name__
