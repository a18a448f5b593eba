"""
The small student as it was shipped first: names, order of parameters, and numbers, recorded once.

Weights and checkpoints out there must go on meaning the same. The recording was made with the
weights of `made_weights`, before the decoder was shared with the big student.
"""

import hashlib
from pathlib import Path

import numpy as np
from safetensors.torch import load_file
import torch

from folk_ros.structures import PointCloud
from folk_ros.student.mask_fields import pick_seeds
from folk_ros.student.query_student import student_input
from folk_ros.student.student import Student, StudentConfig
from folk_ros.voxels import voxelize

RECORDED = Path(__file__).parent / 'data' / 'seeds_reference.safetensors'
SMALL = StudentConfig(
    encoder=(8, 8, 12, 12), decoder=(8, 8, 8), decoder_reads=(2, 1), embedding_dim=6
)


def made_weights(student):
    """Weights from numpy's generator, whose numbers are the same everywhere."""
    rng = np.random.default_rng(0)
    made = {}
    for name, old in sorted(student.state_dict().items()):
        noise = rng.normal(size=old.shape).astype(np.float32)
        if 'num_batches' in name:
            made[name] = old
        elif name.endswith('running_var') or ('norm' in name and name.endswith('.weight')):
            made[name] = torch.from_numpy(np.abs(noise) * 0.2 + 0.9)
        elif old.dim() < 2:
            made[name] = old.new_zeros(()) + torch.from_numpy(noise) * 0.1
        else:
            wide = old.shape[1] * (12 if old.dim() == 3 else 1)
            made[name] = torch.from_numpy(noise / np.sqrt(wide).astype(np.float32))
    made['fields.out.bias'][19 + 16] += 1.0  # mask bias
    made['fields.out.bias'][19 + 17 : 19 + 19] += 2.0  # sharpness
    return made


def scene():
    rng = np.random.default_rng(1)
    floor = np.c_[rng.uniform(0, 2, (2500, 2)), np.zeros(2500)]
    boxes = [rng.uniform(0, 0.3, (400, 3)) + [0.2 + 0.5 * k, 0.5, 0.05] for k in range(3)]
    xyz = np.concatenate([floor, *boxes]).astype(np.float32)
    rgb = rng.integers(0, 256, xyz.shape).astype(np.uint8)
    return voxelize(PointCloud(xyz, rgb), 0.04)


def test_the_same_weights_give_the_same_masks():
    student = Student(SMALL).eval()
    student.load_state_dict(made_weights(student))
    student.double()  # recorded in float32: so only that rounding is between the two
    recorded = {
        name: value if name == 'seeds' else value.double()
        for name, value in load_file(RECORDED).items()
    }
    some = slice(None, None, 7)  # of the voxels were recorded
    with torch.no_grad():
        voxels = scene()
        levels = student.build_levels_of(voxels)
        features, fields = student.features(student_input(voxels).double(), levels)
        seeds = recorded['seeds']
        stages = student.decoder(seeds, features, levels, fields)
        masks = [student.decoder.masks(stage, fields) for stage in stages]
        quality = student.quality(seeds, stages[-1], fields, masks[-1].sigmoid())
        pooled = torch.linspace(-1, 1, 5 * student.adapter.norm.num_features).view(5, -1).double()
        embeddings = student.adapter(pooled)
    assert torch.equal(pick_seeds(fields, 0.1, 5), seeds[:5])
    assert torch.allclose(fields.shifted[some], recorded['shifted'], atol=1e-5)
    assert len(stages) == 3
    for number, logits in enumerate(masks):
        expected = recorded[f'logits_{number}']
        assert torch.allclose(logits[:, some].sigmoid(), expected.sigmoid(), atol=1e-5)
        assert torch.allclose(logits[:, some], expected, rtol=1e-4, atol=1e-4)
    for number in (1, 2):
        guess = student.decoder.expected_iou(stages[number])
        assert torch.allclose(guess, recorded[f'iou_{number}'], atol=1e-5)
    assert torch.allclose(quality, recorded['quality'], atol=1e-5)
    assert torch.allclose(embeddings, recorded['embeddings'], atol=1e-5)


def digest(named):
    shapes = [(name, tuple(value.shape)) for name, value in named]
    return hashlib.sha256(repr(shapes).encode()).hexdigest()[:16]


def test_tensors_keep_their_names_and_parameters_their_order():
    """An optimiser's state knows its parameters by number alone."""
    student = Student(StudentConfig())
    assert digest(student.named_parameters()) == '1fb25a4ede87831e'
    assert digest(sorted(student.state_dict().items())) == '87a62909e8c96b83'
