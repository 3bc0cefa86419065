"""The knowledge base of a trained pipeline: embeddings, names and facts as plain arrays."""

from collections import OrderedDict
from typing import TYPE_CHECKING, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy
import srsly
from numpy.typing import NDArray

from ..corpora.damage import refuse_damage

if TYPE_CHECKING:
    from ..kb.model import KbModel

Floats = NDArray[numpy.floating]

Ints = NDArray[numpy.integer]

# Rows of a table that are read at once, so that they fit into the processor's cache.
ROWS = 2048

# Maximum number of cached cosines, 4 bytes each.
CACHE_SIZE = 8_000_000


class NearFact(NamedTuple):
    """A fact, and the mean cosine of its two entities with those of a pair, -1 to 1."""

    subject: str
    relation: str
    object: str
    similarity: float


class LinkedKb:
    """Embeddings of entities and relations with their names, and the facts on which they were trained.

    entities (Sequence[str]): Ids, in the order of the rows.
    relations (Sequence[str]): Names, in the order of the rows.
    arrays (Mapping[str, NDArray]): `entities` (shape (E, W)), `relations` (shape (R, W), or (2 R, W) with reciprocal
        ones), `facts` (rows of subject, relation and object; shape (N, 3)).
    """

    def __init__(self, entities: Sequence[str], relations: Sequence[str], arrays: Mapping[str, numpy.ndarray]) -> None:
        self.entities, self.relations, self.arrays = list(entities), list(relations), dict(arrays)
        self._entity_rows = {entity: row for row, entity in enumerate(self.entities)}
        self._relation_rows = {relation: row for row, relation in enumerate(self.relations)}
        self._near: Optional[NearFacts] = None

    @classmethod
    def from_model(cls, model: "KbModel") -> "LinkedKb":
        """Copy trained embeddings to the CPU, in single precision."""
        tables = {"entities": model.embeddings.entity(), "relations": model.embeddings.relations}
        arrays = {name: table.detach().cpu().numpy().astype("float32") for name, table in tables.items()}
        return cls(model.entities, model.relations, {**arrays, "facts": model.facts})

    def __len__(self) -> int:
        return len(self.entities)

    def __contains__(self, entity: object) -> bool:
        return entity in self._entity_rows

    @property
    def width(self) -> int:
        """W; 0 without entities."""
        return int(self.arrays["entities"].shape[1]) if len(self) else 0

    def numbers(self, ids: Sequence[str]) -> NDArray[numpy.int64]:
        """Look up the rows of entities by their ids; -1 for unknown ones. Shape (G,)"""
        return numpy.asarray([self._entity_rows.get(each, -1) for each in ids], dtype="int64")

    def vectors(self, numbers: Ints) -> Floats:
        """Look up embeddings by rows; 0 for row -1. Shape (G, W), with W = 1 without entities"""
        if not self.width:
            return numpy.zeros((len(numbers), 1), dtype="float32")
        vectors: Floats = self.arrays["entities"][numpy.maximum(numbers, 0)]
        return vectors * (numbers >= 0)[:, None].astype("float32")

    def relation_vectors(self, classes: Sequence[Tuple[str, bool]]) -> Tuple[Floats, Floats]:
        """Look up the embeddings of relations, for pairs and for reversed pairs; 0 for unknown ones. Shapes (R, W)

        With reciprocal relations, φ is the mean of both directions of a pair.

        classes (Sequence[Tuple[str, bool]]): Relations, and whether they are backwards.
        """
        table, total = self.arrays["relations"], len(self.relations)
        is_reciprocal = len(table) == 2 * total
        forwards, reverse = (numpy.zeros((len(classes), self.width), dtype="float32") for _ in range(2))
        for row, (relation, backwards) in enumerate(classes):
            if not self.knows(relation):
                continue
            number = self._relation_rows[relation]
            one, two = (reverse, forwards) if backwards else (forwards, reverse)
            one[row] = table[number] / (2 if is_reciprocal else 1)
            if is_reciprocal:
                two[row] = table[total + number] / 2
        return forwards, reverse

    def knows(self, relation: str) -> bool:
        """Return True if there is a relation of that name."""
        return relation in self._relation_rows

    def nearest(self, subject: int, obj: int, relation: str, *, top: int) -> List[NearFact]:
        """Find the facts of a relation whose entities are most similar to those of a pair.

        subject, obj (int): Rows of the pair's entities.
        top (int): Maximum number of facts.
        RETURNS (List[NearFact]): The most similar first, which is the pair itself if it is a fact.
        """
        number = self._relation_rows.get(relation, -1)
        if min(number, subject, obj) < 0 or top < 1:
            return []
        if self._near is None:
            self._near = NearFacts(self.arrays["entities"], self.arrays["facts"], n_relations=len(self.relations))
        return [
            NearFact(self.entities[one], relation, self.entities[two], similarity)
            for one, two, similarity in self._near.of_pair(subject, number, obj, top=top)
        ]

    def to_bytes(self) -> bytes:
        """Serialize names, and arrays as they are in memory."""
        packed = {key: [str(a.dtype), list(a.shape), a.tobytes()] for key, a in self.arrays.items()}
        names = {"entities": self.entities, "relations": self.relations}
        data: bytes = srsly.msgpack_dumps({"names": names, "arrays": packed})
        return data

    @classmethod
    def from_bytes(cls, data: bytes) -> "LinkedKb":
        """Deserialize what `to_bytes` returned. RAISES (ValueError): If the bytes are damaged."""
        with refuse_damage("the knowledge base"):
            loaded = srsly.msgpack_loads(data)
            names, packed = loaded["names"], loaded["arrays"]
            arrays = {
                key: numpy.frombuffer(content, dtype=kind).reshape(shape)
                for key, (kind, shape, content) in packed.items()
            }
            return cls(names["entities"], names["relations"], arrays)


class Side(NamedTuple):
    """The subjects or objects of the F facts of a relation.

    entities (Ints): Distinct rows, sorted. Shape (D,)
    positions (Ints): Index in `entities` of each fact's entity. Shape (F,)
    """

    entities: Ints
    positions: Ints


class NearFacts:
    """Facts by relation, and normalized embeddings; arguments as for `LinkedKb`."""

    def __init__(self, entities: Floats, facts: Ints, *, n_relations: int) -> None:
        self._facts = facts
        order = numpy.argsort(facts[:, 1], kind="stable")
        self._starts = numpy.searchsorted(facts[order, 1], numpy.arange(n_relations + 1)).tolist()
        self._order = order.astype("int32")
        self._unit: Floats = numpy.empty(entities.shape, dtype=entities.dtype)
        for start in range(0, len(entities), ROWS):
            rows = entities[start : start + ROWS]
            norms = numpy.linalg.norm(rows, axis=1, keepdims=True)
            self._unit[start : start + ROWS] = rows / numpy.maximum(norms, 1e-12)
        self._sides: Dict[int, Tuple[Side, Side]] = {}
        self.cache: OrderedDict[Tuple[int, int, int], Floats] = OrderedDict()
        self.cache_size = 0

    def of_pair(self, subject: int, relation: int, obj: int, *, top: int) -> List[Tuple[int, int, float]]:
        """Find facts as `LinkedKb.nearest` does, by rows.

        RETURNS (List[Tuple[int, int, float]]): Rows of subject and object, and the mean of both cosines; the most
            similar first, ties in the order of the facts.
        """
        subjects, objects = self._sides_of(relation)
        if not len(subjects.positions):
            return []
        cosines = self._cosines(subject, subjects, (relation, 0)), self._cosines(obj, objects, (relation, 1))
        near: Floats = (cosines[0][subjects.positions] + cosines[1][objects.positions]) / numpy.float32(2)
        best = _highest(near, top=top)
        ends = (side.entities[side.positions[best]].tolist() for side in (subjects, objects))
        return list(zip(*ends, near[best].tolist()))

    def _sides_of(self, relation: int) -> Tuple[Side, Side]:
        """Index the entities of a relation; all indices together are not much larger than the facts."""
        if relation not in self._sides:
            facts = self._facts[self._order[self._starts[relation] : self._starts[relation + 1]]]
            subjects, objects = (numpy.unique(facts[:, column], return_inverse=True) for column in (0, 2))
            self._sides[relation] = _make_side(*subjects), _make_side(*objects)
        return self._sides[relation]

    def _cosines(self, entity: int, side: Side, key: Tuple[int, int]) -> Floats:
        """Compute the cosines of an entity and those of one side of a relation, or look them up. Shape (D,)"""
        cached = self.cache.get((*key, entity))
        if cached is not None:
            self.cache.move_to_end((*key, entity))
            return cached
        cosines = self.cache[(*key, entity)] = self._compare(self._unit[entity], side.entities)
        self.cache_size += len(cosines)
        while self.cache_size > CACHE_SIZE and len(self.cache) > 1:
            self.cache_size -= len(self.cache.popitem(last=False)[1])
        return cosines

    def _compare(self, vector: Floats, rows: Ints) -> Floats:
        """Multiply some rows of the table by a vector, without a copy of all of them."""
        if 2 * len(rows) > len(self._unit):
            products: Floats = self._unit @ vector
            return products[rows]
        parts = [self._unit[rows[start : start + ROWS]] @ vector for start in range(0, len(rows), ROWS)]
        return numpy.concatenate(parts)


def _make_side(entities: Ints, positions: Ints) -> Side:
    """Convert the result of `numpy.unique`."""
    return Side(entities.astype("int32"), positions.reshape(-1).astype("int32"))


def _highest(values: Floats, *, top: int) -> NDArray[numpy.intp]:
    """Return the positions of the highest values, the first of equal ones first. Shape (min(top, F),)"""
    low = -values
    if top < len(low):
        candidates = numpy.flatnonzero(low <= numpy.partition(low, top - 1)[top - 1])
        if len(candidates) >= top:  # there are fewer if some values are NaN
            return candidates[numpy.argsort(low[candidates], kind="stable")[:top]]
    return numpy.argsort(low, kind="stable")[:top]
