import json

import numpy as np
import pytest

from folk_ros.cli.main import main
from folk_ros.cli.segment import point_ids
from folk_ros.cloud_files import read_cloud, write_ply
from folk_ros.structures import Boxes, Instances


@pytest.fixture
def cloud_file(small_cloud, tmp_path):
    write_ply(small_cloud, tmp_path / 'room.ply')
    return tmp_path / 'room.ply'


def test_a_file_is_segmented_and_named(cloud_file, untrained_model, capsys):
    assert main(['segment', str(cloud_file), '--model', str(untrained_model), '--json']) == 0
    result = json.loads(capsys.readouterr().out)
    assert result['points'] == 8000
    found = [item for items in result['found'].values() for item in items]
    assert found
    assert set(result['found']) <= {'chair', 'table', 'bed'}
    assert all(0 <= item['score'] <= 1 and item['point_count'] > 0 for item in found)


def test_a_query_answers_each_text_also_one_without_an_answer(cloud_file, untrained_model, capsys):
    command = ['segment', str(cloud_file), '--model', str(untrained_model), '--json']
    assert main([*command, '--query', 'chair', 'giraffe', '--min-score', '1']) == 0
    assert set(json.loads(capsys.readouterr().out)['found']) == {'chair', 'giraffe'}


def test_the_result_is_written_as_cloud_and_as_picture(cloud_file, untrained_model, tmp_path):
    command = ['segment', str(cloud_file), '--model', str(untrained_model), '--out']
    assert main([*command, str(tmp_path / 'out.ply')]) == 0
    assert len(read_cloud(tmp_path / 'out.ply')) == 8000
    assert b'property int instance' in (tmp_path / 'out.ply').read_bytes()[:400]
    assert main([*command, str(tmp_path / 'out.png')]) == 0
    assert (tmp_path / 'out.png').read_bytes().startswith(b'\x89PNG')


@pytest.mark.parametrize('out', ['picture.jpg', 'nowhere/picture.png'])
def test_a_result_that_cannot_be_written_is_refused_before_any_work(out, cloud_file, capsys):
    assert main(['segment', str(cloud_file), '--out', out, '--model', '/no/such']) == 2
    assert '--out' in capsys.readouterr().err


def test_a_missing_file_and_a_missing_model_are_wrong_input(cloud_file, capsys):
    assert main(['segment', 'nothing.ply']) == 2
    assert 'nothing.ply: there is no such file' in capsys.readouterr().err
    assert main(['segment', str(cloud_file), '--model', '/no/such']) == 2
    assert 'no student weights' in capsys.readouterr().err


def test_a_port_that_cannot_be_is_refused_before_any_work(cloud_file, capsys):
    assert main(['segment', str(cloud_file), '--view', '--port', '99999']) == 2
    assert '--port 99999: expected 0 (any free one) to 65535' in capsys.readouterr().err


@pytest.mark.parametrize('rows', [0, 50])
def test_a_file_without_a_single_place_is_wrong_input_not_an_empty_room(rows, tmp_path, capsys):
    np.savez(tmp_path / 'dark.npz', xyz=np.full((rows, 3), np.nan, np.float32))
    assert main(['segment', str(tmp_path / 'dark.npz'), '--model', '/no/such']) == 2
    assert 'dark.npz: has no point with coordinates' in capsys.readouterr().err


def test_a_device_that_is_not_there_is_wrong_input(cloud_file, untrained_model):
    command = ['segment', str(cloud_file), '--model', str(untrained_model), '--device', 'tpu']
    assert main(command) == 2


def test_of_two_masks_the_better_one_has_the_point():
    zero = np.zeros((2, 3), np.float32)
    scene = Instances(
        starts=np.array([0, 2, 4]),
        points=np.array([0, 1, 1, 2], np.int32),
        embeddings=np.eye(2, dtype=np.float32),
        quality=np.array([0.9, 0.5], np.float32),
        boxes=Boxes(zero, zero, zero[:, 0].copy()),
        ids=np.array([7, 8], np.uint32),
        num_points=4,
    )
    assert point_ids(scene).tolist() == [7, 7, 8, 0]
