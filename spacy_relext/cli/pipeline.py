"""Shared by the commands: pipelines, corpora, tables, progress bars, and one-line messages for errors in the input."""

import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterable, Iterator, List, Literal, NoReturn, Optional, Sequence, Type, TypeVar

import spacy
import typer
import wasabi
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import import_file
from tqdm import tqdm

from ..corpora.damage import first_line
from ..corpora.loading import load_pipeline
from ..corpora.reader import TripleCorpus
from ..errors import Errors
from ..pipeline.pipe import RelationPipe
from ..pipeline.requirements import assigning_components

Item = TypeVar("Item")

Component = TypeVar("Component")


def fail(message: object) -> NoReturn:
    """End the command with one line on stderr and exit code 1."""
    typer.echo(" ".join(str(message).split()), err=True)
    raise typer.Exit(1)


@contextmanager
def input_errors() -> Iterator[None]:
    """Print messages of this package and of the operating system as one line; other errors keep their traceback."""
    usual = warnings.formatwarning

    def format_warning(message: object, *place: Any, **line: Any) -> str:
        """Format a warning of this package without the line of code that gives it."""
        return f"{message}\n" if str(message).startswith("[W") else usual(message, *place, **line)  # type: ignore[arg-type]

    warnings.formatwarning = format_warning
    try:
        yield
    except BrokenPipeError:
        raise
    except (ImportError, OSError, ValueError) as error:
        if str(error).startswith("[R"):  # a message of this package, which names the file
            fail(error)
        if not isinstance(error, OSError):
            raise
        fail(Errors.R216.format(path=error.filename or "output", reason=error.strerror or error))
    finally:
        warnings.formatwarning = usual


@contextmanager
def unannotated_texts() -> Iterator[None]:
    """Read corpora without the warning that they have no triples, which the command does not need."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"\[W102\]")
        yield


def load_code(path: Optional[Path]) -> None:
    """Import a Python file that registers functions, if one is given. RAISES (ValueError): If it cannot be imported."""
    if path is not None:
        try:
            import_file("python_code", path)
        except Exception as error:  # whatever the user's code raises
            raise ValueError(Errors.R512.format(path=str(path), reason=first_line(error))) from None


def open_pipeline(path: str, gpu_id: int = -1, *, code: Optional[Path] = None) -> Language:
    """Load a pipeline after the code that it needs. RAISES (ValueError): If code, GPU or pipeline cannot be loaded."""
    load_code(code)
    if gpu_id >= 0:
        try:
            spacy.require_gpu(gpu_id)
        except Exception as error:  # cupy and torch each have errors of their own
            raise ValueError(Errors.R201.format(gpu_id=gpu_id, reason=first_line(error))) from None
    nlp = load_pipeline(path, message=Errors.R200)
    for _, component in nlp.pipeline:
        if isinstance(component, RelationPipe):
            component.check_pipeline(nlp)
    return nlp


@contextmanager
def keep_vectors(nlp: Language) -> Iterator[None]:
    """Run a pipeline without `doc_cleaner`, which removes what scores are computed from."""
    cleaners = [name for name in nlp.pipe_names if nlp.get_pipe_meta(name).factory == "doc_cleaner"]
    with nlp.select_pipes(disable=cleaners):
        yield


def find_component(nlp: Language, kind: Type[Component], *, path: str, problem: str) -> Component:
    """Return the only component of a class.

    RAISES (ValueError): If there is none, or more than one. `problem` is the template of its message.
    """
    components = [component for _, component in nlp.pipeline if isinstance(component, kind)]
    if len(components) != 1:
        names = ", ".join(nlp.pipe_names) or "none"
        raise ValueError(problem.format(path=path, count=len(components) or "none", found=names))
    return components[0]


def use_gold_ents(nlp: Language, gold_ents: Optional[bool]) -> bool:
    """Return True if texts get the gold entities. Without the option they get them if no component sets entities."""
    return not assigning_components(nlp, "doc.ents") if gold_ents is None else gold_ents


def read_predicted(nlp: Language, corpus: Path, *, gold_ents: Optional[bool]) -> Iterator[Doc]:
    """Read a corpus as Docs that the pipeline has not annotated yet; entities as for `use_gold_ents`."""
    for example in TripleCorpus(corpus, gold_ents=use_gold_ents(nlp, gold_ents))(nlp):
        yield example.predicted


def number_table(rows: Sequence[Sequence[str]], header: Sequence[str]) -> str:
    """Format a table of rows with a name and right-aligned numbers each."""
    aligns: List[Literal["l", "r", "c"]] = ["l"]
    aligns += ["r" for _ in header[1:]]
    return str(wasabi.table(rows, header=header, divider=True, aligns=aligns))


def with_progress(items: Iterable[Item], *, total: Optional[int] = None, unit: str = "docs") -> Iterable[Item]:
    """Draw a progress bar on stderr if it is a terminal; `unit` names the items."""
    bar: Iterable[Item] = tqdm(items, total=total, unit=f" {unit}", leave=False, disable=None)
    return bar
