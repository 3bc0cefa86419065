"""`spacy relext align`: a knowledge base labels a corpus."""

from pathlib import Path
from typing import Iterable, Optional

import spacy
import typer
from wasabi import msg

from ..corpora.blocks import TextBlock
from ..corpora.shards import UNPACKED
from ..errors import Errors
from ..kb.align_corpus import align_corpus, format_align_report, freeze_objects
from ..kb.alignment import Aligner
from ..kb.facts import FactIndex
from .kb import COLUMNS_OPTION, KB, STRIP, print_report, read_kb_files
from .pipeline import fail, input_errors, split_list, with_progress

MODES = ("name", "link")


def align_cli(
    kb: str = KB,
    corpus: Path = typer.Argument(..., metavar="CORPUS.spacy", help="Corpus to label: a file, or a folder of them"),
    output: Path = typer.Argument(..., metavar="OUT.spacy", help="Corpus to write; a folder with --shard"),
    by: str = typer.Option("name", "--by", help="name: find labels and aliases; link: entities have a kb_id"),
    fuzzy: float = typer.Option(0.0, "--fuzzy", min=0.0, max=100.0, help="Least similarity of misspelt names; 0: none"),
    symmetric: Optional[str] = typer.Option(None, "--symmetric", help="Relations without direction, with commas"),
    unrelated: float = typer.Option(1.0, "--unrelated", min=0.0, max=1.0, help="Share of pairs without a fact marked"),
    lang: str = typer.Option("en", "--lang", help="Language whose tokenizer splits names"),
    shard: int = typer.Option(0, "--shard", min=0, help="Texts of each file of OUT; 0: one file"),
    seed: int = typer.Option(0, "--seed", help="Of the pairs that are drawn"),
    columns: str = COLUMNS_OPTION,
    strip: Optional[str] = STRIP,
) -> None:
    """Label entities, pairs and triples of a corpus as a knowledge base has them."""
    if by not in MODES:
        fail(Errors.R206.format(option="--by", found=by, expected=", ".join(MODES)))
    nlp = spacy.blank(lang)
    with input_errors():
        store = read_kb_files(kb, columns=columns, strip=strip)
        print_report(store)
        wanted = split_list(symmetric) or ()
        unknown = sorted(set(wanted).difference(store.relations))
        if unknown:
            expected = f"relations of {kb}"
            raise ValueError(Errors.R007.format(key="--symmetric", found=", ".join(unknown), expected=expected))
        aligner = Aligner(FactIndex(store), tokenizer=nlp.make_doc, symmetric=wanted, linked=by == "link", fuzzy=fuzzy)
        with freeze_objects():
            report = align_corpus(
                corpus,
                output,
                aligner=aligner,
                vocab=nlp.vocab,
                unrelated=unrelated,
                seed=seed,
                shard=shard,
                progress=_show_blocks,
            )
    typer.echo(format_align_report(report))
    msg.good(f"Wrote {report.docs:,} texts to {output}")


def _show_blocks(blocks: Iterable[TextBlock]) -> Iterable[TextBlock]:
    """Show progress by blocks of texts."""
    return with_progress(blocks, unit=f"times {UNPACKED} texts")
