"""
The ScanNet benchmark's own files, read and written.

Predictions: `<scene>.txt`, a line per mask: `relative/mask.txt label_id confidence`; a mask file
holds an integer per vertex, non-zero inside. Ground truth: `<scene>.txt`, a line per vertex,
`label_id * 1000 + instance + 1`, 0 for unlabelled ones.
"""

from __future__ import annotations

import os
from pathlib import Path
import shutil
import tempfile

import numpy as np
from numpy.typing import NDArray

from folk_ros.training.evaluate.predictions import load_predictions, Predictions

RESULT_FILE = 'semantic_instance_evaluation.txt'  # the official script leaves it with predictions
MASKS = 'pred_mask'


def read_truth(path: Path) -> NDArray[np.int64]:
    """Read the truth ids [N] of a scene; ValueError names file and line of what is no integer."""
    return _read_integers(path, 'label_id * 1000 + instance + 1')


def read_benchmark_predictions(path: Path, num_points: int) -> tuple[Predictions, list[str]]:
    """
    Read the predictions of a scene of N points; also return what the user should be told.

    As in the benchmark, a mask file named on several lines counts once, with the last of them.
    Raises ValueError naming file, line, expected and got.
    """
    lines = _read_text(path).splitlines()
    entries: dict[Path, tuple[int, float]] = {}
    notes = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        mask, label, score = _parse_line(line, f'{path}, line {number}', path.parent)
        if mask in entries:
            notes.append(
                f'{path}, line {number}: {mask.name} is named again; the benchmark keeps the '
                'last line of a mask file: copy the file to give a mask several labels'
            )
        entries[mask] = (label, score)
    parts = [_read_mask(mask, num_points) for mask in entries]
    starts = np.zeros(len(parts) + 1, np.int64)
    np.cumsum([len(part) for part in parts], out=starts[1:])
    predictions = Predictions(
        starts=starts,
        points=np.concatenate([np.zeros(0, np.int32), *parts]),
        mask=np.arange(len(parts)),
        label=np.array([label for label, _ in entries.values()], np.int64),
        score=np.array([score for _, score in entries.values()], np.float64),
        num_points=num_points,
    )
    return predictions, notes


def _parse_line(line: str, place: str, folder: Path) -> tuple[Path, int, float]:
    words = line.split()
    expected = "'relative/mask.txt label_id confidence'"
    if len(words) != 3:
        raise ValueError(f"{place}: expected {expected}, got '{line[:80]}'")
    mask = Path(os.path.abspath(folder / words[0]))
    if os.path.isabs(words[0]) or not mask.is_relative_to(os.path.abspath(folder)):
        raise ValueError(
            f'{place}: the mask file must be given relative to {folder} and lie below it, '
            f'got {words[0]}'
        )
    try:
        label, score = int(float(words[1])), float(words[2])
    except (ValueError, OverflowError):
        raise ValueError(f"{place}: expected {expected}, got '{line[:80]}'") from None
    if not np.isfinite(score):
        raise ValueError(f'{place}: expected a finite confidence, got {words[2]}')
    return mask, label, score


def _read_mask(path: Path, num_points: int) -> NDArray[np.int32]:
    """Return the points inside a mask file, rising."""
    values = _read_integers(path, 'an integer per vertex')
    if len(values) != num_points:
        raise ValueError(
            f'{path}: expected {num_points} lines, one per vertex of the ground truth, got '
            f'{len(values)}; predict on the same mesh, its vertices in the same order'
        )
    return np.flatnonzero(values).astype(np.int32)


def _read_integers(path: Path, meaning: str) -> NDArray[np.int64]:
    data = _read_bytes(path)
    pairs = np.frombuffer(data, np.uint8, len(data) // 2 * 2).reshape(-1, 2)
    if len(data) == pairs.size and (pairs[:, 1] == 10).all():  # one digit a line: most masks
        digits = pairs[:, 0].astype(np.int64) - ord('0')
        if ((digits >= 0) & (digits <= 9)).all():
            return digits
    lines = data.decode('ascii', 'replace').splitlines()
    try:
        return np.array(lines, dtype=np.int64)
    except (ValueError, OverflowError):
        number = next(k for k, line in enumerate(lines) if not _is_integer(line))
        raise ValueError(
            f"{path}, line {number + 1}: expected {meaning}, got '{lines[number][:40]}'"
        ) from None


def _is_integer(line: str) -> bool:
    try:
        return -(2**63) <= int(line) < 2**63
    except ValueError:
        return False


def _read_text(path: Path) -> str:
    return _read_bytes(path).decode('utf-8', 'replace')


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f'{path}: cannot be read ({error.strerror})') from None


def read_scene_predictions(path: Path, num_points: int) -> tuple[Predictions, list[str]]:
    """Read predictions of either kind, by suffix: the benchmark's .txt or our .npz."""
    if path.suffix == '.npz':
        return load_predictions(path), []
    return read_benchmark_predictions(path, num_points)


def list_predictions(folder: Path) -> dict[str, Path]:
    """List the prediction files of a folder by scene; ValueError if there are none or two."""
    if not folder.is_dir():
        raise ValueError(f'{folder}: expected a folder with <scene>.txt or <scene>.npz files')
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix not in ('.txt', '.npz') or path.name == RESULT_FILE:
            continue
        if path.stem in found:
            raise ValueError(
                f'{folder}: {found[path.stem].name} and {path.name} are of one scene; keep one'
            )
        found[path.stem] = path
    if not found:
        raise ValueError(f'{folder}: expected <scene>.txt or <scene>.npz files, found none')
    return found


def write_truth(path: Path, truth: NDArray[np.int64]) -> None:
    """Write truth ids [N], at once or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.part')
    temporary.write_text(''.join(f'{value}\n' for value in truth.tolist()), encoding='ascii')
    os.replace(temporary, path)


def write_benchmark_predictions(folder: Path, scene_id: str, predictions: Predictions) -> Path:
    """
    Write `<folder>/<scene_id>.txt` with its masks below `pred_mask/<scene_id>/`; return its path.

    This is what the benchmark's server takes. The .txt appears last, when its masks are there.
    """
    masks = folder / MASKS
    masks.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f'.{scene_id}.', dir=masks))
    lines = []
    try:
        temporary.chmod(0o755)
        for number in range(len(predictions)):
            name = f'{number:04d}.txt'
            digits = np.full((predictions.num_points, 2), [ord('0'), ord('\n')], np.uint8)
            digits[predictions.points_of(int(predictions.mask[number])), 0] = ord('1')
            (temporary / name).write_bytes(digits.tobytes())
            score = repr(float(predictions.score[number]))
            label = int(predictions.label[number])
            lines.append(f'{MASKS}/{scene_id}/{name} {label} {score}\n')
        path = folder / f'{scene_id}.txt'
        path.unlink(missing_ok=True)
        if (masks / scene_id).exists():
            shutil.rmtree(masks / scene_id)
        os.replace(temporary, masks / scene_id)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    part = folder / f'.{scene_id}.part'
    part.write_text(''.join(lines), encoding='ascii')
    os.replace(part, path)
    return path
