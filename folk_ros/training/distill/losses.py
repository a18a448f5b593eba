"""Label-guided distillation loss (FOLK section 3.3, Eq. 11-12)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def distillation_loss(
    student: Tensor, teacher: Tensor, text: Tensor, label: Tensor, temperature: float
) -> dict[str, Tensor]:
    """
    Return the two terms: contrastive against 2D embeddings, cross-entropy against voted labels.

    `student` [I, D], `teacher` [I, D] and `text` [B, D] have unit length; `label` [I] indexes the
    vocabulary. Instances with the same label are no negatives of each other: two chairs may look
    alike.
    """
    similarity = student @ teacher.t() / temperature  # [I, I]
    same = (label[:, None] == label[None]) & ~torch.eye(len(label), dtype=torch.bool)
    similarity = similarity.masked_fill(same, float('-inf'))
    own = torch.arange(len(label))
    forward = F.cross_entropy(similarity, own)
    backward = F.cross_entropy(similarity.t(), own)
    names = F.cross_entropy(student @ text.t() / temperature, label)
    return {
        'contrastive': (forward + backward) / 2,
        'cosine': 1 - (student * teacher).sum(1).mean(),
        'label': names,
    }
