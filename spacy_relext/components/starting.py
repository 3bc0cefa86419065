"""A component's training starts from the weights of trained pipelines."""

from pathlib import Path
from typing import Any, List, Sequence, Type

import spacy

from ..bridge import module_of
from ..errors import Errors
from ..models.weights import load_mean


def start_from(module: Any, paths: Sequence[Path], *, kind: Type[Any], classes: Sequence[Any], name: str) -> None:
    """Copy the mean of trained weights into a module: all of its encoder's, and of its head what theirs has too.

    module (nn.Module): Gets the weights.
    paths (Sequence[Path]): Folders of pipelines with one component of the kind each.
    kind (Type[Any]): Class of the components, teacher or student.
    classes (Sequence[Any]): What the module's classes mean.
    name (str): Of the component that starts, for messages.
    RAISES (ValueError): Where a pipeline cannot be loaded, has no such component, other classes, or another encoder.
    """
    states = [_weights(path, kind, classes, name) for path in paths]
    missing = load_mean(module, states, whole="encoder.")
    if missing is not None:
        detail = f"their encoder has no {missing} of that shape"
        raise ValueError(Errors.R413.format(name=name, paths=", ".join(map(str, paths)), detail=detail))


def _weights(path: Path, kind: Type[Any], classes: Sequence[Any], name: str) -> Any:
    """Read the weights of a pipeline's component."""
    try:
        nlp = spacy.load(path)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise ValueError(Errors.R413.format(name=name, paths=path, detail=str(error).splitlines()[0])) from None
    pipes: List[Any] = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, kind)]
    if len(pipes) != 1:
        detail = f"{len(pipes)} components of that kind ({', '.join(nlp.pipe_names)})"
        raise ValueError(Errors.R413.format(name=name, paths=path, detail=detail))
    if pipes[0].classes != list(classes):
        detail = f"other relations: {', '.join(sorted({each.relation for each in pipes[0].classes}))}"
        raise ValueError(Errors.R413.format(name=name, paths=path, detail=detail))
    return module_of(pipes[0].model).state_dict()
