"""Which texts to annotate next: pool-based active learning by uncertainty, by disagreement or at random."""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from spacy.language import Language
from spacy.tokens import Doc

from ..annotations.sentences import overlaps
from ..annotations.store import get_records
from ..annotations.triple import Record
from ..corpora.overlap import Shingles, is_near, make_shingles
from .pipe import list_near_misses, threshold_of

# How a pool of texts is ordered.
ORDERS = ("uncertainty", "disagreement", "random")


class Informativeness(NamedTuple):
    """How much the annotation of a Doc is expected to teach.

    score (float): At least 0; only its order within a pool is meaningful.
    relation (str): The relation that contributes most to it; "" if none does.
    reason (str): That contribution, as a clause.
    """

    score: float
    relation: str = ""
    reason: str = ""


def measure_uncertainty(nlp: Language, doc: Doc, *, weights: Mapping[str, float]) -> Informativeness:
    """Sum how close the score of each possible triple is to its threshold.

    A possible triple with score s and threshold t counts s / t if it is not stated and (1 - s) / (1 - t) if it is, at
    most 1: 1 at the threshold, 0 where the pipeline is sure. Long texts have more of them, and so are preferred.

    doc (Doc): Annotated by the pipeline.
    weights (Mapping[str, float]): Factor of each relation; 1 for others.
    """
    terms = []
    for record in get_records(doc) or ():
        relation, threshold = record["relation"], threshold_of(nlp, record["source"], record["relation"])
        nearness = (1 - record["score"]) / max(1 - threshold, 1e-6)
        text = f"states it with {record['score']:.3f}, threshold {threshold:.3f}"
        terms.append((weights.get(relation, 1.0) * min(1.0, nearness), relation, text))
    for miss in list_near_misses(nlp, doc):
        if miss.stopped_by != "constraints":
            nearness = miss.score / max(miss.threshold, 1e-6)
            text = f"nearly states it: {miss.score:.3f}, threshold {miss.threshold:.3f}"
            terms.append((weights.get(miss.relation, 1.0) * min(1.0, nearness), miss.relation, text))
    return _sum(terms)


def measure_disagreement(records: Sequence[Record], others: Sequence[Record]) -> Informativeness:
    """Sum the scores of the triples that only one of two pipelines states.

    Two triples are the same if their relations are, and their arguments overlap.

    records, others (Sequence[Record]): Triples as from `get_records`, of one text.
    """
    terms = []
    for own, rival, text in ((records, others, "only the first"), (others, records, "only the second")):
        for record in own:
            if not any(_is_same(record, each) for each in rival):
                terms.append((record["score"], record["relation"], f"{text} states it, with {record['score']:.3f}"))
    return _sum(terms)


def disagreement_of_sources(doc: Doc) -> Informativeness:
    """Compare the triples of the first component of a pipeline that has stated some with those of all others."""
    records = get_records(doc) or []
    first = records[0]["source"] if records else ""
    return measure_disagreement(
        [record for record in records if record["source"] == first],
        [record for record in records if record["source"] != first],
    )


def weight_relations(counts: Mapping[str, int], relations: Iterable[str]) -> Dict[str, float]:
    """Give relations with few annotated triples more weight: √((1 + mean) / (1 + n)), at most 3.

    counts (Mapping[str, int]): Annotated triples of each relation.
    relations (Iterable[str]): All that a pipeline knows.
    """
    known = sorted({*counts, *relations})
    mean = sum(counts.values()) / max(1, len(known))
    return {each: min(3.0, ((1 + mean) / (1 + counts.get(each, 0))) ** 0.5) for each in known}


def measure(
    nlp: Language, doc: Doc, *, by: str, weights: Mapping[str, float], other: Optional[Doc] = None
) -> Informativeness:
    """Measure how informative a Doc is.

    doc (Doc): Annotated by the pipeline; need not be for "random".
    by (str): One of `ORDERS`.
    weights (Mapping[str, float]): Factor of each relation, for "uncertainty".
    other (Optional[Doc]): The same text, annotated by the second pipeline, for "disagreement". Without it, the
        components of the first are compared.
    """
    if by == "uncertainty":
        return measure_uncertainty(nlp, doc, weights=weights)
    if by == "disagreement":
        if other is None:
            return disagreement_of_sources(doc)
        return measure_disagreement(get_records(doc) or [], get_records(other) or [])
    return Informativeness(0.0)


@dataclass
class Selection:
    """Chooses texts of a pool: the most informative first, no near duplicates of chosen or annotated ones.

    Two texts are near duplicates by their shingles of three words (`corpora.overlap.is_near`).

    limit (int): Texts to choose.
    quota (int): Maximum number of texts with the same main relation (`Informativeness.relation`); 0: no limit.
    seed (int): Seed for the order of texts that are equally informative.
    """

    limit: int
    quota: int = 0
    seed: int = 0
    duplicates: int = 0
    over_quota: int = 0
    _index: Dict[Tuple[str, ...], List[int]] = field(default_factory=dict)
    _texts: List[Shingles] = field(default_factory=list)

    def add_annotated(self, doc: Doc) -> None:
        """Add a text that is already annotated: its near duplicates are not chosen."""
        self._add(text_shingles(doc))

    def choose(self, pool: Sequence[Tuple[Informativeness, Shingles]]) -> List[int]:
        """Return the numbers of the chosen texts of a pool, in the order in which to annotate them."""
        order = list(range(len(pool)))
        random.Random(self.seed).shuffle(order)
        order.sort(key=lambda number: -pool[number][0].score)
        chosen: List[int] = []
        of_relation: Counter[str] = Counter()
        for number in order:
            if len(chosen) == self.limit:
                break
            each, shingles = pool[number]
            if self._is_known(shingles):
                self.duplicates += 1
            elif self.quota and each.relation and of_relation[each.relation] >= self.quota:
                self.over_quota += 1
            else:
                of_relation[each.relation] += 1
                self._add(shingles)
                chosen.append(number)
        return chosen

    def _is_known(self, shingles: Shingles) -> bool:
        """Return True if a text is a near duplicate of one that was added."""
        shared: Counter[int] = Counter()
        for shingle in shingles:
            shared.update(self._index.get(shingle, ()))
        return any(is_near(common, self._texts[number], shingles) for number, common in shared.items())

    def _add(self, shingles: Shingles) -> None:
        """Add a text that others are compared with."""
        for shingle in shingles:
            self._index.setdefault(shingle, []).append(len(self._texts))
        self._texts.append(shingles)


def text_shingles(doc: Doc) -> Shingles:
    """Return the runs of three words of a Doc, without case, punctuation and spaces."""
    return make_shingles(tuple(token.lower_ for token in doc if not (token.is_punct or token.is_space)))


def count_relations(docs: Iterable[Doc]) -> Counter[str]:
    """Count the annotated triples of each relation."""
    return Counter(record["relation"] for doc in docs for record in get_records(doc, source="") or ())


def _is_same(record: Record, other: Record) -> bool:
    """Return True if two triples have the same relation, and arguments that overlap."""
    return record["relation"] == other["relation"] and all(
        overlaps(record[role], other[role]) for role in ("subject", "object")
    )


def _sum(terms: Sequence[Tuple[float, str, str]]) -> Informativeness:
    """Add up contributions: weight, relation and reason of each."""
    if not terms:
        return Informativeness(0.0)
    by_relation: Dict[str, float] = {}
    for value, relation, _ in terms:
        by_relation[relation] = by_relation.get(relation, 0.0) + value
    relation = max(by_relation, key=lambda each: by_relation[each])
    reason = max((value, text) for value, each, text in terms if each == relation)[1]
    return Informativeness(sum(by_relation.values()), relation, reason)
