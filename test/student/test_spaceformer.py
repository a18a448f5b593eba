"""SpaCeFormer around its network, which runs on CUDA in a package of its own: never here."""

import numpy as np
import pytest
import torch
from torch import nn

from folk_ros.config import FolkConfig, SegmentConfig
from folk_ros.pipeline import Folk
from folk_ros.query import Vocabulary
from folk_ros.structures import PointCloud
from folk_ros.student.spaceformer import object_quality, SpaceFormer, SpaceFormerConfig
from folk_ros.voxels import voxelize

QUERIES, DIM = 200, 1152
SPACE = SpaceFormerConfig().clip


class RecordedNetwork(nn.Module):
    """Answers in the shapes of the released network: three things, one of them twice."""

    def __init__(self, dim=DIM):
        super().__init__()
        self.anywhere = nn.Parameter(torch.zeros(1))
        self.dim = dim

    def forward(self, data):
        self.asked = data
        x = data['coord'][:, 0]
        torch.manual_seed(0)
        logit = torch.tensor([-6.0, 6.0]).expand(1, QUERIES, 2).clone()  # object, background
        mask = torch.full((len(x), QUERIES), -8.0)
        for query, (low, high, sure) in enumerate(
            [(0.0, 1.0, 2.0), (0.0, 0.9, 1.0), (1.0, 2.0, 3.0), (2.0, 2.02, 4.0)]
        ):
            mask[(x >= low) & (x < high), query] = 8.0
            logit[0, query] = torch.tensor([sure, 0.0])
        return {'logit': logit, 'mask': [mask], 'clip_feat': 5 * torch.randn(1, QUERIES, self.dim)}


class Words:
    name = SPACE
    dim = DIM

    def encode(self, texts):
        return np.eye(len(texts), DIM, dtype=np.float32)


def cloud(count=6000):
    rng = np.random.default_rng(0)
    xyz = rng.uniform(0, [3, 0.2, 0.1], (count, 3)).astype(np.float32)
    return PointCloud(xyz, rng.integers(0, 256, (count, 3)).astype(np.uint8))


def build(dim=DIM):
    return SpaceFormer(SpaceFormerConfig(), RecordedNetwork(dim)).eval()


def test_raw_output_becomes_instances_of_enough_points_best_first():
    vocabulary = Vocabulary(('a',), np.eye(1, DIM, dtype=np.float32), 100.0, 0.05)
    settings = FolkConfig(segment=SegmentConfig(device='cpu', min_points=60))
    folk = Folk(build(), vocabulary, Words(), settings)
    points = cloud()
    found = folk.segment(points)
    # the mask of 2 cm has too few points, the second lies in the first, the rest is background
    assert len(found) == 2
    assert np.all(np.diff(found.quality) <= 0)
    assert found.quality[0] == pytest.approx(
        float(torch.tensor([3.0, 0.0]).softmax(0)[0]), abs=1e-3
    )
    assert found.embeddings.shape == (2, DIM)
    assert np.allclose(np.linalg.norm(found.embeddings, axis=1), 1, atol=1e-5)
    x = points.xyz[found.points_of(0), 0]
    assert x.min() > 0.97 and x.max() < 2.03


def test_the_network_is_asked_in_metres_with_colours_from_minus_one_to_one():
    student = build()
    voxels = voxelize(cloud(), 0.02)
    student.predict(voxels, 0.1, 0.5)
    asked = student.net.asked
    assert torch.equal(asked['coord'], torch.from_numpy(voxels.centres))
    assert torch.allclose(asked['feat'], torch.from_numpy(voxels.rgb) * 2 - 1)
    assert asked['offset'].tolist() == [0, len(voxels)]


def test_a_cloud_without_colour_is_grey():
    student = build()
    student.predict(voxelize(PointCloud(cloud().xyz), 0.02), 0.1, 0.5)
    assert not student.net.asked['feat'].any()


def test_where_nothing_is_sure_nothing_is_found():
    found = build().predict(voxelize(cloud(), 0.02), 0.99, 0.5)
    assert len(found.quality) == len(found.owner) == 0
    assert found.embeddings.shape == (0, DIM)


def test_quality_is_sureness_times_mean_mask_probability():
    masks = torch.tensor([[2.0, 1.0, -5.0], [-1.0, -1.0, -1.0]])
    objectness = torch.tensor([[1.0, 0.0], [9.0, 0.0]])
    expected = torch.tensor([1.0, 0.0]).softmax(0)[0] * masks[0, :2].sigmoid().mean()
    assert object_quality(objectness, masks).tolist() == pytest.approx([float(expected), 0.0])


def test_outputs_of_another_version_are_refused_with_both_sides():
    with pytest.raises(
        ValueError, match=r"'clip_feat': \[1, 200, 1152\].*'clip_feat': \[1, 200, 8"
    ):
        build(dim=8).predict(voxelize(cloud(), 0.02), 0.1, 0.5)


@pytest.mark.skipif(torch.cuda.is_available(), reason='may be installed here')
def test_without_its_package_or_a_gpu_it_says_what_it_needs():
    with pytest.raises(RuntimeError, match='needs a CUDA device and the package warpconvnet'):
        SpaceFormer(SpaceFormerConfig())
