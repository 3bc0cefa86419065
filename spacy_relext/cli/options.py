"""Arguments and options that several commands share, such as `options.Corpus`, and their values."""

from pathlib import Path
from typing import Annotated, Collection, Dict, List, Optional, Sequence

import typer

from ..errors import Errors
from ..kb.files import COLUMNS
from .pipeline import fail

DEFAULT_COLUMNS = ",".join(COLUMNS)

Pipeline = Annotated[str, typer.Argument(help="Folder of a trained pipeline, name of an installed one, or default")]
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
Strict = Annotated[bool, typer.Option("--strict", help="Stop at the first input that cannot be read")]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Random seed: the same seed gives the same result")]
Lang = Annotated[str, typer.Option(help="Language code: the language of the texts and their tokenizer")]
Port = Annotated[int, typer.Option(help="Port to listen on; 0: any free port")]
Shard = Annotated[int, typer.Option(min=0, help="Write a folder of files of this many documents each; 0: one file")]
Limit = Annotated[int, typer.Option(min=0, help="Documents to read, the first ones; 0: all")]
Top = Annotated[int, typer.Option(min=0, help="Entries to show or write, the first ones; 0: all")]
MinCount = Annotated[int, typer.Option(min=1, help="Minimum number of occurrences")]
MinScore = Annotated[float, typer.Option(help="Leave out triples with a lower score")]
Examples = Annotated[int, typer.Option(min=0, help="Sentences to write for each entry")]
Relations = Annotated[Optional[str], typer.Option(help="These relations only, comma-separated; default: all")]
LabelFilter = Annotated[
    Optional[str],
    typer.Option(help="Relations to score, comma-separated; `shared`: those that corpus and pipelines share"),
]
Symmetric = Annotated[Optional[str], typer.Option(help="Relations without direction, comma-separated")]
Schema = Annotated[
    Optional[Path],
    typer.Option(help="Schema of the relations, YAML, JSON, OWL or RDFS: types of arguments, conflicts, IRIs"),
]
Annotator = Annotated[Optional[str], typer.Option(help="Name of the annotator who writes, or whose work is read")]
Annotating = Annotated[
    Optional[str], typer.Option("--pipeline", help="Pipeline that annotates the texts: entities, heads, triples ...")
]
GoldEnts = Annotated[
    Optional[bool],
    typer.Option("--gold-ents/--no-gold-ents", help="Use the gold entities; default: if no component sets any"),
]
GoldSents = Annotated[
    bool, typer.Option("--gold-sents/--no-gold-sents", help="Give the pipeline the annotated sentences, if any")
]
Html = Annotated[Optional[Path], typer.Option("--html", metavar="FILE.html", help="Page to write")]
Json = Annotated[
    Optional[Path], typer.Option("--output", "-o", metavar="FILE.json", help="JSON file for what is printed, in full")
]
Svg = Annotated[Optional[Path], typer.Option("--svg", metavar="FILE.svg", help="Drawing to write")]
Force = Annotated[bool, typer.Option("--force", "-F", help="Overwrite an existing output")]
RawCsv = Annotated[
    bool, typer.Option("--raw-csv", help="No apostrophe before cells of a CSV that a spreadsheet would run")
]


def check_suffix(output: Optional[Path], *suffixes: str) -> None:
    """End the command if an output file is given that has none of some suffixes."""
    if output is not None and output.suffix not in suffixes:
        found = f"a name that ends in {output.suffix!r}" if output.suffix else "a name without a suffix"
        fail(Errors.R209.format(what=output, found=found, expected=" or ".join(suffixes)))


def split_list(option: Optional[str]) -> Optional[List[str]]:
    """Split a comma-separated option, such as "author, director"; None remains None."""
    return None if option is None else [part.strip() for part in option.split(",") if part.strip()]


def split_settings(option: str, settings: Optional[Sequence[str]], *, known: Collection[str]) -> Dict[str, object]:
    """Read settings such as "unit=paragraph"; true and false are booleans, and a name alone is true.

    option (str): Name of the option, for messages.
    known (Collection[str]): Names that may be set.
    RAISES (ValueError): If another name is set.
    """
    values: Dict[str, object] = {}
    for setting in settings or ():
        name, separator, value = setting.partition("=")
        if name not in known:
            raise ValueError(Errors.R206.format(option=option, found=setting, expected=", ".join(sorted(known))))
        values[name] = {"true": True, "false": False, "": not separator}.get(value, value)
    return values
