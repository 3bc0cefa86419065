"""`relext_constraints`: what it removes, what it keeps of it, and that it is saved."""

import pathlib
import pickle
from typing import Any, List, Tuple

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from spacy_relext import get_records, set_triples
from spacy_relext.annotations.constraints import get_removed

SCHEMA = """
relations:
  born: {subject: [PERSON], object: [PLACE], functional: true}
  in: {acyclic: true}
  spouse: {symmetric: true}
"""
# each word is a mention; the number is the score
TRIPLES: List[Tuple[str, str, str, float]] = [
    ("Ada", "born", "Oslo", 0.9),
    ("Ada", "born", "Bergen", 0.6),
    ("Oslo", "born", "Ada", 0.99),
    ("Oslo", "in", "Norway", 0.3),
    ("Norway", "in", "Oslo", 0.29),
    ("Ada", "spouse", "Ole", 0.5),
    ("Ole", "spouse", "Ada", 0.7),
    ("Oslo", "near", "Bergen", 0.01),
]
LEFT = {("Ada", "born", "Oslo"), ("Oslo", "in", "Norway"), ("Ole", "spouse", "Ada"), ("Oslo", "near", "Bergen")}
TEXT = "Ada Ole Oslo Bergen Norway"


@Language.component("fake_triples")
def state(doc: Doc) -> Doc:
    """States the triples of two sources, and entities."""
    places = {token.text: (token.idx, token.idx + len(token)) for token in doc}
    kinds = {"Ada": "PERSON", "Ole": "PERSON", "Oslo": "PLACE", "Bergen": "PLACE", "Norway": "PLACE"}
    doc.ents = [doc.char_span(*places[word], label=kind) for word, kind in kinds.items() if word in places]
    triples = [
        {"subject": places[s], "relation": r, "object": places[o], "score": score, "evidence": {"n": [1]}}
        for s, r, o, score in TRIPLES
        if s in places and o in places
    ]
    set_triples(doc, triples[::2], source="one")
    set_triples(doc, triples[1::2], source="two")
    return doc


def make(folder: pathlib.Path, **config: Any) -> Language:
    (folder / "schema.yaml").write_text(SCHEMA, encoding="utf8")
    nlp = spacy.blank("en")
    nlp.add_pipe("fake_triples")
    nlp.add_pipe("relext_constraints", name="checks", config={"type_penalty": None, **config})
    nlp.config["initialize"]["components"]["checks"] = {"schema_path": str(folder / "schema.yaml")}
    nlp.initialize()
    return nlp


def words(doc: Doc, records: Any) -> Any:
    return [(doc.text[slice(*each["subject"])], each["relation"], doc.text[slice(*each["object"])]) for each in records]


def test_what_stays_and_what_goes(tmp_path: pathlib.Path) -> None:
    doc = make(tmp_path)(TEXT)
    assert set(words(doc, get_records(doc))) == LEFT and len(doc._.triples) == len(LEFT)
    assert {each["source"] for each in get_records(doc) or []} == {"one", "two"}
    assert all(each["evidence"] == {"n": [1]} for each in get_records(doc) or [])
    removed = get_removed(doc)
    reasons = {triple: each["removed"]["reason"] for triple, each in zip(words(doc, removed), removed)}
    assert reasons == {
        ("Ada", "born", "Bergen"): "Ada → born → Oslo excludes it (functional)",
        ("Oslo", "born", "Ada"): "the schema does not allow the types PLACE → PERSON",
        ("Norway", "in", "Oslo"): "Oslo → in → Norway excludes it (acyclic)",
        ("Ada", "spouse", "Ole"): "the other direction of Ole → spouse → Ada",
    }
    assert {each["removed"]["by"] for each in removed} == {"checks"}
    assert [(each["score"], each["source"]) for each in removed if each["relation"] == "in"] == [(0.29, "one")]
    assert make(tmp_path)("Nothing.")._.triples == [] and get_removed(make(tmp_path)("Nothing.")) == []


def test_a_penalty_below_zero(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match=r"\[R007\] type_penalty is -1\.0"):
        make(tmp_path, type_penalty=-1.0)


def test_types_that_may_be_wrong(tmp_path: pathlib.Path) -> None:
    nlp = make(tmp_path, type_penalty=1.0)
    doc = nlp.make_doc("Oslo Ada Bergen Ole")
    doc.ents = [doc.char_span(0, 4, label="PERSON"), doc.char_span(5, 8, label="PERSON")]
    checks: Any = nlp.get_pipe("checks")
    for score, constraint in ((0.38, ["types"]), (0.45, [])):  # log-odds of 0.2 and 1.0 above it: 0.405
        set_triples(doc, [((16, 19), "born", (5, 8), score)], source="x")
        assert [each["removed"]["constraint"] for each in get_removed(checks(doc.copy()))] == constraint
    set_triples(doc, [((16, 19), "born", (5, 8), 0.8), ((16, 19), "born", (9, 15), 0.7)], source="x")
    (gone,) = get_removed(checks(doc.copy()))
    assert gone["object"] == (5, 8) and gone["removed"]["constraint"] == "functional"


def test_sums_of_log_odds_decide(tmp_path: pathlib.Path) -> None:
    nlp = make(tmp_path)
    doc = nlp.make_doc("Ada Oslo Ada Bergen Ada Bergen")
    spans = [[(token.idx, token.idx + len(token)) for token in doc[i : i + 2]] for i in (0, 2, 4)]
    for low, expected in ((0.85, {"Bergen"}), (0.3, {"Oslo"})):
        scores = (0.97, low, low)
        set_triples(doc, [(s, "born", o, score) for (s, o), score in zip(spans, scores)], source="x")
        checked = nlp.get_pipe("checks")(doc.copy())  # type: ignore[operator]
        assert {t.object.text for t in checked._.triples} == expected
    set_triples(doc, [(s, "born", o, 0.01 * number) for number, (s, o) in enumerate(spans[:2])], source="x")
    assert len(nlp.get_pipe("checks")(doc)._.triples) == 1, "below the base score too, the better one stays"  # type: ignore[operator]


def test_gold_is_not_touched(tmp_path: pathlib.Path) -> None:
    nlp = make(tmp_path)
    doc = nlp.make_doc(TEXT)
    set_triples(doc, [((8, 12), "born", (0, 3)), ((0, 3), "born", (8, 12)), ((0, 3), "born", (13, 19))])
    checked = nlp.get_pipe("checks")(doc)  # type: ignore[operator]
    assert len(checked._.triples) == 3 and get_removed(checked) == []


def test_a_second_run_adds_nothing(tmp_path: pathlib.Path) -> None:
    nlp = make(tmp_path)
    doc = nlp(TEXT)
    first = get_removed(doc)
    assert get_removed(nlp(doc)) == first
    set_triples(doc, [], source="one")
    set_triples(doc, [], source="two")
    assert get_removed(nlp.get_pipe("checks")(doc)) == []  # type: ignore[operator]
    nlp.add_pipe("relext_constraints", name="more")
    nlp.get_pipe("more").initialize(lambda: [], schema_path=tmp_path / "schema.yaml")  # type: ignore[attr-defined]
    assert get_removed(nlp(TEXT)) == first, "what another component has removed is kept"


def test_not_initialized(tmp_path: pathlib.Path) -> None:
    nlp = spacy.blank("en")
    checks: Any = nlp.add_pipe("relext_constraints", name="checks")
    with pytest.raises(ValueError, match=r"\[R004\] Component 'checks'"):
        nlp("Ada")
    with pytest.raises(
        ValueError, match=r"\[R032\] 'checks' has no schema\. Set \[initialize\.components\.checks\] schema_path"
    ):
        nlp.initialize()
    with pytest.raises(ValueError, match=r"\[R030\] .*none\.yaml"):
        checks.initialize(lambda: [], schema_path=tmp_path / "none.yaml")
    nlp.to_disk(tmp_path / "nlp")
    with pytest.raises(ValueError, match=r"\[R004\]"):
        spacy.load(tmp_path / "nlp")("Ada")


@pytest.mark.filterwarnings("ignore:.*fork")
def test_it_is_saved(tmp_path: pathlib.Path) -> None:
    nlp = make(tmp_path)
    nlp.config["initialize"]["components"] = {}
    doc = nlp(TEXT)
    expected = (get_records(doc), get_removed(doc))
    assert len(expected[1]) == 4
    nlp.to_disk(tmp_path / "nlp")
    assert (tmp_path / "nlp" / "checks" / "knowledge" / "schema.json").is_file()
    (tmp_path / "schema.yaml").unlink()
    loaded = spacy.load(tmp_path / "nlp")
    others = [loaded, spacy.blank("en").from_config(nlp.config).from_bytes(nlp.to_bytes())]
    found = [other(TEXT) for other in others] + list(nlp.pipe([TEXT] * 2, n_process=2))
    found += [Doc(nlp.vocab).from_bytes(doc.to_bytes()), doc.copy()]
    found += DocBin(store_user_data=True, docs=[doc]).get_docs(nlp.vocab)
    assert [(get_records(each), get_removed(each)) for each in found] == [expected] * len(found)
    assert pickle.loads(pickle.dumps(loaded.get_pipe("checks"))).schema == loaded.get_pipe("checks").schema  # type: ignore[attr-defined]
    (tmp_path / "nlp" / "checks" / "knowledge" / "schema.json").unlink()
    with pytest.raises(ValueError, match=r"\[R012\] 'checks' .*knowledge lacks schema\.json"):
        spacy.load(tmp_path / "nlp")


def test_texts_without_entities_are_reported_once(tmp_path: pathlib.Path) -> None:
    nlp = make(tmp_path)
    docs = [nlp.make_doc(TEXT) for _ in range(2)]
    for doc in docs:
        set_triples(doc, [((0, 3), "born", (8, 12))], source="x")
    checks: Any = nlp.get_pipe("checks")
    with pytest.warns(UserWarning, match=r"\[W009\] checks: no component has set entities") as caught:
        for doc in docs:
            checks(doc)
    assert len(caught) == 1


def test_unknown_relations_are_reported(tmp_path: pathlib.Path) -> None:
    nlp = make(tmp_path)
    extractor: Any = nlp.add_pipe("rere_extractor", before="checks")
    extractor.cfg["labels"] = ["born", "in"]
    with pytest.warns(UserWarning, match=r"\[W008\] checks: .*schema\.yaml has .*: spouse\. Known: born, in"):
        nlp.get_pipe("checks").initialize(lambda: [], nlp=nlp, schema_path=tmp_path / "schema.yaml")  # type: ignore[attr-defined]


def test_the_order_is_reported(tmp_path: pathlib.Path) -> None:
    nlp = make(tmp_path)
    nlp.remove_pipe("fake_triples")
    nlp.add_pipe("kd_classifier")
    with pytest.warns(UserWarning, match=r"\[W006\] checks reads doc\._\.triples, which kd_classifier sets only after"):
        nlp.get_pipe("checks").initialize(lambda: [], nlp=nlp, schema_path=tmp_path / "schema.yaml")  # type: ignore[attr-defined]


def test_what_is_denied_contradicts_nothing_and_stays(tmp_path: pathlib.Path) -> None:
    nlp = make(tmp_path)
    doc = nlp.get_pipe("fake_triples")(nlp.make_doc(TEXT))
    ada, oslo, bergen, norway = doc[0:1], doc[2:3], doc[3:4], doc[4:5]
    set_triples(doc, [], source="two")
    denied = {"subject": ada, "relation": "born", "object": bergen, "attributes": {"assertion": "denied"}}
    # its score is higher than that of what is stated, of which one excludes the other
    triples = [(ada, "born", oslo, 0.6), (ada, "born", norway, 0.4), {**denied, "score": 0.95}]
    set_triples(doc, triples, source="one")
    nlp.get_pipe("checks")(doc)
    assert [(t.relation, t.object.text, t.attributes) for t in doc._.triples] == [
        ("born", "Oslo", {}),
        ("born", "Bergen", {"assertion": "denied"}),
    ]
    assert [record["score"] for record in get_removed(doc)] == [0.4]
