"""Arguments of triples are swapped: the text, all annotation, and what the predicted Doc knows."""

import pathlib
from collections import Counter
from typing import Any, Dict, List

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.util import registry

from spacy_relext.annotations.store import get_records
from spacy_relext.corpora.augment import ArgumentSwapper, create_argument_swapper, swap_strings
from spacy_relext.corpora.reader import TripleCorpus
from spacy_relext.corpora.records import doc_to_record, record_to_doc

BORN = "born_in"


def born(who: str, where: str, *, labels: bool = False, **more: Any) -> Dict[str, Any]:
    """A sentence with one triple."""
    text = f"{who} was born in {where}."
    subject, place = [0, len(who)], [len(text) - len(where) - 1, len(text) - 1]
    record: Dict[str, Any] = {"text": text, "triples": [{"subject": subject, "relation": BORN, "object": place}]}
    if labels:
        bounds = ((subject, "PERSON"), (place, "PLACE"))
        record["entities"] = [{"start": s, "end": e, "label": label} for (s, e), label in bounds]
    return {**record, **more}


def example_of(nlp: Language, record: Dict[str, Any]) -> Example:
    return Example(nlp.make_doc(record["text"]), record_to_doc(nlp.make_doc, record))


def triples_of(doc: Doc) -> List[Any]:
    return [(each.subject.text, each.relation, each.object.text) for each in doc._.triples]


def test_all_places_of_a_string_are_replaced_and_offsets_moved() -> None:
    record = {
        "text": "Ada met Bo. Adam saw Ada in Oslo.",
        "entities": [
            {"start": 0, "end": 3, "label": "PERSON", "kb_id": "Q1"},
            {"start": 8, "end": 10, "label": "PERSON", "kb_id": "Q2"},
            {"start": 28, "end": 32, "label": "PLACE"},
        ],
        "triples": [
            {"subject": [0, 3], "relation": "met", "object": [8, 10], "score": 0.5},
            {"subject": [21, 24], "relation": "in", "object": [28, 32]},
        ],
        "rejected": [{"subject": [8, 10], "relation": "in", "object": [28, 32]}],
        "pairs": [{"subject": [0, 3], "object": [28, 32], "label": "in"}],
        "coref": [[[0, 3], [21, 24]]],
        "sents": [[0, 11], [12, 33]],
        "url": "kept",
    }
    changed = swap_strings(record, {"Ada": "Grace Hopper", "Oslo": "Ny"})
    assert changed == {
        "text": "Grace Hopper met Bo. Adam saw Grace Hopper in Ny.",
        "entities": [
            {"start": 0, "end": 12, "label": "PERSON"},  # another person than Q1
            {"start": 17, "end": 19, "label": "PERSON", "kb_id": "Q2"},
            {"start": 46, "end": 48, "label": "PLACE"},
        ],
        "triples": [
            {"subject": [0, 12], "relation": "met", "object": [17, 19], "score": 0.5},
            {"subject": [30, 42], "relation": "in", "object": [46, 48]},
        ],
        "rejected": [{"subject": [17, 19], "relation": "in", "object": [46, 48]}],
        "pairs": [{"subject": [0, 12], "object": [46, 48], "label": "in"}],
        "coref": [[[0, 12], [30, 42]]],
        "sents": [[0, 20], [21, 49]],
        "url": "kept",
    }


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("New York University in New York", [[0, 19], [23, 31]]),  # one name within the other
        ("Ada Holm was there", [[0, 3], [0, 8]]),
    ],
)
def test_texts_of_nested_names_stay(text: str, spans: List[List[int]]) -> None:
    names = [text[start:end] for start, end in spans]
    record = {"text": text, "triples": [{"subject": spans[0], "relation": "in", "object": spans[1]}]}
    assert swap_strings(record, {names[0]: "A", names[1]: "B"}) is None
    assert swap_strings({"text": "Ada was here", "sents": [[0, 2], [2, 12]]}, {"Ada": "B"}) is None


@given(st.lists(st.sampled_from(["Ada", "Bo Lie", "x", "Ünal", "的", "was", "in"]), min_size=2, max_size=8))
def test_spans_keep_what_they_name(words: List[str]) -> None:
    text, spans, at = " ".join(words), [], 0
    for word in words:
        spans.append([at, at + len(word)])
        at += len(word) + 1
    new = {"Ada": "Ada Lovelace", "Bo Lie": "B", "的": "北京"}
    record = {"text": text, "coref": [spans]}
    changed = swap_strings(record, new)
    assert changed is not None
    assert [changed["text"][start:end] for start, end in changed["coref"][0]] == [new.get(word, word) for word in words]


def test_arguments_are_those_of_texts_read_before() -> None:
    nlp = spacy.blank("en")
    swap = create_argument_swapper(share=1.0)
    (first,) = swap(nlp, example_of(nlp, born("Ada", "Oslo")))
    (second,) = swap(nlp, example_of(nlp, born("Bo Lie", "Bergen")))
    assert first.reference.text == "Ada was born in Oslo."
    assert second.reference.text == second.predicted.text == "Ada was born in Oslo."
    assert triples_of(second.reference) == [("Ada", BORN, "Oslo")] and triples_of(second.predicted) == []
    texts = [each.reference.text for _ in range(20) for each in swap(nlp, example_of(nlp, born("Ada", "Bergen")))]
    assert "Bo Lie was born in Oslo." in texts  # nothing else is known, and no string is drawn that is in the text
    assert {text.split()[0] for text in texts} <= {"Bo", "Ada"}  # "Ada" if that was drawn five times
    (empty,) = swap(nlp, example_of(nlp, {"text": "Nothing.", "triples": []}))
    assert empty.reference.text == "Nothing."


def test_an_entity_has_the_role_of_its_label() -> None:
    nlp = spacy.blank("en")
    swap = create_argument_swapper(share=1.0)
    list(swap(nlp, example_of(nlp, born("Ada", "Oslo", labels=True))))
    text = "Bergen is near Voss."
    places = [{"start": 0, "end": 6, "label": "PLACE"}, {"start": 15, "end": 19, "label": "PLACE"}]
    near = {"text": text, "entities": places}
    near["triples"] = [{"subject": [0, 6], "relation": "near", "object": [15, 19]}]
    (changed,) = swap(nlp, example_of(nlp, near))
    assert changed.reference.text in ("Oslo is near Voss.", "Bergen is near Oslo.")
    assert [ent.label_ for ent in changed.reference.ents] == ["PLACE", "PLACE"]


def test_the_share_and_the_seed() -> None:
    nlp = spacy.blank("en")
    records = [born(f"Ada{number}", f"Oslo{number}") for number in range(200)]

    def read(**options: Any) -> List[str]:
        swap = create_argument_swapper(**options)
        return [each.reference.text for record in records for each in swap(nlp, example_of(nlp, record))]

    texts = [record["text"] for record in records]
    changed = sum(a != b for a, b in zip(read(share=0.5, seed=1), texts))
    assert 70 < changed < 130
    assert read(share=0.0) == texts
    assert read(share=0.5, seed=1) == read(share=0.5, seed=1) != read(share=0.5, seed=2)
    assert len(set(read(share=1.0))) > 100


def test_of_very_many_strings_a_random_part_is_kept() -> None:
    swap = ArgumentSwapper(share=0.0, seed=0, pool=10)
    for number in range(1000):
        swap._keep(("a",), str(number))
    kept = swap._strings["a",]
    assert len(kept) == len(set(kept)) == 10 and 250 < sum(map(int, kept)) / 10 < 750


@pytest.mark.parametrize("options", [{"share": -0.1}, {"share": 1.1}, {"share": float("nan")}, {"pool": 0}])
def test_settings_out_of_range(options: Dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"R007.*{next(iter(options))}"):
        create_argument_swapper(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{}, {"gold_ents": True}, {"gold_ents_aside": True}, {"gold_triples": True}])
def test_the_predicted_doc_knows_what_the_reader_gives_it(tmp_path: pathlib.Path, options: Dict[str, bool]) -> None:
    nlp = spacy.blank("en")
    records = [born(f"Ada Holm {number}", f"Oslo {number}", labels=True) for number in range(30)]
    records = [{**each, "sents": [[0, len(each["text"])]]} for each in records]
    path = tmp_path / "train.spacy"
    DocBin(docs=[record_to_doc(nlp.make_doc, each) for each in records], store_user_data=True).to_disk(path)
    swapper = registry.augmenters.get("spacy_relext.swap_arguments.v1")(share=1.0)
    examples = list(TripleCorpus(path, augmenter=swapper, **options)(nlp))
    changed = DocBin(docs=[each.reference for each in examples], store_user_data=True)
    changed.to_disk(path)
    again = list(TripleCorpus(path, **options)(nlp))
    assert sum(a["text"] != b.reference.text for a, b in zip(records, examples)) > 20
    for one, other in zip(examples, again):
        assert doc_to_record(one.predicted) == doc_to_record(other.predicted)
        assert one.predicted.user_data == other.predicted.user_data
        assert get_records(one.reference) == get_records(other.reference)
    assert Counter(len(each.reference._.triples) for each in examples) == {1: 30}


def test_texts_with_heads_stay() -> None:
    nlp = spacy.blank("en")
    swap = create_argument_swapper(share=1.0)
    list(swap(nlp, example_of(nlp, born("Ada", "Oslo"))))
    example = example_of(nlp, born("Bo", "Bergen"))
    for token in example.predicted:
        token.dep_ = "dep"
    (same,) = swap(nlp, example)
    assert same is example
