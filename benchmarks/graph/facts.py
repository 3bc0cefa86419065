"""Calibration of facts: triples of a trained pipeline become a graph, and the gold says which facts are correct.

How the scores of sentences are combined is fitted on half of the documents and scored on the other half, and vice
versa. A fact is correct if it is in the gold of one of its documents.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy
import pyarrow
import pyarrow.compute
import torch
from spacy.language import Language
from spacy.tokens import Doc

from benchmarks.harness.call import Call
from benchmarks.harness.runs import ROOT
from spacy_relext.annotations.schema import Schema, read_schema
from spacy_relext.corpora.formats.named_spans import parse_docred
from spacy_relext.corpora.loading import load_pipeline
from spacy_relext.export.records import extraction_record
from spacy_relext.graph.build import build_graph
from spacy_relext.graph.conflicts import Conflict
from spacy_relext.graph.documents import GOLD_KEY, parse_document
from spacy_relext.graph.facts import judged_facts, lower_denied
from spacy_relext.graph.probability import Discount, FactSentences, combine_scores, fit_discount
from spacy_relext.scoring.probabilities import Bools, Floats, expected_calibration_error, fit_platt

Record = dict[str, Any]

# Pairs of names by relation.
Stated = dict[str, set[tuple[str, str]]]

MOST_SENTENCES = 5
NOISY_OR, BEST = Discount(1.0), Discount(0.0)

# Relations of NYT24 as properties of Wikidata; "-": in the other direction.
NYT24 = {
    "/location/location/contains": "-P131 -P17 -P276 -P706 -P30 P36 -P159",
    "/location/country/capital": "P36",
    "/location/administrative_division/country": "P17",
    "/location/country/administrative_divisions": "P150 -P131",
    "/people/person/nationality": "P27",
    "/people/person/place_of_birth": "P19",
    "/people/deceased_person/place_of_death": "P20",
    "/people/person/place_lived": "P551",
    "/people/person/children": "P40 -P22 -P25",
    "/people/person/religion": "P140",
    "/people/person/ethnicity": "P172",
    "/business/person/company": "P108 P39 -P488 -P169 P463",
    "/business/company/founders": "P112",
    "/business/company/place_founded": "P740 P159",
    "/business/company_shareholder/major_shareholder_of": "-P127",
    "/sports/sports_team/location": "P159 P131 P17",
}


class Judged(NamedTuple):
    """Predicted facts of some documents.

    sentences (FactSentences): Their scores.
    correct (Bools): Whether gold triples state each. Shape (F,)
    facts (pyarrow.Array): Their numbers. Shape (F,)
    denials (list[Conflict]): Sentences that deny one of them.
    """

    sentences: FactSentences
    correct: Bools
    facts: pyarrow.Array
    denials: list[Conflict]


def facts(call: Call) -> None:
    """Predict two data sets with a pipeline, and compare ways to combine the scores of sentences."""
    torch.set_num_threads(call.settings.threads)
    makers = {"nyt24": predict_nyt24, "redocred": predict_redocred}
    relations = _properties(read_schema(ROOT / "assets/schema.yaml"))
    nlp = load_pipeline(call.maker.pipeline)  # type: ignore[attr-defined]
    for name, make in makers.items():
        if not call.wants(name):
            continue
        call.tell(f"{name}: predicting")
        records = make(call, nlp, relations)
        halves = [judge(records[part::2]) for part in (0, 1)]
        described = f"{name}: {len(records):,} documents in two halves, each scored as the other one fits"
        for system, metrics in compare(halves).items():
            call.record("facts", metrics, data=described, split="both halves", system=system, seed=0)
            call.tell(f"  {system}: { {key: round(value, 4) for key, value in metrics.items()} }")


def judge(records: Sequence[Record]) -> Judged:
    """Make a graph of predictions and gold, and say which predicted facts are correct, and which are denied."""
    documents = (parse_document(record, number=number, gold=True) for number, record in enumerate(records, 1))
    tables = build_graph(documents).tables
    sentences, correct = judged_facts(tables)
    is_predicted = pyarrow.compute.not_equal(tables.support["source"], "")
    facts = tables.support.filter(is_predicted)["fact_id"].unique().sort()
    known = set(facts.to_pylist())
    conflicts = (Conflict(**row) for row in tables.conflicts.to_pylist() if row["kind"] == "denied")
    return Judged(sentences, correct, facts, [each for each in conflicts if each.fact_id in known])


def with_denials(judged: Judged, way: Discount) -> Floats:
    """Return the probabilities of facts, lowered by their denials."""
    chances = combine_scores(judged.sentences, way)
    table = pyarrow.table({"fact_id": judged.facts, "probability": chances})
    lowered: Floats = lower_denied(table, judged.denials, exponent=way.exponent).column("probability").to_numpy()
    return lowered


def compare(halves: Sequence[Judged]) -> dict[str, dict[str, float]]:
    """Score ways to combine sentences. RETURNS (dict[str, dict[str, float]]): System → metrics."""
    counts = numpy.concatenate([numpy.bincount(each.sentences.facts) for each in halves])
    correct = numpy.concatenate([each.correct for each in halves])
    few = counts <= MOST_SENTENCES
    chances: dict[str, list[Floats]] = {}
    exponents = []
    for scored, fitting in (halves, halves[::-1]):
        fitted = fit_ways(fitting.sentences, fitting.correct)
        exponents.append(fitted["default"].exponent)
        for system, way in fitted.items():
            chances.setdefault(system, []).append(combine_scores(scored.sentences, way))
        chances["ablation:denials ignored"] = [*chances.get("ablation:denials ignored", ()), chances["default"].pop()]
        chances["default"].append(with_denials(scored, fitted["default"]))
    result = {}
    for system, parts in chances.items():
        values = numpy.concatenate(parts)
        metrics = {"ece": _ece(values[few], correct[few]), "brier": float(((values - correct)[few] ** 2).mean())}
        for label, mask in (("one", counts == 1), ("two_to_five", few & (counts > 1))):
            metrics[f"ece_{label}"] = _ece(values[mask], correct[mask])
        if system == "default":
            metrics["ece_of_drawn_outcomes"] = ece_by_chance(values[few])
            metrics["accuracy"] = float(correct[few].mean())
            metrics["denied_found"] = float(sum(len({one.fact_id for one in each.denials}) for each in halves))
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


def predict_nyt24(call: Call, nlp: Language, relations: Mapping[str, list[str]]) -> list[Record]:
    """Predict the test sentences of NYT24."""
    path = call.maker.data / "nyt24_multi/full_span/test_triples.json"
    raw = json.loads(path.read_text(encoding="utf8"))
    records = []
    for doc, value in zip(nlp.pipe((each["text"] for each in raw), batch_size=256), raw):
        stated: Stated = {}
        for one, label, other in value["triple_list"]:
            for each in NYT24.get(label, "").split():
                _add(stated, relations, each, {_fold(one)}, {_fold(other)})
        records.append(_with_gold(doc, stated, {name for each in NYT24.values() for name in _named(relations, each)}))
    return records


def predict_redocred(call: Call, nlp: Language, relations: Mapping[str, list[str]]) -> list[Record]:
    """Predict documents of Re-DocRED's dev split, as text."""
    raw = json.loads((call.maker.data / "redocred_dev" / "dev_revised.json").read_text(encoding="utf8"))
    raw = raw[call.maker.skip :]  # type: ignore[attr-defined]
    parsed = [parse_docred(value) for value in raw]
    records = []
    for doc, record, value in zip(nlp.pipe((each["text"] for each in parsed), batch_size=16), parsed, raw):
        names: dict[int, set[str]] = {}
        for entity in record["entities"]:
            number = int(entity["kb_id"].rsplit("#", 1)[1])
            names.setdefault(number, set()).add(_fold(record["text"][entity["start"] : entity["end"]]))
        stated: Stated = {}
        for label in value["labels"]:
            _add(stated, relations, label["r"], names[label["h"]], names[label["t"]])
        records.append(_with_gold(doc, stated, {name for each in relations.values() for name in each}))
    return records


def _properties(schema: Schema) -> dict[str, list[str]]:
    """List the relations of each property of Wikidata, "-" before those in the other direction."""
    found: dict[str, list[str]] = {}
    for name, relation in schema.relations.items():
        for each in relation.ids:
            is_inverse = each.startswith("-")
            found.setdefault(each.removeprefix("-"), []).append(f"-{name}" if is_inverse else name)
    return found


def _named(relations: Mapping[str, list[str]], properties: str) -> Iterator[str]:
    """Yield the relations of some properties, "-" before those in the other direction."""
    for each in properties.split():
        for name in relations.get(each.removeprefix("-"), ()):
            yield name if each[0] != "-" else name.removeprefix("-") if name[0] == "-" else f"-{name}"


def _add(stated: Stated, relations: Mapping[str, list[str]], label: str, one: set[str], other: set[str]) -> None:
    """Add a fact between two entities under all relations that a property is."""
    for name in _named(relations, label):
        pairs = stated.setdefault(name.removeprefix("-"), set())
        pairs.update((b, a) if name[0] == "-" else (a, b) for a in one for b in other)


def _with_gold(doc: Doc, stated: Stated, judged: Collection[str]) -> Record:
    """Make a record of the triples of judged relations; its gold is those between names with such a fact."""
    record = extraction_record(doc)
    keys = ("subject", "relation", "object", "score", "source", "sent", "sent_start", "sent_end", "attributes")
    known = {name.removeprefix("-") for name in judged}
    triples = [each for each in record["triples"] if each["relation"] in known]
    gold = [each for each in triples if _is_stated(each, stated)]
    short: Record = {key: record[key] for key in ("text", "entities", "sents") if key in record}
    rows = ([{key: each[key] for key in keys if key in each} for each in chosen] for chosen in (triples, gold))
    return {**short, **dict(zip(("triples", GOLD_KEY), rows))}


def _is_stated(triple: Record, stated: Stated) -> bool:
    names = _fold(triple["subject_text"]), _fold(triple["object_text"])
    return names in stated.get(triple["relation"], ())


def _fold(name: str) -> str:
    """Reduce a name to lower case, without a leading "the" and surrounding punctuation."""
    return name.lower().removeprefix("the ").strip(" .,'\"")


def _ece(chances: Floats, correct: Bools) -> float:
    """RETURNS (float): NaN without facts."""
    value = expected_calibration_error(chances, correct)
    return float("nan") if value is None else value
