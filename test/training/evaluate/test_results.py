import json
import math

import numpy as np
import pytest
from safetensors.numpy import save_file

from folk_ros.training.evaluate.embedded_masks import (
    read_teacher_masks,
    teacher_settings,
    teaching_seconds,
)
from folk_ros.training.evaluate.results import (
    add_ablation,
    add_result,
    by_novelty,
    Origin,
    read_results,
    Result,
)
from folk_ros.training.scenes.scene import GroundTruth

FIGURES = {'ap': 0.2, 'ap50': 0.4567, 'ap25': 0.6, 'ap50_base': 0.5, 'ap50_novel': math.nan}
WORDS = {'synonym': {'questions': 9, 'recall1_25': 0.71, 'map_25': 0.8, 'answered_25': 0.5}}


def result(name, ap50=0.4567):
    origin = Origin('folk evaluate --rooms rooms', 'best', '0', 'abc1234')
    figures = {**FIGURES, 'ap50': ap50}
    return Result(name, '30 scenes', figures, FIGURES, WORDS, 0.25, 0.7, origin)


def test_a_result_stands_in_the_table_with_its_origin(tmp_path):
    path = tmp_path / 'results.md'
    add_result(path, result('student'))
    text = path.read_text()
    assert '0.457' in text
    assert '0.71' in text
    assert 'folk evaluate --rooms rooms' in text
    assert 'commit: abc1234' in text
    assert 'nan' not in text.lower()


def test_a_new_measurement_replaces_the_row_of_its_name_alone(tmp_path):
    path = tmp_path / 'results.md'
    for name, ap50 in (('student', 0.1), ('teacher', 0.2), ('student', 0.3)):
        add_result(path, result(name, ap50))
    stored = read_results(path)['results']
    assert {name: own['top1']['ap50'] for name, own in stored.items()} == {
        'student': 0.3,
        'teacher': 0.2,
    }


def test_an_ablation_keeps_the_results_beside_it(tmp_path):
    path = tmp_path / 'results.md'
    add_result(path, result('student'))
    add_ablation(path, 'distillation', [['config', 'AP50'], ['folk', '0.3']], Origin('folk x'))
    text = path.read_text()
    assert '## Ablation: distillation' in text
    assert '## Names' in text


def test_a_damaged_file_is_not_written_over(tmp_path):
    path = tmp_path / 'results.md'
    path.with_suffix('.json').write_text('{')
    with pytest.raises(ValueError, match=r'results\.json: no readable results'):
        add_result(path, result('student'))


def test_base_and_novel_names_are_averaged_apart():
    classes = {
        name: {'ap': value, 'ap50': value, 'ap25': value}
        for name, value in (('chair', 0.8), ('desk', 0.6), ('piano', 0.1), ('absent', math.nan))
    }
    figures = by_novelty(classes, frozenset(['piano']))
    assert figures['ap50'] == pytest.approx(0.5)
    assert figures['ap50_base'] == pytest.approx(0.7)
    assert figures['ap50_novel'] == pytest.approx(0.1)


def teacher_file(path, clip='toy', facts=None, **more):
    views = np.zeros((2, 2, 3), np.float32)
    views[0, 0, 0] = views[0, 1, 1] = 1.0
    visibility = np.array([[3, 1], [0, 0]], np.float32)  # nothing sees the second
    save_file(
        {'embeddings': views, 'visibility': visibility, **more},
        path,
        {'clip': clip, **(facts or {})},
    )
    return path


def two_objects():
    owner = np.array([1, 0, 0, -1], np.int32)
    return GroundTruth(owner, ['a', 'b'], (('a',), ('b',)), np.zeros(2, bool))


def test_teacher_views_are_weighted_by_what_they_see_on_the_true_masks(tmp_path):
    found = read_teacher_masks(teacher_file(tmp_path / 's.safetensors'), 'toy', two_objects())
    assert len(found) == 1
    assert np.allclose(found.embeddings[0], np.array([3, 1, 0]) / math.sqrt(10))
    assert found.points_of(0).tolist() == [1, 2]


def test_evenly_fused_every_view_counts_alike_however_little_it_sees(tmp_path):
    path = teacher_file(tmp_path / 's.safetensors')
    found = read_teacher_masks(path, 'toy', two_objects(), 'evenly')
    assert np.allclose(found.embeddings[0], np.array([1, 1, 0]) / math.sqrt(2))


def test_a_row_says_how_its_teacher_looked_and_counts_the_time_for_masks(tmp_path):
    settings = {'masks': 'rooms', 'pooling': 'crops', 'views': 5, 'min_angle_deg': 0.0}
    settings |= {'depth_tolerance_m': 0.2, 'completion': {'coarse_steps': 1, 'guided_steps': 6}}
    facts = {'settings': json.dumps(settings), 'seconds': '1.5', 'mask_seconds': '0.25'}
    path = teacher_file(tmp_path / 's.safetensors', facts=facts)
    assert teaching_seconds(path) == 1.75
    for told in ('toy', 'crops pooling', 'masks: rooms', '5 views', '0 degrees', '0.2 m'):
        assert told in teacher_settings(path)
    assert teacher_settings(teacher_file(tmp_path / 'old.safetensors')) == ''


def test_a_teacher_file_with_masks_of_its_own_is_scored_on_those(tmp_path):
    own = np.array([-1, -1, 0, 1], np.int32)
    path = teacher_file(
        tmp_path / 's.safetensors',
        point_instance=own,
        quality=np.array([0.6, 0.9], np.float32),
    )
    found = read_teacher_masks(path, 'toy', None)
    assert found.points_of(0).tolist() == [2]
    assert found.quality.tolist() == pytest.approx([0.6])


def test_a_teacher_file_of_another_clip_or_scene_is_refused(tmp_path):
    path = teacher_file(tmp_path / 's.safetensors')
    with pytest.raises(ValueError, match="'toy', the text tower in 'other'"):
        read_teacher_masks(path, 'other', two_objects())
    with pytest.raises(ValueError, match='no masks of its own'):
        read_teacher_masks(path, 'toy', None)
