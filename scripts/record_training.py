"""Record the training of every config, and compare two such records, to check a change that should alter nothing.

    python scripts/record_training.py train before.json             # the losses of 20 steps and predictions, per config
    python scripts/record_training.py predict build/smoke before.json   # predictions of pipelines that are trained
    python scripts/record_training.py compare before.json after.json

Everything runs in fp32 on one thread, with the seed of the config and the small encoder of the tests.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import json
import pathlib
import sys
import tempfile
from typing import Any, Callable, Dict, Iterator, List, Tuple

import spacy
import torch
import typer
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import registry

ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(pathlib.Path.cwd() if (pathlib.Path.cwd() / "tests").is_dir() else ROOT))

from benchmarks.harness.training_config import read_config, set_key  # noqa: E402

WIDTH = 48
STEPS = 20
PIPELINES = {
    "rere/tuned": "test.spacy",
    "kd/tuned": "test.spacy",
    "nero/model-best": "test.spacy",
    "selfore/model-best": "test.spacy",
    "hrere/tuned": "linked/test.spacy",
}
app = typer.Typer(no_args_is_help=True, add_completion=False)


def make_inputs(folder: pathlib.Path) -> None:
    """Write a tiny encoder, small corpora and rules into a folder."""
    import srsly

    from spacy_relext import get_records, set_triples
    from tests.contract.entities import find_entities
    from tests.contract.sentences import ENGLISH, RULES
    from tests.contract.tiny_bert import save_tiny_bert
    from tests.contract.tiny_ner import save_tiny_ner

    torch.manual_seed(0)
    save_tiny_bert(folder / "encoder", width=WIDTH)
    nlp = spacy.blank("en")
    docs = []
    for text, triples in ENGLISH:
        doc = nlp.make_doc(text)
        spans = [tuple((text.find(part), text.find(part) + len(part)) for part in (s, o)) for s, _, o in triples]
        set_triples(doc, [(s, relation, o) for (s, o), (_, relation, _) in zip(spans, triples)])
        docs.append(find_entities(doc))
    DocBin(docs=docs, store_user_data=True).to_disk(folder / "corpus.spacy")
    save_tiny_ner(folder / "ner", docs)
    for doc in docs:
        doc.user_data["relext_pairs"] = [
            {"subject": list(t["subject"]), "object": list(t["object"])} for t in get_records(doc)
        ]
    DocBin(docs=docs, store_user_data=True).to_disk(folder / "pairs.spacy")
    srsly.write_json(folder / "rules.json", [list(rule) for rule in RULES])


def settings_of(config: Any, prefix: str = "") -> Iterator[Tuple[str, str, Any]]:
    """Yield the path, key and value of every setting below a section of a config."""
    for key, value in config.items():
        if isinstance(value, dict):
            yield from settings_of(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", key, value


def overrides_of(config: Any, folder: pathlib.Path) -> Dict[str, Any]:
    """Make a config run on the small inputs, for a few steps, in fp32."""
    reader = config["corpora"]["train"]["@readers"]
    corpus = str(folder / ("pairs.spacy" if "Bag" in reader else "corpus.spacy"))
    overrides: Dict[str, Any] = {"paths.train": corpus, "paths.dev": corpus}
    overrides.update({"training.max_steps": STEPS, "training.max_epochs": 0, "training.eval_frequency": 1})
    for key, name in (("encoder", "encoder"), ("rules", "rules.json"), ("ner", "ner")):
        if key in config["paths"]:
            overrides[f"paths.{key}"] = str(folder / name)
    if "teacher" in config["paths"]:  # whose weights are a student's initial weights
        overrides["initialize.components.kd_classifier.start"] = None
    for path, key, value in settings_of(config["components"], "components."):
        if key == "marker_layer" and value:
            overrides[path] = 1
        elif key == "include_static_vectors" and value:
            overrides[path] = False
        elif key == "n_clusters":
            overrides[path] = 2
        elif key == "precision":
            overrides[path] = "fp32"
    return overrides


def record_config(path: pathlib.Path, folder: pathlib.Path) -> Dict[str, Any]:
    """Train a config for a few steps.

    RETURNS (Dict[str, Any]): The losses of each step, and the triples of each sentence afterwards.
    """
    rows: List[Dict[str, float]] = []

    def setup(nlp: Language, stdout: Any, stderr: Any) -> Tuple[Callable[[Any], None], Callable[[], None]]:
        def log(info: Any) -> None:
            if info:
                rows.append({key: float(value) for key, value in info["losses"].items()})

        return log, lambda: None

    registry.loggers("relext_recorder", func=lambda: setup)
    config = read_config(path)
    for key, value in overrides_of(config, folder).items():
        set_key(config, key, value)
    config = config.interpolate()
    config["training"]["logger"] = {"@loggers": "relext_recorder"}
    torch.manual_seed(0)
    nlp = init_nlp(config)
    with open(os.devnull, "w", encoding="utf8") as quiet:
        train(nlp, None, stdout=quiet, stderr=quiet)
    corpus = pathlib.Path(config["paths"]["dev"])
    return {"losses": rows, "triples": [predict(nlp, doc) for doc in load_docs(nlp, corpus)]}


def load_docs(nlp: Language, path: pathlib.Path) -> List[Any]:
    """Read the Docs of a corpus."""
    return list(DocBin(store_user_data=True).from_disk(path).get_docs(nlp.vocab))


def predict(nlp: Language, text: Any) -> List[Any]:
    """List the triples found in a text or Doc, scores included, sorted."""
    from spacy_relext import get_records

    rows = [r for r in get_records(nlp(text)) or [] if r["source"]]
    columns = ("subject", "relation", "object", "score", "source")
    return sorted(([json.loads(json.dumps(r[c], default=float)) for c in columns] for r in rows), key=json.dumps)


@app.command("train")
def train_command(out: pathlib.Path, only: str = "") -> None:
    """Record every config in configs/ and benchmarks/configs/."""
    torch.set_num_threads(1)
    results = json.loads(out.read_text()) if out.exists() else {}
    with tempfile.TemporaryDirectory() as name:
        make_inputs(pathlib.Path(name))
        for path in sorted(
            [*pathlib.Path("configs").rglob("*.cfg"), *pathlib.Path("benchmarks/configs").glob("*.cfg")]
        ):
            if only not in str(path):
                continue
            results[str(path)] = record_config(path, pathlib.Path(name))
            print(path, f"{sum(results[str(path)]['losses'][-1].values()):.6f}", flush=True)
            out.write_text(json.dumps(results))


@app.command("predict")
def predict_command(project: pathlib.Path, out: pathlib.Path) -> None:
    """Record what the trained pipelines of a project find in their test corpora."""
    torch.set_num_threads(1)
    results = json.loads(out.read_text()) if out.exists() else {}
    for name, corpus in PIPELINES.items():
        nlp = spacy.load(project / "training" / name)
        docs = load_docs(nlp, project / "corpus" / corpus)
        # hrere reads the entity links of its corpus
        results[name] = [predict(nlp, doc if name.startswith("hrere") else doc.text) for doc in docs]
        print(name, sum(map(len, results[name])), "triples", flush=True)
    out.write_text(json.dumps(results))


@app.command()
def compare(before: pathlib.Path, after: pathlib.Path, tolerance: float = 1e-6) -> None:
    """Compare two records; exit with 1 if an entry of both differs by more than the tolerance."""
    old, new = json.loads(before.read_text()), json.loads(after.read_text())
    bad = 0
    for name in sorted({*old, *new}):
        if name not in old or name not in new:
            print(f"{name}: only in {before if name in old else after}")
            continue
        difference = distance(old[name], new[name])
        if difference is None or difference > tolerance:
            bad += 1
        print(f"{name}: {'of another shape' if difference is None else f'{difference:.1e}'}")
    raise typer.Exit(1 if bad else 0)


def distance(left: Any, right: Any) -> Any:
    """Find the largest difference of numbers in the same place, relative if above 1; None if texts or shapes differ."""
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return abs(left - right) / max(1.0, abs(left))
    if type(left) is not type(right):
        return None
    if isinstance(left, dict):
        left, right = (
            [sorted(left), *(left[k] for k in sorted(left))],
            [sorted(right), *(right[k] for k in sorted(right))],
        )
    if isinstance(left, list):
        parts = [distance(a, b) for a, b in zip(left, right)] if len(left) == len(right) else [None]
        return None if None in parts else max(parts, default=0.0)
    return 0.0 if left == right else None


if __name__ == "__main__":
    app()
