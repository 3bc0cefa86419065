"""`kb_linker`: entities of a text and their ids."""

import pickle
from pathlib import Path
from typing import Any, List, Tuple

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from spacy_relext.annotations.entities import has_entity_annotation

NAMES = """id\tlabel\ttype\taliases
o1\tThe Beatles\tORG\tBeatles|The Fab Four
o2\tWHO\tORG\t
p1\tGeorge Orwell\tPERSON\tOrwell
p2\tSonia Orwell\tPERSON\t
p3\tIda B. Holm Jr.\tPERSON\t
p4\tBob Wells\tPERSON\t
l1\tParis\tPLACE\t
l2\tParis, Texas\tPLACE\tParis
l3\tTexas\tPLACE\t
l4\tWells\tPLACE\t
l5\tNew Ross\tPLACE\t
w1\tIt\tWORK\t
w2\tParis\tWORK\t
"""
FACTS = "l2\tlocated_in\tl3\nl2\tnear\tl4\nl1\tsister_of\tl5\n"
Found = List[Tuple[str, str, str]]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "names.tsv").write_text(NAMES, encoding="utf8")
    (tmp_path / "facts.tsv").write_text(FACTS, encoding="utf8")
    return tmp_path


def build(files: Path, *, facts: bool = True, **config: Any) -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("relext_sentencizer")
    nlp.add_pipe("kb_linker", config=config)
    settings = {"names": str(files / "names.tsv"), "facts": str(files / "facts.tsv") if facts else None}
    nlp.config["initialize"]["components"]["kb_linker"] = settings
    nlp.initialize()
    return nlp


def found(doc: Doc) -> Found:
    return [(ent.text, ent.label_, ent.kb_id_) for ent in doc.ents]


def given(nlp: Language, text: str, *ents: Tuple[str, str, str]) -> Doc:
    """A text with entities (name, label, id), each at the first place behind the one before."""
    doc, end = nlp.make_doc(text), 0
    spans: List[Any] = []
    for name, label, kb_id in ents:
        start = text.index(name, end)
        end = start + len(name)
        spans.append(doc.char_span(start, end, label=label, kb_id=kb_id))
    doc.set_ents(spans)
    return doc


# Entities of the Doc


def test_given_entities_keep_their_labels_and_nothing_is_added(files: Path) -> None:
    nlp = build(files)
    doc = nlp(given(nlp, "the beatles and Bob Wells saw TEXAS and Rome.", *EACH))
    assert found(doc) == [("the beatles", "BAND", "o1"), ("TEXAS", "GPE", "l3"), ("Rome", "GPE", "")]


EACH = (("the beatles", "BAND", ""), ("TEXAS", "GPE", ""), ("Rome", "GPE", ""))


def test_ids_that_are_there_stay(files: Path) -> None:
    ents = (("Texas", "GPE", "Q7"), ("Wells", "GPE", "NIL"), ("Rome", "GPE", "Q220"))
    nlp = build(files)
    assert [ent.kb_id_ for ent in nlp(given(nlp, "Texas, Wells, Rome", *ents)).ents] == ["Q7", "l4", "Q220"]


def test_a_label_that_is_a_type_decides(files: Path) -> None:
    nlp = build(files)
    ids = [nlp(given(nlp, "Paris", ("Paris", label, ""))).ents[0].kb_id_ for label in ("WORK", "PLACE", "GPE")]
    assert ids == ["w2", "l2", "l2"]


def test_a_doc_without_entities_is_not_annotated(files: Path) -> None:
    assert not has_entity_annotation(build(files)("Paris"))
    assert has_entity_annotation(build(files, ents="names")("Rome"))


# Senses


def test_facts_about_others_decide_between_senses(files: Path) -> None:
    nlp = build(files, ents="names")
    links = {text: nlp(text).ents[0].kb_id_ for text in ("Paris and Texas", "Paris and New Ross", "Paris")}
    assert links == {"Paris and Texas": "l2", "Paris and New Ross": "l1", "Paris": "l2"}, "l2 has most facts"


def test_without_facts_labels_come_before_aliases(files: Path) -> None:
    doc = build(files, facts=False, ents="names")("Paris and Texas and Paris")
    assert [ent.kb_id_ for ent in doc.ents] == ["l1", "l3", "l1"]


def test_entities_with_ids_count_among_the_others(files: Path) -> None:
    nlp = build(files)
    doc = nlp(given(nlp, "Paris is near that town", ("Paris", "GPE", ""), ("that town", "GPE", "l5")))
    assert [ent.kb_id_ for ent in doc.ents] == ["l1", "l5"]


# Names in the text


def test_names_are_found_the_longest_first(files: Path) -> None:
    doc = build(files, ents="names")("In Paris, Texas, the Beatles met Bob Wells.")
    assert found(doc) == [("Paris, Texas", "PLACE", "l2"), ("Beatles", "ORG", "o1"), ("Bob Wells", "PERSON", "p4")]


def test_names_do_not_overlap_entities(files: Path) -> None:
    nlp = build(files, ents="names")
    doc = nlp(given(nlp, "Paris Texas Rangers of Texas", ("Texas Rangers", "TEAM", "")))
    assert found(doc) == [("Paris", "PLACE", "l2"), ("Texas Rangers", "TEAM", ""), ("Texas", "PLACE", "l3")]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("the Fab Four, The Fab Four", ["o1", "o1"]),
        ("Fab Four", []),  # nobody calls it so
        ("NEW ROSS and New ross and new ross", ["l5"]),
        ("WHO said so", ["o2"]),
        ("Who said it? He read It.", ["w1"]),
        ("It rained. IT rained", []),
        ("TEXAS, texas", ["l3"]),
    ],
)
def test_letter_case_and_article(files: Path, text: str, ids: List[str]) -> None:
    assert [ent.kb_id_ for ent in build(files, ents="names")(text).ents] == ids


def test_an_entity_without_type_has_a_label(files: Path) -> None:
    (files / "names.tsv").write_text("id\tlabel\nx\tVardal\n", encoding="utf8")
    assert found(build(files, ents="names")("Vardal")) == [("Vardal", "ENTITY", "x")]


# Surnames


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("Sonia Orwell wrote. Orwell left.", ("Orwell", "p2")),
        ("Orwell left.", ("Orwell", "p1")),
        ("Sonia Orwell met George Orwell. Orwell left.", ("Orwell", "p1")),
        ("George Orwell met Sonia Orwell. Orwell left.", ("Orwell", "p1")),  # whose alias it is
        ("Ida B. Holm Jr. wrote, and Holm left", ("Holm", "p3")),
        ("Ida B. Holm Jr. wrote, and B. Holm left", ("B. Holm", "p3")),
        ("Bob Wells left Wells", ("Wells", "l4")),  # a place of that name
    ],
)
def test_a_surname_means_the_person_before(files: Path, text: str, last: Tuple[str, str]) -> None:
    doc = build(files, ents="names")(text)
    assert (doc.ents[-1].text, doc.ents[-1].kb_id_) == last


def test_a_surname_before_the_full_name_is_not_found(files: Path) -> None:
    nlp = build(files, ents="names")
    assert found(nlp("Holm met Ida B. Holm Jr.")) == [("Ida B. Holm Jr.", "PERSON", "p3")]
    people = (("Ida B. Holm Jr.", "PERSON", ""), ("B. Holm", "PERSON", ""))
    doc = given(nlp, "Ida B. Holm Jr. met B. Holm and Holm.", *people)
    assert [ent.kb_id_ for ent in nlp(doc).ents] == ["p3", "p3", "p3"]


def test_surnames_of_given_entities(files: Path) -> None:
    nlp, people = build(files), (("Sonia Orwell", "PERSON", ""), ("Orwell", "PERSON", ""))
    assert [ent.kb_id_ for ent in nlp(given(nlp, "Sonia Orwell and Orwell", *people)).ents] == ["p2", "p2"]
    stranger = (("Ole Orwell", "PERSON", ""), ("Orwell", "PERSON", ""))
    assert [ent.kb_id_ for ent in nlp(given(nlp, "Ole Orwell and Orwell", *stranger)).ents] == ["", ""]
    linked = (("Sonia Orwell", "PERSON", ""), ("Orwell", "PERSON", "p1"))
    assert [ent.kb_id_ for ent in nlp(given(nlp, "Sonia Orwell and Orwell", *linked)).ents] == ["p2", "p1"]


# Files and processes


TEXTS = ["Sonia Orwell left Paris, Texas. Orwell liked the Beatles.", "It rained.", ""] * 3


def test_the_knowledge_is_saved(files: Path, tmp_path: Path) -> None:
    nlp = build(files, ents="names")
    expected = [found(doc) for doc in nlp.pipe(TEXTS)]
    assert any(expected)
    nlp.to_disk(tmp_path / "nlp")
    for name in ("names.tsv", "facts.tsv"):
        (files / name).unlink()
    loaded = spacy.load(tmp_path / "nlp")
    copied = spacy.blank("en").from_config(nlp.config).from_bytes(nlp.to_bytes())
    pickled = pickle.loads(pickle.dumps(loaded.get_pipe("kb_linker")))
    assert [found(doc) for doc in loaded.pipe(TEXTS)] == expected
    assert [found(doc) for doc in copied.pipe(TEXTS)] == expected
    assert [found(pickled(loaded.make_doc(text))) for text in TEXTS[:3]] == expected[:3]
    assert [found(doc) for doc in loaded.pipe(TEXTS, n_process=2, batch_size=2)] == expected
    (doc,) = loaded.pipe(["Paris and Texas"])
    assert doc.ents[0].kb_id_ == "l2", "facts are saved, too"


def test_missing_knowledge_is_named(files: Path, tmp_path: Path) -> None:
    nlp = build(files)
    linker: Any = nlp.get_pipe("kb_linker")
    nlp.to_disk(tmp_path / "nlp")
    (tmp_path / "nlp" / "kb_linker" / "files.json").rename(tmp_path / "files.json")
    with pytest.raises(ValueError, match=r"\[R019\] kb_linker: .*files\.json is missing"):
        spacy.load(tmp_path / "nlp")
    (tmp_path / "files.json").rename(tmp_path / "nlp" / "kb_linker" / "files.json")
    (tmp_path / "nlp" / "kb_linker" / "knowledge" / "kb.msgpack").unlink()
    with pytest.raises(ValueError, match=r"\[R012\] 'kb_linker' .*knowledge lacks kb\.msgpack"):
        spacy.load(tmp_path / "nlp")
    with pytest.raises(ValueError, match=r"\[R012\] .*the bytes lacks kb\.msgpack"):
        linker.from_bytes(linker.to_bytes(exclude=["knowledge"]))
    assert linker.from_bytes(linker.to_bytes(exclude=["knowledge"]), exclude=["knowledge"]) is linker
    assert linker.from_disk(tmp_path / "nowhere", exclude=["knowledge"]) is linker


def test_errors_are_clear(files: Path) -> None:
    nlp = spacy.blank("en")
    linker: Any = nlp.add_pipe("kb_linker", name="links")
    with pytest.raises(ValueError, match=r"\[R004\] .*'links'"):
        nlp("Paris")
    with pytest.raises(ValueError, match=r"\[R743\] links .*\[initialize\.components\.links\] names"):
        nlp.initialize()
    with pytest.raises(FileNotFoundError, match=r"\[R721\] .*nowhere\.tsv: not found"):
        linker.initialize(lambda: [], names=files / "nowhere.tsv")
    with pytest.raises(ValueError, match=r"\[R742\] links: .*facts\.tsv"):
        linker.initialize(lambda: [], names=files / "facts.tsv")
    with pytest.raises(ValueError, match=r"\[R007\] ents .*given"):
        nlp.add_pipe("kb_linker", name="other", config={"ents": "all"})
