"""Perturbations of texts that are cached for the next epoch."""

import copy
import pickle

import pytest
import torch

from spacy_relext.encoders.adversary import PerturbationCache

IDS = torch.tensor([[5, 6, 7, 0], [5, 6, 0, 0], [8, 9, 5, 6]])
MASK = torch.tensor([[1, 1, 1, 0], [1, 1, 0, 0], [1, 1, 1, 1]]).bool()


def perturbations() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(3, 4, 6) * MASK[..., None] * torch.tensor([1.0, 1e-4, 100.0])[:, None, None]


def test_what_is_kept_is_result_to_eight_bits_whatever_the_padding() -> None:
    cache, stored = PerturbationCache(), perturbations()
    assert not cache.lookup(IDS, MASK, 6).any()
    cache.store(IDS, MASK, stored)
    assert len(cache) == 3 and not cache.is_full
    for row in range(3):
        error = (cache.lookup(IDS, MASK, 6) - stored)[row].abs().max()
        assert error <= stored[row].abs().max() / 254 * 1.001
    wide = torch.cat([IDS[1:2], torch.zeros(1, 3, dtype=torch.long)], 1)
    again = cache.lookup(wide, wide > 0, 6)
    assert torch.equal(again[:, :4], cache.lookup(IDS, MASK, 6)[1:2]) and not again[:, 4:].any()


def test_the_last_perturbation_of_a_text_replaces_earlier_ones() -> None:
    cache, stored = PerturbationCache(), perturbations()
    cache.store(IDS, MASK, stored)
    cache.store(IDS[:1], MASK[:1], torch.zeros(1, 4, 6))
    assert len(cache) == 3
    assert not cache.lookup(IDS, MASK, 6)[0].any() and cache.lookup(IDS, MASK, 6)[2].any()


def test_a_full_cache_stores_no_new_texts_but_updates_those_it_has() -> None:
    cache, stored = PerturbationCache(3 * 6 + 2 * 6 + 1), perturbations()
    with pytest.warns(UserWarning, match=r"^\[W407\] The adversarial perturbations of 2 texts fill the cache"):
        cache.store(IDS, MASK, stored)
    assert cache.is_full and len(cache) == 2
    cache.store(IDS, MASK, -stored)
    result = cache.lookup(IDS, MASK, 6)
    assert len(cache) == 2 and not result[2].any()
    assert torch.allclose(result[:2], -stored[:2], atol=0.02)


def test_copies_start_empty() -> None:
    cache = PerturbationCache()
    cache.store(IDS, MASK, perturbations())
    assert len(copy.deepcopy(cache)) == 0 and len(pickle.loads(pickle.dumps(cache))) == 0
