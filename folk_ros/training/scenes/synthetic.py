"""A furnished room, walked through with a noisy RGB-D camera and fused to a cloud."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.scenes.filming.camera_path import Surroundings, walk
from folk_ros.training.scenes.filming.film import film, Lens, Stage
from folk_ros.training.scenes.filming.lidar import LidarConfig, scan
from folk_ros.training.scenes.filming.sensor import SensorConfig
from folk_ros.training.scenes.fusion.fuse import fuse
from folk_ros.training.scenes.objects.blueprint import Rng
from folk_ros.training.scenes.rendering.raycast import Camera, cast, pack, Solids
from folk_ros.training.scenes.rendering.shading import Light, pack_looks, ShadowMap
from folk_ros.training.scenes.rooms.recipes import furnish, KINDS
from folk_ros.training.scenes.rooms.room import Room
from folk_ros.training.scenes.rooms.shell import shell
from folk_ros.training.scenes.rooms.surfaces import surfaces
from folk_ros.training.scenes.scene import GroundTruth, Scene


@dataclass(frozen=True)
class RoomConfig:
    """How synthetic rooms are made."""

    views: int = 20
    """Images taken along the walk through a room."""
    width: int = 320
    """Columns of an image."""
    height: int = 240
    """Rows of an image."""
    field_of_view_deg: float = 70.0
    """Horizontal opening of the camera."""
    cell_m: float = 0.02
    """Voxel of the fused cloud."""
    novel: bool = False
    """Whether categories kept out of training may stand in the room."""
    kinds: tuple[str, ...] = tuple(KINDS)
    """Kinds of rooms to choose from."""
    sensor: SensorConfig = field(default_factory=SensorConfig)
    """How the camera errs."""
    lidar: LidarConfig | None = None
    """The scanner that the cloud comes from, without colour; none: the RGB-D camera."""

    def __post_init__(self) -> None:
        unknown = set(self.kinds) - set(KINDS)
        if unknown or not self.kinds:
            raise ValueError(
                f'kinds: {sorted(unknown)} are no room kinds; take from {list(KINDS)}'
            )
        if self.views < 1 or self.width < 8 or self.height < 8:
            raise ValueError(
                f'a room needs a view of at least 8x8 pixels, got {self.views} views of '
                f'{self.width}x{self.height}'
            )
        if not (self.cell_m > 0 and 10 <= self.field_of_view_deg <= 150):
            raise ValueError(
                'cell_m must be positive and field_of_view_deg in [10, 150], got '
                f'{self.cell_m} and {self.field_of_view_deg}'
            )


@dataclass(frozen=True)
class Built:
    """A furnished room."""

    kind: str
    room: Room
    stage: Stage
    around: Surroundings


def make_scene(seed: int, config: RoomConfig, scene_id: str = 'room') -> Scene:
    """Make one room: the same seed and config give the same bytes."""
    # what is built, how it is walked and what is measured do not disturb each other
    build, stroll, sense = np.random.default_rng(seed).spawn(3)
    built = build_room(build, config)
    lens = Lens(config.width, config.height, config.field_of_view_deg)
    poses = walk(stroll, built.around, config.views, lens.tangents)
    views = film(sense, built.stage, lens, poses, config.sensor)
    if config.lidar is None:
        cloud, instance = fuse(views, config.cell_m)
    else:
        cloud, instance = scan(sense, built.stage, poses, config.lidar, config.cell_m)
    placed = built.room.placed
    truth = GroundTruth(
        point_instance=instance,
        names=[item.category.name for item in placed],
        captions=tuple(item.category.captions(item.made) for item in placed),
        novel=np.array([item.category.novel for item in placed], np.bool_),
    )
    facts = {
        'kind': built.kind,
        'seed': seed,
        'size_m': [round(s, 4) for s in built.room.size],
        'sensor': 'rgbd' if config.lidar is None else 'lidar',
    }
    return Scene(scene_id, cloud, truth, views, facts)


def as_brought_home(scene: Scene, facts: dict[str, Any]) -> Scene:
    """Return what a robot would have of a scene: cloud and views, nothing of the truth."""
    views = [replace(view, instance=None) for view in scene.views]
    return Scene(scene.scene_id, scene.cloud, None, views, {'kind': 'unlabelled', **facts})


def build_room(rng: Rng, config: RoomConfig) -> Built:
    """Choose a kind and a size, furnish the room and switch on the light."""
    kind = config.kinds[int(rng.integers(len(config.kinds)))]
    largest = 3.4 if kind == 'bathroom' else 5.0
    size = (*(float(s) for s in rng.uniform(2.5, largest, 2)), float(rng.uniform(2.35, 2.8)))
    room = Room(rng, (size[0], size[1], size[2]), config.novel)
    furnish(room, kind)
    parts = shell(room.size, *surfaces(rng, kind))
    owners = [-1] * len(parts)
    for k, item in enumerate(room.placed):
        parts += item.parts
        owners += [k] * len(item.parts)
    solids, owner = pack(parts), np.array(owners, np.int32)
    stage = Stage(solids, pack_looks(parts), owner, make_lights(rng, room, solids))
    return Built(kind, room, stage, surroundings(room, solids, owner))


def surroundings(room: Room, solids: Solids, owner: NDArray[np.int32]) -> Surroundings:
    """Tell the walker where things are, and that small ones deserve a closer look."""
    corners = [np.stack([part.corners() for part in item.parts]) for item in room.placed]
    extent = [np.ptp(c.reshape(-1, 3), axis=0).max() for c in corners]
    interest = np.clip(0.8 / np.maximum(extent, 0.05), 1.0, 6.0) if extent else np.zeros(0)
    all_corners = np.concatenate([np.zeros((0, 8, 3)), *corners])
    low, high = all_corners.min(1), all_corners.max(1)
    return Surroundings(room.size, low, high, solids, owner, interest)


def make_lights(rng: Rng, room: Room, solids: Solids) -> list[Light]:
    """Put a lamp under the ceiling, which casts shadows, and let daylight in from one side."""
    x, y, z = room.size
    place = np.array([x * rng.uniform(0.35, 0.65), y * rng.uniform(0.35, 0.65), z - 0.15])
    for item in room.placed:
        if item.category.name == 'ceiling light':
            place = item.place - (0, 0, 0.03)
    warm = rng.uniform(0, 0.2)
    lamp = rng.uniform(0.55, 1.0) * np.array([1.0, 1 - 0.4 * warm, 1 - warm])
    angle = rng.uniform(0, 2 * np.pi)
    far = np.array([100 * np.cos(angle), 100 * np.sin(angle), rng.uniform(50, 90)])
    day = rng.uniform(0.1, 0.35) * np.array([0.95, 0.98, 1.05])
    return [Light(place, lamp, 3.0, shadow_map(solids, place)), Light(far, day, np.inf)]


def shadow_map(solids: Solids, place: NDArray[np.float64]) -> ShadowMap:
    """Look down from a lamp: what it does not see lies in shadow."""
    side, focal = 361, 90.0  # 127 degrees, about 2.5 cm a pixel on the floor
    pose = np.diag([1.0, -1.0, -1.0, 1.0])
    pose[:3, 3] = place
    k = np.array([[focal, 0, (side - 1) / 2], [0, focal, (side - 1) / 2], [0, 0, 1]])
    camera = Camera(side, side, k, pose)
    return ShadowMap(camera, cast(solids, camera)[0])
