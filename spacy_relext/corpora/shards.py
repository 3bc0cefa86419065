"""Corpora on disk: a .spacy file or a folder of them, read, sampled, written and split into folds one Doc at a time."""

import ctypes
import gc
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import (
    Callable,
    Generic,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Type,
    TypeVar,
    Union,
)

import numpy
import srsly
from spacy.attrs import intify_attr
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab
from srsly.msgpack import Packer

from ..annotations.triple import Record
from ..errors import Errors, check_range
from .canonical import find_damage
from .damage import refuse_damage
from .whole import write_whole

SUFFIX = ".spacy"
TRAIN, HELD = "train{}.spacy", "held{}.spacy"
_SHARD_PREFIX = "part-"

# Token attributes of a corpus without a pipeline's annotation; others would be columns of zeros.
GOLD_ATTRS = ("ORTH", "SPACY", "SENT_START", "ENT_IOB", "ENT_TYPE", "ENT_KB_ID")

# Token attributes whose values are hashes of strings.
_NAMED = {intify_attr(name) for name in ("ORTH", "NORM", "LEMMA", "TAG", "DEP", "ENT_TYPE", "ENT_KB_ID", "ENT_ID")}

# Docs whose user data is unpacked together; below 2**16, the limit of the array header in `unpack_user_data`.
UNPACKED = 512

# Wraps a stream of Docs, such as in a progress bar.
Progress = Callable[[Iterable[Doc]], Iterable[Doc]]

_Writer = TypeVar("_Writer", bound="ShardWriter")
_Item = TypeVar("_Item")


def list_shards(path: Path) -> List[Path]:
    """List the files of a corpus in the order of their names.

    path (Path): A .spacy file, or a folder; sub-folders are searched too, except names that start with ".".
    RAISES (ValueError): If there is none.
    """
    if path.is_file():
        return [path]
    files = sorted(p for p in path.rglob(f"*{SUFFIX}") if p.is_file())
    shards = [p for p in files if not any(part.startswith(".") for part in p.relative_to(path).parts)]
    if not shards:
        raise ValueError(Errors.R111.format(path=str(path)))
    return shards


class Shard(DocBin):
    """A loaded .spacy file whose Docs are not made yet."""

    path = Path()


def load_shard(path: Path) -> Shard:
    """Load one .spacy file without making its Docs; ValueError if it is not such a file."""
    with refuse_damage(path, message=Errors.R112):
        shard = Shard(store_user_data=True)
        shard.from_disk(path)
        shard.path = path
        _check_parts(shard)
    return shard


def _check_parts(shard: Shard) -> None:
    """Check that the parts of a file have the right types and sizes. RAISES (ValueError): If they do not."""
    total = len(shard.tokens)
    for name in ("spaces", "cats", "span_groups", "flags", "user_data"):
        part = getattr(shard, name)
        if not isinstance(part, (list, tuple)) or len(part) != total:
            raise ValueError(f"{name} do not fit {total} documents")
    for part, kinds in ((shard.strings, str), (shard.attrs, int), (shard.cats, dict), (shard.flags, dict)):
        if not all(isinstance(each, kinds) for each in part):
            raise ValueError("strings, attributes, categories or flags have other types")
    if any(len(tokens) != len(spaces) for tokens, spaces in zip(shard.tokens, shard.spaces)):
        raise ValueError("its texts have other numbers of tokens and spaces")
    packed = [each for each in shard.user_data if each is not None]
    if not all(isinstance(each, bytes) for each in (*packed, *shard.span_groups)):
        raise ValueError("user data or groups of spans are no bytes")


def add_strings(content: Shard, vocab: Vocab) -> None:
    """Add the strings of a file to a vocabulary. RAISES (ValueError): If strings of its tokens are missing."""
    with refuse_damage(content.path, message=Errors.R112):
        for string in content.strings:
            vocab.strings.add(string)
        named = [column for column, attr in enumerate(content.attrs) if attr in _NAMED]
        if content.tokens and named:
            for key in set(numpy.concatenate(content.tokens)[:, named].ravel().tolist()):
                vocab.strings[key]


def make_docs(content: Shard, vocab: Vocab) -> Iterator[Doc]:
    """Make the Docs of a loaded file, which loses its user data; ValueError with the number of a damaged Doc.

    `DocBin.get_docs` unpacks the user data of each Doc in a separate call, and each call searches all installed
    packages for decoders: more than half the time of reading a corpus. Here many Docs share one call.
    """
    add_strings(content, vocab)
    packed, content.user_data = content.user_data, []
    docs, number = content.get_docs(vocab), 0
    for start in range(0, len(packed), UNPACKED):
        for values in unpack_user_data(packed[start : start + UNPACKED], path=content.path, start=start):
            number += 1
            with refuse_damage(content.path, message=Errors.R112, place=f"document {number}: "):
                doc = next(docs)
                doc.ents  # noqa: B018  # raises if the entity tags are damaged
            doc.user_data.update(values)
            yield doc


def reorder(doc_bin: Shard, order: Sequence[int]) -> Shard:
    """Reorder the Docs of a loaded file in place, before they are made; those not in `order` are removed."""
    for name in ("tokens", "spaces", "cats", "span_groups", "flags", "user_data"):
        values = getattr(doc_bin, name)
        setattr(doc_bin, name, [values[number] for number in order])
    return doc_bin


def iter_docs(path: Path, vocab: Vocab, *, rng: Optional[Random] = None) -> Iterator[Doc]:
    """Read the Docs of a .spacy file, or of a folder of them, one file at a time.

    rng (Optional[Random]): Shuffles the files, and the Docs within each.
    """
    shards = list_shards(path)
    if rng is not None:
        rng.shuffle(shards)
    for shard in shards:
        content = load_shard(shard)
        if rng is not None:
            order = list(range(len(content)))
            rng.shuffle(order)
            content = reorder(content, order)
        yield from make_docs(content, vocab)


def unpack_user_data(packed: Sequence[Optional[bytes]], *, path: Path, start: int = 0) -> Sequence[Record]:
    """Unpack the user data of many Docs together; None becomes an empty map.

    They are joined to one msgpack array: a header (0xdc, two bytes for the length) followed by the elements.

    path, start (Path, int): The file, and the number of Docs before these, for the message.
    RAISES (ValueError): If the user data of a Doc cannot be unpacked, or this package's values in it are malformed.
    """
    empty_map = b"\x80"
    contents = [empty_map if each is None else each for each in packed]
    try:
        data = b"\xdc" + len(packed).to_bytes(2, "big") + b"".join(contents)
        values: Sequence[Record] = srsly.msgpack_loads(data, use_list=False)
        if len(values) != len(packed):
            raise ValueError
    except Exception:  # some cannot be unpacked: unpack each separately, to name the first
        values = []
        for number, content in enumerate(contents, start + 1):
            with refuse_damage(path, message=Errors.R112, place=f"document {number}: "):
                values = [*values, srsly.msgpack_loads(content, use_list=False)]
    for number, value in enumerate(values, start + 1):
        if problem := find_damage(value):
            raise ValueError(Errors.R112.format(path=str(path), reason=f"document {number}: {problem}"))
    return values


class PackedBin(DocBin):
    """A DocBin that packs the user data of all Docs with one packer.

    `DocBin.add` makes one for each Doc, and each searches all installed packages for encoders: most of the time of
    writing a corpus.
    """

    def __init__(self, *, attrs: Optional[Sequence[Union[str, int]]] = None) -> None:
        if attrs is None:
            super().__init__(store_user_data=True)
        else:
            super().__init__(attrs=list(attrs), store_user_data=True)  # type: ignore[arg-type]
        # Hashes of the strings that `BlockWriter` has added.
        self.hashes: Set[int] = set()
        self._packer = Packer(use_bin_type=True)

    def add(self, doc: Doc) -> None:
        """Add a Doc; see `DocBin.add`."""
        self.store_user_data = False
        super().add(doc)
        self.store_user_data = True
        self.pack_user_data(doc.user_data)

    def pack_user_data(self, user_data: Record) -> None:
        """Append the packed user data of a Doc."""
        self.user_data.append(self._packer.pack(user_data))


class ShardWriter:
    """Writes Docs with their user data to a .spacy file, or to a folder of files of at most `shard` Docs each.

    A file appears under its name only when it is whole. After an error, an older corpus of that name is unchanged
    (single file) or removed (folder, once its first new file is written), and the new files are removed.

    output (Path): The file, or the folder if `shard` is given.
    shard (int): Docs per file; 0 writes one file.
    attrs (Optional[Sequence[Union[str, int]]]): Token attributes to write; None for all that spaCy stores.
    """

    def __init__(self, output: Path, *, shard: int = 0, attrs: Optional[Sequence[Union[str, int]]] = None) -> None:
        self.output, self.shard, self.attrs = output, shard, attrs
        self.bin = PackedBin(attrs=attrs)
        self.docs = self._files = 0
        if shard < 0:
            raise ValueError(Errors.R107.format(option="--shard", found=shard, expected="0 or more documents"))
        if output.is_file() if shard else output.suffix != SUFFIX or output.is_dir():
            raise ValueError(Errors.R104.format(path=str(output)))
        others = [p.name for p in output.glob(f"*{SUFFIX}") if not p.name.startswith(_SHARD_PREFIX)] if shard else []
        if others:  # they would be mixed with this corpus
            raise ValueError(Errors.R106.format(path=str(output), found=", ".join(sorted(others)[:3])))

    def add(self, doc: Doc) -> None:
        """Add a Doc."""
        self.bin.add(doc)
        self.count(1)

    def count(self, docs: int) -> None:
        """Count Docs that were added to `bin`, and write the shard if it is full."""
        self.docs += docs
        if self.shard and len(self.bin) >= self.shard:
            self._write_shard()

    def __enter__(self: _Writer) -> _Writer:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], *_: object) -> None:
        if kind is None and len(self.bin):
            self._write_shard()
        elif kind is not None and self.shard:  # part of a corpus looks like a whole one
            for number in range(self._files):
                self._path(number).unlink()

    def _path(self, number: int) -> Path:
        """Return the file of a shard, or the only file."""
        return self.output / f"{_SHARD_PREFIX}{number:05d}{SUFFIX}" if self.shard else self.output

    def _write_shard(self) -> None:
        """Write the Docs added since the last file; the first call removes the files of an earlier run."""
        if self.shard and not self._files:
            for old in self.output.glob(f"{_SHARD_PREFIX}*{SUFFIX}"):
                old.unlink()
        write_whole(self._path(self._files), self.bin.to_bytes())
        self._files += 1
        self.bin = PackedBin(attrs=self.attrs)


class Fold(NamedTuple):
    """One fold: a corpus to train a teacher on, the corpus that it labels, and how many documents the latter has."""

    train: Path
    held: Path
    docs: int


def split_folds(corpus: Path, folder: Path, *, folds: int, progress: Progress) -> List[Fold]:
    """Split a corpus so that a teacher never labels its training data: fold i mod K holds out document i.

    folder (Path): Gets `train0.spacy`, `held0.spacy`, `train1.spacy` and so on.
    folds (int): K, from 2 to 1,000, and at most the number of documents.
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


class Reservoir(Generic[_Item]):
    """A uniform sample of a stream of unknown length (algorithm R; Vitter, 1985).

    size (int): Maximum size of the sample.
    draw (Callable[[int], int]): Draws a uniform integer from 0 to n - 1, for the argument n.
    """

    def __init__(self, size: int, draw: Callable[[int], int]) -> None:
        self.size, self.seen = size, 0
        self.items: List[_Item] = []
        self._draw = draw

    def __len__(self) -> int:
        return len(self.items)

    def next_place(self) -> Optional[int]:
        """Count an item of the stream; return its place in `items`, or None if it is not sampled."""
        self.seen += 1
        place = len(self.items) if len(self.items) < self.size else int(self._draw(self.seen))
        return place if place < self.size else None


@contextmanager
def freeze_objects() -> Iterator[None]:
    """Exempt existing objects from garbage collection: libraries, pipelines and facts take long to scan."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def release_memory() -> None:
    """Return free memory to the system: glibc keeps it, ever more fragmented in a long run."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):
        pass  # another C library
