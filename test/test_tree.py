"""The house rules that a file cannot see by itself: who imports whom, how long, how light."""

import ast
import importlib.util
from pathlib import Path
import subprocess
import sys

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'folk_ros'
SOURCES = sorted(PACKAGE.rglob('*.py'))
ROS_ONLY = {'rclpy', 'cyclonedds', 'rosbags'}
RECORDINGS = 'training/scenes/recordings/'  # alone may read bags
MESSAGES = {'sensor_msgs', 'std_msgs', 'visualization_msgs', 'vision_msgs', 'diagnostic_msgs'}
# Layers, lowest first; a module imports from its own layer and from lower ones.
LAYERS = (
    ('structures', 'config', 'resources', 'version', 'notices', 'process'),
    (
        'cloud*',
        'voxels',
        'instances',
        'scene_memory',
        'sharing',
        'scene_files',
        'growing_map',
        'map_tiles',
        'identity',
        'joining',
        'places',
        'recognition',
        'tracks',
        'upright',
        'query',
        'markers',
        'draw*',
        'colours',
        'transforms',
    ),
    ('student', 'text*'),
    ('pipeline', 'training'),
    ('ros', 'viewer', 'cli'),
)
MAX_LINES = 300


def imports_of(path):
    """Every module name a file imports, absolute, wherever the import stands."""
    tree = ast.parse(path.read_text(encoding='utf-8'))
    package = path.relative_to(ROOT).with_suffix('').parts[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            stem = '.'.join([*base, *([node.module] if node.module else [])])
            yield from (f'{stem}.{alias.name}' for alias in node.names)


def layer_of(part):
    for number, names in enumerate(LAYERS):
        for name in names:
            if part == name or (name.endswith('*') and part.startswith(name[:-1])):
                return number
    return None


def part_of(path):
    parts = path.relative_to(PACKAGE).with_suffix('').parts
    return '' if parts == ('__init__',) else parts[0]


def own_parts(path):
    for name in imports_of(path):
        head, _, rest = name.partition('.')
        if head == 'folk_ros' and rest and layer_of(rest.split('.')[0]) is not None:
            yield rest.split('.')[0]


def relative(path):
    return str(path.relative_to(PACKAGE))


def test_every_module_has_its_place_in_the_layers():
    parts = {part_of(path) for path in SOURCES} - {''}
    assert {part for part in parts if layer_of(part) is None} == set()


def test_imports_point_one_way():
    upward = [
        f'{relative(path)} imports {part}'
        for path in SOURCES
        if part_of(path)
        for part in own_parts(path)
        if layer_of(part) > layer_of(part_of(path))
    ]
    assert upward == []


def test_ros_does_not_know_the_command_line():
    wrong = [relative(p) for p in SOURCES if part_of(p) == 'ros' and 'cli' in set(own_parts(p))]
    assert wrong == []


def test_robots_do_not_need_the_training_half():
    wrong = [
        relative(path)
        for path in SOURCES
        if part_of(path) not in ('training', 'cli') and 'training' in set(own_parts(path))
    ]
    assert wrong == []


def reads_bags(path, name):
    return name.split('.')[0] == 'rosbags' and relative(path).startswith(RECORDINGS)


def test_ros_and_dds_libraries_and_messages_are_known_in_ros_alone():
    wrong = [
        f'{relative(path)} imports {name}'
        for path in SOURCES
        if part_of(path) != 'ros'
        for name in imports_of(path)
        if (name.split('.')[0] in ROS_ONLY | MESSAGES and not reads_bags(path, name))
        or name.startswith(('folk_ros.msg', 'folk_ros.srv'))
    ]
    assert wrong == []


def test_open_clip_is_known_in_text_and_teacher_alone():
    allowed = ('text.py', 'training/teacher/', 'training/demo_clip/')  # the tower it is made of
    wrong = [
        relative(path)
        for path in SOURCES
        if any(name.split('.')[0] == 'open_clip' for name in imports_of(path))
        and not relative(path).startswith(allowed)
    ]
    assert wrong == []


def imported_at_the_top(path):
    for node in ast.parse(path.read_text(encoding='utf-8')).body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.name.split('.')[0] for alias in node.names)
            yield (getattr(node, 'module', None) or '').split('.')[0]


def test_open_clip_is_imported_inside_functions():
    assert [relative(p) for p in SOURCES if 'open_clip' in imported_at_the_top(p)] == []


def test_training_imports_rosbags_inside_functions():
    training = sorted((PACKAGE / 'training').rglob('*.py'))
    assert [relative(p) for p in training if 'rosbags' in imported_at_the_top(p)] == []


def test_sparse_libraries_are_known_in_one_file_each():
    for library in ('MinkowskiEngine', 'spconv'):
        users = [
            relative(path)
            for path in SOURCES
            if any(name.split('.')[0] == library for name in imports_of(path))
        ]
        assert len(users) <= 1, f'{library}: {users}'
        assert all(user.startswith('student/') for user in users)


@pytest.mark.parametrize(('one', 'other'), [('distill', 'teacher'), ('evaluate', 'student')])
def test_offline_parts_meet_in_files_alone(one, other):
    wrong = [
        f'{relative(path)} imports {name}'
        for path in sorted((PACKAGE / 'training' / one).rglob('*.py'))
        for name in imports_of(path)
        if name.startswith((f'folk_ros.training.{other}', f'folk_ros.{other}'))
    ]
    assert wrong == []


def test_nobody_prints_but_the_command_line():
    wrong = [
        f'{relative(path)}:{node.lineno}'
        for path in SOURCES
        if part_of(path) != 'cli'
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8')))
        if isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'print'
    ]
    assert wrong == []


def test_files_stay_short():
    long = {
        str(path.relative_to(ROOT)): count
        for path in (*SOURCES, *sorted((ROOT / 'test').rglob('*.py')))
        if (count := len(path.read_text(encoding='utf-8').splitlines())) > MAX_LINES
    }
    assert long == {}


def test_nothing_is_unpickled():
    wrong = [
        f'{relative(path)} imports {name}'
        for path in SOURCES
        for name in imports_of(path)
        if name.split('.')[0] in {'pickle', 'dill', 'joblib', 'shelve'}
    ]
    assert wrong == []


def loaded_by(statement):
    """Names of the top-level modules in a fresh interpreter after a statement."""
    code = f'{statement}\nimport sys\nprint(*sorted({{m.split(".")[0] for m in sys.modules}}))'
    result = subprocess.run(
        [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


def test_importing_the_package_loads_nothing_heavy():
    assert not loaded_by('import folk_ros') & {'numpy', 'torch', *ROS_ONLY, 'open_clip'}


def test_the_command_line_is_ready_before_anything_heavy_is_loaded():
    loaded = loaded_by('from folk_ros.cli.main import build_parser; build_parser()')
    assert not loaded & {'numpy', 'torch', 'matplotlib', *ROS_ONLY, 'open_clip'}


def modules_of_layers(numbers):
    return [
        '.'.join(path.relative_to(ROOT).with_suffix('').parts)
        for path in SOURCES
        if part_of(path) and path.stem != '__init__' and layer_of(part_of(path)) in numbers
    ]


def test_the_numpy_steps_do_not_load_torch():
    modules = modules_of_layers({0, 1})
    assert 'folk_ros.voxels' in modules
    assert 'torch' not in loaded_by('import ' + ', '.join(modules))


def test_the_public_core_knows_neither_ros_nor_open_clip():
    modules = [name for name in modules_of_layers({0, 1, 2, 3}) if '.training' not in name]
    if importlib.util.find_spec('triton') is None:  # comes with torch's builds for CUDA alone
        modules.remove('folk_ros.student.engines.triton_kernels')
    assert 'folk_ros.pipeline' in modules
    loaded = loaded_by('import ' + ', '.join(modules))
    assert not loaded & {*ROS_ONLY, *MESSAGES, 'open_clip', 'transformers', 'matplotlib'}
