"""The configurations of docs/tasks/annotation.md are what `spacy relext annotate export` writes."""

import re
from pathlib import Path
from typing import Any, Dict

import pytest

from .tool_records import write

RECORD: Dict[str, Any] = {
    "text": "Ada Holm was not born in Bergen. She never saw it.",
    "entities": [
        {"start": 0, "end": 8, "label": "PERSON"},
        {"start": 25, "end": 31, "label": "PLACE"},
        {"start": 33, "end": 36, "label": "PERSON"},
    ],
    "triples": [{"subject": [0, 8], "relation": "born_in", "object": [25, 31], "attributes": {"negated": True}}],
}


@pytest.fixture(scope="module")
def page(project_root: Path) -> str:
    return (project_root / "docs" / "tasks" / "annotation.md").read_text(encoding="utf8")


def test_the_labelling_configuration(page: str, tmp_path: Path) -> None:
    (_, config), _ = write("label-studio", tmp_path, [RECORD])
    assert re.findall(r"^```xml\n(.*?)^```", page, re.M | re.S) == [config.read_text(encoding="utf8")]


def test_the_configuration_of_brat(page: str, tmp_path: Path) -> None:
    (folder,), _ = write("brat", tmp_path, [RECORD])
    blocks = re.findall(r"^```text\n(.*?)^```", page, re.M | re.S)
    assert (folder / "annotation.conf").read_text(encoding="utf8") in blocks
