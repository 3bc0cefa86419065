"""Split a corpus into folds, so that a teacher never labels what it was trained on."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable, Iterable, List, NamedTuple

from spacy.vocab import Vocab

from ..errors import Errors, check_range
from .packing import iter_docs
from .shards import ShardWriter

TRAIN, HELD = "train{}.spacy", "held{}.spacy"


class Fold(NamedTuple):
    """One fold.

    train (Path): What a teacher is trained on: all documents but those held out.
    held (Path): The documents it labels.
    docs (int): How many are held out.
    """

    train: Path
    held: Path
    docs: int


def split_folds(
    corpus: Path, folder: Path, *, folds: int, progress: Callable[[Iterable[Any]], Iterable[Any]]
) -> List[Fold]:
    """Write `train0.spacy`, `held0.spacy`, `train1.spacy` and so on; document i is held out by fold i mod K.

    corpus (Path): A .spacy file, or a folder of them.
    folder (Path): Gets the files.
    folds (int): K, at least 2.
    progress (Callable[[Iterable[Any]], Iterable[Any]]): Wraps the documents.
    RETURNS (List[Fold]): The folds.
    RAISES (ValueError): Where the corpus has fewer documents than folds.
    """
    check_range("folds", folds, 2, 1_000)
    train, held = ([ShardWriter(folder / name.format(fold)) for fold in range(folds)] for name in (TRAIN, HELD))
    with ExitStack() as files:
        for writer in (*train, *held):
            files.enter_context(writer)
        for number, doc in enumerate(progress(iter_docs(corpus, Vocab()))):
            for fold in range(folds):
                (held if fold == number % folds else train)[fold].add(doc)
        if not held[-1].docs:
            total = sum(writer.docs for writer in held)
            raise ValueError(Errors.R119.format(path=str(corpus), docs=total, folds=folds))
    return [Fold(one.output, other.output, other.docs) for one, other in zip(train, held)]
