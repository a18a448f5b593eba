"""Small predictions of text files and of rooms, and the reports that are written of them."""

from dataclasses import replace

import numpy as np
from scoring_cases import block, LABELS, predict

from folk_ros.structures import PointCloud
from folk_ros.training.evaluate.benchmark_files import write_truth
from folk_ros.training.evaluate.evaluation import Choices, evaluate, Task
from folk_ros.training.evaluate.predictions import save_predictions
from folk_ros.training.evaluate.report import compose, write_report
from folk_ros.training.labels import LabelSet
from folk_ros.training.scenes.scene import GroundTruth, save_scene, Scene

TRUTH = np.repeat([2001, 5001, 0], [200, 200, 200])
CHAIR, DOOR, VOID = (0, 200), (200, 400), (400, 600)
ROOM_LABELS = LabelSet.from_names(('chair', 'table'))


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
