"""Training that starts from a trained pipeline with other relations: a callback of `[initialize.after_init]`."""

from collections import Counter, defaultdict
from itertools import islice
from typing import Any, Callable, DefaultDict, Dict, List, Mapping, Optional

from spacy import registry
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import resolve_dot_names
from thinc.api import Model

from ..annotations.sentences import overlaps
from ..annotations.store import get_records
from ..bridge.modules import modules_of
from ..bridge.packing import set_packed
from ..bridge.weights import copy_weights
from ..corpora.loading import load_pipeline
from ..errors import Errors
from .pipe import RelationPipe

# Most documents of the training corpus that are compared.
COMPARED = 200


@registry.callbacks("spacy_relext.start_from.v1")
def create_start_from(pipeline: str) -> Callable[[Language], Language]:
    """Create a callback for `[initialize.after_init]` that copies the weights of a trained pipeline.

    Each component takes the weights of the trained one with its factory: all that do not depend on labels, and rows of
    relations. A relation takes the row of its name, else of the relation that the trained pipeline finds between its
    arguments in the training corpus (`[paths.train]`), else the mean of all rows. An encoder that others listen to is
    best taken from there too, by `source` in its section: it then needs no checkpoint.

    pipeline (str): A folder, or the name of a package.
    RAISES (ValueError): If the pipeline cannot be loaded, or lacks a component or a weight.
    """

    def start_from(nlp: Language) -> Language:
        trained = load_pipeline(pipeline, message=Errors.R420)
        by_factory = {trained.get_pipe_meta(name).factory: pipe for name, pipe in trained.components}
        similar = find_similar(trained, _training_docs(nlp))
        for name, pipe in nlp.components:
            own = _modules(pipe)
            if own and (problem := _copy(pipe, own, by_factory.get(nlp.get_pipe_meta(name).factory), similar)):
                raise ValueError(Errors.R419.format(name=name, pipeline=pipeline, detail=problem))
        set_packed(nlp, False)  # else what is learned would be rounded
        return nlp

    return start_from


def find_similar(trained: Language, references: List[Doc]) -> Dict[str, str]:
    """Find for each relation of gold triples the one whose candidates between their arguments have the highest scores.

    trained (Language): A pipeline with other relations.
    references (List[Doc]): Documents with gold triples.
    RETURNS (Dict[str, str]): Relations without a candidate are left out.
    """
    docs = list(trained.pipe([reference.text for reference in references]))
    scores: DefaultDict[str, Counter[str]] = defaultdict(Counter)
    for pipe in [each for _, each in trained.pipeline if isinstance(each, RelationPipe) and each.ranks_candidates]:
        for reference, candidates in zip(references, pipe.list_candidates(docs)):
            for gold in get_records(reference, source="") or ():
                for each in candidates:
                    if all(overlaps(each[role], gold[role]) for role in ("subject", "object")):
                        scores[gold["relation"]][each["relation"]] += each["score"]
    return {relation: counts.most_common(1)[0][0] for relation, counts in scores.items()}


def _training_docs(nlp: Language) -> List[Doc]:
    """Read the first documents of the training corpus; none if the config has no path."""
    config = nlp.config.interpolate()
    if not (config.get("paths") or {}).get("train"):
        return []
    (corpus,) = resolve_dot_names(config, [config["training"]["train_corpus"]])
    return [example.reference for example in islice(corpus(nlp), COMPARED)]


def _copy(pipe: Any, own: List[Any], trained: Any, similar: Mapping[str, str]) -> Optional[str]:
    """Copy the weights of a component; return what it lacks."""
    if trained is None:
        return "it has no such component"
    others = _modules(trained)
    if len(own) != len(others):
        return "its encoder is built in another way"
    number = {label: row for row, label in enumerate(getattr(trained, "labels", ()))}
    sources = [label if label in number else similar.get(label) for label in getattr(pipe, "labels", ())]
    rows = {row: number[label] for row, label in enumerate(sources) if label in number}
    for module, other in zip(own, others):
        if lacking := copy_weights(module, other, rows=rows):
            return f"it has no {lacking} of that shape"
    return None


def _modules(pipe: Any) -> List[Any]:
    """List the torch modules of a component."""
    model = getattr(pipe, "model", None)
    return [module for node in model.walk() for module in modules_of(node)] if isinstance(model, Model) else []
