"""Commands in README and docs: each is one that the program understands today."""

import argparse
import ast
import importlib.util
from pathlib import Path
import re
import shlex

import pytest

from folk_ros.cli.main import build_parser

ROOT = Path(__file__).resolve().parents[1]
WRITTEN = ('api.md', 'results.md')  # by the program itself
GUIDES = [page for page in sorted((ROOT / 'docs').glob('*.md')) if page.name not in WRITTEN]
PAGES = [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *GUIDES]
LINKS = re.compile(r'\]\(([^)#:]+)\)')  # to files of this repository
INLINE = re.compile(r'`(folk [a-z][^`…]*)`')
PROGRAM = ('folk_ros', 'msg', 'srv', 'launch', 'config', 'docs', 'resource')
OF_OTHERS = re.compile(
    r'/rtabmap|/nvblox|/cloud_registered|/map_cloud|laion2b|Grid/|'
    r'cloud_output_voxelized|mask_file label_id'
)


def lines_of(page):
    """Every command line of the page's ```bash blocks, continued lines joined."""
    for block in re.findall(r'```bash\n(.*?)```', page.read_text(encoding='utf-8'), re.S):
        for line in re.sub(r'\s+#.*', '', block.replace('\\\n', ' ')).splitlines():
            yield from (part.strip() for part in re.split(r'&&|;(?= )', line))


def commands(kind):
    found = []
    for page in PAGES:
        lines = list(lines_of(page))
        if kind == 'folk':
            for line in INLINE.findall(page.read_text(encoding='utf-8')):
                lines += line.split(' && ')
        found += [pytest.param(line, id=f'{page.name}: {line[:60]}') for line in lines]
    return [param for param in found if param.values[0].startswith(f'{kind} ')]


def words(line):
    return shlex.split(line, comments=True)


def choices(parser):
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return action.choices
    return {}


def parser_of(line):
    """The parser of the innermost subcommand that a line names, and the words left for it."""
    parser, rest = build_parser(), words(line)[1:]
    while rest and rest[0] in choices(parser):
        parser, rest = choices(parser)[rest[0]], rest[1:]
    return parser, rest


@pytest.mark.parametrize('line', commands('folk'))
def test_the_command_exists_with_these_options(line):
    parser, rest = parser_of(line)
    assert parser.prog != 'folk', f'{line}: no such command'
    known = {option for action in parser._actions for option in action.option_strings}
    asked = {word.split('=')[0] for word in rest if word.startswith('--')}
    assert asked <= known, f'{line}: does not know {asked - known}'


@pytest.mark.parametrize(
    'line', [p for p in commands('folk') if '--' in p.values[0] and '…' not in p.values[0]]
)
def test_a_full_example_is_accepted(line):
    if re.search(r'DIR|FILE|COMMAND|--help', line):
        pytest.skip('shows a form, not an example')
    build_parser().parse_args(words(line)[1:])


def launch_arguments(name):
    """The names of the arguments that a launch file declares, read without ROS."""
    tree = ast.parse((ROOT / 'launch' / name).read_text(encoding='utf-8'))
    for node in tree.body:
        if isinstance(node, ast.Assign) and node.targets[0].id == 'ARGUMENTS':
            return {entry.elts[0].value for entry in node.value.elts}
    raise AssertionError(f'{name} has no ARGUMENTS')


@pytest.mark.parametrize('line', commands('ros2'))
def test_launch_lines_name_arguments_that_exist(line):
    parts = words(line)
    if parts[1] != 'launch':
        pytest.skip('no launch line')
    given = {part.split(':=')[0] for part in parts[4:] if ':=' in part}
    assert given <= launch_arguments(parts[3])


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    broken = [
        link
        for link in LINKS.findall(page.read_text(encoding='utf-8'))
        if not (page.parent / link).exists()
    ]
    assert broken == []


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page):
    named = re.findall(
        r'`((?:folk_ros|test|launch|config|docs|resource|docker)/[\w/.*-]+)`', page.read_text()
    )
    files = [name for name in named if not re.match(r'folk_ros/(msg|srv)/', name)]  # ROS types
    assert [name for name in files if not list(ROOT.glob(name.rstrip('/')))] == []


@pytest.fixture(scope='module')
def known():
    """Every word of the program's source, of its messages and settings, and of file names."""
    ends = {'.py', '.msg', '.srv', '.yaml', '.xml', '.json'}
    files = [p for top in PROGRAM for p in (ROOT / top, *(ROOT / top).rglob('*'))]
    texts = [p.read_text(encoding='utf-8') for p in files if p.suffix in ends]
    texts += [(ROOT / name).read_text(encoding='utf-8') for name in ('setup.py', 'package.xml')]
    stems = {p.stem for p in (*files, *(ROOT / 'test').rglob('*.py'))}
    return stems.union(*(re.findall(r'\w+', text) for text in texts))


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_names_in_code_are_those_of_the_program(page, known):
    prose = re.sub(r'```.*?```', '', page.read_text(encoding='utf-8'), flags=re.S)
    spans = [span for span in re.findall(r'`([^`\n]+)`', prose) if not OF_OTHERS.search(span)]
    named = {word for span in spans for word in re.findall(r'[A-Za-z_]\w*', span)}
    coined = {word for word in named if re.search(r'\w_\w|[a-z][A-Z]', word)}
    assert coined - known == set()


def test_the_table_of_the_readme_lists_what_the_node_offers():
    readme = (ROOT / 'README.md').read_text(encoding='utf-8')
    table = re.search(r'## What the node offers\n(.*?)\n## ', readme, re.S).group(1)
    sources = [path.read_text(encoding='utf-8') for path in (ROOT / 'folk_ros/ros').glob('*.py')]
    offered = {name for text in sources for name in re.findall(r"'~/(\w+)'", text)}
    assert len(offered) > 5
    assert set(re.findall(r'`/folk/(\w+)`', table)) == offered


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / 'docs' / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_figures_of_the_shipped_student_are_those_of_the_results():
    readme_rows = script('readme_rows')
    readme = (ROOT / 'README.md').read_text(encoding='utf-8')
    assert len(list(readme_rows.rows())) >= 2
    assert readme == readme_rows.updated(readme), 'stale: python docs/readme_rows.py'


def test_the_page_of_the_api_is_what_the_docstrings_say():
    make_api = script('make_api')
    stored = make_api.PAGE.read_text(encoding='utf-8')
    assert stored == make_api.page().rstrip() + '\n', 'stale: python docs/make_api.py'
    assert '**`segment(cloud: PointCloud) -> Instances`**' in stored


def test_the_tree_of_the_readme_is_the_tree():
    readme = (ROOT / 'README.md').read_text(encoding='utf-8')
    block = re.search(r'## The tree.*?```\n(.*?)```', readme, re.S).group(1)
    lost = []
    for line in block.splitlines():
        names, caption = re.split(r' {2,}', line, maxsplit=1)
        assert caption
        first, *others = names.split()
        folder = '' if first.endswith('/') else f'{Path(first).parent}/'
        lost += [
            name for name in (first, *(folder + n for n in others)) if not any(ROOT.glob(name))
        ]
    assert lost == []
    told = {path for line in block.splitlines() for name in line.split()
            for path in ROOT.glob(name if '/' in name else f'folk_ros/{name}')}  # fmt: skip
    aside = set(re.findall(r'\w+', block))  # modules that a caption names
    top = {path for path in ROOT.glob('folk_ros/*.py') if path.stem not in {'__init__', *aside}}
    assert top <= told
