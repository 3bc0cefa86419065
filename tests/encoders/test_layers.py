"""Buckets of distances, and mixes of layers."""

import torch

from spacy_relext.encoders.layers import N_BUCKETS, bucket_distance
from spacy_relext.encoders.transformer import mix_layers


def test_distance_buckets_keep_the_direction() -> None:
    distances = torch.tensor([0, 1, 5, 6, 10, 11, 640, 641, 5000])
    forwards, backwards = bucket_distance(distances), bucket_distance(-distances)
    assert forwards.tolist() == [12, 13, 17, 18, 18, 19, 24, 24, 24]
    assert (forwards - 12 == 12 - backwards).all() and backwards.min() == 0 and N_BUCKETS == 25


def test_a_mix_of_layers_is_in_fp32() -> None:
    layers = [torch.ones(1, 2, 2), torch.full((1, 2, 2), 3.0, dtype=torch.bfloat16, requires_grad=True)]
    mixed = mix_layers(torch.tensor([0.25, 0.75]), layers)
    assert mixed.dtype == torch.float32 and mixed.tolist() == [[[2.5, 2.5], [2.5, 2.5]]]
    mixed.sum().backward()
    assert layers[1].grad is not None and layers[1].grad.tolist() == [[[0.75, 0.75], [0.75, 0.75]]]
