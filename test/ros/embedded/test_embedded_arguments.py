"""ROS arguments, names and parameter files."""

from __future__ import annotations

import math

import pytest

pytest.importorskip('rosbags')

from folk_ros.ros.embedded import arguments, names
from folk_ros.ros.embedded.network import cyclone_config, domain_id
from folk_ros.ros.embedded.parameter_files import matches, parse_value, read_parameter_file


def test_only_what_stands_after_ros_args_is_read():
    parsed = arguments.parse(
        ['prog', '-p', 'no:=1', '--ros-args', '-p', 'a:=1', '-r', 'x:=/y', '--', '-p', 'no:=2',
         '--ros-args', '--log-level', 'debug', '--param', 'node:b:=[1.5, 2.5]']
    )  # fmt: skip
    assert parsed.parameters == [('/**', 'a', 1), ('/**/node', 'b', [1.5, 2.5])]
    assert parsed.remaps == [arguments.Remap('', 'x', '/y')]
    assert parsed.log_levels == {'': 'debug'}


@pytest.mark.parametrize(
    ('argv', 'said'),
    [
        (['-p', 'a=1'], "'a=1' is not of the form name:=value"),
        (['-p'], "'-p' has no value"),
        (['--parm', 'a:=1'], "Unknown ROS argument '--parm'"),
        (['-r', '__nod:=x'], "'__nod:=x': use __node, __ns"),
        (['-p', 'a:=[1, x]'], 'values of one type, got int, str'),
        (['-p', 'a:=[1, '], 'is not YAML'),
    ],
)
def test_a_malformed_argument_is_a_sentence(argv, said):
    with pytest.raises(ValueError, match=r'\w') as error:
        arguments.parse(['--ros-args', *argv])
    assert said in str(error.value)


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ('1', 1), ('-3', -3), ('0x10', 16), ('1.0', 1.0), ('1e-3', 0.001), ('.5', 0.5),
        ('true', True), ('off', False), ("'true'", 'true'), ("'1'", '1'), ('map', 'map'),
        ('/a/b', '/a/b'), ('', ''), ("['a', 'b']", ['a', 'b']), ('[]', []),
        ('2024-01-01', '2024-01-01'),
        ('1:30', '1:30'), ('-.inf', -math.inf), ('something to sit on', 'something to sit on'),
    ],
)  # fmt: skip
def test_a_value_is_what_ros_makes_of_it(text, value):
    parsed = parse_value(text)
    assert (parsed, type(parsed)) == (value, type(value))


@pytest.mark.parametrize(
    ('pattern', 'name', 'fits'),
    [
        ('/**', '/a/b/node', True),
        ('/node', '/node', True),
        ('node', '/node', True),
        ('/node', '/a/node', False),
        ('/*', '/node', True),
        ('/*', '/a/node', False),
        ('/a/*', '/a/node', True),
        ('/**/node', '/a/b/node', True),
        ('/**/node', '/node', True),
        ('/**/node', '/a/nodes', False),
        ('/a/**', '/a/b/node', True),
    ],
)
def test_a_node_pattern_fits_the_names_it_should(pattern, name, fits):
    assert matches(pattern, name) is fits


def test_a_parameter_file_keeps_order_namespaces_and_dotted_names(tmp_path):
    path = tmp_path / 'p.yaml'
    path.write_text(
        '/**:\n  ros__parameters: {rate: 1.0, cloud: {topics: [a, b]}}\n'
        'lab:\n  folk:\n    ros__parameters:\n      rate: 2e0\n',
        encoding='utf-8',
    )
    assert read_parameter_file(path) == [
        ('/**', 'rate', 1.0),
        ('/**', 'cloud.topics', ['a', 'b']),
        ('/lab/folk', 'rate', 2.0),
    ]


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('rate: 1.0\n', 'expected "name: value" pairs'),
        ('a: {b: {}}\n', "expected node names over 'ros__parameters'"),
        ('a: [\n', 'is not YAML'),
        ('/**:\n  ros__parameters:\n    x: [1, a]\n', 'line 3: x: a list must hold values of one'),
    ],
)
def test_a_wrong_parameter_file_is_a_sentence_with_its_name(tmp_path, text, said):
    path = tmp_path / 'wrong.yaml'
    path.write_text(text, encoding='utf-8')
    with pytest.raises(ValueError, match=r'wrong\.yaml') as error:
        read_parameter_file(path)
    assert said in str(error.value)


def test_a_missing_parameter_file_is_a_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match='There is no parameter file'):
        read_parameter_file(tmp_path / 'none.yaml')


@pytest.mark.parametrize(
    ('name', 'absolute'),
    [('x', '/ns/x'), ('/x', '/x'), ('~/x', '/ns/node/x'), ('~', '/ns/node'), ('a/b', '/ns/a/b')],
)
def test_a_name_becomes_absolute(name, absolute):
    assert names.expand(name, 'node', '/ns') == absolute


@pytest.mark.parametrize('name', ['', 'a b', '1a', 'a//b', 'a/', '~x', '/', 'ä', 'a/~/b'])
def test_a_name_that_ros_does_not_allow_is_refused(name):
    with pytest.raises(ValueError, match='is not valid'):
        names.expand(name, 'node', '/ns')


def test_the_first_remapping_that_fits_wins():
    parsed = arguments.parse(
        ['--ros-args', '-r', 'other:x:=no', '-r', '~/x:=/p', '-r', 'x:=y', '-r', '/ns/x:=z']
    )
    assert parsed.remapped('/ns/x', 'node', '/ns') == '/ns/y'
    assert parsed.remapped('/ns/node/x', 'node', '/ns') == '/p'
    assert parsed.remapped('/w', 'node', '/ns') == '/w'


@pytest.mark.parametrize('text', ['-1', '233', 'a', '1.5', '٣٣٣'])
def test_a_domain_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match='ROS_DOMAIN_ID must be a number from 0 to 232'):
        domain_id({'ROS_DOMAIN_ID': text})


def test_a_peer_that_has_no_address_is_left_out_and_named(caplog):
    named = {'ROS_STATIC_PEERS': '10.0.0.7;nobody.invalid'}
    assert 'invalid' not in cyclone_config(named, networked=True)  # Cyclone would call abort()
    assert '10.0.0.7' in cyclone_config(named, networked=True)
    assert 'nobody.invalid is left out' in caplog.text


def test_discovery_follows_the_environment():
    assert cyclone_config({'CYCLONEDDS_URI': 'file:///x.xml'}, networked=True) is None
    plain = cyclone_config({}, networked=True)
    assert 'autodetermine' in plain
    assert 'AllowMulticast' not in plain
    assert 'autodetermine' not in cyclone_config({}, networked=False)
    local = cyclone_config({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}, networked=True)
    assert '<AllowMulticast>false</AllowMulticast>' in local
    assert 'autodetermine' not in local
    # Cyclone would give up after 30 s on ports of this host where nobody was yet
    assert plain.count('<InitialLocatorPruneDelay>inf<') == local.count('PruneDelay>inf<') == 1
    assert '<SPDPInterval>2 s<' in local and 'SPDPInterval' not in plain
    named = {'ROS_STATIC_PEERS': '10.0.0.7;robot.local; <evil>'}
    peers = cyclone_config(named, networked=True, known=lambda host: True)
    assert [peer in peers for peer in ('127.0.0.1', '10.0.0.7', 'robot.local')] == [True] * 3
    assert 'evil' not in peers
