"""Student files: weights, configuration, CLIP space and vocabulary in one safetensors file."""

from __future__ import annotations

from dataclasses import asdict, fields
import hashlib
import json
import os
from pathlib import Path

from safetensors import safe_open, SafetensorError
from safetensors.torch import save_file
import torch

from folk_ros.query import Vocabulary
from folk_ros.student.student import Student, StudentConfig

FORMAT = 'folk_ros student 1'
SUMS = 'SHA256SUMS'


def save_student(path: Path, student: Student, vocabulary: Vocabulary, half: bool = True) -> None:
    """Write a student atomically; matrices are stored as float16 unless told otherwise."""
    tensors = {
        name: value.half() if half and value.dim() >= 2 else value
        for name, value in student.state_dict().items()
    }
    tensors['vocabulary'] = torch.from_numpy(vocabulary.embeddings).half()
    metadata = {
        'format': FORMAT,
        'config': json.dumps(asdict(student.config)),
        'vocabulary': json.dumps(vocabulary.names),
        'scale': str(vocabulary.scale),
        'floor': str(vocabulary.floor),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix('.part')
    save_file({k: v.contiguous() for k, v in tensors.items()}, temporary, metadata)
    os.replace(temporary, path)


def load_student(path: Path) -> tuple[Student, Vocabulary]:
    """
    Read a student, on the CPU and ready to run.

    Raises FileNotFoundError if there is none and ValueError if the file is damaged, altered (its
    folder's SHA256SUMS disagrees) or of another architecture; the message says what to do.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f'{path}: no student weights there; leave the model setting empty for the shipped '
            'ones, or name a folder that holds student.safetensors'
        )
    check_sum(path)
    try:
        with safe_open(path, 'pt') as file:
            metadata = file.metadata() or {}
            tensors = {
                name: file.get_tensor(name).float()
                for name in file.keys()  # noqa: SIM118 - the file is no dictionary
            }
    except SafetensorError as error:
        raise ValueError(
            f'{path}: not a whole safetensors file ({error}); copy it again'
        ) from error
    config = _read_config(path, metadata)
    try:
        vocabulary = Vocabulary(
            names=tuple(json.loads(metadata['vocabulary'])),
            embeddings=tensors.pop('vocabulary').numpy(),
            scale=float(metadata['scale']),
            floor=float(metadata['floor']),
        )
    except KeyError as error:
        raise ValueError(f'{path}: its metadata lack {error}; distil it anew') from error
    student = Student(config)
    try:
        student.load_state_dict(tensors)
    except RuntimeError as error:
        raise ValueError(f'{path}: weights and their configuration disagree: {error}') from error
    return student.eval(), vocabulary


def _read_config(path: Path, metadata: dict[str, str]) -> StudentConfig:
    found = metadata.get('format', 'none')
    if found != FORMAT or 'config' not in metadata:
        raise ValueError(
            f'{path}: expected format {FORMAT!r}, got {found!r}; this is not a student of this '
            'version: distil one with `folk distill`, or use the shipped one'
        )
    values = json.loads(metadata['config'])
    known = {item.name for item in fields(StudentConfig)}
    if set(values) != known:
        raise ValueError(
            f'{path}: its configuration has settings {sorted(set(values) ^ known)} that differ '
            'from this version; use the release it was made with'
        )
    return StudentConfig.from_json(values)


def check_sum(path: Path) -> None:
    """Compare a file with the SHA256SUMS beside it, if there is one; ValueError if it differs."""
    sums = path.parent / SUMS
    if not sums.is_file():
        return
    wanted = dict(line.split()[::-1] for line in sums.read_text().splitlines() if line.strip())
    if path.name not in wanted:
        return
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != wanted[path.name]:
        raise ValueError(
            f'{path}: SHA-256 is {digest[:12]}…, {SUMS} says {wanted[path.name][:12]}…; the file '
            'was altered or not copied whole: restore it, or update the sums if you trained anew'
        )
