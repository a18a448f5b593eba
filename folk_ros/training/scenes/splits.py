"""Which scenes of a folder are for learning, for choosing and for judging."""

from __future__ import annotations

from pathlib import Path

from folk_ros.training.scenes.datasets.scannet200 import split_scenes, SPLITS

ALL = 'all'


def split_folders(folder: Path, split: str, labelled: bool = True) -> list[Path]:
    """
    List the scene folders of a split, by name; by default those that have ground truth.

    Those are the ones called `<split>_...`, and scans of ScanNet's official list of that split;
    'all' takes every scene. Raises ValueError if there are none.
    """
    sign = 'truth.json' if labelled else 'cloud.npz'
    listed = set(split_scenes(split)) if split in SPLITS else set()
    found = [
        path.parent
        for path in sorted(folder.glob(f'*/{sign}'))
        if split == ALL or path.parent.name.startswith(f'{split}_') or path.parent.name in listed
    ]
    if not found:
        raise ValueError(
            f"{folder}: expected scene folders with {sign} of the split '{split}' "
            f"({split}_..., or scans of ScanNet's {split} list), found none; '{ALL}' takes every "
            'scene'
        )
    return found
