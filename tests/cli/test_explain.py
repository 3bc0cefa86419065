"""`spacy relext explain`: what triples are based on."""

import json
import re
import shutil
import warnings
from functools import partial
from pathlib import Path
from typing import Any, Callable, Sequence, Tuple

import pytest
import spacy
from markupsafe import escape
from spacy.language import Language
from spacy.training import Example

from spacy_relext.corpora.reader import predicted_doc
from tests.cli.nero_pipeline import RULES
from tests.contract.entities import FACTORY
from tests.contract.sentences import make_english_examples

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
    expected = ["Document 1", "Ada → met → Bo (score 0.900, from fake)", "    pattern: met", "Document 2"]
    none = "No triple: no component of the pipeline (sentencizer, fake_extractor) says that it states relations"
    for source in (["--file", tmp_path / "in.jsonl"], [tmp_path / "in.jsonl"]):
        done = run("explain", pipeline, *source)
        assert done.exit_code == 0 and done.output.splitlines()[:-1] == expected
        assert done.output.splitlines()[-1].startswith(none)


def save(folder: Path, *pipes: str, **config: Any) -> Language:
    """Make a pipeline that knows English sentences; settings go to its last component."""
    nlp = spacy.blank("en")
    for name in pipes:
        nlp.add_pipe(name, config=config if name == pipes[-1] else {})
    examples = make_english_examples(nlp)
    nlp.initialize(lambda: examples)
    nlp.to_disk(folder)
    return nlp


def reason(run: Callable[..., Any], *arguments: Any, html: Path) -> str:
    """Why there is no triple, as text and on the page."""
    done = run("explain", *arguments, "--html", html)
    assert done.exit_code == 0, done.output
    (line,) = [line for line in done.output.splitlines() if line.startswith("No triple")]
    assert f"<p>{escape(line)}</p>" in html.read_text(encoding="utf-8")
    return str(line)


def test_why_there_is_no_triple(nero_pipelines: Tuple[str, str], run: Callable[..., Any], tmp_path: Path) -> None:
    whole, bare = nero_pipelines
    why = partial(reason, run, html=tmp_path / "why.html")
    assert re.match(r"No triple: the text has no entities.*contract_entities found none", why(whole, "It rained ."))
    missing = why(bare, "Ole was born in Oslo.")
    assert "no component of the pipeline sets any; put an `ner` or `entity_ruler` before it" in missing
    alone = why(whole, "Ole slept. Mary slept.")
    assert "of the entities (Ole PERSON, Mary PERSON) none make a pair: no two entities stand in the same" in alone
    types = why(whole, "Mathilda was read in London.")
    nearest = r"nearest is Mathilda → place_of_birth → London with 0\.\d{3}"
    assert re.search(rf"No triple: {nearest}, but the types WORK → PLACE are not among its own \(types\)", types)
    nlp = spacy.load(whole, config={"components.nero_grounder.threshold": 1.0})
    nlp.to_disk(tmp_path / "strict")
    below = why(tmp_path / "strict", "Mary was later born in London.")
    nearest = r"nearest is Mary → place_of_birth → London with 0\.\d{3}, nero_grounder asks for 1\.000 \(.*tune"
    assert re.search(f"no score reaches its threshold; {nearest}", below)
    unlikely = why(tmp_path / "strict", "Mathilda was read in London.")
    assert "between entities of these types nero_grounder knows no relation (PLACE → WORK, WORK → PLACE)" in unlikely
    nlp.remove_pipe("nero_grounder")
    nlp.to_disk(tmp_path / "none")
    assert "No triple: no component of the pipeline (sentencizer, contract_entities)" in why(tmp_path / "none", "A b.")


def test_a_rule_that_says_there_is_no_relation(run: Callable[..., Any], tmp_path: Path) -> None:
    rules = [*RULES, {"id": "never", "relation": "no_relation", "pattern": "SUBJ-PERSON left OBJ-PLACE"}]
    save(tmp_path / "nlp", "sentencizer", FACTORY, "nero_grounder", rules=rules, threshold=0.99)
    line = reason(run, tmp_path / "nlp", "Ole left Oslo.", html=tmp_path / "why.html")
    assert 'rule never "SUBJ-PERSON left OBJ-PLACE" says that Ole and Oslo have no relation' in line


def test_a_rule_whose_relation_the_types_forbid(run: Callable[..., Any], tmp_path: Path) -> None:
    types = [["WORK", "place_of_birth", "PLACE"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        save(tmp_path / "nlp", "sentencizer", FACTORY, "nero_grounder", rules=RULES, types=types)
    line = reason(run, tmp_path / "nlp", "Ole was born in Oslo.", html=tmp_path / "why.html")
    assert line.startswith("No triple: ") and "have no relation" not in line


def test_marked_pairs_of_records(run: Callable[..., Any], fails: Callable[..., str], tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    suggester = {"@misc": "spacy_relext.AnnotatedPairs.v1"}
    untyped = {**RULES[0], "pattern": "SUBJ-* was born in OBJ-*"}
    nlp.add_pipe("nero_grounder", config={"rules": [untyped], "suggester": suggester})
    record = {"text": "Ole was born in Oslo.", "pairs": [{"subject": [0, 3], "object": [16, 20], "label": None}]}
    example = Example(predicted_doc(nlp, record, gold_ents=True), nlp.make_doc(record["text"]))
    nlp.initialize(lambda: [example])
    nlp.to_disk(tmp_path / "nlp")
    line = reason(run, tmp_path / "nlp", "Ole was born in Oslo.", html=tmp_path / "why.html")
    assert "reads only pairs that a data set marks" in line and '"pairs" as --file FILE.jsonl' in line
    triples = [{"subject": [0, 3], "relation": "gold", "object": [16, 20]}]
    (tmp_path / "in.jsonl").write_text(json.dumps({**record, "triples": triples}) + "\n")
    done = run("explain", tmp_path / "nlp", "--file", tmp_path / "in.jsonl")
    assert done.output.startswith("Ole → place_of_birth → Oslo (score 1.000, from nero_grounder)\n    rule born ")
    assert "gold" not in done.output
    (tmp_path / "bad.jsonl").write_text('{"text": "Ole.", "pairs": [{"subject": [0, 9], "object": [0, 3]}]}\n')
    assert "[R100]" in (line := fails("explain", tmp_path / "nlp", "--file", tmp_path / "bad.jsonl"))
    assert "bad.jsonl, line 1" in line and "pairs[0].subject" in line


def test_entities_of_records(nero_pipelines: Tuple[str, str], run: Callable[..., Any], tmp_path: Path) -> None:
    whole, bare = nero_pipelines
    kinds = [{"start": 0, "end": 4, "label": "PERSON"}, {"start": 17, "end": 22, "label": "PLACE"}]
    (tmp_path / "in.jsonl").write_text(json.dumps({"text": "Vera was born in Genoa.", "entities": kinds}) + "\n")
    stated = "Vera → place_of_birth → Genoa (score 1.000, from nero_grounder)"
    assert stated in run("explain", bare, "--file", tmp_path / "in.jsonl").output
    assert "contract_entities found none" in run("explain", whole, "--file", tmp_path / "in.jsonl").output


def test_why_rere_states_nothing(run: Callable[..., Any], tmp_path: Path) -> None:
    spacy.util.fix_random_seed(0)  # the nearest triple of untrained weights
    nlp = save(tmp_path / "nlp", "sentencizer", "rere_detector", "rere_extractor")
    why = partial(reason, run, html=tmp_path / "why.html")
    for number, (settings, expected) in enumerate(
        [
            (
                {"rere_extractor.decoding.query_threshold": 0.99},
                r"nearest is \w+ with 0\.\d{3}, rere_extractor asks for 0\.990; .* too low .*_threshold\)",
            ),
            (
                {"rere_extractor.threshold": 1.0},
                r"nearest is .*\w+ with 0\.\d{3}, rere_extractor asks for 1\.000 \(.*tune",
            ),
            ({"rere_detector.min_probability": 1.0}, r"no relation likely enough to be stored \(min_probability\)"),
        ]
    ):
        for key, value in settings.items():
            pipe, *blocks, setting = key.split(".")
            cfg = nlp.get_pipe(pipe).cfg  # type: ignore[attr-defined]
            (cfg[blocks[0]] if blocks else cfg)[setting] = value
        nlp.to_disk(tmp_path / str(number))
        assert re.search(expected, why(tmp_path / str(number), "Ada wrote to Mary."))
        nlp.get_pipe("rere_extractor").cfg["decoding"]["query_threshold"] = 0.0  # type: ignore[attr-defined]


def test_a_detector_alone_states_nothing(run: Callable[..., Any], tmp_path: Path) -> None:
    save(tmp_path / "nlp", "sentencizer", "rere_detector")
    line = reason(run, tmp_path / "nlp", "Ada wrote to Mary.", html=tmp_path / "why.html")
    expected = r"rere_detector finds the relations of sentences, .* add a rere_extractor; the most probable is"
    assert re.search(expected, line)


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
        (("Ada met Bo.", "--html", "{tmp}/out.pdf"), "R209"),
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


def test_what_a_schema_removed(pipeline: str, run: Callable[..., Any], tmp_path: Path) -> None:
    nlp = spacy.load(pipeline)
    checks: Any = nlp.add_pipe("relext_constraints", name="checks", config={"type_penalty": None})
    (tmp_path / "schema.yaml").write_text("relations:\n  met: {symmetric: true}\n", encoding="utf8")
    checks.initialize(lambda: [], schema_path=tmp_path / "schema.yaml")
    nlp.to_disk(tmp_path / "nlp")
    assert run("explain", tmp_path / "nlp", "Ada met Bo.").output.splitlines() == [
        "Ada → met → Bo (score 0.900, from fake)",
        "    pattern: met",
    ]
    ruler: Any = nlp.add_pipe("entity_ruler", first=True)
    ruler.add_patterns([{"label": "PLACE", "pattern": "Ada"}])
    (tmp_path / "schema.yaml").write_text("relations:\n  met: {subject: [PERSON]}\n", encoding="utf8")
    checks.initialize(lambda: [], schema_path=tmp_path / "schema.yaml")
    nlp.to_disk(tmp_path / "nlp")
    assert run("explain", tmp_path / "nlp", "Ada met Bo.").output.splitlines() == [
        "No triple: checks removed the only triple.",
        "Removed by checks: Ada → met → Bo (score 0.900, from fake)",
        "    the schema does not allow the types PLACE → ?",
    ]
    assert run("explain", tmp_path / "nlp", "Ada met Bo.", "--near-misses", 10).output.splitlines() == [
        "No triple: checks removed the only triple.",
        "Not stated: Ada → met → Bo (score 0.900, from fake)",
        "    constraints: removed by checks: the schema does not allow the types PLACE → ?",
        "1 near miss.",
    ]


def test_near_misses(nero_pipelines: Tuple[str, str], run: Callable[..., Any], tmp_path: Path) -> None:
    nlp = spacy.load(nero_pipelines[0], config={"components.nero_grounder.threshold": 1.0})
    nlp.to_disk(tmp_path / "strict")
    texts = "Mary was later born in London. Ole was later born in Bergen. Ole was born in Oslo."
    done = run("explain", tmp_path / "strict", texts, "--near-misses", 1, "--html", tmp_path / "out.html")
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[0] == "Ole → place_of_birth → Oslo (score 1.000, from nero_grounder)"
    assert re.fullmatch(
        r"Not stated: (Mary|Ole) → place_of_birth → (London|Bergen) "
        r"\(score 0\.\d{3}, threshold 1\.000, from nero_grounder\)",
        lines[-4],
    )
    assert lines[-3].startswith("    threshold: its score beside no relation is too low: match 0.")
    assert re.fullmatch(r"1 near miss; \d more with lower scores \(--near-misses\)\.", lines[-2])
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert page.count("<h3>Near misses</h3>") == 1 and "<td>threshold</td>" in page
    nlp.add_pipe("doc_cleaner")
    nlp.to_disk(tmp_path / "cleaned")
    assert run("explain", tmp_path / "cleaned", texts, "--near-misses", 1).output.splitlines() == lines[:-1]
    without = run("explain", tmp_path / "strict", texts, "--html", tmp_path / "out.html").output
    assert "Not stated" not in without and "near miss" not in without
    assert "Near misses" not in (tmp_path / "out.html").read_text(encoding="utf-8")


def test_near_misses_are_escaped(pipeline: str, run: Callable[..., Any], tmp_path: Path) -> None:
    assert run("explain", pipeline, "Ada met Bo.", "--near-misses", 10).output.splitlines()[-1] == "No near miss."
    decoding = {"query_threshold": 0.999}
    save(tmp_path / "nlp", "sentencizer", "rere_detector", "rere_extractor", decoding=decoding)
    done = run("explain", tmp_path / "nlp", "<b>Ada</b> met Bo.", "--near-misses", 10, "--html", tmp_path / "out.html")
    assert re.search(
        r"Not stated: \? → \w+ → \? \(score 0\.\d{3}, threshold 0\.999, from rere_extractor\)", done.output
    )
    assert '    relation: its probability in "<b>Ada</b> met Bo." is too low for rere_extractor' in done.output
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;Ada" in page and "<b>" not in page
