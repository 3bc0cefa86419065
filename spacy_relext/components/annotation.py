"""What components before a component write on a text, for its `initialize`: spaCy gives it bare texts."""

from typing import Any, Callable, Iterable, Iterator, List, Optional

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch

GetExamples = Callable[[], Iterable[Example]]
BATCH = 128


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
