"""Tiny data sets and models for the tests of the benchmark of KD4NRE."""

import json
import pathlib
from typing import Any, Dict, List

import numpy
import spacy
from spacy.tokens import Doc
from spacy.training import Example

from spacy_relext.corpora.shards import iter_docs
from tests.contract.tiny_bert import save_tiny_bert

THINGS = ("storm", "flood", "fire", "quake")
PLACES = ("town", "valley", "harbour", "Zyx")
SEMEVAL_LABELS = ("Cause-Effect(e1,e2)", "Cause-Effect(e2,e1)", "Other", "Entity-Origin(e2,e1)")
PEOPLE = [("Ada", "Peop"), ("Bo", "Peop"), ("Oslo", "Loc"), ("Rome", "Loc")]


def semeval_file(count: int, first: int) -> str:
    """Blocks in SemEval's form: a thing, a place, and the label by number."""
    blocks = []
    for number in range(count):
        thing, place = THINGS[number % 4], PLACES[number // 4 % 4]
        sentence = f"The <e1>{thing}</e1> number {first + number} came near the big <e2>{place}</e2>. It went."
        blocks.append(f'{first + number}\t"{sentence}"\n{SEMEVAL_LABELS[number % 4]}\nComment:\n')
    return "\n".join(blocks)


def spert_file(count: int) -> str:
    """Sentences in SpERT's form with four entities, and one with two relations of one pair."""
    records = []
    for number in range(count):
        tokens = ["Ada", "and", "Bo", "left", "Oslo", "for", "Rome", str(number)]
        entities = [{"start": at, "end": at + 1, "type": kind} for at, (_, kind) in zip((0, 2, 4, 6), PEOPLE)]
        relations = [{"head": 0, "tail": 2, "type": "Live_In"}]
        if not number:  # a relation that the teacher of one fold does not see
            relations.append({"head": 0, "tail": 2, "type": "Born_In"})
        stated = relations if number in (0, 3, 4, 8) else []
        records.append({"tokens": tokens, "entities": entities, "relations": stated})
    return json.dumps(records)


def write_files(root: pathlib.Path) -> pathlib.Path:
    """Data sets and models, all tiny."""
    files = {
        "semeval2010_task8/TRAIN_FILE.TXT": semeval_file(40, 1),
        "semeval2010_task8/TEST_FILE_FULL.TXT": semeval_file(12, 8001),
        "supersenses/nouns.tsv": "".join(f"{noun}\tevent\tevent\n" for noun in THINGS) + "town\tlocation\tlocation\n",
        **{f"conll04/conll04_{split}.json": spert_file(n) for split, n in (("train", 12), ("dev", 3), ("test", 4))},
        **{
            f"scierc/sentence_level/{s}_triples.json": spert_file(n) for s, n in (("train", 6), ("dev", 3), ("test", 3))
        },
    }
    for name, content in files.items():
        path = root / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf8")
    save_models(root / "models")
    save_tiny_bert(root / "encoder", width=48)
    return root


def save_models(folder: pathlib.Path) -> None:
    """A pipeline that tags, parses and recognises at random, and one with vectors."""
    folder.mkdir()
    nlp = spacy.blank("en")
    for name in ("tagger", "parser", "ner"):
        nlp.add_pipe(name)
    words = ["The", "storm", "came", "."]
    options: Dict[str, Any] = {"tags": ["DT", "NN", "VBD", "."], "heads": [1, 2, 2, 2]}
    options.update(deps=["det", "nsubj", "ROOT", "punct"], ents=["O", "B-EVENT", "O", "O"])
    gold = Doc(nlp.vocab, words=words, **options)
    nlp.initialize(lambda: [Example(nlp.make_doc(gold.text), gold)])
    nlp.to_disk(folder / "en_ud_glove")
    vectors = spacy.blank("en")
    for number, word in enumerate((*THINGS, *PLACES)):
        vectors.vocab.set_vector(word, numpy.eye(8, dtype="float32")[number])
    vectors.to_disk(folder / "en_vectors_glove_100d")


def make_maker(folder: pathlib.Path, **limits: int) -> Any:
    from benchmarks.harness.corpora import PairMaker

    return PairMaker(folder / "data", folder / "runs", models=folder / "models", **limits)


def docs_of(path: pathlib.Path) -> List[Doc]:
    return list(iter_docs(path, spacy.blank("en").vocab))


def texts(path: pathlib.Path) -> List[str]:
    return [doc.text for doc in docs_of(path)]
