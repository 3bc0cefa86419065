"""Sentences with very many entities: the nearest pairs are read, and the others are counted."""

from itertools import permutations
from typing import Any, List, Tuple

import numpy
import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example
from thinc.api import Config, Model

from spacy_relext import set_triples
from spacy_relext.bridge.modules import narrow_vectors
from spacy_relext.pairs import component
from spacy_relext.pairs.pairs import Pairs
from spacy_relext.pairs.suggesters import EntityPairs
from spacy_relext.pipeline.settings import TOK2VEC

NLP = spacy.blank("en")


def crowd(*counts: int) -> Doc:
    """Sentences with so many entities each, a word after each of them."""
    words, starts, ents = [], [], []
    for count in counts:
        starts.append(len(words))
        for number in range(count):
            ents.append(len(words))
            words += [f"Ada{number}", "and"]
        words.append(".")
    doc = Doc(NLP.vocab, words=words, sent_starts=[number in starts for number in range(len(words))])
    doc.set_ents([Span(doc, start, start + 1, "PERSON") for start in ents])
    return doc


def places(pairs: Pairs) -> List[Tuple[int, int]]:
    return list(zip(pairs.subject[:, 0].tolist(), pairs.object[:, 0].tolist()))


def test_up_to_the_limit_all_pairs_are_suggested_as_ever() -> None:
    doc = crowd(6)
    expected = [(2 * first, 2 * second) for first, second in permutations(range(6), 2)]
    for limit in (30, 31, 0, 2000):
        pairs = EntityPairs(max_pairs=limit)([doc])
        assert places(pairs) == expected and pairs.dropped == 0


def test_the_nearest_pairs_are_suggested_in_the_usual_order() -> None:
    pairs = EntityPairs(max_pairs=10)([crowd(6)])
    near = [(2 * first, 2 * second) for first, second in permutations(range(6), 2) if abs(first - second) == 1]
    assert places(pairs) == near and pairs.dropped == 20
    pairs = EntityPairs(max_pairs=12)([crowd(6, 3)])
    assert len(pairs) == 12 + 6 and pairs.dropped == 18


def test_what_other_settings_exclude_does_not_count() -> None:
    doc = crowd(6)
    for number, ent in enumerate(doc.ents):
        doc[ent.start].ent_kb_id_ = "Q2" if number == 5 else "Q1"
    pairs = EntityPairs(max_pairs=5)([doc])
    assert places(pairs) == [(4, 10), (6, 10), (8, 10), (10, 6), (10, 8)]


@pytest.mark.parametrize("count", [500, 1000])
def test_hundreds_of_entities_are_no_burden(count: int) -> None:
    pairs = EntityPairs()([crowd(count)])
    assert len(pairs) == 2000 and pairs.dropped == count * (count - 1) - 2000
    assert numpy.abs(pairs.subject[:, 0] - pairs.object[:, 0]).max() <= 2 * (2000 // count)


@pytest.fixture(scope="module")
def classifier() -> Any:
    """An initialized classifier over an encoder that reads whole Docs."""
    nlp = spacy.blank("en")
    encoder = Config().from_str(f"[encoder]\n{TOK2VEC}")["encoder"]
    pipe = nlp.add_pipe("kd_classifier", config={"model": {"encoder": encoder}})
    gold = crowd(4, 4)
    set_triples(gold, [(gold.ents[0], "met", gold.ents[1])])
    example = Example(gold.copy(), gold)
    nlp.initialize(lambda: [example])
    return pipe


def test_a_document_is_encoded_once_however_many_parts_its_pairs_have(
    classifier: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = [crowd(*(5 for _ in range(30))), crowd(7), crowd(3, 1)]
    instances = classifier.suggest(docs)
    whole = classifier.run(instances)
    monkeypatch.setattr(component, "CELLS", 300)
    assert len(list(classifier.split(instances))) > 20
    tok2vec, predict = classifier.model.layers[0], Model.predict
    seen: List[Doc] = []

    def predict_and_note(self: Model, batch: Any) -> Any:
        seen.extend(batch if self is tok2vec else ())
        return predict(self, batch)

    monkeypatch.setattr(Model, "predict", predict_and_note)
    parts = classifier.run(instances)
    assert len(seen) == 3 and all(any(doc is each for each in seen) for doc in docs)
    assert numpy.abs(whole.logits - parts.logits).max() < 1e-4
    assert "relext_kept_vectors" not in classifier.model.attrs


@pytest.mark.parametrize("seed", range(5))
def test_vectors_that_no_pair_reads_are_left_out(classifier: Any, seed: int) -> None:
    rng = numpy.random.default_rng(seed)
    lengths = rng.integers(0, 9, size=5).tolist()
    sequences = [rng.normal(size=(length, 3)) for length in lengths]
    total = sum(lengths)
    index = numpy.where(rng.random((4, 3)) < 0.7, rng.integers(0, max(1, total), (4, 3)), -1)
    arrays, narrowed = narrow_vectors(classifier.model, {"index": index}, sequences)
    flat, small, places = numpy.concatenate(sequences), numpy.concatenate(narrowed), arrays["index"]
    assert ((places >= 0) == (index >= 0)).all()
    assert (flat[index[index >= 0]] == small[places[places >= 0]]).all()
