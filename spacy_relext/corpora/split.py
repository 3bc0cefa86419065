"""The documents of a conversion are split into corpora for training, development and test."""

import random
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple, Type, Union

from spacy.tokens import Doc

from ..errors import Errors
from .canonical import META_KEY, read_id
from .shards import ShardWriter
from .statistics import CorpusStatistics

# Token attributes to write; None for all that spaCy stores.
Attrs = Optional[Sequence[Union[str, int]]]

PARTS = ("train", "dev", "test")

# Where the name of a document is looked for, in this order; a record may be one of its sentences.
_DOCUMENT_KEYS = ("doc_id", "docid", "doc_key", "title", "id")


class Split(NamedTuple):
    """Shares of two or three parts, which sum to 1, and the seed of the draw."""

    shares: Tuple[float, ...]
    seed: int = 0


@dataclass
class Part:
    """A corpus of a split.

    documents (int): Documents, each of one or more records.
    statistics (CorpusStatistics): Counts of its records.
    """

    writer: ShardWriter
    statistics: CorpusStatistics
    documents: int = 0


def name_parts(output: Path, split: Optional[Split]) -> List[Path]:
    """Add the names of parts to the name of a file or folder. RAISES (ValueError): If it has none."""
    if split is None:
        return []
    if not output.name:
        raise ValueError(Errors.R104.format(path=str(output)))
    return [output.with_name(f"{output.stem}-{name}{output.suffix}") for name in PARTS[: len(split.shares)]]


def open_writer(
    output: Path, split: Optional[Split], *, shard: int = 0, attrs: Attrs = None
) -> Union[ShardWriter, "SplitWriter"]:
    """Open a corpus to write, or the corpora of a split; arguments as for `SplitWriter`."""
    if split is None:
        return ShardWriter(output, shard=shard, attrs=attrs)
    return SplitWriter(output, split, shard=shard, attrs=attrs)


def read_split(text: str, *, seed: int = 0) -> Split:
    """Read a split such as "80:10:10" (train, dev and test) or "80:20" (train and dev).

    RAISES (ValueError): If it is not two or three numbers above 0.
    """
    try:
        numbers = [float(number) for number in text.split(":")]
    except ValueError:
        numbers = []
    if len(numbers) not in (2, 3) or not all(number > 0 and isfinite(number) for number in numbers):
        expected = "two or three numbers above 0, such as 80:20 or 80:10:10"
        raise ValueError(Errors.R107.format(option="--split", found=text, expected=expected))
    return Split(tuple(number / sum(numbers) for number in numbers), seed)


class SplitWriter:
    """Writes Docs to a corpus for each part of a split, such as OUT-train.spacy and OUT-dev.spacy.

    All records of one document get into one part. A record without a name of its document is a document of its own,
    together with the records of equal text. Each document is drawn at random, by how much each part lacks so far.

    output (Path): File or folder, to whose name the parts' names are added.
    shard, attrs: As for `ShardWriter`.
    RAISES (ValueError): If a part cannot be written, or gets no document.
    """

    def __init__(self, output: Path, split: Split, *, shard: int = 0, attrs: Attrs = None) -> None:
        self.parts = [
            Part(ShardWriter(path, shard=shard, attrs=attrs), CorpusStatistics(name))
            for name, path in zip(PARTS, name_parts(output, split))
        ]
        self._shares, self._random = split.shares, random.Random(split.seed)
        self._known: Dict[str, Part] = {}

    def add(self, doc: Doc) -> None:
        """Add a Doc to the part of its document."""
        names = doc.user_data.get(META_KEY, {})
        key = next(filter(None, (read_id(names.get(key)) for key in _DOCUMENT_KEYS)), f"text {hash(doc.text)}")
        if key not in self._known:
            self._known[key] = self._draw()
            self._known[key].documents += 1
        self._known[key].writer.add(doc)
        self._known[key].statistics.add(doc)

    def _draw(self) -> Part:
        """Draw the part of the next document; none gets ahead of its share by a document or more."""
        wanted = len(self._known) + 1
        lacking = [max(0.0, share * wanted - part.documents) for share, part in zip(self._shares, self.parts)]
        return self._random.choices(self.parts, lacking)[0]

    def __enter__(self) -> "SplitWriter":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], *_: object) -> None:
        empty = [part.statistics.name for part in self.parts if not part.documents] if kind is None else []
        for part in self.parts:
            part.writer.__exit__(ValueError if empty else kind)
        if empty:
            raise ValueError(Errors.R132.format(count=len(self._known), parts=", ".join(empty)))
