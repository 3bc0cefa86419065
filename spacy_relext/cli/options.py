"""Arguments and options that several commands share, such as `options.Corpus`, and their values."""

from pathlib import Path
from typing import Annotated, List, Optional

import typer

from ..errors import Errors
from ..kb.files import COLUMNS
from .pipeline import fail

DEFAULT_COLUMNS = ",".join(COLUMNS)

Pipeline = Annotated[str, typer.Argument(help="Folder of a trained pipeline, or the name of an installed one")]
Corpus = Annotated[Path, typer.Argument(metavar="CORPUS.spacy", help="Corpus to read: a file, or a folder of them")]
GoldCorpus = Annotated[
    Path, typer.Argument(metavar="CORPUS.spacy", help="Annotated corpus: a file or a folder of them")
]
Kb = Annotated[
    str,
    typer.Argument(help="Files of facts or names, comma-separated: .tsv, .csv, .nt, .ttl, each also .gz", metavar="KB"),
]
Columns = Annotated[str, typer.Option(help="Columns of .tsv and .csv files, in order")]
Strip = Annotated[Optional[str], typer.Option(help="Prefixes to remove from ids, comma-separated")]
Code = Annotated[
    Optional[Path], typer.Option("--code", "-c", help="Python file with registered functions that the pipeline needs")
]
Gpu = Annotated[int, typer.Option("--gpu-id", "-g", help="Number of the GPU; -1 for the CPU")]
BatchSize = Annotated[int, typer.Option(min=1, help="Documents per batch")]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Random seed")]
Shard = Annotated[int, typer.Option(min=0, help="Write a folder of files of this many documents each; 0: one file")]
GoldEnts = Annotated[
    Optional[bool],
    typer.Option("--gold-ents/--no-gold-ents", help="Use the gold entities; default: if no component sets any"),
]
GiveEnts = Annotated[bool, typer.Option("--gold-ents/--no-gold-ents", help="Give the pipeline the annotated entities")]
GiveSents = Annotated[
    bool, typer.Option("--gold-sents/--no-gold-sents", help="Give the pipeline the annotated sentences, if any")
]
RawCsv = Annotated[
    bool, typer.Option("--raw-csv", help="No apostrophe before cells of a CSV that a spreadsheet would run")
]


def check_suffix(output: Path, *suffixes: str) -> None:
    """End the command if an output file has none of some suffixes."""
    if output.suffix not in suffixes:
        found = f"a name that ends in {output.suffix!r}" if output.suffix else "a name without a suffix"
        fail(Errors.R209.format(what=output, found=found, expected=" or ".join(suffixes)))


def split_list(option: Optional[str]) -> Optional[List[str]]:
    """Split a comma-separated option, such as "author, director"; None remains None."""
    return None if option is None else [part.strip() for part in option.split(",") if part.strip()]
