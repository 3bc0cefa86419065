"""Active learning with the gold labels as annotator: exact F against the number of annotated sentences."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.vocab import Vocab

from benchmarks.annotation.learning_curves import draw_learning_curves
from benchmarks.harness.call import Call
from benchmarks.harness.corpora import PairData, PairMaker
from benchmarks.harness.runs import ROOT, Trained, cached, train_run
from spacy_relext.corpora.reader import TripleCorpus
from spacy_relext.corpora.shards import iter_docs
from spacy_relext.corpora.whole import write_whole
from spacy_relext.pipeline.active_learning import (
    Informativeness,
    Selection,
    count_relations,
    measure,
    text_shingles,
    weight_relations,
)
from spacy_relext.pipeline.tuning import tune_pipeline
from spacy_relext.scoring.evaluation import evaluate_pipeline

SIZES = (50, 100, 200, 400, 800)
RANDOM, UNCERTAINTY, DISAGREEMENT = "random", "uncertainty", "disagreement"
# Method → its config.
METHODS = {"rere": "rere.cfg", "kd": "kd_marked_student.cfg"}
METRICS = ("exact_f", "exact_p", "exact_r", "macro_f")

Corpus = Sequence[Doc]


def curve(call: Call) -> None:
    """CoNLL04: RERE and KD's classifier, trained from scratch on 50 to 800 sentences that each order chooses.

    All start from the same 50 sentences. For uncertainty each method chooses for itself; for disagreement the two
    methods choose together; the random order gives both the same sentences.
    """
    assert isinstance(call.maker, PairMaker)
    data = call.maker.conll04()
    pool = list(iter_docs(data.train, Vocab()))
    results: dict[tuple[str, str], dict[int, list[float]]] = {}
    for seed in call.seeds:
        for order in (RANDOM, UNCERTAINTY, DISAGREEMENT):
            teams = [tuple(METHODS)] if order != UNCERTAINTY else [(method,) for method in METHODS]
            for team in teams if call.wants(order) else ():
                for method, size, scores in _follow(call, data, pool, order=order, team=team, seed=seed):
                    results.setdefault((method, order), {}).setdefault(size, []).append(scores["exact_f"])
    for method in METHODS:
        lines = {order: sizes for (each, order), sizes in results.items() if each == method}
        draw_learning_curves(lines, title=f"CoNLL04, {method}", target=call.figures / f"annotation_{method}")


def _follow(
    call: Call, data: PairData, pool: Corpus, *, order: str, team: Sequence[str], seed: int
) -> list[tuple[str, int, Mapping[str, float]]]:
    """Annotate, train and choose in turn; RETURNS each method's scores at each size."""
    numbers = list(range(len(pool)))
    random.Random(seed).shuffle(numbers)
    chosen = numbers[: SIZES[0]]
    rows = []
    for size in SIZES:
        if order == RANDOM:
            chosen = numbers[:size]
        corpus = _write(call, [pool[number] for number in chosen])
        trained = {method: _train(call, corpus, data, method=method, seed=seed) for method in team}
        for method, run in trained.items():
            scores = _score(call, run, data)
            benchmark, system = f"annotation_{method}", "default" if order == UNCERTAINTY else f"ablation:{order}"
            options: dict[str, Any] = {"data": f"{data.name}, {call.settings.precision}", "seed": seed}
            kept = {key: scores[key] for key in (*METRICS, "triples_per_sentence") if key in scores}
            call.record(benchmark, kept, split=f"{size} sentences", system=system, seconds=run.seconds, **options)
            call.tell(f"{method}, {order}, {size} sentences, seed {seed}: {scores['exact_f']:.4f}")
            rows.append((method, size, scores))
        following = next((each for each in SIZES if each > size), size)
        if order != RANDOM and following > size:
            runs = list(trained.values())
            chosen = [*chosen, *_choose(call, runs, pool, chosen, order=order, limit=following - size, seed=seed)]
    return rows


def _write(call: Call, docs: Corpus) -> Path:
    """Write the annotated sentences as a corpus."""
    bin = DocBin(docs=docs, store_user_data=True)
    content = bin.to_bytes()
    folder = call.settings.runs / "corpora" / "annotation"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{len(docs)}-{hashlib.sha256(content).hexdigest()[:16]}.spacy"
    write_whole(path, content)
    return path


def _train(call: Call, corpus: Path, data: PairData, *, method: str, seed: int) -> Trained:
    """Train a method on the annotated sentences, with the same number of updates for every order."""
    size = sum(1 for _ in iter_docs(corpus, Vocab()))
    steps = 150 + size // 2
    changes = {
        "training.max_steps": steps,
        "training.max_epochs": 0,
        "training.eval_frequency": steps,
        "training.batcher.size": 400,
        "corpora.train.gold_sents": True,
        "corpora.dev.gold_sents": True,
        "corpora.dev.limit": 20,  # no checkpoint is chosen on dev
    }
    settings = replace(call.settings, passes=0)
    config = ROOT / "configs" / METHODS[method]
    name = f"annotation-{method}-{size}"
    return train_run(name, train=corpus, dev=data.dev, seed=seed, settings=settings, config=config, changes=changes)


def _tuned(call: Call, run: Trained, data: PairData) -> Language:
    """Load a trained pipeline, with thresholds and calibration fitted on dev."""
    torch.set_num_threads(call.settings.threads)
    folder = run.folder / "tuned"
    if not folder.exists():
        nlp = spacy.load(run.last)
        tune_pipeline(nlp, _read(nlp, data.dev))
        nlp.to_disk(folder)
    return spacy.load(folder)


def _score(call: Call, run: Trained, data: PairData) -> dict[str, Any]:
    """Score a tuned pipeline on the test sentences."""

    def score() -> dict[str, Any]:
        nlp = _tuned(call, run, data)
        scores = evaluate_pipeline(nlp, _read(nlp, data.tests["test"]))
        return {key: float(scores[key]) for key in METRICS if scores.get(key) is not None}

    return cached(run.folder / "scores.json", score)


def _choose(
    call: Call, runs: Sequence[Trained], pool: Corpus, annotated: Sequence[int], *, order: str, limit: int, seed: int
) -> list[int]:
    """Choose the sentences to annotate next, as `spacy relext suggest --annotated` does."""
    data = call.maker.conll04()  # type: ignore[attr-defined]

    def choose() -> dict[str, Any]:
        nlps = [_tuned(call, run, data) for run in runs]
        selection = Selection(limit=limit, seed=seed)
        for number in annotated:
            selection.add_annotated(pool[number])
        known = {label for labels in nlps[0].pipe_labels.values() for label in labels}
        weights = weight_relations(count_relations(pool[number] for number in annotated), known)
        left = [number for number in range(len(pool)) if number not in set(annotated)]
        docs = [list(nlp.pipe(_inputs(nlp, data.train, left))) for nlp in nlps]
        rivals: Sequence[Any] = docs[1] if len(docs) > 1 else [None] * len(left)
        measured: list[Informativeness] = [
            measure(nlps[0], doc, by=order, weights=weights, other=rival) for doc, rival in zip(docs[0], rivals)
        ]
        chosen = selection.choose([(each, text_shingles(doc)) for each, doc in zip(measured, docs[0])])
        return {"chosen": [left[number] for number in chosen], "near_duplicates": selection.duplicates}

    result = cached(runs[0].folder / f"chosen-{order}-{limit}.json", choose)
    return list(result["chosen"])


def _inputs(nlp: Language, corpus: Path, numbers: Sequence[int]) -> list[Doc]:
    """Read some sentences of a corpus without their triples."""
    examples = list(TripleCorpus(corpus, gold_sents=True, gold_ents=True)(nlp))
    return [examples[number].predicted for number in numbers]


def _read(nlp: Language, corpus: Path) -> list[Example]:
    """Read a corpus with its sentences and entities; RERE does not use the entities."""
    return list(TripleCorpus(corpus, gold_sents=True, gold_ents=True)(nlp))
