"""The pairs of a corpus with their gold: what every system classifies, and how its answers are scored.

A system answers one label per pair: a relation, or `NOTHING`. Where a data set marks pairs in one order, labels name
the direction as SemEval-2010 does: "Cause-Effect(e2,e1)".
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import spacy
from spacy.language import Language
from spacy.training import Example

from spacy_relext.annotations.store import get_records, has_triples
from spacy_relext.corpora.reader import TripleCorpus
from spacy_relext.kd.soft_labels import pair_offsets
from spacy_relext.pairs.gold import PairClass, gold_pairs
from spacy_relext.pairs.suggesters import AnnotatedPairs, EntityPairs, Suggester

from .class_scores import OTHER, micro_without, semeval2010_scores

# SemEval's label for no relation; no other data set has a relation of that name.
NOTHING = OTHER
SEMEVAL, MICRO = "semeval", "micro"
DIRECTIONS = ("(e1,e2)", "(e2,e1)")
BATCH_SIZE = 64


class PairRow(NamedTuple):
    """A pair.

    text (str): The document's text.
    subject (list[int]): Characters of the first argument, whole tokens.
    object (list[int]): Of the second one.
    labels (list[str]): Gold, in the order of the component's classes; none: no relation.
    types (tuple[str, str]): Entity types, "" where there is none.
    """

    text: str
    subject: list[int]
    object: list[int]
    labels: list[str]
    types: tuple[str, str]


class PairSet(NamedTuple):
    """The pairs of a corpus.

    rows (list[PairRow]): The pairs.
    lost (list[str]): Relations of the gold triples without a pair, which every system misses.
    """

    rows: list[PairRow]
    lost: list[str]


def read_pairs(corpus: Path, *, marked: bool) -> PairSet:
    """Read the pairs of a corpus as the components see them.

    marked (bool): Whether the data set marks the pairs; else all ordered pairs of entities of a sentence.
    """
    examples = read_examples(spacy.blank("en"), corpus)
    gold = gold_pairs(_suggester(marked), examples)
    rows = []
    for number, (doc, labels_of) in enumerate(zip(gold.pairs.doc.tolist(), gold.gold)):
        text, labels = gold.examples[doc].reference.text, [_label(each, marked) for each in sorted(labels_of)]
        rows.append(PairRow(text, *pair_offsets(gold.pairs, number), labels, gold.pairs.types[number]))
    relations = Counter(
        record["relation"] for each in examples for record in get_records(each.reference, source="") or ()
    )
    relations.subtract(each.relation for labels_of in gold.gold for each in labels_of)
    return PairSet(rows, sorted(relations.elements()))


def read_examples(nlp: Language, corpus: Path) -> list[Example]:
    """Read a corpus with all that is given to a system: entities, sentences, and the parse where there is one.

    nlp (Language): Its tokenizer makes the predicted Docs.
    """
    examples = TripleCorpus(corpus, gold_ents=True, gold_parse=True)(nlp)
    return [example for example in examples if has_triples(example.reference)]


def write_pairs(pairs: PairSet, target: Path) -> Path:
    """Write pairs in the peer's format; of several relations a pair has the first one, as the component learns it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf8") as stream:
        for row in pairs.rows:
            line = {"text": row.text, "subject": row.subject, "object": row.object}
            line["label"] = row.labels[0] if row.labels else NOTHING
            line.update(zip(("subject_type", "object_type"), row.types))
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
    return target


def pipeline_labels(nlp: Language, corpus: Path, *, name: str, marked: bool) -> list[str]:
    """Let a pipeline classify the pairs of a corpus.

    marked (bool): As for `read_pairs`.
    RETURNS (list[str]): One label per pair, in the order of `read_pairs`.
    """
    examples = read_examples(nlp, corpus)
    docs = list(nlp.pipe((example.predicted.copy() for example in examples), batch_size=BATCH_SIZE))
    predicted = [
        {(r["subject"], r["object"]): r["relation"] for r in get_records(doc, source=name) or ()} for doc in docs
    ]
    pairs = _suggester(marked)(docs)
    labels = []
    for number, doc in enumerate(pairs.doc.tolist()):
        subject, obj = (tuple(offsets) for offsets in pair_offsets(pairs, number))
        answers = [PairClass(predicted[doc][subject, obj])] if (subject, obj) in predicted[doc] else []
        if marked and (obj, subject) in predicted[doc]:
            answers.append(PairClass(predicted[doc][obj, subject], backwards=True))
        labels.append(_label(answers[0], marked) if answers else NOTHING)
    return labels


def pair_scores(pairs: PairSet, predicted: Sequence[str], *, task: str) -> dict[str, float]:
    """Score one label per pair against the gold triples.

    pairs (PairSet): Gold. Of the relations of a pair, only one can be found.
    predicted (Sequence[str]): In the order of the pairs.
    task (str): "semeval": the official score, direction required; "micro".
    RETURNS (dict[str, float]): `micro_p`, `micro_r`, `micro_f` of triples, and `semeval_macro_p`, `semeval_macro_r`,
        `semeval_macro_f`, or `macro_f`, the mean over the relations of the gold.
    """
    gold, answers = [], []
    for row, label in zip(pairs.rows, predicted, strict=True):
        wanted = row.labels or [NOTHING]
        first = label if label in wanted else wanted[0]
        gold += [first, *(other for other in wanted if other != first)]
        answers += [label] + [NOTHING] * (len(wanted) - 1)
    gold, answers = gold + pairs.lost, answers + [NOTHING] * len(pairs.lost)
    scores: dict[str, float] = micro_without(gold, answers, no_relation=NOTHING)
    macro = semeval2010_scores(gold, answers)
    if task != SEMEVAL:
        return {**scores, "macro_f": macro["semeval_macro_f"]}
    return {**{f"semeval_macro_{key}": macro[f"semeval_macro_{key}"] for key in "prf"}, **scores}


def _suggester(marked: bool) -> Suggester:
    return AnnotatedPairs() if marked else EntityPairs()


def _label(each: PairClass, marked: bool) -> str:
    return each.relation + DIRECTIONS[each.backwards] if marked else each.relation
