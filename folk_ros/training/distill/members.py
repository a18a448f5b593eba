"""Several adapters as one: the mean of what they say is what a wider adapter says."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn, Tensor

from folk_ros.student.vl_adapter import VLAdapter


@torch.no_grad()
def as_one(adapters: Sequence[VLAdapter]) -> VLAdapter:
    """
    Return an adapter that gives the mean of what adapters [M] of one form give, before its norm.

    They must have read the same features, so that they share the statistics of these; none may
    have attention of its own. It costs M times their MLP and nothing else.
    """
    first, count = adapters[0], len(adapters)
    if count == 1:
        return first
    if any(adapter.attention is not None for adapter in adapters):
        raise ValueError('adapters with attention cannot be made one; take members = 1')
    if not all(torch.equal(_mean_of(adapter), _mean_of(first)) for adapter in adapters):
        raise ValueError('the adapters were made for different features and cannot be made one')
    into, out = [_layer(a, 0) for a in adapters], [_layer(a, -1) for a in adapters]
    width = sum(layer.out_features for layer in into)
    one = VLAdapter(into[0].in_features, width, out[0].out_features)
    one.norm.load_state_dict(first.norm.state_dict())
    _layer(one, 0).weight.copy_(torch.cat([layer.weight for layer in into]))
    _layer(one, 0).bias.copy_(torch.cat([layer.bias for layer in into]))
    _layer(one, -1).weight.copy_(torch.cat([layer.weight for layer in out], 1) / count)
    _layer(one, -1).bias.copy_(torch.stack([layer.bias for layer in out]).mean(0))
    return one.eval()


def _layer(adapter: VLAdapter, place: int) -> nn.Linear:
    layer = adapter.mlp[place]
    assert isinstance(layer, nn.Linear)
    return layer


def _mean_of(adapter: VLAdapter) -> Tensor:
    mean = adapter.norm.running_mean
    assert mean is not None
    return mean
