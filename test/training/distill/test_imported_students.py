import numpy as np
import torch

from folk_ros.instances import masks_from_owners
from folk_ros.structures import PointCloud
from folk_ros.student.mask3d import Mask3D, Mask3DConfig
from folk_ros.student.mask_decoder import DecoderConfig
from folk_ros.student.res16unet import Res16UNetConfig
from folk_ros.student.weights import save_student
from folk_ros.training.distill.features import GIVEN, see
from folk_ros.training.distill.given_masks import GivenMasks
from folk_ros.training.distill.recipes import PAPER
from folk_ros.training.distill.run import with_pooling
from folk_ros.training.masks.trained import load_trained

TINY = Mask3DConfig(
    voxel_size_m=0.05,
    backbone=Res16UNetConfig(
        stem=4,
        encoder=(4, 4, 4, 4),
        decoder=(4, 4, 4, 6),
        encoder_blocks=(1, 1, 1, 1),
        decoder_blocks=(1, 1, 1, 1),
    ),
    decoder=DecoderConfig(width=8, heads=2, feed=8, rounds=1, queries=5, classes=2),
)


class Words:
    name, dim = 'toy', 4


def test_an_imported_network_of_masks_is_taken_as_the_frozen_half(tmp_path):
    torch.manual_seed(0)
    network = Mask3D(TINY).eval()
    save_student(tmp_path / 'student.safetensors', network, None, half=False)
    student = with_pooling(load_trained(tmp_path), PAPER, Words(), 'toy_tower')
    config = student.config
    assert (config.clip, config.text_tower, config.embedding_dim) == ('toy', 'toy_tower', 4)
    assert torch.equal(student.decoder.classes.weight, network.decoder.classes.weight)
    rng = np.random.default_rng(0)
    xyz = rng.uniform(0, 0.5, (2000, 3)).astype(np.float32)
    xyz[1000:, 0] += 1.0
    instance = np.repeat([0, 1], 1000).astype(np.int32)
    rgb = rng.integers(0, 255, (2000, 3)).astype(np.uint8)
    given = GivenMasks(PointCloud(xyz, rgb), *masks_from_owners(instance))
    seen = see(student, given, 0, rng)
    rows = seen.origin == GIVEN
    assert seen.plain.shape[1] == 6  # FOLK's form: the finest features alone
    assert seen.owner[rows].tolist() == [0, 1]
    pooled = torch.from_numpy(seen.plain[rows])
    assert student.adapter(pooled).shape == (2, 4)
