"""`spacy relext graph …`: make a graph of extracted triples, ask it questions, write it for other tools."""

import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Iterator, List, Optional, Sequence

import typer
from wasabi import msg, table

from ..annotations.grouping import DEFAULT_RULES, RULES
from ..annotations.schema import Schema, read_schema
from ..corpora.formats.checks import BLANK_TRIPLES, TRIMMED
from ..corpora.formats.sources import to_json
from ..corpora.whole import whole_file, write_whole
from ..errors import Errors, Warnings
from ..export.graph_files import FOLDER_FORMS, FORMS, SUFFIXES, export_graph, find_form
from ..export.tables import INFO_FILE, GraphTables, check_folder, is_graph, read_tables, write_tables
from ..graph.build import BuiltGraph, GraphOptions, build_graph, fit_on
from ..graph.decisions import read_decisions
from ..graph.documents import Document, read_documents
from ..graph.page import MOST_FACTS, draw_graph
from ..graph.probability import Discount, make_discount, read_discount, write_discount
from ..graph.query import GraphQuery, describe_questions
from ..graph.review import (
    OPEN,
    REVIEWS_FILE,
    Answer,
    Reviews,
    accepted_facts,
    facts_to_review,
    match_answers,
    read_answers,
)
from ..graph.review_page import PURPOSE, Review, make_review_app
from ..visuals.web import serve_page
from . import options
from .evaluate import risk_rows
from .pipeline import fail, input_errors, with_progress

# Most characters of a value in a table.
_WIDEST = 60


def build_cli(
    paths: Annotated[
        List[Path], typer.Argument(metavar="INPUT... FOLDER", help="Output of extract, or .spacy; then the folder")
    ],
    schema: options.Schema = None,
    decisions: Annotated[
        Optional[Path], typer.Option(help="JSON lines: which names are the same, different, or renamed")
    ] = None,
    calibration: Annotated[
        Optional[Path], typer.Option(help="JSON: how sentences of a fact add up; written with --fit-on, else read")
    ] = None,
    fit_on_path: Annotated[
        Optional[Path], typer.Option("--fit-on", help="Fit the calibration on extracted triples with gold triples")
    ] = None,
    add_to: Annotated[Optional[Path], typer.Option(help="Graph that the documents join; it may be FOLDER")] = None,
    values: Annotated[
        str, typer.Option(help="Entity types that are values besides the usual ones, such as DATE and MONEY: AGE,SPEED")
    ] = "",
    rules: Annotated[str, typer.Option(help=f"Rules that join names; any of {', '.join(RULES)}")] = ",".join(
        DEFAULT_RULES
    ),
) -> None:
    """Make a graph: mentions become entities, triples become facts with one probability each."""
    *inputs, folder = paths
    with input_errors():
        if not inputs:
            fail(Errors.R839.format(found=folder))
        check_folder(folder)
        if add_to is None and is_graph(folder):
            msg.warn(Warnings.W830.format(path=folder))
        chosen = options.split_list(rules) or []
        if unknown := sorted(set(chosen) - set(RULES)):
            fail(Errors.R206.format(option="--rules", found=unknown[0], expected=", ".join(RULES)))
        settings = GraphOptions(
            rules=tuple(chosen),
            schema=read_schema(schema) if schema else None,
            decisions=read_decisions(decisions) if decisions else (),
            values=tuple(options.split_list(values) or ()),
        )
        base = read_tables(add_to) if add_to else None
        discount = _discount(calibration, fit_on_path, settings)
        if discount is None and add_to and base is not None and "calibration" in base.info:
            discount = make_discount(base.info["calibration"], add_to / INFO_FILE)
        settings = GraphOptions(**{**vars(settings), "discount": discount or Discount()})
        losses: Counter[str] = Counter()
        built = build_graph(_documents(inputs, losses=losses), options=settings, base=base)
        write_tables(built.tables, folder)
        if add_to is not None and (add_to / REVIEWS_FILE).exists() and not (folder / REVIEWS_FILE).exists():
            shutil.copy(add_to / REVIEWS_FILE, folder / REVIEWS_FILE)
    losses[BLANK_TRIPLES] += built.blank
    del losses[TRIMMED]  # not left out
    _warn_of_schema(schema, settings.schema, built.tables)
    _report(built, folder, losses=losses)


def query_cli(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Graph that `graph build` wrote")],
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="See below")],
    arguments: Annotated[Optional[List[str]], typer.Argument(metavar="[ARGUMENT]...", help="What it takes")] = None,
    top: options.Top = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a row, with whole values")] = False,
) -> None:
    """Ask a graph a question."""
    with input_errors():
        answer = GraphQuery.open(folder).ask(question, *(arguments or ()), limit=top or sys.maxsize)
    if as_json:
        for row in answer.rows:
            typer.echo(to_json(dict(zip(answer.columns, row))))
    elif answer.rows:
        rows = [[_cell(value) for value in row] for row in answer.rows]
        typer.echo(table(rows, header=answer.columns, divider=True))
    else:
        msg.info("Nothing found")


query_cli.epilog = f"Questions: {describe_questions()}."  # type: ignore[attr-defined]


def view_cli(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Graph that `graph build` wrote")],
    html: Annotated[Path, typer.Option("--html", metavar="FILE.html", help="Page to write")],
    top: options.Top = MOST_FACTS,
) -> None:
    """Write one page, which needs no network: search, facts with sentences and conflicts, merges, neighbours."""
    with input_errors():
        options.check_suffix(html, ".html")
        tables = read_tables(folder)
        page = draw_graph(tables, most_facts=top or tables.facts.num_rows)
        with whole_file(html) as stream:
            stream.write(page.html.encode("utf8", "replace"))
    if page.facts < tables.facts.num_rows:
        msg.info(f"The {page.facts:,} most probable of {tables.facts.num_rows:,} facts; --top shows more")
    msg.good(f"Wrote {page.facts:,} facts to {html}")


def review_cli(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Graph that `graph build` wrote")],
    accept: Annotated[float, typer.Option(min=0.0, max=2.0, help="Facts this probable need no review")] = 0.95,
    reject: Annotated[float, typer.Option(min=0.0, max=1.0, help="Facts less probable are not worth one")] = 0.2,
    annotator: options.Annotator = None,
    write: Annotated[
        Optional[Path], typer.Option("--write", metavar="FILE.jsonl", help="Write the facts for another tool instead")
    ] = None,
    read: Annotated[
        Optional[Path], typer.Option("--read", metavar="FILE.jsonl", help="Read answers of another tool instead")
    ] = None,
    port: options.Port = 8000,
) -> None:
    """Accept, reject or change facts in the browser, on localhost until Ctrl-C; each answer is saved at once."""
    with input_errors():
        options.check_suffix(write, ".jsonl")
        tables, reviews = read_tables(folder), Reviews(folder / REVIEWS_FILE)
        if read is not None:
            answers = read_answers(read)
            for answer in answers:
                reviews.append(answer if answer.by else answer._replace(by=annotator or ""))
            _warn_of_answers(match_answers(tables, reviews.answers)[1])
            msg.good(f"{len(answers)} answers are in {reviews.path}")
        elif write is not None:
            known = match_answers(tables, reviews.answers)[0]
            rows = list(facts_to_review(tables, known, accept=accept, reject=reject))
            write_whole(write, "".join(f"{to_json(row)}\n" for row in rows))
            msg.good(f"Wrote {len(rows):,} facts to {write}")
        else:
            _serve_review(Review(tables, reviews, accept=accept, reject=reject, by=annotator or ""), port)


def _serve_review(review: Review, port: int) -> None:
    _warn_of_answers(review.unused)
    state = f"{len(review.answers):,} of {len(review.ids):,} facts are answered, in {review.reviews.path}"
    serve_page(lambda hosts: make_review_app(review, hosts=hosts), port, state=state, purpose=PURPOSE)
    typer.echo(f"Stopped: {sum(each.state != OPEN for each in review.answers.values()):,} facts answered")


def _warn_of_answers(unused: Sequence[Answer]) -> None:
    if unused:
        named = f"{unused[0].subject} {unused[0].relation} {unused[0].object}"
        msg.warn(Warnings.W833.format(count=len(unused), answer=named))


def export_cli(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Graph that `graph build` wrote")],
    output: Annotated[
        Path, typer.Argument(metavar="OUT", help=f"File ({', '.join(SUFFIXES)}) or folder ({', '.join(FOLDER_FORMS)})")
    ],
    to: Annotated[
        Optional[str], typer.Option("--to", "-t", help=f"{', '.join(FORMS)}; default: the suffix of OUT")
    ] = None,
    schema: options.Schema = None,
    base: Annotated[
        Optional[str], typer.Option(help="Prefix of IRIs in RDF, such as http://example.org/graph/")
    ] = None,
    accepted: Annotated[
        bool, typer.Option("--accepted", help="Only facts that `graph review` accepted or changed")
    ] = False,
    above: Annotated[
        Optional[float], typer.Option(help="With --accepted: also facts at least this probable, unless rejected")
    ] = None,
) -> None:
    """Write a graph in the format of another tool."""
    with input_errors():
        form = find_form(output, to)
        known = read_schema(schema) if schema is not None else None
        if output.resolve() == folder.resolve():
            fail(Errors.R217.format(path=str(output)))
        tables = read_tables(folder)
        if accepted:
            answers, unused = match_answers(tables, Reviews(folder / REVIEWS_FILE).answers)
            _warn_of_answers(unused)
            tables = accepted_facts(tables, answers, accept=2.0 if above is None else above)
        _warn_of_schema(schema, known, tables)
        replaced = export_graph(tables, output, form=form, base=base, schema=known)
    if replaced:
        msg.warn(f"{replaced:,} characters that {form} does not have are replaced by U+FFFD")
    facts, entities = tables.facts.num_rows, tables.entities.num_rows
    msg.good(f"Wrote {facts:,} facts of {entities:,} entities to {output}")


def _warn_of_schema(path: Optional[Path], schema: Optional[Schema], tables: GraphTables) -> None:
    """Warn if a schema has no relation of the facts."""
    found = tables.facts.column("relation").unique().to_pylist()
    if schema is not None and found and not schema.relations.keys() & set(found):
        known, stated = (", ".join(list(names)[:5]) for names in (schema.relations, found))
        msg.warn(Warnings.W832.format(path=path, known=known, found=stated))


def _documents(paths: List[Path], *, gold: bool = False, losses: Optional["Counter[str]"] = None) -> Iterator[Document]:
    yield from with_progress(read_documents(paths, gold=gold, losses=losses))


def _discount(calibration: Optional[Path], fit_path: Optional[Path], settings: GraphOptions) -> Optional[Discount]:
    """Fit or read how sentences add up; None without either."""
    if fit_path is not None:
        discount, risk = fit_on(_documents([fit_path], gold=True), options=settings)
        if calibration is not None:
            write_discount(discount, calibration)
        msg.info(f"Sentences of a fact: exponent {discount.exponent:.2f}, scale {discount.scale:.2f}")
        msg.info("; ".join(f"{what} {value}" for what, value in risk_rows(risk)))
        return discount
    return read_discount(calibration) if calibration else None


def _report(built: BuiltGraph, folder: Path, *, losses: "Counter[str]") -> None:
    tables = built.tables
    for what, count in (+losses).items():
        msg.warn(f"{count:,} {what} left out")
    for decision in built.unused:
        msg.warn(Warnings.W831.format(place=decision.place, decision=decision))
    if built.skipped:
        msg.info(f"{built.skipped:,} documents were there already")
    if built.not_facts:
        msg.info(f"{built.not_facts:,} triples left out, which are denied or hypothetical")
    if tables.conflicts.num_rows:
        msg.info(f"{tables.conflicts.num_rows:,} conflicts: spacy relext graph query {folder} conflicts")
    counts = f"{tables.facts.num_rows:,} facts of {tables.entities.num_rows:,} entities"
    msg.good(f"Wrote {counts} in {tables.documents.num_rows:,} documents to {folder}")


def _cell(value: object) -> str:
    """Make a short line of a value, without what would control a terminal."""
    line = "" if value is None else " ".join(str(value).split())
    line = "".join(char if char.isprintable() else "\ufffd" for char in line[: _WIDEST + 1])
    return line if len(line) <= _WIDEST else line[: _WIDEST - 1] + "…"
