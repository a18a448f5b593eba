"""
What a sensor_msgs/CameraInfo says, and photographs moved to the pixels of a depth image.

Lenses are described as in ROS: plumb_bob, rational_polynomial and equidistant.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

MODELS = {'plumb_bob': 4, 'rational_polynomial': 8, 'equidistant': 4}  # least coefficients


@dataclass(frozen=True)
class Camera:
    """A camera with a lens; its frame is optical: x right, y down, z forward."""

    frame_id: str
    width: int
    height: int
    K: NDArray[np.float64]  # [3, 3] pixels
    model: str = ''  # of the lens, see MODELS; '' has none
    D: NDArray[np.float64] | None = None  # coefficients of the lens

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the pixels [..., 2] of points [..., 3] in front of the camera."""
        slopes = points[..., :2] / points[..., 2:]
        if self.D is not None:
            slopes = bend(slopes, self.model, self.D)
        return slopes * self.K[[0, 1], [0, 1]] + self.K[:2, 2]

    def sees(self, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which points [..., 3] lie ahead, and not where the lens' polynomial turns back."""
        ahead = points[..., 2] > 1e-3
        if self.D is None:
            return ahead
        slopes = points[..., :2] / np.where(ahead, points[..., 2], 1.0)[..., None]
        outward = bend(slopes * 1.001, self.model, self.D) - bend(slopes, self.model, self.D)
        return ahead & ((outward * slopes).sum(-1) >= 0)

    def in_frame(self, frame_id: str) -> Camera:
        """Return the same camera in the frame that its images name."""
        return replace(self, frame_id=frame_id)

    def rays(self) -> NDArray[np.float64]:
        """Return what each pixel of the camera without its lens sees [H, W, 3], with z = 1."""
        v, u = np.mgrid[: self.height, : self.width]
        x, y = (u - self.K[0, 2]) / self.K[0, 0], (v - self.K[1, 2]) / self.K[1, 1]
        return np.stack([x, y, np.ones_like(x)], axis=-1)


def to_camera(info: Any, rectified: bool) -> Camera:
    """
    Read a CameraInfo; of rectified images P holds the pinhole and there is no lens left.

    Raises ValueError where it was never calibrated or its lens is of an unknown kind.
    """
    K = _matrix(info, 'k', 3)
    P = _matrix(info, 'p', 4)[:, :3]
    if rectified and P[0, 0] > 0:
        K = P
    D = np.asarray(_field(info, 'd'), np.float64).reshape(-1)
    model = info.distortion_model
    lens = not rectified and bool(np.abs(D).max(initial=0.0) > 0)
    if not (np.isfinite(K).all() and min(K[0, 0], K[1, 1]) > 0):
        raise ValueError(
            f'camera info of {info.header.frame_id!r}: expected a focal length above 0, got '
            f'K = {K.tolist()}; calibrate the camera'
        )
    if lens and len(D) < MODELS.get(model, len(D) + 1):
        raise ValueError(
            f'camera info of {info.header.frame_id!r}: expected a lens of kind '
            f'{", ".join(MODELS)}, got {model!r} with {len(D)} coefficients; record the rectified '
            'images'
        )
    size = int(info.width), int(info.height)
    return Camera(info.header.frame_id, *size, K, model if lens else '', D if lens else None)


def _field(info: Any, name: str) -> Any:
    """Return a field that ROS 1 spells with a capital."""
    return getattr(info, name) if hasattr(info, name) else getattr(info, name.upper())


def _matrix(info: Any, name: str, columns: int) -> NDArray[np.float64]:
    return np.asarray(_field(info, name), np.float64).reshape(3, columns)


def bend(slopes: NDArray[np.float64], model: str, D: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where rays [..., 2] (x/z, y/z) go behind a lens."""
    x, y = slopes[..., 0], slopes[..., 1]
    r2 = x * x + y * y
    if model == 'equidistant':
        r = np.sqrt(r2)
        angle = np.arctan(r)
        powers = 1 + sum(D[i] * angle ** (2 * i + 2) for i in range(4))
        scale = np.where(r > 1e-9, angle * powers / np.maximum(r, 1e-9), 1.0)
        return slopes * scale[..., None]
    k = np.zeros(8)
    k[: min(len(D), 8)] = D[:8]
    radial = (1 + r2 * (k[0] + r2 * (k[1] + r2 * k[4]))) / (
        1 + r2 * (k[5] + r2 * (k[6] + r2 * k[7]))
    )
    bent_x = x * radial + 2 * k[2] * x * y + k[3] * (r2 + 2 * x * x)
    bent_y = y * radial + k[2] * (r2 + 2 * y * y) + 2 * k[3] * x * y
    return np.stack([bent_x, bent_y], axis=-1)


def straighten(depth: NDArray[np.float32], camera: Camera) -> NDArray[np.float32]:
    """Take the lens out of a depth image [H, W]; each pixel gets the nearest one's depth."""
    if camera.D is None:
        return depth
    pixels = np.rint(camera.project(camera.rays())).astype(np.int64)
    u, v = pixels[..., 0], pixels[..., 1]
    inside = (u >= 0) & (u < camera.width) & (v >= 0) & (v < camera.height)
    near = depth[v.clip(0, camera.height - 1), u.clip(0, camera.width - 1)]
    return np.where(inside, near, np.float32(0))


def same_pixels(colour: Camera, depth: Camera) -> bool:
    """Whether two images were registered: one frame, one size, one pinhole and no lens."""
    return (
        colour.frame_id.strip('/') == depth.frame_id.strip('/')
        and (colour.width, colour.height) == (depth.width, depth.height)
        and np.allclose(colour.K, depth.K, rtol=1e-3)
        and colour.D is None
        and depth.D is None
    )


def colour_at_depth(
    rgb: NDArray[np.uint8],
    colour: Camera,
    depth: NDArray[np.float32],
    camera: Camera,
    T_colour_depth: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """
    Return the photograph [H, W, 3] as the depth camera would have taken it.

    Every depth pixel looks its point up in the photograph, black where that does not reach.
    Approximate: pixels without depth are taken at the median depth, and what the colour camera
    cannot see past an edge gets the colour of the edge.
    """
    rgb, colour = _shrunk(rgb, colour, int(colour.K[0, 0] / camera.K[0, 0]))
    measured = depth > 0
    usual = float(np.median(depth[measured])) if measured.any() else 1.0
    points = camera.rays() * np.where(measured, depth, usual)[..., None]
    points = points @ T_colour_depth[:3, :3].T + T_colour_depth[:3, 3]
    seen = colour.sees(points)
    pixels = colour.project(np.where(seen[..., None], points, (0.0, 0.0, 1.0)))
    return _sample(rgb, pixels, seen)


def _shrunk(rgb: NDArray[np.uint8], camera: Camera, factor: int) -> tuple[NDArray[Any], Camera]:
    """Average squares of pixels, so that a large photograph is not sampled at single points."""
    if factor < 2:
        return rgb, camera
    height, width = camera.height // factor, camera.width // factor
    squares = rgb[: height * factor, : width * factor]
    mean = squares.reshape(height, factor, width, factor, 3).mean(axis=(1, 3))
    K = camera.K / (factor, factor, 1)
    K[:2, 2] = (camera.K[:2, 2] + 0.5) / factor - 0.5  # pixel centres stand at whole numbers
    return np.rint(mean).astype(np.uint8), replace(camera, width=width, height=height, K=K)


def _sample(
    rgb: NDArray[np.uint8], pixels: NDArray[np.float64], usable: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Mix the four pixels around each place [H, W, 2]; black outside."""
    height, width = rgb.shape[:2]
    u, v = pixels[..., 0], pixels[..., 1]
    inside = usable & (u > -0.5) & (u < width - 0.5) & (v > -0.5) & (v < height - 0.5)
    u, v = np.where(inside, u, 0).clip(0, width - 1), np.where(inside, v, 0).clip(0, height - 1)
    left, top = np.floor(u).astype(np.int64), np.floor(v).astype(np.int64)
    right, low = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    a, b = (u - left)[..., None], (v - top)[..., None]
    upper = rgb[top, left] * (1 - a) + rgb[top, right] * a
    lower = rgb[low, left] * (1 - a) + rgb[low, right] * a
    mixed = np.rint(upper * (1 - b) + lower * b).astype(np.uint8)
    return np.where(inside[..., None], mixed, np.uint8(0))
