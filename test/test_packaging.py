"""What pip installs is whole: the package is found, and so are the files that come with it."""

import ast
from importlib.metadata import distribution, PackageNotFoundError
from pathlib import Path
import re
import shutil
import subprocess
import sys

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = (
    'package.xml',
    'msg/Instance.msg',
    'msg/InstanceArray.msg',
    'srv/Query.srv',
    'launch/segment.launch.py',
    'config/folk.yaml',
    'config/folk.rviz',
    'resource/models/demo_clip/text_tower.safetensors',
)
FIND = """
import sys
sys.path[:0] = sys.argv[1:2]
import folk_ros
from folk_ros.resources import find_file
print(folk_ros.__file__)
for name in sys.argv[2:]:
    print(find_file(name).resolve())
"""


def run(*command, cwd):
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp('wheel')
    source = folder / 'source'
    hidden = shutil.ignore_patterns(
        '.*', '__pycache__', '*.egg-info', 'build', 'runs', 'folk_demo'
    )
    shutil.copytree(ROOT, source, ignore=hidden)
    pip = (sys.executable, '-m', 'pip', '--disable-pip-version-check')
    run(*pip, 'wheel', '--no-deps', '--wheel-dir', folder, source, cwd=folder)
    return next(folder.glob('folk_ros-*.whl'))


def check_finds_its_files(python, first_on_path, place, cwd):
    found = run(python, '-c', FIND, first_on_path, *SHIPPED, cwd=cwd).splitlines()
    assert len(found) == 1 + len(SHIPPED)
    assert all(Path(path).is_relative_to(place.resolve()) for path in found)


def test_the_source_tree_finds_its_files(tmp_path):
    check_finds_its_files(sys.executable, ROOT, ROOT, tmp_path)


@pytest.mark.slow
def test_a_wheel_installed_to_a_folder_finds_its_files(wheel, tmp_path):
    target = tmp_path / 'target'
    run(
        sys.executable,
        '-m',
        'pip',
        'install',
        '--no-deps',
        '--target',
        target,
        wheel,
        cwd=tmp_path,
    )
    check_finds_its_files(sys.executable, target, target, tmp_path)


@pytest.mark.slow
def test_a_wheel_in_a_virtual_environment_finds_its_files_and_has_its_command(wheel, tmp_path):
    place = tmp_path / 'venv'
    run(sys.executable, '-m', 'venv', place, cwd=tmp_path)
    run(place / 'bin' / 'pip', 'install', '--no-deps', wheel, cwd=tmp_path)
    check_finds_its_files(place / 'bin' / 'python', '', place, tmp_path)
    assert 'folk_ros 0.1.0' in run(place / 'bin' / 'folk', '--version', cwd=tmp_path)


@pytest.mark.slow
def test_a_wheel_holds_what_the_source_tree_ships(wheel, tmp_path):
    shutil.unpack_archive(wheel, tmp_path / 'wheel', 'zip')
    share = next((tmp_path / 'wheel').glob('*.data/data/share/folk_ros'))
    for top in ('msg', 'srv', 'launch', 'config', 'resource'):
        for path in (ROOT / top).rglob('*'):
            hidden = any(part.startswith(('.', '__')) for part in path.parts[-2:])
            if path.is_file() and not hidden:
                assert (share / path.relative_to(ROOT)).is_file(), path
    for path in (ROOT / 'folk_ros').rglob('*.*'):  # sources, the page of the viewer, py.typed
        if path.suffix not in ('.pyc', '.pyo'):
            assert (tmp_path / 'wheel' / path.relative_to(ROOT)).is_file(), path


def asked_by_setup():
    """The requirements of setup.py, extras and all, without their versions."""
    tree = ast.parse((ROOT / 'setup.py').read_text(encoding='utf-8'))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    asked = [text for text in texts if re.match(r'\w+(\[\w+\])?(>=|==)\d', str(text))]
    return {re.split(r'[>=\[]', text)[0] for text in asked}


def normal(name):
    return re.sub(r'[-_.]+', '-', name).lower()


def with_what_they_need(names):
    """Installed distributions by name: those named, and all that they install in their turn."""
    found, waiting = {}, list(names)
    while waiting:
        name = normal(waiting.pop())
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:  # an extra that is not asked for here
            continue
        plain = [line for line in found[name].requires or [] if 'extra ==' not in line]
        waiting += [re.match(r'[\w.-]+', line).group() for line in plain]
    return found


def licence_of(package):
    told = [package.metadata.get('License-Expression') or '']
    told += (package.metadata.get('License') or '').splitlines()[:1]  # some hold the whole text
    return ' '.join(
        [*told, *(c for c in package.metadata.get_all('Classifier') or [] if 'Lic' in c)]
    )


def test_every_package_asked_for_stands_in_the_list_of_licences():
    page = (ROOT / 'docs' / 'licences.md').read_text(encoding='utf-8')
    assert {name for name in asked_by_setup() if f'{name}' not in page} == set()
    assert len(asked_by_setup()) > 10


def test_nothing_that_is_installed_with_it_is_under_the_gpl():
    packages = with_what_they_need(asked_by_setup())
    assert 'torch' in packages
    wrong = {
        name: licence_of(package)
        for name, package in packages.items()
        if re.search(r'\bA?GPL|General Public|Affero', licence_of(package))
    }
    assert wrong == {}


def test_nothing_is_held_back_but_for_a_reason():
    lines = (ROOT / 'setup.py').read_text(encoding='utf-8').splitlines()
    held = [line for line in lines if re.search(r"'\w+[^']*(==|<)[^']*'", line)]
    assert held
    assert [line for line in held if '#' not in line] == []
