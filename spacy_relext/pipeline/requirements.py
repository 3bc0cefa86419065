"""What a component needs from the components before it: sentences, vectors, and an order of the pipeline."""

from typing import Dict, List, Sequence

import numpy
from spacy import registry
from spacy.language import Language
from spacy.pipeline import Sentencizer
from spacy.pipeline.tok2vec import Tok2VecListener
from spacy.strings import get_string_id
from spacy.tokens import Doc
from thinc.api import Model

from ..errors import Errors

# Attributes as factories name them in `requires` and `assigns`. Not doc.sents, which a `senter` does not declare.
SENTENCES, RELATIONS = "token.is_sent_start", "span._.relations"

# Tokens that separate sentences, and their ids.
_MARKS = (*Sentencizer.default_punct_chars, "\n", "\n\n")
_BREAKS = numpy.asarray([get_string_id(mark) for mark in _MARKS], dtype="uint64")

# A text of fewer tokens is taken for one sentence; so is one with such a mark only in its last tokens, as in `(…?)."`.
SHORTEST_TEXT, CLOSING = 12, 4


def lack_sentences(docs: Sequence[Doc]) -> bool:
    """Return True if a Doc looks like several sentences, but no sentence boundaries are set."""
    return any(
        len(doc) >= SHORTEST_TEXT
        and not doc.has_annotation("SENT_START")
        and bool(numpy.isin(doc.to_array("ORTH")[:-CLOSING], _BREAKS).any())
        for doc in docs
    )


def check_upstream(model: Model, docs: Sequence[Doc], name: str) -> None:
    """Check that the component that a model listens to has run on Docs: if not, spaCy's listeners return zeros.

    name (str): Name of the model's component, for the message.
    RAISES (ValueError): If it has not run on one of them.
    """
    for node in model.walk():
        upstream = getattr(node, "upstream_name", None)
        if upstream is None:
            continue
        is_tok2vec = isinstance(node, Tok2VecListener)
        if any(_has_no_vectors(doc, is_tok2vec) for doc in docs if len(doc)):
            known = {"*": "tok2vec" if is_tok2vec else "transformer"}
            raise ValueError(Errors.R365.format(name=name, upstream=known.get(upstream, upstream)))


def _has_no_vectors(doc: Doc, is_tok2vec: bool) -> bool:
    """Return True if the tok2vec, or else the transformer, has not run on a Doc."""
    if is_tok2vec:
        return doc.tensor is None or not doc.tensor.size
    return not doc.has_extension("trf_data") or doc._.trf_data is None


def assigning_components(nlp: Language, attribute: str) -> List[str]:
    """List the names of the components whose factory declares that they set an attribute, such as "doc.ents"."""
    return [name for name in nlp.pipe_names if attribute in nlp.get_pipe_meta(name).assigns]


def assigning_factories(attribute: str) -> List[str]:
    """List the registered factories that declare that they set an attribute, such as "doc._.triples"."""
    names = (name for name in registry.factories.get_all() if Language.has_factory(name))
    return sorted(name for name in names if attribute in Language.get_factory_meta(name).assigns)


def late_components(nlp: Language, name: str) -> Dict[str, List[str]]:
    """List, for each attribute that a component reads, the components that set it, if all of them come after it.

    Components before it count even if they are disabled, as frozen ones are while the others are initialized.
    """
    if name not in nlp.component_names:
        return {}
    before = nlp.component_names[: nlp.component_names.index(name)]
    is_set = {attribute for other in before for attribute in nlp.get_pipe_meta(other).assigns}
    required = [attribute for attribute in nlp.get_pipe_meta(name).requires if attribute not in is_set]
    late = {attribute: assigning_components(nlp, attribute) for attribute in required}
    return {attribute: names for attribute, names in late.items() if names}
