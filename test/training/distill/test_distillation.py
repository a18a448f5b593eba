from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from folk_ros.training.distill.losses import distillation_loss, info_nce
from folk_ros.training.distill.recipes import Recipe, recipe, RECIPES
from folk_ros.training.distill.samples import AdapterData, attend
from folk_ros.training.distill.trainer import (
    AdapterTrainer,
    draw_weights,
    Kept,
    new_adapter,
    Texts,
)

QUICK = Recipe(steps=150, batch=32, cosine=4.0, spare_same=True)


def clusters(per_class=30):
    """Three kinds of objects with clearly different features."""
    torch.manual_seed(0)
    centres, text = torch.randn(3, 10) * 2, F.normalize(torch.randn(3, 6), dim=1)
    label = torch.arange(3).repeat(per_class)
    pooled = centres[label] + torch.randn(len(label), 10) * 0.3
    teacher = F.normalize(text[label] + torch.randn(len(label), 6) * 0.1, dim=1)
    return AdapterData(pooled, torch.arange(len(label)), teacher, F.one_hot(label).float()), text


def train(data, text, own=QUICK, seed=0, kept=None):
    texts = Texts(text, [text[:0]] * len(text))
    return AdapterTrainer(new_adapter(data, own, seed), data, texts, own, seed, kept).run()


def named(adapter, data, text):
    with torch.no_grad():
        return (adapter(data.pooled) @ text.t()).argmax(1)


@pytest.mark.parametrize('name', sorted(RECIPES))
def test_a_distilled_adapter_names_objects_like_its_teacher(name):
    data, text = clusters()
    adapter = train(data, text, replace(recipe(name), steps=150, batch=32))
    assert (named(adapter, data, text) == data.odds.argmax(1)).float().mean() > 0.95


def test_attention_finds_the_few_voxels_that_tell_what_an_object_is():
    """Means say nothing here: one voxel in eight does."""
    torch.manual_seed(0)
    count, label = 240, torch.randint(2, (240,))
    voxels = torch.randn(count, 8, 4) * 0.1
    voxels[:, 0, 0], voxels[:, 0, 1] = 3.0, 2.0 * label - 1  # the first stands out, and tells
    voxels[:, 1, 1] = 1 - 2.0 * label  # another one takes it from the mean
    voxels = torch.stack([part[torch.randperm(8)] for part in voxels])
    text = F.normalize(torch.randn(2, 6), dim=1)
    shape = torch.zeros(count, 2)
    data = AdapterData(
        torch.cat([voxels.mean(1), shape], 1), torch.arange(count), text[label],
        F.one_hot(label).float(), voxels.half(),
    )  # fmt: skip
    own = replace(QUICK, steps=300, batch=64, pooling='attention', noise=0.0, dropout=0.0)
    right = []
    for seen in (data, replace(data, voxels=None)):
        adapter = train(seen, text, own)
        with torch.no_grad():
            said = adapter(attend(adapter, seen.pooled, seen.voxels)) @ text.t()
        right.append(float((said.argmax(1) == label).float().mean()))
    assert right[0] > 0.95
    assert right[0] > right[1] + 0.1


def test_the_same_seed_gives_the_same_adapter_and_another_seed_another():
    data, text = clusters()
    first, again, other = (train(data, text, QUICK, seed) for seed in (0, 0, 1))
    assert torch.equal(first.mlp[0].weight, again.mlp[0].weight)
    assert not torch.equal(first.mlp[0].weight, other.mlp[0].weight)


def test_a_stopped_run_ends_like_one_that_was_never_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr('folk_ros.training.distill.trainer.REPORT_EVERY', 10)
    data, text = clusters()
    own = replace(QUICK, steps=40)
    whole = train(data, text, own)
    texts = Texts(text, [text[:0]] * 3)
    half = AdapterTrainer(new_adapter(data, own, 0), data, texts, own, 0, Kept(tmp_path))
    learn, steps = half._learn, iter(range(25))

    def until_killed():
        if next(steps) == 24:
            raise KeyboardInterrupt
        return learn()

    half._learn = until_killed
    with pytest.raises(KeyboardInterrupt):
        half.run()
    resumed = train(data, text, own, kept=Kept(tmp_path))
    assert torch.equal(whole.mlp[3].weight, resumed.mlp[3].weight)


def test_a_run_of_other_settings_is_not_continued(tmp_path):
    data, text = clusters()
    train(data, text, replace(QUICK, steps=2), kept=Kept(tmp_path))
    with pytest.raises(ValueError, match='name another folder'):
        train(data, text, replace(QUICK, steps=3), kept=Kept(tmp_path))


def test_instances_of_one_label_are_no_negatives_of_each_other_where_they_are_spared():
    text = torch.eye(2)
    pair = torch.eye(2)[[0, 0]]
    own = Recipe(contrastive=1.0, spare_same=True)
    different = distillation_loss(pair, pair, text, torch.eye(2), own)
    same = distillation_loss(pair, pair, text, torch.eye(2)[[0, 0]], own)
    repelled = distillation_loss(
        pair, pair, text, torch.eye(2)[[0, 0]], replace(own, spare_same=False)
    )
    assert same['contrastive'] < 1e-6 < different['contrastive']
    assert repelled['contrastive'] == different['contrastive']


def test_the_loss_is_smallest_where_student_and_teacher_agree():
    torch.manual_seed(0)
    teacher, text = F.normalize(torch.randn(5, 8), dim=1), F.normalize(torch.randn(5, 8), dim=1)
    own = Recipe(cosine=1.0)
    agree = distillation_loss(teacher, teacher, text, torch.eye(5), own)
    differ = distillation_loss(teacher.flip(0), teacher, text, torch.eye(5), own)
    assert agree['contrastive'] < differ['contrastive']
    assert agree['cosine'] < 1e-6 < differ['cosine']


def test_terms_of_weight_zero_are_not_there():
    vectors = torch.eye(3)
    terms = distillation_loss(vectors, vectors, vectors, vectors, Recipe(contrastive=0, label=0))
    assert terms == {}


def test_hard_negatives_weigh_more_but_no_more_in_sum():
    torch.manual_seed(0)
    logits, none = torch.randn(6, 6), torch.zeros(6, 6, dtype=torch.bool)
    plain = F.cross_entropy(logits, torch.arange(6))
    assert torch.allclose(info_nce(logits, none, 0.0), plain)
    assert info_nce(logits, none, 1.0) > plain
    alike = torch.zeros(6, 6)
    assert torch.allclose(info_nce(alike, none, 1.0), info_nce(alike, none, 0.0))


def test_an_unknown_config_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match='folk'):
        recipe('nonsense')
    with pytest.raises(ValueError, match='voting'):
        Recipe(voting='loud')


def test_rare_names_are_drawn_oftener_when_balanced_and_never_more_than_names_of_five():
    bearers = torch.tensor([0] * 100 + [1] * 25 + [2])
    odds = F.one_hot(bearers).float()
    data = AdapterData(torch.zeros(126, 1), torch.arange(125, -1, -1), odds, odds)
    weight = draw_weights(data, 0.5)  # sample 0 is of object 125, the only one of its name
    per_name = [float(weight[rows].mean()) for rows in (slice(26, 126), slice(1, 26), slice(1))]
    assert per_name == pytest.approx([100**-0.5, 25**-0.5, 5**-0.5])
    assert draw_weights(data, 0.0).unique().numel() == 1
