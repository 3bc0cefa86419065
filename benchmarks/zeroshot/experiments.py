"""The zero-shot experiments: relations that training has not seen, known only by their descriptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy
import spacy
import torch
from spacy.language import Language
from spacy.training.initialize import init_nlp
from thinc.api import fix_random_seed
from torch import Tensor
from transformers import AutoModel, AutoTokenizer

from benchmarks.harness.call import Call
from benchmarks.harness.runs import ROOT, train_run
from benchmarks.harness.training_config import build_config
from benchmarks.zeroshot.corpora import PARTS, Alike, HeldOut, HeldOutMaker
from spacy_relext.annotations.store import get_records
from spacy_relext.bridge.modules import module_of
from spacy_relext.corpora.shards import iter_docs

NAME = "zeroshot_classifier"
CONFIG = ROOT / "configs" / "zeroshot.cfg"
SUGGESTER = f"components.{NAME}.suggester"
FORM = f"components.{NAME}.model.encoder.form"
# Words per batch; descriptions are encoded once per step.
BATCH_WORDS = 1200
MARKED = {"@misc": "spacy_relext.AnnotatedPairs.v1"}
BATCH = 64
# Number of pairs that are also read in the other order.
DIRECTIONS = 320


def wiki80(call: Call) -> None:
    """Train on 64 relations, and choose among sixteen others by their descriptions; the cosine is the baseline."""
    _compare(call, "wiki80")


def sources(call: Call) -> None:
    """Train on T-REx and WebNLG as well."""
    _compare(call, "sources", partial(cosines, call.settings.encoder))


def _compare(call: Call, experiment: str, alike: Alike | None = None) -> None:
    assert isinstance(call.maker, HeldOutMaker)
    for part in filter(call.wants, PARTS):
        data = call.maker.held_out(part, alike)
        described = call.describe(data)  # type: ignore[arg-type]
        cosine = _untrained(call, data)
        tell = partial(_record, call, experiment, described)
        tell("peer:cosine", 0, _score(cosine, data))
        for seed in call.seeds:
            changes = {
                SUGGESTER: MARKED,
                "training.batcher.size": BATCH_WORDS,
                f"components.{NAME}.descriptions": dict(data.seen),
            }
            options = {"seed": seed, "settings": call.settings, "config": call.config, "changes": changes}
            trained = train_run(f"zeroshot-{part}", train=data.train, dev=data.dev, **options)
            scores = _score(spacy.load(trained.last), data)
            tell(_system(call.config), seed, scores, seconds=trained.seconds)


def _record(
    call: Call,
    experiment: str,
    data: str,
    system: str,
    seed: int,
    scores: Mapping[str, float],
    seconds: float | None = None,
) -> None:
    call.record(experiment, scores, data=data, split="test", system=system, seed=seed, seconds=seconds)
    call.tell(f"{data}, {system}, seed {seed}: {scores}")


def _system(config: Path) -> str:
    """RETURNS (str): "default" for the default config, else an ablation with the config's name."""
    return "default" if config.stem == CONFIG.stem else f"ablation:{config.stem.removeprefix('zeroshot_')}"


def _untrained(call: Call, data: HeldOut) -> Language:
    """Make a matcher without training and without marks: the cosine of sentence and description."""
    changes = {SUGGESTER: MARKED, FORM: "means"}
    options = {"encoder": call.settings.encoder, "precision": call.settings.precision, "changes": changes}
    config, _ = build_config(CONFIG, train=data.train, dev=data.dev, seed=0, passes=0, lang="en", **options)
    fix_random_seed(0)
    nlp = init_nlp(config)
    module_of(nlp.get_pipe(NAME).model).encoder.zero_marks()
    return nlp


def _score(nlp: Language, data: HeldOut) -> dict[str, float]:
    """Replace the relations by the held-out ones, and choose one for each marked pair in the order of gold.

    RETURNS (dict[str, float]): Scores of the choices; `direction_accuracy`: of the first pairs, how often the gold
        relation scores higher in the order of gold than in the other, with a tie as half; `rejection_auc`.
    """
    pipe = nlp.get_pipe(NAME)
    for label, text in data.unseen.items():
        pipe.add_relation(label, text)
    for label in data.seen:
        pipe.remove_relation(label)
    gold, found, directions = [], [], []
    docs = list(iter_docs(data.tests["test"], nlp.vocab))
    for start in range(0, len(docs), BATCH):
        pairs = pipe.suggest(docs[start : start + BATCH])
        records = [get_records(doc, source="")[0] for doc in pairs.docs]
        starts = [records[doc]["subject"][0] for doc in pairs.doc.tolist()]
        is_forward = numpy.asarray([pairs.spans(n)[0].start_char == at for n, at in enumerate(starts)])
        (logits, *_) = pipe.run(pairs.take(numpy.flatnonzero(is_forward)))
        relations = [records[doc]["relation"] for doc in pairs.doc[is_forward].tolist()]
        found.append(logits[:, 1:])
        if start < DIRECTIONS:
            (reverse, *_) = pipe.run(pairs.take(numpy.flatnonzero(~is_forward)))
            columns = [1 + pipe.labels.index(name) for name in relations]
            rows = numpy.arange(len(columns))
            directions += numpy.heaviside(logits[rows, columns] - reverse[rows, columns], 0.5).tolist()
        gold += relations
    scores = numpy.concatenate(found)
    best = [pipe.labels[each] for each in scores.argmax(1).tolist()]
    others = {"direction_accuracy": sum(directions) / len(directions)}
    return {**class_scores(gold, best), **others, "rejection_auc": rejection_auc(gold, scores, pipe.labels)}


@torch.inference_mode()
def cosines(encoder: Path, names: Sequence[str], others: Sequence[str]) -> list[list[float]]:
    """Compute cosines between the mean states of names. RETURNS (list[list[float]]): A row for each of `names`."""
    tokenizer, model = AutoTokenizer.from_pretrained(encoder), AutoModel.from_pretrained(encoder).eval()

    def embed(texts: Sequence[str]) -> Tensor:
        pieces = tokenizer(list(texts), padding=True, return_tensors="pt")
        states, mask = model(**pieces).last_hidden_state, pieces["attention_mask"][..., None]
        return torch.nn.functional.normalize((states * mask).sum(1), dim=1)

    return (embed(names) @ embed(others).T).tolist()


def rejection_auc(gold: Sequence[str], scores: numpy.ndarray, labels: Sequence[str]) -> float:
    """Offer every second relation, then the others, and test whether pairs of an offered relation score higher.

    scores (numpy.ndarray): Shape (P, R)
    RETURNS (float): The mean of both areas under the ROC curve.
    """
    from sklearn.metrics import roc_auc_score

    halves = [labels[0::2], labels[1::2]]
    best = [scores[:, start::2].max(1) for start in (0, 1)]
    return float(numpy.mean([roc_auc_score([each in half for each in gold], top) for half, top in zip(halves, best)]))


def class_scores(gold: list[str], best: list[str]) -> dict[str, float]:
    """Compute accuracy, and the mean F of the relations of gold."""
    from sklearn.metrics import accuracy_score, f1_score

    macro = f1_score(gold, best, labels=sorted(set(gold)), average="macro", zero_division=0.0)
    return {"macro_f": float(macro), "accuracy": float(accuracy_score(gold, best))}
