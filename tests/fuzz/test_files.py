"""Files that users give, damaged: converters, rules, knowledge bases, schemas, lexicons, answers."""

import random
from pathlib import Path
from typing import Any, Callable, Dict

import pytest

from spacy_relext.annotations.schema import read_schema
from spacy_relext.corpora.convert import convert, load_tokenizer
from spacy_relext.corpora.formats.answers import ANSWER_KEY, DONE, AnswerFile
from spacy_relext.corpora.formats.mapping import read_mappings
from spacy_relext.corpora.formats.registry import FORMATS
from spacy_relext.corpora.formats.sources import to_json
from spacy_relext.graph.decisions import read_decisions
from spacy_relext.graph.documents import read_documents
from spacy_relext.graph.probability import read_discount
from spacy_relext.kb.facts import read_store
from spacy_relext.nero.rules.rules import read_rules, usable_rules
from spacy_relext.pairs.type_lexicon import read_type_lexicon
from spacy_relext.selfore.clusters import read_names
from tests.fuzz.mutators import mutate
from tests.fuzz.runner import fuzz
from tests.fuzz.samples import OTHER, RECORD, write_sample

NLP = load_tokenizer("en")


@pytest.mark.parametrize("name", FORMATS)
def test_converters(name: str, tmp_path: Path) -> None:
    if name == "cas":
        pytest.importorskip("cassis")
    check_converter(name, write_sample(name, tmp_path), tmp_path)


def test_corrections(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(ANSWERS, encoding="utf8")
    check_converter("jsonl", path, tmp_path)


def check_converter(name: str, sample: Path, folder: Path) -> None:
    files = {path: path.read_bytes() for path in ([sample] if sample.is_file() else sorted(sample.iterdir()))}
    assert convert(name, [sample], folder / "out.spacy", nlp=NLP).skipped == 0

    def run(rng: random.Random) -> None:
        chosen = rng.choice(list(files))
        for path, content in files.items():
            path.write_bytes(mutate(content, rng) if path == chosen else content)
        report = convert(name, [sample], folder / "out.spacy", nlp=NLP, malformed="any")
        left_out = report.losses["documents of other annotators"] + report.pairs_left_out
        assert report.docs + report.skipped <= report.records
        assert left_out or +report.losses or report.docs + report.skipped == report.records

    fuzz(f"convert {name} {sample.name}", run)


def read_kb(path: Path) -> None:
    read_store([path], needs_facts=False)


RULES = '{"id": "a", "relation": "r", "pattern": "SUBJ-PERSON was born in OBJ-PLACE", "weight": 2.0}\n' * 2
TABLE = "pattern\trelation\treversed\tweight\nSUBJ-PERSON lives in OBJ-PLACE\tr\t\t1\nSUBJ-A of OBJ-B\t\ts\t2\n"
TURTLE = """@prefix e: <http://x.org/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
e:a rdfs:label "Ada Holm"@en ; e:r e:b , "x\\u0041" . e:b a e:Person . [] e:r e:b .
"""
TRIPLES = '<http://x.org/a> <http://x.org/r> <http://x.org/b> .\n<http://x.org/a> <http://x.org/r> "x\\u0041"@en .\n'
MAPPING = """- tokens: words
  ends: inclusive
  spans: {each: ner.*, start: 0, end: 1, label: 2, names: [PERSON]}
  relations: {each: rels, subject: 0, object: {indices: at}, label: 4, attributes: {note: 5}}
- text: t
  relations: {each: r, markers: [<a>, <b>, <c>], subject: {string: 0}, object: {string: 1}, label: $key, none: [NA]}
"""

SCHEMA = """relations:
  born_in:
    subject: [PERSON]
    object: [PLACE]
    functional: true
  married:
    symmetric: true
"""
ANSWERS = "".join(to_json({**each, ANSWER_KEY: DONE}) + "\n" for each in (RECORD, OTHER))


def rules(path: Path) -> None:
    usable_rules(read_rules(path, max_gap=3), path)


READERS: Dict[str, Any] = {
    "rules.jsonl": (RULES, rules),
    "rules.json": ('[{"relation": "r", "pattern": "SUBJ-A * of OBJ-B"}]', rules),
    "rules.tsv": (TABLE, rules),
    "kb.tsv": ("subject\trelation\tobject\na\tr\tb\nb\ts\tc\n", read_kb),
    "kb.csv": ('subject,relation,object\na,r,b\n"b, x",s,c\n', read_kb),
    "names.tsv": ("id\tlabel\ttype\taliases\na\tAda\tPERSON\tA|Ada H.\n", read_kb),
    "kb.ttl": (TURTLE, read_kb),
    "kb.nt": (TRIPLES, read_kb),
    "schema.yaml": (SCHEMA, read_schema),
    "mapping.yaml": (MAPPING, read_mappings),
    "schema.json": ('{"relations": {"born_in": {"subject": ["PERSON"], "object": ["PLACE"]}}}', read_schema),
    "answers.jsonl": (ANSWERS, AnswerFile),
    "lexicon.tsv": ("city\tPLACE\nteacher\tPERSON\n", read_type_lexicon),
    "clusters.json": ('{"cluster_1": "born in"}', read_names),
    "discount.json": ('{"exponent": 0.5, "scale": 1.0, "shift": 0.1}', read_discount),
    "decisions.jsonl": ('{"same": ["IBM", "I.B.M."]}\n{"different": [1, 2]}\n', read_decisions),
    "documents.jsonl": (to_json(RECORD) + "\n" + to_json(OTHER) + "\n", lambda path: list(read_documents([path]))),
}


@pytest.mark.parametrize("name", READERS)
def test_readers(name: str, tmp_path: Path) -> None:
    if name in ("kb.ttl", "kb.nt"):
        pytest.importorskip("rdflib")
    content, read = READERS[name]
    path = tmp_path / name
    path.write_text(content, encoding="utf8")
    read(path)
    check_reader(name, path, read)


def check_reader(name: str, path: Path, read: Callable[[Path], object]) -> None:
    content = path.read_bytes()

    def run(rng: random.Random) -> None:
        path.write_bytes(mutate(content, rng))
        read(path)

    fuzz(name, run)
