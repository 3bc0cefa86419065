"""Soft labels: a teacher's logits for each pair, stored as plain values on annotated Docs and read as arrays."""

from dataclasses import dataclass, field
from typing import Callable, Dict, Iterable, List, Optional, Sequence, Set, Tuple

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc
from spacy.training import Example

from ..annotations.store import SOFT_LABELS_KEY, has_triples
from ..annotations.triple import Record
from ..errors import Errors, Warnings
from ..pairs.gold import Bools, GoldPairs, PairClass
from ..pairs.pairs import Pairs

PARTS = ("teacher", "teacher_text", "teacher_types")
_DIGITS = 5

Floats = NDArray[numpy.float32]

# Character offsets of subject and object.
_Offsets = Tuple[int, ...]


def store_soft_labels(
    docs: Sequence[Doc], pairs: Pairs, logits: Sequence[Floats], classes: Sequence[PairClass]
) -> None:
    """Write a teacher's logits onto annotated Docs, replacing earlier ones.

    docs (Sequence[Doc]): The annotated Docs, one for each Doc of the pairs.
    logits (Sequence[Floats]): Of the teacher, of its text part and of its type part. Shapes (P, R)
    classes (Sequence[PairClass]): The teacher's classes, without `no relation`.
    """
    for doc in docs:
        doc.user_data[SOFT_LABELS_KEY] = {"classes": [list(each) for each in classes], "pairs": []}
    for number, doc in enumerate(pairs.doc.tolist()):
        rows = {key: part[number] for key, part in zip(PARTS, logits)}
        docs[doc].user_data[SOFT_LABELS_KEY]["pairs"].append(_make_record(_offsets_of(pairs, number), rows))


@dataclass
class SoftLabelCount:
    """Counts of a corpus's pairs, and of those with soft labels."""

    classes: Set[PairClass] = field(default_factory=set)  # of the teacher
    stored: int = 0  # pairs with soft labels on the Docs
    matched: int = 0  # the student's pairs with soft labels
    total: int = 0  # the student's pairs

    def add(self, gold: GoldPairs) -> None:
        """Count a batch of the student's pairs."""
        labelled: List[Set[_Offsets]] = []
        for example in gold.examples:
            stored = example.reference.user_data.get(SOFT_LABELS_KEY) or {"classes": ()}
            self.classes.update(PairClass(relation, bool(backwards)) for relation, backwards in stored["classes"])
            labelled.append(_stored_offsets(example.reference))
            self.stored += len(labelled[-1])
        self.total += len(gold)
        for number, doc in enumerate(gold.pairs.doc.tolist() if any(labelled) else ()):
            self.matched += _offsets_of(gold.pairs, number) in labelled[doc]

    def check(self, labels: Sequence[str], *, name: str, where: str, warn: Callable[[str, str], None]) -> None:
        """Check that the soft labels are for the student's relations and pairs.

        labels (Sequence[str]): The student's relations.
        warn (Callable[[str, str], None]): Called with a key and a message if some pairs have none.
        RAISES (ValueError): If they are for other relations, or for none of the pairs.
        """
        if not self.stored:
            return
        _check_relations((each.relation for each in self.classes), labels, name=name)
        if not self.matched:
            raise ValueError(Errors.R415.format(total=self.total, where=where, stored=self.stored))
        if self.matched < self.total:
            missing = self.total - self.matched
            warn("soft labels", Warnings.W404.format(name=name, missing=missing, total=self.total, where=where))


def mark_taught(pairs: Pairs, examples: Sequence[Example]) -> Bools:
    """Mark the pairs with soft labels in unannotated Docs. Shape (P,)"""
    labelled = [set() if has_triples(example.reference) else _stored_offsets(example.reference) for example in examples]
    if not any(labelled):
        return numpy.zeros(len(pairs), dtype=bool)
    return numpy.asarray(
        [_offsets_of(pairs, n) in labelled[doc] for n, doc in enumerate(pairs.doc.tolist())], dtype=bool
    )


def pair_offsets(pairs: Pairs, number: int) -> Tuple[List[int], List[int]]:
    """Return the character offsets of a pair's subject and object, which identify it in any tokenization."""
    subject, obj = pairs.spans(number)
    return [subject.start_char, subject.end_char], [obj.start_char, obj.end_char]


def read_soft_labels(gold: GoldPairs, classes: Sequence[PairClass], *, name: str) -> Optional[Dict[str, Floats]]:
    """Read the soft labels of pairs.

    classes (Sequence[PairClass]): The student's classes, without `no relation`.
    RETURNS (Optional[Dict[str, Floats]]): `teacher`, `teacher_text`, `teacher_types`, logits of shape (P, R), and
        `soft_mask`, 1 for pairs with soft labels, of shape (P,); None if no Doc has any.
    RAISES (ValueError): If the teacher has other relations.
    """
    docs = [example.reference for example in gold.examples]
    if not any(SOFT_LABELS_KEY in doc.user_data for doc in docs):
        return None
    arrays = {key: numpy.zeros((len(gold), len(classes) + 1), dtype="float32") for key in PARTS}
    soft_mask = numpy.zeros(len(gold), dtype="float32")
    labels = [_index_by_offsets(doc.user_data.get(SOFT_LABELS_KEY), classes, name) for doc in docs]
    for number, doc in enumerate(gold.pairs.doc.tolist()):
        rows = labels[doc].get(_offsets_of(gold.pairs, number))
        if rows is not None:
            soft_mask[number] = 1.0
            for key in PARTS:
                arrays[key][number] = rows[key]
    return {**arrays, "soft_mask": soft_mask}


def _stored_offsets(doc: Doc) -> Set[_Offsets]:
    """Return the keys of a Doc's soft labels."""
    stored = doc.user_data.get(SOFT_LABELS_KEY) or {"pairs": ()}
    return {(*record["subject"], *record["object"]) for record in stored["pairs"]}


def _offsets_of(pairs: Pairs, number: int) -> _Offsets:
    """Return the key of a pair's soft labels."""
    subject, obj = pair_offsets(pairs, number)
    return (*subject, *obj)


def _check_relations(relations: Iterable[str], expected: Iterable[str], *, name: str) -> None:
    """Raise an error that lists both sets of relations, unless they are equal."""
    given, wanted = set(relations), set(expected)
    if given != wanted:
        listed = {"found": ", ".join(sorted(given)) or "none", "expected": ", ".join(sorted(wanted)) or "none"}
        raise ValueError(Errors.R401.format(**listed, name=name))


def _make_record(offsets: _Offsets, rows: Dict[str, Floats]) -> Record:
    """Turn the logits of one pair into plain values."""
    parts = {key: [round(float(value), _DIGITS) for value in row] for key, row in rows.items()}
    return {"subject": list(offsets[:2]), "object": list(offsets[2:]), **parts}


def _index_by_offsets(
    stored: Optional[Record], classes: Sequence[PairClass], name: str
) -> Dict[_Offsets, Dict[str, Floats]]:
    """Index a Doc's soft labels by their offsets, with the logits in the order of `classes`."""
    if stored is None:
        return {}
    theirs = [PairClass(relation, bool(backwards)) for relation, backwards in stored["classes"]]
    _check_relations((each.relation for each in theirs), (each.relation for each in classes), name=name)
    # a class that the teacher lacks (a direction without training instances) gets its lowest logit
    order = [0, *(theirs.index(each) + 1 if each in theirs else -1 for each in classes)]
    labels = {}
    for record in stored["pairs"]:
        logits = {key: numpy.asarray(record[key], dtype="float32") for key in PARTS}
        rows = {key: numpy.append(row, row.min())[order] for key, row in logits.items()}
        labels[(*record["subject"], *record["object"])] = rows
    return labels
