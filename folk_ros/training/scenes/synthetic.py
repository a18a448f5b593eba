"""A furnished room, walked through with a noisy RGB-D camera and fused to a cloud."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.scenes import primitives as p
from folk_ros.training.scenes.fusion import fuse
from folk_ros.training.scenes.objects.blueprint import NAMED, Rng, tint, WOODS
from folk_ros.training.scenes.primitives import Material
from folk_ros.training.scenes.raycast import Camera, cast, pack, Solids
from folk_ros.training.scenes.recipes import furnish, KINDS
from folk_ros.training.scenes.rooms import Room, shell
from folk_ros.training.scenes.scene import GroundTruth, Scene, View
from folk_ros.training.scenes.sensor import measure, photograph, SensorConfig
from folk_ros.training.scenes.shading import Light, Looks, pack_looks, shade, ShadowMap


@dataclass(frozen=True)
class RoomConfig:
    """How synthetic rooms are made."""

    views: int = 12
    """Camera positions of a room."""
    width: int = 160
    """Columns of an image."""
    height: int = 120
    """Rows of an image."""
    field_of_view_deg: float = 70.0
    """Horizontal opening of the camera."""
    cell_m: float = 0.02
    """Edge of the grid in which depth images are fused."""
    novel: bool = False
    """Whether categories kept out of training may stand in the room."""
    kinds: tuple[str, ...] = tuple(KINDS)
    """Kinds of rooms to choose from."""
    sensor: SensorConfig = field(default_factory=SensorConfig)
    """How the camera errs."""

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
    """A furnished room ready to be seen."""

    kind: str
    room: Room
    solids: Solids
    looks: Looks
    owner: NDArray[np.int32]  # [P] instance of each solid, -1 for the room's shell
    lights: list[Light]


def make_scene(seed: int, config: RoomConfig, scene_id: str = 'room') -> Scene:
    """Make one room: the same seed and config give the same bytes."""
    rng = np.random.default_rng(seed)
    built = build_room(rng, config)
    views = [take_view(rng, built, camera, config) for camera in camera_path(rng, built, config)]
    cloud, instance = fuse(views, config.cell_m)
    placed = built.room.placed
    truth = GroundTruth(
        point_instance=instance,
        names=[item.category.name for item in placed],
        captions=tuple(item.category.captions(item.made) for item in placed),
        novel=np.array([item.category.novel for item in placed], np.bool_),
    )
    facts = {'kind': built.kind, 'seed': seed, 'size_m': [round(s, 4) for s in built.room.size]}
    return Scene(scene_id, cloud, truth, views, facts)


def build_room(rng: Rng, config: RoomConfig) -> Built:
    """Choose a kind and a size, furnish the room and switch on the light."""
    kind = config.kinds[int(rng.integers(len(config.kinds)))]
    largest = 3.4 if kind == 'bathroom' else 5.0
    size = (*(float(s) for s in rng.uniform(2.5, largest, 2)), float(rng.uniform(2.35, 2.8)))
    room = Room(rng, (size[0], size[1], size[2]), config.novel)
    furnish(room, kind)
    parts = shell(room.size, *surfaces(rng, kind))
    owner = [-1] * len(parts)
    for k, item in enumerate(room.placed):
        parts += item.parts
        owner += [k] * len(item.parts)
    solids = pack(parts)
    lights = make_lights(rng, room, solids)
    return Built(kind, room, solids, pack_looks(parts), np.array(owner, np.int32), lights)


def surfaces(rng: Rng, kind: str) -> tuple[list[Material], Material, Material]:
    """Pick materials of walls, floor and ceiling."""

    def seed() -> int:
        return int(rng.integers(1 << 30))

    wet = kind in ('bathroom', 'kitchen')
    base = NAMED[str(rng.choice(['white', 'cream', 'beige', 'light grey', 'light blue', 'pink']))]
    r, g, b = tint(rng, base, 0.04)
    wall_colour = (0.5 * r + 0.42, 0.5 * g + 0.42, 0.5 * b + 0.42)
    darker = (r * 0.8, g * 0.8, b * 0.8)
    walls = [Material(wall_colour, darker, p.FABRIC, 0.3, 0.05, 0.05, seed()) for _ in range(4)]
    style = rng.random()
    if wet and style < 0.6:
        walls = [Material(wall_colour, (0.6, 0.6, 0.6), p.TILES, 0.18, 0.4, 0.03, seed())] * 4
    elif style < 0.2:
        walls[int(rng.integers(4))] = Material(
            (0.6, 0.32, 0.24), (0.75, 0.72, 0.68), p.BRICKS, 0.24, 0, 0.1, seed()
        )
    elif style < 0.4:
        pattern = int(rng.choice([p.STRIPES, p.DOTS, p.PLAIN]))
        accent = NAMED[str(rng.choice(['blue', 'green', 'yellow', 'red', 'grey', 'turquoise']))]
        mixed = tuple(0.75 * w + 0.25 * a for w, a in zip(wall_colour, accent, strict=True))
        one = Material(
            wall_colour, (mixed[0], mixed[1], mixed[2]), pattern, 0.2, 0.02, 0.05, seed()
        )
        walls[int(rng.integers(4))] = one
    ceiling = Material((0.92, 0.92, 0.9), (0.85, 0.85, 0.83), p.FABRIC, 0.3, 0, 0.03, seed())
    return walls, floor_material(rng, wet), ceiling


def floor_material(rng: Rng, wet: bool) -> Material:
    """Pick boards, tiles, carpet or stone."""
    seed = int(rng.integers(1 << 30))
    style = rng.random()
    if wet or style < 0.2:
        tone = tint(rng, NAMED[str(rng.choice(['beige', 'grey', 'white', 'light grey', 'brown']))])
        return Material(
            tone, (0.45, 0.44, 0.42), p.TILES, rng.uniform(0.25, 0.45), 0.4, 0.08, seed
        )
    if style < 0.65:
        light, dark = WOODS[str(rng.choice(list(WOODS)))]
        period = rng.uniform(0.08, 0.16)
        return Material(tint(rng, light), tint(rng, dark), p.PLANKS, period, 0.25, 0.08, seed)
    names = ['grey', 'beige', 'dark blue', 'brown', 'dark grey', 'dark green', 'red', 'light grey']
    tone = tint(rng, NAMED[str(rng.choice(names))])
    darker = (tone[0] * 0.7, tone[1] * 0.7, tone[2] * 0.7)
    pattern = int(rng.choice([p.FABRIC, p.FABRIC, p.SPECKLE, p.CHECKS]))
    period = 0.4 if pattern == p.CHECKS else 0.012
    return Material(tone, darker, pattern, period, 0.02, 0.1, seed)


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


def camera_path(rng: Rng, built: Built, config: RoomConfig) -> list[Camera]:
    """Walk a camera around the room at the height of a hand, looking at the things in it."""
    focal = config.width / 2 / np.tan(np.deg2rad(config.field_of_view_deg) / 2)
    k = np.array(
        [[focal, 0, (config.width - 1) / 2], [0, focal, (config.height - 1) / 2], [0, 0, 1]]
    )
    start, turns = rng.uniform(0, 2 * np.pi), rng.choice([-1, 1])
    order = rng.permutation(len(built.room.placed))
    cameras = []
    for step in range(config.views):
        angle = start + turns * 2 * np.pi * step / config.views
        best, most = np.eye(4), -1.0
        for attempt in range(3):  # an eye too close before something tries another place
            eye = free_spot(rng, built.room, angle)
            target = aim(rng, built.room, order, step + attempt * config.views, eye)
            pose = look_at(eye, target, rng.normal(0, 0.05))
            seen = clearance(built.solids, pose)
            if seen > most:
                best, most = pose, seen
            if seen > 1.1:
                break
        cameras.append(Camera(config.width, config.height, k, best))
    return cameras


def aim(
    rng: Rng, room: Room, order: NDArray[np.int64], step: int, eye: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Choose where to look: at one object after another if far enough away, else across."""
    middle = np.array(room.size) / 2
    for k in range(4):
        if len(order):
            item = room.placed[order[(step * 2 + k) % len(order)]]
            low, high = p.bounds(item.parts)
            target = 0.7 * (low + high) / 2 + 0.3 * middle + rng.normal(0, 0.25, 3)
            if np.linalg.norm((target - eye)[:2]) > 1.3:
                target[2] = np.clip(target[2], 0.3, 1.0)
                return target
    return np.array([*(middle[:2] + 0.3 * (middle - eye)[:2]), rng.uniform(0.2, 1.1)])


def clearance(solids: Solids, pose: NDArray[np.float64]) -> float:
    """Return the depth in metres below which a fifth of a coarse image from a pose lies."""
    k = np.array([[8.0, 0, 5.5], [0, 8.0, 4.0], [0, 0, 1]])
    depth, _ = cast(solids, Camera(12, 9, k, pose))
    return float(np.quantile(depth, 0.2))


def free_spot(rng: Rng, room: Room, angle: float) -> NDArray[np.float64]:
    """Find a place [3] for a camera in one direction from the middle, clear of all things."""
    half = np.array(room.size[:2]) / 2
    best, most = np.array([*half, 1.7]), -1.0
    for _ in range(12):
        out = rng.uniform(0.35, 0.85) * half * np.array([np.cos(angle), np.sin(angle)])
        spot = np.array([*(half + out), rng.uniform(1.1, 1.8)])
        gap = np.maximum(np.maximum(room.low - spot, spot - room.high), 0)
        clear = float(np.linalg.norm(gap, axis=1).min(initial=9.0))
        if clear > 0.45:
            return spot
        if clear > most:
            best, most = spot, clear
        angle += rng.normal(0, 0.3)
    return best


def look_at(
    eye: NDArray[np.float64], target: NDArray[np.float64], roll: float
) -> NDArray[np.float64]:
    """Return the pose [4, 4] of a camera at `eye` that looks at `target`, rolled a little."""
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, down, forward], axis=1) @ p.turn('z', roll)
    pose[:3, 3] = eye
    return pose


def take_view(rng: Rng, built: Built, camera: Camera, config: RoomConfig) -> View:
    """Photograph the room once, with the errors of a depth camera."""
    depth, solid = cast(built.solids, camera)
    rgb, cosine = shade(built.solids, built.looks, camera, (depth, solid), built.lights)
    instance = np.where(solid >= 0, built.owner[solid], -1).astype(np.int32)
    return View(
        rgb=photograph(rng, rgb, config.sensor),
        depth=measure(rng, depth, cosine, config.sensor),
        intrinsics=camera.intrinsics.astype(np.float32),
        T_world_camera=camera.T_world_camera.astype(np.float32),
        instance=instance,
    )
