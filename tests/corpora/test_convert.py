import json
import re
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
import spacy
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc

from spacy_relext import get_records
from spacy_relext.annotations.store import is_incomplete
from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.records import doc_to_record
from spacy_relext.corpora.report import Report, format_report, list_warnings
from spacy_relext.corpora.shards import iter_docs, list_shards
from spacy_relext.hrere.reader import BagCorpus

NYT: List[Dict[str, Any]] = [
    {"text": "Ada knows Bo .", "triple_list": [["Ada", "knows", "Bo"], ["Ada", "knows", "Bo"], ["Bo", "likes", "Bo"]]},
    {"text": "Bo was born in Oslo .", "triple_list": [["Bo", "born_in", "Oslo"], ["Cy", "born_in", "Oslo"]]},
    {"text": "Nothing happened .", "triple_list": []},
    {"text": "Bo and Bo know Cy .", "triple_list": [["Bo", "knows", "Cy"]]},
]
TRIPLE = {"subject": [0, 3], "relation": "r", "object": [11, 13]}
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_lines(name: str, records: List[Any]) -> Path:
        path = tmp_path / name
        lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
        path.write_text("\n".join(lines) + "\n", encoding="utf8")
        return path

    return write_lines


def read(path: Path) -> List[Doc]:
    return list(iter_docs(path, spacy.blank("en").vocab))


def test_a_corpus_and_its_report(write: Write, tmp_path: Path) -> None:
    output = tmp_path / "new" / "nyt.spacy"
    report = convert("nyt", [write("a.json", NYT)], output)
    docs = read(output)
    assert [len(get_records(doc) or []) for doc in docs] == [1, 1, 0, 1]
    assert all(len(list(doc.sents)) == 1 for doc in docs)
    assert (report.docs, report.sentences, report.sentences_without_triples, report.triples) == (4, 4, 1, 3)
    assert (report.duplicates, report.identical, report.not_located) == (1, 1, 1)
    assert (report.not_found, report.ambiguous, report.skipped) == (1, 1, 0)
    assert report.labels == {"knows": 2, "born_in": 1}
    table = format_report(report)
    assert "a.json:2: 'Cy'" in table and "ambiguous" in table and "duplicate triples removed" in table


MALFORMED = [NYT[0], "{", {"text": 7}, NYT[1], '{"text": "a", "triple_list": 3}']


def test_malformed_records_are_skipped_and_counted(write: Write, tmp_path: Path) -> None:
    path = write("a.json", MALFORMED)
    report = convert("nyt", [path], tmp_path / "a.spacy", malformed="any")
    assert (report.records, report.docs, report.skipped) == (5, 2, 3)
    assert (
        report.problems[1]
        == f"{path}:3: [R755] The record has no triple_list (found: text; expected: text, triple_list)"
    )
    assert report.problems[1] in format_report(report)


def test_strict_stops_at_the_first_and_leaves_no_file(write: Write, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"R100.*a\.json:2: not JSON"):
        convert("nyt", [write("a.json", MALFORMED)], tmp_path / "a.spacy", malformed="refuse")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_only_malformed_records_write_nothing(write: Write, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"R103.*First problem: .*a\.json:1: not JSON"):
        convert("nyt", [write("a.json", ["{"])], tmp_path / "a.spacy")
    with pytest.raises(ValueError, match="R103.*There is no record"):
        convert("nyt", [write("b.json", [])], tmp_path / "a.spacy")
    assert not (tmp_path / "a.spacy").exists()


def test_skip_and_limit_count_records_of_all_files(write: Write, tmp_path: Path) -> None:
    paths = [write("a.json", NYT[:2]), write("b.json", NYT[2:])]
    convert("nyt", paths, tmp_path / "a.spacy", part=slice(1, 3))
    assert [doc.text for doc in read(tmp_path / "a.spacy")] == [NYT[1]["text"], NYT[2]["text"]]


def test_jsonl_keeps_sentences_other_keys_and_what_is_absent(write: Write, tmp_path: Path) -> None:
    records = [
        {"text": "Ada slept. Bo woke.", "sents": [[0, 10], [11, 19]], "triples": [], "id": "x"},
        {"text": "Ada slept. Bo woke.", "triples": [TRIPLE]},
        {"text": "Bo left.", "entities": [{"start": 0, "end": 2, "label": "PER"}]},
    ]
    report = convert("jsonl", [write("a.jsonl", records)], tmp_path / "a.spacy")
    assert [doc_to_record(doc) for doc in read(tmp_path / "a.spacy")] == records
    assert (report.docs, report.sentences, report.not_annotated, report.repeated_texts) == (3, 4, 1, 1)
    assert report.other_keys == {"id": 1} and report.sentences_without_triples == 2


def test_triples_across_sentences_are_counted(write: Write, tmp_path: Path) -> None:
    record = {"text": "Ada slept. Bo woke.", "sents": [[0, 10], [11, 19]], "triples": [TRIPLE]}
    assert convert("jsonl", [write("a.jsonl", [record])], tmp_path / "a.spacy").across_sentences == 1


def test_attributes_rejected_triples_and_coreference_are_counted(write: Write, tmp_path: Path) -> None:
    made = {"text": "Ada slept. Bo woke.", "triples": [{**TRIPLE, "attributes": {"negated": True}}, TRIPLE]}
    rejected = {"text": "Ada slept. Bo left.", "rejected": [TRIPLE], "coref": [[[0, 3], [11, 13]]]}
    report = convert("jsonl", [write("a.jsonl", [made, rejected])], tmp_path / "a.spacy")
    assert (report.attributed, report.rejected, report.clusters, report.not_annotated) == (1, 1, 1, 1)
    assert "triples with attributes" in format_report(report) and "rejected triples" in format_report(report)


def test_triples_of_a_pipeline_are_counted(write: Write, tmp_path: Path) -> None:
    found = {"text": "Ada slept. Bo woke.", "triples": [{**TRIPLE, "source": "rere_extractor"}, TRIPLE]}
    path = write("a.jsonl", [found])
    report = convert("jsonl", [path], tmp_path / "a.spacy")
    assert report.predicted == 1 and "triples of a pipeline, not gold" in format_report(report)
    assert convert("jsonl", [path], tmp_path / "b.spacy", pseudo_labels=True).predicted == 0


def test_a_pipeline_adds_annotation(write: Write, tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PLACE", "pattern": "Oslo"}])  # type: ignore[attr-defined]
    seen: List[Doc] = []

    def progress(docs: Any) -> Any:
        for doc in docs:
            seen.append(doc)
            yield doc

    path = write("a.json", NYT)
    convert("nyt", [path], tmp_path / "a.spacy", nlp=nlp, progress=progress)
    docs = read(tmp_path / "a.spacy")
    assert [[ent.text for ent in doc.ents] for doc in docs] == [[], ["Oslo"], [], []]
    assert len(seen) == 4 and [len(get_records(doc) or []) for doc in docs] == [1, 1, 0, 1]


def test_shards(write: Write, tmp_path: Path) -> None:
    output, path = tmp_path / "shards", write("a.json", NYT)
    convert("nyt", [path], output, shard=1)
    assert len(list_shards(output)) == 4
    convert("nyt", [path], output, shard=3)  # what an earlier run left would be mixed in
    assert [p.name for p in list_shards(output)] == ["part-00000.spacy", "part-00001.spacy"]
    assert [doc.text for doc in read(output)] == [record["text"] for record in NYT]
    (output / "other.spacy").write_bytes(b"")
    with pytest.raises(ValueError, match=r"R106.*other\.spacy"):
        convert("nyt", [path], output, shard=3)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"format": "xml"}, "R102"),
        ({"output": "b.json"}, "R104"),
        ({"output": "a.json"}, "R105"),
        ({"output": "folder.spacy"}, "R104"),
        ({"inputs": ["none.json"]}, "R116.*there is none"),
        ({"inputs": ["."]}, "R116.*it is a folder"),
        ({"shard": -1}, "R107"),
        ({"shard": 2, "output": "b.txt"}, "R104"),
    ],
)
def test_bad_options(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Any, message: str) -> None:
    write("a.json", NYT)
    (tmp_path / "folder.spacy").mkdir()
    (tmp_path / "b.txt").touch()
    monkeypatch.chdir(tmp_path)
    arguments = {"format": "nyt", "inputs": ["a.json"], "output": "a.spacy", **change}
    with pytest.raises(ValueError, match=message) as error:
        convert(arguments.pop("format"), arguments.pop("inputs"), arguments.pop("output"), **arguments)
    assert "\n" not in str(error.value) and not (tmp_path / "a.spacy").exists()


def test_the_report_shortens_long_lists() -> None:
    report = Report(docs=1)
    report.labels.update({f"label{number}": number + 1 for number in range(50)})
    for number in range(9):
        report.count_problem(f"file:{number}", "wrong")
    table = format_report(report)
    assert "... and 10 more labels" in table and "... and 4 more" in table and table.count("file:") == 5


def test_copies_and_contradictory_labels(write: Write, tmp_path: Path) -> None:
    sides = {"h": {"id": "m.1", "name": "ada", "pos": [0, 3]}, "t": {"id": "m.2", "name": "oslo", "pos": [15, 19]}}
    labels = ["born_in", "born_in", "NA", "lives_in", "NA"]
    records = [{"text": "ada was in the oslo", **sides, "relation": label} for label in labels]
    report = convert("opennre", [write("a.txt", records)], tmp_path / "a.spacy")
    assert (report.repeated_texts, report.copies, report.contradictions) == (4, 2, 1)
    assert "exact copies" in format_report(report) and any("contradict" in each for each in list_warnings(report))
    (example,) = BagCorpus(tmp_path / "a.spacy")(spacy.blank("en"))
    assert example.reference.text == "ada was in the oslo"
    assert {triple.relation for triple in example.reference._.triples} == {"born_in", "lives_in"}


def test_white_space_at_the_ends_of_arguments_is_trimmed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    text = "Ada Holm lives in Oslo,\n Norway."
    triple = {"subject": [0, 9], "relation": "lives_in", "object": [17, 22], "subject_text": "Ada Holm "}
    record: Dict[str, Any] = {
        "text": text,
        "entities": [{"start": 23, "end": 31, "label": "PLACE"}],
        "triples": [triple],
    }
    blank = {**triple, "object": [23, 25]}
    path.write_text("\n".join(map(json.dumps, [record, {**record, "triples": [blank]}])))
    report = convert("jsonl", [path], tmp_path / "a.spacy", malformed="any")
    assert +report.losses == {"arguments and entities trimmed of white space": 5, "triples with a blank argument": 1}
    assert report.problems == [] and "spans or arguments of white space are left out" in list_warnings(report)[-1]
    doc, incomplete = iter_docs(tmp_path / "a.spacy", spacy.blank("en").vocab)
    assert is_incomplete(incomplete) and get_records(incomplete) == []
    (kept,) = doc_to_record(doc)["triples"]
    assert (kept["subject"], kept["object"]) == ([0, 8], [18, 22])


def test_arguments_inside_a_token_are_counted_and_stay_exact(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    triples = [{"subject": [8, 13], "relation": relation, "object": [23, 28]} for relation in ("of", "by")]
    path.write_text(json.dumps({"text": "Vorgang-81554 betrifft Ranke.", "entities": [], "triples": triples}))
    nlp = Language()
    nlp.tokenizer = Tokenizer(nlp.vocab, suffix_search=re.compile(r"\.$").search)
    report = convert("jsonl", [path], tmp_path / "a.spacy", nlp=nlp)
    assert report.arguments_widened == 1 and "arguments widened to whole tokens" in format_report(report)
    (doc,) = iter_docs(tmp_path / "a.spacy", nlp.vocab)
    assert doc_to_record(doc)["triples"] == triples
    assert {triple.subject.text for triple in doc._.triples} == {"Vorgang-81554"}
