"""Shared by the commands: options, loading a pipeline, progress bars, and one-line messages for errors in the input."""

from contextlib import contextmanager
from pathlib import Path
from typing import Iterable, Iterator, List, Literal, NoReturn, Optional, Sequence, Type, TypeVar

import spacy
import typer
import wasabi
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import import_file
from tqdm import tqdm

from ..corpora.convert import first_line, load_pipeline
from ..corpora.reader import TripleCorpus
from ..errors import Errors
from ..pipeline.pipe import assigning_components

PIPELINE_HELP = "Folder of a trained pipeline, or the name of an installed one."

PIPELINE: str = typer.Argument(..., help=PIPELINE_HELP)

CODE: Optional[Path] = typer.Option(
    None, "--code", "-c", help="Python file with registered functions that the pipeline needs."
)

GPU: int = typer.Option(-1, "--gpu-id", "-g", help="Number of the GPU; -1 for the CPU.")

GOLD_ENTS: Optional[bool] = typer.Option(
    None,
    "--gold-ents/--no-gold-ents",
    help="Take the corpus' entities; otherwise where no component of the pipeline finds any",
)

Item = TypeVar("Item")

Component = TypeVar("Component")


def fail(message: object) -> NoReturn:
    """End the command with one line on stderr and exit code 1.

    message (object): The error and how to fix it.
    RAISES (typer.Exit): Always.
    """
    typer.echo(" ".join(str(message).split()), err=True)
    raise typer.Exit(1)


@contextmanager
def input_errors() -> Iterator[None]:
    """Print errors in the user's input as one line; other errors keep their traceback.

    RAISES (typer.Exit): For messages of this package and of the operating system.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        if str(error).startswith("[R"):  # a message of this package, which names the file
            fail(error)
        if isinstance(error, ValueError):
            raise
        fail(Errors.R216.format(path=error.filename or "output", reason=error.strerror or error))


def open_pipeline(path: str, gpu_id: int = -1, *, code: Optional[Path] = None) -> Language:
    """Load a trained pipeline.

    path (str): Folder of the pipeline, or name of an installed package.
    gpu_id (int): Number of the GPU; -1 for the CPU.
    code (Optional[Path]): Python file that is run first, for the functions that it registers.
    RETURNS (Language): The pipeline.
    RAISES (ValueError): If code, GPU or pipeline cannot be loaded.
    """
    if code is not None:
        try:
            import_file("python_code", code)
        except Exception as error:  # whatever the user's code raises
            raise ValueError(Errors.R512.format(path=str(code), reason=first_line(error))) from None
    if gpu_id >= 0:
        try:
            spacy.require_gpu(gpu_id)
        except Exception as error:  # cupy and torch each have errors of their own
            raise ValueError(Errors.R201.format(gpu_id=gpu_id, reason=first_line(error))) from None
    return load_pipeline(path, message=Errors.R200)


def find_component(nlp: Language, kind: Type[Component], *, path: str, problem: str) -> Component:
    """Return the only component of a class.

    nlp (Language): The pipeline.
    kind (Type[Component]): The class.
    path (str): Name of the pipeline, for the message.
    problem (str): Template of the message.
    RETURNS (Component): The component.
    RAISES (ValueError): If there is none, or more than one.
    """
    components = [component for _, component in nlp.pipeline if isinstance(component, kind)]
    if len(components) != 1:
        names = ", ".join(nlp.pipe_names) or "none"
        raise ValueError(problem.format(path=path, count=len(components) or "none", found=names))
    return components[0]


def use_gold_ents(nlp: Language, gold_ents: Optional[bool]) -> bool:
    """Return True if texts get the gold entities.

    nlp (Language): The pipeline.
    gold_ents (Optional[bool]): The option; None: if no component sets entities.
    RETURNS (bool): Whether to copy gold entities.
    """
    return not assigning_components(nlp, "doc.ents") if gold_ents is None else gold_ents


def read_predicted(nlp: Language, corpus: Path, *, gold_ents: Optional[bool]) -> Iterator[Doc]:
    """Read a corpus as Docs that the pipeline has not annotated yet.

    nlp (Language): The pipeline.
    corpus (Path): A .spacy file or a folder of them.
    gold_ents (Optional[bool]): As for `use_gold_ents`.
    YIELDS (Doc): Without triples.
    """
    for example in TripleCorpus(corpus, gold_ents=use_gold_ents(nlp, gold_ents))(nlp):
        yield example.predicted


def check_suffix(output: Path, suffix: str) -> None:
    """Check the suffix of an output file.

    output (Path): The file to be written.
    suffix (str): The only valid suffix.
    RAISES (typer.Exit): If the suffix is another one.
    """
    if output.suffix != suffix:
        fail(Errors.R209.format(what=output, found=f"a name that ends in {output.suffix!r}", expected=suffix))


def split_list(option: Optional[str]) -> Optional[List[str]]:
    """Split a comma-separated option, such as "author, director"; None remains None."""
    if option is None:
        return None
    return [part.strip() for part in option.split(",") if part.strip()]


def number_table(rows: Sequence[Sequence[str]], header: Sequence[str]) -> str:
    """Format a table with right-aligned numbers.

    rows (Sequence[Sequence[str]]): A name and numbers each.
    header (Sequence[str]): Names of the columns.
    RETURNS (str): The table.
    """
    aligns: List[Literal["l", "r", "c"]] = ["l"]
    aligns += ["r" for _ in header[1:]]
    return str(wasabi.table(rows, header=header, divider=True, aligns=aligns))


def with_progress(items: Iterable[Item], *, total: Optional[int] = None, unit: str = "docs") -> Iterable[Item]:
    """Draw a progress bar on stderr if it is a terminal.

    items (Iterable[Item]): What is iterated over.
    total (Optional[int]): Number of items, if known.
    unit (str): Name of the items.
    RETURNS (Iterable[Item]): The items.
    """
    bar: Iterable[Item] = tqdm(items, total=total, unit=f" {unit}", leave=False, disable=None)
    return bar
