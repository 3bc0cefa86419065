"""Triples on the Doc: what survives, what is replaced, what is refused."""

import copy
import pickle
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, List, Tuple

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Span

from spacy_relext import Triple, get_records, has_triples, set_triples
from spacy_relext.annotations.store import (
    COREF_KEY,
    LENGTH_KEY,
    REJECTED_KEY,
    RELATIONS_KEY,
    TRIPLES_KEY,
    char_span,
    get_coref,
    get_rejected,
    get_relations,
    has_relations,
    relations_by_sentence,
    replace_gold,
    set_coref,
    set_rejected,
    set_relations,
)

NLP = spacy.blank("en")
NLP.add_pipe("sentencizer")
TEXT = "Ada Lovelace was born in London. Mary wrote Frankenstein in Geneva."
ROLES = ("subject", "object")
EVIDENCE = {"rule": 3, "score": 0.5, "name": "born in", "both": True, "none": None, "parts": [1.0, 2.0]}


@pytest.fixture()
def doc() -> Doc:
    doc = NLP(TEXT)
    gold = [Triple(doc[0:2], "place_of_birth", doc[5:6])]
    found = [{"subject": doc[7:8], "relation": "author", "object": doc[9:10], "score": 0.25, "evidence": EVIDENCE}]
    set_triples(doc, gold)
    set_triples(doc, found, source="finder")
    set_relations(doc, [((0, 32), {"place_of_birth": 0.75}), ((33, 67), {"author": 0.5})])
    return doc


def values(doc: Doc) -> List[Tuple[Any, ...]]:
    return [(t.subject.text, t.relation, t.object.text, t.score, t.source, t.evidence) for t in doc._.triples]


def listed(value: Any) -> Any:
    """DocBin turns lists into tuples, also those inside the evidence."""
    if isinstance(value, dict):
        return {key: listed(part) for key, part in value.items()}
    return [listed(part) for part in value] if isinstance(value, (list, tuple)) else value


def through_docbin(doc: Doc) -> Doc:
    data = DocBin(docs=[doc], store_user_data=True).to_bytes()
    return next(DocBin(store_user_data=True).from_bytes(data).get_docs(NLP.vocab))


COPIES = {
    "bytes": lambda doc: Doc(NLP.vocab).from_bytes(doc.to_bytes()),
    "docbin": through_docbin,
    "docbin twice": lambda doc: through_docbin(through_docbin(doc)),
    "copy": lambda doc: doc.copy(),
    "deepcopy": copy.deepcopy,
    "pickle": lambda doc: pickle.loads(pickle.dumps(doc)),
}


def test_new_gold_replaces_old_gold_and_keeps_predictions(doc: Doc) -> None:
    new = {"subject": [33, 37], "relation": "lives_in", "object": [60, 66], "attributes": {"negated": True}}
    replace_gold(doc.user_data, [new])
    assert values(doc) == [
        ("Mary", "author", "Frankenstein", 0.25, "finder", EVIDENCE),
        ("Mary", "lives_in", "Geneva", 1.0, "", {}),
    ]
    assert [triple.attributes for triple in doc._.triples] == [{}, {"negated": True}]
    replace_gold(doc.user_data, [])
    assert [triple.relation for triple in doc._.triples] == ["author"] and get_records(doc, source="") == []
    bare = NLP("Mary wrote.")
    assert not has_triples(bare)
    replace_gold(bare.user_data, [])
    assert has_triples(bare) and bare._.triples == []


@pytest.mark.parametrize("make", list(COPIES.values()), ids=list(COPIES))
def test_triples_survive(doc: Doc, make: Any) -> None:
    found = make(doc)
    assert found is not doc and found.text == TEXT
    assert listed(values(found)) == listed(values(doc))
    assert found._.triples == doc._.triples and len(found._.triples) == 2
    assert listed(get_records(found)) == listed(get_records(doc))
    assert [sent._.relations for sent in found.sents] == [{"place_of_birth": 0.75}, {"author": 0.5}]
    set_triples(found, [], source="finder")  # the copy can be changed, and the original does not follow
    assert [t.source for t in found._.triples] == [""]
    assert len(doc._.triples) == 2


@pytest.mark.parametrize("annotated", [False, True])
@pytest.mark.parametrize("make", list(COPIES.values()), ids=list(COPIES))
def test_not_annotated_is_not_empty(make: Any, annotated: bool) -> None:
    doc = NLP(TEXT)
    if annotated:
        set_triples(doc, [])
    found = make(doc)
    assert has_triples(found) == annotated and not has_relations(found)
    assert get_records(found) == ([] if annotated else None)
    assert found._.triples == []


def test_values_are_plain(doc: Doc) -> None:
    def check(value: Any) -> None:
        if isinstance(value, dict):
            assert all(type(key) is str for key in value)
            value = list(value.values())
        if isinstance(value, list):
            for part in value:
                check(part)
        else:
            assert value is None or type(value) in (str, int, float, bool)

    assert set(doc.user_data) == {TRIPLES_KEY, LENGTH_KEY, RELATIONS_KEY}
    check(dict(doc.user_data))


def test_keys_of_saved_corpora() -> None:
    """Documents on disk have these names: another one would leave their annotation unread."""
    names = {TRIPLES_KEY: "triples", RELATIONS_KEY: "relations", REJECTED_KEY: "rejected", COREF_KEY: "coref"}
    assert all(key == f"relext_{name}" for key, name in names.items())


def test_what_is_stored_for_another_text_is_not_read(doc: Doc) -> None:
    set_rejected(doc, [((0, 3), "met", (33, 37))])
    set_coref(doc, [[(0, 12), (33, 37)]])
    assert get_rejected(doc)[0]["object"] == (33, 37) and get_coref(doc) == [[(0, 12), (33, 37)]]
    other = NLP("Ada met Bo.")
    other.user_data.update(doc.user_data)
    assert not has_triples(other) and get_records(other) is None and get_rejected(other) == get_coref(other) == []
    set_coref(other, [[(0, 3), other[2:3]]])
    assert get_coref(other) == [[(0, 3), (8, 10)]] and get_rejected(other) == [] and not has_triples(other)
    with pytest.raises(ValueError, match="a mention of coreference cluster 2 is 'x'"):
        set_coref(other, [[], ["x"]])  # type: ignore[list-item]


def test_triples_survive_merging(doc: Doc) -> None:
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2])
        retokenizer.merge(doc[9:12])  # Frankenstein in Geneva
    assert [(s, r, o) for s, r, o, *_ in values(doc)] == [
        ("Ada Lovelace", "place_of_birth", "London"),
        ("Mary", "author", "Frankenstein in Geneva"),  # the argument lies inside a token now
    ]
    assert [record["object"] for record in get_records(doc) or []] == [(25, 31), (44, 56)]


def test_triples_survive_splitting(doc: Doc) -> None:
    with doc.retokenize() as retokenizer:
        retokenizer.split(doc[9], ["Franken", "stein"], heads=[doc[9], doc[9]])
        retokenizer.split(doc[0], ["A", "da"], heads=[doc[0], doc[0]])
    assert [(t.subject.text, len(t.subject), t.object.text, len(t.object)) for t in doc._.triples] == [
        ("Ada Lovelace", 3, "London", 1),
        ("Mary", 1, "Frankenstein", 2),
    ]


def test_a_merge_over_both_arguments_leaves_one_span(doc: Doc) -> None:
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:6])
    assert [t.source for t in doc._.triples] == ["finder"]
    assert len(get_records(doc) or []) == 2  # nothing is lost: another tokenization shows it again


def test_a_source_replaces_its_own_only(doc: Doc) -> None:
    set_triples(doc, [Triple(doc[0:1], "a", doc[1:2])], source="other")
    set_triples(doc, [Triple(doc[7:8], "wrote", doc[9:10], score=0.5, source="ignored")], source="finder")
    found = [(t.relation, t.source) for t in doc._.triples]
    assert sorted(found) == [("a", "other"), ("place_of_birth", ""), ("wrote", "finder")]
    doc._.triples = [Triple(doc[7:8], "author", doc[9:10])]
    assert sorted((t.relation, t.source) for t in doc._.triples) == [
        ("a", "other"),
        ("author", ""),
        ("wrote", "finder"),
    ]


def test_every_form_of_a_triple() -> None:
    doc = NLP(TEXT)
    subject, obj = doc[0:2], doc[5:6]
    forms: List[Any] = [
        Triple(subject, "r", obj, score=0.5, evidence={"a": 1}),
        {"subject": subject, "relation": "r", "object": obj, "score": 0.5, "evidence": {"a": 1}},
        {"subject": [0, 12], "relation": "r", "object": (25, 31), "score": 0.5, "evidence": {"a": 1}},
        (subject, "r", obj, 0.5, {"a": 1}),
        ((0, 12), "r", [25, 31], 0.5, {"a": 1}),
    ]
    for form in forms:
        set_triples(doc, [form])
        assert values(doc) == [("Ada Lovelace", "r", "London", 0.5, "", {"a": 1})]
    set_triples(doc, [(subject, "r", obj)])
    assert values(doc) == [("Ada Lovelace", "r", "London", 1.0, "", {})]


def test_one_span_twice_is_no_triple() -> None:
    doc = NLP(TEXT)
    with pytest.raises(ValueError, match=r"\[R001\].*'r'.*'Ada Lovelace'"):
        set_triples(doc, [(doc[0:2], "r", [0, 12])])
    assert not has_triples(doc)
    set_triples(doc, [(doc[0:2], "r", doc[1:2])])  # nested is another matter
    assert len(doc._.triples) == 1


@pytest.mark.parametrize("blank", ["  ", "\u00a0", "\n", "\u00a0\n "])
def test_white_space_is_never_part_of_an_argument(blank: str) -> None:
    doc, size = NLP(f"Ada{blank}left{blank}Oslo"), len(blank)
    trimmed, left_out = ((0, 3 + size), "r", (7 + size, 11 + 2 * size)), ((0, 3), "r", (3, 3 + size))
    for store, read in ((set_triples, get_records), (set_rejected, get_rejected)):
        with pytest.warns(UserWarning, match=r"\[W010\] 1 triples"):
            store(doc, [trimmed, left_out])
        assert [doc.text[slice(*each[role])] for each in read(doc) or () for role in ROLES] == ["Ada", "Oslo"]
    with pytest.warns(UserWarning, match="W010"):
        set_triples(doc, [((0, 3), "left", (0, 3 + size))])
    assert get_records(doc) == []


@pytest.mark.parametrize("offsets", [(0, 68), (-1, 3), (5, 5), (6, 5)])
def test_offsets_outside_are_refused(offsets: Tuple[int, int]) -> None:
    doc = NLP(TEXT)
    with pytest.raises(ValueError, match=rf"\[R002\] Offsets {offsets[0]}:{offsets[1]} .* 67 characters"):
        set_triples(doc, [(offsets, "r", (0, 3))])
    assert not has_triples(doc)


def test_offsets_inside_tokens_are_widened() -> None:
    doc = NLP(TEXT)
    set_triples(doc, [((1, 9), "r", (26, 28))])
    assert values(doc)[0][:3] == ("Ada Lovelace", "r", "London")
    assert [record["subject"] for record in get_records(doc) or []] == [(1, 9)]


def test_triples_of_a_span(doc: Doc) -> None:
    first, second = doc.sents
    assert [t.relation for t in first._.triples] == ["place_of_birth"]
    assert [t.relation for t in second._.triples] == ["author"]
    assert doc[1:6]._.triples == [] and doc[0:6]._.triples == first._.triples
    assert [t.relation for t in doc[:]._.triples] == ["place_of_birth", "author"]


def test_relations_of_a_span(doc: Doc) -> None:
    assert get_relations(doc[:]) == {"place_of_birth": 0.75, "author": 0.5}
    bounds = [(sent.start, sent.end) for sent in doc.sents]
    assert relations_by_sentence(doc, bounds) == [get_relations(sent) for sent in doc.sents]
    assert doc[5:8]._.relations == {"place_of_birth": 0.75, "author": 0.5}
    set_relations(doc, [((0, 32), {"r": 0.25}), ((5, 20), {"r": 0.5})])
    assert doc[0:3]._.relations == {"r": 0.5}  # the highest counts
    assert NLP(TEXT)[0:3]._.relations == {}


def test_equality_is_by_arguments_and_relation(doc: Doc) -> None:
    first, second = Triple(doc[0:2], "r", doc[5:6], score=0.1), Triple(doc[0:2], "r", doc[5:6], source="x")
    assert first == second and len({first, second}) == 1
    for other in (Triple(doc[5:6], "r", doc[0:2]), Triple(doc[0:2], "s", doc[5:6]), Triple(doc[0:1], "r", doc[5:6])):
        assert first != other
    assert first != "r" and repr(first) == "Triple('Ada Lovelace', 'r', 'London', score=0.100)"
    with pytest.raises(AttributeError):
        first.score = 0.2  # type: ignore[misc]


SPANS = st.tuples(st.integers(0, 66), st.integers(1, 20)).map(lambda span: (span[0], min(67, span[0] + span[1])))


@given(st.lists(st.tuples(SPANS, st.sampled_from("rs"), SPANS).filter(lambda t: t[0] != t[2]), max_size=5))
def test_records_come_back_exactly(triples: Any) -> None:
    doc = NLP(TEXT.replace(" ", "_"))
    set_triples(doc, triples, source="x")
    for found in (doc, through_docbin(doc), doc.copy()):
        records = get_records(found) or []
        assert [(r["subject"], r["relation"], r["object"]) for r in records] == triples
        assert all(isinstance(t.subject, Span) and t.subject != t.object for t in found._.triples)
        widened = [char_span(found, r["subject"]) != char_span(found, r["object"]) for r in records]
        assert len(found._.triples) == sum(widened)


offsets = st.tuples(st.integers(0, 66), st.integers(1, 67)).map(lambda each: (each[0], min(67, sum(each))))


@given(
    st.lists(st.tuples(offsets, st.dictionaries(st.sampled_from("rst"), st.floats(0, 1)))), st.sets(st.integers(1, 12))
)
def test_relations_of_all_sentences_at_once(relations: Any, starts: Any) -> None:
    doc = NLP.make_doc(TEXT)
    set_relations(doc, relations)
    cuts = [0, *sorted(starts), len(doc)]
    expected: List[Any] = []
    for span in (doc[start:end] for start, end in zip(cuts, cuts[1:])):
        over = [probs for (start, end), probs in relations if start < span.end_char and end > span.start_char]
        expected.append({key: max(probs[key] for probs in over if key in probs) for probs in over for key in probs})
    assert relations_by_sentence(doc, list(zip(cuts, cuts[1:]))) == expected


def test_relations_of_a_long_text() -> None:
    """Time is linear: reading those of all sentences for each of 20,000 would take minutes."""
    doc = Doc(NLP.vocab, words=["a", "."] * 20_000)
    set_relations(doc, [((4 * n, 4 * n + 3), {"r": 0.5}) for n in range(20_000)])
    began = time.perf_counter()
    found = relations_by_sentence(doc, [(2 * n, 2 * n + 2) for n in range(20_000)])
    assert found == [{"r": 0.5}] * 20_000 and time.perf_counter() - began < 10


def test_a_process_that_is_sent_a_pickled_doc_has_the_attributes(tmp_path: Path) -> None:
    doc = NLP("Ada left Oslo.")
    set_triples(doc, [(doc[0:1], "left", doc[2:3])], source="a")
    (tmp_path / "doc").write_bytes(pickle.dumps(doc))
    code = f"import pickle; print(pickle.load(open({str(tmp_path / 'doc')!r}, 'rb'))._.triples[0].object.text)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["Oslo"], done.stderr
