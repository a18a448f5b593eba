import json
from types import SimpleNamespace

import pytest

from folk_ros.training.distill import ablation
from folk_ros.training.distill.ablation import ablate, all_recipes, cells, Row
from folk_ros.training.distill.recipes import Recipe, RECIPES
from folk_ros.training.distill.samples import Taught


@pytest.fixture
def trials(tmp_path, monkeypatch):
    """An ablation whose runs are counted in place of being run."""
    for name in ('seen', 'teacher'):
        (tmp_path / name).write_bytes(b'x')
    scene = Taught('train_0', tmp_path / 'seen', tmp_path / 'teacher', True)
    labels = SimpleNamespace(names=('chair',))
    ran = []
    material = SimpleNamespace(scenes=(scene,), names=('chair',))
    trial = SimpleNamespace(scenes=(), labels=labels)
    monkeypatch.setattr(ablation, 'look_at_scenes', lambda *_: material)
    monkeypatch.setattr(ablation, 'trial_of', lambda *_: trial)
    monkeypatch.setattr(ablation, 'background', lambda *_: None)
    monkeypatch.setattr(
        ablation, '_try', lambda _m, recipe, _t, seed, _r: ran.append(seed) or {'top1_ap50': seed}
    )
    run = SimpleNamespace(recipe=Recipe(steps=7))
    text = SimpleNamespace(encode=lambda _: None)

    def again(seeds=(0, 1)):
        ran.clear()
        rows = ablate(run, text, tmp_path / 'figures.json', seeds, 'folk, w1 0 ')
        return list(ran), rows

    return SimpleNamespace(again=again, folder=tmp_path, run=run)


def test_what_was_measured_is_not_measured_again_and_new_seeds_are_added(trials):
    assert trials.again()[0] == [0, 1]
    assert trials.again()[0] == []
    ran, rows = trials.again((0, 1, 2))
    assert ran == [2]
    assert rows[0].mean('top1_ap50') == 1.0


def test_figures_of_other_teacher_files_or_steps_are_not_taken_over(trials):
    trials.again()
    (trials.folder / 'teacher').write_bytes(b'taught anew')
    assert trials.again()[0] == [0, 1]
    trials.run.recipe = Recipe(steps=8)
    assert trials.again()[0] == [0, 1]
    assert len(json.loads((trials.folder / 'figures.json').read_text())) == 1


def test_a_row_tells_mean_and_spread_over_seeds():
    row = Row('folk', Recipe(), [{'top1_ap50': 0.2}, {'top1_ap50': 0.4}])
    header, own = cells([row])
    told = dict(zip(header, own, strict=True))
    assert (told['AP50'], told['AP50 deviation']) == ('0.300', '0.141')


def test_every_named_config_stands_in_the_ablation():
    tried = list(all_recipes().values())
    assert [name for name, own in RECIPES.items() if own not in tried] == []
