"""All pairs of a corpus at once, each under a key that does not depend on the Doc object."""

from hashlib import blake2b
from typing import List, NamedTuple, Optional, Tuple

import numpy
from numpy.typing import NDArray

from ..pairs.gold import PairClass
from ..pairs.pairs import Pairs
from .names import Words


class PairTable(NamedTuple):
    """The pairs of a corpus, each once, ordered by their keys, so that the order of the corpus has no effect.

    keys (List[bytes]): From `keys_of`.
    vectors (NDArray): h, in half precision. Shape (N, F)
    gaps (List[Words]): Words between the arguments.
    types (List[Tuple[str, str]]): Entity types of subject and object; "" for none.
    gold (List[Optional[PairClass]]): Gold class of each, if gold is read.
    backwards (List[bool]): Whether the object comes before the subject.
    """

    keys: List[bytes]
    vectors: NDArray[numpy.float16]
    gaps: List[Words]
    types: List[Tuple[str, str]]
    gold: List[Optional[PairClass]]
    backwards: List[bool]


def keys_of(pairs: Pairs) -> List[bytes]:
    """Hash the text and the places of the arguments of each pair: spaCy copies Docs before every update."""
    texts = [blake2b(doc.text.encode(), digest_size=12) for doc in pairs.docs]
    keys = []
    for number in range(len(pairs)):
        name = texts[int(pairs.doc[number])].copy()
        name.update(numpy.stack([pairs.subject[number], pairs.object[number]]).astype("<i8").tobytes())
        keys.append(name.digest())
    return keys


def most_confident(
    labels: NDArray[numpy.int64], confidence: NDArray[numpy.floating], *, share: float
) -> NDArray[numpy.bool_]:
    """Mark the given share of the pairs of each cluster, rounded up, with the highest confidence.

    labels (NDArray): Cluster of each pair. Shape (N,)
    confidence (NDArray): Fit of each pair. Shape (N,)
    """
    chosen = numpy.zeros(len(labels), dtype=bool)
    for label in numpy.unique(labels):
        members = numpy.flatnonzero(labels == label)
        ranked = members[numpy.argsort(-confidence[members], kind="stable")]
        chosen[ranked[: int(numpy.ceil(share * len(members)))]] = True
    return chosen
