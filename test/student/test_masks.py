import pytest
import torch

from folk_ros.student.engine import build_levels
from folk_ros.student.mask_decoder import DecoderConfig, inside_coarse, MaskDecoder
from folk_ros.student.mask_fields import (
    mask_logits,
    MaskFieldHead,
    MaskFields,
    MaskForm,
    pick_seeds,
)
from folk_ros.student.suppression import suppress
from folk_ros.student.vl_adapter import pool_masks

EMBED = 5
FORMS = [(source, spatial) for source in ('fps', 'seeds') for spatial in (False, True)]


def form_of(source='seeds', spatial=True):
    return MaskForm(source, spatial, EMBED)


def random_fields(form, count=40, seed=0):
    torch.manual_seed(seed)
    seeds = form.source == 'seeds'
    place = torch.randn(count, 3)
    return MaskFields(
        torch.randn(count, EMBED),
        place,
        place + torch.randn(count, 3) if form.spatial else None,
        torch.randn(count, form.kernel) if seeds else None,
        torch.randn(count) if seeds else None,
        torch.randn(count) if seeds else None,
    )


def slow_mask_logit(kernel, centre, fields, voxel):
    value = kernel[:EMBED] @ fields.embedding[voxel]
    if len(kernel) > EMBED:
        value = value + kernel[EMBED]
    if fields.shifted is not None:
        flat, tall = kernel[EMBED + 1 :].clamp(-4, 6).exp()
        d = fields.shifted[voxel] - centre
        value = value - flat * (d[0] ** 2 + d[1] ** 2) - tall * d[2] ** 2
    if fields.foreground is not None:
        value = value + 2 * torch.nn.functional.logsigmoid(fields.foreground[voxel])
    return value


@pytest.mark.parametrize(('source', 'spatial'), FORMS)
def test_mask_logits_equal_the_formula_voxel_by_voxel(source, spatial):
    form = form_of(source, spatial)
    fields = random_fields(form)
    kernel, centre = torch.randn(3, form.kernel), torch.randn(3, 3)
    logits = mask_logits(kernel, centre, fields)
    for q in range(3):
        for v in range(40):
            expected = slow_mask_logit(kernel[q], centre[q], fields, v)
            assert torch.allclose(logits[q, v], expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(('source', 'spatial'), FORMS)
def test_a_voxel_predicts_what_its_form_of_mask_needs(source, spatial):
    form = form_of(source, spatial)
    head = MaskFieldHead(7, form)
    place = torch.randn(4, 3)
    fields = head(torch.randn(4, 7), place)
    assert (fields.shifted is not None) == spatial
    assert (fields.kernel is not None) == (fields.seed is not None) == (source == 'seeds')
    assert sum(p.numel() for p in head.out.parameters()) == sum(form.parts.values()) * (
        65 if source == 'seeds' else 8
    )
    if source == 'seeds':
        kernel, centre = (value.detach() for value in fields.start(slice(0, 2)))
        assert kernel.shape == (2, form.kernel)
        assert torch.equal(centre, (fields.shifted if spatial else place)[:2])
        assert float((kernel[:, EMBED] - 2).abs().max()) < 0.6  # begins inside the mask
        assert float((kernel[:, EMBED + 1 :] - 2.5).abs().max()) < 0.6 if spatial else True
        assert float((fields.seed.detach() + 2).abs().max()) < 0.6


def test_another_source_of_queries_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match="source: expected 'fps' or 'seeds', got 'grid'"):
        MaskForm('grid')


@pytest.mark.parametrize('spatial', [False, True])
def test_a_picked_seed_silences_its_own_mask(spatial):
    fields = random_fields(form_of('seeds', spatial))
    seeds = pick_seeds(fields, 0.0, 100)
    assert 1 < len(seeds) < 40
    for earlier, seed in enumerate(seeds.tolist()):
        for other in seeds[earlier + 1 :].tolist():
            inside = mask_logits(*fields.start(slice(seed, seed + 1)), fields)[0] > 0
            assert not inside[other]


def test_without_seeds_nothing_is_picked():
    fields = random_fields(form_of())
    assert len(pick_seeds(fields, 1.1, 10)) == 0


def test_of_two_masks_of_one_thing_the_better_stays():
    inside = torch.zeros(3, 10, dtype=torch.bool)
    inside[0, :6] = inside[1, :5] = inside[2, 7:] = True
    kept = suppress(inside, torch.tensor([0.5, 0.9, 0.4]), 0.1, 0.4)
    assert kept.tolist() == [1, 2]


def test_masks_of_low_quality_and_empty_masks_go():
    inside = torch.zeros(3, 10, dtype=torch.bool)
    inside[0, :3] = inside[1, 5:] = True
    assert suppress(inside, torch.tensor([0.05, 0.9, 0.8]), 0.1, 0.4).tolist() == [1]


def test_a_coarse_voxel_is_inside_if_the_mask_touches_it():
    coords = torch.tensor([[0, 0, 0, 0], [0, 0, 0, 1], [0, 6, 0, 0]])
    levels = build_levels(coords, 2)
    inside = torch.tensor([[True, False, False], [False, False, False]])
    assert inside_coarse(inside, levels).tolist() == [[True, False], [False, False]]


def blocked_of(source, spatial, monkeypatch):
    """What a layer is kept from seeing, as it was and as the masks in full say."""
    torch.manual_seed(3)
    coords = torch.nn.functional.pad((torch.rand(9, 9, 9) < 0.5).nonzero(), (1, 0))
    levels = build_levels(coords, 2)
    config = DecoderConfig(
        source, spatial, EMBED, width=8, heads=2, feed=8, rounds=1, reads=(1,), classes=1
    )
    features = [torch.randn(len(level), 6) for level in levels]
    decoder, head = MaskDecoder((6, 6), config), MaskFieldHead(6, config)
    torch.nn.init.normal_(head.out.weight, std=0.3)
    fields = head(features[0], coords[:, 1:] / 16)
    seen = []
    layer = decoder.layers[0]
    monkeypatch.setattr(layer, 'forward', lambda *a: seen.append(a[4]) or a[0])
    with torch.no_grad():
        stages = decoder(torch.arange(0, 40, 8), features, levels, fields)
        logits = decoder.masks(stages[0], fields)
    own = levels[0].parent[None] == torch.arange(len(levels[1]))[:, None]  # [M, V]
    if source == 'seeds':
        inside = torch.stack([(logits[:, o] > 0).any(1) for o in own], 1)
    else:
        inside = torch.stack([logits[:, o].mean(1) >= 0 for o in own], 1)
    return seen[0], ~inside & inside.any(1, keepdim=True)


@pytest.mark.parametrize(('source', 'spatial'), FORMS)
def test_a_layer_sees_the_present_masks_alone(source, spatial, monkeypatch):
    got, expected = blocked_of(source, spatial, monkeypatch)
    assert torch.equal(got, expected)
    assert 0.02 < got.float().mean() < 0.98


def test_pooling_averages_each_level_over_the_mask():
    torch.manual_seed(0)
    coords = torch.nn.functional.pad((torch.rand(6, 6, 6) < 0.4).nonzero(), (1, 0))
    levels = build_levels(coords, 2)
    features = [torch.randn(len(level), 3) for level in levels]
    owner = torch.tensor([0, 0, 1])
    rows = torch.tensor([2, 5, 7])
    weight = torch.tensor([1.0, 3.0, 0.5])
    pooled = pool_masks(features, levels, owner, rows, weight)
    up = levels[0].parent
    fine = (features[0][2] + 3 * features[0][5]) / 4
    coarse = (features[1][up[2]] + 3 * features[1][up[5]]) / 4
    assert torch.allclose(pooled[0], torch.cat([fine, coarse]), atol=1e-6)
    assert torch.allclose(pooled[1], torch.cat([features[0][7], features[1][up[7]]]), atol=1e-6)
