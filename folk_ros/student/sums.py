"""SHA-256 sums beside weight files: they tell an altered file from a whole one."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

SUMS = 'SHA256SUMS'


def check_sum(path: Path) -> None:
    """Compare a file with the SHA256SUMS beside it, if there is one; ValueError if it differs."""
    sums = path.parent / SUMS
    if not sums.is_file():
        return
    wanted = dict(line.split()[::-1] for line in sums.read_text().splitlines() if line.strip())
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
