"""Docs packed for disk: which attributes are saved, and shards of a DocBin in one folder."""

from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, cast

import srsly
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ..errors import Errors

SUFFIX = ".spacy"

# What a corpus without a pipeline's annotation can hold; the other attributes would be columns of zeros.
GOLD_ATTRS = ("ORTH", "SPACY", "SENT_START", "ENT_IOB", "ENT_TYPE", "ENT_KB_ID")

# Docs whose user data is unpacked at once; below 2**16, the most that the header of `unpack_user_data` can count.
UNPACKED = 512


def list_shards(path: Path) -> List[Path]:
    """List the files of a corpus.

    path (Path): A .spacy file, or a folder; sub-folders are searched too, names that start with "." are not.
    RETURNS (List[Path]): In the order of their names.
    RAISES (ValueError): Where there is none.
    """
    if path.is_file():
        return [path]
    files = sorted(p for p in path.rglob(f"*{SUFFIX}") if p.is_file())
    shards = [p for p in files if not any(part.startswith(".") for part in p.relative_to(path).parts)]
    if not shards:
        raise ValueError(Errors.R111.format(path=str(path)))
    return shards


def load_shard(path: Path) -> DocBin:
    """Load one file; its Docs are made when they are asked for.

    path (Path): A .spacy file.
    RETURNS (DocBin): Its content.
    RAISES (ValueError): Where it is no such file.
    """
    try:
        return DocBin(store_user_data=True).from_disk(path)
    except (ValueError, KeyError, TypeError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(Errors.R112.format(path=str(path), reason=reason)) from None


def make_docs(content: DocBin, vocab: Vocab) -> Iterator[Doc]:
    """Make the Docs of a loaded file.

    `DocBin.get_docs` unpacks the user data of every Doc by a call of its own, and each of these calls looks for
    decoders in all installed packages: more than half the time of reading a corpus. Here many Docs share a call.

    content (DocBin): The file's content; its user data is taken out.
    vocab (Vocab): The vocabulary of the Docs.
    YIELDS (Doc): The Docs, in their order.
    """
    packed, content.user_data = content.user_data, []
    docs = content.get_docs(vocab)
    for start in range(0, len(packed), UNPACKED):
        for values, doc in zip(unpack_user_data(packed[start : start + UNPACKED]), docs):
            doc.user_data.update(values)
            yield doc


def reorder(doc_bin: DocBin, order: Sequence[int]) -> DocBin:
    """Choose and reorder the Docs of a file before they are made.

    doc_bin (DocBin): Changed in place.
    order (Sequence[int]): Numbers of the Docs to keep, in the new order.
    RETURNS (DocBin): The same object.
    """
    for name in ("tokens", "spaces", "cats", "span_groups", "flags", "user_data"):
        values = getattr(doc_bin, name)
        setattr(doc_bin, name, [values[number] for number in order])
    return doc_bin


def iter_docs(path: Path, vocab: Vocab) -> Iterator[Doc]:
    """Read the Docs of a corpus, one file at a time.

    path (Path): A .spacy file, or a folder of them.
    vocab (Vocab): The vocabulary of the Docs.
    YIELDS (Doc): In the order of the files.
    """
    for shard in list_shards(path):
        yield from make_docs(load_shard(shard), vocab)


def unpack_user_data(packed: Sequence[Optional[bytes]]) -> Sequence[Dict[Any, Any]]:
    """Unpack maps together: an array is its header (0xdc, two bytes for the length) and then its elements in msgpack.

    packed (Sequence[Optional[bytes]]): Each in msgpack; None where a Doc has no user data.
    RETURNS (Sequence[Dict[Any, Any]]): The maps.
    """
    nothing = b"\x80"
    data = b"\xdc" + len(packed).to_bytes(2, "big") + b"".join(nothing if each is None else each for each in packed)
    return cast(Sequence[Dict[Any, Any]], srsly.msgpack_loads(data, use_list=False))
