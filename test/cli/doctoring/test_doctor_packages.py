import ast
from dataclasses import replace
from pathlib import Path

import pytest

from folk_ros.cli.doctoring.packages import (
    ClipFacts,
    judge_clip,
    judge_packages,
    judge_python,
    look_at_packages,
    NEEDED,
    OPTIONAL,
    PackageFacts,
    PythonFacts,
)

ROOT = Path(__file__).resolve().parents[3]
FITTING = ClipFacts('2.15.0', '0.29.2', '3.3.0')
NMS = 'RuntimeError: operator torchvision::nms does not exist'


@pytest.mark.parametrize(
    ('version', 'state'),
    [((3, 9, 9), 'wrong'), ((3, 10, 0), 'ok'), ((3, 13, 2), 'ok'), ((3, 14, 0), 'note')],
)
def test_python_is_judged_by_what_was_tried(version, state):
    finding = judge_python(PythonFacts(version, '/usr/bin/python3'))
    assert finding.state == state
    assert '.'.join(map(str, version)) in finding.found
    assert bool(finding.mend) == (state == 'wrong')


def test_a_32_bit_python_is_wrong():
    assert judge_python(PythonFacts((3, 11, 2), 'python3', bits=32)).state == 'wrong'


def test_what_is_installed_here_is_enough():
    assert judge_packages(look_at_packages()).state == 'ok'


def having(managed=False, **changed):
    optional = {name: oldest for name, (oldest, _) in OPTIONAL.items()}
    return PackageFacts({**NEEDED, **optional, **changed}, 'python3', managed)


def test_what_only_some_commands_need_is_a_note():
    finding = judge_packages(having(matplotlib=None, pillow=None))
    assert finding.state == 'note'
    assert 'no pictures' in finding.found
    assert finding.mend.endswith("pip install --upgrade 'matplotlib>=3.7' 'pillow>=9.1'")


def test_a_package_that_is_missing_is_installed_by_the_line_and_no_other():
    finding = judge_packages(having(transformers=None))
    assert finding.state == 'wrong'
    assert finding.mend == "python3 -m pip install --upgrade 'transformers>=4.40'"


def test_where_the_system_forbids_pip_the_line_makes_an_environment():
    finding = judge_packages(having(managed=True, torch=None))
    assert finding.mend.startswith('python3 -m venv --system-site-packages ~/folk && ')
    assert finding.mend.endswith("pip install 'torch>=2.1'")


@pytest.mark.parametrize('have', ['1.24.4', '1.9', '0.99'])
def test_a_package_that_is_too_old_is_upgraded(have):
    finding = judge_packages(having(numpy=have))
    assert (finding.state, 'numpy>=1.26' in finding.mend) == ('wrong', True)
    assert have in finding.found


@pytest.mark.parametrize('have', ['1.26.4', '2.4.6', '1.26'])
def test_versions_are_compared_as_numbers(have):
    assert judge_packages(having(numpy=have)).state == 'ok'


def test_a_local_build_is_as_new_as_its_number():
    assert judge_packages(having(torch='2.13.0+cpu')).state == 'ok'


def test_what_is_asked_is_what_setup_asks():
    tree = ast.parse((ROOT / 'setup.py').read_text(encoding='utf-8'))
    asked = next(
        ast.literal_eval(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg == 'install_requires'
    )
    assert set(asked) == {f'{name}>={oldest}' for name, oldest in NEEDED.items()}
    setup = ast.unparse(tree)
    assert [
        name for name, (oldest, _) in OPTIONAL.items() if f'{name}>={oldest}' not in setup
    ] == []


def test_three_that_fit_are_fine():
    assert judge_clip(FITTING).state == 'ok'


def test_a_torchvision_of_another_build_is_told_from_other_failures():
    finding = judge_clip(replace(FITTING, torch='2.13.0+cpu', error=NMS))
    assert finding.state == 'wrong'
    assert 'built for another torch' in finding.found
    assert finding.mend.startswith('pip install --force-reinstall torch torchvision')
    assert 'torch+cpu' in finding.mend
    other = judge_clip(replace(FITTING, error="ImportError: No module named 'ftfy'"))
    assert 'another torch' not in other.found
    assert 'open_clip_torch' in other.mend


def test_open_clip_that_is_not_there_is_installed():
    facts = ClipFacts('2.15.0', None, None, "ModuleNotFoundError: No module named 'open_clip'")
    assert judge_clip(facts).mend == 'pip install open_clip_torch'
