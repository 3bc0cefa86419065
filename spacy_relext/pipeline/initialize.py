"""What components before a component write on a text, for its `initialize`: spaCy gives it bare texts."""

from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, List, Optional, Sequence, Type

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch
from spacy.vocab import Vocab
from thinc.api import Model

from ..bridge.modules import module_of
from ..bridge.weights import load_mean
from ..errors import Errors

GetExamples = Callable[[], Iterable[Example]]

DATA = "the training data"

BATCH = 128


def describe_corpus(nlp: Optional[Language]) -> str:
    """Name the training corpus, for messages.

    nlp (Optional[Language]): The pipeline.
    RETURNS (str): "the training data", with its path if the config has one.
    """
    path = None if nlp is None else (nlp.config.get("paths") or {}).get("train")
    return f"{DATA} ({path})" if path else DATA


def annotated(get_examples: GetExamples, nlp: Optional[Language], name: str) -> GetExamples:
    """Let the components that come before one annotate the training data, as they do in its updates.

    get_examples (GetExamples): Returns the training data.
    nlp (Optional[Language]): The pipeline.
    name (str): The component.
    RETURNS (GetExamples): The same with annotated copies of the predicted Docs; as it is where there is no such
        component.
    """
    pipes = [] if nlp is None or not callable(get_examples) else annotating_pipes(nlp, name)
    if not pipes:
        return get_examples

    def read() -> Iterator[Example]:
        for batch in minibatch(get_examples(), size=BATCH):
            examples = list(batch)
            docs = annotate([example.predicted.copy() for example in examples], pipes)
            yield from (Example(doc, example.reference) for doc, example in zip(docs, examples))

    return read


def annotating_pipes(nlp: Language, name: str) -> List[Any]:
    """Find the components before one that annotate in training: those the config names, and those without weights.

    nlp (Language): The pipeline.
    name (str): The component.
    RETURNS (List[Any]): In order.
    """
    names = nlp.pipe_names
    before = names[: names.index(name)] if name in names else []
    said = (nlp.config.get("training") or {}).get("annotating_components") or []
    pipes = [(other, nlp.get_pipe(other)) for other in before]
    return [pipe for other, pipe in pipes if other in said or not getattr(pipe, "is_trainable", False)]


def annotate(docs: List[Doc], pipes: Iterable[Any]) -> List[Doc]:
    """Run components one after the other.

    docs (List[Doc]): Changed in place.
    pipes (Iterable[Any]): The components.
    RETURNS (List[Doc]): The Docs.
    """
    for pipe in pipes:
        docs = list(pipe.pipe(docs)) if hasattr(pipe, "pipe") else [pipe(doc) for doc in docs]
    return docs


def check_listener_widths(nlp: Language, name: str) -> None:
    """Compare a component's listeners with the component that they listen to.

    nlp (Language): The pipeline; what comes before the component is initialized.
    name (str): The component.
    RAISES (ValueError): Where the widths differ: the layers above would not fit.
    """
    pipes = dict(nlp.components)
    if name not in pipes:
        return
    before = nlp.component_names[: nlp.component_names.index(name)]
    for node in pipes[name].model.walk():  # type: ignore[attr-defined]
        wanted = getattr(node, "upstream_name", None)
        heard = [other for other in before if hasattr(pipes[other], "find_listeners") and wanted in ("*", other)]
        if not heard:
            continue
        found, expected = _width(pipes[heard[-1]].model), _width(node)  # type: ignore[attr-defined]
        if found is not None and expected is not None and found != expected:
            raise ValueError(Errors.R360.format(name=name, upstream=heard[-1], found=found, expected=expected))


def check_vectors(model: Model, vocab: Vocab, name: str) -> None:
    """Make sure that there are static vectors where an encoder reads them: else it would end in an index error.

    model (Model): The component's model.
    vocab (Vocab): The vocabulary, whose vectors [initialize] has filled by now.
    name (str): The component.
    RAISES (ValueError): Where there are none.
    """
    if not vocab.vectors_length and any(node.name == "static_vectors" for node in model.walk()):
        raise ValueError(Errors.R514.format(name=name))


def _width(model: Any) -> Optional[int]:
    """Size of a model's output vectors, where it is known."""
    return model.get_dim("nO") if model.has_dim("nO") else None


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
    missing = load_mean(module, states, required="encoder.")
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
