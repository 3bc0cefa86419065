"""A small graph as tables, and strategies for graphs with names that are hard to write."""

import random
from typing import Any, Dict, List, Sequence, Tuple

from hypothesis import strategies as st

from spacy_relext.corpora.formats.sources import to_json
from spacy_relext.export.tables import GraphTables, make_table, table_schemas

# Names that a format might read as something of its own.
HARD_NAMES = [
    '=cmd|"/c calc"!A1',
    "+1",
    "-1",
    "@x",
    "\tx",
    "\rx",
    "\n=x",
    "＝x",
    "a,b;c|d",
    'say "it"',
    "it's",
    "<script>alert(1)</script>",
    "]]>",
    "&amp;",
    "a\nb\r\nc\rd",
    "\x00\x01\x1f\x7f\x85",
    "\ufffe\uffff",
    "\u2028\u2029",
    "\u202eabc\u202c",
    "שלום עולם",
    "عربي",
    "𝔊𝔯𝔞𝔭𝔥",
    "e\u0301",
    " ",
    "",
    ".",
    "..",
    "a/b?c#d%20",
    "> <http://evil.example/> .",
    '" . <a> <b> <c> .',
    "\\",
    "\\u0041",
    "${jndi:x}",
    "x" * 10_000,
    "<\"&'\n" * 2_000,
    "null",
    "nan",
    "1",
]


def rows_table(name: str, rows: Sequence[Sequence[Any]]) -> Any:
    """Make a table of rows; what is missing at their ends is null."""
    names = table_schemas()[name].names
    return make_table(
        name, {column: [row[at] if at < len(row) else None for row in rows] for at, column in enumerate(names)}
    )


def make_graph(names: Sequence[str] = ("Ada", "Bo", "Cy"), relations: Sequence[str] = ("met", "spouse")) -> GraphTables:
    """Make a graph whose entities, documents, sentences and sources have these names."""
    generator = random.Random(len(names))
    doc_ids = list(dict.fromkeys([name for name in names if name.strip()])) or ["1"]
    documents = [(doc_id, None if number % 3 == 2 else doc_id, "{}") for number, doc_id in enumerate(doc_ids)]
    entities = [
        (n, name, name if n % 2 else None, name if n % 3 == 1 else None, [name, f"{name} II"][: n % 3], 2, 1)
        for n, name in enumerate(names)
    ]
    mentions: List[Tuple[Any, ...]] = []
    for number, name in enumerate(names):
        for _ in range(2):
            doc_id = generator.choice(doc_ids)
            mentions.append((len(mentions), doc_id, 0, 0, max(len(name), 1), name, None, name or None, number))
    facts, support = [], []
    for number, relation in enumerate(relations):
        for subject in range(len(names)):
            obj = (subject + 1 + number) % len(names)
            sentence = f"{names[subject]} {relation} {names[obj]}"
            fact = len(facts)
            facts.append((fact, subject, relation, obj, 1 / (fact + 3), 0.5, 1, 1, sentence))
            for turn in range(fact % 3):
                place = (2 * subject + turn % 2, 2 * obj, generator.choice(doc_ids), turn, 0, len(sentence), sentence)
                attributes = None if turn else to_json({"assertion": names[subject]})
                support.append((fact, *place, 0.1 * turn, names[subject], attributes))
    merges = [(0, names[0], name, None, "exact", 1.0) for name in names[1:]]
    conflicts = [
        ("functional", relations[0], 0, None if number else 1, name, None) for number, name in enumerate(names)
    ]
    rows: Dict[str, Sequence[Sequence[Any]]] = {
        "documents": documents,
        "mentions": mentions,
        "entities": entities,
        "facts": facts,
        "support": support,
        "merges": merges,
        "conflicts": conflicts,
    }
    return GraphTables(info={"options": {"a": 1}}, **{name: rows_table(name, each) for name, each in rows.items()})


def texts() -> "st.SearchStrategy[str]":
    """Texts of any characters that UTF-8 can encode."""
    anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    pieces = st.lists(st.sampled_from(list("=+-@\t\r\n\"'<>&;,\\/%#{}|\x00\x1f\uffff\u202e. ")) | anything, max_size=8)
    return st.sampled_from(HARD_NAMES) | anything | pieces.map("".join)


def graphs() -> "st.SearchStrategy[GraphTables]":
    """Graphs of such names."""
    relations = st.lists(texts().filter(str.strip), min_size=1, max_size=3, unique=True)
    return st.builds(make_graph, st.lists(texts(), min_size=2, max_size=5), relations)
