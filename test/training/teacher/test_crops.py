from __future__ import annotations

import numpy as np
import torch

from folk_ros.training.teacher.crops import crop_boxes, CropConfig, embed_by_crops


def mask_of(top, bottom, left, right, shape=(100, 200)):
    mask = np.zeros(shape, bool)
    mask[top:bottom, left:right] = True
    return mask


class Sizes:
    """Embeds a crop by its height and width."""

    name, dim = 'sizes', 2

    def embed_crops(self, crops):
        found = torch.tensor([[c.shape[1], c.shape[2]] for c in crops]).float()
        return torch.nn.functional.normalize(found, dim=1)


def test_each_level_is_wider_by_the_same_step():
    boxes = crop_boxes(mask_of(40, 61, 50, 90), CropConfig())
    assert boxes == [(40, 61, 50, 90), (38, 63, 46, 94), (36, 65, 42, 98)]


def test_crops_end_at_the_border_of_the_image():
    boxes = crop_boxes(mask_of(0, 60, 150, 200), CropConfig(levels=2))
    assert boxes[1] == (0, 66, 145, 200)


def test_an_instance_is_the_mean_of_its_unit_crops_and_an_empty_mask_is_zeros():
    masks = [mask_of(10, 20, 10, 20), mask_of(0, 0, 0, 0), mask_of(10, 20, 0, 40)]
    found = embed_by_crops(torch.zeros(3, 100, 200), masks, Sizes(), CropConfig(levels=1))
    assert np.allclose(found[0], np.sqrt([0.5, 0.5]), atol=1e-6)
    assert not found[1].any()
    assert np.allclose(found[2], np.array([10, 40]) / np.hypot(10, 40), atol=1e-6)


def test_masks_that_are_all_empty_ask_nothing_of_the_tower():
    found = embed_by_crops(torch.zeros(3, 9, 9), [np.zeros((9, 9), bool)], Sizes(), CropConfig())
    assert found.shape == (1, 2) and not found.any()
