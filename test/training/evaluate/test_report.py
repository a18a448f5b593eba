import argparse
from dataclasses import replace
import re
import shutil

import numpy as np
from PIL import Image
import pytest
from scoring_cases import block, LABELS, predict, random_masks, random_truth

from folk_ros.cli.evaluate import list_tasks
from folk_ros.structures import PointCloud
from folk_ros.training.evaluate.benchmark_files import write_truth
from folk_ros.training.evaluate.confusion import count_confusion, OTHER
from folk_ros.training.evaluate.curves import calibrate, mean_curve, object_curve, RECALLS
from folk_ros.training.evaluate.evaluation import Choices, evaluate, Task
from folk_ros.training.evaluate.mask_quality import count_matches
from folk_ros.training.evaluate.matching import match_scene
from folk_ros.training.evaluate.predictions import save_predictions
from folk_ros.training.evaluate.report import compose, write_report
from folk_ros.training.evaluate.report_tables import TOLD
from folk_ros.training.evaluate.worst_scenes import rank_scenes
from folk_ros.training.labels import LabelSet
from folk_ros.training.scenes.scene import GroundTruth, save_scene, Scene

TRUTH = np.repeat([2001, 5001, 0], [200, 200, 200])
CHAIR, DOOR, VOID = (0, 200), (200, 400), (400, 600)
ROOM_LABELS = LabelSet.from_names(('chair', 'table'))
PNG = b'\x89PNG\r\n\x1a\n'


def text_task(folder, name, predictions, truth=TRUTH, labels=LABELS, choices=Choices()):  # noqa: B008
    save_predictions(folder / 'pred' / f'{name}.npz', predictions)
    write_truth(folder / 'gt' / f'{name}.txt', truth)
    return Task(
        name, folder / 'pred' / f'{name}.npz', folder / 'gt' / f'{name}.txt', labels, choices
    )


def room_task(folder, name, spans):
    """A floor with a chair and a table of 500 points each; predictions of spans of points."""
    rng = np.random.default_rng(0)
    blocks = ((0.6, 0.6), (2.2, 1.6))
    parts = [np.array([*at, 0]) + rng.random((500, 3)) * 0.6 for at in blocks]
    floor = rng.random((3000, 3)) * (3.0, 2.5, 0.01)
    xyz = np.concatenate([*parts, floor]).astype(np.float32)
    instance = np.repeat(np.array([0, 1, -1], np.int32), [500, 500, 3000])
    novel = np.zeros(2, bool)
    truth = GroundTruth(instance, ['chair', 'table'], (('chair',), ('table',)), novel)
    scene = Scene(name, PointCloud(xyz, np.full((4000, 3), 128, np.uint8)), truth)
    path = save_scene(scene, folder / 'rooms')
    masks = predict(block(4000, *spans), [1] * len(spans))
    save_predictions(folder / 'pred' / f'{name}.npz', masks)
    return Task(name, folder / 'pred' / f'{name}.npz', path, ROOM_LABELS, Choices())


def text_of(tasks, **more):
    """The text of a report without pictures, and its figures."""
    evaluation = replace(evaluate(tasks), **more)
    figures = evaluation.figures()
    return compose(evaluation, figures), figures


def report_of(folder, tasks):
    """The text of a report, its figures and its folder."""
    evaluation = evaluate(tasks)
    figures = evaluation.figures()
    text = write_report(folder / 'report', evaluation, figures, tasks).read_text()
    return text, figures, folder / 'report'


def cells_of(text, first):
    """Cells of the table row that begins with a cell."""
    line = next(line for line in text.splitlines() if line.startswith(f'| {first} '))
    return [cell.strip() for cell in line.strip('|').split(' | ')]


def random_matches(seed, scenes=6):
    rng = np.random.default_rng(seed)
    matches = []
    for number in range(scenes):
        truth = random_truth(rng, 3000)
        masks = predict(*random_masks(rng, truth))
        matches.append(match_scene(f's{number}', masks, truth, LABELS))
    return [by_label for by_label, _ in matches], [objects for _, objects in matches]


def orange_pixels(path):
    """Count the pixels in the colour of what was missed."""
    red, green, blue = np.asarray(Image.open(path).convert('RGB')).astype(int).transpose(2, 0, 1)
    return int(((red > 150) & (green < 100) & (blue < 40)).sum())


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


def test_every_picture_named_is_there_and_the_others_are_not(tmp_path):
    tasks = [room_task(tmp_path, f'r{k}', [(0, 500), (1000, 3000)][: k + 1]) for k in range(2)]
    text, _, folder = report_of(tmp_path, tasks)
    named = set(re.findall(r'!\[.*\]\((.*)\)', text))
    assert named == {
        'curves.png', 'labels.png', 'confusion.png', 'worst_1.png', 'worst_2.png',
    }  # fmt: skip
    assert {path.name for path in folder.iterdir()} == named | {'report.md'}
    for name in named:
        data = (folder / name).read_bytes()
        assert data[:8] == PNG and len(data) < 500_000
        assert len(np.unique(np.asarray(Image.open(folder / name).convert('L')))) > 20
    text = report_of(tmp_path, tasks[:1])[0]
    assert not (folder / 'worst_2.png').exists() and 'worst_2.png' not in text


def test_what_was_missed_is_marked_in_the_picture_of_a_scene(tmp_path):
    missed = room_task(tmp_path, 'missed', [(0, 500)])
    report_of(tmp_path, [missed])
    with_miss = orange_pixels(tmp_path / 'report' / 'worst_1.png')
    found = room_task(tmp_path, 'found', [(0, 500), (500, 1000)])
    report_of(tmp_path, [found])
    assert with_miss > 2000 and orange_pixels(tmp_path / 'report' / 'worst_1.png') == 0


def test_scenes_without_coordinates_are_not_drawn_and_the_report_says_so(tmp_path):
    text, _, folder = report_of(tmp_path, [text_task(tmp_path, 's', predict(block(600, CHAIR)))])
    assert 's: not drawn: the ground truth is a text file, which has no coordinates.' in text
    assert not list(folder.glob('worst_*'))


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


def test_two_hundred_labels_fit_into_pictures(tmp_path):
    labels = LabelSet.from_names([f'a rather long name of a label {k}' for k in range(200)])
    truth = np.repeat(np.arange(1, 201) * 1000 + 1, 100)
    spans = [(k * 100, k * 100 + 100) for k in range(200)]
    given = np.roll(labels.ids, 1)
    masks = predict(block(20000, *spans), given, np.linspace(0.1, 0.9, 200))
    text, _, folder = report_of(tmp_path, [text_task(tmp_path, 's', masks, truth, labels)])
    assert 'Only the 38 most frequent names have a row' in ' '.join(text.split())
    for path in folder.glob('*.png'):
        assert path.stat().st_size < 500_000 and max(Image.open(path).size) < 2000
