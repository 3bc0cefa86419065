"""`spacy relext evaluate`: every score of a pipeline on a corpus, as a table and as JSON."""

import warnings
from pathlib import Path
from typing import Annotated, Dict, List, Mapping, Optional, Sequence, Tuple

import typer
import wasabi
from spacy.language import Language
from spacy.training import Example

from ..corpora.reader import TripleCorpus
from ..corpora.records import write_jsonl
from ..corpora.shards import iter_docs, list_shards
from ..corpora.whole import write_json
from ..errors import Errors, Warnings, require
from ..pipeline.pipe import RelationPipe
from ..scoring.clusters import PREFIX, SCORES, clusters_source
from ..scoring.errors import collect_errors, describe_error
from ..scoring.evaluation import TrainingFacts, choose_labels, evaluate_pipeline, read_training
from ..scoring.ranking import UNITS
from ..scoring.risk import COVERAGES, PRECISIONS
from ..scoring.triples import Scores, gold_records
from ..visuals.error_report import make_report, render_error_report
from . import options
from .pipeline import fail, input_errors, number_table, open_pipeline, use_gold_ents, with_progress
from .view import save

OVERALL = (("exact", "exact text"), ("span", "exact spans"), ("partial", "first words"), ("macro", "macro (exact)"))

UNSEEN = ("unseen", "exact text, not in --train")

OTHERS = (
    ("relations_micro_p", "detector precision"),
    ("relations_micro_r", "detector recall"),
    ("relations_micro_f", "detector F"),
    ("relations_macro_f", "detector macro F"),
    ("relations_ap", "detector average precision"),
    ("empty_error_rate", "empty sentences that got a triple"),
    ("direction_accuracy", "correct direction"),
    ("assertion_accuracy", "correct assertion, of correct triples"),
    ("assertion_macro_f", "assertion macro F, of correct triples"),
    ("ece", "calibration error"),
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


def evaluate_cli(
    pipeline: options.Pipeline,
    corpus: Annotated[Path, typer.Argument(metavar="CORPUS", help="A .spacy file with gold triples")],
    output: options.Json = None,
    html: options.Html = None,
    errors: Annotated[
        Optional[Path], typer.Option(help="JSONL file for every false positive and false negative, with its class")
    ] = None,
    train: Annotated[
        Optional[Path],
        typer.Option(help="Training corpus: also score the triples it lacks; --html counts its examples"),
    ] = None,
    batch_size: options.BatchSize = 64,
    label_filter: options.LabelFilter = None,
    gold_sents: options.GoldSents = True,
    gold_ents: options.GoldEnts = None,
    gold_relations: Annotated[bool, typer.Option("--gold-relations", help="Give the extractor gold relations")] = False,
    code: options.Code = None,
    gpu_id: options.Gpu = -1,
) -> None:
    """Score a pipeline on a corpus, print the scores, and save them."""
    with input_errors():
        check_outputs(errors, html, train)
        nlp = open_pipeline(pipeline, gpu_id, code=code)
        examples = read_corpus(nlp, corpus, gold_sents=gold_sents, gold_ents=gold_ents)
        labels = choose_labels(nlp, examples, options.split_list(label_filter))
        warn_nothing_shared(nlp, examples)
        training = None if train is None else read_training(with_progress(iter_docs(train, nlp.vocab)))
        compared: List[Example] = []
        shown = with_progress(examples, total=len(examples))
        metrics = evaluate_pipeline(
            nlp,
            shown,
            batch_size=batch_size,
            label_filter=labels,
            give_relations=gold_relations,
            training=training,
            on_predictions=compared.extend,
        )
        if not metrics["n_annotated"]:
            fail(Errors.R208.format(count=len(examples), path=str(corpus)))
        for line in report_lines(metrics, labels=labels):
            typer.echo(line)
        if output is not None:
            write_json(output, metrics)
            typer.echo(f"Saved {len(metrics)} scores to {output}")
        if errors is not None:
            write_errors(compared, errors, labels=labels)
        if html is not None:
            title = f"Errors of {pipeline} on {corpus}"
            save(make_error_page(nlp, compared, labels=labels, training=training, title=title), html)


def check_outputs(errors: Optional[Path], html: Optional[Path], train: Optional[Path]) -> None:
    """Check the options about errors before the pipeline runs, and that curves can be drawn."""
    options.check_suffix(errors, ".jsonl")
    options.check_suffix(html, ".html")
    if html is not None:
        require("matplotlib", purpose="curves of error reports", extra="viz")
    if train is not None:
        list_shards(train)


def write_errors(examples: Sequence[Example], path: Path, *, labels: Optional[List[str]]) -> None:
    """Write every error on a line of its own, the costliest first."""
    found = collect_errors(examples, label_filter=labels).errors
    write_jsonl(path, (describe_error(each, examples[each.document].reference.text) for each in found))
    typer.echo(f"Saved {len(found)} errors to {path}")


def make_error_page(
    nlp: Language,
    examples: Sequence[Example],
    *,
    labels: Optional[List[str]],
    training: Optional[TrainingFacts],
    title: str,
) -> str:
    """Draw the page of errors, with the candidates of the components that list them."""
    predicted = [example.predicted for example in examples]
    rankers = {name: pipe for name, pipe in nlp.pipeline if isinstance(pipe, RelationPipe) and pipe.ranks_candidates}
    # without it, `doc_cleaner` has removed what the component reads
    has_tensors = all(doc.tensor is not None for doc in predicted)
    candidates = {name: pipe.list_candidates(predicted) for name, pipe in rankers.items()} if has_tensors else {}
    counts = None if training is None else training.counts
    report = make_report(examples, labels=labels, candidates=candidates, training=counts)
    return render_error_report(report, examples, title=title)


def report_lines(metrics: Scores, *, labels: Optional[List[str]] = None) -> List[str]:
    """Format scores (of some relations; None: of all) as tables, in percent."""
    rows = [*OVERALL, *([UNSEEN] if "unseen_f" in metrics else [])]
    overall = [(title, *(_percent(metrics[f"{key}_{score}"]) for score in "prf")) for key, title in rows]
    per_type = [
        (label, *(_percent(scores[score]) for score in "prf"), str(metrics["support_per_type"].get(label, 0)))
        for label, scores in metrics["triples_per_type"].items()
    ]
    others = [(title, _percent(metrics[key])) for key, title in OTHERS if metrics.get(key) is not None]
    interval = f"{_percent(metrics['exact_f_low'])} to {_percent(metrics['exact_f_high'])}"
    others += risk_rows(metrics)
    others.insert(0, ("exact F, 95 % interval over documents", interval))
    heading = f"{metrics['n_annotated']} annotated of {metrics['n_documents']} documents"
    heading += f", {metrics['n_gold']} gold and {metrics['n_predicted']} predicted triples"
    heading += f", {metrics['docs_per_second']:.1f} docs/s, {metrics['words_per_second']:.0f} words/s"
    clusters = metrics.get("relations_per_cluster")
    triples = [
        number_table(overall, ("Triples", "P", "R", "F")),
        number_table(per_type, ("Relation", "P", "R", "F", "Gold")),
    ]
    if clusters is not None and not any(set(clusters).intersection(relations) for relations in clusters.values()):
        triples, others = [], []  # no cluster is called what gold calls a relation
    return [
        heading,
        *([f"Only: {', '.join(labels)}"] if labels is not None else []),
        *(_cluster_tables(metrics, clusters) if clusters is not None else []),
        *triples,
        *([number_table(others, ("Further", ""))] if others else []),
        *ranking_table(metrics),
    ]


def risk_rows(scores: Mapping[str, Optional[float]]) -> List[Tuple[str, str]]:
    """Format what `score_risk` returns: precisions of the most certain triples, and thresholds for precisions."""
    shares = [(each, scores.get(f"precision_at_coverage_{each}")) for each in COVERAGES]
    rows = [(f"precision of the most certain {each} %", _percent(value)) for each, value in shares if value is not None]
    wanted = [(each, scores.get(f"threshold_at_precision_{each}")) for each in PRECISIONS]
    rows += [(f"threshold for a precision of {each} %", f"{value:.3f}") for each, value in wanted if value is not None]
    return rows + ([] if scores.get("aurc") is None else [("area under risk and coverage", _percent(scores["aurc"]))])


def ranking_table(metrics: Scores) -> List[str]:
    """Format the ranking scores; nothing without a component that ranks relations."""
    if any(metrics.get(f"{unit}_ap") is None for unit in UNITS):
        return []
    rows = [(title, *(_percent(metrics.get(f"{unit}_{key}")) for unit in UNITS)) for key, title in RANKED]
    for key, title in RANKED_COUNTS:
        rows.append((title, *(f"{metrics[f'{unit}_{key}']:.0f}" for unit in UNITS)))
    return [number_table(rows, ("Ranking", "Bags", "Mentions"))]


def _cluster_tables(metrics: Scores, clusters: Dict[str, Dict[str, int]]) -> List[str]:
    """Format the agreement of clusters and gold relations beside baselines, and the content of each cluster."""
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
        number_table(rows, ("Clusters", "Found", *BESIDE.values())),
        number_table(oracle, ("Named by gold (an oracle)", "")),
        str(wasabi.table(inside, header=header, divider=True, aligns=["l", "r", "l"])),
    ]


def _percent(value: Optional[float]) -> str:
    return "-" if value is None else f"{100 * value:.2f}"


def warn_nothing_shared(nlp: Language, examples: Sequence[Example]) -> None:
    """Print one line on stderr if corpus and pipeline have no relation in common; clusters have names of their own."""
    known = {label for _, pipe in nlp.pipeline if isinstance(pipe, RelationPipe) for label in pipe.labels}
    gold = {record["relation"] for example in examples for record in gold_records(example) or []}
    if gold and known and not gold & known and clusters_source(nlp) is None:
        shown = Warnings.W201.format(gold=", ".join(sorted(gold)), known=", ".join(sorted(known)))
        typer.echo(shown, err=True)


def read_corpus(nlp: Language, corpus: Path, *, gold_sents: bool, gold_ents: Optional[bool]) -> List[Example]:
    """Read a corpus; predicted Docs may get gold sentences and entities. Warnings are printed to stderr.

    gold_ents (Optional[bool]): As for `use_gold_ents`.
    """
    given = use_gold_ents(nlp, gold_ents)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        examples = list(TripleCorpus(corpus, gold_sents=gold_sents, gold_ents=given)(nlp))
    for warning in caught:
        typer.echo(str(warning.message), err=True)
    return examples
