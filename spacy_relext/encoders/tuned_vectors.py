"""Static word vectors that are fine-tuned: a word's vector plus a difference that is learned for its row."""

from typing import Callable, List, Optional, Tuple

from spacy import registry
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

_Vectors = Model[List[Doc], List[Floats2d]]


@registry.architectures("spacy_relext.TunedVectors.v1")
def build_tuned_vectors() -> _Vectors:
    """Build a tok2vec from the static vectors of the pipeline, which it fine-tunes; words without a vector get 0.

    It stores a difference for each row of the table: for 100,000 vectors of width 100, 40 MB.
    """
    return Model("tuned_vectors", _forward, init=_init, params={"E": None}, dims={"nO": None})


def _init(model: _Vectors, X: Optional[List[Doc]] = None, Y: Optional[List[Floats2d]] = None) -> None:
    if X:
        rows, width = X[0].vocab.vectors.shape
        model.set_dim("nO", width)
        model.set_param("E", model.ops.alloc2f(rows, width))


def _forward(
    model: _Vectors, docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Callable[[List[Floats2d]], List[Doc]]]:
    differences = model.get_param("E")
    found, outputs = [], []
    for doc in docs:
        vectors = doc.vocab.vectors
        rows = model.ops.asarray1i(vectors.find(keys=[token.orth for token in doc]))
        known = (rows >= 0).reshape(-1, 1)
        outputs.append(model.ops.asarray2f((vectors.data[rows] + differences[rows]) * known))
        found.append(rows)

    def backprop(gradients: List[Floats2d]) -> List[Doc]:
        rows, gradient = model.ops.xp.concatenate(found), model.ops.flatten(gradients)
        total = model.ops.alloc2f(*differences.shape)
        model.ops.scatter_add(total, rows[rows >= 0], gradient[rows >= 0])
        model.inc_grad("E", total)
        return []

    return outputs, backprop
