import json

import numpy as np
import pytest
import torch

from folk_ros.student.engine import build_levels
from folk_ros.student.student import Student, StudentConfig
from folk_ros.training.masks.losses import choose_queries, crop_losses, reached_iou
from folk_ros.training.masks.samples import CropConfig, LabelledCloud, make_sample
from folk_ros.training.masks.trainer import MaskTrainer, MaskTraining

SMALL = StudentConfig(encoder=(8, 8, 8), decoder=(8, 8), decoder_reads=(1,), embedding_dim=4)


def room(seed=0):
    """A floor with three boxes on it."""
    rng = np.random.default_rng(seed)
    floor = np.c_[rng.uniform(0, 2, (6000, 2)), np.zeros(6000)]
    parts, owners = [floor], [np.full(6000, -1)]
    for k in range(3):
        parts.append(rng.uniform(0, 0.4, (1500, 3)) + [0.2 + 0.6 * k, 0.5, 0.05])
        owners.append(np.full(1500, k))
    xyz, owner = np.concatenate(parts).astype(np.float32), np.concatenate(owners).astype(np.int32)
    rgb = np.where(owner[:, None] < 0, 120, [[200, 30, 30]]).astype(np.uint8)
    return LabelledCloud('train_0', xyz, rgb, owner, ('box', 'box', 'lamp'))


def sample(seed=0, **config):
    names = {'box': 0, 'lamp': 1}
    return make_sample(room(), names, CropConfig(**config), np.random.default_rng(seed))


def test_offsets_lead_every_voxel_to_the_middle_of_its_instance():
    crop = sample()
    for k in range(len(crop.label)):
        own = crop.instance == k
        goal = crop.coords[own].float() + crop.offset[own]
        assert torch.allclose(goal, goal.mean(0).expand_as(goal), atol=1e-3)
        assert torch.allclose(goal.mean(0), crop.coords[own].float().mean(0), atol=1e-3)


def test_a_crop_is_no_larger_than_asked():
    crop = sample(voxels=300, whole_rooms=0.0)
    assert 150 < len(crop.coords) < 450  # counted before turning, which moves voxel borders


def test_the_same_seed_gives_the_same_sample():
    a, b = sample(5), sample(5)
    assert torch.equal(a.inputs, b.inputs)
    assert torch.equal(a.instance, b.instance)


def test_dropped_colour_is_said_to_the_network():
    crop = sample(colour_dropped=1.0)
    assert (crop.inputs[:, :4] == 0).all()


def test_queries_lie_inside_the_instances_they_stand_for():
    torch.manual_seed(0)
    crop, student = sample(), Student(SMALL)
    levels = build_levels(torch.nn.functional.pad(crop.coords, (1, 0)), student.depth)
    _, fields = student.features(crop.inputs, levels)
    rows, instance = choose_queries(fields, crop)
    assert torch.equal(crop.instance[rows], instance)
    assert len(rows) == 2 * len(crop.label)


def test_reached_iou_is_that_of_the_sets():
    logits = torch.tensor([[1.0, 1.0, -1.0, -1.0]])
    target = torch.tensor([[True, False, True, False]])
    assert torch.allclose(reached_iou(logits, target), torch.tensor([1 / 3]))


def test_every_part_of_the_network_but_the_adapter_gets_a_gradient():
    torch.manual_seed(0)
    crop, student = sample(), Student(SMALL)
    levels = build_levels(torch.nn.functional.pad(crop.coords, (1, 0)), student.depth)
    features, fields = student.features(crop.inputs, levels)
    sum(crop_losses(student, features, levels, fields, crop).values()).backward()
    silent = {
        name
        for name, p in student.named_parameters()
        if p.grad is None and not name.startswith('adapter.')
    }
    assert silent == set()


class Interrupted(Exception):
    pass


def test_training_goes_on_from_its_checkpoint_as_if_never_stopped(tmp_path, monkeypatch):
    folder = tmp_path / 'rooms' / 'train_0'
    folder.mkdir(parents=True)
    cloud = room()
    np.savez(folder / 'cloud.npz', xyz=cloud.xyz, rgb=cloud.rgb, instance=cloud.instance)
    (folder / 'truth.json').write_text(json.dumps({'names': cloud.names}))

    def trainer(out):
        config = MaskTraining(steps=4, crops=1, save_every=2, bfloat16=False)
        return MaskTrainer(
            tmp_path / 'rooms', tmp_path / out, config, SMALL, CropConfig(voxels=800)
        )

    whole = trainer('whole')
    whole.run()
    first = trainer('parts')
    save = first._save

    def save_and_die():
        save()
        raise Interrupted

    monkeypatch.setattr(first, '_save', save_and_die)
    with pytest.raises(Interrupted):
        first.run()
    second = trainer('parts')
    second.run()
    ours, theirs = second.student.state_dict(), whole.student.state_dict()
    assert all(torch.allclose(ours[k].float(), theirs[k].float(), atol=1e-5) for k in theirs)
