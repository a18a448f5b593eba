"""What computes: torch and its CUDA build, the driver, the engines of sparse convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
import platform
import re
import warnings

from folk_ros.cli.doctoring.finding import Finding, note, ok, wrong

# Oldest Linux driver for each CUDA, by NVIDIA's table of minor-version compatibility.
OLDEST_DRIVER = {11: (450, 80), 12: (525, 60), 13: (580, 65)}
REINSTALL = 'pip install --force-reinstall torch torchvision'


@dataclass(frozen=True)
class TorchFacts:
    """What torch says of itself and of the GPU, and what the system says."""

    version: str
    cuda: str | None = None  # CUDA version that torch was built for
    available: bool = False
    device: str = ''  # name of the GPU that torch sees
    capability: tuple[int, int] = (0, 0)
    built_for: tuple[str, ...] = ()  # 'sm_90', 'compute_90', ...
    driver: str = ''  # version of the NVIDIA driver, '' if there is none
    jetson: bool = False
    machine: str = 'x86_64'
    error: str = ''  # what torch warned of when it looked for CUDA


def look_at_torch() -> TorchFacts:
    """Ask torch and the system for GPUs."""
    import torch

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter('always')
        available = torch.cuda.is_available()
    seen = available and torch.cuda.device_count() > 0
    return TorchFacts(
        version=torch.__version__,
        cuda=torch.version.cuda,
        available=available,
        device=torch.cuda.get_device_name(0) if seen else '',
        capability=torch.cuda.get_device_capability(0) if seen else (0, 0),
        built_for=tuple(torch.cuda.get_arch_list()) if seen else (),
        driver=driver_version(),
        jetson=Path('/etc/nv_tegra_release').exists(),
        machine=platform.machine(),
        error=' '.join(str(heard[0].message).split()) if heard else '',
    )


def driver_version(told: Path = Path('/proc/driver/nvidia/version')) -> str:
    """Return the version of the loaded NVIDIA driver, '' if there is none."""
    try:
        lines = told.read_text(encoding='utf-8')
    except OSError:
        return ''
    found = re.search(r'Kernel Module(?: for \S+)?\s+(\d+(?:\.\d+)+)', lines)
    return found.group(1) if found else 'unknown'


def judge_torch(facts: TorchFacts) -> Finding:
    """Where there is a GPU, torch computes on it."""
    if facts.available:
        return _judge_gpu(facts)
    text = f'{facts.version} on the CPU ({facts.machine})'
    if not facts.driver and not facts.jetson:
        return ok(f'{text}; there is no NVIDIA driver')
    if facts.cuda is None:
        if facts.jetson:
            return wrong(
                f'{text}: a build without CUDA on a Jetson; take the wheel that NVIDIA made for '
                'this JetPack',
                'pip install --force-reinstall ./torch-*-linux_aarch64.whl',
            )
        return wrong(f'{text}: a build without CUDA, beside a GPU', REINSTALL)
    oldest = OLDEST_DRIVER.get(int(facts.cuda.split('.')[0]))
    if oldest and facts.driver and _numbers(facts.driver) < oldest:
        return wrong(
            f'{text}: made for CUDA {facts.cuda}, which needs driver '
            f'{".".join(map(str, oldest))}; this one is {facts.driver}',
            'sudo ubuntu-drivers install && sudo reboot',
        )
    why = f' ({facts.error})' if facts.error else ''
    return wrong(
        f'{text}: made for CUDA {facts.cuda}, driver {facts.driver or "unknown"}, but torch sees '
        f'no GPU{why}; in a container it must be let in',
        'docker run --gpus all …',
    )


def _judge_gpu(facts: TorchFacts) -> Finding:
    text = (
        f'{facts.version}, CUDA {facts.cuda}, driver {facts.driver or "unknown"}, {facts.device}'
    )
    major, minor = facts.capability
    known = {name.split('_')[-1].rstrip('af') for name in facts.built_for}
    same_major = any(
        number.isdecimal() and int(number) // 10 == major and int(number) % 10 <= minor
        for number in known
    )
    compiled = any(
        name.startswith('compute_') and int(name[8:].rstrip('af')) <= 10 * major + minor
        for name in facts.built_for
    )
    if facts.built_for and not same_major and not compiled:
        return wrong(
            f'{text}: torch was not built for this GPU (sm_{major}{minor}; it has '
            f'{", ".join(facts.built_for)})',
            REINSTALL,
        )
    return ok(text)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r'\d+', version))


@dataclass(frozen=True)
class EngineFacts:
    """What each engine says of this machine."""

    device: str
    chosen: str
    why: str
    trouble: dict[str, str]  # name to why it cannot be used; '' where it can


def look_at_engines() -> EngineFacts:
    """Let every engine check itself here, and `auto` choose."""
    from folk_ros.pipeline import choose_device
    from folk_ros.student.engines import choose

    device = choose_device('auto')
    trouble = {}
    for name in choose.NAMES:
        engine = choose.make_engine(name)
        trouble[name] = engine.problem(device) or choose.wrong_numbers(engine, device) or ''
    choice = choose.choose_engine(choose.AUTO, device)
    return EngineFacts(str(device), choice.engine.name, choice.why, trouble)


def judge_engines(facts: EngineFacts) -> Finding:
    """The engine that is taken computes right; say why others are not there."""
    able = [name for name, trouble in facts.trouble.items() if not trouble]
    refused = [
        f'{name}: {trouble.split(";")[0]}' for name, trouble in facts.trouble.items() if trouble
    ]
    if facts.chosen not in able:
        return wrong(
            f'{facts.chosen} on {facts.device} fails its own check: {"; ".join(refused)}',
            REINSTALL,
        )
    text = f'{facts.chosen} on {facts.device}, {facts.why}; checked: {", ".join(able)}'
    failed = [line for line in refused if 'self-check' in line]
    if failed:
        return note(f'{text}; not used: {"; ".join(failed)}')
    return ok(f'{text}; not here: {"; ".join(refused)}' if refused else text)
