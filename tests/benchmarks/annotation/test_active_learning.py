"""The benchmark of active learning: who chooses what, and which rows it writes."""

import json
import pathlib
from dataclasses import replace
from typing import Any, Dict, List

import pytest
import spacy
from spacy.language import Language
from spacy.vocab import Vocab

from benchmarks.annotation import active_learning
from benchmarks.annotation.active_learning import curve
from benchmarks.harness.call import Call
from benchmarks.harness.corpora import PairMaker
from benchmarks.harness.runs import Settings, Trained
from spacy_relext import set_triples
from spacy_relext.corpora.shards import iter_docs

WORDS = [f"{a} {b} {c}" for a in ("rain", "snow", "wind") for b in ("fell", "came") for c in ("today", "at night")]


def spert_file(count: int) -> str:
    """Sentences of which no two are alike, in SpERT's form."""
    records = []
    for number in range(count):
        tokens = ["Ada", f"v{number}", "Bo", *WORDS[number % len(WORDS)].split(), f"w{number}"]
        entities = [{"start": at, "end": at + 1, "type": "Peop"} for at in (0, 2)]
        relations = [{"head": 0, "tail": 1, "type": "Live_In"}]
        records.append({"tokens": tokens, "entities": entities, "relations": relations})
    return json.dumps(records)


@Language.component("benchmark_guesser", assigns=["doc._.triples"])
def guess(doc: Any) -> Any:
    """The later a sentence of the pool, the less sure."""
    set_triples(doc, [{"subject": doc[:1], "relation": "Live_In", "object": doc[2:3], "score": 0.5}], source="g")
    return doc


@pytest.fixture
def corpora(monkeypatch: pytest.MonkeyPatch) -> Dict[str, List[List[str]]]:
    """What each method is trained on; nothing is trained."""
    seen: Dict[str, List[List[str]]] = {}

    def train_run(name: str, *, train: pathlib.Path, settings: Settings, seed: int, **options: Any) -> Trained:
        texts = [doc.text for doc in iter_docs(train, Vocab())]
        assert options["changes"]["training.max_steps"] == 150 + len(texts) // 2
        seen.setdefault(name.split("-")[1], []).append(texts)
        return Trained(settings.runs / f"{name}-{train.stem}-{seed}", 1.0, 1.0, 10, 5, len(texts), 10)

    def tuned(call: Call, run: Trained, data: Any) -> Language:
        nlp = spacy.blank("en")
        nlp.add_pipe("benchmark_guesser")
        return nlp

    monkeypatch.setattr(active_learning, "train_run", train_run)
    monkeypatch.setattr(active_learning, "_tuned", tuned)
    monkeypatch.setattr(active_learning, "SIZES", (4, 8, 16))
    return seen


@pytest.fixture
def call(tmp_path: pathlib.Path) -> Call:
    for split, count in (("train", 20), ("dev", 3), ("test", 4)):
        path = tmp_path / "data" / "conll04" / f"conll04_{split}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(spert_file(count), encoding="utf8")
    settings = Settings(runs=tmp_path / "runs", encoder=tmp_path, passes=0, threads=1, precision="fp32")
    maker = PairMaker(tmp_path / "data", tmp_path / "runs" / "corpora")
    options: Any = {"figures": tmp_path / "figures", "command": "python -m benchmarks annotation curve"}
    return Call(settings=settings, maker=maker, seeds=[0], results=tmp_path / "annotation.json", **options)


def test_each_order_grows_from_the_same_sentences(call: Call, corpora: Dict[str, List[List[str]]]) -> None:
    curve(call)
    for method in ("rere", "kd"):
        assert [len(texts) for texts in corpora[method]] == [4, 8, 16] * 3
        for order in range(3):
            first, second, third = map(set, corpora[method][3 * order : 3 * order + 3])
            assert first == set(corpora[method][0]) and first < second < third
    # chance and disagreement give both methods the same sentences
    assert corpora["rere"][:3] == corpora["kd"][:3] and corpora["rere"][6:] == corpora["kd"][6:]
    rows = json.loads(call.results.read_text(encoding="utf8"))
    kinds = {(row["benchmark"], row["split"], row["system"]) for row in rows if row["metric"] == "exact_f"}
    assert len(kinds) == 2 * 3 * 3 and ("annotation_kd", "16 sentences", "ablation:disagreement") in kinds
    assert (call.figures / "annotation_rere.png").exists()


def test_parts_can_be_chosen(call: Call, corpora: Dict[str, List[List[str]]]) -> None:
    curve(replace(call, only=frozenset({"random"})))
    assert len(corpora["rere"]) == len(corpora["kd"]) == 3
