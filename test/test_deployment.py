"""Containers, the public workflow, pre-commit and RViz: files that run elsewhere, read here."""

import ast
from pathlib import Path
import re
import xml.etree.ElementTree as ElementTree

import pytest
from test_docs import launch_arguments, words
import yaml

ROOT = Path(__file__).resolve().parents[1]
DISTRIBUTIONS = ('humble', 'jazzy')
INSTALLS = (
    'README.md',
    'docs/your_robot.md',
    'docker/Dockerfile.humble',
    'docker/Dockerfile.jazzy',
    '.github/workflows/ci.yml',
)
FROM_APT = {'PyYAML'}  # python3-yaml of package.xml
SHOWN_BY = {  # display of RViz: message it shows
    'PointCloud2': 'sensor_msgs/msg/PointCloud2',
    'MarkerArray': 'visualization_msgs/msg/MarkerArray',
}


def instructions(distribution):
    """The instructions of a Dockerfile in their order, each on one line."""
    text = (ROOT / 'docker' / f'Dockerfile.{distribution}').read_text(encoding='utf-8')
    lines = [line for line in text.splitlines() if line and not line.startswith('#')]
    joined = re.sub(r'\\\n\s*', '', '\n'.join(lines)).splitlines()
    return [tuple(line.split(' ', 1)) for line in joined]


def needed_at_run_time():
    tree = ast.parse((ROOT / 'setup.py').read_text(encoding='utf-8'))
    call = next(
        n for n in ast.walk(tree) if getattr(getattr(n, 'func', None), 'id', '') == 'setup'
    )
    listed = next(k.value for k in call.keywords if k.arg == 'install_requires')
    return {re.split('[>=]', ast.literal_eval(item))[0] for item in listed.elts} - FROM_APT


def manifest_keys():
    root = ElementTree.parse(ROOT / 'package.xml').getroot()
    return {element.text for element in root if element.tag.endswith('depend')}


@pytest.mark.parametrize('page', INSTALLS)
def test_every_environment_beside_colcon_has_what_setup_asks_for(page):
    text = (ROOT / page).read_text(encoding='utf-8').replace('\\\n', ' ')
    lines = [line for line in text.splitlines() if re.search(r'pip"? install.*torch', line)]
    assert lines
    for line in lines:
        assert needed_at_run_time() <= set(re.findall(r'\w+', line.replace('-', '_')))


@pytest.mark.parametrize('distribution', DISTRIBUTIONS)
def test_an_image_is_made_from_its_distribution_and_packages_of_the_manifest(distribution):
    steps = instructions(distribution)
    assert steps[0] == ('FROM', f'ros:{distribution}-ros-base')
    text = ' '.join(rest for _, rest in steps)
    packages = re.findall(r'\bros-(\w+)-([\w-]+)', text)
    assert {name for name, _ in packages} == {distribution}
    keys = {package.replace('-', '_') for _, package in packages}
    assert keys - manifest_keys() == {'rmw_cyclonedds_cpp'}
    assert f'/opt/ros/{distribution}/setup.sh' in text


@pytest.mark.parametrize('distribution', DISTRIBUTIONS)
def test_an_image_copies_what_is_there_and_starts_what_there_is(distribution):
    steps = instructions(distribution)
    copied = [rest.split()[0] for step, rest in steps if step == 'COPY']
    assert copied and all((ROOT / path).exists() for path in copied)
    (entry,) = [yaml.safe_load(rest) for step, rest in steps if step == 'ENTRYPOINT']
    assert any(rest == f'docker/entrypoint.sh {entry[0]}' for _, rest in steps)
    (command,) = [yaml.safe_load(rest) for step, rest in steps if step == 'CMD']
    assert command[:3] == ['ros2', 'launch', 'folk_ros']
    given = dict(part.split(':=') for part in command[4:])
    assert set(given) <= launch_arguments(command[3])
    assert any(f'venv --system-site-packages {given["python_env"]}' in rest for _, rest in steps)


@pytest.mark.parametrize('distribution', DISTRIBUTIONS)
def test_the_first_lines_of_an_image_say_how_to_build_and_start_it(distribution):
    text = (ROOT / 'docker' / f'Dockerfile.{distribution}').read_text(encoding='utf-8')
    said = [line[2:].strip() for line in text.splitlines() if line.startswith('#')]
    (build,) = [words(line) for line in said if line.startswith('docker build')]
    assert (ROOT / build[build.index('-f') + 1]).name == f'Dockerfile.{distribution}'
    assert any(build[build.index('-t') + 1] in line for line in said if 'docker run' in line)


def test_images_differ_by_their_distribution_alone():
    humble, jazzy = (
        (ROOT / 'docker' / f'Dockerfile.{name}').read_text(encoding='utf-8').lower()
        for name in DISTRIBUTIONS
    )
    assert humble.replace('humble', 'jazzy') == jazzy


def test_the_public_workflow_runs_the_checks_and_the_tests_of_the_ros_half():
    workflow = yaml.safe_load((ROOT / '.github/workflows/ci.yml').read_text(encoding='utf-8'))
    plain, ros = workflow['jobs']['plain'], workflow['jobs']['ros']
    classifiers = re.findall(r'minor in \(([\d, ]+)\)', (ROOT / 'setup.py').read_text())[0]
    assert plain['strategy']['matrix']['python'] == [f'3.{m}' for m in classifiers.split(', ')]
    assert any(step.get('run') == 'bash .ci/run' for step in plain['steps'])
    assert ros['strategy']['matrix']['distribution'] == ['humble', 'jazzy', 'rolling']
    (tests,) = [step['run'] for step in ros['steps'] if step.get('name') == 'test']
    named = [word for word in words(tests.splitlines()[-1]) if word.startswith('test/')]
    assert 'test/ros' in named and all((ROOT / path).exists() for path in named)


def test_pre_commit_runs_the_linters_of_the_checks():
    hooks = yaml.safe_load((ROOT / '.pre-commit-config.yaml').read_text(encoding='utf-8'))
    entries = [hook['entry'] for repo in hooks['repos'] for hook in repo['hooks']]
    checks = (ROOT / '.ci' / 'run').read_text(encoding='utf-8')
    assert len(entries) == 3
    for entry in entries:
        assert entry.replace(' --force-exclude', '') in checks


def test_issue_forms_are_such_and_ask_for_what_helps():
    for path in (ROOT / '.github' / 'ISSUE_TEMPLATE').glob('*.yml'):
        form = yaml.safe_load(path.read_text(encoding='utf-8'))
        if path.name != 'config.yml':
            assert form['name'] and form['description']
            assert all(part['attributes']['label'] for part in form['body'])


def test_displays_of_rviz_show_the_types_that_are_published():
    config = yaml.safe_load((ROOT / 'config' / 'folk.rviz').read_text(encoding='utf-8'))
    displays = config['Visualization Manager']['Displays']
    source = (ROOT / 'folk_ros' / 'ros' / 'outputs.py').read_text(encoding='utf-8')
    published = {
        topic: kind for kind, topic in re.findall(r"latched\('(\S+)', '~/(\S+)'\)", source)
    }
    own = [d for d in displays if d.get('Topic', {}).get('Value', '').startswith('/folk/')]
    assert len(own) == 2
    for display in own:
        topic = display['Topic']['Value'].removeprefix('/folk/')
        assert SHOWN_BY[display['Class'].split('/')[1]] == published[topic]
