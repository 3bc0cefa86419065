"""All pairs of a corpus at once, each under a key that it keeps from one reading to the next."""

from hashlib import blake2b
from typing import List, NamedTuple, Optional, Tuple

import numpy
from numpy.typing import NDArray

from ..pairs.gold import PairClass
from ..pairs.pairs import Pairs
from .names import Words


class PairTable(NamedTuple):
    """The pairs of a corpus, each once, ordered by their keys: the order of the corpus changes nothing.

    keys (List[bytes]): Text and places of each.
    vectors (NDArray): h, in half precision. Shape (N, F)
    gaps (List[Tuple[str, ...]]): What stands between the arguments.
    types (List[Tuple[str, str]]): Entity types of both, in the order of the pair; "" for none.
    gold (List[Optional[PairClass]]): Gold class of each, if gold is read.
    backwards (List[bool]): Whether the object of each stands before its subject.
    """

    keys: List[bytes]
    vectors: NDArray[numpy.float16]
    gaps: List[Words]
    types: List[Tuple[str, str]]
    gold: List[Optional[PairClass]]
    backwards: List[bool]


def keys_of(pairs: Pairs) -> List[bytes]:
    """Name pairs by their text and the places of their arguments: spaCy copies Docs before every update.

    pairs (Pairs): The pairs.
    RETURNS (List[bytes]): One for each; equal for the same pair of the same text.
    """
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
    """Choose the pairs of each cluster with the highest confidence.

    labels (NDArray): Cluster of each. Shape (N,)
    confidence (NDArray): How well each fits. Shape (N,)
    share (float): Of the pairs of each cluster, rounded up: 1 takes all.
    RETURNS (NDArray): True on the chosen ones. Shape (N,)
    """
    chosen = numpy.zeros(len(labels), dtype=bool)
    for label in numpy.unique(labels):
        members = numpy.flatnonzero(labels == label)
        ranked = members[numpy.argsort(-confidence[members], kind="stable")]
        chosen[ranked[: int(numpy.ceil(share * len(members)))]] = True
    return chosen
