"""Which pictures a report has, and what is seen in them."""

import re

import numpy as np
from PIL import Image
from report_cases import CHAIR, report_of, room_task, text_task
from scoring_cases import block, predict

from folk_ros.training.labels import LabelSet

PNG = b'\x89PNG\r\n\x1a\n'


def orange_pixels(path):
    """Count the pixels in the colour of what was missed."""
    red, green, blue = np.asarray(Image.open(path).convert('RGB')).astype(int).transpose(2, 0, 1)
    return int(((red > 150) & (green < 100) & (blue < 40)).sum())


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
