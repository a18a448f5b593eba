"""Whether there is a network to ask, and why not: every failure as a sentence."""

from __future__ import annotations

from collections.abc import Callable
import ctypes
from dataclasses import dataclass, field
from importlib.util import find_spec
import os
from pathlib import Path
import sys
import time
from typing import Literal, TYPE_CHECKING

from folk_ros.config import FolkConfig

if TYPE_CHECKING:
    from folk_ros.pipeline import Folk

LIBRARIES = ('libtorch_cpu.so', 'libtorch_cuda.so')  # of hundreds of MB each, on Linux
Loader = Callable[[FolkConfig], 'Folk']


@dataclass(frozen=True)
class Model:
    """Whether there is a network to ask."""

    state: Literal['loading', 'ready', 'failed'] = 'loading'
    reason: str = ''
    since: float = field(default_factory=time.monotonic)

    def __str__(self) -> str:
        if self.state == 'loading':
            return f'the model is loading ({time.monotonic() - self.since:.0f} s so far)'
        return self.reason or 'the model is ready'


def load_folk(config: FolkConfig) -> Folk:
    """Load the program that the settings name; torch is imported here, not before."""
    load_libraries()
    from folk_ros.pipeline import Folk

    return Folk.load(config.node.model, config)


def load_libraries() -> None:
    """
    Load torch's large libraries while other threads run: importing it would stop them all.

    It holds the interpreter for as long as they are read from the disk (3.4 s on a busy machine),
    and nobody is answered, no signal heeded. What cannot be loaded here is left to the import.
    """
    found = find_spec('torch')
    if found is None or not found.submodule_search_locations:
        return
    folder = Path(found.submodule_search_locations[0]) / 'lib'
    libraries = [path for name in LIBRARIES if (path := folder / name).is_file()]
    if not libraries:
        return
    dlopen = ctypes.CDLL(None).dlopen  # called like this, ctypes lets the interpreter go
    dlopen.restype, dlopen.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int]
    for path in libraries:
        dlopen(os.fsencode(path), os.RTLD_NOW | os.RTLD_LOCAL)


def sentence(error: Exception) -> str:
    """Say what went wrong in the network."""
    if is_out_of_memory(error):
        return (
            'out of memory; publish a coarser cloud, lower segment.max_voxels or use another '
            f'device ({str(error).splitlines()[0] if str(error) else type(error).__name__})'
        )
    return f'{type(error).__name__}: {error}'


def is_out_of_memory(error: Exception) -> bool:
    """Whether memory ran out, on the CPU or a GPU (torch is not imported to ask)."""
    return isinstance(error, MemoryError) or type(error).__name__ == 'OutOfMemoryError'


def load_sentence(error: Exception) -> str:
    """Say why a model could not be loaded."""
    if isinstance(error, ImportError):
        return (
            f'{error}; the node runs on {sys.executable}: install folk_ros and what it needs '
            'there, or name another environment with python_env:='
        )
    if isinstance(error, (OSError, ValueError)):
        return str(error)
    return sentence(error)
