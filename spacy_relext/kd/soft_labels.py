"""What a teacher said of each pair, as plain values on the annotated Doc, and back as arrays for the student."""

from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Set, Tuple

import numpy
from spacy.tokens import Doc

from ..errors import Errors, Warnings
from ..pairs.gold import GoldPairs, PairClass
from ..pairs.pairs import Pairs

TEACHER_KEY = "relext_teacher"

PARTS = ("teacher", "teacher_text", "teacher_types")

_DIGITS = 5


def store_soft_labels(docs: Sequence[Doc], pairs: Pairs, logits: Sequence[Any], classes: Sequence[PairClass]) -> None:
    """Write a teacher's logits onto annotated Docs, replacing what was there.

    docs (Sequence[Doc]): The annotated Docs, one for each Doc of the pairs.
    pairs (Pairs): The pairs.
    logits (Sequence[Any]): Of the teacher, of its text part and of its type part. Shapes (P, R)
    classes (Sequence[PairClass]): The teacher's classes, without `no relation`.
    """
    named = [list(each) for each in classes]
    for doc in docs:
        doc.user_data[TEACHER_KEY] = {"classes": named, "pairs": []}
    for number, doc in enumerate(pairs.doc.tolist()):
        record: Dict[str, Any] = dict(zip(("subject", "object"), pair_offsets(pairs, number)))
        for key, part in zip(PARTS, logits):
            record[key] = [round(float(value), _DIGITS) for value in part[number]]
        docs[doc].user_data[TEACHER_KEY]["pairs"].append(record)


@dataclass
class SoftLabelCount:
    """What the soft labels of a corpus are for.

    relations (Set[str]): Of the teachers.
    stored (int): Pairs that have soft labels on the Docs.
    fitting (int): Pairs of the student that have some.
    total (int): Pairs of the student.
    """

    relations: Set[str] = field(default_factory=set)
    stored: int = 0
    fitting: int = 0
    total: int = 0

    def add(self, gold: GoldPairs) -> None:
        """Count a batch.

        gold (GoldPairs): The student's pairs.
        """
        known: List[Set[Tuple[int, ...]]] = []
        for example in gold.examples:
            stored = example.reference.user_data.get(TEACHER_KEY) or {"classes": (), "pairs": ()}
            self.relations.update(str(relation) for relation, _ in stored["classes"])
            self.stored += len(stored["pairs"])
            known.append({(*record["subject"], *record["object"]) for record in stored["pairs"]})
        self.total += len(gold)
        for number, doc in enumerate(gold.pairs.doc.tolist() if any(known) else ()):
            subject, obj = pair_offsets(gold.pairs, number)
            self.fitting += (*subject, *obj) in known[doc]

    def check(self, labels: Sequence[str], *, name: str, where: str, warn: Callable[[str, str], None]) -> None:
        """Say where soft labels do not fit.

        labels (Sequence[str]): The student's relations.
        name (str): The student.
        where (str): The corpus.
        warn (Callable[[str, str], None]): Gets a key and a message.
        RAISES (ValueError): Where they are of other relations, or for none of the pairs.
        """
        if not self.stored:
            return
        _check_relations(self.relations, labels, Errors.R401, name=name)
        if not self.fitting:
            raise ValueError(Errors.R415.format(total=self.total, where=where, stored=self.stored))
        if self.fitting < self.total:
            missing = self.total - self.fitting
            warn("soft labels", Warnings.W404.format(name=name, missing=missing, total=self.total, where=where))


def fit_temperature(logits: Any, classes: Any) -> float:
    """Find the temperature T that makes softmax(logits / T) most likely for the gold, between 0.1 and 10.

    logits (NDArray): Shape (P, R)
    classes (NDArray): Gold. Shape (P,)
    RETURNS (float): T.
    """

    def cost(log_t: float) -> float:
        scaled = numpy.asarray(logits, dtype="float64") / numpy.exp(log_t)
        return float((numpy.logaddexp.reduce(scaled, axis=1) - scaled[numpy.arange(len(classes)), classes]).mean())

    low, high = numpy.log(0.1), numpy.log(10.0)
    ratio = (5**0.5 - 1) / 2  # golden section: in 1 / T, and so along any monotone scale of it, there is one minimum
    for _ in range(40):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if cost(left) < cost(right) else (left, high)
    return float(numpy.exp((low + high) / 2))


def average_soft_labels(docs: Sequence[Sequence[Doc]], *, weights: Optional[Sequence[float]] = None) -> None:
    """Put the mean of what several teachers said of a text onto the first teacher's Docs.

    Probabilities are averaged, of the teacher and of each of its parts, and their logarithms are what is stored: a
    sum of logits would let the loudest teacher speak for all.

    docs (Sequence[Sequence[Doc]]): For each teacher, the annotated Docs it wrote onto, in the same order.
    weights (Optional[Sequence[float]]): How much each teacher counts, in any unit; None: all the same.
    RAISES (ValueError): Where they do not know the same classes.
    """
    shares = [1.0] * len(docs) if weights is None else list(weights)
    for same in zip(*docs):
        stored = [doc.user_data[TEACHER_KEY] for doc in same]
        classes = [PairClass(*each) for each in stored[0]["classes"]]
        for other in stored[1:]:
            theirs = [PairClass(*each) for each in other["classes"]]
            _check_relations(_relations(theirs), _relations(classes), Errors.R412)
            classes += [each for each in theirs if each not in classes]
        said = [_by_offsets(each, classes, "") for each in stored]
        stored[0]["classes"] = [list(each) for each in classes]
        offsets = dict.fromkeys(key for each in said for key in each)  # in the first teacher's order
        stored[0]["pairs"] = [
            _mean_record(key, [(each[key], share) for each, share in zip(said, shares) if key in each])
            for key in offsets
        ]


def _relations(classes: Sequence[PairClass]) -> Set[str]:
    """Names of the relations of classes, whatever their direction."""
    return {each.relation for each in classes}


def _check_relations(found: Iterable[str], expected: Iterable[str], message: str, **about: str) -> None:
    """Raise a message that names both, unless they are the same."""
    if set(found) != set(expected):
        names = [", ".join(sorted(group)) or "none" for group in (found, expected)]
        raise ValueError(message.format(found=names[0], expected=names[1], **about))


def _mean_record(offsets: Tuple[int, ...], said: Sequence[Tuple[Dict[str, Any], float]]) -> Dict[str, Any]:
    """Average what was said of one pair, each with its weight."""
    record: Dict[str, Any] = {"subject": list(offsets[:2]), "object": list(offsets[2:])}
    shares = numpy.log(numpy.asarray([share for _, share in said], dtype="float64"))
    shares -= numpy.logaddexp.reduce(shares)
    for key in PARTS:
        logits = numpy.stack([each[key] for each, _ in said]).astype("float64")  # (teachers, R)
        logs = logits - numpy.logaddexp.reduce(logits, axis=1, keepdims=True)
        mean = numpy.logaddexp.reduce(logs + shares[:, None], axis=0)
        record[key] = [round(float(value), _DIGITS) for value in mean]
    return record


def pair_offsets(pairs: Pairs, number: int) -> Tuple[List[int], List[int]]:
    """Characters of a pair's arguments: what a pair is known by.

    pairs (Pairs): The pairs.
    number (int): Which.
    RETURNS (Tuple[List[int], List[int]]): Of subject and object.
    """
    subject, obj = pairs.spans(number)
    return [subject.start_char, subject.end_char], [obj.start_char, obj.end_char]


def read_soft_labels(gold: GoldPairs, classes: Sequence[PairClass], *, name: str) -> Optional[Dict[str, Any]]:
    """Find what a teacher said of each pair.

    gold (GoldPairs): The pairs.
    classes (Sequence[PairClass]): The student's classes, without `no relation`, in its order.
    name (str): The student, for messages.
    RETURNS (Optional[Dict[str, Any]]): `teacher`, `teacher_text`, `teacher_types`, logits of shape (P, R), and
        `taught`, 1 where the teacher saw the pair, of shape (P,); None where no Doc has soft labels.
    RAISES (ValueError): Where the teacher has other classes.
    """
    docs = [example.reference for example in gold.examples]
    if not any(TEACHER_KEY in doc.user_data for doc in docs):
        return None
    shape = (len(gold), len(classes) + 1)
    found = {key: numpy.zeros(shape, dtype="float32") for key in PARTS}
    taught = numpy.zeros(len(gold), dtype="float32")
    said = [_by_offsets(doc.user_data.get(TEACHER_KEY), classes, name) for doc in docs]
    for number, doc in enumerate(gold.pairs.doc.tolist()):
        subject, obj = pair_offsets(gold.pairs, number)
        record = said[doc].get((*subject, *obj))
        if record is not None:
            taught[number] = 1.0
            for key in PARTS:
                found[key][number] = record[key]
    return {**found, "taught": taught}


def _by_offsets(
    stored: Optional[Dict[str, Any]], classes: Sequence[PairClass], name: str
) -> Dict[Tuple[int, ...], Dict[str, Any]]:
    """Index a Doc's soft labels by their arguments, their classes in the student's order."""
    if stored is None:
        return {}
    theirs = [PairClass(relation, bool(backwards)) for relation, backwards in stored["classes"]]
    _check_relations(_relations(theirs), _relations(classes), Errors.R401, name=name)
    # A direction that the teacher has never seen, because it is rare, is as unlikely as its least likely class.
    order = [0, *(theirs.index(each) + 1 if each in theirs else -1 for each in classes)]
    records = {}
    for record in stored["pairs"]:
        logits = {key: numpy.asarray(record[key], dtype="float32") for key in PARTS}
        parts = {key: numpy.append(row, row.min())[order] for key, row in logits.items()}
        records[(*record["subject"], *record["object"])] = parts
    return records
