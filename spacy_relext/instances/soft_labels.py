"""What a teacher said of each pair, as plain values on the annotated Doc, and back as arrays for the student."""

from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy
from spacy.tokens import Doc

from ..errors import Errors
from .pair_classes import GoldPairs, PairClass
from .pairs import Pairs

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


def average_soft_labels(docs: Sequence[Sequence[Doc]]) -> None:
    """Put the mean of what several teachers said of a text onto the first teacher's Docs.

    Probabilities are averaged, of the teacher and of each of its parts, and their logarithms are what is stored: a
    sum of logits would let the loudest teacher speak for all.

    docs (Sequence[Sequence[Doc]]): For each teacher, the annotated Docs it wrote onto, in the same order.
    RAISES (ValueError): Where they do not know the same classes.
    """
    for same in zip(*docs):
        stored = [doc.user_data[TEACHER_KEY] for doc in same]
        classes = [PairClass(*each) for each in stored[0]["classes"]]
        for other in stored[1:]:
            theirs = [PairClass(*each) for each in other["classes"]]
            if set(theirs) != set(classes):
                names = [", ".join(sorted({each.relation for each in group})) or "none" for group in (theirs, classes)]
                raise ValueError(Errors.R412.format(found=names[0], expected=names[1]))
        said = [_by_offsets(doc, classes, "") for doc in same]
        offsets = dict.fromkeys(key for each in said for key in each)  # in the first teacher's order
        stored[0]["pairs"] = [_mean_record(key, [each[key] for each in said if key in each]) for key in offsets]


def _mean_record(offsets: Tuple[int, ...], said: Sequence[Dict[str, Any]]) -> Dict[str, Any]:
    """Average what was said of one pair."""
    record: Dict[str, Any] = {"subject": list(offsets[:2]), "object": list(offsets[2:])}
    for key in PARTS:
        logits = numpy.stack([each[key] for each in said]).astype("float64")  # (teachers, R)
        logs = logits - numpy.logaddexp.reduce(logits, axis=1, keepdims=True)
        mean = numpy.logaddexp.reduce(logs, axis=0) - numpy.log(len(said))
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
    said = [_by_offsets(doc, classes, name) for doc in docs]
    for number, doc in enumerate(gold.pairs.doc.tolist()):
        subject, obj = pair_offsets(gold.pairs, number)
        record = said[doc].get((*subject, *obj))
        if record is not None:
            taught[number] = 1.0
            for key in PARTS:
                found[key][number] = record[key]
    return {**found, "taught": taught}


def _by_offsets(doc: Doc, classes: Sequence[PairClass], name: str) -> Dict[Tuple[int, ...], Dict[str, Any]]:
    """Index a Doc's soft labels by their arguments, their classes in the student's order."""
    stored = doc.user_data.get(TEACHER_KEY)
    if stored is None:
        return {}
    theirs = [PairClass(relation, bool(backwards)) for relation, backwards in stored["classes"]]
    if set(theirs) != set(classes):
        names = [", ".join(sorted({each.relation for each in group})) or "none" for group in (theirs, classes)]
        raise ValueError(Errors.R401.format(name=name, found=names[0], expected=names[1]))
    order = [0, *(theirs.index(each) + 1 for each in classes)]
    records = {}
    for record in stored["pairs"]:
        parts = {key: numpy.asarray(record[key], dtype="float32")[order] for key in PARTS}
        records[(*record["subject"], *record["object"])] = parts
    return records
