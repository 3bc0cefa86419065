"""A part of a Doc as a Doc, and several as one: what the package stores moves along, with the right offsets."""

import warnings
from typing import Any, Dict, List, Tuple

import pytest
import spacy
from spacy.tokens import Doc, Token

from spacy_relext import has_triples, merge_docs, set_triples, span_to_doc
from spacy_relext.annotations.entities import ENTITIES_KEY, GIVEN_PAIRS_KEY, PAIRS_KEY
from spacy_relext.annotations.parts import each_doc
from spacy_relext.annotations.store import (
    LENGTH_KEY,
    RELATIONS_KEY,
    get_coref,
    get_rejected,
    has_relations,
    set_coref,
    set_rejected,
    set_relations,
)
from tests.annotations.test_store import NLP, TEXT, through_docbin

ATTENTION = {"attention": [[17, 21, 0.75], [38, 43, 0.25]], "how": "exact"}
MENTIONS = {"mentions": [[0, 12, 25, 31, 0.5], [33, 37, 60, 66, 0.5]]}


@pytest.fixture()
def doc() -> Doc:
    doc = NLP(TEXT)
    first, second = ((0, 12), "place_of_birth", (25, 31)), ((33, 37), "author", (44, 56))
    set_triples(doc, [first, second, ((0, 12), "across", (60, 66))])
    set_triples(doc, [(*first, 0.5, ATTENTION), (*second, 0.25, MENTIONS)], source="finder")
    set_relations(doc, [((0, 32), {"place_of_birth": 0.75}), ((33, 67), {"author": 0.5})])
    places = [(0, 12), (25, 31), (33, 37), (44, 56)]
    doc.user_data[ENTITIES_KEY] = [{"start": s, "end": e, "label": "X", "kb_id": f"Q{s}"} for s, e in places]
    doc.user_data[PAIRS_KEY] = [{"subject": [0, 12], "object": [25, 31]}, {"subject": [33, 37], "object": [60, 66]}]
    doc.user_data[GIVEN_PAIRS_KEY] = [{"subject": (33, 37), "relation": "author", "object": (44, 56)}]
    return doc


def stated(doc: Doc) -> List[Tuple[Any, ...]]:
    return [(t.subject.text, t.relation, t.object.text, t.score, t.source) for t in doc._.triples]


def texts(doc: Doc) -> Dict[str, List[Tuple[str, ...]]]:
    """The words that each record points at."""
    places: Dict[str, List[Tuple[str, ...]]] = {}
    for key in (RELATIONS_KEY, ENTITIES_KEY, PAIRS_KEY, GIVEN_PAIRS_KEY):
        for record in doc.user_data.get(key, ()):
            own = [(record["start"], record["end"])] if "start" in record else [record["subject"], record["object"]]
            places.setdefault(key, []).append(tuple(doc.text[start:end] for start, end in own))
    return places


def test_a_sentence_as_a_doc(doc: Doc) -> None:
    part = span_to_doc(list(doc.sents)[1])
    assert part.text == "Mary wrote Frankenstein in Geneva." and len(list(part.sents)) == 1
    assert stated(part) == [
        ("Mary", "author", "Frankenstein", 1.0, ""),
        ("Mary", "author", "Frankenstein", 0.25, "finder"),
    ]
    assert part._.triples[1].evidence == {"mentions": [[0, 4, 27, 33, 0.5]]}
    assert texts(part) == {
        RELATIONS_KEY: [(part.text,)],
        ENTITIES_KEY: [("Mary",), ("Frankenstein",)],
        PAIRS_KEY: [("Mary", "Geneva")],
        GIVEN_PAIRS_KEY: [("Mary", "Frankenstein")],
    }
    assert part.user_data[ENTITIES_KEY][0] == {"start": 0, "end": 4, "label": "X", "kb_id": "Q33"}
    assert part[:]._.relations == {"author": 0.5}


def test_the_doc_of_the_span_stays_as_it_is(doc: Doc) -> None:
    before = doc._.triple_records
    part = span_to_doc(doc[0:6])
    part._.triples = []
    part.user_data[ENTITIES_KEY][0]["label"] = "changed"
    assert doc._.triple_records == before and doc.user_data[ENTITIES_KEY][0]["label"] == "X"


def test_a_doc_of_a_docbin_has_tuples_for_lists(doc: Doc) -> None:
    sentence = list(doc.sents)[1]
    part = span_to_doc(through_docbin(doc)[sentence.start : sentence.end])
    assert part.user_data == span_to_doc(sentence).user_data


def test_triples_that_spacy_copies_to_a_part_are_not_shown(doc: Doc) -> None:
    """Their offsets count from the first character of the whole text, so they would be about other words."""
    part = list(doc.sents)[1].as_doc(copy_user_data=True)
    assert part.user_data["relext_triples"] and part._.triples == [] and part._.triple_records is None
    assert not has_triples(part) and part[:]._.triples == [] and not has_triples(span_to_doc(part[:]))
    set_triples(part, [(part[0:1], "author", part[2:3])], source="finder")
    assert stated(part) == [("Mary", "author", "Frankenstein", 1.0, "finder")]
    whole = doc[:].as_doc(copy_user_data=True)
    assert stated(whole) == stated(doc)


def test_a_part_of_a_sentence_cuts_its_relations(doc: Doc) -> None:
    part = span_to_doc(doc[4:9])
    assert part.text == "in London. Mary wrote " and stated(part) == [] and has_triples(part)
    assert texts(part) == {
        RELATIONS_KEY: [("in London.",), ("Mary wrote ",)],
        ENTITIES_KEY: [("London",), ("Mary",)],
    }
    assert part[0:1]._.relations == {"place_of_birth": 0.75}


def test_what_is_not_annotated_stays_so() -> None:
    doc = NLP(TEXT)
    assert not has_triples(span_to_doc(doc[0:6])) and not has_relations(merge_docs([doc, doc]))
    assert not has_triples(merge_docs([doc, doc]))
    set_triples(doc, [])
    assert has_triples(span_to_doc(doc[0:6])) and has_triples(merge_docs([NLP(TEXT), doc]))


def test_rejected_triples_and_clusters_of_mentions(doc: Doc) -> None:
    set_rejected(doc, [((0, 12), "author", (44, 56)), {"subject": (33, 37), "relation": "r", "object": (44, 56)}])
    set_coref(doc, [[doc[0:2], doc[7:8]], [(25, 31)]])
    part = span_to_doc(list(doc.sents)[1])
    assert [(r["subject"], r["relation"], r["object"]) for r in get_rejected(part)] == [((0, 4), "r", (11, 23))]
    assert get_coref(part) == [[(0, 4)]]
    merged = merge_docs([part, doc])
    assert [record["subject"] for record in get_rejected(merged)] == [(0, 4), (35, 47), (68, 72)]
    assert get_coref(merged)[1] == [(35, 47), (68, 72)]
    copied = list(doc.sents)[1].as_doc(copy_user_data=True)  # with offsets that count from another character
    assert get_rejected(copied) == get_coref(copied) == []
    set_triples(copied, [])
    assert get_rejected(copied) == get_coref(copied) == []


def test_spans_of_no_tokens() -> None:
    doc = NLP(TEXT)
    set_triples(doc, [(doc[0:2], "r", doc[5:6])])
    assert span_to_doc(doc[0:0])._.triple_records == [] and span_to_doc(NLP("")[:]).text == ""


@pytest.mark.filterwarnings("error")
def test_docs_as_one(doc: Doc) -> None:
    merged = merge_docs([doc, NLP(""), NLP("Nothing here"), doc])
    assert merged.text == f"{TEXT} Nothing here {TEXT}"
    assert stated(merged) == [*stated(doc), *stated(doc)]
    assert texts(merged) == {key: [*values, *values] for key, values in texts(doc).items()}
    found = [t.evidence for t in merged._.triples if t.source]
    words = [[merged.text[start:end] for start, end, _ in each["attention"]] for each in found if "attention" in each]
    assert words == [["born", "wrote"]] * 2 and found[0]["how"] == "exact"
    subjects = [merged.text[slice(*row[:2])] for each in found for row in each.get("mentions", ())]
    assert subjects == ["Ada Lovelace", "Mary"] * 2
    assert len(list(merged.sents)) == 5


def test_empty_docs_add_nothing(doc: Doc) -> None:
    merged = merge_docs([NLP(""), doc, NLP("")])
    assert merged.text.rstrip() == TEXT
    assert {**merged.user_data, LENGTH_KEY: len(TEXT)} == span_to_doc(doc[:]).user_data
    assert merge_docs([NLP("")]).text == "" and not has_triples(merge_docs([NLP("")]))


def test_without_a_space_between(doc: Doc) -> None:
    merged = merge_docs((each for each in (doc, doc)), ensure_whitespace=False)
    assert merged.text == TEXT + TEXT and stated(merged) == [*stated(doc), *stated(doc)]


def test_what_spacy_keeps_and_what_it_warns_of(doc: Doc) -> None:
    if not Token.has_extension("seen"):
        Token.set_extension("seen", default=False)
    doc[3]._.seen = True
    doc.user_data["mine"] = 1
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        merged = merge_docs([NLP("So"), doc])
    assert [token.text for token in merged if token._.seen] == ["born"]
    assert [str(each.message)[:45] for each in caught] == ["[W102] Skipping unsupported user data 'mine: "]


def test_nothing_to_merge() -> None:
    with pytest.raises(ValueError, match=r"\[R017\] No document to merge"):
        merge_docs([])
    with pytest.raises(ValueError, match="E999"):
        merge_docs([NLP("a"), spacy.blank("en")("b")])


def test_what_is_no_doc() -> None:
    doc = NLP(TEXT)
    assert list(each_doc(doc)) == list(each_doc([doc])) == [doc]
    for wrong in (TEXT, 3, None, doc[0:2]):
        with pytest.raises(ValueError, match=r"\[R007\] docs is .*; expected a Doc, or a list of Docs"):
            list(each_doc(wrong))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"\[R007\] document 2 is 'x'; expected a Doc"):
        merge_docs([doc, "x"])  # type: ignore[list-item]
