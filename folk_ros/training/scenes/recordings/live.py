"""
A live robot becomes a scene: pairs of images come in one after another, keyframes stay.

The folder is a scene from the first keyframe on, whatever ends the recording: images, then their
line in `views.jsonl` (see view_files.py), and from time to time `cloud.npz` and `facts.json`,
each replaced as a whole. The cloud is the fused one where the robot has one, else a coarse one
that grows with the views; `finish` fuses them properly.
"""

from __future__ import annotations

from dataclasses import dataclass
import json
from pathlib import Path
import shutil
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.cloud_files import replacing
from folk_ros.structures import PointCloud
from folk_ros.training.scenes.fusion.fuse import back_project, fuse
from folk_ros.training.scenes.recordings.cameras import Camera, same_pixels
from folk_ros.training.scenes.recordings.keyframes import KeyframeConfig, NANOSECONDS, turn_deg
from folk_ros.training.scenes.recordings.pixels import to_view
from folk_ros.training.scenes.view_files import INDEX, read_views
from folk_ros.training.scenes.view_recording import append_view
from folk_ros.training.scenes.views import View

WRITE_EVERY_S = 5.0  # the cloud, while views come in
MIN_FREE_BYTES = 200_000_000  # left on the disk for others
MAX_GROWN_POINTS = 5_000_000
STRIDE = 3  # every so many measured pixels of a view go to the coarse cloud


@dataclass(frozen=True)
class LiveConfig:
    """What to keep of a live robot."""

    keyframes: KeyframeConfig = KeyframeConfig()
    max_depth_m: float = 8.0
    cell_m: float = 0.02
    """Edge of a voxel of a cloud that is made from the images, metres."""
    max_bytes: int = 10_000_000_000
    """The recording ends when its folder has reached this size."""


@dataclass(frozen=True)
class Pair:
    """Two images that belong together, and where their cameras were."""

    rgb: Any  # sensor_msgs/Image or CompressedImage
    depth: Any
    stamp_ns: int  # of the depth image
    T_world_depth: NDArray[np.float64]  # [4, 4]
    T_colour_depth: NDArray[np.float64]  # [4, 4]


class Keyframes:
    """The rule of choose_keyframes, one image after another: speed is that since the last one."""

    def __init__(self, config: KeyframeConfig) -> None:
        self._config = config
        self._kept: NDArray[np.float64] | None = None
        self._last: tuple[NDArray[np.float64], int] | None = None

    def wants(self, pose: NDArray[np.float64], stamp_ns: int) -> bool:
        """Whether an image taken there shows enough that is new; `keep` says that it was kept."""
        last, self._last = self._last, (pose, stamp_ns)
        if self._kept is None:
            return True
        moved = np.linalg.norm(pose[:3, 3] - self._kept[:3, 3]) / self._config.distance_m
        due = max(float(moved), turn_deg(self._kept, pose) / self._config.angle_deg)
        if due <= 1 or due > 2:
            return due > 2
        seconds = (stamp_ns - last[1]) / NANOSECONDS if last else 0.0
        speed = turn_deg(last[0], pose) / seconds if last and seconds > 0 else 0.0
        return speed <= self._config.turn_deg_s

    def keep(self, pose: NDArray[np.float64]) -> None:
        """Measure from here on."""
        self._kept = pose


class LiveRecording:
    """Writes one scene; used from one thread."""

    def __init__(
        self,
        folder: Path,
        cameras: tuple[Camera, Camera],
        config: LiveConfig,
        facts: dict[str, Any],
    ) -> None:
        """Begin, or go on in a folder that was interrupted; `cameras` are colour and depth."""
        self.folder, self.config = folder, config
        self.rgb_camera, self.depth_camera = cameras
        self.registered = same_pixels(*cameras)
        self.views = self.unreadable = 0
        self.full = ''  # why no more is taken, '' while more is
        self.size_bytes = 0
        self._facts = {'source': 'live recording', **facts}
        self._keyframes = Keyframes(config.keyframes)
        self._grown = GrowingCloud(config.cell_m)
        self._cloud: PointCloud | None = None  # the robot's own
        self._dirty = False
        self._written_at = 0.0
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / INDEX).is_file():
            self._take_up()

    def _take_up(self) -> None:
        """Go on where an interrupted recording ended."""
        files = read_views(self.folder)
        self.views = len(files)
        for view in files:
            self._grown.add(view)
        self.size_bytes = sum(p.stat().st_size for p in self.folder.rglob('*') if p.is_file())

    def offer(self, pair: Pair) -> bool:
        """Keep a pair if it shows something new; whether it was kept."""
        if self.full or not self._keyframes.wants(pair.T_world_depth, pair.stamp_ns):
            return False
        cameras = self.rgb_camera, self.depth_camera
        T_colour_depth = None if self.registered else pair.T_colour_depth
        try:
            view = to_view(
                pair.rgb, pair.depth, cameras, pair.T_world_depth, T_colour_depth,
                self.config.max_depth_m,
            )  # fmt: skip
        except ValueError as error:
            self.unreadable += 1
            self._facts['first_unreadable'] = self._facts.get('first_unreadable') or str(error)
            return False
        self._check_room()
        if self.full:
            return False
        self._append(view, pair.stamp_ns)
        self._keyframes.keep(pair.T_world_depth)
        return True

    def _append(self, view: View, stamp_ns: int) -> None:
        try:
            entry = append_view(self.folder, view, stamp_ns=stamp_ns)
        except OSError as error:
            self.full = f'{self.folder}: cannot be written ({error})'
            return
        self.views += 1
        self.size_bytes += sum(path.stat().st_size for path in entry.images())
        self._grown.add(view)
        self._dirty = True
        self.write()

    def _check_room(self) -> None:
        free = shutil.disk_usage(self.folder).free
        if self.size_bytes >= self.config.max_bytes:
            self.full = f'the recording has reached {self.size_bytes / 1e6:.0f} MB'
        elif free < MIN_FREE_BYTES:
            self.full = f'only {free / 1e6:.0f} MB are left on the disk'

    def set_cloud(self, cloud: PointCloud, topic: str) -> None:
        """Take the newest fused cloud of the robot, in the world of the scene."""
        self._cloud = cloud
        self._facts['cloud'] = topic
        self._dirty = True
        self.write()

    def write(self, *, now: bool = False) -> None:
        """Bring cloud and facts up to date, at most every few seconds unless it must be now."""
        due = now or not self._written_at or time.monotonic() - self._written_at > WRITE_EVERY_S
        if not (due and self._dirty):
            return
        cloud = self._cloud if self._cloud is not None else self._grown.cloud()
        self._facts.setdefault('cloud', 'coarse, from the views')
        try:
            write_cloud(cloud, self.folder)
            write_facts({**self._facts, **self.counts()}, self.folder)
        except OSError as error:
            self.full = f'{self.folder}: cannot be written ({error})'
        self._dirty, self._written_at = False, time.monotonic()

    def counts(self) -> dict[str, Any]:
        """Return how much was kept and could not be read."""
        colour = 'registered' if self.registered else 'moved to the pixels of the depth image'
        return {'views': self.views, 'unreadable': self.unreadable, 'colour': colour}


class GrowingCloud:
    """A coarse cloud of the views so far: one measured point per cell, the first that fell in."""

    def __init__(self, cell_m: float) -> None:
        self._cell = cell_m
        self._keys = np.zeros(0, np.int64)  # sorted
        self._xyz: list[NDArray[np.float32]] = []
        self._rgb: list[NDArray[np.uint8]] = []

    def add(self, view: View) -> None:
        """Add what a view shows in cells that are empty so far."""
        xyz, pixels = back_project(view)
        xyz, pixels = xyz[::STRIDE], pixels[::STRIDE]
        grid = np.floor(xyz / self._cell).clip(-(2**20), 2**20 - 1).astype(np.int64) + 2**20
        keys, first = np.unique(grid @ (1 << np.array([42, 21, 0])), return_index=True)
        place = np.searchsorted(self._keys, keys).clip(max=max(len(self._keys) - 1, 0))
        new = self._keys[place] != keys if len(self._keys) else np.ones(len(keys), bool)
        if len(self._keys) + np.count_nonzero(new) > MAX_GROWN_POINTS:
            return
        rows = first[new]
        self._keys = np.sort(np.concatenate([self._keys, keys[new]]))
        self._xyz.append(xyz[rows])
        self._rgb.append(view.rgb.reshape(-1, 3)[pixels[rows]])

    def cloud(self) -> PointCloud:
        """Return the points so far."""
        if not self._xyz:
            return PointCloud(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint8), 'world')
        return PointCloud(np.concatenate(self._xyz), np.concatenate(self._rgb), 'world')


def finish(folder: Path, cell_m: float) -> int:
    """
    Fuse the views of a recording to its cloud, unless it has the robot's own; return the points.

    Works on an interrupted recording too. Raises ValueError where there are no views.
    """
    if not (folder / INDEX).is_file():
        raise ValueError(f'{folder}: expected a recording, {INDEX} is missing')
    views = read_views(folder)
    facts = read_facts(folder)
    if str(facts.get('cloud', '')).startswith('/'):
        with np.load(folder / 'cloud.npz', allow_pickle=False) as stored:
            return len(stored['xyz'])
    cloud, _ = fuse(views, cell_m)
    facts['cloud'] = f'fused from {len(views)} views in a TSDF of {cell_m:g} m'
    write_cloud(cloud, folder)
    write_facts({**facts, 'views': len(views)}, folder)
    return len(cloud)


def write_cloud(cloud: PointCloud, folder: Path) -> None:
    """Write `cloud.npz` of a scene folder, at once."""
    arrays: dict[str, NDArray[Any]] = {'xyz': cloud.xyz}
    if cloud.rgb is not None:
        arrays['rgb'] = cloud.rgb
    with replacing(folder / 'cloud.npz') as file:
        np.savez(file, allow_pickle=False, **arrays)


def write_facts(facts: dict[str, Any], folder: Path) -> None:
    """Write `facts.json` of a scene folder, at once."""
    with replacing(folder / 'facts.json') as file:
        file.write(json.dumps(facts, ensure_ascii=False).encode('utf-8') + b'\n')


def read_facts(folder: Path) -> dict[str, Any]:
    """Return the facts of a scene folder; none where they cannot be read."""
    try:
        facts = json.loads((folder / 'facts.json').read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}
