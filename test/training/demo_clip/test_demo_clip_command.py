"""Portraits, training and naming by the command, with little of everything."""

import logging
from pathlib import Path

import pytest

from folk_ros.training.demo_clip.__main__ import main
from folk_ros.training.demo_clip.tower import IMAGE_WEIGHTS
from folk_ros.training.scenes.scene import save_scene
from folk_ros.training.scenes.synthetic import make_scene, RoomConfig

MODEL = Path(__file__).parents[3] / 'resource' / 'models' / 'demo_clip'
LITTLE = RoomConfig(views=3)  # images as large as portraits


@pytest.fixture
def command(monkeypatch, caplog):
    """Run the command with some words; return what it told."""

    def run(*words):
        caplog.clear()
        monkeypatch.setattr('sys.argv', ['demo_clip', *map(str, words)])
        with caplog.at_level(logging.INFO):
            main()
        return caplog.text

    return run


def test_from_rooms_and_portraits_to_a_tower_that_is_scored(tmp_path, command):
    rooms, portraits, run = (tmp_path / name for name in ('rooms', 'portraits', 'run'))
    for number, split in enumerate(('train', 'val')):
        save_scene(make_scene(number, LITTLE, f'{split}_00000'), rooms)
    assert '1 of 1: ' in command('portraits', portraits, '--rooms', 1, '--pictures', 1)
    small = ('--widths', 4, 8, 8, 8, 8, '--steps', 1, '--every', 3)
    begun = command(
        'train', rooms, '--portraits', portraits, '--out', run, '--model', MODEL, *small
    )
    weights = run / IMAGE_WEIGHTS
    assert f'{weights}: written' in begun
    told = command('evaluate', rooms, '--weights', weights, '--model', MODEL, '--every', 3)
    assert 'base names among base names: top-1 ' in told
    assert 'novel names among all names: 0.000 (0)' in told  # none stands there
    assert 'first answer of the room right, ' in told


def test_a_command_without_its_folders_is_wrong_usage(command):
    with pytest.raises(SystemExit) as ended:
        command('train')
    assert ended.value.code == 2
