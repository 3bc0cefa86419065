"""Numbers, names and types of entities; decisions: how they are read, and what they change."""

from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import numpy
import pytest

from spacy_relext.annotations.names import parse_name
from spacy_relext.graph.across import Group, Joined, join_groups
from spacy_relext.graph.decisions import Decision, InDocument, read_decisions
from spacy_relext.graph.entities import Entities, Entity, MergeRow, number_groups, other_names

# Name, type and id.
Row = Tuple[str, Optional[str], Optional[str]]


def groups_of(*rows: Row, fixed: Any = ()) -> List[Group]:
    return [
        Group(parse_name(name, label), kb_id, fixed=fixed[at] if fixed else None)
        for at, (name, label, kb_id) in enumerate(rows)
    ]


def test_new_entities_get_the_following_numbers() -> None:
    groups = groups_of(("A", None, None), ("B", "X", None), ("B", None, "Q1"), ("C", None, None), ("B", "Y", "Q2"))
    joined = Joined([0, 1, 1, 3, 1], [])
    ids, known = number_groups(groups, joined)
    assert ids.tolist() == [1, 2, 2, 3, 2]
    assert known == {1: Entity("A"), 2: Entity("B", "X", "Q1"), 3: Entity("C")}
    assert number_groups(groups, joined, taken=7)[0].tolist() == [8, 9, 9, 10, 9]
    ids, known = number_groups(
        groups_of(("A", None, None), ("B", None, None), fixed=[5, None]), Joined([0, 1], []), taken=3
    )
    assert ids.tolist() == [5, 6] and known[5].name == "A"
    assert number_groups([], Joined([], []), taken=3)[1] == {}


def test_the_most_frequent_name_then_the_longest() -> None:
    def name(*names: str, fixed: Any = ()) -> str:
        groups = groups_of(*((each, None, None) for each in names), fixed=fixed)
        return number_groups(groups, Joined([0] * len(names), []))[1][fixed[0] if fixed else 1].name

    assert name("Ada", "Ada King", "Ada") == "Ada"
    assert name("Ada", "Ada King") == "Ada King"
    assert name("she", "Ada", "she") == "Ada"
    assert name("Ada", "Ada King", "Ada King", fixed=[4, None, None]) == "Ada", "an entity of the graph keeps its name"


def test_other_names() -> None:
    entities = {1: Entity("Ada King"), 2: Entity("Bo")}
    pairs = [(1, "Ada"), (1, "Ada  King"), (1, "she"), (2, "Bo"), (1, "A. King")]
    assert other_names(entities, pairs) == {1: ["A. King", "Ada"], 2: []}


def entities_of(mentions: List[Tuple[int, str]], *known: Row) -> Entities:
    rows = {number: Entity(*row) for number, row in enumerate(known, 1)}
    return Entities(rows, numpy.array([number for number, _ in mentions]), [text for _, text in mentions])


def names_of(entities: Entities) -> Dict[int, str]:
    return {number: each.name for number, each in entities.known.items()}


def test_joining() -> None:
    known: List[Row] = [("Ada", "PER", None), ("Bo", "PER", "Q2"), ("Ada King", "PER", "Q3")]
    made = entities_of([(1, "Ada"), (2, "Bo"), (3, "Ada King"), (3, "King")], *known)
    made.apply([Decision("same", "Ada King", "Ada")])
    assert made.known == {1: Entity("Ada King", "PER", "Q3"), 2: Entity("Bo", "PER", "Q2")}
    assert made.mentions.tolist() == [1, 2, 1, 1] and made.unused == []
    assert made.merges == [MergeRow(1, "Ada King", "Ada", None, "decision", 1.0)]
    assert (made.current(3), made.current(2)) == (1, 2)
    made.apply([Decision("same", 3, 2)])  # by the number that it had
    assert made.mentions.tolist() == [1, 1, 1, 1] and made.known == {1: Entity("Ada King", "PER", "Q3")}


@pytest.mark.parametrize(
    "labels, left, label",
    [
        (("A", "A"), 1, "A"),
        (("A", "B"), 1, "B"),
        ((None, "B"), 1, "B"),
        (("A", "A", "B"), 2, "A"),
        (("A", "B", "A"), 3, "A"),
    ],
)
def test_names_are_joined_within_a_type_or_if_each_is_the_only_one(labels: Any, left: int, label: str) -> None:
    made = entities_of([], *[(name, label, None) for name, label in zip(("One", "Two", "One"), labels)])
    made.apply([Decision("same", "Two", "One")])
    assert (len(made.known), made.known[1].label) == (left, label)
    assert made.unused == ([Decision("same", "Two", "One")] if left == 3 else [])


def test_a_name_that_has_been_joined_joins_what_else_has_it() -> None:
    made = entities_of([(2, "Two")], ("One", "A", None), ("Two", "A", None), ("One", "A", None))
    made.apply([Decision("same", 1, 2), Decision("same", "One", "Two")])
    assert made.known == {1: Entity("One", "A")} and made.unused == []


def test_parting() -> None:
    known: List[Row] = [("Ada King", "PER", None), ("Bo", "PER", None)]
    mentions = [(1, "Ada King"), (1, "King"), (2, "Bo"), (1, "KING")]
    for first, second in (("Ada King", "King"), ("King", "Ada King"), (1, "King"), ("King", 1)):
        made = entities_of(mentions, *known)
        made.apply([Decision("different", first, second)])
        assert made.mentions.tolist() == [1, 3, 2, 3] and made.known[3] == Entity("King", "PER")
        assert made.parted == {(1, "king")} and made.unused == []
    made = entities_of([*mentions, (2, "King")], *known)
    made.apply([Decision("different", "Ada King", "King")])
    assert made.mentions.tolist() == [1, 3, 2, 3, 2], "the King that is Bo stays"
    for first, second in (("Ada King", 1), (1, "Ada King"), ("Ada King", "Ada King")):
        made = entities_of(mentions, *known)
        made.apply([Decision("different", first, second)])
        assert made.mentions.tolist() == [1, 1, 2, 1] and made.parted == set(), "nothing but its own name"
    made = entities_of(mentions, *known, ("King", "PER", "Q1"))
    made.apply([Decision("different", "Ada King", "King")])
    assert made.mentions.tolist() == [1, 3, 2, 3] and len(made.known) == 3, (
        "the only other entity of that name and type"
    )
    made = entities_of(mentions, *known, ("King", "ORG", "Q1"))
    made.apply([Decision("different", "Ada King", "King")])
    assert made.mentions.tolist() == [1, 4, 2, 4]
    made = entities_of(mentions, *known)
    decisions = [Decision("different", 1, 2), Decision("different", 1, 9), Decision("different", "Bo", "Cy")]
    made.apply(decisions)
    assert made.unused == decisions[1:] and made.mentions.tolist() == [1, 1, 2, 1]


def test_decisions_have_an_order_of_their_own() -> None:
    made = entities_of([(1, "Ada"), (2, "Bo"), (1, "Cy")], ("Ada", None, None), ("Bo", None, None))
    made.apply([Decision("rename", "Ada", "Eve"), Decision("same", "Ada", "Bo"), Decision("different", "Ada", "Cy")])
    assert names_of(made) == {1: "Eve", 3: "Cy"} and made.mentions.tolist() == [1, 1, 3] and made.unused == []
    assert made.merges[-1] == MergeRow(1, "Eve", "Ada", None, "decision", 1.0)


def test_an_equal_name_goes_before_a_folded_one() -> None:
    made = entities_of([], ("ADA", None, None), ("Ada", None, None))
    made.apply([Decision("rename", "Ada", "Bo")])
    assert names_of(made) == {1: "ADA", 2: "Bo"}
    made.apply([Decision("rename", "ada", "Cy")])
    assert names_of(made) == {1: "Cy", 2: "Bo"}


def test_joined_groups_are_numbered() -> None:
    groups = groups_of(("Ada", "PER", None), ("Bo", "PER", None), ("Ada", "PER", None))
    assert number_groups(groups, join_groups(groups))[0].tolist() == [1, 2, 1]


def test_decisions(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    path.write_text('{"same": ["A", "B"]}\n\n{"rename": [3, "C"]}\n{"different": [1, 2]}\n')
    assert read_decisions(path) == [
        Decision("same", "A", "B", f"{path}:1"),
        Decision("rename", 3, "C", f"{path}:3"),
        Decision("different", 1, 2, f"{path}:4"),
    ]
    assert str(Decision("rename", 3, "C")) == '{"rename": [3, "C"]}'
    text = '{"different": ["Li Wei", {"name": "Li Wei", "document": "3"}]}'
    path.write_text(text)
    (located,) = read_decisions(path)
    assert located.second == InDocument("Li Wei", "3") == located.located and str(located) == text
    assert str(Decision("same", "Łódź", 3)) == '{"same": ["Łódź", 3]}'


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "{}", '{"merge": ["a", "b"]}', '{"same": ["a"]}', '{"same": ["a", "a"]}', '{"same": ["a", 1.5]}',
     '{"same": "ab"}', '{"same": ["a", "b", "c"]}', '{"same": [1, 1]}', '{"same": ["a", "b"], "rename": ["a", "b"]}',
     '{"same": [null, "b"]}', '{"rename": ["a", 3]}', '{"same": ["a", " "]}', '{"same": ["a", true]}'],
)  # fmt: skip
def test_malformed_decisions(tmp_path: Path, line: str) -> None:
    (tmp_path / "d.jsonl").write_text('{"same": ["x", "y"]}\n' + line + "\n")
    with pytest.raises(ValueError, match=rf"R832\] {tmp_path}/d\.jsonl:2: "):
        read_decisions(tmp_path / "d.jsonl")


def test_contradicting_decisions(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    lines = ['{"rename": ["x", "y"]}', '{"same": ["x", "y"]}', '{"same": ["y", "x"]}', '{"different": ["x", "z"]}']
    path.write_text("\n".join(lines))
    assert len(read_decisions(path)) == 4
    path.write_text("\n".join([*lines, '{"different": ["y", "x"]}']))
    with pytest.raises(ValueError, match=r"R833.*d\.jsonl:5.*contradicts.*d\.jsonl:2"):
        read_decisions(path)
    with pytest.raises(ValueError, match="R832"):
        read_decisions(tmp_path / "missing.jsonl")
