"""`spacy_relext.BagCorpus.v1`: one Example for each pair of linked entities."""

import warnings
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import pytest
import spacy
from spacy.training import Example

from spacy_relext import get_records
from spacy_relext.annotations.entities import PAIRS_KEY
from spacy_relext.corpora.records import record_to_doc
from spacy_relext.corpora.shards import ShardWriter
from spacy_relext.hrere.reader import BagCorpus

NLP = spacy.blank("en")
IDS = {"Ada": "Q1", "Bo": "Q2", "Cy": "Q3"}
Line = Tuple[str, str, str, Sequence[Tuple[str, str, str]]]


def record(text: str, subject: str, obj: str, facts: Sequence[Tuple[str, str, str]]) -> Dict[str, Any]:
    """A text with one marked pair; names that IDS has are linked."""
    places = {name: [text.index(name), text.index(name) + len(name)] for name in (subject, obj)}
    entities = [
        {"start": start, "end": end, "label": "PER", **({"kb_id": IDS[name]} if name in IDS else {})}
        for name, (start, end) in places.items()
    ]
    triples = [{"subject": places[h], "relation": r, "object": places[t]} for h, r, t in facts]
    pair = {"subject": places[subject], "object": places[obj]}
    return {"text": text, "entities": entities, "pairs": [pair], "triples": triples}


LINES: List[Line] = [
    ("Ada met Bo .", "Ada", "Bo", [("Ada", "knows", "Bo")]),
    ("Ada saw Cy .", "Ada", "Cy", []),
    ("Ada wrote to Bo .", "Ada", "Bo", [("Bo", "owes", "Ada")]),
    ("Zoe met Yan .", "Zoe", "Yan", [("Zoe", "knows", "Yan")]),
    ("Zoe met Yan .", "Zoe", "Yan", []),
    ("Bo met Ada .", "Bo", "Ada", [("Bo", "knows", "Ada")]),
]


def write(path: Path, lines: Sequence[Line] = LINES, *, bare: int = 0) -> Path:
    with ShardWriter(path) as writer:
        for line in lines:
            writer.add(record_to_doc(NLP.make_doc, record(*line), one_sentence=True))
        for number in range(bare):
            writer.add(record_to_doc(NLP.make_doc, {"text": f"Nobody {number} .", "triples": []}))
    return path


def read(path: Path, **options: Any) -> List[Example]:
    return list(BagCorpus(path, **options)(NLP))


def said(example: Example) -> List[Tuple[str, str, str]]:
    """Its triples, each with the words of its ends."""
    text = example.reference.text
    rows = get_records(example.reference) or []
    return [(text[slice(*t["subject"])], t["relation"], text[slice(*t["object"])]) for t in rows]


def texts(examples: Sequence[Example]) -> List[str]:
    return [each.reference.text for each in examples]


def test_grouping(tmp_path: Path) -> None:
    examples = read(write(tmp_path / "a.spacy"))
    assert texts(examples) == [
        "Ada met Bo . Ada wrote to Bo .",
        "Ada saw Cy .",
        "Zoe met Yan .",
        "Zoe met Yan .",  # not linked: each is a bag by itself
        "Bo met Ada .",  # the other order is another bag
    ]
    # which sentence states a relation of the bag is not known: each may
    expected = {("Ada", "knows", "Bo"), ("Bo", "owes", "Ada")}
    assert set(said(examples[0])) == expected and len(said(examples[0])) == 4
    assert [said(each) for each in examples[1:4]] == [[], [("Zoe", "knows", "Yan")], []]


def test_predicted_docs_have_everything_but_the_triples(tmp_path: Path) -> None:
    predicted = read(write(tmp_path / "a.spacy"))[0].predicted
    assert [(ent.text, ent.kb_id_) for ent in predicted.ents] == [("Ada", "Q1"), ("Bo", "Q2")] * 2
    assert [sent.text for sent in predicted.sents] == ["Ada met Bo .", "Ada wrote to Bo ."]
    places = [(pair["subject"], pair["object"]) for pair in predicted.user_data[PAIRS_KEY]]
    assert [[predicted.text[slice(*side)] for side in place] for place in places] == [["Ada", "Bo"]] * 2
    assert get_records(predicted) is None


def test_gold_inside_a_token_is_gold_of_the_token(tmp_path: Path) -> None:
    text = "Nr2785708 gehört Havgass ."
    places = [[2, 9], [text.index("Havgass"), text.index(" .")]]
    triple = {"subject": places[0], "relation": "of", "object": places[1]}
    with ShardWriter(tmp_path / "c.spacy") as writer:
        writer.add(record_to_doc(NLP.make_doc, {"text": text, "triples": [triple]}, one_sentence=True))
    (example,) = read(tmp_path / "c.spacy")
    assert said(example) == [("Nr2785708", "of", "Havgass")]


def test_a_repeated_sentence_counts_once_and_keeps_all_its_relations(tmp_path: Path) -> None:
    lines: List[Line] = [("Ada met Bo .", "Ada", "Bo", [("Ada", name, "Bo")]) for name in ("knows", "likes", "knows")]
    (example,) = read(write(tmp_path / "a.spacy", lines))
    assert example.reference.text == "Ada met Bo ."
    assert said(example) == [("Ada", "knows", "Bo"), ("Ada", "likes", "Bo")]


def test_a_text_of_several_sentences_gives_those_of_the_pair(tmp_path: Path) -> None:
    text = "It rained . Ada met Bo . Cy slept ."
    whole = record(text, "Ada", "Bo", [("Ada", "knows", "Bo")])
    whole["sents"] = [[0, 11], [12, 24], [25, 35]]
    with ShardWriter(tmp_path / "a.spacy") as writer:
        writer.add(record_to_doc(NLP.make_doc, whole))
    (example,) = read(tmp_path / "a.spacy")
    assert example.reference.text == "Ada met Bo ." and said(example) == [("Ada", "knows", "Bo")]


def many(count: int) -> List[Line]:
    return [(f"Ada met Bo {number} .", "Ada", "Bo", [("Ada", "knows", "Bo")]) for number in range(count)]


def test_most(tmp_path: Path) -> None:
    path = write(tmp_path / "a.spacy", many(9))
    assert len(list(read(path, most=0)[0].reference.sents)) == 9
    reader = BagCorpus(path, most=3)
    drawn = [next(iter(reader(NLP))).reference for _ in range(6)]
    assert all(len(list(doc.sents)) == 3 and len(get_records(doc) or []) == 3 for doc in drawn)
    assert len({doc.text for doc in drawn}) > 1, "drawn anew at each call"
    numbers = [[int(sent[3].text) for sent in doc.sents] for doc in drawn]
    assert all(rows == sorted(rows) for rows in numbers), "in the order of the corpus"


def crowd(count: int) -> List[Line]:
    """Pairs that are not linked, every second of which is related."""
    lines: List[Line] = []
    for number in range(count):
        subject, obj = f"Al{number}x", f"Di{number}x"
        lines.append((f"{subject} met {obj} .", subject, obj, [(subject, "knows", obj)] if number % 2 else []))
    return lines


def test_unrelated(tmp_path: Path) -> None:
    path = write(tmp_path / "a.spacy", crowd(60))
    assert [len(read(path, unrelated=share)) for share in (0.0, 1.0)] == [30, 60]
    reader = BagCorpus(path, unrelated=0.5)
    first, second = (texts(list(reader(NLP))) for _ in range(2))
    assert first != second and 30 < len(first) < 60
    assert {text for text in texts(read(path, unrelated=0.0))} <= set(first), "those with a relation are all there"


def test_shuffle_and_seed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.spacy", crowd(20))
    plain = texts(read(path))
    readers = [BagCorpus(path, shuffle=True, seed=seed) for seed in (1, 1, 2)]
    first = [texts(list(reader(NLP))) for reader in readers]
    second = [texts(list(reader(NLP))) for reader in readers]
    assert first[0] == first[1] != first[2] and second[0] == second[1]
    assert first[0] != second[0], "another order at each call"
    assert all(sorted(order) == sorted(plain) for order in (*first, *second))


def test_limit(tmp_path: Path) -> None:
    path = write(tmp_path / "a.spacy")
    assert texts(read(path, limit=2)) == texts(read(path))[:2]


def test_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="R113"):
        BagCorpus(None)
    for setting, value in (("most", -1), ("unrelated", 1.5), ("limit", -1)):
        with pytest.raises(ValueError, match=setting):
            BagCorpus(tmp_path, **{setting: value})
    with pytest.raises(ValueError, match=r"R732.*a\.spacy"):
        read(write(tmp_path / "a.spacy", [], bare=2))
    with pytest.warns(UserWarning, match=r"W701.*2 of 8 texts"):
        read(write(tmp_path / "b.spacy", bare=2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(write(tmp_path / "c.spacy"))
