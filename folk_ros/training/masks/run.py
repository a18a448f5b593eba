"""Start the mask training: one process, several on this machine, or one of torchrun's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
import logging
import os
from pathlib import Path
import tempfile
from typing import Any

import torch
from torch import distributed, multiprocessing, Tensor

from folk_ros.training.masks.presets import Preset
from folk_ros.training.masks.sources import Source
from folk_ros.training.masks.trained import load_trained
from folk_ros.training.masks.trainer import MaskTrainer, MaskTraining
from folk_ros.training.workers import end_with_parent, ended_with_the_block, unheard_by_children


@dataclass(frozen=True)
class Run:
    """Everything a process of a training run needs to know."""

    sources: tuple[Source, ...]
    out: Path
    config: MaskTraining
    preset: Preset
    start: dict[str, Tensor] | None = None
    """Weights to begin with in place of random ones; see starting_weights."""
    tensorboard: bool = False
    """Whether losses are also written for TensorBoard, beside the checkpoint."""
    trainer: Callable[..., MaskTrainer] = MaskTrainer
    """MaskTrainer, or what learns more than masks; takes the same arguments."""


def train_masks(run: Run, workers: int) -> None:
    """
    Train and write checkpoints to `run.out`; goes on where an earlier run ended.

    With `workers` > 1 each gets one thread (or, on CUDA, one GPU) and its own crops, and
    gradients are averaged. Under torchrun (RANK is set) `workers` is ignored.
    """
    if distributed.is_initialized():
        _work(run, int(os.environ.get('LOCAL_RANK', '0')))
    elif 'RANK' in os.environ:
        distributed.init_process_group(_backend(run))
        _work(run, int(os.environ.get('LOCAL_RANK', '0')))
        distributed.destroy_process_group()
    elif workers == 1:
        _work(run, 0)
    else:
        with tempfile.TemporaryDirectory() as folder:
            arguments = (workers, f'file://{folder}/store', run)
            with ended_with_the_block():
                with unheard_by_children():
                    started = multiprocessing.spawn(_worker, arguments, workers, join=False)
                while not started.join():
                    pass  # until all have ended; raises what one of them raised


def _worker(rank: int, world: int, store: str, run: Run) -> None:
    end_with_parent()
    torch.set_num_threads(1)
    logging.basicConfig(level=logging.INFO, format='%(asctime)s %(message)s', datefmt='%H:%M:%S')
    distributed.init_process_group(_backend(run), init_method=store, rank=rank, world_size=world)
    _work(run, rank)
    distributed.destroy_process_group()


def _backend(run: Run) -> str:
    return 'nccl' if run.config.device.startswith('cuda') else 'gloo'


def _work(run: Run, local_rank: int) -> None:
    config = run.config
    if config.device == 'cuda':
        torch.cuda.set_device(local_rank)
        config = replace(config, device=f'cuda:{local_rank}')
    first = not distributed.is_initialized() or distributed.get_rank() == 0
    writer = tensorboard_writer(run.out) if run.tensorboard and first else None
    trainer = run.trainer(run.sources, run.out, config, run.preset, run.start)
    trainer.writer = writer
    trainer.run()
    if writer is not None:
        writer.close()


def starting_weights(path: Path) -> dict[str, Tensor]:
    """Read a student's backbone and mask decoder, see load_trained; its adapter stays behind."""
    weights = load_trained(path).state_dict()
    return {name: value for name, value in weights.items() if not name.startswith('adapter.')}


def tensorboard_writer(folder: Path) -> Any:
    """Return a SummaryWriter; ValueError if TensorBoard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ValueError(
            '--tensorboard: the package tensorboard is not installed; install it with '
            '`pip install tensorboard`, or leave the option away'
        ) from error
    return SummaryWriter(str(folder))
