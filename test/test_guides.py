"""
The guides, walked line by line as a reader would, with little of everything.

Each command of README and docs is run here, or stands in ELSEWHERE with what runs it instead.
"""

import re

import pytest
from test_docs import lines_of, PAGES, words

from folk_ros.cli.main import main

ELSEWHERE = (  # pattern, and why it is not run here
    (r'pip install|python3 -m venv|^ruff|^mypy|^pytest', '.ci/run installs and checks so'),
    (r'^cd |^git |^colcon|^source ', 'the workflow for ROS 2 builds so'),
    (r'^ros2 ', 'needs ROS 2: test/ros/launch, test/ros/test_under_ros.py'),
    (r'^folk (demo|node|play|query) (?!--scene)', 'DDS: test/cli/test_dds_commands.py'),
    (r'^folk demo$', 'the same; .ci/run starts it from the wheel'),
    (r'^folk soak', 'ill-treats a node over DDS: test/cli/test_soak.py'),
    (r'^folk doctor', 'looks at the machine: test/cli/test_doctor_command.py'),
    (r'import (scannet200|replica|osd) ', 'needs the data: test/cli/test_scenes_import.py'),
    (r'--format scannet200', 'needs the data: test/cli/test_evaluate_command.py'),
    (r'weights import', 'needs a checkpoint: test/cli/test_weights_foreign.py'),
    (r'cuda', 'needs a GPU'),
    (r'--clip ViT', 'needs a CLIP from the model hub'),
    (r'--confidence one', 'ends the guide that needs ScanNet: test/cli/test_evaluate_command.py'),
    (r'--preset tabletop', 'needs scans: test/training/masks'),
    (r'^folk scenes stats scenes$', 'needs ScanNet there; run in another guide'),
)
SMALL = (  # what is put in place of what takes long
    (r'--train 40 --val 8', '--train 1 --val 1 --views 6'),
    (r'^(folk train-masks .*)', r'\1 --steps 2'),
    (r'^(folk distill .*)', r'\1 --steps 5'),
    (r' --view$', ''),  # waits for Ctrl-C: test/viewer
    (r' --workers 2', ''),
)
WALKS = ('scenes_and_scores.md', 'your_building.md', 'train_masks.md', 'README.md')


def commands(page):
    return [' '.join(line.split()) for line in lines_of(page) if line]


def elsewhere(line):
    return any(re.search(pattern, line) for pattern, _ in ELSEWHERE)


def small(line):
    for pattern, instead in SMALL:
        line = re.sub(pattern, instead, line)
    return line


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_every_command_is_walked_or_run_elsewhere(page):
    left = [line for line in commands(page) if not elsewhere(line)]
    if page.name not in WALKS:
        assert left == []
    assert [line for line in left if not line.startswith('folk ')] == []


def test_nothing_is_excused_that_no_page_says():
    lines = [line for page in PAGES for line in commands(page)]
    idle = [p for p, _ in ELSEWHERE if not any(re.search(p, line) for line in lines)]
    assert idle == []


@pytest.fixture(scope='module')
def home(tmp_path_factory):
    """A folder with what a reader brings along: rooms, a cloud, a scan, a recording, names."""
    from bag_of_room import write_bag_of_room

    from folk_ros.cloud_files import write_ply
    from folk_ros.training.scenes.scene import load_scene

    folder = tmp_path_factory.mktemp('home')
    few = ('--train', '1', '--val', '1', '--unlabelled', '1', '--views', '6')
    assert main(['scenes', 'rooms', '--out', str(folder / 'rooms'), *few]) == 0
    scene = load_scene(folder / 'rooms' / 'unlabelled_00000')
    write_bag_of_room(folder / 'my_bag', scene.views)
    write_ply(scene.cloud, folder / 'room.ply')
    write_pcd(folder / 'scan.pcd', scene.cloud.xyz[::10])
    (folder / 'names.txt').write_text('chair\ntable\nbed\nlamp\n')
    return folder


def write_pcd(path, xyz):
    head = 'FIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\n'
    head += f'WIDTH {len(xyz)}\nHEIGHT 1\nPOINTS {len(xyz)}\nDATA ascii\n'
    path.write_text(head + ''.join(f'{x:.4f} {y:.4f} {z:.4f}\n' for x, y, z in xyz))


def examples():
    """Every block of Python in the pages."""
    for page in PAGES:
        blocks = re.findall(r'```python\n(.*?)```', page.read_text(encoding='utf-8'), re.S)
        yield from (pytest.param(block, id=page.name) for block in blocks)


@pytest.mark.slow
@pytest.mark.parametrize('block', list(examples()))
def test_an_example_in_python_runs_and_prints(block, home, monkeypatch, capsys):
    monkeypatch.chdir(home)
    exec(compile(block, 'example', 'exec'), {})
    assert 'Match(' in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize('name', WALKS)
def test_a_reader_who_types_every_line_gets_through(name, home, monkeypatch, capsys):
    monkeypatch.chdir(home)
    page = next(page for page in PAGES if page.name == name)
    for line in commands(page):
        if not elsewhere(line):
            assert main(words(small(line))[1:]) == 0, f'{line}: {capsys.readouterr().err}'
