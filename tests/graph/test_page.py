"""The page of a graph: what it holds, that no name can break it, and what a browser makes of it."""

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Dict, List

import pytest
from hypothesis import given, settings

from spacy_relext.annotations.grouping import RULES
from spacy_relext.annotations.schema import Schema
from spacy_relext.export.tables import GraphTables, empty_tables, read_tables, write_tables
from spacy_relext.graph.build import GraphOptions, build_graph
from spacy_relext.graph.conflicts import Conflict
from spacy_relext.graph.page import KINDS, MOST_DOCUMENTS, MOST_SENTENCES, REASONS, draw_graph
from tests.export.example_graph import HARD_NAMES, graphs, make_graph, rows_table, texts
from tests.graph.texts import document
from tests.visuals.browser import add_script, needs_browser, open_page

SCHEMA = Schema.model_validate(
    {"relations": {"born_in": {"description": "was <born> in", "functional": True}, "met": {"symmetric": True}}}
)
LABELS = {"Ada Lovelace": "PERSON", "Charles Babbage": "PERSON", "London": "PLACE", "Kent": "PLACE"}
TEXTS = [
    (
        "😀 Ada Lovelace was born in London. Lovelace met Charles Babbage.",
        [("Ada Lovelace", "born_in", "London", 0.9), ("Lovelace", "met", "Charles Babbage", 0.8)],
    ),
    ("Ada Lovelace was born in Kent.", [("Ada Lovelace", "born_in", "Kent", 0.4)]),
    ("Ada Lovelace is from London.", [("Ada Lovelace", "born_in", "London", 0.7)]),
]

# What a reader does; `seen` is what the page then shows.
USER = """
const seen = {}, text = id => get(id).textContent.replace(/\\s+/g, " ").trim();
const change = (id, value) => {
  if (get(id).type === "checkbox") get(id).checked = value; else get(id).value = value;
  get(id).dispatchEvent(new Event(get(id).tagName === "INPUT" && get(id).type !== "checkbox" ? "input" : "change"));
};
const press = key => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
const later = () => new Promise(done => setTimeout(done, 50));
const look = name => seen[name] = {
  found: text("found"), name: text("name"), count: text("count"), drawn: text("drawn"),
  listed: [...get("entities").children].map(item => item.textContent),
  facts: [...get("facts").children].map(item => item.textContent.replace(/\\s+/g, " ").trim()),
  nodes: [...document.querySelectorAll(".node text")].map(node => node.textContent),
  edges: [...document.querySelectorAll(".edge text")].map(edge => edge.textContent),
  dashed: document.querySelectorAll(".edge.conflict").length,
};
(async () => {
  look("start");
  for (const box of get("facts").querySelectorAll("details")) box.open = true;
  await later();
  look("open");
  seen.marks = [...document.querySelectorAll("mark")].map(mark => [mark.className, mark.textContent]);
  seen.merges = text("reasons");
  change("words", "love"); look("alias"); change("words", "LONDÓN"); look("search"); change("words", "");
  change("relation", "1"); look("relation"); change("relation", "");
  change("probability", "75"); look("probability"); change("probability", "0");
  change("conflicts", true); look("conflicts"); change("conflicts", false);
  press("/"); change("words", "k"); press("ArrowDown"); seen.focus = document.activeElement.textContent;
  press("ArrowUp"); press("Enter"); await later(); change("words", ""); look("chosen");
  change("steps", "2"); look("steps");
  const node = document.querySelector(".node:not(.center)");
  node.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true}));
  await later(); look("clicked");
  const other = get("facts").querySelector("a");
  other.focus(); other.click(); await later();
  seen.moved = [document.activeElement.id, text("name")];
  seen.stops = [...get("entities").querySelectorAll("a")].filter(each => !each.tabIndex).length;
  const out = make("pre", "", JSON.stringify(seen)); out.id = "seen"; document.body.append(out);
})();
"""


class Tags(HTMLParser):
    """The elements of a page and their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: List[Any] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, attrs))


def ada() -> GraphTables:
    labels = [{**LABELS, "Lovelace": "PERSON"}, LABELS, LABELS]
    documents = [document(*each, labels[at], doc_id=f"d{at}") for at, each in enumerate(TEXTS)]
    return build_graph(documents, options=GraphOptions(schema=SCHEMA)).tables


def data_of(page: str) -> Dict[str, Any]:
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    data: Dict[str, Any] = json.loads(found)
    return data


# A graph whose last fact, document and entity no page of three facts shows.
TABLES: Dict[str, List[Any]] = {
    "documents": [(doc_id, None, "{}") for doc_id in "uvxyz"],
    "mentions": [
        *[(1, "x", 0, 0, 3, "Ada", None, None, 1), (2, "x", 0, 8, 10, "Bo", None, None, 2)],
        *[(3, "x", 1, 20, 23, "Ada", None, None, 1), (4, "x", 1, 30, 32, "Cy", None, None, 3)],
        *[(5, "y", 0, 0, 3, "Ada", None, None, 1), (6, "y", 0, 10, 12, "Cy", None, None, 3)],
        *[(7, "z", 0, 12, 14, "Bo", None, None, 2), (8, "z", 0, 19, 23, "😀 Di", None, None, 4)],
        *[(9, "u", 0, 8, 11, "Bos", None, None, 2), (10, "u", 0, 4, 4, "", None, None, 1)],
    ],
    "entities": [
        *[(1, "Ada", "PER", "Q1", ["A."], 3, 2), (2, "Bo", "ORG", None, [], 2, 1), (3, "Cy", "ORG", None, [], 2, 2)],
        *[(4, "Di", "ART", None, [], 1, 1), (5, "Ed", "PER", None, [], 1, 1)],
    ],
    "facts": [
        (1, 1, "met", 2, 0.5, 0.4, 2, 1, "Ada met Bo"),
        (2, 1, "knows", 3, 0.5, 0.7, 2, 2, "Ada is fond of Cy."),
        (3, 2, "met", 4, 0.9996, 0.9, 1, 1, "😀\uffffBo met 😀 Di"),
        (4, 1, "met", 5, 0.1, 0.1, 1, 1, "Ada met Ed"),
    ],
    "support": [
        (1, 1, 2, "x", 0, 0, 10, "Ada met Bo", 0.4, "m", None),
        (1, 10, 9, "u", 0, 0, 10, "and met Bo", 0.3, "m", None),
        (2, 3, 4, "x", 1, 20, 38, "Ada knows Cy.", 0.5, "m", None),
        (2, 3, 6, "x", 1, 20, 38, "Ada is fond of Cy.", 0.7, "m", None),
        (2, 5, 6, "y", 0, 0, 12, "Ada knows Cy.", 0.6, "n", None),
        (2, 5, 6, "z", 0, 0, 12, "Ada knows Cy.", 0.6, "m", None),
        (3, 7, 8, "z", 0, 10, 23, "😀\uffffBo met 😀 Di", 0.0015, "n", None),
    ],
    "merges": [
        *[(1, "Ada", "A.", "x", "person", 0.95), (1, "Ada", "A.", "y", "person", 0.95)],
        *[(1, "Ada", "Adah", None, "decision", 1.0), (2, "Bo", "BO", "z", "new rule", 0.5)],
        (5, "Ed", "Eddie", "z", "person", 0.9),
    ],
    "conflicts": [
        *[("functional", "met", 1, 4, "Ada: Bo or Ed", None), ("functional", "met", 3, 1, "Bo: Di or Ada", None)],
        *[("functional", "met", 4, 1, "Ada: Ed or Bo", None), ("new kind", "met", 2, None, "Cy", None)],
    ],
}


def test_a_worked_example() -> None:
    """Facts by probability, their sentences by score, and only what these name; offsets are those of JavaScript."""
    graph = GraphTables(
        info={"schema": {"relations": {"met": {"description": "saw"}, "knows": {}}}},
        **{name: rows_table(name, rows) for name, rows in TABLES.items()},
    )
    page = draw_graph(graph, title="Ties", most_facts=3)
    assert page.facts == 3 and "<title>Ties</title>" in page.html
    assert "The 3 most probable of 4 facts of 4 entities in 5 documents" in page.html
    assert data_of(page.html) == {
        "entities": {
            **{"id": [1, 2, 3, 4], "name": ["Ada", "Bo", "Cy", "Di"], "type": [2, 0, 0, 1], "kb_id": ["Q1", 0, 0, 0]},
            **{"aliases": [["A."], 0, 0, 0], "mentions": [3, 2, 2, 1], "documents": [2, 1, 2, 1]},
        },
        "types": ["ORG", "ART", "PER"],
        "values": [],
        "relations": [
            {"name": "knows", "facts": 1, "description": ""},
            {"name": "met", "facts": 2, "description": "saw"},
        ],
        "facts": {
            **{"subject": [1, 0, 0], "relation": [1, 1, 0], "object": [3, 1, 2], "probability": [1000, 500, 500]},
            **{"sentences": [1, 2, 2], "documents": [1, 1, 2], "period": [0, 0, 0]},
        },
        "support": {
            **{"starts": [0, 1, 3, 5], "sentence": [0, 1, 2, 3, 4], "score": [2, 400, 300, 700, 600]},
            "spans": [3, 5, 10, 15, 0, 3, 8, 10, 0, 0, 0, 0, 0, 3, 0, 0, 0, 3, 10, 12],
            **{"source": [0, 1, 1, 1, 0], "documents": [[0], [1], [2], [1], [3, 1, 0]], "further": [0] * 5},
        },
        "sentences": ["😀\uffffBo met 😀 Di", "Ada met Bo", "and met Bo", "Ada is fond of Cy.", "Ada knows Cy."],
        "documents": ["z", "x", "u", "y"],
        "sources": ["n", "m"],
        "conflicts": [
            {"kind": 0, "fact": 1, "other": -1, "detail": "Ada: Bo or Ed"},
            {"kind": 0, "fact": 0, "other": 1, "detail": "Bo: Di or Ada"},
            {"kind": 1, "fact": 2, "other": -1, "detail": "Cy"},
        ],
        "kinds": ["the schema allows one object, or the name is that of two entities", "new kind"],
        "merges": [[0, "Ada", "A.", 0, 950, 2], [0, "Ada", "Adah", 1, 1000, 0], [1, "Bo", "BO", 2, 500, 1]],
        "reasons": ["part of the full name, which comes before it", "decided by hand", "new rule"],
    }


def test_every_rule_and_kind_has_words() -> None:
    assert set(REASONS) == {*RULES, "decision"}
    assert set(KINDS) == {"self", "type", "functional", "acyclic", "denied"}
    assert Conflict._fields[0] == "kind"


def test_the_best_sentences_and_some_documents() -> None:
    graph = make_graph(relations=["met"])
    rows = [
        (0, 0, 2, doc_id, 0, 0, 99, f"sentence {sentence}", sentence / 100, "m", None)
        for sentence in range(MOST_SENTENCES + 3)
        for doc_id in ("Ada", "Bo", "Cy")
    ]
    data = data_of(draw_graph(GraphTables(**{**graph.named(), "support": rows_table("support", rows)})).html)
    assert data["support"]["starts"] == [0, *[MOST_SENTENCES] * 3]
    assert data["support"]["score"][:2] == [120, 110] and data["support"]["documents"][0] == [0, 1, 2]
    documents = [(f"d{at}", None, "{}") for at in range(MOST_DOCUMENTS + 2)]
    rows = [(0, 0, 2, doc_id, 0, 0, 9, "Ada met", 0.5, "m", None) for doc_id, _, _ in documents]
    changed = {"documents": rows_table("documents", documents), "support": rows_table("support", rows)}
    support = data_of(draw_graph(GraphTables(**{**graph.named(), **changed})).html)["support"]
    assert len(support["documents"][0]) == MOST_DOCUMENTS and support["further"] == [2]


@settings(max_examples=30, deadline=None)
@given(graphs(), texts())
def test_no_name_breaks_it(tmp_path_factory: pytest.TempPathFactory, graph: GraphTables, title: str) -> None:
    folder = tmp_path_factory.mktemp("graph")
    write_tables(graph, folder)
    page = draw_graph(graph, title=title).html
    assert page == draw_graph(read_tables(folder), title=title).html, "same graph, same page"
    assert Tags(page).tags == Tags(draw_graph(make_graph()).html).tags
    data = data_of(page)
    names = dict(zip(graph.entities.column("entity_id").to_pylist(), graph.entities.column("name").to_pylist()))
    assert data["entities"]["name"] == [names[number] for number in data["entities"]["id"]]
    assert set(data["sentences"]) == set(graph.support.column("sentence").to_pylist())


def test_it_needs_no_network() -> None:
    page = draw_graph(ada()).html
    assert not re.search(r'(src|href)="(?!#)|@import|url\(', page)
    assert re.findall(r"https?://[^\s\"]+", page) == ["http://www.w3.org/2000/svg"], "the name of a namespace"
    assert "default-src 'none'" in page


def write_page(path: Path, page: str, script: str = "") -> Path:
    """Write a page; a script of the test's own would not run under its policy."""
    path.write_bytes((add_script(page, script) if script else page).encode("utf8", "replace"))
    return path


@needs_browser
@pytest.mark.parametrize(
    "names", [HARD_NAMES, ["</script><img src=x onerror=alert(1)>", "<b>b</b>", "javascript:x"], []]
)
def test_any_names_in_a_browser(tmp_path: Path, names: List[str]) -> None:
    graph = make_graph(names, ["met", "<i>x</i>"]) if names else empty_tables()
    content = open_page(write_page(tmp_path / "page.html", draw_graph(graph).html), tmp_path / "profile")
    body = content[: content.index('<script type="application/json"')]
    assert not re.search(r"<(script|img|b|i)\b", body[body.index("<body") :])
    assert set(re.findall(r'href="([^#"][^"]*)"', body)) == set()


@needs_browser
def test_a_reader(tmp_path: Path) -> None:
    path = write_page(tmp_path / "page.html", draw_graph(ada()).html, USER)
    content = open_page(path, tmp_path / "profile", wait=5000)
    seen = json.loads(html.unescape(re.findall(r'<pre[^>]*id="seen"[^>]*>(.*?)</pre>', content)[0]))
    start = seen["start"]
    assert start["found"] == "4 entities" and start["name"] == "Ada Lovelace" and start["count"] == "3 facts"
    assert start["listed"][0] == "Ada LovelacePERSON, 3 facts" and start["drawn"] == "3 neighbours"
    assert start["nodes"] == ["Ada Lovelace", "London", "Charles Babbage", "Kent"] and start["dashed"] == 2
    assert sorted(start["edges"]) == ["born_in", "born_in", "met"]
    assert re.fullmatch(r"Ada Lovelace born_in → London⚠ conflict ?0\.\d\d 2 sentences, 2 documents", start["facts"][0])
    assert "the name is that of two entities: Ada Lovelace: Kent or London" in seen["open"]["facts"][0]
    assert "The other fact: Ada Lovelace born_in → Kent (0." in seen["open"]["facts"][0]
    assert "document d0; score 0.90 of m" in seen["open"]["facts"][0]
    assert seen["marks"][:2] == [["subject", "Ada Lovelace"], ["object", "London"]] and len(seen["marks"]) == 8
    assert "LovelaceAda Lovelacepart of the full name" in seen["merges"]
    assert seen["alias"]["listed"] == ["Ada LovelacePERSON, 3 facts"]
    assert seen["search"]["listed"] == ["LondonPLACE, 1 fact"]
    assert seen["relation"]["count"] == "1 of 3 facts" and seen["relation"]["nodes"][1:] == ["Charles Babbage"]
    assert seen["probability"]["found"] == "3 entities" and seen["probability"]["count"] == "2 of 3 facts"
    assert seen["conflicts"]["listed"][0] == "Ada LovelacePERSON, 2 facts"
    assert seen["focus"] == "KentPLACE, 1 fact" and seen["chosen"]["name"] == "Kent"
    assert seen["chosen"]["nodes"] == ["Kent", "Ada Lovelace"]
    assert seen["steps"]["nodes"] == ["Kent", "Ada Lovelace", "London", "Charles Babbage"]
    assert seen["clicked"]["name"] == "Ada Lovelace"
    assert seen["moved"] == ["name", "London"], "focus follows to the new entity"
    assert seen["stops"] == 1, "the list is one stop of the tab key"
