"""Reading a batch in parts gives what reading it at once gives."""

import random
from typing import Any, List, Tuple

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_relext.annotations.store import has_relations
from spacy_relext.rere import windows
from spacy_relext.rere.windows import make_windows


@given(st.lists(st.integers(1, 30), max_size=30), st.integers(1, 200), st.randoms())
def test_parts_are_small_and_hold_all_windows(lengths: List[int], cells: int, draw: random.Random) -> None:
    doc = Doc(Vocab(), ["x"] * sum(lengths), sent_starts=[i == 0 for n in lengths for i in range(n)])
    whole, rows = make_windows([doc]), numpy.asarray([draw.randrange(5) for _ in lengths], dtype="int64")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "CELLS", cells)
        parts = list(whole.cut(rows))
    assert [i for part in parts for i in range(part.start, part.stop)] == list(range(len(lengths)))
    for part in parts:
        size = max(lengths[part]) * int((1 + rows[part]).sum())
        assert size <= cells or part.stop == part.start + 1


@pytest.mark.parametrize("cells", [1, 60])
def test_parts_change_nothing(
    nlp: Language, examples: List[Example], monkeypatch: pytest.MonkeyPatch, cells: int
) -> None:
    """Relations, triples and near misses, whatever the lengths of sentences are."""
    texts = [" ".join(example.reference.text for example in examples[at::3]) for at in range(3)] + ["", "Hm."]
    extractor: Any = nlp.get_pipe("rere_extractor")
    extractor.cfg["threshold"] = 0.02

    def read() -> List[Tuple[Any, ...]]:
        found: List[Tuple[Any, ...]] = []
        for doc in nlp.pipe(texts):
            triples = [(t.subject.text, t.relation, t.object.text, round(t.score, 4)) for t in doc._.triples]
            misses = extractor.near_misses(doc) if has_relations(doc) else []
            found.append((triples, [(miss.relation, miss.stopped_by, round(miss.score, 4)) for miss in misses]))
        return found

    whole = read()
    assert sum(len(triples) for triples, _ in whole) > 5
    monkeypatch.setattr(windows, "CELLS", cells)
    assert read() == whole
