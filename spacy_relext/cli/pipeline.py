"""What commands share: load a pipeline, show progress, and end with one line where the user's input is at fault."""

from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterable, Iterator, List, NoReturn, Optional

import spacy
import typer
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import import_file
from tqdm import tqdm

from ..annotations import extensions  # noqa: F401
from ..corpora.reader import TripleCorpus
from ..errors import Errors
from .no_triple import ENTITIES, assigns

PIPELINE_HELP = "Folder of a trained pipeline, or the name of an installed one."

CODE_HELP = "Python file with registered functions that the pipeline needs."

GPU_HELP = "Number of the GPU; -1 for the CPU."


def fail(message: object) -> NoReturn:
    """End the command with one line on stderr and exit code 1.

    message (object): What was found, where, what to do.
    RAISES (typer.Exit): Always.
    """
    typer.echo(" ".join(str(message).split()), err=True)
    raise typer.Exit(1)


@contextmanager
def input_errors() -> Iterator[None]:
    """Turn errors that the user's input causes into one line; everything else keeps its traceback.

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


def load_pipeline(path: str, gpu_id: int = -1, *, code: Optional[Path] = None) -> Language:
    """Load a trained pipeline, on a GPU if asked for, or end the command with one line that says why not.

    path (str): Folder of the pipeline, or name of an installed package.
    gpu_id (int): Number of the GPU; -1 for the CPU.
    code (Optional[Path]): Python file that is run first, for the functions that it registers.
    RETURNS (Language): The pipeline.
    RAISES (typer.Exit): Where it cannot be loaded.
    """
    if code is not None:
        try:
            import_file("python_code", code)
        except Exception as error:  # whatever the user's code raises
            fail(Errors.R512.format(path=str(code), reason=_first_line(error)))
    if gpu_id >= 0:
        try:
            spacy.require_gpu(gpu_id)
        except Exception as error:  # cupy and torch each have errors of their own
            fail(Errors.R201.format(gpu_id=gpu_id, reason=_first_line(error)))
    try:
        return spacy.load(path)
    except (OSError, ValueError, KeyError, ImportError) as error:
        fail(Errors.R200.format(path=path, reason=_first_line(error)))


def find_component(nlp: Language, factory: str, *, path: str, problem: str) -> Any:
    """Find the one component of a kind.

    nlp (Language): The pipeline.
    factory (str): The factory that made it.
    path (str): The pipeline's name, for the message.
    problem (str): Template of the message.
    RETURNS (Any): The component.
    RAISES (ValueError): Where there is none, or more than one.
    """
    names = [name for name in nlp.pipe_names if nlp.get_pipe_meta(name).factory == factory]
    if len(names) != 1:
        found = ", ".join(nlp.pipe_names) or "none"
        raise ValueError(problem.format(path=path, count=len(names) or "none", found=found))
    return nlp.get_pipe(names[0])


def takes_gold_ents(nlp: Language, asked: Optional[bool]) -> bool:
    """Decide whether texts get the entities that a corpus or a record has.

    nlp (Language): The pipeline.
    asked (Optional[bool]): What the command was told; None: they do where no component finds any.
    RETURNS (bool): Whether they do.
    """
    return not any(assigns(nlp, name, ENTITIES) for name in nlp.pipe_names) if asked is None else asked


def read_predicted(nlp: Language, corpus: Path, *, gold_ents: Optional[bool]) -> Iterator[Doc]:
    """Read a corpus as Docs that the pipeline has not annotated yet.

    nlp (Language): The pipeline.
    corpus (Path): A .spacy file or a folder of them.
    gold_ents (Optional[bool]): Whether they get the corpus' entities; None: where no component sets any.
    YIELDS (Doc): Without triples.
    """
    for example in TripleCorpus(corpus, gold_ents=takes_gold_ents(nlp, gold_ents))(nlp):
        yield example.predicted


def check_suffix(output: Path, suffix: str) -> None:
    """Make sure that an output is called what it is.

    output (Path): The file to be written.
    suffix (str): How its name must end.
    RAISES (typer.Exit): Where it ends in something else.
    """
    if output.suffix != suffix:
        fail(Errors.R209.format(what=output, found=f"a name that ends in {output.suffix!r}", expected=suffix))


def split_list(option: Optional[str]) -> Optional[List[str]]:
    """Split a comma-separated option.

    option (Optional[str]): Such as "author, director".
    RETURNS (Optional[List[str]]): None where the option was not given.
    """
    if option is None:
        return None
    return [part.strip() for part in option.split(",") if part.strip()]


def with_progress(items: Iterable[Any], *, total: Optional[int] = None, unit: str = "docs") -> Iterable[Any]:
    """Draw a progress bar on stderr while items go by, if stderr is a terminal.

    items (Iterable[Any]): What goes by.
    total (Optional[int]): How many there are, where known.
    unit (str): What they are.
    RETURNS (Iterable[Any]): The items.
    """
    bar: Iterable[Any] = tqdm(items, total=total, unit=f" {unit}", leave=False, disable=None)
    return bar


def _first_line(error: BaseException) -> str:
    """Shorten an error to its first line that says something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".")
