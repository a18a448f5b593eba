"""Read and write the image files of views: colour, and counts of 16 bits (depth, instances)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from folk_ros.cloud_files import replacing

if TYPE_CHECKING:
    from PIL.Image import Image

COUNT_MODES = ('I;16', 'I;16B', 'I')  # Pillow's names for one channel of 16 or 32 bits
JPEG_QUALITY = 95


def pillow() -> Any:
    """Import Pillow's Image module; ImportError says what to install."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            'image files are read with Pillow; pip install pillow, or folk_ros[train]'
        ) from error
    return Image


def image_size(path: Path) -> tuple[int, int]:
    """Return (W, H) of an image from its header; ValueError naming the file if it has none."""
    size: tuple[int, int] = _open(path, whole=False).size
    return size


def read_counts(path: Path) -> NDArray[np.int32]:
    """Read an image [H, W] of one channel of 16 bits; ValueError naming the file."""
    image = _open(path)
    if image.mode not in COUNT_MODES:
        raise ValueError(
            f'{path}: expected one channel of 16 bits, got an image of kind {image.mode}; depth '
            'is stored as a 16 bit PNG'
        )
    return np.asarray(image).astype(np.int32)


def read_colour(
    path: Path, size: tuple[int, int], to_colour: NDArray[np.float64] | None = None
) -> NDArray[np.uint8]:
    """
    Read a colour image as [H, W, 3] at the pixels (W, H) of a depth image.

    `to_colour` [3, 3] takes a pixel of the depth image to one of the colour image, both counted
    from the centre of the first; without it the images must have one size. Where it shrinks,
    pixels are averaged. Black where the colour image ends. Raises ValueError naming the file.
    """
    image = _open(path).convert('RGB')
    if to_colour is None:
        if image.size != size:
            raise ValueError(
                f'{path}: expected {size[0]}x{size[1]} pixels, as the depth image has, got '
                f'{image.size[0]}x{image.size[1]}; give rgb_intrinsics where they differ'
            )
        return np.asarray(image)
    if abs(to_colour[0, 1]) + abs(to_colour[1, 0]) > 1e-3:
        raise ValueError(f'{path}: its camera has skewed pixels; rectify the images')
    first = to_colour @ (-0.5, -0.5, 1.0) + 0.5  # Pillow counts from the corner of a pixel
    last = to_colour @ (size[0] - 0.5, size[1] - 0.5, 1.0) + 0.5
    return _cut(image, (first[0], first[1], last[0], last[1]), size, path)


def _cut(
    image: Image, box: tuple[float, float, float, float], size: tuple[int, int], path: Path
) -> NDArray[np.uint8]:
    """Resize the part of an image inside a box, which may reach beyond it."""
    left, top, right, bottom = box
    whole = (math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))
    covered = right > 0 and bottom > 0 and left < image.size[0] and top < image.size[1]
    if not covered or right - left > 8 * image.size[0] or bottom - top > 8 * image.size[1]:
        raise ValueError(
            f'{path}: its rgb_intrinsics do not fit those of the depth image: the depth image '
            f'would lie at {[round(v) for v in box]} of {image.size[0]}x{image.size[1]} pixels'
        )
    part = image.crop(whole)  # black outside of the image
    inner = (left - whole[0], top - whole[1], right - whole[0], bottom - whole[1])
    return np.asarray(part.resize(size, pillow().Resampling.BILINEAR, box=inner))


def write_colour(rgb: NDArray[np.uint8], path: Path) -> None:
    """Write a colour image [H, W, 3], as JPEG or PNG by the name of the file."""
    kinds = {'.jpg': 'JPEG', '.jpeg': 'JPEG', '.png': 'PNG'}
    if path.suffix not in kinds:
        raise ValueError(f'{path}: expected a name that ends in {", ".join(kinds)}')
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        pillow().fromarray(rgb).save(file, format=kinds[path.suffix], quality=JPEG_QUALITY)


def write_counts(counts: NDArray[np.uint16], path: Path) -> None:
    """Write an image [H, W] of one channel of 16 bits as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        pillow().fromarray(counts).save(file, format='PNG')


def _open(path: Path, whole: bool = True) -> Any:
    """Open an image, and unless `whole` is False read it; ValueError naming the file."""
    image = pillow()
    if not path.is_file():
        raise ValueError(f'{path}: there is no such image; export the frames again')
    try:
        with image.open(path) as opened:
            if whole:
                opened.load()
            return opened
    except (OSError, SyntaxError, ValueError, image.DecompressionBombError) as error:
        raise ValueError(f'{path}: cannot be read as an image ({error})') from None
