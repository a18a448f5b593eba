"""SHA-256 sums beside weight files, and seals within: an altered file is told from a whole one."""

from __future__ import annotations

from collections.abc import Mapping
import hashlib
import os
from pathlib import Path

import torch
from torch import Tensor

SUMS = 'SHA256SUMS'


def check_sum(path: Path) -> None:
    """Compare a file with the SHA256SUMS beside it, if there is one; ValueError if it differs."""
    sums = path.parent / SUMS
    if not sums.is_file():
        return
    lines = [line.split() for line in sums.read_text('utf-8', 'replace').splitlines()]
    wanted = {line[1]: line[0] for line in lines if len(line) == 2}
    if path.name not in wanted:
        return
    digest = digest_of(path)
    if digest != wanted[path.name]:
        raise ValueError(
            f'{path}: SHA-256 is {digest[:12]}…, {SUMS} says {wanted[path.name][:12]}…; the file '
            'was altered or not copied whole: restore it, or update the sums if you trained anew'
        )


def digest_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    found = hashlib.sha256()
    with path.open('rb') as file:
        while part := file.read(1 << 20):
            found.update(part)
    return found.hexdigest()


def write_sums(folder: Path) -> None:
    """Write SHA256SUMS of a model folder's weight files."""
    lines = [f'{digest_of(path)}  {path.name}\n' for path in sorted(folder.glob('*.safetensors'))]
    temporary = folder / f'{SUMS}.part'
    temporary.write_text(''.join(lines))
    os.replace(temporary, folder / SUMS)


def seal_of(metadata: Mapping[str, str], tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of what a weight file says, all of its metadata and tensors together."""
    found = hashlib.sha256()
    for key in sorted(metadata):
        found.update(f'{key}={metadata[key]}\0'.encode())
    for name in sorted(tensors):
        value = tensors[name].contiguous()
        found.update(f'{name}:{value.dtype}{list(value.shape)}\0'.encode())
        found.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()
