import argparse
import re
import shutil

import numpy as np
import pytest
from report_cases import (
    cells_of,
    CHAIR,
    DOOR,
    report_of,
    room_task,
    text_of,
    text_task,
    TRUTH,
    VOID,
)
from scoring_cases import block, LABELS, predict, random_masks, random_truth

from folk_ros.cli.evaluate import list_tasks
from folk_ros.training.evaluate.confusion import count_confusion, OTHER
from folk_ros.training.evaluate.curves import calibrate, mean_curve, object_curve, RECALLS
from folk_ros.training.evaluate.evaluation import Choices, evaluate
from folk_ros.training.evaluate.mask_quality import count_matches
from folk_ros.training.evaluate.matching import match_scene
from folk_ros.training.evaluate.report import compose, write_report
from folk_ros.training.evaluate.report_tables import TOLD
from folk_ros.training.evaluate.worst_scenes import rank_scenes
from folk_ros.training.labels import LabelSet


def random_matches(seed, scenes=6):
    rng = np.random.default_rng(seed)
    matches = []
    for number in range(scenes):
        truth = random_truth(rng, 3000)
        masks = predict(*random_masks(rng, truth))
        matches.append(match_scene(f's{number}', masks, truth, LABELS))
    return [by_label for by_label, _ in matches], [objects for _, objects in matches]


def test_the_summary_holds_the_figures_given(tmp_path):
    near = predict(block(600, (0, 150), (200, 380), (0, 190)), [2, 7, 2], [0.5, 0.9, 0.4])
    truth = np.repeat([2001, 7001, 0], 200)
    text, figures = text_of([text_task(tmp_path, 's', near, truth)])
    keys = ('ap', 'ap50', 'ap25')
    assert 0 < figures['ap'] < figures['ap50']
    assert cells_of(text, 'by label, all')[1:4] == [f'{figures[key]:.3f}' for key in keys]
    objects = [f'{figures[f"class_agnostic_{key}"]:.3f}' for key in keys]
    assert cells_of(text, 'masks alone')[1:4] == objects
    for group in ('head', 'tail'):
        values = [f'{figures[key]:.3f}' for key in (group, f'{group}_ap50', f'{group}_ap25')]
        assert cells_of(text, f'by label, {group}')[1:] == [*values, '1', '1']
    assert figures['head'] < figures['ap'] < figures['tail']
    quality = figures['class_agnostic_panoptic_quality']
    assert cells_of(text, 'panoptic quality (PQ)')[1] == f'{quality:.3f}'


def test_a_label_has_its_counts_and_average_precision(tmp_path):
    masks = predict(block(600, CHAIR, DOOR, VOID), [2, 2, 7])
    text, _ = text_of([text_task(tmp_path, 's', masks)])
    chair, door = (cells_of(text, name) for name in ('chair', 'door'))
    assert chair[1:6] == ['head', '1', '2', '1', '1']  # there, predicted, found, named right
    assert door[1:6] == ['head', '1', '0', '1', '0']
    assert chair[7:] == ['0.750', '0.750']  # two predictions of one score, one of them wrong
    assert 'not there, which costs no label its AP: cabinet (1).' in text
    assert cells_of(text, 'door')[0] == 'door' and '| door ' in text.split('## Wrong names')[1]


def test_every_figure_stands_in_the_report_or_is_known_to(tmp_path):
    tasks = [text_task(tmp_path, 's', predict(block(600, CHAIR)))]
    evaluation = evaluate(tasks)
    assert set(evaluation.figures()) <= TOLD
    figures = {**evaluation.figures(), 'seconds_per_scene_median': 1.25}
    text = compose(evaluation, figures)
    assert cells_of(text, 'seconds_per_scene_median')[1] == '1.2500'


def test_the_choices_are_stated(tmp_path):
    task = text_task(tmp_path, 's', predict(block(600, CHAIR)), choices=Choices('one', 600))
    text, _ = text_of([task])
    lines = ' '.join(text.split())
    for words in (
        '**label set**: test: 4 labels (2 head, 1 tail), 2 of them stand in these scenes',
        '**scenes**: 1 scored together, 0 failed, 0 without predictions',
        'IoU 0.50, 0.55, ... 0.90, nine thresholds',
        'IoU larger than the threshold, not equal',
        '**smallest mask**: 100 points',
        '**confidence**: all 1.0',
        '**names per mask**: Top-K: best 600 pairs of a scene',
        'class-agnostic: every label is taken for one',
    ):
        assert words in lines


def test_a_student_that_names_each_mask_once_is_reported_as_top_1(tmp_path):
    task = room_task(tmp_path, 'val_0', [(0, 500)])
    given = {'confidence': 'scores', 'rooms': tmp_path / 'rooms', 'gt': tmp_path / 'rooms'}
    args = argparse.Namespace(**given, pairs=None, pred=tmp_path / 'pred')
    tasks, _ = list_tasks(args, task.labels)
    assert '**names per mask**: Top-1: one label per mask' in text_of(tasks)[0]


def test_failed_and_unpredicted_scenes_are_named(tmp_path):
    broken = text_task(tmp_path, 'broken', predict(block(599, CHAIR)))
    tasks = [text_task(tmp_path, 's', predict(block(600, CHAIR))), broken]
    text, _ = text_of(tasks, unpredicted=('lonely_7', 'lonely_8'))
    assert '1 scored together, 1 failed, 2 without predictions' in ' '.join(text.split())
    assert '## Failed: 1 scene\n' in text
    assert 'broken: broken: the masks cover 599 points, the ground truth has 600' in text
    assert 'lonely_7, lonely_8' in text


def test_tables_keep_their_shape_whatever_stands_in_them(tmp_path):
    labels = LabelSet.from_names(('a|b', '`c` <d>', 'e\\|f\ng'))
    truth = np.repeat([1001, 2001, 3001], 200)
    masks = predict(block(600, CHAIR, DOOR, VOID), [3, 1, 1])
    text, _ = text_of([text_task(tmp_path, 's|t', masks, truth, labels)])
    tables = re.findall(r'(?:^\|.*\n?)+', text, re.MULTILINE)
    assert len(tables) == 5
    for table in tables:
        rows = table.splitlines()
        assert len({len(re.split(r'(?<!\\)(?:\\\\)*\|', row)) for row in rows}) == 1
        assert len({len(row) for row in rows}) == 1  # columns stand below each other
        assert re.fullmatch(r'\|( -+:? \|)+', rows[1])


@pytest.mark.parametrize('seed', range(4))
def test_the_confusion_counts_everything_once(seed):
    _, objects = random_matches(seed)
    confusion = count_confusion(objects, LABELS)
    total = count_matches(objects, 0.5)
    truths = sum(np.bincount(m.truth_name[m.asked], minlength=4) for m in objects)
    assert confusion.counts[:4].sum(1).tolist() == truths.tolist()
    assert confusion.counts[:4, :-1].sum() == total.hits
    assert confusion.counts[:, -1].tolist() == [*confusion.counts[:4, -1], 0]
    assert confusion.counts[:, -1].sum() == total.missed
    assert confusion.counts[-1].sum() == total.wrong
    assert confusion.counts[:4, 4].sum() > 0  # found, and named outside the set
    off = confusion.counts[:4, :4].sum() - np.trace(confusion.counts[:4, :4])
    assert sum(count for _, _, count in confusion.wrong_names()) == off > 0


def test_a_shortened_confusion_loses_no_count():
    _, objects = random_matches(1)
    whole = count_confusion(objects, LABELS)
    short = whole.shortened(2)
    often = whole.counts[:4].sum(1) + whole.counts[:, :4].sum(0)
    kept = np.argsort(-often, kind='stable')[:2]
    assert short.names == (*(LABELS.names[row] for row in kept), OTHER)
    assert short.counts.sum() == whole.counts.sum()
    assert short.counts[0, 1] == whole.counts[kept[0], kept[1]]
    assert short.counts[:, -2:].sum(0).tolist() == whole.counts[:, -2:].sum(0).tolist()
    rest = np.setdiff1d(np.arange(4), kept)
    assert short.counts[2, 2] == whole.counts[np.ix_(rest, rest)].sum()
    assert short.others_right == whole.counts[rest, rest].sum()
    assert whole.shortened(3).names == tuple(LABELS.names[k] for k in np.argsort(-often))  # not 1


def test_labels_that_do_not_occur_have_no_row(tmp_path):
    task = text_task(tmp_path, 's', predict(block(600, CHAIR, VOID), [2, 7]))
    confusion = count_confusion(evaluate([task]).objects, LABELS).shortened(38)
    assert sorted(confusion.names) == ['chair', 'door']  # cabinet lies in void: no error


@pytest.mark.parametrize('threshold', [0.25, 0.5])
def test_the_area_below_a_mean_curve_is_the_mean_average_precision(threshold, tmp_path):
    rng = np.random.default_rng(3)
    tasks = []
    for number in range(5):
        truth = random_truth(rng, 3000)
        tasks.append(text_task(tmp_path, f's{number}', predict(*random_masks(rng, truth)), truth))
    evaluation = evaluate(tasks)
    key = 'ap25' if threshold == 0.25 else 'ap50'
    height, ap = mean_curve(evaluation.by_label, threshold, len(LABELS))
    assert ap == pytest.approx(evaluation.scores().mean()[key], abs=1e-12)
    area = ((height[1:] + height[:-1]) / 2 * np.diff(RECALLS)).sum()
    assert ap > 0.05 and area == pytest.approx(ap, abs=0.01)
    objects = object_curve(evaluation.objects, threshold)
    assert objects.ap == pytest.approx(evaluation.object_scores().mean()[key], abs=1e-12)


def test_calibration_compares_scores_with_overlaps():
    spans = ((0, 100), (200, 380), (420, 600))  # half of a chair, most of a door, void
    match = match_scene('s', predict(block(600, *spans), None, [0.5, 0.9, 0.7]), TRUTH, LABELS)
    found = calibrate([match[1]])
    assert found.count.tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    there = found.count > 0
    assert found.score[there].tolist() == found.iou[there].tolist() == [0.5, 0.9]
    assert np.isnan(found.iou[~there]).all()
    one = match_scene('s', predict(block(600, *spans)), TRUTH, LABELS)
    assert calibrate([one[1]]) is None and calibrate([]) is None


def test_the_worst_scene_has_the_lowest_f1_and_ties_go_by_name(tmp_path):
    both, none = block(600, CHAIR, DOOR), block(600, (0, 90))
    scenes = {'a': both, 'd': both[:1], 'c': none, 'b': both[1:]}
    tasks = [text_task(tmp_path, name, predict(masks)) for name, masks in scenes.items()]
    ranked = rank_scenes(evaluate(tasks).objects)
    assert [name for name, _ in ranked] == ['c', 'b', 'd', 'a']
    assert [counts.f1 for _, counts in ranked] == [0, 2 / 3, 2 / 3, 1]
    text, _ = text_of(tasks)
    worst = text.split('## Worst scenes')[1]
    assert re.findall(r'^\| (\w) ', worst, re.MULTILINE) == ['c', 'b', 'd', 'a']


def test_a_scene_that_cannot_be_read_again_spoils_no_report(tmp_path):
    task = room_task(tmp_path, 'gone', [(0, 500)])
    evaluation = evaluate([task])
    shutil.rmtree(task.truth)
    task.truth.mkdir()
    path = write_report(tmp_path / 'report', evaluation, evaluation.figures(), [task])
    assert 'not a scene folder, cloud.npz is missing' in ' '.join(path.read_text().split())


@pytest.mark.filterwarnings('error')
@pytest.mark.parametrize(
    ('labels', 'truth', 'spans'),
    [
        (LABELS, TRUTH, ()),
        (LABELS, 0 * TRUTH, (CHAIR,)),
        (LABELS, 0 * TRUTH, ()),
        (LabelSet.from_names(('object',)), np.where(TRUTH > 0, 1001, 0), (CHAIR,)),
    ],
)
def test_a_report_is_written_whatever_is_missing(tmp_path, labels, truth, spans):
    masks = predict(block(600, *spans), [labels.ids[0]] * len(spans))
    task = text_task(tmp_path, 's', masks, truth, labels)
    text, figures, _ = report_of(tmp_path, [task])
    shown = f'{figures["ap"]:.3f}' if truth.any() else '-'
    assert cells_of(text, 'by label, all')[1] == shown and 'nan' not in text.lower()
