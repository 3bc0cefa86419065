"""`spacy relext align`: a knowledge base labels a corpus."""

from pathlib import Path
from typing import Any, Iterable, Optional

import spacy
import typer
from wasabi import msg

from ..corpora.shards import UNPACKED
from ..errors import Errors
from ..kb.align_corpus import align_corpus, format_align_report, freeze_objects
from ..kb.alignment import Aligner
from ..kb.facts import FactIndex
from ..kb.files import COLUMNS
from .app import relext
from .kb import COLUMNS_HELP, KB_HELP, STRIP_HELP, read_kb_files, tell_report
from .pipeline import fail, input_errors, split_list, with_progress

WAYS = ("name", "link")


@relext.command("align")
def align_cli(
    kb: str = typer.Argument(..., metavar="KB", help=KB_HELP),
    corpus: Path = typer.Argument(..., metavar="CORPUS.spacy", help="Corpus to label: a file, or a folder of them"),
    output: Path = typer.Argument(..., metavar="OUT.spacy", help="Corpus to write; a folder with --shard"),
    by: str = typer.Option("name", "--by", help="name: find labels and aliases; link: entities have a kb_id"),
    fuzzy: float = typer.Option(0.0, "--fuzzy", min=0.0, max=100.0, help="Least similarity of misspelt names; 0: none"),
    symmetric: Optional[str] = typer.Option(None, "--symmetric", help="Relations without direction, with commas"),
    unrelated: float = typer.Option(1.0, "--unrelated", min=0.0, max=1.0, help="Share of pairs without a fact marked"),
    lang: str = typer.Option("en", "--lang", help="Language whose tokenizer splits names"),
    shard: int = typer.Option(0, "--shard", min=0, help="Texts of each file of OUT; 0: one file"),
    seed: int = typer.Option(0, "--seed", help="Of the pairs that are drawn"),
    columns: str = typer.Option(",".join(COLUMNS), "--columns", help=COLUMNS_HELP),
    strip: Optional[str] = typer.Option(None, "--strip", help=STRIP_HELP),
) -> None:
    """Label entities, pairs and triples of a corpus as a knowledge base has them."""
    if by not in WAYS:
        fail(Errors.R206.format(option="--by", found=by, expected=", ".join(WAYS)))
    nlp = spacy.blank(lang)
    with input_errors():
        store = read_kb_files(kb, columns=columns, strip=strip)
        tell_report(store)
        wanted = split_list(symmetric) or ()
        unknown = sorted(set(wanted).difference(store.relations))
        if unknown:
            expected = f"relations of {kb}"
            raise ValueError(Errors.R007.format(key="--symmetric", found=", ".join(unknown), expected=expected))
        options = {"tokenizer": nlp.make_doc, "symmetric": wanted, "linked": by == "link", "fuzzy": fuzzy}
        aligner = Aligner(FactIndex(store), **options)  # type: ignore[arg-type]
        limits = {"unrelated": unrelated, "seed": seed, "shard": shard, "progress": _blocks}
        with freeze_objects():
            report = align_corpus(corpus, output, aligner=aligner, vocab=nlp.vocab, **limits)  # type: ignore[arg-type]
    typer.echo(format_align_report(report))
    msg.good(f"Wrote {report.docs:,} texts to {output}")


def _blocks(blocks: Iterable[Any]) -> Iterable[Any]:
    return with_progress(blocks, unit=f"times {UNPACKED} texts")
