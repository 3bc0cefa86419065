"""Counts of an annotated corpus that say what it can teach, and where its annotation is suspicious."""

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import DefaultDict, Dict, Iterable, List, Sequence, Set, Tuple

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..annotations.entities import doc_entities
from ..annotations.sentences import overlaps, sentence_bounds
from ..annotations.store import can_teach, char_span, get_records, has_triples
from ..annotations.triple import CharSpan, Record
from .shards import iter_docs

# Fewer triples of a relation, or sentences with triples in a training corpus, are few to learn from.
FEW, FEW_SENTENCES = 10, 50

_SHOWN = 10

# Ends of sentences, for texts that are not split.
_END = re.compile(r"[.!?]\s+|[。！？]|\n")

NO_TYPE = "(no entity)"


@dataclass
class CorpusStatistics:
    """Counts of one corpus; `documents`, `not_annotated`, `hinted` and `repeated_texts` include unannotated documents.

    name (str): Name of the corpus.
    hinted (int): Documents not annotated, but with pairs labelled by a teacher, or triples rejected by an annotator.
    empty_documents (int): Annotated documents without a triple.
    empty_sentences (int): Sentences of annotated documents in which no argument starts.
    filled_sentences (int): Sentences in which a subject starts; texts without sentence boundaries are split roughly.
    across (Counter[str]): Triples whose arguments are in different sentences, by relation.
    lengths (Counter[int]): Arguments by their number of tokens.
    types (Dict[str, Counter[Tuple[str, str]]]): For each relation its triples by entity types of both arguments.
    overlapping (int): Triples whose subject and object share characters.
    inside_tokens (int): Arguments that do not start and end at token boundaries.
    no_token (int): Triples with an argument that covers no token.
    repeated_texts (int): Documents whose text occurred before.
    """

    name: str
    documents: int = 0
    not_annotated: int = 0
    hinted: int = 0
    empty_documents: int = 0
    sentences: int = 0
    empty_sentences: int = 0
    filled_sentences: int = 0
    tokens: int = 0
    with_entities: int = 0
    labels: "Counter[str]" = field(default_factory=Counter)
    across: "Counter[str]" = field(default_factory=Counter)
    lengths: "Counter[int]" = field(default_factory=Counter)
    types: DefaultDict[str, "Counter[Tuple[str, str]]"] = field(default_factory=lambda: defaultdict(Counter))
    overlapping: int = 0
    inside_tokens: int = 0
    no_token: int = 0
    repeated_texts: int = 0
    _texts: Set[int] = field(default_factory=set)

    @property
    def annotated(self) -> int:
        """RETURNS (int): Documents that are annotated with triples."""
        return self.documents - self.not_annotated

    @property
    def triples(self) -> int:
        """RETURNS (int): All triples."""
        return sum(self.labels.values())

    def rare(self) -> List[str]:
        """RETURNS (List[str]): Relations with fewer than ten triples, the rarest first."""
        return sorted((each for each in self.labels if self.labels[each] < FEW), key=lambda each: self.labels[each])

    def add(self, doc: Doc) -> None:
        """Count a document."""
        self.documents += 1
        records = get_records(doc, source="")
        text = hash(doc.text)
        self.repeated_texts += text in self._texts
        self._texts.add(text)
        if records is None or not has_triples(doc):
            self.not_annotated += 1
            self.hinted += can_teach(doc)
            return
        self.tokens += len(doc)
        self.empty_documents += not records
        entities = {
            (doc[start].idx, doc[end - 1].idx + len(doc[end - 1])): kind for (start, end), kind in doc_entities(doc)
        }
        self.with_entities += bool(entities)
        starts = [doc[start].idx for start, _ in sentence_bounds(doc)]
        filled: Set[int] = set()
        for record in records:
            filled |= self._add_triple(doc, record, entities, starts)
        ends = starts[1:] if doc.has_annotation("SENT_START") else [each.end() for each in _END.finditer(doc.text)]
        self.filled_sentences += len({bisect_right(ends, record["subject"][0]) for record in records})
        self.sentences += len(starts)
        self.empty_sentences += len(starts) - len(filled)

    def _add_triple(self, doc: Doc, record: Record, entities: Dict[CharSpan, str], starts: List[int]) -> Set[int]:
        """Count a triple, and return the numbers of the sentences in which its arguments start."""
        label, sides = record["relation"], (record["subject"], record["object"])
        self.labels[label] += 1
        self.types[label][entities.get(sides[0], NO_TYPE), entities.get(sides[1], NO_TYPE)] += 1
        self.overlapping += overlaps(*sides)
        spans = [char_span(doc, side) for side in sides]
        self.no_token += None in spans
        for span, side in zip(spans, sides):
            if span is not None:
                self.lengths[len(span)] += 1
                self.inside_tokens += (span.start_char, span.end_char) != side
        sentences = {max(bisect_right(starts, start) - 1, 0) for start, _ in sides}
        self.across[label] += len(sentences) > 1
        return sentences


def list_shortages(train: CorpusStatistics, held_out: Sequence[CorpusStatistics] = ()) -> List[str]:
    """List what a training corpus has too little of, and what works with less; nothing if it has no triples at all."""
    problems = []
    if 0 < train.filled_sentences < FEW_SENTENCES:
        count = f"{train.filled_sentences} sentences with triples"
        problems.append(f"{train.name}: {count} are few to learn from; label {FEW_SENTENCES} or more")
    if rare := train.rare():
        listed = _shorten([f"{label} ({train.labels[label]})" for label in rare])
        problems.append(f"{train.name}: fewer than {FEW} triples of {listed}")
    if problems:
        problems.append("Results vary with few labels; rules may help (`spacy relext init-config --have rules`)")
    for each in held_out:
        missing = sorted(set(train.labels) - set(each.labels)) if each.triples else []
        if missing:
            problems.append(f"{each.name}: no triple of {_shorten(missing)}, which {train.name} has")
    return problems


def _shorten(names: Sequence[str]) -> str:
    """Join names, the first ones."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def count_corpus(path: Path, vocab: Vocab, *, name: str = "") -> Tuple[CorpusStatistics, Iterable[Doc]]:
    """Count the documents of a corpus while they are read, by iterating over the second value."""
    statistics = CorpusStatistics(name or path.name)

    def docs() -> Iterable[Doc]:
        for doc in iter_docs(path, vocab):
            statistics.add(doc)
            yield doc

    return statistics, docs()
