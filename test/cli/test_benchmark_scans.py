from pathlib import Path

import numpy as np
import pytest

from folk_ros.cli.benchmarks.scans import (
    chosen,
    clusters_method,
    COLUMNS,
    convexity_method,
    seen_parts,
    side_by_side,
    Trial,
)
from folk_ros.cli.main import main
from folk_ros.training.scenes.scene import GroundTruth, Scene
from folk_ros.training.scenes.tabletops.tabletop import make_tabletop, TabletopConfig


def labelled(cloud, instance):
    count = int(instance.max()) + 1
    truth = GroundTruth(instance, ['object'] * count, ((),) * count, np.zeros(count, np.bool_))
    return Scene('scan', cloud, truth)


def test_the_fold_says_which_scans_count():
    trial = chosen('scans', '1/3', ['rooms'])
    assert trial == Trial(Path('scans'), ('rooms',), every=3, held_out=1)
    assert [trial.model_of(n) for n in range(5)] == [None, 'rooms', None, None, 'rooms']
    for wrong in ('3/3', '-1/3', '1', 'a/b', ''):
        with pytest.raises(ValueError, match='K/N'):
            chosen('scans', wrong)


def test_each_student_of_cross_validation_gets_the_scans_it_has_not_seen():
    trial = chosen('scans', '0/1', ['a', 'b', 'c'])
    assert [trial.model_of(n) for n in range(5)] == ['a', 'b', 'c', 'a', 'b']
    with pytest.raises(ValueError, match='--folds'):
        chosen('scans', '0/2', ['a', 'b'])


def test_the_table_has_a_row_for_each_method():
    figures = {f'scans_{name}_{key}': 0.5 for name in ('a', 'b') for key in (*COLUMNS, 's')}
    figures['scans_b_ap50'] = 0.25
    header, _, first, second = side_by_side(figures, ['a', 'b']).splitlines()
    assert header.split()[:2] == ['method', 'AP50']
    assert first.split()[:2] == ['a', '0.500']
    assert second.split()[:2] == ['b', '0.250']


def test_scans_must_be_named(capsys):
    assert main(['benchmark', 'student']) == 2
    assert '--scans' in capsys.readouterr().err


def test_parts_are_the_pieces_of_each_object():
    cloud = make_tabletop(0, TabletopConfig(width=80, height=60)).cloud
    whole, split = np.full(len(cloud), -1, np.int32), np.full(len(cloud), -1, np.int32)
    for k, (a, b) in enumerate([(0, 0), (0, 1), (1, 2), (2, 3), (2, 4), (2, 5)]):
        whole[10 * k : 10 * k + 10], split[10 * k : 10 * k + 10] = a, b
    assert seen_parts(labelled(cloud, whole), labelled(cloud, split)).tolist() == [2, 1, 3]


def test_rivals_need_nothing_but_the_scan():
    scene = make_tabletop(3, TabletopConfig(width=160, height=120))
    for method in (clusters_method(), convexity_method()):
        found = method(scene)
        assert found.num_points == len(scene.cloud)
        assert len(found) > 0
