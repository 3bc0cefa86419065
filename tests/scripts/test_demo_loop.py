"""The annotator of the demonstration leaves the gold, whatever was suggested."""

from pathlib import Path

import demo_loop

from spacy_relext.corpora.records import read_jsonl, write_jsonl
from tests.visuals.browser import needs_driver
from tests.visuals.correcting import suggest


@needs_driver
def test_the_browser_writes_the_gold(tmp_path: Path) -> None:
    first, second = "Ada Holm met Bo in Oslo, 😀 and Cy too.", "Nobody came."
    gold = suggest(first, ("Ada Holm", "met", "Bo"), ("Ada Holm", "met", "Cy"))
    gold["triples"].append({**gold["triples"][0], "relation": "knows"})
    right = {first: demo_loop.keys_of(gold), second: set()}
    suggested = [
        suggest(first, ("Ada Holm", "met", "Bo"), ("Bo", "lives_in", "Oslo")),
        suggest(second, ("Nobody", "met", "came")),
    ]
    write_jsonl(tmp_path / "in.jsonl", suggested)
    counts = demo_loop.correct(tmp_path / "in.jsonl", tmp_path / "out.jsonl", right)
    assert counts == {"accepted": 1, "rejected": 2, "added": 2}
    records = list(read_jsonl(tmp_path / "out.jsonl"))
    assert {record["text"]: demo_loop.keys_of(record) for record in records} == right
