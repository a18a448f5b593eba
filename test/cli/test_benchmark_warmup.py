import pytest

from folk_ros.cli.benchmarks.bars import missed
from folk_ros.cli.benchmarks.warmup import figures_of


def turns(cloud, question):
    """Ten turns of which the first takes so many times as long as the others."""
    return [(100.0 * cloud, 10.0 * question)] + 9 * [(100.0, 10.0)]


def test_a_node_that_is_cold_at_its_first_answer_misses_the_bars():
    cold = figures_of([turns(2.0, 1.1), turns(3.0, 1.2), turns(2.5, 1.0)])
    assert cold['warmup_cloud_ratio'] == pytest.approx(2.5)
    assert cold['warmup_question_ratio'] == pytest.approx(1.1)
    assert [bar.key for bar in missed(cold)] == ['warmup_cloud_ratio']
    assert cold['warmup_first_cloud_ms'] == 250.0 and cold['warmup_tenth_cloud_ms'] == 100.0


def test_one_start_disturbed_by_something_else_decides_nothing():
    assert not missed(figures_of([turns(1.0, 1.0), turns(9.0, 9.0), turns(1.1, 1.1)]))
