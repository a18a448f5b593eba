from pathlib import Path

import pytest
import yaml

from folk_ros.config import FolkConfig
from folk_ros.ros.parameter_file import parameters_yaml
from folk_ros.ros.parameters import changed, from_ros, is_setting, settings, to_ros, unknown_name

CONFIG = Path(__file__).resolve().parents[2] / 'config'


def in_file(name):
    return yaml.safe_load((CONFIG / name).read_text())['/**']['ros__parameters']


def flat(values, prefix=''):
    for name, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, f'{prefix}{name}.')
        else:
            yield prefix + name, value


def test_the_shipped_parameter_file_is_what_config_says():
    text = (CONFIG / 'folk.yaml').read_text()
    assert text == parameters_yaml(FolkConfig()), 'write config/folk.yaml again (parameters_yaml)'


def test_the_shipped_parameter_file_leads_to_the_defaults():
    assert changed(FolkConfig(), dict(flat(in_file('folk.yaml')))) == FolkConfig()


def test_the_demo_file_names_only_what_there_is():
    config = changed(FolkConfig(), dict(flat(in_file('demo.yaml'))))
    assert config.node.standing_query and config.segment == FolkConfig().segment


def test_no_line_of_the_shipped_file_is_too_long():
    assert max(map(len, parameters_yaml(FolkConfig()).splitlines())) <= 100


def test_an_empty_list_survives_the_way_through_ros():
    assert to_ros(()) == [''] and from_ros(['']) == () and from_ros([]) == ()
    assert from_ros(to_ros(('a', 'b'))) == ('a', 'b')


def test_settings_of_the_node_stand_bare_and_the_others_under_their_group():
    names = [name for name, _, _ in settings(FolkConfig())]
    assert {'cloud_topics', 'segment.min_quality', 'query.min_score'} <= set(names)
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    'name, value, words',
    [
        ('segment.min_quality', 1.5, 'from 0.0 to 1.0, got 1.5'),
        ('segment.min_quality', float('nan'), 'finite'),
        ('segment.min_quality', 'high', 'expected float'),
        ('segment.min_points', 0, 'from 1'),
        ('segment.min_points', True, 'expected int'),
        ('qos', 'best', "'auto'"),
        ('cloud_topics', 3, 'cloud_topics'),
        ('cloud_topics', [1, 2], 'cloud_topics'),
        ('standing_query', ['x' * 10_000], '300 characters'),
        ('standing_query', ['\n'], 'empty text'),
        ('min_quality', 0.5, 'did you mean segment.min_quality?'),
        ('segment.min_qualty', 0.5, 'did you mean segment.min_quality'),
        ('sgment.min_quality', 0.5, 'did you mean segment.min_quality?'),
        ('nonsense', 0.5, 'there are'),
    ],
)
def test_what_is_not_allowed_is_refused_in_words(name, value, words):
    with pytest.raises(ValueError) as refusal:
        changed(FolkConfig(), {name: value})
    assert words in str(refusal.value)


def test_a_whole_number_does_for_a_fraction():
    assert changed(FolkConfig(), {'max_rate': 2}).node.max_rate == 2.0


def test_a_change_leaves_the_other_settings_alone():
    config = changed(FolkConfig(), {'segment.min_points': 5, 'max_rate': 2.0})
    assert config == changed(changed(FolkConfig(), {'max_rate': 2.0}), {'segment.min_points': 5})


def test_lowering_a_limit_below_the_standing_query_is_refused():
    config = changed(FolkConfig(), {'standing_query': ['a', 'b', 'c']})
    with pytest.raises(ValueError, match='at most 2'):
        changed(config, {'query.max_texts': 2})


def test_what_ros_itself_sets_is_no_setting_of_ours():
    assert not is_setting('use_sim_time')
    assert not is_setting('qos_overrides./cloud.subscription.depth')
    assert is_setting('max_rate') and is_setting('tpyo')


def test_the_right_name_is_found_by_its_last_part():
    assert 'did you mean query.max_texts?' in unknown_name('max_texts', FolkConfig())
