"""Student files: weights, configuration, CLIP space and vocabulary in one safetensors file."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open, SafetensorError
from safetensors.torch import save_file
import torch
from torch import Tensor

from folk_ros.query import Answering, Sayings, Vocabulary
from folk_ros.student.face import MaskStudent, PooledStudent
from folk_ros.student.mask3d import Mask3D, Mask3DConfig
from folk_ros.student.spaceformer import SpaceFormer, SpaceFormerConfig
from folk_ros.student.student import Student, StudentConfig
from folk_ros.student.sums import check_sum, seal_of

FORMAT = 'folk_ros student 1'
STUDENT_FILE = 'student.safetensors'  # in a model folder
SEAL = 'sha256'  # in the metadata: of all the rest
UNUSABLE = (
    TypeError,
    ValueError,
    KeyError,
    AttributeError,
    RuntimeError,
)  # of a bad configuration
ARCHITECTURES: dict[str, tuple[Any, Any]] = {  # name in the metadata: network, configuration
    'seeds': (Student, StudentConfig),
    'mask3d': (Mask3D, Mask3DConfig),
    'spaceformer': (SpaceFormer, SpaceFormerConfig),
}


def save_student(
    path: Path,
    student: MaskStudent,
    vocabulary: Vocabulary | None,
    half: bool = True,
    provenance: str = '',
) -> None:
    """
    Write a student atomically; matrices are stored as float16 unless told otherwise.

    A student of masks alone has no vocabulary. `provenance` says where the weights come from.
    """
    tensors = {
        name: value.half() if half and value.dim() >= 2 else value
        for name, value in student.state_dict().items()
    }
    save_tensors(path, student.config, tensors, vocabulary, provenance)


def save_tensors(
    path: Path,
    config: Any,
    tensors: dict[str, Tensor],
    vocabulary: Vocabulary | None,
    provenance: str,
) -> None:
    """Write a student file from the tensors of its network; see `save_student`."""
    metadata = {
        'format': FORMAT,
        'architecture': next(k for k, (_, c) in ARCHITECTURES.items() if c is type(config)),
        'config': json.dumps(asdict(config)),
        'embeddings': config.clip or 'none: no adapter was distilled yet',
        'provenance': provenance,
    }
    if vocabulary is not None:
        told, stored = _packed(vocabulary)
        metadata, tensors = metadata | told, tensors | stored
    metadata[SEAL] = seal_of(metadata, tensors)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix('.part')
    save_file({k: v.contiguous() for k, v in tensors.items()}, temporary, metadata)
    temporary.chmod(0o644)  # safetensors writes for the owner alone
    os.replace(temporary, path)


def _packed(vocabulary: Vocabulary) -> tuple[dict[str, str], dict[str, Tensor]]:
    tensors = {'vocabulary': torch.from_numpy(vocabulary.embeddings).half()}
    metadata = {
        'vocabulary': json.dumps(vocabulary.names),
        'scale': str(vocabulary.scale),
        'floor': str(vocabulary.floor),
        'shown': str(vocabulary.shown),
    }
    if vocabulary.answering is not None:
        metadata['answering'] = json.dumps(asdict(vocabulary.answering))
    if vocabulary.sayings is not None:
        tensors['sayings'] = torch.from_numpy(vocabulary.sayings.embeddings).half()
        metadata['sayings_of'] = json.dumps(vocabulary.sayings.of.tolist())
    return metadata, tensors


def load_student(path: Path) -> tuple[MaskStudent, Vocabulary]:
    """
    Read a student that answers words, on the CPU and ready to run.

    Raises FileNotFoundError if there is none and ValueError if the file is damaged, altered (its
    seal or its folder's SHA256SUMS disagrees), of another architecture, or gives masks without
    embeddings; the message says what to do.
    """
    metadata, tensors = _read(path)
    stored, said = tensors.pop('vocabulary', None), tensors.pop('sayings', None)
    student = _build(path, metadata, tensors)
    if not student.config.embedding_dim:
        raise ValueError(
            f'{path}: gives masks but no embeddings, so it cannot answer words yet; teach it some '
            f'with `folk distill --masks {path}`, or use a student that was distilled'
        )
    embeddings = np.zeros((0, 0), np.float32) if stored is None else stored.numpy()
    if embeddings.ndim != 2 or embeddings.shape[1] != student.config.embedding_dim:
        raise ValueError(
            f'{path}: expected a vocabulary of {student.config.embedding_dim} numbers a name, as '
            f'its embeddings have, got {list(embeddings.shape)}; distil it anew'
        )
    try:
        vocabulary = Vocabulary(
            names=tuple(json.loads(metadata['vocabulary'])),
            embeddings=embeddings,
            scale=float(metadata['scale']),
            floor=float(metadata['floor']),
            answering=_answering(metadata),
            shown=int(metadata.get('shown', 0)),  # older files do not say
            sayings=None if said is None else _sayings(metadata, said, embeddings.shape[1]),
        )
    except KeyError as error:
        raise ValueError(f'{path}: its metadata lack {error}; distil it anew') from error
    except (TypeError, ValueError) as error:
        raise ValueError(
            f'{path}: its vocabulary cannot be used ({error}); copy it again'
        ) from error
    return student, vocabulary


def _answering(metadata: dict[str, str]) -> Answering | None:
    stored = json.loads(metadata.get('answering', 'null'))
    if stored is None or 'evidence' not in stored:
        return None  # an older file: its evidence is not gathered any more, the fixed rule answers
    return Answering(**stored)


def _sayings(metadata: dict[str, str], embeddings: Tensor, dim: int) -> Sayings:
    of = np.array(json.loads(metadata['sayings_of']), np.int64)
    if embeddings.shape != (len(of), dim):
        raise ValueError(f'expected sayings [{len(of)}, {dim}], got {list(embeddings.shape)}')
    return Sayings(of, embeddings.numpy())


def load_masks(path: Path) -> PooledStudent:
    """
    Read a student for its masks and features, with or without an adapter.

    Raises as `load_student` does, and ValueError for a network whose embeddings are its own.
    """
    metadata, tensors = _read(path)
    for name in ('vocabulary', 'sayings'):
        tensors.pop(name, None)
    student = _build(path, metadata, tensors)
    if not isinstance(student, PooledStudent):
        raise ValueError(f'{path}: its embeddings are its own; there is no adapter to distil')
    return student


def with_adapter(
    student: PooledStudent, clip: str, text_tower: str, embedding_dim: int
) -> PooledStudent:
    """Return the same network with a fresh adapter into a CLIP space."""
    config = replace(student.config, clip=clip, text_tower=text_tower, embedding_dim=embedding_dim)
    fresh = type(student)(config)
    own = {k: v for k, v in student.state_dict().items() if not k.startswith('adapter.')}
    fresh.load_state_dict(fresh.state_dict() | own)
    return fresh.eval()


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    if not path.is_file():
        raise FileNotFoundError(
            f'{path}: no student weights there; leave the model setting empty for the shipped '
            f'ones, or name a folder that holds {STUDENT_FILE}'
        )
    check_sum(path)
    try:
        with safe_open(path, 'pt') as file:
            metadata = dict(file.metadata() or {})
            tensors = {
                name: file.get_tensor(name)
                for name in file.keys()  # noqa: SIM118 - the file is no dictionary
            }
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f'{path}: not a whole safetensors file ({error}); copy it again'
        ) from error
    found = metadata.get('format', 'none')
    if found != FORMAT or 'config' not in metadata:
        raise ValueError(
            f'{path}: expected format {FORMAT!r}, got {found!r}; this is not a student of this '
            'version: distil one with `folk distill`, or use the shipped one'
        )
    seal = metadata.pop(SEAL, None)  # files of the first release have none
    if seal is not None and seal != seal_of(metadata, tensors):
        raise ValueError(
            f'{path}: SHA-256 of its contents is {seal_of(metadata, tensors)[:12]}…, it says '
            f'{seal[:12]}…; the file was altered or not copied whole: restore it'
        )
    tensors = {name: value.float() for name, value in tensors.items()}
    broken = [name for name, value in tensors.items() if not bool(value.isfinite().all())]
    if broken:
        raise ValueError(
            f'{path}: expected finite weights, got others in {broken[:3]}; use another checkpoint'
        )
    return metadata, tensors


def _build(path: Path, metadata: dict[str, str], tensors: dict[str, Tensor]) -> MaskStudent:
    architecture = metadata.get('architecture', 'seeds')  # files of the first release do not say
    if architecture not in ARCHITECTURES:
        raise ValueError(
            f'{path}: is a student of architecture {architecture!r}, this version knows '
            f'{sorted(ARCHITECTURES)}; use the release it was made with'
        )
    kind, config = ARCHITECTURES[architecture]
    try:
        values = dict(json.loads(metadata['config']))
    except (TypeError, ValueError) as error:
        raise ValueError(f'{path}: its configuration cannot be read ({error})') from error
    unknown = set(values) - {item.name for item in fields(config)}
    if unknown:
        raise ValueError(
            f'{path}: its configuration has settings {sorted(unknown)} that this version does '
            'not know; use the release it was made with'
        )
    try:
        student: MaskStudent = kind(config.from_json(values))
    except UNUSABLE as error:
        raise ValueError(
            f'{path}: no network of its configuration can be built: {error}'
        ) from error
    _check_shapes(path, student.state_dict(), tensors)
    student.load_state_dict(tensors)
    return student.eval()


def _check_shapes(path: Path, wanted: dict[str, Tensor], found: dict[str, Tensor]) -> None:
    """Compare the tensors of a file with those of the network it describes."""
    expected = {name: list(value.shape) for name, value in wanted.items()}
    got = {name: list(value.shape) for name, value in found.items()}
    wrong = sorted(
        name for name in expected.keys() | got.keys() if expected.get(name) != got.get(name)
    )
    if wrong:
        name = wrong[0]
        raise ValueError(
            f'{path}: weights and their configuration disagree in {len(wrong)} tensors: {name}: '
            f'expected {expected.get(name, "none")}, got {got.get(name, "none")}'
        )
