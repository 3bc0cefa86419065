"""Corpora on disk: one .spacy file, or a folder of them, written and read one file at a time."""

import os
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Dict, Optional, Sequence, Set, Type, Union

import numpy as np
from spacy.attrs import ENT_KB_ID, ENT_TYPE, ORTH
from spacy.tokens import Doc, DocBin
from srsly.msgpack import Packer

from ..errors import Errors
from .packing import SUFFIX

if TYPE_CHECKING:
    from .blocks import TextBlock

_SHARD_PREFIX = "part-"


class PackedBin(DocBin):
    """A DocBin that packs the user data of all Docs with one packer.

    `DocBin.add` makes one for each Doc, and each of them looks for encoders in all installed packages: most of the time
    of writing a corpus.
    """

    def add(self, doc: Doc) -> None:
        """Add a Doc.

        doc (Doc): The document.
        """
        self.store_user_data = False
        super().add(doc)
        self.store_user_data = True
        self._pack(doc.user_data)

    def add_block(self, block: "TextBlock", part: range) -> None:
        """Add Docs that are arrays of attributes, which must be those of this file.

        block (TextBlock): The documents.
        part (range): Which of them.
        """
        if not hasattr(self, "_hashes"):
            self._hashes: Set[int] = set()
        for number in part:
            start, end = block.bounds[number : number + 2]
            self.tokens.append(block.tokens[start:end])
            self.spaces.append(block.spaces[start:end])
            self.cats.append(block.cats[number])
            self.flags.append(block.flags[number])
            self.span_groups.append(block.groups[number])
            self._pack(block.user_data[number])
        rows = slice(block.bounds[part.start], block.bounds[part.stop])
        named = [column for column, attr in enumerate(self.attrs) if attr in (ORTH, ENT_TYPE, ENT_KB_ID)]
        new = set(np.unique(block.tokens[rows, named]).tolist()) - self._hashes
        self._hashes |= new
        self.strings.update(block.strings, [block.lengths.strings[key] for key in new])

    def _pack(self, user_data: Dict[Any, Any]) -> None:
        """Pack the user data of a Doc."""
        if not hasattr(self, "_packer"):
            self._packer = Packer(use_bin_type=True)
        self.user_data.append(self._packer.pack(user_data))


class ShardWriter:
    """Writes Docs with their user data to a .spacy file, or to a folder of files of at most `shard` Docs each.

    A file appears under its name only when it is whole; after an error, a corpus that stood there before is unchanged
    (single file) or gone (folder).

    output (Path): The file, or the folder where `shard` is given.
    shard (int): Docs per file; 0 writes one file.
    attrs (Optional[Sequence[str]]): Token attributes to write; None for all that spaCy stores.
    RAISES (ValueError): Where the output cannot be a corpus.
    """

    def __init__(self, output: Path, *, shard: int = 0, attrs: Optional[Sequence[Union[str, int]]] = None) -> None:
        self.output = output
        self.shard = shard
        self.attrs = attrs
        self.docs = 0
        self._files = 0
        self._bin = self._new_bin()
        if shard < 0:
            raise ValueError(Errors.R107.format(option="--shard", found=shard, expected="0 or more documents"))
        if not shard and (output.suffix != SUFFIX or output.is_dir()):
            raise ValueError(Errors.R104.format(path=str(output)))
        if shard:
            self._check_folder()

    def add(self, doc: Doc) -> None:
        """Add a Doc.

        doc (Doc): The document.
        """
        self._bin.add(doc)
        self._count(1)

    def add_block(self, block: "TextBlock") -> None:
        """Add Docs that are arrays of attributes; `attrs` must be `GOLD_ATTRS`.

        block (TextBlock): The documents.
        """
        start, total = 0, len(block.user_data)
        while start < total:
            end = min(total, start + self.shard - len(self._bin)) if self.shard else total
            self._bin.add_block(block, range(start, end))
            self._count(end - start)
            start = end

    def _count(self, docs: int) -> None:
        """Count Docs, and write a shard where one is full."""
        self.docs += docs
        if self.shard and len(self._bin) >= self.shard:
            self._write_shard()

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if kind is not None or not self.docs:
            return
        if not self.shard:
            _write_whole(self._bin, self.output)
        elif len(self._bin):
            self._write_shard()

    def _new_bin(self) -> PackedBin:
        """Make an empty DocBin."""
        if self.attrs is None:
            return PackedBin(store_user_data=True)
        return PackedBin(attrs=list(self.attrs), store_user_data=True)  # type: ignore[arg-type]

    def _check_folder(self) -> None:
        """Refuse a folder in which other corpora would be mixed with this one."""
        if self.output.is_file():
            raise ValueError(Errors.R104.format(path=str(self.output)))
        others = [p.name for p in self.output.glob(f"*{SUFFIX}") if not p.name.startswith(_SHARD_PREFIX)]
        if others:
            raise ValueError(Errors.R106.format(path=str(self.output), found=", ".join(sorted(others)[:3])))

    def _write_shard(self) -> None:
        """Write the Docs gathered so far, after removing what an earlier run left in the folder."""
        if not self._files:
            for old in self.output.glob(f"{_SHARD_PREFIX}*{SUFFIX}"):
                old.unlink()
        _write_whole(self._bin, self.output / f"{_SHARD_PREFIX}{self._files:05d}{SUFFIX}")
        self._files += 1
        self._bin = self._new_bin()


def _write_whole(doc_bin: DocBin, path: Path) -> None:
    """Write to a temporary name first, so that an interruption leaves no half file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    try:
        doc_bin.to_disk(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
