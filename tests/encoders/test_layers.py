"""Buckets of distances, and where second texts stand."""

import pytest
import torch
from transformers import AutoConfig, AutoModel

from spacy_relext.encoders.layers import N_BUCKETS, LayerStack, bucket_distance


def test_distance_buckets_keep_the_direction() -> None:
    distances = torch.tensor([0, 1, 5, 6, 10, 11, 640, 641, 5000])
    forwards, backwards = bucket_distance(distances), bucket_distance(-distances)
    assert forwards.tolist() == [12, 13, 17, 18, 18, 19, 24, 24, 24]
    assert (forwards - 12 == 12 - backwards).all() and backwards.min() == 0 and N_BUCKETS == 25


@pytest.mark.parametrize("kind", ["bert", "roberta", "electra"])
@pytest.mark.parametrize("wanted, begin", [(5, 5), (10, 6), (16, 0)])  # the table has 16 positions
def test_second_texts_stand_behind_the_first(kind: str, wanted: int, begin: int) -> None:
    torch.manual_seed(0)
    sizes = {"hidden_size": 8, "embedding_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 9}
    known = 16 + (2 if kind == "roberta" else 0)  # of which RoBERTa does not use the first two
    config = AutoConfig.for_model(kind, **sizes, intermediate_size=8, max_position_embeddings=known, type_vocab_size=2)
    transformer = AutoModel.from_config(config).eval()
    ids = torch.tensor([[3, 4, 5]])
    words = transformer.get_input_embeddings()(ids)
    positions = torch.arange(begin, begin + 3)[None] + (2 if kind == "roberta" else 0)
    output = transformer(
        ids, position_ids=positions, token_type_ids=torch.ones_like(ids), output_hidden_states=True
    ).hidden_states[0]
    torch.testing.assert_close(LayerStack(transformer).embed(words, second_from=wanted), output)
