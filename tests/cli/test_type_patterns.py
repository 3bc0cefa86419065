import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any, Callable, List, Tuple

import pytest
import spacy
from spacy.tokens import DocBin

from spacy_relext import set_triples
from spacy_relext.kd.type_report import format_type_patterns
from spacy_relext.visuals.type_graph import draw_type_graph

NLP = spacy.blank("en")
SVG = "{http://www.w3.org/2000/svg}"

# Subject type, object type, relation; "" is an argument that is no entity.
TRIPLES: List[Tuple[str, str, str]] = (
    [("PERSON", "CITY", "lives_in")] * 3
    + [("PERSON", "CITY", "born_in")]
    + [("PERSON", "DATE", "born_on")] * 4
    + [("", "CITY", "lives_in")] * 2
)


def write_corpus(path: Path, triples: List[Tuple[str, str, str]]) -> Path:
    docs = []
    for subject, obj, relation in triples:
        doc = NLP("Ada saw Bergen")
        arguments = [doc.char_span(0, 3, label=subject or "X"), doc.char_span(8, 14, label=obj or "X")]
        doc.set_ents([span for span, kind in zip(arguments, (subject, obj)) if kind])
        set_triples(doc, [{"subject": [0, 3], "relation": relation, "object": [8, 14]}])
        docs.append(doc)
    for _ in range(2 if triples else 0):
        doc = docs[0].copy()
        set_triples(doc, [])
        docs.append(doc)
    DocBin(docs=[*docs, NLP("Not annotated.")], store_user_data=True).to_disk(path)
    return path


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_corpus(tmp_path / "train.spacy", TRIPLES)


def lines_of(output: str) -> List[str]:
    return [" ".join(line.split()) for line in output.splitlines()]


def test_counts_and_shares(run: Callable[..., Any], corpus: Path) -> None:
    done = run("research", "type-patterns", corpus)
    assert done.exit_code == 0, done.output
    lines = lines_of(done.stdout)
    # 10 triples of 3 type pairs; PERSON → DATE (4) and (none) → CITY (2) have one relation each.
    assert lines[:3] == ["triples 10", "type pairs 3", "relations 3"]
    assert "type pairs with a single relation 2 (66.7%)" in lines
    assert "triples of such type pairs 6 (60.0%)" in lines
    # The most frequent relation of each: 3 of 4, 4 of 4, 2 of 2.
    assert "triples whose relation is the most frequent one of their type pair 9 (90.0%)" in lines
    pairs = lines.index("Type pairs (3)")
    entry = ["PERSON → CITY 4", "lives_in 3 75.0%", "born_in 1 25.0%", "(no triple) 2"]
    assert lines[pairs + 1 : pairs + 5] == entry
    # the other order of the eight pairs of two entities, and both orders of two that have no triple
    assert "pairs of entities without a triple 12" in lines and "of these, of types that no triple has 10" in lines
    assert "(none) → CITY 2" in lines
    relations = lines.index("Relations (3)")
    assert lines[relations + 1 : relations + 4] == ["lives_in 5", "PERSON → CITY 3 60.0%", "(none) → CITY 2 40.0%"]


def test_the_most_frequent_ones(run: Callable[..., Any], corpus: Path, tmp_path: Path) -> None:
    done = run("research", "type-patterns", corpus, "--top", 1, "--svg", tmp_path / "a.svg")
    lines = lines_of(done.stdout)
    assert "... and 1 more" in lines and "... and 2 more" in lines and "born_in 1 25.0%" not in lines
    drawing = (tmp_path / "a.svg").read_text(encoding="utf8")
    assert drawing.count("<path") == 2 and "the 1 most frequent of 3 type pairs, 2 relations, 4 triples" in drawing
    assert "born_in 1 25.0%" in lines_of(run("research", "type-patterns", corpus, "--top", 0).stdout)


def test_bad_input(run: Callable[..., Any], fails: Callable[..., str], corpus: Path, tmp_path: Path) -> None:
    assert "R111" in fails("research", "type-patterns", tmp_path / "none.spacy")
    assert "has a gold triple" in fails("research", "type-patterns", write_corpus(tmp_path / "empty.spacy", []))
    (tmp_path / "broken.spacy").write_text("x")
    assert "R112" in fails("research", "type-patterns", tmp_path / "broken.spacy")
    done = run("research", "type-patterns", corpus, "--svg", tmp_path)  # a folder
    assert done.exit_code == 1 and "R216" in done.stderr


def test_the_drawing(run: Callable[..., Any], corpus: Path, tmp_path: Path) -> None:
    path = tmp_path / "new" / "graph.svg"
    done = run("research", "type-patterns", corpus, "--svg", path)
    assert done.exit_code == 0 and "Saved to" in done.stdout
    root = ElementTree.fromstring(path.read_text(encoding="utf8"))
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert texts[0] == "train.spacy: 3 type pairs, 3 relations, 10 triples"
    assert texts[2:5] == ["PERSON → CITY (4 of 6)", "PERSON → DATE (4)", "(none) → CITY (2)"]
    # Mean row of lives_in: (3 * 0 + 2 * 2) / 5; it stands between born_in (0) and born_on (1).
    assert texts[5:] == ["born_in (1)", "lives_in (5)", "born_on (4)"]
    widths = {}
    for element in root.iter(f"{SVG}path"):
        hover = element.find(f"{SVG}title")
        assert hover is not None and hover.text is not None
        widths[hover.text] = float(element.attrib["stroke-width"])
    assert list(widths.values()) == sorted(widths.values(), reverse=True) and len(widths) == 4
    assert widths["PERSON → DATE: born_on, 4 (100.0% of the type pair)"] == pytest.approx(14.0)
    assert widths["PERSON → CITY: lives_in, 3 (75.0% of the type pair)"] == pytest.approx(10.5)
    assert path.read_text(encoding="utf8").count('class="only"') == 2


def test_the_drawing_needs_nothing_else_and_escapes_text() -> None:
    svg = draw_type_graph({"<a>&\x00 → 人": {'r"<': 2, "s": 1}}, title="<b>")
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|<script|@import|url\(", svg)
    texts = [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert texts[0] == "<b>" and texts[2:] == ["<a>& → 人 (3)", 'r"< (2)', "s (1)"]
    ElementTree.fromstring(draw_type_graph({}))


def test_labels_do_not_leave_the_drawing() -> None:
    table = {f"VERY_LONG_TYPE_NAME_{n} → ANOTHER_LONG_TYPE": {f"a_relation_with_a_long_name_{n}": n} for n in (1, 2)}
    root = ElementTree.fromstring(draw_type_graph(table))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for element in root.iter(f"{SVG}text"):
        x, length = float(element.attrib["x"]), 7.5 * len(element.text or "")
        start = x - length if element.attrib.get("text-anchor") == "end" else x
        assert 0 <= start and start + length <= width and float(element.attrib["y"]) < height


def test_a_single_pair() -> None:
    assert "1 (100.0%)" in format_type_patterns({"A → B": {"r": 1}}, {})
