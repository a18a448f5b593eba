"""Label-guided distillation loss (FOLK section 3.3, Eq. 11-12)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from folk_ros.training.distill.recipes import Recipe


def distillation_loss(
    student: Tensor, teacher: Tensor, text: Tensor, odds: Tensor, recipe: Recipe
) -> dict[str, Tensor]:
    """
    Return the weighted terms: contrastive against 2D embeddings, cross-entropy against labels.

    `student` [I, D], `teacher` [I, D] and `text` [B, D] have unit length; `odds` [I, B] are the
    probabilities of the names.
    """
    terms = {}
    if recipe.contrastive:
        similarity = student @ teacher.t() / recipe.temperature  # [I, I]
        same = torch.zeros_like(similarity, dtype=torch.bool)
        if recipe.spare_same:
            label = odds.argmax(1)
            same = (label[:, None] == label[None]) & ~torch.eye(len(label), dtype=torch.bool)
        value = info_nce(similarity, same, recipe.hard_negatives)
        value = (value + info_nce(similarity.t(), same, recipe.hard_negatives)) / 2
        terms['contrastive'] = recipe.contrastive * value
    if recipe.label:
        names = F.cross_entropy(student @ text.t() / recipe.temperature, odds)
        terms['label'] = recipe.label * names
    if recipe.cosine:
        terms['cosine'] = recipe.cosine * (1 - (student * teacher).sum(1).mean())
    return terms


def info_nce(logits: Tensor, same: Tensor, hardness: float) -> Tensor:
    """
    Return InfoNCE of logits [I, I] whose positives stand on the diagonal.

    Pairs that are the `same` [I, I] are left out. With `hardness` above 0 negatives that are
    nearer weigh more, by exp(hardness * logit) over its mean (Robinson et al., ICLR 2021).
    """
    own = torch.eye(len(logits), dtype=torch.bool)
    logits = logits.masked_fill(same, float('-inf'))
    if hardness:
        negative = (hardness * logits.detach()).masked_fill(own, float('-inf'))
        left = (~same & ~own).sum(1, keepdim=True).clamp(min=1)
        weight = negative.log_softmax(1) + left.log()  # log of weights with mean 1
        logits = torch.where(own | same, logits, logits + weight)
    return F.cross_entropy(logits, torch.arange(len(logits)))
