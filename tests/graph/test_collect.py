"""Documents as tables: mentions, triples and groups with their numbers, names and types."""

from collections import Counter
from typing import Any, Dict, List

import pytest

from spacy_relext.annotations.names import parse_name
from spacy_relext.annotations.schema import RelationSchema, Schema
from spacy_relext.export.tables import TABLE_NAMES, GraphTables, empty_tables
from spacy_relext.graph.across import Group, ShortForm
from spacy_relext.graph.build import build_graph
from spacy_relext.graph.collect import Collector
from spacy_relext.graph.documents import Document, parse_document
from tests.export.example_graph import rows_table

from .texts import document, record

LABELS = {"Ada": "PERSON", "Bo": "PERSON", "Oslo": "GPE"}


def collect(*documents: Document, **options: Any) -> Collector:
    collector = Collector(**options)
    for each in documents:
        collector.add(each)
    return collector


def with_attributes(doc_id: str, *attributes: Dict[str, Any]) -> Document:
    made = record(f"Ada met Bo {doc_id}.", [("Ada", "met", "Bo", 0.9)] * len(attributes), LABELS, doc_id=doc_id)
    made["triples"] = [{**triple, "attributes": each} for triple, each in zip(made["triples"], attributes)]
    return parse_document(made)


def test_mentions_and_triples_are_numbered_in_the_order_of_the_text() -> None:
    text = "Ada left. Bo met Ada in Oslo."
    made = record(text, [("Bo", "in", "Oslo", 0.5), ("Ada", "met", "Bo", 0.9)], LABELS, doc_id="x")
    collector = collect(parse_document(made), document("Bo slept.", [("Bo", "r", "slept", 0.1)], doc_id="y"))
    mentions = collector.mentions.table().to_pylist()
    assert [(each["mention_id"], each["text"], each["sent"], each["group"]) for each in mentions] == [
        *((1, "Ada", 0, 0), (2, "Bo", 1, 1), (3, "Oslo", 1, 2), (4, "Bo", 0, 3), (5, "slept", 0, 4))
    ]
    support = collector.support.table().to_pylist()
    assert [(each["subject_mention"], each["relation"], each["object_mention"]) for each in support] == [
        *((2, "in", 3), (1, "met", 2), (4, "r", 5))
    ]
    assert (support[0]["sentence"], support[0]["attributes"]) == ("Bo met Ada in Oslo.", None)
    assert (support[1]["sentence"], support[1]["sent"]) == (text, 0)
    assert collector.merges.table().num_rows == 0 and [group.doc_id for group in collector.groups] == [
        *("x", "x", "x", "y", "y")
    ]
    assert (collector.skipped, collector.not_facts) == (0, 0)
    assert [collect().mentions.table().num_rows, collect().support.table().num_rows] == [0, 0]
    first = collect(document("Bo slept.", [("Bo", "r", "slept", 0.1)]), base=empty_tables())
    assert first.mentions.table().column("mention_id").to_pylist() == [1, 2]


def test_all_that_a_document_gives() -> None:
    """Only arguments are mentions, and only groups with an argument count; the others lend them names and types."""
    text = "Ada Lovelace met Bo Ek. Lovelace knew old Cy. He, or Cyd, left. Bo slept."
    made = record(text, [("Lovelace knew", "knew", "old Cy", 0.5), ("Cyd", "r", "Lovelace knew", 0.25)], doc_id="x")
    for triple, role, span in zip(made["triples"], ("subject", "object"), ([24, 32], [24, 32])):
        triple[role] = span
    places = {"Ada Lovelace": 0, "Bo Ek": 17, "Lovelace": 24, "Cy": 42, "Bo": 64}
    made["entities"] = [{"start": at, "end": at + len(name), "label": "PERSON"} for name, at in places.items()]
    made["entities"].append({"start": 38, "end": 43, "label": "ROLE", "kb_id": "Q5"})
    made["coref"] = [[[38, 44], [46, 48], [53, 56]]]
    collector = collect(parse_document(made))
    assert [tuple(row.values()) for row in collector.mentions.table().to_pylist()] == [
        (1, "x", 1, 24, 32, "Lovelace", "PERSON", None, 0),
        (2, "x", 1, 38, 44, "old Cy", "ROLE", "Q5", 1),
        (3, "x", 2, 53, 56, "Cyd", None, None, 1),
    ]
    assert [tuple(row.values()) for row in collector.support.table().to_pylist()] == [
        (1, 2, "x", 1, 24, 45, "Lovelace knew old Cy.", 0.5, "m", *[None] * 4, "knew"),
        (3, 1, "x", 1, 24, 63, "Lovelace knew old Cy. He, or Cyd, left.", 0.25, "m", *[None] * 4, "r"),
    ]
    assert [tuple(row.values()) for row in collector.merges.table().to_pylist()] == [
        ("old Cy", "He", "x", "coreference", 1.0, 1),
        ("old Cy", "Cyd", "x", "coreference", 1.0, 1),
        ("Ada Lovelace", "Lovelace", "x", "person", 0.95, 0),
    ]
    assert collector.groups == [
        Group(parse_name("Ada Lovelace", "PERSON"), None, None, [("Lovelace", "person")], "x"),
        Group(parse_name("old Cy", "ROLE"), "Q5", None, [("He", "coreference"), ("Cyd", "coreference")], "x"),
    ]
    assert collector.documents.table().to_pylist() == [{"doc_id": "x", "text": text, "meta": ""}]


def test_the_same_name_is_no_merge() -> None:
    made = record("Bo met Cy. Bo left.", [("Bo", "met", "Cy", 0.5)], {"Bo": "PERSON"})
    made["entities"][1]["label"] = "ORG"
    made["coref"] = [[[0, 2], [11, 13]]]
    collector = collect(parse_document(made))
    assert [group.short_forms for group in collector.groups] == [[("Bo", "coreference")], ()]
    assert collector.merges.table().num_rows == 0


def test_names_of_a_graph_come_first() -> None:
    """Each entity with its own names, and with its short forms at the first of them."""
    reasons = ("exact", "normalized", "country", "similar", "kb_id", "coreference", "decision", "people")
    short = ("alias", "acronym", "person", "last word", "first word")
    rows: Dict[str, List[Any]] = {
        "documents": [("1", "Bo slept.", ""), ("2", "Cy", "")],
        "mentions": [(4, "1", 0, 0, 2, "Bo", "ORG", None, 2), (9, "1", 0, 3, 8, "slept", None, None, 5)],
        "entities": [(2, "Bo", "ORG", "Q2", [], 1, 1), (5, "Cy", None, None, [], 1, 1)],
        "merges": [(2, "Bo", reason, "1", reason, 0.9) for reason in (*reasons, *short)]
        + [(2, "Bo", "Bo", "1", "exact", 1.0)],
    }
    tables = {name: rows_table(name, rows.get(name, [])) for name in TABLE_NAMES}
    collector = collect(base=GraphTables(**tables))
    own = ["Bo", *sorted(reasons)]
    forms = [ShortForm(reason, reason) for reason in sorted(short)]
    assert collector.groups == [
        *(Group(parse_name(name, "ORG"), "Q2", 2, () if number else forms) for number, name in enumerate(own)),
        Group(parse_name("Cy"), None, 5),
    ]
    collector.add(document("Bo slept.", [("Bo", "r", "slept", 0.1)], doc_id="1"))
    collector.add(parse_document({"text": "Cy", "doc_id": "2"}))
    assert collector.skipped == 2
    collector.add(document("Bo ran.", [("Bo", "r", "ran", 0.1)], doc_id="3"))
    assert [each["mention_id"] for each in collector.mentions.table().to_pylist()] == [10, 11]
    assert [each["group"] for each in collector.mentions.table().to_pylist()] == [10, 11]
    with pytest.raises(ValueError, match="R836.*'2'"):
        collector.add(parse_document({"text": "Bo", "doc_id": "2"}))


def test_what_is_left_out_is_counted() -> None:
    denied, plain = {"assertion": "denied", "a": 1}, {"b": 2, "a": 1}
    documents = [with_attributes("1", denied, plain), with_attributes("2", denied), with_attributes("3", denied)]
    collector = collect(*documents, *documents[:2])
    assert (collector.not_facts, collector.skipped) == (3, 2)
    (stated,) = collector.support.table().to_pylist()
    assert stated["attributes"] == '{"a": 1, "b": 2}'
    assert build_graph(documents).not_facts == 3


@pytest.mark.parametrize("blank", [" ", "\u00a0\n", "\u200b\u00ad", "\x07", "**"])
def test_blank_arguments_never_reach_a_node(blank: str) -> None:
    text = f"Ada left.{blank}Bo met Cy."
    start = 9 + len(blank)
    place, bo, cy = [9, start], [start, start + 2], [start + 7, start + 9]
    entities = [{"start": first, "end": last, "label": "X"} for first, last in (place, bo, cy)]
    triples = [
        {"subject": one, "relation": "r", "object": two} for one, two in (([0, 3], place), (place, bo), (bo, cy))
    ]
    losses: Counter[str] = Counter()
    record = {"text": text, "entities": entities, "triples": triples, "coref": [[place, bo]]}
    collector = collect(parse_document(record, losses=losses))
    assert [group.name.text for group in collector.groups] == ["Bo", "Cy"]
    assert collector.blank + losses["triples with a blank argument"] == 2


@pytest.mark.parametrize("blank", ["  ", "\u00a0", "\n"])
def test_white_space_around_arguments_is_trimmed(blank: str) -> None:
    text, size = f"Ada{blank}met{blank}Bo", len(blank)
    triple = {"subject": [0, 3 + size], "relation": "met", "object": [6 + size, 8 + 2 * size]}
    parsed = parse_document({"text": text, "triples": [{**triple, "object_text": text[6 + size :]}]})
    assert [text[slice(*place)] for each in parsed.statements for place in (each.subject, each.object)] == ["Ada", "Bo"]


def names_of(*spellings: str, label: str = "ORG") -> List[str]:
    """Build a graph with a document for each spelling, and list the names of its entities of a type."""
    documents = []
    for number, spelling in enumerate(spellings):
        entity = {"start": 0, "end": len(spelling), "label": label}
        triple = {"subject": [0, len(spelling)], "relation": "in", "object": [len(spelling) + 4, len(spelling) + 8]}
        made = {"text": f"{spelling} in Oslo.", "entities": [entity], "triples": [triple], "doc_id": f"d{number}"}
        documents.append(parse_document(made))
    entities = build_graph(documents).tables.entities.to_pylist()
    return [each["name"] for each in entities if each["label"] == label]


@pytest.mark.parametrize(
    "spellings, label, name",
    [
        (("Berg- \nheim Vann", "Bergheim Vann"), "ORG", "Bergheim Vann"),
        (("Berg &amp; Dal", "Berg &amp; Dal", "Berg & Dal"), "ORG", "Berg & Dal"),
        (("Dr. Eva Moe", "Eva Moe", "EVA MOE"), "PERSON", "Eva Moe"),
        (("EVA MOE", "Eva  Moe", "Eva  Moe"), "PERSON", "EVA MOE"),
        (("The Fjord Bank ASA", "Fjord Bank", "Fjord Bank"), "ORG", "Fjord Bank"),
        (("**Fjord\u00adbank**",), "ORG", "Fjordbank"),
    ],
)
def test_the_most_frequent_clean_spelling_names_an_entity(spellings: List[str], label: str, name: str) -> None:
    assert names_of(*spellings, label=label) == [name]


def test_a_description_names_no_entity_with_a_name() -> None:
    text = "Havgass grew. The company hired Bo."
    made = record(text, [("The company", "hired", "Bo", 0.9)], {"Havgass": "ORG"}, doc_id="a")
    made["coref"] = [[[0, 7], [14, 25]]]
    assert groups_of(made) == [("Havgass", "ORG", None), ("Bo", None, None)]
    other = record("The company fired Cy.", [("The company", "fired", "Cy", 0.9)], {"The company": "ORG"}, doc_id="b")
    tables = build_graph([parse_document(made)]).tables
    entities = build_graph([parse_document(other)], base=tables).tables.entities.to_pylist()
    assert [(each["name"], each["aliases"]) for each in entities[::2]] == [("Havgass", []), ("The company", [])]


def groups_of(made: Dict[str, Any], **options: Any) -> List[Any]:
    groups = collect(parse_document(made), **options).groups
    return [(group.name.text, group.name.label, group.kb_id) for group in groups]


def test_a_group_has_its_fullest_name_and_its_most_frequent_type_and_id() -> None:
    made = record("Ada Lovelace met Bo. Lovelace met Cy.", [("Ada Lovelace", "met", "Bo", 0.9)], {"Cy": "PERSON"})
    made["entities"] += [
        {"start": 0, "end": 12, "label": "PERSON"},
        {"start": 21, "end": 29, "label": "PERSON", "kb_id": "Q7"},
    ]
    assert groups_of(made) == [("Ada Lovelace", "PERSON", "Q7"), ("Bo", None, None)]
    made["coref"] = [[[17, 19], [34, 36]]]  # Bo and Cy: the entity of a pipeline is rather a name
    assert groups_of(made)[1] == ("Cy", "PERSON", None)
    made = record("Bo met Cy, Di, Ed.", [("Bo", "met", "Ed", 0.9)], {"Bo": "ORG", "Cy": "GPE", "Di": "GPE"})
    for chain, label in (([0, 11], "ORG"), ([0, 7, 11], "GPE")):
        (first, *_) = groups_of({**made, "coref": [[[at, at + 2] for at in chain]]})
        assert first == ("Bo", label, None), "the first of equally frequent types, else the most frequent"
    made = record("He met Cy. It was Bo.", [("He", "met", "Cy", 0.5)])
    assert groups_of({**made, "coref": [[[0, 2], [18, 20]]]}) == [("Bo", None, None), ("Cy", None, None)]
    for length, name in ((100, f"{'X' * 97} Xx"), (101, "Bo")):
        text = f"{'X' * (length - 3)} Xx met Bo. Ada left."
        made = record(text, [(text[:length], "met", "Ada", 0.5)])
        start = text.index("Bo")
        assert groups_of({**made, "coref": [[[0, length], [start, start + 2]]]})[0] == (name, None, None)


def test_phrases_of_the_text_give_other_names() -> None:
    made = record(
        "Unicorn, also known as Satchmo, met Di.", [("Satchmo", "met", "Di", 0.5), ("Unicorn", "r", "Di", 0.5)]
    )
    assert groups_of(made) == [("Unicorn", None, None), ("Di", None, None)]


def test_subject_and_object_are_two_groups() -> None:
    """A surname joins the full name before it, unless a triple has both as arguments."""
    labels = {"Ada Lovelace": "PERSON", "Cy": "PERSON"}
    made = record("Ada Lovelace met Cy. Lovelace left.", [("Ada Lovelace", "met", "Cy", 0.9)], labels)
    surname = {"start": 21, "end": 29, "label": "PERSON"}
    made["entities"] = [made["entities"][0], made["entities"][-1], surname]
    left = {"subject": [21, 29], "relation": "left", "object": [17, 19], "score": 0.5}
    names = [name for name, *_ in groups_of({**made, "triples": [*made["triples"], left]})]
    assert names == ["Ada Lovelace", "Cy"]
    names = [name for name, *_ in groups_of({**made, "triples": [{**left, "object": [0, 12]}]})]
    assert names == ["Ada Lovelace", "Lovelace"]


def test_types_that_a_schema_implies() -> None:
    schema = Schema(
        relations={
            "born": RelationSchema(subject=["PERSON"], object=["GPE"]),
            "either": RelationSchema(subject=["PERSON", "ORG"]),
            "knows": RelationSchema(subject=["PERSON"], symmetric=True),
            "near": RelationSchema(object=["GPE"], symmetric=True),
        }
    )
    expected = {
        "born": ["PERSON", "GPE"], "either": [None, None], "knows": ["PERSON", "PERSON"], "near": ["GPE", "GPE"],
        "other": [None, None],
    }  # fmt: skip
    for relation, labels in expected.items():
        made = record("Xy r Zu.", [("Xy", relation, "Zu", 0.5)])
        assert [label for _, label, _ in groups_of(made, schema=schema)] == labels
    labelled = record("Xy r Zu.", [("Xy", "born", "Zu", 0.5)], {"Xy": "ORG"})
    assert [label for _, label, _ in groups_of(labelled, schema=schema)] == ["ORG", "GPE"]
