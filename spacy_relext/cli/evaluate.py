"""`spacy relext evaluate`: every score of a pipeline on a corpus, as a table and as JSON."""

import warnings
from functools import partial
from pathlib import Path
from typing import Any, Dict, List, Literal, Optional, Sequence, Tuple

import srsly
import typer
import wasabi
from spacy.language import Language
from spacy.training import Example

from ..corpora.reader import TripleCorpus
from ..errors import Errors
from ..scoring.clusters import PREFIX, SCORES
from ..scoring.evaluation import EvaluationSettings, choose_labels, evaluate_pipeline
from ..scoring.ranking import UNITS, RecallCurve, recall_curve
from ..visuals.recall_curve import draw_recall_curves
from .app import relext
from .pipeline import GPU_HELP, PIPELINE_HELP, fail, input_errors, load_pipeline, split_list, with_progress

OVERALL = (("exact", "exact text"), ("span", "exact spans"), ("partial", "first words"), ("macro", "macro (exact)"))

OTHERS = (
    ("relations_micro_p", "detector precision"),
    ("relations_micro_r", "detector recall"),
    ("relations_micro_f", "detector F"),
    ("relations_macro_f", "detector macro F"),
    ("relations_ap", "detector average precision"),
    ("empty_error_rate", "empty sentences that got a triple"),
    ("direction_accuracy", "direction right"),
    ("ece", "calibration error (equal mass)"),
    ("ece_width", "calibration error (equal width)"),
    ("best_threshold_f", "exact F at the best single threshold"),
)

CLUSTERS = (
    ("b3_p", "B³ precision"),
    ("b3_r", "B³ recall"),
    ("b3_f", "B³ F"),
    ("v", "V-measure"),
    ("ari", "adjusted Rand index"),
    ("clusters_coverage", "pairs that have a cluster"),
)

BESIDE = {"one_cluster": "One cluster", "random": "Random ones", "entity_types": "Entity types"}

RANKED = (
    ("ap", "average precision"),
    ("p_at_100", "precision of the first 100"),
    ("p_at_recall_10", "precision at 10 % recall"),
    ("p_at_recall_30", "precision at 30 % recall"),
    ("p_at_recall_50", "precision at 50 % recall"),
)

RANKED_COUNTS = (("positives", "true"), ("unscored", "of these never scored"))

SHOWN_RELATIONS = 3


@relext.command("evaluate")
def evaluate_cli(
    pipeline: str = typer.Argument(..., help=PIPELINE_HELP),
    corpus: Path = typer.Argument(..., metavar="CORPUS", help="A .spacy file with gold triples."),
    output: Optional[Path] = typer.Option(None, "--output", "-o", help="JSON file for every score."),
    curve: Optional[Path] = typer.Option(
        None,
        "--curve",
        help="Draw precision against recall, where relations are ranked: CURVE_bag.svg, .png and so on.",
    ),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", help=GPU_HELP),
    batch_size: int = typer.Option(64, "--batch-size", min=1, help="Documents to a batch."),
    label_filter: Optional[str] = typer.Option(
        None,
        "--label-filter",
        help="Score these relations only, comma-separated; `shared`: those that corpus and pipeline both know.",
    ),
    gold_sents: bool = typer.Option(
        True, "--gold-sents/--no-gold-sents", help="Give the pipeline the annotated sentences, where there are any."
    ),
    gold_ents: bool = typer.Option(
        False, "--gold-ents/--no-gold-ents", help="Give the pipeline the annotated entities."
    ),
    gold_relations: bool = typer.Option(
        False, "--gold-relations", help="Give the extractor each sentence's gold relations."
    ),
) -> None:
    """Score a pipeline on a corpus, print the scores, and save them."""
    with input_errors():
        nlp = load_pipeline(pipeline, gpu_id)
        examples = read_corpus(nlp, corpus, gold_sents=gold_sents, gold_ents=gold_ents)
        labels = choose_labels(nlp, examples, split_list(label_filter))
        drawn: List[Path] = []
        look = None if curve is None else partial(draw_rankings, nlp, curve, drawn)
        given = {"label_filter": labels, "gold_relations": gold_relations, "look": look}
        settings = EvaluationSettings(batch_size=batch_size, **given)  # type: ignore[arg-type]
        shown = with_progress(examples, total=len(examples))
        metrics = evaluate_pipeline(nlp, shown, settings=settings)
        if not metrics["n_annotated"]:
            fail(Errors.R208.format(count=len(examples), path=str(corpus)))
        for line in report_lines(metrics, labels=labels):
            typer.echo(line)
        if output is not None:
            output.parent.mkdir(parents=True, exist_ok=True)
            srsly.write_json(output, metrics)
            typer.echo(f"Saved {len(metrics)} scores to {output}")
        for path in drawn:
            typer.echo(f"Drew {path}")


def draw_rankings(nlp: Language, target: Path, drawn: List[Path], examples: List[Example]) -> None:
    """Draw precision against recall of each component that ranks relations: bags in one file, mentions in another.

    nlp (Language): The pipeline.
    target (Path): Begins the names of the files.
    drawn (List[Path]): Gets the files.
    examples (List[Example]): Predictions and gold.
    RAISES (ValueError): Where no component ranks.
    """
    pipes: List[Tuple[str, Any]] = list(nlp.pipeline)
    ranking = {name: pipe for name, pipe in pipes if hasattr(pipe, "rankings") and pipe.cfg["ranking"]}
    if not ranking:
        raise ValueError(Errors.R741.format(found=", ".join(nlp.pipe_names) or "nothing"))
    curves: Dict[str, Dict[str, RecallCurve]] = {}
    for name, pipe in ranking.items():
        for found in pipe.rankings(examples):
            curves.setdefault(found.unit, {})[name] = recall_curve(found)
    for unit, of_unit in curves.items():
        drawn.extend(draw_recall_curves(of_unit, target=target.with_name(f"{target.name}_{unit}")))


def report_lines(metrics: Dict[str, Any], *, labels: Optional[List[str]] = None) -> List[str]:
    """Lay out scores as tables.

    metrics (Dict[str, Any]): From `evaluate_pipeline`.
    labels (Optional[List[str]]): The relations that were scored, if not all.
    RETURNS (List[str]): Lines to print; scores in percent.
    """
    overall = [(title, *(_percent(metrics[f"{key}_{score}"]) for score in "prf")) for key, title in OVERALL]
    per_type = [
        (label, *(_percent(scores[score]) for score in "prf"), str(metrics["support_per_type"].get(label, 0)))
        for label, scores in metrics["triples_per_type"].items()
    ]
    others = [(title, _percent(metrics[key])) for key, title in OTHERS if metrics.get(key) is not None]
    interval = f"{_percent(metrics['exact_f_low'])} to {_percent(metrics['exact_f_high'])}"
    others.insert(0, ("exact F, 95 % interval over documents", interval))
    heading = f"{metrics['n_annotated']} annotated of {metrics['n_documents']} documents"
    heading += f", {metrics['n_gold']} gold and {metrics['n_predicted']} predicted triples"
    heading += f", {metrics['docs_per_second']:.1f} docs/s, {metrics['words_per_second']:.0f} words/s"
    clusters = metrics.get("relations_per_cluster")
    triples = [_table(overall, ("Triples", "P", "R", "F")), _table(per_type, ("Relation", "P", "R", "F", "Gold"))]
    if clusters is not None and not any(set(clusters).intersection(found) for found in clusters.values()):
        triples, others = [], []  # no cluster is called what gold calls a relation
    return [
        heading,
        *([f"Only: {', '.join(labels)}"] if labels is not None else []),
        *(_cluster_tables(metrics, clusters) if clusters is not None else []),
        *triples,
        *([_table(others, ("Further", ""))] if others else []),
        *ranking_table(metrics),
    ]


def ranking_table(metrics: Dict[str, Any]) -> List[str]:
    """Show how well all relations of all pairs are ranked, where a component ranks them."""
    if any(metrics.get(f"{unit}_ap") is None for unit in UNITS):
        return []
    rows = [(title, *(_percent(metrics.get(f"{unit}_{key}")) for unit in UNITS)) for key, title in RANKED]
    for key, title in RANKED_COUNTS:
        rows.append((title, *(f"{metrics[f'{unit}_{key}']:.0f}" for unit in UNITS)))
    return [_table(rows, ("Ranking", "Bags", "Mentions"))]


def _cluster_tables(metrics: Dict[str, Any], clusters: Dict[str, Dict[str, int]]) -> List[str]:
    """Say how far clusters agree with gold relations, beside clusters that nobody had to find, and what is in each."""
    columns = (metrics, *(metrics["cluster_baselines"][name] for name in BESIDE))
    rows = [(title, *(_percent(scores.get(key)) for scores in columns)) for key, title in CLUSTERS]
    oracle = [(f"{PREFIX}{key}", _percent(metrics[f"{PREFIX}{key}"])) for key in SCORES]
    inside = []
    for cluster, relations in clusters.items():
        total = sum(relations.values())
        shares = (f"{relation} {count / total:.0%}" for relation, count in list(relations.items())[:SHOWN_RELATIONS])
        inside.append((cluster, str(total), ", ".join(shares)))
    header = ("Cluster", "Pairs with a relation", "Which")
    return [
        _table(rows, ("Clusters", "Found", *BESIDE.values())),
        _table(oracle, ("Named by gold (an oracle)", "")),
        str(wasabi.table(inside, header=header, divider=True, aligns=["l", "r", "l"])),
    ]


def _table(rows: Sequence[Sequence[str]], header: Sequence[str]) -> str:
    """Align numbers to the right."""
    aligns: List[Literal["l", "r", "c"]] = ["l"]
    aligns += ["r" for _ in header[1:]]
    return str(wasabi.table(rows, header=header, divider=True, aligns=aligns))


def _percent(value: Optional[float]) -> str:
    """Write a fraction as a percentage."""
    return "-" if value is None else f"{100 * value:.2f}"


def read_corpus(nlp: Language, corpus: Path, *, gold_sents: bool, gold_ents: bool) -> List[Example]:
    """Read a corpus; its warnings become lines on stderr.

    nlp (Language): Makes the predicted Docs.
    corpus (Path): A .spacy file or a folder of them.
    gold_sents (bool): Whether predicted Docs get the annotated sentences.
    gold_ents (bool): Whether they get the annotated entities.
    RETURNS (List[Example]): The corpus.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        examples = list(TripleCorpus(corpus, gold_sents=gold_sents, gold_ents=gold_ents)(nlp))
    for warning in caught:
        typer.echo(str(warning.message), err=True)
    return examples
