import json
import pathlib

from benchmarks.few_labels import read_conll04


def test_tags_and_numbered_entities_become_spans(tmp_path: pathlib.Path) -> None:
    row = {
        "tokens": ["Orla", "Fenn", "works", "for", "Tarn", "."],
        "tags": ["B-Peop", "L-Peop", "O", "O", "U-Org", "O"],
        "relations": [{"type": "Work_For", "head": 0, "tail": 1}],
    }
    (tmp_path / "part.json").write_text(json.dumps([row]), encoding="utf8")
    (record,) = read_conll04(tmp_path / "part.json")
    assert record["text"] == "Orla Fenn works for Tarn."
    assert record["triples"] == [{"subject": [0, 9], "relation": "Work_For", "object": [20, 24]}]
    assert [entity["label"] for entity in record["entities"]] == ["Peop", "Org"]
