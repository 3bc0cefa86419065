"""Baselines for SelfORE's clusters: k-means on vectors of the same encoder, without fine-tuning."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy
import torch
from spacy.language import Language
from tokenizers import Tokenizer
from transformers import AutoModel

from benchmarks.harness.pairs import read_examples
from benchmarks.harness.runs import digest
from spacy_relext.pairs.pairs import Pairs
from spacy_relext.pairs.suggesters import AnnotatedPairs

BATCH = 64
PARTS = ("subject", "object", "between", "sentence", "subject_start", "object_start")
# Name → which vectors are joined.
BASELINES: dict[str, tuple[str, ...]] = {
    "k-means, argument spans": ("subject", "object"),
    "k-means, argument spans and words between": ("subject", "object", "between"),
    "k-means, first pieces of the arguments": ("subject_start", "object_start"),
    "k-means, sentence": ("sentence",),
}


def encode(nlp: Language, corpus: Path, encoder: Path, folder: Path, *, threads: int) -> dict[str, numpy.ndarray]:
    """Encode the pairs of a corpus with the last layer of an encoder, or read their stored vectors.

    RETURNS (dict[str, numpy.ndarray]): For each of `PARTS` the vectors, in the order of the corpus. Shapes (N, D)
    """
    path = folder / f"vectors-{digest(corpus)}-{encoder.name}.npz"
    if not path.exists():
        torch.set_num_threads(threads)
        docs = [example.reference for example in read_examples(nlp, corpus)]
        rows = list(_encode(AnnotatedPairs()(docs), encoder))
        path.parent.mkdir(parents=True, exist_ok=True)
        numpy.savez(path, **{part: numpy.stack([row[part] for row in rows]) for part in PARTS})
    return dict(numpy.load(path))


@torch.inference_mode()
def _encode(pairs: Pairs, encoder: Path) -> Iterator[dict[str, numpy.ndarray]]:
    """Yield the vectors of each pair."""
    tokenizer, model = Tokenizer.from_file(str(encoder / "tokenizer.json")), AutoModel.from_pretrained(encoder).eval()
    tokenizer.no_padding()
    tokenizer.enable_truncation(model.config.max_position_embeddings)
    for start in range(0, len(pairs), BATCH):
        numbers = range(start, min(start + BATCH, len(pairs)))
        words = [[token.text for token in pairs.docs[pairs.doc[number]]] for number in numbers]
        encoded = tokenizer.encode_batch(words, is_pretokenized=True)
        width = max(len(each.ids) for each in encoded)
        ids = torch.tensor([each.ids + [0] * (width - len(each.ids)) for each in encoded])
        mask = torch.tensor([[1] * len(each.ids) + [0] * (width - len(each.ids)) for each in encoded])
        states = model(input_ids=ids, attention_mask=mask).last_hidden_state.numpy()
        for number, each, state in zip(numbers, encoded, states):
            token_of = numpy.asarray([-1 if word is None else word for word in each.word_ids])
            yield _parts(state[: len(token_of)], token_of, pairs.subject[number], pairs.object[number])


def _parts(
    state: numpy.ndarray, token_of: numpy.ndarray, subject: numpy.ndarray, obj: numpy.ndarray
) -> dict[str, numpy.ndarray]:
    """Average the states over each part of a text; 0 without pieces. `token_of` has the token of each piece, or -1."""

    def mean(start: int, end: int) -> numpy.ndarray:
        inside = (token_of >= start) & (token_of < end)
        return state[inside].mean(0) if inside.any() else numpy.zeros_like(state[0])

    def first(start: int) -> numpy.ndarray:
        inside = numpy.flatnonzero(token_of == start)
        return state[inside[0]] if len(inside) else numpy.zeros_like(state[0])

    left, right = sorted((subject.tolist(), obj.tolist()))
    return {
        "subject": mean(*subject),
        "object": mean(*obj),
        "between": mean(left[1], right[0]),
        "sentence": state.mean(0),
        "subject_start": first(subject[0]),
        "object_start": first(obj[0]),
    }
