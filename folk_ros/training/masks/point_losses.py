"""
Losses of queries from furthest points, which do not know what they will find: as in Mask3D.

After every layer the instances are matched with the queries that suit them best, one to one
(Carion et al., DETR, ECCV 2020). Those learn the masks, all others that they are no object.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from folk_ros.student.engine import Level
from folk_ros.student.mask_decoder import Queries
from folk_ros.student.mask_fields import MaskFields
from folk_ros.student.query_sources import furthest_points
from folk_ros.student.query_student import QueryStudent
from folk_ros.training.masks.assignment import assign
from folk_ros.training.masks.samples import Sample
from folk_ros.training.masks.set_losses import mask_costs, mask_losses

QUERIES = 100  # per crop
VOXELS = 4096  # of a crop, at random, by which queries and instances are matched
CLASS = 2.0  # weight of the class loss, in matching and learning
NO_OBJECT = 0.1  # weight of "no object" in it


def point_losses(
    student: QueryStudent,
    features: list[Tensor],
    levels: list[Level],
    fields: MaskFields,
    sample: Sample,
) -> dict[str, Tensor]:
    """Mask and class losses of a crop, at first and after each layer."""
    first = int(torch.randint(len(fields.place), ()))
    starts = furthest_points(fields.place, QUERIES, first)
    cared = sample.instance >= -1
    rows = cared.nonzero()[:, 0]
    rows = rows[torch.randperm(len(rows))[:VOXELS].to(rows.device)]
    instance = torch.arange(len(sample.label), device=rows.device)
    target = sample.instance[None] == instance[:, None]  # [T, V]
    kinds = _kinds(sample.label, student.decoder.config.classes)
    losses = {}
    for number, stage in enumerate(student.decoder(starts, features, levels, fields)):
        classes = student.decoder.judged(stage)
        query = match(student, stage, classes, fields.rows(rows), target[:, rows], kinds)
        met = (query >= 0).nonzero()[:, 0]
        if len(met):
            logits = student.decoder.masks(stage.rows(query[met]), fields)
            losses[f'mask_{number}'] = mask_losses(logits, target[met], cared)
        losses[f'class_{number}'] = _class_loss(classes, query[met], kinds[met])
    return losses


def match(
    student: QueryStudent,
    stage: Queries,
    classes: Tensor,
    fields: MaskFields,
    target: Tensor,
    kinds: Tensor,
) -> Tensor:
    """Return the query [T] of each instance, -1 for none, by masks over some voxels."""
    with torch.no_grad():
        cost = mask_costs(student.decoder.masks(stage, fields), target)
        sure = classes.softmax(1)[:, kinds.clamp(min=0)].t()  # [T, Q]
        cost = cost - CLASS * sure * (kinds >= 0)[:, None]
        return torch.from_numpy(assign(cost.cpu().numpy())).to(target.device)


def _kinds(label: Tensor, classes: int) -> Tensor:
    """Return the class [T] to be learnt, -1 for none: there may be but one, "object"."""
    if classes == 1:
        return torch.zeros_like(label)
    return torch.where(label < classes, label, -1)


def _class_loss(classes: Tensor, query: Tensor, kinds: Tensor) -> Tensor:
    """Cross-entropy of logits [Q, classes + 1]; the queries [T] that met something are kinds."""
    nothing = classes.shape[1] - 1
    wanted = query.new_full((len(classes),), nothing)
    wanted[query] = kinds
    weight = classes.new_ones(nothing + 1)
    weight[nothing] = NO_OBJECT
    return CLASS * F.cross_entropy(classes, wanted, weight, ignore_index=-1)
