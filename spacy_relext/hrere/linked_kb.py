"""What a trained pipeline keeps of a knowledge base: embeddings, names and facts as plain arrays."""

from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt
import srsly

if TYPE_CHECKING:
    from ..kb.model import KbModel

Floats = npt.NDArray[np.float32]

ARRAYS, NAMES = "kb.npz", "kb.json"


class NearFact(NamedTuple):
    """A fact like a pair.

    subject (str): Id.
    relation (str): Its name.
    object (str): Id.
    similarity (float): Mean of the cosines of both entities with those of the pair, -1 to 1.
    """

    subject: str
    relation: str
    object: str
    similarity: float


class LinkedKb:
    """Embeddings of entities and relations with their names, and the facts they were made of.

    entities (Sequence[str]): Ids, in the order of the rows.
    relations (Sequence[str]): Names, in the order of the rows.
    arrays (Dict[str, NDArray]): `entities` (shape (E, W)), `relations` (shape (R, W), or (2 R, W) with reciprocal
        ones), `facts` (subject, relation and object as numbers; shape (N, 3)).
    kind (str): "complex" or "distmult".
    """

    def __init__(
        self, entities: Sequence[str], relations: Sequence[str], arrays: Dict[str, npt.NDArray[Any]], *, kind: str
    ) -> None:
        self.entities, self.relations, self.arrays, self.kind = list(entities), list(relations), arrays, kind
        self._number = {entity: number for number, entity in enumerate(self.entities)}
        self._relation = {relation: number for number, relation in enumerate(self.relations)}
        self._near: Optional[NearFacts] = None

    @classmethod
    def empty(cls) -> "LinkedKb":
        """RETURNS (LinkedKb): One that knows nothing."""
        none = np.zeros((0, 0), dtype="float32")
        facts = np.zeros((0, 3), dtype="int32")
        return cls([], [], {"entities": none, "relations": none, "facts": facts}, kind="complex")

    @classmethod
    def from_model(cls, model: "KbModel") -> "LinkedKb":
        """Take over trained embeddings.

        model (KbModel): From `train_kb`.
        RETURNS (LinkedKb): On the CPU, in single precision.
        """
        found = model.embeddings
        arrays = {
            "entities": found.entity().detach().cpu().numpy().astype("float32"),
            "relations": found.relations.detach().cpu().numpy().astype("float32"),
            "facts": model.facts,
        }
        return cls(model.entities, model.relations, arrays, kind=found.kind)

    def __len__(self) -> int:
        return len(self.entities)

    def __contains__(self, entity: object) -> bool:
        return entity in self._number

    @property
    def width(self) -> int:
        """RETURNS (int): W; 0 where there is nothing."""
        return int(self.arrays["entities"].shape[1]) if len(self) else 0

    def numbers(self, ids: Sequence[str]) -> npt.NDArray[np.int64]:
        """Look entities up.

        ids (Sequence[str]): Ids.
        RETURNS (NDArray): Rows, -1 of unknown ones. Shape (len(ids),)
        """
        return np.asarray([self._number.get(each, -1) for each in ids], dtype="int64")

    def vectors(self, numbers: npt.NDArray[np.int64]) -> Floats:
        """Look embeddings up.

        numbers (NDArray): Rows, -1 for none. Shape (G,)
        RETURNS (Floats): 0 for none. Shape (G, W), with W = 1 where there is no embedding at all
        """
        if not self.width:
            return np.zeros((len(numbers), 1), dtype="float32")
        found: Floats = self.arrays["entities"][np.maximum(numbers, 0)] * (numbers >= 0)[:, None].astype("float32")
        return found

    def relation_vectors(self, classes: Sequence[Tuple[str, bool]]) -> Tuple[Floats, Floats]:
        """Find the embeddings of relations, for pairs as they stand and for turned pairs.

        With reciprocal relations φ is the mean of both readings of a pair.

        classes (Sequence[Tuple[str, bool]]): Relations, and whether they are read backwards.
        RETURNS (Tuple[Floats, Floats]): 0 of unknown relations. Shapes (R, W)
        """
        table, total = self.arrays["relations"], len(self.relations)
        reciprocal = len(table) == 2 * total
        forwards, turned = (np.zeros((len(classes), self.width), dtype="float32") for _ in range(2))
        for row, (relation, backwards) in enumerate(classes):
            number = self._relation.get(relation)
            if number is None:
                continue
            one, two = (turned, forwards) if backwards else (forwards, turned)
            one[row] = table[number] / (2 if reciprocal else 1)
            if reciprocal:
                two[row] = table[total + number] / 2
        return forwards, turned

    def knows(self, relation: str) -> bool:
        """RETURNS (bool): Whether there is a relation of that name."""
        return relation in self._relation

    def nearest(self, subject: int, obj: int, relation: str, *, top: int) -> List[NearFact]:
        """Find the facts of a relation whose entities are most like those of a pair.

        subject (int): Row of the pair's subject.
        obj (int): Row of its object.
        relation (str): Its name.
        top (int): Most facts.
        RETURNS (List[NearFact]): The nearest first; that of the pair itself, where it is one, is the nearest.
        """
        number = self._relation.get(relation, -1)
        if min(number, subject, obj) < 0 or top < 1:
            return []
        if self._near is None:
            self._near = NearFacts(self.arrays["entities"], self.arrays["facts"], n_relations=len(self.relations))
        return [
            NearFact(self.entities[one], relation, self.entities[two], similarity)
            for one, two, similarity in self._near.of_pair(subject, number, obj, top=top)
        ]

    # Saving

    def to_disk(self, folder: Path) -> None:
        """Save into a folder, which is made; nothing where nothing is known."""
        if not len(self):
            return
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / ARRAYS, **self.arrays)  # type: ignore[arg-type]
        srsly.write_json(folder / NAMES, self._names())

    @classmethod
    def from_disk(cls, folder: Path) -> "LinkedKb":
        """RETURNS (LinkedKb): What `to_disk` saved; an empty one where there is no folder."""
        if not (folder / NAMES).is_file():
            return cls.empty()
        with np.load(folder / ARRAYS, allow_pickle=False) as found:
            arrays = {key: found[key] for key in found.files}
        return cls(arrays=arrays, **srsly.read_json(folder / NAMES))

    def to_bytes(self) -> bytes:
        """RETURNS (bytes): Names, and arrays as they lie in memory."""
        packed = {key: [str(a.dtype), list(a.shape), a.tobytes()] for key, a in self.arrays.items()}
        found: bytes = srsly.msgpack_dumps({"names": self._names(), "arrays": packed})
        return found

    @classmethod
    def from_bytes(cls, data: bytes) -> "LinkedKb":
        """RETURNS (LinkedKb): What `to_bytes` packed."""
        found = srsly.msgpack_loads(data)
        arrays = {
            key: np.frombuffer(content, dtype=kind).reshape(shape)
            for key, (kind, shape, content) in found["arrays"].items()
        }
        return cls(arrays=arrays, **found["names"])

    def _names(self) -> Dict[str, Any]:
        return {"entities": self.entities, "relations": self.relations, "kind": self.kind}


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
