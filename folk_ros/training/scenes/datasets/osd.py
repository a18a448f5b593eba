"""
Read the (modified) Object Segmentation Database: one organised PCD file is one scene.

A file holds 640 x 480 points with label, x, y, z and rgba in the camera's optical frame, metres,
not finite where nothing was measured; the colour is there for every pixel, so that the file is
photograph, depth image and cloud at once. Labels are 0 where there is no point, 1 to 9 on the
table, and from 20 on objects: tens count objects, units the disjoint parts of one.

The world frame of the scene stands on the table, found as the dominant plane: z up, z = 0 the
table top, origin below the camera, x where the camera looks, y to the left.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folk_ros.cloud import CloudLayout, read_field
from folk_ros.cloud_pcd import read_pcd
from folk_ros.structures import PointCloud
from folk_ros.training.scenes.scene import GroundTruth, Scene, View
from folk_ros.upright import camera_above, find_plane

FOCAL = 525 / 640  # of the image width
MAX_POINTS = 5_000_000
PIXEL_TOLERANCE = 0.5
FIRST_OBJECT = 20


def osd_files(folder: Path | str) -> list[Path]:
    """Return the PCD files of a folder, learn2 before learn10; ValueError if there is none."""
    folder = Path(folder)
    found = sorted(folder.glob('*.pcd'), key=lambda path: _counted(path.stem))
    if not found:
        raise ValueError(f'{folder}: expected .pcd files of the OSD, found none')
    return found


def _counted(name: str) -> list[tuple[str, int]]:
    """Return a key that sorts numbers inside names by their value."""
    return [(text, int(number or 0)) for text, number in re.findall(r'(\D*)(\d*)', name)]


def read_osd(path: Path | str, parts: bool = False) -> Scene:
    """
    Read one file as a scene of one view; with `parts`, disjoint parts are objects of their own.

    The cloud holds the measured points in the order of the pixels. Objects have no names there:
    all are called 'object' and have no captions. Raises ValueError naming the file.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f'{path}: there is no such file')
    try:
        layout, data = read_pcd(path, MAX_POINTS)
        xyz, rgb, label = _images(layout, data)
        scene = _scene(path.stem, xyz, rgb, _objects(label, parts))
        return replace(scene, facts={**scene.facts, 'parts': parts})
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None


def _images(
    layout: CloudLayout, data: bytes
) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.int64]]:
    """Return coordinates [H, W, 3], the photograph [H, W, 3] and labels [H, W]."""
    if layout.height < 2:
        raise ValueError(
            f'expected an organised cloud (one point per pixel), got {layout.width} x '
            f'{layout.height} points'
        )
    names = {field.name for field in layout.fields}
    colour = 'rgba' if 'rgba' in names else 'rgb'
    missing = {'label', 'x', 'y', 'z', colour} - names
    if missing:
        raise ValueError(
            f'expected fields label, x, y, z and rgba, got {layout.field_names}; these are no '
            'labelled scans of the OSD'
        )
    xyz = np.stack([read_field(data, layout, axis) for axis in 'xyz'], axis=-1)
    packed = read_field(data, layout, colour).copy().view(np.uint32)  # never as float: NaN bits
    rgb = np.stack([packed >> shift & 255 for shift in (16, 8, 0)], axis=-1).astype(np.uint8)
    label = read_field(data, layout, 'label').astype(np.int64)
    return xyz.astype(np.float32), rgb, label


def _objects(label: NDArray[np.int64], parts: bool) -> NDArray[np.int64]:
    """Return the number of each pixel's object, 0 where there is none."""
    unknown = np.unique(label[(label < 0) | ((label > 9) & (label < FIRST_OBJECT))])
    if len(unknown):
        raise ValueError(
            'label: expected 0 (nothing), 1 to 9 (table) or from 20 on (objects), got '
            f'{unknown[:5].tolist()}'
        )
    return np.where(label < FIRST_OBJECT, 0, label if parts else label // 10)


def _scene(
    scene_id: str, xyz: NDArray[np.float32], rgb: NDArray[np.uint8], objects: NDArray[np.int64]
) -> Scene:
    """Put the frame on the table; return the scene with its one view."""
    measured = np.isfinite(xyz).all(axis=2) & (xyz[..., 2] > 0)
    points = xyz[measured]
    intrinsics = kinect_intrinsics(*measured.shape)
    _check_pinhole(points, measured, intrinsics)
    normal, height_m, share = find_plane(points)
    T = camera_above(normal, height_m)
    numbers = np.unique(objects[measured & (objects > 0)])
    shown = np.where(measured & (objects > 0), np.searchsorted(numbers, objects), -1)
    shown = shown.astype(np.int32)
    view = View(
        rgb=rgb,
        depth=np.where(measured, xyz[..., 2], np.float32(0)),
        intrinsics=intrinsics,
        T_world_camera=T.astype(np.float32),
        instance=shown,
    )
    world = points.astype(np.float64) @ T[:3, :3].T + T[:3, 3]
    truth = GroundTruth(
        point_instance=shown[measured],
        names=['object'] * len(numbers),
        captions=((),) * len(numbers),
        novel=np.zeros(len(numbers), np.bool_),
    )
    facts: dict[str, Any] = {
        'source': 'osd',
        'camera_height_m': round(height_m, 4),
        'camera_tilt_deg': round(float(np.degrees(np.arcsin(-normal[2]))), 2),
        'table_share': round(share, 4),
    }
    cloud = PointCloud(world.astype(np.float32), rgb[measured], 'world')
    return Scene(scene_id, cloud, truth, (view,), facts)


def kinect_intrinsics(height: int, width: int) -> NDArray[np.float32]:
    """Return the pinhole [3, 3] behind these clouds: at 640 x 480 f = 525, c = (319.5, 239.5)."""
    f = FOCAL * width
    return np.array([[f, 0, (width - 1) / 2], [0, f, (height - 1) / 2], [0, 0, 1]], np.float32)


def _check_pinhole(
    points: NDArray[np.float32], measured: NDArray[np.bool_], k: NDArray[np.float32]
) -> None:
    """Refuse points [M, 3] that do not fall on their own pixels; raise ValueError."""
    pixels = np.argwhere(measured)[:, ::-1]  # [M, 2] column, row
    projected = points[:, :2] / points[:, 2:] * k[0, 0] + k[:2, 2]
    worst = float(np.abs(projected - pixels).max(initial=0.0))
    if not worst <= PIXEL_TOLERANCE:
        height, width = measured.shape
        raise ValueError(
            f'expected points of a camera of {width} x {height} pixels with f = {k[0, 0]:g}, '
            f'c = ({k[0, 2]:g}, {k[1, 2]:g}), got some that fall {worst:.1f} pixels beside '
            'their own; they were moved to another frame, or taken with another camera'
        )
