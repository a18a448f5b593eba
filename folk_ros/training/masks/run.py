"""Start the mask training: one process, several on this machine, or one of torchrun's."""

from __future__ import annotations

import logging
import os
from pathlib import Path
import tempfile

import torch
from torch import distributed, multiprocessing

from folk_ros.student.student import StudentConfig
from folk_ros.training.masks.samples import CropConfig
from folk_ros.training.masks.trainer import MaskTrainer, MaskTraining


def train_masks(rooms: Path, out: Path, config: MaskTraining, workers: int) -> None:
    """
    Train on `rooms`/train_* and write checkpoints to `out`; goes on where an earlier run ended.

    With `workers` > 1 each gets one thread and its own crops, and gradients are averaged. Under
    torchrun (RANK is set) `workers` is ignored.
    """
    if 'RANK' in os.environ:
        distributed.init_process_group('gloo')
        _work(rooms, out, config)
    elif workers == 1:
        _work(rooms, out, config)
    else:
        with tempfile.TemporaryDirectory() as folder:
            arguments = (workers, f'file://{folder}/store', rooms, out, config)
            multiprocessing.spawn(_worker, arguments, nprocs=workers)


def _worker(
    rank: int, world: int, store: str, rooms: Path, out: Path, config: MaskTraining
) -> None:
    torch.set_num_threads(1)
    logging.basicConfig(level=logging.INFO, format='%(asctime)s %(message)s', datefmt='%H:%M:%S')
    distributed.init_process_group('gloo', init_method=store, rank=rank, world_size=world)
    _work(rooms, out, config)


def _work(rooms: Path, out: Path, config: MaskTraining) -> None:
    MaskTrainer(rooms, out, config, StudentConfig(), CropConfig()).run()
    if distributed.is_initialized():
        distributed.destroy_process_group()
