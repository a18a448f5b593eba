"""Python, the packages from pip, and whether torch, torchvision and open_clip fit together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import importlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
import re
import sys
import sysconfig

from folk_ros.cli.doctoring.finding import Finding, note, ok, wrong

OLDEST = (3, 10)
NEWEST = (3, 13)  # the newest that the tests were run on
NEEDED = {  # what setup.py asks of pip, and what it is imported as
    'numpy': '1.26',
    'torch': '2.1',
    'safetensors': '0.4',
    'PyYAML': '6',
    'tokenizers': '0.19',
    'open_clip_torch': '2.24',
    'transformers': '4.40',
}
OPTIONAL = {  # what the extras of setup.py ask for, and what is impossible without
    'matplotlib': ('3.7', 'pictures and the demo'),
    'pillow': ('9.1', 'images of recordings'),
    'rosbags': ('0.11', 'recordings'),
}


@dataclass(frozen=True)
class PythonFacts:
    """The interpreter that runs this."""

    version: tuple[int, int, int]
    executable: str
    bits: int = 64


def look_at_python() -> PythonFacts:
    """Look at the interpreter."""
    return PythonFacts(sys.version_info[:3], sys.executable, 64 if sys.maxsize > 2**32 else 32)


def judge_python(facts: PythonFacts) -> Finding:
    """Python is of a version that was tried."""
    text = f'{".".join(map(str, facts.version))} ({facts.executable})'
    if facts.version[:2] < OLDEST:
        return wrong(
            f'{text}: too old, 3.10 is the oldest that works',
            'python3.11 -m venv ~/folk && ~/folk/bin/pip install -e .  # in the source',
        )
    if facts.bits != 64:
        return wrong(f'{text}: a 32-bit Python, for which there is no torch; install a 64-bit one')
    if facts.version[:2] > NEWEST:
        newest = '.'.join(map(str, NEWEST))
        return note(f'{text}: newer than {newest}, the newest that was tried')
    return ok(text)


@dataclass(frozen=True)
class PackageFacts:
    """What pip has installed for this interpreter."""

    versions: Mapping[str, str | None]  # of NEEDED and OPTIONAL; None: not installed
    python: str
    managed: bool = False  # by the system, so that pip refuses (PEP 668)


def look_at_packages() -> PackageFacts:
    """Ask for the version of each needed package."""
    system = sys.prefix == sys.base_prefix
    marker = Path(sysconfig.get_path('stdlib')) / 'EXTERNALLY-MANAGED'
    versions = {name: _installed(name) for name in (*NEEDED, *OPTIONAL)}
    return PackageFacts(versions, sys.executable, system and marker.exists())


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def judge_packages(facts: PackageFacts) -> Finding:
    """Every package that setup.py names is there and new enough."""
    versions = facts.versions
    lacking = [name for name in NEEDED if versions[name] is None]
    old = [
        name
        for name, oldest in NEEDED.items()
        if (have := versions[name]) is not None and _numbers(have) < _numbers(oldest)
    ]
    if lacking or old:
        told = [f'{name} is not installed' for name in lacking]
        told += [f'{name} {versions[name]} is older than {NEEDED[name]}' for name in old]
        asked = ' '.join(f"'{name}>={NEEDED[name]}'" for name in (*lacking, *old))
        return wrong('; '.join(told), f'{_pip(facts)} {asked}')
    text = ', '.join(f'{name} {version}' for name, version in versions.items() if version)
    idle = {name: what for name, what in OPTIONAL.items() if versions[name] is None}
    if idle:
        told = [f'without {name}, no {what}' for name, (_, what) in idle.items()]
        asked = ' '.join(f"'{name}>={oldest}'" for name, (oldest, _) in idle.items())
        return note(f'{text}; {"; ".join(told)}', f'{_pip(facts)} {asked}')
    return ok(text)


def _pip(facts: PackageFacts) -> str:
    if facts.managed:
        return f'{facts.python} -m venv --system-site-packages ~/folk && ~/folk/bin/pip install'
    return f'{facts.python} -m pip install --upgrade'


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r'\d+', text.split('+')[0])[:3])


@dataclass(frozen=True)
class ClipFacts:
    """What importing open_clip came to."""

    torch: str | None
    torchvision: str | None
    open_clip: str | None
    error: str = ''  # why it cannot be imported


def look_at_clip() -> ClipFacts:
    """Import open_clip, as every CLIP but the shipped one does."""
    error = ''
    try:
        importlib.import_module('open_clip')
    except (ImportError, RuntimeError, AttributeError, OSError) as failure:
        error = ' '.join(f'{type(failure).__name__}: {failure}'.split())
    return ClipFacts(
        _installed('torch'), _installed('torchvision'), _installed('open_clip_torch'), error
    )


def judge_clip(facts: ClipFacts) -> Finding:
    """The text tower can be loaded: a torchvision built for another torch breaks it."""
    three = (
        f'open_clip {facts.open_clip}, torchvision {facts.torchvision or "not installed"}, '
        f'torch {facts.torch}'
    )
    if not facts.error:
        return ok(three)
    if facts.open_clip is None:
        return wrong('open_clip is not installed', 'pip install open_clip_torch')
    if 'torchvision' in facts.error or facts.torchvision is None:
        return wrong(
            f'{three}: torchvision was built for another torch ({facts.error})', _refit(facts)
        )
    return wrong(
        f'{three}: {facts.error}', 'pip install --force-reinstall open_clip_torch torchvision'
    )


def _refit(facts: ClipFacts) -> str:
    """Return the line that installs a pair of one build."""
    line = 'pip install --force-reinstall torch torchvision'
    build = (facts.torch or '').partition('+')[2]
    return f'{line}  # --index-url as for torch+{build}, to keep that build' if build else line
