"""`spacy relext explain`: what triples are based on."""

import shutil
from pathlib import Path
from typing import Any, Callable, Sequence, Tuple

import pytest

from .nero_pipeline import RULES

BORN = RULES[0]["pattern"]
CODE = """
from spacy.language import Language
from spacy_relext import set_triples

@Language.component("guesses_of_a_user")
def guess(doc):
    set_triples(doc, [(doc[:1], "guessed", doc[1:2])], source="user")
    return doc
"""


def test_the_rules_behind_triples(nero_pipelines: Tuple[str, str], run: Callable[..., Any], tmp_path: Path) -> None:
    text = "Mary was later born in London. Ole was born in Oslo."
    done = run("explain", nero_pipelines[0], text, "--html", tmp_path / "new" / "out.html")
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    first = lines.index("Ole → place_of_birth → Oslo (score 1.000, from nero_grounder)")
    assert lines[first + 1 : first + 3] == [
        f'    rule born "{BORN}" (exact)',
        "    types: PERSON → PLACE",
    ]
    assert "    attended words: " in lines[first + 3] and "born 0." in lines[first + 3]
    soft = next(number for number, line in enumerate(lines) if line.startswith("Mary → place_of_birth → London"))
    assert lines[soft + 1].startswith(f'    like rule born "{BORN}", match 0.')
    page = (tmp_path / "new" / "out.html").read_text(encoding="utf-8")
    assert page.count("</code> (exact)") == 1 and "like rule born <code>" in page and "<svg" in page


def test_evidence_of_any_component(pipeline: str, run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "Ada met Bo."}\n{"text": "Nobody."}\n')
    expected = ["Document 1", "Ada → met → Bo (score 0.900, from fake)", "    pattern: met", "Document 2", "No triple."]
    for source in (["--file", tmp_path / "in.jsonl"], [tmp_path / "in.jsonl"]):
        done = run("explain", pipeline, *source)
        assert done.exit_code == 0 and done.output.splitlines() == expected


def test_code_of_a_user(pipeline: str, run: Callable[..., Any], fails: Callable[..., str], tmp_path: Path) -> None:
    folder = tmp_path / "pipeline"
    shutil.copytree(pipeline, folder)
    for name in ("config.cfg", "meta.json"):
        text = (folder / name).read_text(encoding="utf-8")
        (folder / name).write_text(text.replace("fake_extractor", "guesses_of_a_user"), encoding="utf-8")
    (tmp_path / "code.py").write_text(CODE)
    assert "R200" in fails("explain", folder, "Ada met Bo.")
    done = run("explain", folder, "Ada met Bo.", "--code", tmp_path / "code.py")
    assert done.exit_code == 0 and "Ada → guessed → met (score 1.000, from user)" in done.output


def test_a_page_that_cannot_be_written(pipeline: str, run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("x")
    done = run("explain", pipeline, "Ada met Bo.", "--html", tmp_path / "file.txt" / "out.html")
    assert done.exit_code == 1 and "R216" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((), "R513"),
        (("Ada met Bo.", "--file", "in.txt"), "R513"),
        (("absent.txt",), "R211"),
        (("--file", "absent.txt"), "R202"),
        (("Ada met Bo. " * 100_000,), "R205"),
        (("Ada met Bo.", "--code", "{tmp}/file.txt"), "R512"),
        (("Ada met Bo.", "--code", "{tmp}/bad.py"), "R512"),
    ],
)
def test_one_line_for_bad_input(
    fails: Callable[..., str], pipeline: str, tmp_path: Path, arguments: Sequence[str], message: str
) -> None:
    (tmp_path / "file.txt").write_text("x")
    (tmp_path / "bad.py").write_text("raise ValueError('[R000] of the user')\n")
    assert message in fails("explain", pipeline, *[argument.format(tmp=tmp_path) for argument in arguments])
