"""`spacy relext annotate retrain`: train a trained pipeline further on corrected documents, mixed with old ones."""

import tempfile
from pathlib import Path
from typing import Annotated, Dict, Iterator, List, Optional, Tuple

import typer
from spacy.language import Language
from spacy.training import Example
from wasabi import msg

from ..corpora.whole import new_folder
from ..errors import Errors
from ..pipeline.retraining import PASSES, Mix, mix_corpora, retrain, retrained_components
from ..pipeline.tuning import tune_pipeline
from ..scoring.evaluation import evaluate_pipeline
from . import options
from .evaluate import read_corpus
from .pipeline import fail, input_errors, number_table, open_pipeline, with_progress

SCORES = {"exact_p": "P", "exact_r": "R", "exact_f": "F"}


def retrain_cli(
    pipeline: options.Pipeline,
    new: Annotated[Path, typer.Argument(metavar="NEW.spacy", help="Corrected documents")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the new pipeline")],
    keep: Annotated[
        Optional[Path], typer.Option(help="Corpus that the pipeline was trained on, to draw old documents from")
    ] = None,
    mix: Annotated[str, typer.Option(help="Old to new documents; 0:1 trains on corrections alone")] = "7:1",
    dev: Annotated[Optional[Path], typer.Option(help="Corpus to score and tune on, not trained on")] = None,
    test: Annotated[Optional[Path], typer.Option(help="Corpus to score on, neither trained nor tuned on")] = None,
    steps: Annotated[int, typer.Option(min=0, help="Updates; 0: by the size of the mixed corpus")] = 0,
    learn_rate: Annotated[float, typer.Option(min=0, help="Highest learning rate; 0: a share of the training's")] = 0.0,
    seed: options.Seed = 0,
    gold_ents: options.GoldEnts = None,
    code: options.Code = None,
    gpu_id: options.Gpu = -1,
) -> None:
    """Train a pipeline further on corrections mixed with old documents, tune it on DEV, and compare scores."""
    with input_errors():
        ratio = _read_ratio(mix, keep)
        nlp = open_pipeline(pipeline, gpu_id, code=code)
        retrained_components(nlp)
        corpora = {
            name: read_corpus(nlp, path, gold_sents=True, gold_ents=gold_ents)
            for name, path in (("dev", dev), ("test", test))
            if path is not None
        }
        with new_folder(output) as folder, tempfile.TemporaryDirectory() as temporary:
            mixed = Path(temporary) / "mixed.spacy"
            chosen = mix_corpora(nlp, new, keep, mixed, ratio=ratio, seed=seed, progress=with_progress)
            for line in _mix_lines(chosen):
                typer.echo(line)
            before = _score(nlp, corpora)
            done = retrain(nlp, mixed, steps=steps, rate=learn_rate, seed=seed, progress=with_progress)
            typer.echo(f"Trained {', '.join(done.components)}: {done.steps} steps, learning rate {done.rate:g}")
            if dev is not None:
                tune_pipeline(nlp, corpora["dev"])
            else:
                msg.warn("The thresholds have not changed: --dev DEV.spacy tunes them.")
            if corpora:
                typer.echo(_compare(before, _score(nlp, corpora)))
            nlp.to_disk(folder)
    msg.good(f"Saved the pipeline to {output}")


def _read_ratio(mix: str, keep: Optional[Path]) -> float:
    """Read old to new documents, such as 7:1; without a corpus of before there are none."""
    old, _, new = mix.partition(":")
    try:
        ratio = float(old) / float(new)
    except (ValueError, ZeroDivisionError):
        ratio = -1.0
    if not 0 <= ratio < float("inf"):
        fail(Errors.R107.format(option="--mix", found=mix, expected="old to new documents, such as 7:1"))
    if ratio and keep is None:
        fail(Errors.R255.format(mix=mix))
    return ratio


def _mix_lines(mix: Mix) -> Iterator[str]:
    """Describe the documents that are trained on."""
    yield f"{mix.new} corrected documents, {PASSES} times each, and {mix.old} of before"
    if mix.old < mix.wanted:
        yield f"  --keep has no more than these {mix.old}; they are repeated to {mix.wanted}"
    if mix.replaced:
        yield f"  {mix.replaced} documents of before have the text of a correction, and are left out"
    if mix.not_annotated:
        yield f"  {mix.not_annotated} documents of NEW.spacy are not annotated with triples, and are left out"
    if mix.unknown:
        listed = ", ".join(f"{label} ({count})" for label, count in sorted(mix.unknown.items()))
        yield f"  relations that the pipeline does not know, and cannot learn without a new training: {listed}"


def _score(nlp: Language, corpora: Dict[str, List[Example]]) -> Dict[str, Tuple[float, ...]]:
    """Score a pipeline on corpora by exact match."""
    found = {name: evaluate_pipeline(nlp, examples) for name, examples in corpora.items()}
    return {name: tuple(scores[key] or 0.0 for key in SCORES) for name, scores in found.items()}


def _compare(before: Dict[str, Tuple[float, ...]], after: Dict[str, Tuple[float, ...]]) -> str:
    """Format scores before and after, in percent."""
    rows = [
        (f"{name}, {when}", *(f"{100 * value:.2f}" for value in values[name]))
        for name in before
        for when, values in (("before", before), ("after", after))
    ]
    return number_table(rows, ("Exact triples", *SCORES.values()))
