"""Training that starts from a trained pipeline with other relations: a callback of `[initialize.after_init]`."""

from typing import Any, Callable, Dict, List, Optional

from spacy import registry
from spacy.language import Language
from thinc.api import Model

from ..bridge.modules import modules_of
from ..bridge.packing import set_packed
from ..bridge.weights import copy_weights
from ..corpora.convert import load_pipeline
from ..errors import Errors


@registry.callbacks("spacy_relext.start_from.v1")
def create_start_from(pipeline: str) -> Callable[[Language], Language]:
    """Create a callback for `[initialize.after_init]` that copies the weights of a trained pipeline.

    Each component takes the weights of the trained one with its factory: all that do not depend on labels, and the rows
    of the relations that both know. Rows of other relations become the mean of the trained ones. An encoder that others
    listen to is best taken from there too, by `source` in its section: it then needs no checkpoint.

    pipeline (str): A folder, or the name of a package.
    RAISES (ValueError): If the pipeline cannot be loaded, or lacks a component or a weight.
    """

    def start_from(nlp: Language) -> Language:
        trained = load_pipeline(pipeline, message=Errors.R420)
        by_factory = {trained.get_pipe_meta(name).factory: pipe for name, pipe in trained.components}
        for name, pipe in nlp.components:
            own = _modules(pipe)
            if own and (problem := _copy(pipe, own, by_factory.get(nlp.get_pipe_meta(name).factory))):
                raise ValueError(Errors.R419.format(name=name, pipeline=pipeline, detail=problem))
        set_packed(nlp, False)  # else what is learned would be rounded
        return nlp

    return start_from


def _copy(pipe: Any, own: List[Any], trained: Any) -> Optional[str]:
    """Copy the weights of a component; return what it lacks."""
    if trained is None:
        return "it has no such component"
    others = _modules(trained)
    if len(own) != len(others):
        return "its encoder is built in another way"
    rows = _rows(getattr(pipe, "labels", ()), getattr(trained, "labels", ()))
    for module, other in zip(own, others):
        if lacking := copy_weights(module, other, rows=rows):
            return f"it has no {lacking} of that shape"
    return None


def _rows(labels: Any, known: Any) -> Dict[int, int]:
    """Map the number of each label that is known to its number there."""
    number = {label: row for row, label in enumerate(known)}
    return {row: number[label] for row, label in enumerate(labels) if label in number}


def _modules(pipe: Any) -> List[Any]:
    """List the torch modules of a component."""
    model = getattr(pipe, "model", None)
    return [module for node in model.walk() for module in modules_of(node)] if isinstance(model, Model) else []
