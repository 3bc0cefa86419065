"""Calibration of facts: triples of a trained pipeline become a graph, and the gold says which facts are correct.

How the scores of sentences are combined is fitted on half of the documents and scored on the other half, and vice
versa. A fact is correct if it is in the gold of one of its documents.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from benchmarks.harness.call import Call
from benchmarks.harness.runs import cached, digest, fingerprint
from spacy_relext.annotations.store import get_records
from spacy_relext.corpora.formats.named_spans import parse_docred
from spacy_relext.corpora.reader import TripleCorpus
from spacy_relext.export.records import extraction_record
from spacy_relext.graph.build import build_graph
from spacy_relext.graph.documents import GOLD_KEY, parse_document
from spacy_relext.graph.facts import judged_facts
from spacy_relext.graph.probability import Discount, FactSentences, combine_scores, fit_discount
from spacy_relext.pipeline.tuning import tune_pipeline
from spacy_relext.scoring.probabilities import Bools, Floats, expected_calibration_error, fit_platt

Record = dict[str, Any]

MOST_SENTENCES = 5
NOISY_OR, BEST = Discount(1.0), Discount(0.0)

# Wikidata's properties → relations of the default pipeline; those in INVERSE have the opposite direction.
RELATIONS = {
    **{"P19": "place_of_birth", "P20": "place_of_death", "P27": "country_of_citizenship", "P26": "spouse"},
    **{"P108": "employer", "P69": "educated_at", "P112": "founded_by", "P159": "headquarters_location"},
    **{"P1376": "capital_of", "P131": "located_in", "P17": "located_in", "P276": "located_in", "P30": "located_in"},
    **{"P706": "located_in", "P50": "author", "P170": "author", "P57": "director", "P749": "parent_organization"},
    **{"P463": "member_of"},
}
INVERSE = {"P36": "capital_of", "P355": "parent_organization", "P150": "located_in"}


def facts(call: Call) -> None:
    """Predict with each given pipeline, and compare ways to combine the scores of sentences."""
    torch.set_num_threads(call.settings.threads)
    makers: dict[str, Callable[[Call, Path], list[Record]]] = {"nyt24": predict_nyt24, "redocred": predict_redocred}
    for name, make in makers.items():
        pipeline = call.maker.pipelines.get(name)  # type: ignore[attr-defined]
        if not call.wants(name) or pipeline is None:
            continue
        config = digest(pipeline / "meta.json")
        path = call.settings.runs / f"facts-{name}-{fingerprint([config])}.json"
        call.tell(f"{name}: triples of {pipeline.name}")
        records = cached(path, partial(_predict_all, make, call, pipeline))["records"]
        halves = [judge(records[part::2]) for part in (0, 1)]
        described = f"{name}: {len(records):,} documents in two halves, each scored as the other one fits"
        for system, metrics in compare(halves).items():
            call.record("facts", metrics, data=described, split="both halves", system=system, seed=0)
            call.tell(f"  {system}: { {key: round(value, 4) for key, value in metrics.items()} }")


def _predict_all(make: Callable[[Call, Path], list[Record]], call: Call, pipeline: Path) -> Record:
    return {"records": make(call, pipeline)}


def judge(records: Sequence[Record]) -> tuple[FactSentences, Bools]:
    """Make a graph of predictions and gold, and say which predicted facts are correct."""
    documents = (parse_document(record, number=number, gold=True) for number, record in enumerate(records, 1))
    return judged_facts(build_graph(documents).tables)


def compare(halves: Sequence[tuple[FactSentences, Bools]]) -> dict[str, dict[str, float]]:
    """Score ways to combine sentences. RETURNS (dict[str, dict[str, float]]): System → metrics."""
    counts = numpy.concatenate([numpy.bincount(sentences.facts) for sentences, _ in halves])
    correct = numpy.concatenate([each for _, each in halves])
    few = counts <= MOST_SENTENCES
    chances: dict[str, list[Floats]] = {}
    exponents = []
    for scored, fitting in (halves, halves[::-1]):
        fitted = fit_ways(*fitting)
        exponents.append(fitted["default"].exponent)
        for system, way in fitted.items():
            chances.setdefault(system, []).append(combine_scores(scored[0], way))
    result = {}
    for system, parts in chances.items():
        values = numpy.concatenate(parts)
        metrics = {"ece": _ece(values[few], correct[few]), "brier": float(((values - correct)[few] ** 2).mean())}
        for label, mask in (("one", counts == 1), ("two_to_five", few & (counts > 1))):
            metrics[f"ece_{label}"] = _ece(values[mask], correct[mask])
        if system == "default":
            metrics["ece_of_drawn_outcomes"] = ece_by_chance(values[few])
            metrics["accuracy"] = float(correct[few].mean())
            metrics["facts_found"] = float(few.sum())
            metrics["facts_of_several_sentences_found"] = float((few & (counts > 1)).sum())
            metrics["exponent_ratio"] = float(numpy.mean(exponents))
        result[system] = metrics
    return result


def fit_ways(sentences: FactSentences, correct: Bools) -> dict[str, Discount]:
    """Fit the ways to combine sentences that are compared."""
    ways = {"default": fit_discount(sentences, correct), "peer:noisy-or": NOISY_OR, "peer:best sentence": BEST}
    ways["ablation:as delivered, not fitted"] = Discount()
    for name, plain in (("noisy-or", NOISY_OR), ("best sentence", BEST)):
        platt = fit_platt(combine_scores(sentences, plain), correct)
        ways[f"ablation:{name}, calibrated"] = Discount(plain.exponent, platt.scale, platt.shift)
    return ways


def ece_by_chance(chances: Floats) -> float:
    """Compute the mean ECE that exact probabilities would have, over 200 random draws of outcomes from them."""
    rng = numpy.random.default_rng(0)
    return float(numpy.mean([_ece(chances, rng.random(len(chances)) < chances) for _ in range(200)]))


def predict_nyt24(call: Call, pipeline: Path) -> list[Record]:
    """Tune a pipeline on the tuning sentences of NYT24 and predict its test sentences."""
    data = call.maker.nyt24(foreign=False)
    nlp = spacy.load(pipeline)
    tune_pipeline(nlp, list(TripleCorpus(data.dev, gold_sents=True)(nlp)))
    examples = list(TripleCorpus(data.tests["test"], gold_sents=True)(nlp))
    return [_compare_names(doc, example) for doc, example in zip(_predict(nlp, examples), examples)]


def predict_redocred(call: Call, pipeline: Path) -> list[Record]:
    """Predict the documents of Re-DocRED's dev split; sentence bounds are given."""
    source = call.maker.data / "redocred_dev" / "dev_revised.json"
    nlp = spacy.load(pipeline)
    raw = json.loads(source.read_text(encoding="utf8"))
    parsed = [parse_docred(value) for value in raw]
    docs = []
    for record in parsed:
        doc = nlp.make_doc(record["text"])
        starts = {start for start, _ in record["sents"]}
        for token in doc:
            token.is_sent_start = token.idx in starts
        docs.append(doc)
    with nlp.select_pipes(disable=[name for name in nlp.pipe_names if "sentencizer" in name]):
        predicted = list(nlp.pipe(docs, batch_size=16))
    return [_with_gold(doc, record, value) for doc, record, value in zip(predicted, parsed, raw)]


def _predict(nlp: Language, examples: Sequence[Example]) -> Iterator[Doc]:
    """Run a pipeline on sentences whose bounds are given."""
    return nlp.pipe((example.predicted.copy() for example in examples), batch_size=64)


def _compare_names(doc: Doc, example: Example) -> Record:
    """Make a record whose gold is the predicted triples that match a gold triple in relation and names."""
    text = example.reference.text
    gold = {
        (text[slice(*each["subject"])], each["relation"], text[slice(*each["object"])])
        for each in get_records(example.reference) or ()
    }
    record = extraction_record(doc)
    matches = [t for t in record["triples"] if (t["subject_text"], t["relation"], t["object_text"]) in gold]
    return _plain(record, matches)


def _with_gold(doc: Doc, parsed: Record, raw: Record) -> Record:
    """Make a record whose gold is the predicted triples whose names belong to entities with such a fact."""
    names: dict[int, set[str]] = {}
    for entity in parsed["entities"]:
        number = int(entity["kb_id"].rsplit("#", 1)[1])
        names.setdefault(number, set()).add(_fold(parsed["text"][entity["start"] : entity["end"]]))
    stated: dict[str, set[tuple[int, int]]] = {}
    for label in raw["labels"]:
        if label["r"] in RELATIONS:
            stated.setdefault(RELATIONS[label["r"]], set()).add((label["h"], label["t"]))
        if label["r"] in INVERSE:
            stated.setdefault(INVERSE[label["r"]], set()).add((label["t"], label["h"]))
    record = extraction_record(doc)
    return _plain(record, [triple for triple in record["triples"] if _is_stated(triple, names, stated)])


def _is_stated(triple: Record, names: Mapping[int, set[str]], stated: Mapping[str, set[tuple[int, int]]]) -> bool:
    """Return whether a document has a fact between entities with these names."""
    subject, obj = _fold(triple["subject_text"]), _fold(triple["object_text"])
    pairs = stated.get(triple["relation"], ())
    return any(subject in names.get(one, ()) and obj in names.get(two, ()) for one, two in pairs)


def _plain(record: Record, gold: Sequence[Record]) -> Record:
    """Keep what a graph needs."""
    keys = ("subject", "relation", "object", "score", "source", "sent", "sent_start", "sent_end")
    short = {key: record[key] for key in ("text", "entities", "sents") if key in record}
    triples = [{key: each[key] for key in keys} for each in record["triples"]]
    return {**short, "triples": triples, GOLD_KEY: [{key: each[key] for key in keys} for each in gold]}


def _fold(name: str) -> str:
    """Reduce a name to lower case, without a leading "the" and surrounding punctuation."""
    return name.lower().removeprefix("the ").strip(" .,'\"")


def _ece(chances: Floats, correct: Bools) -> float:
    """RETURNS (float): NaN without facts."""
    value = expected_calibration_error(chances, correct)
    return float("nan") if value is None else value
