"""Write views as image files with their `views.jsonl`: at once, copied, or one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
import json
import logging
import os
from pathlib import Path
import shutil
from typing import Any

import numpy as np

from folk_ros.cloud_files import replacing
from folk_ros.training.scenes.images import write_colour, write_counts
from folk_ros.training.scenes.view_files import INDEX, PATHS, ViewFile
from folk_ros.training.scenes.views import View

log = logging.getLogger(__name__)


def write_views(files: Sequence[ViewFile], folder: Path) -> None:
    """Write `views.jsonl` anew; images below the folder get relative paths."""
    with replacing(folder / INDEX) as file:
        file.write(''.join(entry.as_line(folder) for entry in files).encode('utf-8'))


def copy_images(entry: ViewFile, folder: Path, number: int) -> ViewFile:
    """Copy the images of a view to where append_view would have written them."""
    copies: dict[str, Any] = {}
    for name in PATHS:
        path = getattr(entry, name)
        if path is not None:
            copies[name] = folder / name / f'{number:06d}{path.suffix}'
            copies[name].parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(path, copies[name])
            except OSError as error:
                raise ValueError(f'{path}: cannot be copied ({error})') from None
    return replace(entry, **copies)


def append_view(
    folder: Path | str,
    view: View,
    *,
    depth_per_metre: float = 1000.0,
    colour: str = '.jpg',
    stamp_ns: int = 0,
) -> ViewFile:
    """
    Add a view to a folder: its images first, then its line in `views.jsonl`.

    `colour` is '.jpg' or '.png'. Depth that does not fit 16 bits is stored as not measured.
    """
    folder = Path(folder)
    number = _lines_kept(folder / INDEX)
    height, width = view.depth.shape
    entry = ViewFile(
        rgb=folder / 'rgb' / f'{number:06d}{colour}',
        depth=folder / 'depth' / f'{number:06d}.png',
        intrinsics=view.intrinsics,
        T_world_camera=view.T_world_camera,
        depth_per_metre=depth_per_metre,
        size=(width, height),
        stamp_ns=stamp_ns,
        instance=None if view.instance is None else folder / 'instance' / f'{number:06d}.png',
    )
    write_colour(view.rgb, entry.rgb)
    counts = np.rint(np.nan_to_num(view.depth, posinf=0) * np.float64(depth_per_metre))
    write_counts(
        np.where((counts >= 0) & (counts < 65536), counts, 0).astype(np.uint16), entry.depth
    )
    if view.instance is not None and entry.instance is not None:
        write_counts((view.instance + 1).astype(np.uint16), entry.instance)
    append_entry(folder, entry)
    return entry


def append_entry(folder: Path | str, entry: ViewFile) -> None:
    """Add the line of a view whose images are already written to `views.jsonl`."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _lines_kept(folder / INDEX)
    with (folder / INDEX).open('ab') as file:
        file.write(entry.as_line(folder).encode('utf-8'))


def _lines_kept(path: Path) -> int:
    """Count the lines of a file, and cut off what a torn write left after the last."""
    if not path.is_file():
        return 0
    data = path.read_bytes()
    whole = data.rfind(b'\n') + 1
    if whole == len(data):
        return data.count(b'\n')
    try:
        json.loads(data[whole:])
    except ValueError:
        log.warning('%s: the last line was cut off and is replaced', path)
        os.truncate(path, whole)
        return data.count(b'\n')
    with path.open('ab') as file:  # only the end of the line is missing
        file.write(b'\n')
    return data.count(b'\n') + 1
