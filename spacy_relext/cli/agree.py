"""`spacy relext annotate agree`: how far people who annotated the same texts agree, and where they do not."""

from pathlib import Path
from typing import Annotated, Iterator, List, Optional, Sequence

import typer

from ..corpora.raw_text import TextLog
from ..corpora.texts import read_records
from ..corpora.whole import write_json
from ..errors import Errors
from ..scoring.agreement import Agreement, Disagreement, Key, describe_agreement, measure_agreement
from ..visuals.comparison_page import render_agreement
from . import options
from .pipeline import fail, input_errors, number_table
from .view import save

HEADER = ("Annotators", "Documents", "Triples", "Exact F", "Partial F", "Pairs", "Same", "Kappa")


def agree_cli(
    corpora: Annotated[
        List[Path],
        typer.Argument(metavar="A B...", help="Annotated corpora, a .spacy or a canonical .jsonl of each person"),
    ],
    top: options.Top = 20,
    output: options.Json = None,
    html: options.Html = None,
) -> None:
    """Measure the agreement of two or more annotators, and list where they differ."""
    with input_errors():
        if len(corpora) < 2:
            fail(Errors.R257.format(count=len(corpora)))
        options.check_suffix(output, ".json")
        options.check_suffix(html, ".html")
        names = name_annotators(corpora)
        agreement = measure_agreement([read_records(path, TextLog(strict=True)) for path in corpora], names=names)
        if not agreement.shared:
            fail(Errors.R258)
        for line in report_lines(agreement, top=top):
            typer.echo(line)
        if html is not None:
            title = f"Agreement of {', '.join(names)}"
            save(render_agreement(agreement, rows=_rows(agreement), header=HEADER, title=title), html)
        if output is not None:
            write_json(output, describe_agreement(agreement))
            typer.echo(f"Saved to {output}")


def name_annotators(paths: Sequence[Path]) -> List[str]:
    """Name annotators by their files; with folders where the names are equal."""
    names = [path.stem for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


def report_lines(agreement: Agreement, *, top: int) -> Iterator[str]:
    """Format an agreement, and its first disagreements (0: all)."""
    yield number_table(_rows(agreement), HEADER)
    alpha = "-" if agreement.alpha is None else f"{agreement.alpha:.3f}"
    yield f"Krippendorff's alpha of all: {alpha}"
    for name, only, bare in zip(agreement.names, agreement.only, agreement.not_annotated):
        if only or bare:
            yield f"  {name}: {only} documents that no other has annotated, {bare} without annotation of triples"
    for number, pair in enumerate(agreement.pairs):
        if pair.same_assertion < pair.exact:
            who = _pair_name(agreement, number)
            yield f"  {who}: {pair.same_assertion} of {pair.exact} triples that both have are asserted alike"
    labels = sorted({label for pair in agreement.pairs for label in pair.relations})
    if labels:
        columns = [_pair_name(agreement, number) for number in range(len(agreement.pairs))]
        cells = [(label, *(_percent(pair.relations.get(label)) for pair in agreement.pairs)) for label in labels]
        yield number_table(cells, ("Exact F of", *columns))
    shown = agreement.disagreements[: top or None]
    for each in shown:
        yield from _disagreement_lines(each, agreement.names)
    if len(shown) < len(agreement.disagreements):
        yield f"{len(shown)} of {len(agreement.disagreements)} disagreements; all: --top 0, or --html"


def _rows(agreement: Agreement) -> List[Sequence[str]]:
    return [
        (
            _pair_name(agreement, number),
            str(pair.documents),
            f"{pair.triples[0]}, {pair.triples[1]}",
            _percent(pair.exact_f),
            _percent(pair.partial_f),
            str(pair.pairs),
            _percent(pair.observed),
            "-" if pair.kappa is None else f"{pair.kappa:.3f}",
        )
        for number, pair in enumerate(agreement.pairs)
    ]


def _pair_name(agreement: Agreement, number: int) -> str:
    pair = agreement.pairs[number]
    return f"{agreement.names[pair.first]}, {agreement.names[pair.second]}"


def _percent(value: Optional[float]) -> str:
    return "-" if value is None else f"{100 * value:.2f}"


def _disagreement_lines(each: Disagreement, names: Sequence[str]) -> Iterator[str]:
    yield ""
    yield " … ".join(" ".join(each.text[start:end].split()) for start, end in each.passages)
    for name, keys in zip(names, each.annotations):
        triples = "not annotated" if keys is None else "; ".join(_in_words(each.text, key) for key in keys) or "-"
        yield f"  {name}: {triples}"


def _in_words(text: str, key: Key) -> str:
    subject, relation, obj = key
    return f"{text[slice(*subject)]} → {relation} → {text[slice(*obj)]}"
