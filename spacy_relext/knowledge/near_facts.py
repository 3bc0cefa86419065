"""Facts like a pair of entities: those of a relation whose entities have embeddings like those of the pair.

Facts are sorted by relation once. Each entity of a relation is compared once, however many facts it is in; and since a
text asks for the same entities again and again, the cosines of the last ones that were asked for are kept.
"""

from collections import OrderedDict
from typing import Any, Dict, List, NamedTuple, Tuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int32]
# Rows of a table that are taken at once: what they hold stays in the processor's memory.
ROWS = 2048
# Cosines that are kept, 4 bytes each.
KEPT = 8_000_000


class Ends(NamedTuple):
    """One side of the facts of a relation.

    entities (Numbers): Each once, sorted. Shape (D,)
    at (Numbers): Where the entity of each fact is among them. Shape (F,)
    """

    entities: Numbers
    at: Numbers


class NearFacts:
    """Facts by relation, and the directions of embeddings.

    entities (Floats): Embeddings. Shape (E, W)
    facts (Numbers): Subject, relation and object as numbers. Shape (N, 3)
    n_relations (int): R.
    """

    def __init__(self, entities: Floats, facts: Numbers, *, n_relations: int) -> None:
        self._facts = facts
        order = np.argsort(facts[:, 1], kind="stable")
        self._starts = np.searchsorted(facts[order, 1], np.arange(n_relations + 1)).tolist()
        self._order = order.astype("int32")
        self._unit: Floats = np.empty(entities.shape, dtype=entities.dtype)
        for start in range(0, len(entities), ROWS):
            part = entities[start : start + ROWS]
            self._unit[start : start + ROWS] = part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-12)
        self._ends: Dict[int, Tuple[Ends, Ends]] = {}
        self._cosines: OrderedDict[Tuple[int, int, int], Floats] = OrderedDict()
        self._kept = 0

    def of_pair(self, subject: int, relation: int, obj: int, *, top: int) -> List[Tuple[int, int, float]]:
        """Find the facts of a relation whose entities are most like those of a pair.

        subject (int): Row of the pair's subject.
        relation (int): Number of the relation.
        obj (int): Row of its object.
        top (int): Most facts, 1 or more.
        RETURNS (List[Tuple[int, int, float]]): Rows of subject and object, and the mean of both cosines; the nearest
            first, and of equally near ones the first of the facts.
        """
        subjects, objects = self._ends_of(relation)
        if not len(subjects.at):
            return []
        alike = self._like(subject, subjects, (relation, 0)), self._like(obj, objects, (relation, 1))
        near: Floats = (alike[0][subjects.at] + alike[1][objects.at]) / np.float32(2)
        return [
            (int(subjects.entities[subjects.at[row]]), int(objects.entities[objects.at[row]]), float(near[row]))
            for row in _best(near, top=top).tolist()
        ]

    def _ends_of(self, relation: int) -> Tuple[Ends, Ends]:
        """List the entities of a relation, once: all lists together are not much larger than the facts."""
        found = self._ends.get(relation)
        if found is None:
            facts = self._facts[self._order[self._starts[relation] : self._starts[relation + 1]]]
            one, two = (np.unique(facts[:, side], return_inverse=True) for side in (0, 2))
            found = self._ends[relation] = _ends(*one), _ends(*two)
        return found

    def _like(self, entity: int, ends: Ends, side: Tuple[int, int]) -> Floats:
        """RETURNS (Floats): Cosines of an entity with those of one side of a relation. Shape (D,)"""
        key = (*side, entity)
        found = self._cosines.get(key)
        if found is None:
            found = self._cosines[key] = self._compare(self._unit[entity], ends.entities)
            self._kept += len(found)
            while self._kept > KEPT and len(self._cosines) > 1:
                self._kept -= len(self._cosines.popitem(last=False)[1])
        else:
            self._cosines.move_to_end(key)
        return found

    def _compare(self, vector: Floats, rows: Numbers) -> Floats:
        """Multiply some rows of the table with a vector, without a copy of all of them."""
        if 2 * len(rows) > len(self._unit):
            whole: Floats = (self._unit @ vector)[rows]
            return whole
        found: Floats = np.empty(len(rows), dtype=self._unit.dtype)
        for start in range(0, len(rows), ROWS):
            part = rows[start : start + ROWS]
            found[start : start + ROWS] = self._unit[part] @ vector
        return found


def _ends(entities: Any, at: Any) -> Ends:
    return Ends(entities.astype("int32"), at.reshape(-1).astype("int32"))


def _best(near: Floats, *, top: int) -> npt.NDArray[np.int64]:
    """RETURNS (NDArray): Where the highest values are, the first of equal ones first. Shape (min(top, F),)"""
    low = -near
    if top < len(low):
        at = np.flatnonzero(low <= np.partition(low, top - 1)[top - 1])
        if len(at) >= top:  # not so where values are not numbers
            return at[np.argsort(low[at], kind="stable")[:top]]
    return np.argsort(low, kind="stable")[:top]
