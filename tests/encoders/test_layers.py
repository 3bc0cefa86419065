"""Buckets of distances."""

import torch

from spacy_relext.encoders.layers import N_BUCKETS, bucket_distance


def test_distance_buckets_keep_the_direction() -> None:
    distances = torch.tensor([0, 1, 5, 6, 10, 11, 640, 641, 5000])
    forwards, backwards = bucket_distance(distances), bucket_distance(-distances)
    assert forwards.tolist() == [12, 13, 17, 18, 18, 19, 24, 24, 24]
    assert (forwards - 12 == 12 - backwards).all() and backwards.min() == 0 and N_BUCKETS == 25
