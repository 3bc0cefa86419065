"""The Docs of a corpus as arrays, a few hundred at a time, to read and write a few attributes of many texts.

Making a Doc and serializing it again takes longer than finding the names in it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, FrozenSet, Iterator, List, Sequence, Set, Tuple

import numpy
import srsly
from numpy.typing import NDArray
from spacy.attrs import ENT_KB_ID, ENT_TYPE, HEAD, ORTH, SPACY, intify_attr
from spacy.strings import StringStore
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..annotations.triple import Record
from ..errors import Errors
from .damage import refuse_damage
from .shards import (
    GOLD_ATTRS,
    UNPACKED,
    Shard,
    ShardWriter,
    add_strings,
    list_shards,
    load_shard,
    make_docs,
    unpack_user_data,
)

# In the order of DocBin: the token's text first.
ATTRS = (ORTH, *sorted(attr for attr in map(intify_attr, GOLD_ATTRS) if attr not in (ORTH, SPACY)))
_COLUMNS = (ATTRS.index(intify_attr(name)) for name in ("SENT_START", "ENT_IOB", "ENT_TYPE", "ENT_KB_ID"))
_SENT_START, _IOB, _TYPE, _LINK = _COLUMNS
# Values of ENT_IOB.
_INSIDE, _OUTSIDE, _BEGIN = 1, 2, 3
# No span groups, packed.
_NO_GROUPS = srsly.msgpack_dumps([])


class WordLengths(Dict[int, int]):
    """Hash of a string → its length in characters."""

    def __init__(self, strings: StringStore) -> None:
        self.strings = strings

    def __missing__(self, key: int) -> int:
        self[key] = length = len(self.strings[key])
        return length


@dataclass
class TextBlock:
    """Some Docs, one after another; `user_data`, `cats`, `flags` and `groups` have a value for each."""

    # The attributes `ATTRS` of each token. Shape (T, len(ATTRS))
    tokens: NDArray[numpy.uint64]
    # Whether a space follows. Shape (T, 1)
    spaces: NDArray[numpy.bool_]
    # First token of each text, then the total number of tokens.
    bounds: List[int]
    user_data: List[Record]
    cats: List[Dict[str, float]]
    # As DocBin stores them.
    flags: List[Dict[str, bool]]
    # Span groups of each Doc, packed.
    groups: List[bytes]
    # Lengths of the tokens' texts; has their strings too.
    lengths: WordLengths
    # Strings of the span groups.
    strings: FrozenSet[str] = frozenset()

    def words(self) -> List[int]:
        """List the hashes of the tokens' texts."""
        return list(self.tokens[:, 0].tolist())

    def sentence_bounds(self) -> List[int]:
        """List the first token of each sentence, then the number of tokens; a text without marks is one sentence."""
        marks = numpy.zeros(len(self.tokens) + 1, dtype=bool)
        marks[:-1] = self.tokens[:, _SENT_START] == 1
        marks[self.bounds] = True
        return list(numpy.flatnonzero(marks).tolist())

    def linked_entities(self) -> List[Tuple[int, int, str]]:
        """List first token, exclusive end and `kb_id_` of the entities that have a label."""
        links: List[Tuple[int, int, str]] = []
        firsts, inside = set(self.bounds), False
        for at, (iob, label, link) in enumerate(self.tokens[:, [_IOB, _TYPE, _LINK]].tolist()):
            if iob == _BEGIN and label:
                links.append((at, at + 1, self.lengths.strings[link]))
                inside = True
            elif iob == _INSIDE and inside and at not in firsts:
                links[-1] = (links[-1][0], at + 1, links[-1][2])
            else:
                inside = False
        return links

    def char_offsets(self) -> Tuple[List[int], List[int]]:
        """List the start and the exclusive end of each token, in characters of its text."""
        total = len(self.tokens)
        lengths = numpy.fromiter(map(self.lengths.__getitem__, self.words()), dtype=numpy.int64, count=total)
        starts = numpy.zeros(total + 1, dtype=numpy.int64)
        numpy.cumsum(lengths + self.spaces[:, 0], out=starts[1:])
        starts = starts[:-1] - numpy.repeat(starts[self.bounds[:-1]], numpy.diff(self.bounds))
        return starts.tolist(), (starts + lengths).tolist()

    def set_entities(self, entities: Sequence[Tuple[int, int, int, int]]) -> None:
        """Replace all entities.

        entities (Sequence[Tuple[int, int, int, int]]): First token, exclusive end, and hashes of label and `kb_id`.
        """
        self.tokens[:, _IOB] = _OUTSIDE
        self.tokens[:, [_TYPE, _LINK]] = 0
        if entities:
            starts, ends, labels, links = numpy.asarray(entities, dtype=numpy.uint64).T
            sizes = (ends - starts).astype(numpy.int64)
            firsts = numpy.cumsum(sizes) - sizes
            inside = numpy.repeat(starts.astype(numpy.int64) - firsts, sizes) + numpy.arange(sizes.sum())
            self.tokens[inside, _IOB] = _INSIDE
            self.tokens[inside[firsts], _IOB] = _BEGIN
            self.tokens[inside, _TYPE] = numpy.repeat(labels, sizes)
            self.tokens[inside, _LINK] = numpy.repeat(links, sizes)


def block_of(docs: Sequence[Doc], lengths: WordLengths) -> TextBlock:
    """Make a block of one or more Docs; tokens are copied, user data and categories are shared with the Docs."""
    spans = (span for doc in docs for group in doc.spans.values() for span in group)
    return TextBlock(
        tokens=numpy.concatenate([doc.to_array(list(ATTRS)).reshape(len(doc), len(ATTRS)) for doc in docs]),
        spaces=numpy.concatenate([doc.to_array(SPACY).astype(bool).reshape(len(doc), 1) for doc in docs]),
        bounds=numpy.cumsum([0, *map(len, docs)]).tolist(),
        user_data=[doc.user_data for doc in docs],
        cats=[doc.cats for doc in docs],
        flags=[{"has_unknown_spaces": doc.has_unknown_spaces} for doc in docs],
        groups=[doc.spans.to_bytes() for doc in docs],
        lengths=lengths,
        strings=frozenset(name for span in spans for name in (span.label_, span.kb_id_, span.id_)),
    )


def iter_blocks(path: Path, vocab: Vocab) -> Iterator[TextBlock]:
    """Read the Docs of a .spacy file or a folder of them, one file at a time; strings are added to the vocabulary."""
    for shard in list_shards(path):
        content, lengths = load_shard(shard), WordLengths(vocab.strings)
        # only Docs derive sentences from a parse, and give the strings of span groups, which must be kept
        if HEAD in content.attrs or any(each not in (b"", _NO_GROUPS) for each in content.span_groups):
            docs = make_docs(content, vocab)
            while some := [doc for doc, _ in zip(docs, range(UNPACKED))]:
                yield block_of(some, lengths)
        else:
            add_strings(content, vocab)
            for start in range(0, len(content), UNPACKED):
                with refuse_damage(shard, message=Errors.R112):
                    block = _part(content, slice(start, start + UNPACKED), lengths)
                yield block


class BlockWriter(ShardWriter):
    """Writes blocks as `ShardWriter` writes Docs; `attrs` must be `GOLD_ATTRS`."""

    def add_block(self, block: TextBlock) -> None:
        """Add the Docs of a block."""
        start, total = 0, len(block.user_data)
        while start < total:
            end = min(total, start + self.shard - len(self.bin)) if self.shard else total
            content = self.bin
            for number in range(start, end):
                tokens = slice(*block.bounds[number : number + 2])
                content.tokens.append(block.tokens[tokens])
                content.spaces.append(block.spaces[tokens])
                content.pack_user_data(block.user_data[number])
            content.cats += block.cats[start:end]
            content.flags += block.flags[start:end]
            content.span_groups += block.groups[start:end]
            tokens = slice(block.bounds[start], block.bounds[end])
            named = [column for column, attr in enumerate(content.attrs) if attr in (ORTH, ENT_TYPE, ENT_KB_ID)]
            new: Set[int] = set(numpy.unique(block.tokens[tokens, named]).tolist()) - content.hashes
            content.hashes |= new
            content.strings.update(block.strings, [block.lengths.strings[key] for key in new])
            self.count(end - start)
            start = end


def _part(content: Shard, part: slice, lengths: WordLengths) -> TextBlock:
    """Make a block of some texts of a file without making Docs."""
    values = numpy.concatenate(content.tokens[part])
    tokens = numpy.zeros((len(values), len(ATTRS)), dtype=numpy.uint64)
    for at, attr in enumerate(content.attrs):
        if attr in ATTRS:
            tokens[:, ATTRS.index(attr)] = values[:, at]
    flags = content.flags[part]
    unknown = zip(content.spaces[part], flags)
    return TextBlock(
        tokens=tokens,
        spaces=numpy.concatenate([spaces | flag.get("has_unknown_spaces", False) for spaces, flag in unknown]),
        bounds=numpy.cumsum([0, *map(len, content.tokens[part])]).tolist(),
        user_data=list(unpack_user_data(content.user_data[part], path=content.path, start=part.start)),
        cats=content.cats[part],
        flags=flags,
        groups=[_NO_GROUPS] * len(flags),
        lengths=lengths,
    )
