"""Training data as a component's `initialize` needs it: annotated by the components before it, since spaCy gives bare
texts; checks of its model; and weights of trained pipelines to start from."""

from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, Type

from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch
from spacy.vocab import Vocab
from thinc.api import Model

from ..bridge.modules import module_of
from ..bridge.weights import load_mean
from ..corpora.loading import load_pipeline
from ..errors import Errors

GetExamples = Callable[[], Iterable[Example]]
Pipe = Callable[[Doc], Doc]

DATA = "the training data"

ENCODER = "encoder."  # prefix of the names of an encoder's weights

BATCH = 128

# Names of layers that read static vectors: of spaCy, and of `encoders/tuned_vectors.py`.
READS_VECTORS = ("static_vectors", "tuned_vectors")


def describe_corpus(nlp: Optional[Language]) -> str:
    """Name the training data for messages, with its path if the config has one."""
    path = None if nlp is None else (nlp.config.get("paths") or {}).get("train")
    return f"{DATA} ({path})" if path else DATA


def counts_labels(nlp: Optional[Language], name: str) -> bool:
    """Return True if a component counts the labels of the training data: the first of a pipeline that learns from them.

    With `[training] max_epochs = -1`, none does, since it sees only the first 100 examples.
    """
    if nlp is None:
        return True
    learners = [other for other, pipe in nlp.pipeline if getattr(pipe, "needs_triples", False)]
    return learners[:1] == [name] and (nlp.config.get("training") or {}).get("max_epochs") != -1


def annotated(get_examples: GetExamples, nlp: Optional[Language], name: str) -> GetExamples:
    """Annotate copies of the predicted Docs with the components before one, as annotating components do in training.

    These are the components that the config names as annotating, even if they are disabled, as frozen ones are here,
    and those without weights.
    """
    if nlp is None or name not in nlp.pipe_names or not callable(get_examples):
        return get_examples
    annotating = (nlp.config.get("training") or {}).get("annotating_components") or []
    before = nlp.components[: nlp.component_names.index(name)]
    pipes = [
        pipe
        for other, pipe in before
        if other in annotating or (other in nlp.pipe_names and not getattr(pipe, "is_trainable", False))
    ]
    if not pipes:
        return get_examples

    def read() -> Iterator[Example]:
        for batch in minibatch(get_examples(), size=BATCH):
            examples = list(batch)
            docs = annotate([example.predicted.copy() for example in examples], pipes)
            yield from (Example(doc, example.reference) for doc, example in zip(docs, examples))

    return read


def annotate(docs: List[Doc], pipes: Iterable[Pipe]) -> List[Doc]:
    """Run components one after the other on Docs, which may be changed in place."""
    for pipe in pipes:
        docs = list(pipe.pipe(docs)) if hasattr(pipe, "pipe") else [pipe(doc) for doc in docs]
    return docs


def connect_listeners(nlp: Language, name: str) -> None:
    """Give a component's listeners the width of the component that they listen to, which is initialized before it.

    RAISES (ValueError): If there is no such component, or the widths differ: the layers above would not fit.
    """
    for node, upstream in _listened(nlp, name):
        width, expected = _width(nlp.get_pipe(upstream).model), _width(node)  # type: ignore[attr-defined]
        if width is not None and expected is None:
            node.set_dim("nO", width)
        elif width is not None and width != expected:
            raise ValueError(Errors.R360.format(name=name, upstream=upstream, found=width, expected=expected))


def upstream_of(nlp: Optional[Language], name: str, *, is_frozen: bool = False) -> Optional[TrainablePipe]:
    """Return the component that a component listens to; None if there is none.

    is_frozen (bool): Whether training must leave it as it is, and let it annotate.
    """
    training = {} if nlp is None else nlp.config.get("training") or {}
    keys = ("frozen_components", "annotating_components") if is_frozen else ()
    for _, upstream in _listened(nlp, name) if nlp is not None else ():
        if all(upstream in (training.get(key) or ()) for key in keys):
            return nlp.get_pipe(upstream)  # type: ignore[union-attr]
    return None


def _listened(nlp: Language, name: str) -> Iterator[Tuple[Model, str]]:
    """Yield the listeners of a component, and the names of the components that they listen to."""
    pipes = dict(nlp.components)
    before = nlp.component_names[: nlp.component_names.index(name)] if name in pipes else []
    for node in pipes[name].model.walk() if name in pipes else ():  # type: ignore[attr-defined]
        wanted = getattr(node, "upstream_name", None)
        if wanted is None:
            continue
        upstream = [other for other in before if hasattr(pipes[other], "find_listeners") and wanted in ("*", other)]
        if not upstream:
            raise ValueError(Errors.R366.format(name=name, upstream=wanted, found=", ".join(before) or "none"))
        yield node, upstream[-1]


def check_vectors(model: Model, vocab: Vocab, name: str) -> None:
    """Check that there are static vectors if an encoder reads them: without, it would fail with an index error.

    vocab (Vocab): The vocabulary, whose vectors [initialize] has filled by now.
    RAISES (ValueError): If there are none.
    """
    if not vocab.vectors_length and any(node.name in READS_VECTORS for node in model.walk()):
        raise ValueError(Errors.R514.format(name=name))


def check_shared_vectors(nlp: Language) -> None:
    """Check for static vectors before any component is initialized: spaCy's own, such as `tok2vec`, do not check.

    nlp (Language): The pipeline whose [initialize] is about to run.
    RAISES (ValueError): If an encoder reads static vectors, and neither the vocabulary nor [initialize] has any.
    """
    config = nlp.config.interpolate()
    if config["initialize"]["vectors"] is None:
        for name, pipe in nlp.components:
            if "source" not in config["components"].get(name, {}) and isinstance(getattr(pipe, "model", None), Model):
                check_vectors(pipe.model, nlp.vocab, name)  # type: ignore[attr-defined]


def _width(model: Model) -> Optional[int]:
    return model.get_dim("nO") if model.has_dim("nO") else None


def start_from(
    model: Model, paths: Sequence[Path], *, kind: Type[TrainablePipe], classes: Optional[Sequence[object]], name: str
) -> None:
    """Copy the mean of trained weights into a model: all of its encoder, and those of its head that all pipelines have.

    paths (Sequence[Path]): Pipelines with one component of the kind each.
    classes (Optional[Sequence[object]]): The model's classes, which the pipelines must have too; None: only their
        encoder is copied, whatever their classes.
    name (str): Name of the model's component, for messages.
    RAISES (ValueError): If a pipeline cannot be loaded, has no such component, other classes, or another encoder.
    """
    states, module = [_weights(path, kind, classes, name) for path in paths], module_of(model)
    if classes is None:
        states = [{key: weight for key, weight in each.items() if key.startswith(ENCODER)} for each in states]
    missing, detail = load_mean(module, states, required=ENCODER), None
    if missing is not None:
        detail = f"their encoder has no {missing} of that shape"
    elif classes is None and not any(key.startswith(ENCODER) for key in module.state_dict()):
        detail = "its encoder is a tok2vec; only a PieceEncoder or GraphEncoder can start from another"
    if detail is not None:
        raise ValueError(Errors.R413.format(name=name, paths=", ".join(map(str, paths)), detail=detail))


def _weights(
    path: Path, kind: Type[TrainablePipe], classes: Optional[Sequence[object]], name: str
) -> Mapping[str, Any]:
    nlp = load_pipeline(path, message=Errors.R413.format(name=name, paths="{path}", detail="{reason}"))
    pipes: Sequence[Any] = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, kind)]
    detail = None
    if len(pipes) != 1:
        detail = f"{len(pipes)} components of that kind ({', '.join(nlp.pipe_names)})"
    elif classes is not None and pipes[0].classes != list(classes):
        detail = f"other relations: {', '.join(sorted({each.relation for each in pipes[0].classes}))}"
    if detail is not None:
        raise ValueError(Errors.R413.format(name=name, paths=path, detail=detail))
    return module_of(pipes[0].model).state_dict()
