"""What commands share: load a pipeline, show progress, and end with one line where the user's input is at fault."""

from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterable, Iterator, List, NoReturn, Optional

import spacy
import typer
from spacy.language import Language
from spacy.util import import_file
from tqdm import tqdm

from .. import extensions  # noqa: F401  (registers doc._.triples)
from ..errors import Errors

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
    except OSError as error:
        fail(Errors.R216.format(path=error.filename or "output", reason=error.strerror or error))
    except ValueError as error:
        if not str(error).startswith("[R"):
            raise
        fail(error)


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
