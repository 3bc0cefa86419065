"""Token vectors that do not depend on white space: a tok2vec reads the words of a Doc; white space has the vector 0.

A convolution or an LSTM would count a line break or a second space as a word. Word pieces have none of both.
"""

from typing import Any, Callable, List, Optional, Tuple

import numpy
from numpy.typing import NDArray
from spacy.attrs import IS_SPACE
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

TokenEncoder = Model[List[Doc], List[Floats2d]]

# What a tok2vec may read besides the form of a word.
_COPIED = ("NORM", "LEMMA", "POS", "TAG")


def skip_white_space(tok2vec: TokenEncoder) -> TokenEncoder:
    """Wrap a tok2vec, so that it reads words alone; the wrapper has no weights."""
    return Model("relext_words", _forward, init=_init, layers=[tok2vec], dims={"nO": tok2vec.maybe_get_dim("nO")})


def _init(model: Model, X: Optional[List[Doc]] = None, Y: Any = None) -> Model:
    """Initialize the tok2vec, and take over the size of its vectors."""
    model.layers[0].initialize(X=X)
    model.set_dim("nO", model.layers[0].get_dim("nO"))
    return model


def _forward(
    model: Model, docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Callable[[List[Floats2d]], List[Doc]]]:
    """Encode the words of Docs. RETURNS: Vectors of all tokens, of shapes (T, D), and the backward pass."""
    words = [numpy.flatnonzero(doc.to_array([IS_SPACE]) == 0) for doc in docs]
    is_blank = [len(doc) > len(of_doc) for doc, of_doc in zip(docs, words)]
    if not any(is_blank):
        vectors, backprop = model.layers[0](docs, is_train)
        return vectors, backprop
    if not any(map(len, words)):  # convolutions have no gradient of nothing
        width = model.get_dim("nO")
        return [model.ops.alloc2f(len(doc), width) for doc in docs], lambda gradient: []
    read = [_select(doc, of_doc) if blank else doc for doc, of_doc, blank in zip(docs, words, is_blank)]
    of_words, backprop = model.layers[0](read, is_train)
    vectors = []
    for doc, of_doc, rows in zip(docs, words, of_words):
        table = model.ops.alloc2f(len(doc), rows.shape[1])
        table[of_doc] = rows  # type: ignore[call-overload]
        vectors.append(table)
    return vectors, lambda gradient: backprop([rows[of_doc] for rows, of_doc in zip(gradient, words)])


def _select(doc: Doc, words: NDArray[numpy.int64]) -> Doc:
    """Make a Doc of some tokens."""
    tokens = [doc[number] for number in words.tolist()]
    selected = Doc(doc.vocab, words=[token.text for token in tokens])
    if tokens:
        selected.from_array(list(_COPIED), doc.to_array(list(_COPIED))[words])  # type: ignore[arg-type]
    return selected
