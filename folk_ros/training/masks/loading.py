"""Crops for the training, each known by its number, so that processes can prepare them ahead."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
import torch

from folk_ros.training.masks.samples import CropConfig, make_sample, read_labelled, Sample
from folk_ros.training.masks.sources import Mixture
from folk_ros.training.workers import start_pool

AHEAD = 3  # runs prepared or waiting for each loader process


@dataclass(frozen=True)
class Draw:
    """How the crops of a run are drawn."""

    mixture: Mixture
    names: dict[str, int]  # numbers of the training names
    crop: CropConfig
    crops: int  # of one run
    seed: int

    def run(self, step: int, part: int) -> tuple[int, list[Sample]]:
        """
        Draw one run of the network: a seed for torch, and its crops.

        `part` counts the runs of a step over all processes: as many processes or as many runs
        added up see the same crops.
        """
        rng = np.random.default_rng([self.seed, step, part])
        chance = int(rng.integers(1 << 31))
        return chance, [self._crop(rng) for _ in range(self.crops)]

    def _crop(self, rng: np.random.Generator) -> Sample:
        """Cut a crop out of some scene; one without voxels is drawn again."""
        while True:
            sample = self._sample(rng)
            if len(sample.coords):
                return sample

    def _sample(self, rng: np.random.Generator) -> Sample:
        return make_sample(read_labelled(self.mixture.draw(rng)), self.names, self.crop, rng)


class Loader:
    """Runs of crops in order, prepared by processes of their own, or here if there are none."""

    def __init__(self, draw: Draw, processes: int) -> None:
        self.draw, self.processes = draw, processes
        self.ready: OrderedDict[tuple[int, int], Future] = OrderedDict()
        self.pool = start_pool(processes, torch.set_num_threads, (1,)) if processes else None

    def take(self, coming: list[tuple[int, int]]) -> tuple[int, list[Sample]]:
        """Return the first of some runs (step, part); the others are prepared meanwhile."""
        if self.pool is None:
            return self.draw.run(*coming[0])
        for key in coming[: 1 + AHEAD * self.processes]:
            if key not in self.ready:
                self.ready[key] = self.pool.submit(self.draw.run, *key)
        run: tuple[int, list[Sample]] = self.ready.pop(coming[0]).result()
        return run

    def close(self) -> None:
        """End the processes."""
        if self.pool is not None:
            self.pool.shutdown(cancel_futures=True)
