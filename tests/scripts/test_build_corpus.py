import pathlib
import shutil
from typing import Any, Dict, List, Set

import pytest
import spacy
from build_corpus import measure_label_noise
from knowledge_base import read_kb
from spacy.tokens import DocBin

from spacy_relext import register_extensions
from spacy_relext.annotations.store import get_records, has_triples
from spacy_relext.corpora.records import doc_to_record

BORN = {"subject": [0, 3], "relation": "place_of_birth", "object": [10, 14]}
DIED = {"subject": [0, 3], "relation": "place_of_death", "object": [10, 14]}
OTHER_COUNTRIES = (
    "Armenian, Belize, Benin, Beninese, Bolivia, Bolivian, Bulgaria, Burundi, Burundian, Chile, Chilean, Congolese, "
    "Croatian, Dane, Danish, Denmark, Djibouti, Ecuadorian, Estonia, Estonian, Ethiopian, Faroese, Filipino, "
    "Finland, Finnish, Georgia, Iceland, Jamaican, Kenya, Kenyan, Kiribati, Lebanese, Monaco, Nauru, Nepal, New "
    "Zealand, Norway, Norwegian, Peruvian, Portugal, Portuguese, Senegal, Slovenian, Tonga, Tunisia, Tuvalu, "
    "Uruguay, Uruguayan"
)
PARTS = ("train", "dev", "test", "hard", "distant")


@pytest.fixture(scope="module")
def assets(project_root: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The project's assets with the first lines of the prose only."""
    folder = tmp_path_factory.mktemp("assets")
    (folder / "prose").mkdir()
    for path in (project_root / "assets" / "prose").glob("*.txt"):
        lines = path.read_text(encoding="utf8").splitlines(keepends=True)
        (folder / "prose" / path.name).write_text("".join(lines[:40]), encoding="utf8")
    for name in ("kb", "grammar"):
        shutil.copytree(project_root / "assets" / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def built(assets: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Any]:
    from build_corpus import build

    output = tmp_path_factory.mktemp("corpus")
    return {"output": output, **build(assets, output, sentences=150, seed=3)}


def read(path: pathlib.Path) -> List[Any]:
    register_extensions()
    return list(DocBin().from_disk(path).get_docs(spacy.blank("en").vocab))


def test_parts(built: Dict[str, Any]) -> None:
    for part in PARTS:
        docs = read(built["output"] / f"{part}.spacy")
        grammar = [doc for doc in docs if doc.user_data["relext_origin"] == "grammar"]
        assert len(grammar) == (150 if part == "distant" else 0)
        assert len(docs) == built["parts"][part]["sentences"]
        for doc in docs:
            assert has_triples(doc) and len(list(doc.sents)) == 1 and doc.has_annotation("ENT_IOB")
            assert all(doc.char_span(*record["subject"], alignment_mode="expand") for record in get_records(doc) or [])
    assert any(doc.ents and doc.ents[0].kb_id_ for doc in read(built["output"] / "distant.spacy"))


def test_same_seed_same_bytes(built: Dict[str, Any], assets: pathlib.Path, tmp_path: pathlib.Path) -> None:
    from build_corpus import build

    build(assets, tmp_path, sentences=150, seed=3)
    for part in PARTS:
        assert (tmp_path / f"{part}.spacy").read_bytes() == (built["output"] / f"{part}.spacy").read_bytes()


def test_errors_name_the_line(tmp_path: pathlib.Path) -> None:
    from build_corpus import read_prose

    with pytest.raises(ValueError, match="train"):
        read_prose(tmp_path, "train*.txt")
    (tmp_path / "train_a.txt").write_text("# comment\n[P1 Ada Holm slept. ||\n", encoding="utf8")
    with pytest.raises(ValueError, match=r"train_a\.txt:2.*mention 1"):
        read_prose(tmp_path, "train*.txt")


def country_names(project_root: pathlib.Path) -> Set[str]:
    kb = read_kb(project_root / "assets" / "kb")
    countries = {fact.object for fact in kb.facts if fact.relation in ("country_of_citizenship", "capital_of")}
    adjectives = (project_root / "assets" / "grammar" / "adjectives.txt").read_text(encoding="utf8").split()
    names = {name for entity in kb.entities if entity.id in countries for name in entity.names}
    return names.union(adjectives, OTHER_COUNTRIES.split(", "))


@pytest.mark.parametrize("part", ["dev", "test", "hard"])
def test_no_held_out_name_in_train_or_knowledge_base(project_root: pathlib.Path, part: str) -> None:
    """All parts may name the same countries."""
    from build_corpus import names_in, read_prose

    prose = project_root / "assets" / "prose"
    held_out = names_in(read_prose(prose, f"{part}*.txt")) - country_names(project_root)
    known = {name for entity in read_kb(project_root / "assets" / "kb").entities for name in entity.names}
    in_train, in_kb = sorted(held_out & names_in(read_prose(prose, "train*.txt"))), sorted(held_out & known)
    assert not in_train and not in_kb, f"{part} names in train_*.txt: {in_train}; in the knowledge base: {in_kb}"


def test_grammar_avoids_held_out_names(built: Dict[str, Any]) -> None:
    from build_corpus import names_in

    grammar = read(built["output"] / "distant.spacy")
    held_out = {name for doc in read(built["output"] / "test.spacy") for name in names_in([doc_to_record(doc)])}
    assert held_out and not held_out & names_in(doc_to_record(doc) for doc in grammar)


def test_rates_of_label_noise() -> None:
    noise = measure_label_noise([([BORN], [BORN, DIED]), ([DIED], []), ([], [])])
    assert noise["all"] == {
        "true": 2, "distant": 2, "both": 1, "false_negative_rate": 0.5, "false_positive_rate": 0.5,
    }  # fmt: skip
    assert noise["place_of_birth"]["false_negative_rate"] == pytest.approx(0.0)
    assert noise["place_of_death"]["false_positive_rate"] == pytest.approx(1.0)


def test_label_noise_of_relations_that_one_side_lacks() -> None:
    noise = measure_label_noise([([BORN], [DIED])])
    assert list(noise) == ["all", "place_of_birth", "place_of_death"]
    assert noise["place_of_birth"] == {
        "true": 1, "distant": 0, "both": 0, "false_negative_rate": 1.0, "false_positive_rate": None,
    }  # fmt: skip
    assert noise["place_of_death"] == {
        "true": 0, "distant": 1, "both": 0, "false_negative_rate": None, "false_positive_rate": 1.0,
    }  # fmt: skip


def test_transitive_triples_are_added() -> None:
    from build_corpus import add_transitive

    def triple(subject: int, relation: str, obj: int) -> Dict[str, Any]:
        return {"subject": [subject, subject + 1], "relation": relation, "object": [obj, obj + 1]}

    chain = [triple(0, "located_in", 2), triple(2, "located_in", 4), triple(4, "located_in", 6)]
    other = [triple(8, "place_of_birth", 0), triple(4, "author", 9)]
    added = add_transitive({"text": "", "triples": chain + other})["triples"][5:]
    assert added == [triple(0, "located_in", 4), triple(0, "located_in", 6), triple(2, "located_in", 6)]
