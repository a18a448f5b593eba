"""
What the teacher says of one scene, as a file: `<folder>/<scene_id>.safetensors`.

Tensors: embeddings [I,K,D] float16, view_ids [I,K] int32, visibility [I,K] float32, logits
[I,K,Q] float16 (cosines to the names of the metadata), and, where the instances were predicted,
point_instance [N] int32 and quality [I] float32. Metadata: clip, scene_id, names and settings
(JSON), views_missing, seconds, mask_seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open, SafetensorError
from safetensors.numpy import save_file

from folk_ros.structures import check_arrays


@dataclass(frozen=True)
class TeacherFile:
    """What the teacher says of one scene. Rows without a view are zeros."""

    scene_id: str
    clip: str  # the CLIP space of the embeddings
    embeddings: NDArray[np.float32]  # [I, K, D] unit length, zeros where there is no view
    view_ids: NDArray[np.int32]  # [I, K] most visible first, -1 where there is no view
    visibility: NDArray[np.float32]  # [I, K] distinct pixels on which points are seen, 0 for none
    names: tuple[str, ...]  # [Q] what the views were asked to choose from
    logits: NDArray[np.float32]  # [I, K, Q] cosine of each view to each name
    point_instance: NDArray[np.int32] | None = None  # [N] of predicted instances; none: the truth
    quality: NDArray[np.float32] | None = None  # [I] of predicted masks, in [0, 1]
    settings: str = ''  # JSON: how it was taught
    seconds: float = 0.0  # that teaching took, without finding masks; of one core on a CPU
    mask_seconds: float = 0.0  # that finding masks took
    views_missing: int = 0  # images that could not be read

    def __post_init__(self) -> None:
        check_arrays(
            'TeacherFile',
            embeddings=(self.embeddings, 'I K D', np.float32),
            view_ids=(self.view_ids, 'I K', np.int32),
            visibility=(self.visibility, 'I K', np.float32),
            logits=(self.logits, 'I K Q', np.float32),
        )
        if self.logits.shape[2] != len(self.names):
            raise ValueError(
                f'TeacherFile: {len(self.names)} names need as many logits, got '
                f'{self.logits.shape[2]}'
            )
        if self.point_instance is not None:
            points = (self.point_instance, 'N', np.int32)
            check_arrays('TeacherFile', point_instance=points)

    @property
    def unseen(self) -> int:
        """Number of instances that no view sees."""
        return int((self.view_ids < 0).all(1).sum())


def save_teacher_file(taught: TeacherFile, folder: Path) -> Path:
    """Write a scene's file, at once or not at all, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = teacher_path(folder, taught.scene_id)
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
    arrays: dict[str, NDArray[Any]] = {
        'embeddings': taught.embeddings.astype(np.float16),
        'view_ids': taught.view_ids,
        'visibility': taught.visibility,
        'logits': taught.logits.astype(np.float16),
    }
    if taught.point_instance is not None:
        arrays['point_instance'] = taught.point_instance
    if taught.quality is not None:
        arrays['quality'] = taught.quality
    facts = {
        'clip': taught.clip,
        'scene_id': taught.scene_id,
        'names': json.dumps(taught.names),
        'settings': taught.settings,
        'views_missing': str(taught.views_missing),
        'seconds': f'{taught.seconds:.4f}',
        'mask_seconds': f'{taught.mask_seconds:.4f}',
    }
    try:
        save_file(arrays, temporary, facts)
        temporary.chmod(0o644)  # safetensors writes for the owner alone
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def load_teacher_file(path: Path) -> TeacherFile:
    """Read a file of `save_teacher_file`; raise ValueError if it is not a whole one."""
    try:
        with safe_open(path, 'np') as file:
            metadata = file.metadata() or {}
            keys = set(file.keys())
            return TeacherFile(
                metadata['scene_id'],
                metadata['clip'],
                file.get_tensor('embeddings').astype(np.float32),
                file.get_tensor('view_ids'),
                file.get_tensor('visibility'),
                tuple(json.loads(metadata['names'])),
                file.get_tensor('logits').astype(np.float32),
                file.get_tensor('point_instance') if 'point_instance' in keys else None,
                file.get_tensor('quality') if 'quality' in keys else None,
                metadata.get('settings', ''),
                float(metadata.get('seconds', '0')),
                float(metadata.get('mask_seconds', '0')),
                int(metadata.get('views_missing', '0')),
            )
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise ValueError(f'{path}: not a teacher file ({error!r}); make it again') from error


def teacher_path(folder: Path, scene_id: str) -> Path:
    """Return where the file of a scene lies."""
    return folder / f'{scene_id}.safetensors'


def is_taught(path: Path, clip: str, settings: str) -> bool:
    """
    Tell whether a whole teacher file is there; what is half-written or damaged is not one.

    Raises ValueError if it was made with another CLIP or with other settings.
    """
    if not path.is_file():
        return False
    try:
        with safe_open(path, 'np') as file:
            facts = file.metadata() or {}
    except (OSError, SafetensorError):
        return False
    found = (facts.get('clip', 'none'), facts.get('settings', 'none'))
    if found != (clip, settings):
        raise ValueError(
            f'{path}: is there already, taught by {found[0]} with {found[1]}, asked for {clip} '
            f'with {settings}; write to another folder, or remove that one'
        )
    return True
