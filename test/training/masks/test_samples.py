from dataclasses import replace

import numpy as np
import torch

from folk_ros.student.engine import build_levels
from folk_ros.student.student import Student, StudentConfig
from folk_ros.training.masks.augment import AugmentConfig
from folk_ros.training.masks.losses import choose_queries, crop_losses, reached_iou
from folk_ros.training.masks.samples import CropConfig, LabelledCloud, make_sample

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


def sample(seed=0, augment=None, **config):
    config['augment'] = augment or AugmentConfig()
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
    crop = sample(voxels=300, whole=0.0, augment=AugmentConfig(holes=0.0))
    assert 150 < len(crop.coords) < 450  # counted before turning, which moves voxel borders


def test_the_same_seed_gives_the_same_sample():
    a, b = sample(5), sample(5)
    assert torch.equal(a.inputs, b.inputs)
    assert torch.equal(a.instance, b.instance)


def test_dropped_colour_is_said_to_the_network():
    crop = sample(augment=AugmentConfig(colour_dropped=1.0))
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


def test_a_voxel_belongs_to_whom_most_of_its_points_belong():
    still = AugmentConfig(
        scale=(1, 1), tilt_deg=0, jitter=0, elastic=0, holes=0, points_kept=(1, 1)
    )
    rng = np.random.default_rng(0)
    xyz = np.concatenate(
        [rng.uniform(0.1, 0.9, (90, 3)), rng.uniform(0.1, 0.9, (60, 3)) + [8, 0, 0]]
    )
    owner = np.concatenate([np.r_[np.zeros(50), np.ones(40)], np.r_[np.zeros(20), np.ones(40)]])
    cloud = LabelledCloud(
        'x',
        xyz.astype(np.float32),
        np.zeros((150, 3), np.uint8),
        owner.astype(np.int32),
        ('a', 'b'),
    )
    # cells of 20 m would hold all points: 70 of a, 80 of b
    config = CropConfig(voxel_size_m=1000.0, augment=still)
    crop = make_sample(cloud, {}, config, np.random.default_rng(1))
    assert len(crop.coords) <= 8  # the cloud may fall on a corner of cells
    assert (crop.instance == -2).all()  # too few voxels to be learnt, but none is background


def test_crops_around_objects_hold_objects():
    floor = room()
    far = np.c_[np.random.default_rng(1).uniform(-20, -2, (60_000, 2)), np.zeros(60_000)]
    cloud = replace(
        floor,
        xyz=np.concatenate([floor.xyz, far]).astype(np.float32),
        rgb=np.concatenate([floor.rgb, np.zeros((60_000, 3), np.uint8)]),
        instance=np.concatenate([floor.instance, np.full(60_000, -1, np.int32)]),
    )
    names = {'box': 0, 'lamp': 1}

    def share(on_objects):
        config = CropConfig(voxels=400, whole=0, on_objects=on_objects)
        crops = [make_sample(cloud, names, config, np.random.default_rng(k)) for k in range(12)]
        return sum(len(crop.label) > 0 for crop in crops)

    assert share(1.0) == 12
    assert share(0.0) < 8
