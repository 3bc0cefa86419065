"""What a file looks like, and what `convert` says of a file of another format."""

import json
import zlib
from pathlib import Path
from typing import Any, Dict, List

import pytest

from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.formats.recognition import recognize_bytes, recognize_file, recognize_record
from spacy_relext.corpora.formats.registry import FORMATS
from spacy_relext.corpora.raw_text import TextLog
from spacy_relext.corpora.report import list_warnings
from spacy_relext.corpora.texts import list_sources
from tests.fuzz.samples import RECORD, SAMPLES, copy_sample, write_sample

TOKENS = ["Eva", "Dahl", "leads", "Lysverk"]
DENOTED = {"text": "Havol binds KALB.", "denotations": [{"id": "T1", "span": {"begin": 0, "end": 5}, "obj": "drug"}]}
RECORDS: Dict[str, List[Any]] = {
    "": [{}, {"text": "Eva."}, {"text": "Eva.", "relations": []}, [], "text", None, {"text": "Eva.", "tags": ["news"]}],
    "crossre": [{"sentence": TOKENS, "ner": [[0, 1, "person"]], "relations": []}],
    "fewrel": [
        {"P39": [{"tokens": TOKENS, "h": ["eva", "Q1", [[0, 1]]], "t": ["lysverk", "Q2", [[3]]]}]},
        {"tokens": TOKENS, "relation": "P39", "head": {"text": "eva", "indices": [[0, 1]]}, "tail": {}},
    ],
    "gliner": [{"tokenized_text": TOKENS, "ner": [], "relations": [[0, 1, "leads"]]}],
    "glirel": [{"tokenized_text": TOKENS, "ner": [], "relations": [{"head": {"position": [0, 1]}}]}],
    "gliner2": [{"input": "Eva.", "output": {"relations": []}}],
    "jsonl": [RECORD, {"text": "Eva.", "triples": []}],
    "prodigy": [{"text": "Eva", "_task_hash": 3}, {"text": "Eva", "spans": [{"start": 0, "token_start": 0}]}],
    "pubannotation": [DENOTED],
    "rebel": [
        {"text": "Eva", "triples": [{"subject": {"boundaries": [0, 3]}}]},
        {"context": "Eva .", "triplets": "<triplet> Eva"},
    ],
    "semeval2010": [{"sentence": "<e1>Eva</e1> leads <e2>Lysverk</e2>.", "relation": 4}],
    "tacred": [{"token": TOKENS, "subj_start": 0, "subj_end": 2, "relation": 7}],
    "uie": [{"text": "Eva", "tokens": TOKENS, "entity": [], "relation": [], "spot": [], "asoc": []}],
}
BYTES = {
    "": b"[1] Eva Dahl leads Lysverk.\tShe lives in Bergen.\n\n[[No] < markup.\n",
    "a PDF": b"%PDF-1.7\n%\xe2\xe3",
    "a zip archive": b"PK\x03\x04\x14\x00",
    "a .spacy file (of spaCy's relation tutorial: use `spacy relext convert spacy-rel`)": zlib.compress(b"any"),
    "binary data": b"a\x00b",
    "JSON": b'{"name": [1, 2',
    "XML": b'<?xml version="1.0"?>\n<TEI></TEI>',
    "HTML": b"<!doctype html><title>Eva</title>",
    "a table with tabs between columns": b"id\ttitle\tabstract\n1\tEva\tShe leads.\n",
    "bioc": b'<?xml version="1.0"?><!DOCTYPE collection SYSTEM "BioC.dtd"><collection>',
    "cas": b'\xef\xbb\xbf<?xml version="1.0"?><xmi:XMI xmlns:cas="http:///uima/cas.ecore">',
    "webanno": b"#FORMAT=WebAnno TSV 3.3\n\n#Text=Eva.\n",
    "pubtator": b"17|t|Havol study\n17|a|Havol binds KALB.\n",
    "drugprot": b"17\tT1\tCHEMICAL\t0\t5\tHavol\n",
    "brat": b"T1\tPERSON 0 3\tEva\n",
}


@pytest.mark.parametrize("name, record", [(name, record) for name, records in RECORDS.items() for record in records])
def test_the_format_of_a_record(name: str, record: Any) -> None:
    assert recognize_record(record) == name


@pytest.mark.parametrize("name", BYTES)
def test_what_a_file_is(name: str) -> None:
    assert recognize_bytes(BYTES[name]) == name
    if not name.startswith(("a ", "binary")):
        assert recognize_bytes(BYTES[name].decode("utf-8-sig").encode("utf-16")) == name


@pytest.mark.parametrize("name", sorted(FORMATS.keys() - {"text", "spacy-rel"}))
def test_the_samples_of_formats(tmp_path: Path, name: str) -> None:
    path = copy_sample(name, tmp_path) if name in SAMPLES else write_sample(name, tmp_path)
    assert recognize_file(path) == name


def write(folder: Path, *records: Any) -> Path:
    path = folder / "data.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf8")
    return path


@pytest.mark.parametrize(
    "name, format", [("crossre", "spert"), ("glirel", "spert"), ("uie", "spert"), ("rebel", "jsonl")]
)
def test_a_record_of_another_format_is_named(tmp_path: Path, name: str, format: str) -> None:
    path = write(tmp_path, RECORDS[name][0])
    with pytest.raises(ValueError, match=f"R103.*data.jsonl:1: .*It looks like {name}") as error:
        convert(format, [path], tmp_path / "a.spacy")
    assert "\n" not in str(error.value)


def test_text_with_annotation_of_another_format_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"R131.*'denotations', 'text'.*`spacy relext convert pubannotation`"):
        convert("jsonl", [write(tmp_path, DENOTED)], tmp_path / "a.spacy")
    with pytest.raises(ValueError, match="R129.*Not one of 1 documents is annotated.*other keys: triplez"):
        convert("jsonl", [write(tmp_path, {"text": "Eva leads.", "triplez": [[1]]})], tmp_path / "a.spacy")
    assert not (tmp_path / "a.spacy").exists()
    report = convert("jsonl", [write(tmp_path, {"text": "Eva leads.", "id": 7})], tmp_path / "a.spacy")
    assert report.not_annotated == 1 and "not one of them is annotated" in list_warnings(report)[0]
    (tmp_path / "a.txt").write_text("Eva leads.\n")
    assert list_warnings(convert("text", [tmp_path / "a.txt"], tmp_path / "a.spacy")) == []


@pytest.mark.parametrize("format", ["cas", "nyt", "brat"])
def test_files_that_are_no_json(tmp_path: Path, format: str) -> None:
    (tmp_path / "doc.xml").write_bytes(BYTES["bioc"])
    with pytest.raises(ValueError, match="It looks like bioc") as error:
        convert(format, [tmp_path / "doc.xml"], tmp_path / "a.spacy")
    assert "\n" not in str(error.value)


def test_a_folder_without_files_of_the_format(tmp_path: Path) -> None:
    (tmp_path / "entities.tsv").write_bytes(BYTES["drugprot"])
    with pytest.raises(ValueError, match="It looks like drugprot"):
        convert("brat", [tmp_path], tmp_path / "a.spacy")
    (tmp_path / "doc.txt").write_text("Havol binds KALB.")
    (tmp_path / "doc.a1").write_bytes(BYTES["brat"])
    with pytest.raises(ValueError, match="R129.*It looks like bionlp"):
        convert("brat", [tmp_path], tmp_path / "a.spacy")


@pytest.mark.parametrize("shard", [0, 1])
def test_more_than_a_tenth_malformed(tmp_path: Path, shard: int) -> None:
    path = write(tmp_path, *[{"text": "Eva leads.", "triples": []}] * 8, {"text": 3})
    output = tmp_path / ("shards" if shard else "a.spacy")
    with pytest.raises(ValueError, match="R128.*1 of 9 records.*data.jsonl:9: text is 3"):
        convert("jsonl", [path], output, shard=shard)
    assert not list(tmp_path.rglob("*.spacy"))
    assert convert("jsonl", [path], output, shard=shard, malformed="any").skipped == 1


@pytest.mark.parametrize("name", ["bioc", "webanno", "JSON", "a zip archive", "a table with tabs between columns"])
def test_texts_are_not_read_from_other_files(tmp_path: Path, name: str) -> None:
    path = tmp_path / "doc.xml"
    path.write_bytes(BYTES[name])
    with pytest.raises(ValueError, match=f"R234.*looks like {name}"):
        list_sources(path)
    with pytest.raises(ValueError, match=f"R234.*looks like {name}"):
        convert("text", [path], tmp_path / "a.spacy")
    path.write_bytes(BYTES[""])
    assert len(list(list_sources(path)[0].read(TextLog(strict=True)))) == 2
