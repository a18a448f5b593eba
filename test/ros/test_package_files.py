"""What colcon, launch and RViz read, compared with the code it speaks of."""

import ast
import os
from pathlib import Path
import re
import xml.etree.ElementTree as ElementTree

import yaml

import folk_ros

ROOT = Path(__file__).resolve().parents[2]


def folder(part):
    return ROOT / 'folk_ros' / part


def manifest():
    return ElementTree.parse(ROOT / 'package.xml').getroot()


def test_the_manifest_agrees_with_the_module():
    assert manifest().findtext('name') == 'folk_ros'
    assert manifest().findtext('version') == folk_ros.__version__
    setup = (ROOT / 'setup.py').read_text()
    assert 'version=VERSION,' in setup and 'folk_ros/__init__.py' in setup


def test_every_message_package_that_the_node_imports_is_in_the_manifest():
    declared = {e.text for e in manifest() if e.tag.endswith('depend')}
    used = set()
    for path in [
        *(ROOT / 'folk_ros' / 'ros').glob('*.py'),
        *(ROOT / 'folk_ros' / 'cli').glob('*.py'),
    ]:
        used |= set(re.findall(r"'(\w+)/(?:msg|srv)/\w+'", path.read_text()))
    # nvblox's are on no robot that has not nvblox; `folk nvblox` says so where they are missing
    assert used - declared == {'folk_ros', 'package', 'nvblox_msgs'} & used


def test_the_manifest_names_no_key_that_would_bring_another_torch():
    assert not [
        e.text for e in manifest() if 'torch' in (e.text or '') and e.tag.endswith('depend')
    ]


def test_cmake_generates_every_interface():
    text = (ROOT / 'CMakeLists.txt').read_text()
    files = [*ROOT.glob('msg/*.msg'), *ROOT.glob('srv/*.srv')]
    assert files and all(f'"{path.parent.name}/{path.name}"' in text for path in files)
    # Both install folk_ros/__init__.py; the generated one is empty and must not win.
    assert text.index('rosidl_generate_interfaces(') < text.index(
        'install(DIRECTORY ${PROJECT_NAME}/'
    )


def test_scripts_can_be_run():
    for path in (ROOT / 'scripts').iterdir():
        assert path.read_text().startswith('#!/usr/bin/env python3\n')
        assert os.access(path, os.X_OK), path


def launch_arguments():
    tree = ast.parse((ROOT / 'launch' / 'segment.launch.py').read_text())
    table = next(
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == 'ARGUMENTS'
    )
    return {row.elts[0].value: row.elts[2].value for row in table.elts}


def test_every_launch_argument_is_described():
    arguments = launch_arguments()
    wanted = (
        'cloud_topics params_file device model fixed_frame rviz use_sim_time bag demo log_level'
    )
    assert set(wanted.split()) | {'python_env', 'namespace'} == set(arguments)
    assert all(len(text) > 10 for text in arguments.values())


def test_rviz_shows_what_the_node_publishes_and_what_came_before():
    config = yaml.safe_load((ROOT / 'config' / 'folk.rviz').read_text())
    manager = config['Visualization Manager']
    assert manager['Global Options']['Fixed Frame'] == 'map'
    topics = {d['Topic']['Value']: d for d in manager['Displays'] if 'Topic' in d}
    assert set(topics) == {'/cloud', '/folk/segmented_cloud', '/folk/markers'}
    for name in ('/folk/segmented_cloud', '/folk/markers'):
        assert topics[name]['Topic']['Durability Policy'] == 'Transient Local'
    assert topics['/folk/markers']['Class'] == 'rviz_default_plugins/MarkerArray'
