import pytest

from folk_ros.config import FolkConfig, NodeConfig, QueryConfig, SegmentConfig, with_values


def test_a_misspelt_setting_names_the_right_one():
    with pytest.raises(ValueError, match="no setting 'min_qualty'; did you mean min_quality"):
        with_values(SegmentConfig(), {'min_qualty': 0.5})


@pytest.mark.parametrize('value', [-0.1, 1.1, float('nan')])
def test_a_probability_out_of_range_is_refused(value):
    with pytest.raises(ValueError, match='min_score'):
        QueryConfig(min_score=value)


def test_a_whole_number_is_accepted_where_a_fraction_is_meant():
    assert isinstance(QueryConfig(min_score=1).min_score, float)


@pytest.mark.parametrize(
    ('name', 'value'), [('max_results', 1.5), ('max_results', True), ('min_score', '0.5')]
)
def test_a_value_of_the_wrong_type_is_refused(name, value):
    with pytest.raises(ValueError, match=name):
        with_values(QueryConfig(), {name: value})


def test_one_text_is_not_taken_for_a_list_of_letters():
    with pytest.raises(ValueError, match='expected texts'):
        NodeConfig(cloud_topics='/cloud')


def test_an_unknown_choice_lists_the_allowed_ones():
    with pytest.raises(ValueError, match="'auto', 'sensor_data'"):
        NodeConfig(qos='best')


def test_defaults_are_valid():
    assert FolkConfig().segment.min_points > 0
