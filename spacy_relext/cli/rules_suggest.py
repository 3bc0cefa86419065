"""`spacy relext rules suggest`: the rules that a trained nero_grounder would add, for a person to accept or delete."""

import warnings
from pathlib import Path
from typing import Optional, Sequence

import typer
from wasabi import msg, table

from ..errors import Errors
from ..knowledge.rule_index import RuleIndex
from ..knowledge.rule_suggestion import SuggestedRule, suggest_rules, write_suggestions
from ..knowledge.rules import TABLE
from .pipeline import (
    CODE_HELP,
    GPU_HELP,
    check_suffix,
    fail,
    find_component,
    input_errors,
    load_pipeline,
    read_predicted,
    with_progress,
)
from .rules import rules_app

FACTORY = "nero_grounder"
_HEADER = ("relation", "count", "agree", "score", "pattern", "example")
_SHOWN = 20
_WIDEST = 60


@rules_app.command("suggest")
def suggest_cli(
    pipeline: str = typer.Argument(
        ..., help="Folder of a trained pipeline with a nero_grounder, or name of an installed one"
    ),
    corpus: Path = typer.Argument(..., metavar="CORPUS.spacy", help="Corpus to read: a file, or a folder of them"),
    output: Path = typer.Argument(..., metavar="OUT.tsv", help="Table of rules; delete the lines that are wrong"),
    score: float = typer.Option(0.8, "--score", min=0.0, max=1.0, help="Lowest score of a relation that counts"),
    least: int = typer.Option(3, "--least", min=1, help="Of how many pairs the component must say the same"),
    agreement: float = typer.Option(
        0.5, "--agreement", min=0.0, max=1.0, help="Of which share of the pairs with the same words it must say so"
    ),
    longest: int = typer.Option(6, "--longest", min=1, help="Most words between two entities"),
    top: int = typer.Option(500, "--top", min=0, help="How many rules are written; 0 for all"),
    examples: int = typer.Option(1, "--examples", min=0, help="Sentences for each"),
    gold_ents: Optional[bool] = typer.Option(
        None,
        "--gold-ents/--no-gold-ents",
        help="Take the corpus' entities; otherwise where no component of the pipeline finds any",
    ),
    code: Optional[Path] = typer.Option(None, "--code", "-c", help=CODE_HELP),
    batch_size: int = typer.Option(64, "--batch-size", min=1, help="Documents to a batch"),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", help=GPU_HELP),
) -> None:
    """List what a nero_grounder takes for a relation again and again where no rule fires, as a table of rules."""
    check_suffix(output, TABLE)
    with input_errors(), warnings.catch_warnings():
        # texts without triples are what this is for
        warnings.filterwarnings("ignore", message=r"\[W102\]")
        nlp = load_pipeline(pipeline, gpu_id, code=code)
        component = find_component(nlp, FACTORY, path=pipeline, problem=Errors.R510)
        docs = nlp.pipe(read_predicted(nlp, corpus, gold_ents=gold_ents), batch_size=batch_size)
        found = suggest_rules(
            with_progress(docs),
            suggester=component.suggest,
            index=RuleIndex(component.rules, form=component.cfg["form"], max_gap=component.cfg["max_gap"]),
            source=component.name,
            score=score,
            longest=longest,
            least=least,
            agreement=agreement,
            top=top,
            examples=examples,
        )
        if not found.pairs:
            fail(Errors.R520.format(path=str(corpus), name=component.name))
        if not found.rules:
            said = {"name": component.name, "score": score, "longest": longest}
            fail(Errors.R511.format(path=str(corpus), **said, **found._asdict()))
        write_suggestions(found.rules, output)
    typer.echo(format_suggestions(found.rules))
    msg.good(f"Wrote {len(found.rules)} rules to {output}")
    msg.info("Delete the lines that are wrong; what is left is a file of rules.")


def format_suggestions(rules: Sequence[SuggestedRule]) -> str:
    """Lay the first rules out as a table.

    rules (Sequence[SuggestedRule]): The rules.
    RETURNS (str): Its lines.
    """
    rows = []
    for each in rules[:_SHOWN]:
        said = " ".join("".join(each.examples[:1]).split())
        example = said if len(said) <= _WIDEST else said[: _WIDEST - 1] + "…"
        rows.append(
            (each.relation, f"{each.times:,}", f"{each.agreement:.0%}", f"{each.score:.2f}", str(each.pattern), example)
        )
    aligns = ("l", "r", "r", "r", "l", "l")
    lines: str = table(rows, header=_HEADER, aligns=aligns, divider=True, max_col=_WIDEST)  # type: ignore[arg-type]
    more = len(rules) - len(rows)
    return lines.strip("\n") + (f"\n… and {more:,} more" if more else "")
