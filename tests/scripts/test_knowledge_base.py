import pathlib
from typing import List

import pytest
from hypothesis import given
from hypothesis import strategies as st
from knowledge_base import Entity, Fact, KnowledgeBase, read_kb

ENTITIES = [
    Entity("p:2", "Ingrid Falk", "PERSON", ("Falk",)),
    Entity("p:1", "Arvid Falk", "PERSON", ("Falk",)),
    Entity("l:1", "Falk", "PLACE"),
]
FACTS = [Fact("p:1", "spouse", "p:2"), Fact("p:1", "place_of_birth", "l:1"), Fact("p:1", "place_of_death", "l:1")]


def write(folder: pathlib.Path, entities: List[str], facts: List[str]) -> pathlib.Path:
    (folder / "entities.tsv").write_text("\n".join(["id\tlabel\ttype\taliases", *entities, ""]), encoding="utf8")
    (folder / "facts.tsv").write_text("\n".join(["subject\trelation\tobject", *facts, ""]), encoding="utf8")
    return folder


def test_lookups() -> None:
    kb = KnowledgeBase(ENTITIES, FACTS)
    assert [entity.id for entity in kb.entities] == ["l:1", "p:1", "p:2"]
    assert kb.relations_between("p:1", "l:1") == ("place_of_birth", "place_of_death")
    assert kb.relations_between("l:1", "p:1") == ()
    assert kb.facts_of("p:2") == (Fact("p:1", "spouse", "p:2"),)
    assert kb.relations == ("place_of_birth", "place_of_death", "spouse")
    assert kb["p:1"].names == ("Arvid Falk", "Falk")
    assert "p:1" in kb and "p:9" not in kb and len(kb) == 3


def test_labels_come_before_aliases() -> None:
    assert KnowledgeBase(ENTITIES, FACTS).find("Falk") == ("l:1", "p:1", "p:2")
    assert KnowledgeBase(ENTITIES, FACTS).find("falk") == ()


@given(st.permutations(ENTITIES), st.permutations(FACTS * 2))
def test_order_of_input_does_not_matter(entities: List[Entity], facts: List[Fact]) -> None:
    kb, other = KnowledgeBase(ENTITIES, FACTS), KnowledgeBase(entities, facts)
    assert (kb.entities, kb.facts, kb.names) == (other.entities, other.facts, other.names)


def test_without_leaves_the_entities() -> None:
    kb = KnowledgeBase(ENTITIES, FACTS)
    fewer = kb.without([FACTS[0]])
    assert fewer.entities == kb.entities and set(fewer.facts) == set(FACTS[1:]) and len(kb) == 3


def test_read(tmp_path: pathlib.Path) -> None:
    folder = write(
        tmp_path,
        ["# people", "p:1\tArvid Falk\tPERSON\tFalk| A. Falk ", "l:1\tRöbäck\tPLACE"],
        ["", "p:1\tplace_of_birth\tl:1"],
    )
    kb = read_kb(folder)
    assert kb["p:1"].aliases == ("Falk", "A. Falk") and kb["l:1"].aliases == ()
    assert kb.facts == (Fact("p:1", "place_of_birth", "l:1"),)


@pytest.mark.parametrize(
    "entities, facts, place, words",
    [
        (["p:1\tA\tPERSON\t", "p:1\tB\tPERSON\t"], [], "entities.tsv:3", "p:1"),
        (["p:1\tA\tROBOT\t"], [], "entities.tsv:2", "ROBOT"),
        (["p:1\t\tPERSON\t"], [], "entities.tsv:2", "label"),
        (["p:1"], [], "entities.tsv:2", "1 tab-separated"),
        (["p:1\tA\tPERSON\t"], ["p:1\tspouse\tp:2"], "facts.tsv:2", "p:2"),
        (["p:1\tA\tPERSON\t"], ["p:1\tspouse\tp:1"], "facts.tsv:2", "two different"),
        (["p:1\tA\tPERSON\t", "p:2\tB\tPERSON\t"], ["# c", "p:1 spouse p:2"], "facts.tsv:3", "expected"),
    ],
)
def test_errors_name_file_and_line(
    tmp_path: pathlib.Path, entities: List[str], facts: List[str], place: str, words: str
) -> None:
    with pytest.raises(ValueError) as caught:
        read_kb(write(tmp_path, entities, facts))
    assert place in str(caught.value) and words in str(caught.value)


def test_missing_file_and_wrong_header(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError, match="entities.tsv"):
        read_kb(tmp_path)
    write(tmp_path, [], [])
    (tmp_path / "facts.tsv").write_text("a\tb\tc\n", encoding="utf8")
    with pytest.raises(ValueError, match=r"facts\.tsv:1.*subject"):
        read_kb(tmp_path)


def test_unknown_id_in_memory() -> None:
    with pytest.raises(ValueError, match="p:9"):
        KnowledgeBase(ENTITIES, [Fact("p:9", "spouse", "p:1")])
