"""`spacy relext compare`: scores of two pipelines on one corpus, and where they differ."""

from pathlib import Path
from typing import Annotated, List, Sequence

import typer
from spacy.training import Example

from ..corpora.whole import write_json
from ..errors import Errors
from ..scoring.comparison import OVERALL, Comparison, Difference, compare_predictions, describe_comparison
from ..scoring.evaluation import choose_labels, evaluate_pipeline, merge_labels
from ..scoring.triples import Scores
from ..visuals.comparison_page import render_comparison
from . import options
from .evaluate import read_corpus
from .pipeline import fail, input_errors, number_table, open_pipeline, with_progress
from .view import save

# Scores without an interval.
FURTHER = {
    "span_f": "F on exact spans",
    "empty_error_rate": "empty sentences that got a triple",
    "direction_accuracy": "correct direction",
    "ece": "calibration error",
}


def compare_cli(
    first: Annotated[str, typer.Argument(metavar="A", help="Folder or name of a trained pipeline, or default")],
    second: Annotated[str, typer.Argument(metavar="B", help="The pipeline to compare with A")],
    corpus: Annotated[Path, typer.Argument(metavar="CORPUS", help="A .spacy file with gold triples")],
    output: options.Json = None,
    html: options.Html = None,
    batch_size: options.BatchSize = 64,
    label_filter: options.LabelFilter = None,
    gold_sents: options.GoldSents = True,
    gold_ents: options.GoldEnts = None,
    seed: options.Seed = 0,
    code: options.Code = None,
    gpu_id: options.Gpu = -1,
) -> None:
    """Compare two pipelines on a corpus: differences with 95 % intervals, and the sentences they differ on."""
    with input_errors():
        options.check_suffix(output, ".json")
        options.check_suffix(html, ".html")
        pipelines = [open_pipeline(path, gpu_id, code=code) for path in (first, second)]
        examples = [read_corpus(nlp, corpus, gold_sents=gold_sents, gold_ents=gold_ents) for nlp in pipelines]
        wanted = options.split_list(label_filter)
        labels = merge_labels([choose_labels(nlp, each, wanted) for nlp, each in zip(pipelines, examples)], wanted)
        compared: List[List[Example]] = [[], []]
        metrics = [
            evaluate_pipeline(
                nlp,
                with_progress(each, total=len(each)),
                batch_size=batch_size,
                label_filter=labels,
                on_predictions=kept.extend,
            )
            for nlp, each, kept in zip(pipelines, examples, compared)
        ]
        if not metrics[0]["n_annotated"]:
            fail(Errors.R208.format(count=len(examples[0]), path=str(corpus)))
        comparison = compare_predictions(*compared, label_filter=labels, seed=seed)
        for line in comparison_lines(comparison, metrics):
            typer.echo(line)
        if html is not None:
            title = f"A and B on {corpus}"
            save(render_comparison(comparison, compared[0], names=(first, second), title=title), html)
        if output is not None:
            write_json(output, describe_comparison(comparison, metrics, compared[0], names=(first, second)))
            typer.echo(f"Saved to {output}")


def comparison_lines(comparison: Comparison, metrics: Sequence[Scores]) -> List[str]:
    """Format a comparison as tables, in percent."""
    header = ("A", "B", "B - A", "95 % interval", "", "Gold")
    overall = {OVERALL[key]: each for key, each in comparison.overall.items()}
    further = []
    for key, name in FURTHER.items():
        values = [scores[key] for scores in metrics if scores.get(key) is not None]
        if len(values) == len(metrics):
            further.append((name, *(f"{100 * value:.2f}" for value in values)))
    further.append(("docs/s", *(f"{scores['docs_per_second']:.1f}" for scores in metrics)))
    counts = [
        (name, *(str(each[who]) for who in ("both", "first", "second")))
        for name, each in (("correct", comparison.correct), ("wrong", comparison.wrong))
    ]
    return [
        number_table([_row(name, each) for name, each in overall.items()], ("Scores", *header)),
        number_table([_row(name, each) for name, each in comparison.relations.items()], ("Exact F of", *header)),
        number_table(further, ("Further", "A", "B")),
        number_table(counts, ("Triples", "both", "only A", "only B")),
        f"* The interval does not hold 0. The two differ on {len(comparison.disputes)} passages: --html FILE.html.",
    ]


def _row(name: str, each: Difference) -> Sequence[str]:
    difference = f"{100 * (each.second - each.first):+.2f}"
    interval = f"{100 * each.low:+.2f} to {100 * each.high:+.2f}"
    scores = (f"{100 * each.first:.2f}", f"{100 * each.second:.2f}")
    return (name, *scores, difference, interval, "*" if each.is_clear else "", str(each.gold))
