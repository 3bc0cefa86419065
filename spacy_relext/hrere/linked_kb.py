"""The knowledge base of a trained pipeline, as plain arrays, and the entities whose embeddings are trained."""

from typing import TYPE_CHECKING, Dict, Mapping, Optional, Sequence, Tuple

import numpy
import srsly
from numpy.typing import NDArray

from ..corpora.damage import refuse_damage
from ..pairs.component import Bools, to_json
from ..pairs.gold import PairClass
from ..pipeline.settings import Settings
from .bags import Bags

if TYPE_CHECKING:
    from ..kb.model import KbModel

Floats = NDArray[numpy.floating]

Ints = NDArray[numpy.integer]

KB, SEEN = "kb.msgpack", "seen_entities.json"


class LinkedKb:
    """Embeddings of entities and relations with their names.

    entities (Sequence[str]): Ids, in the order of the rows.
    relations (Sequence[str]): Names, in the order of the rows.
    arrays (Mapping[str, NDArray]): `entities` (shape (E, W)), `relations` (shape (R, W), or (2 R, W) with reciprocal
        ones).
    """

    def __init__(self, entities: Sequence[str], relations: Sequence[str], arrays: Mapping[str, numpy.ndarray]) -> None:
        self.entities, self.relations, self.arrays = list(entities), list(relations), dict(arrays)
        self._entity_rows = {entity: row for row, entity in enumerate(self.entities)}
        self._relation_rows = {relation: row for row, relation in enumerate(self.relations)}

    @classmethod
    def from_model(cls, model: "KbModel") -> "LinkedKb":
        """Copy trained embeddings to the CPU, in single precision."""
        tables = {"entities": model.embeddings.entity(), "relations": model.embeddings.relations}
        arrays = {name: table.detach().cpu().numpy().astype("float32") for name, table in tables.items()}
        return cls(model.entities, model.relations, arrays)

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


NO_KB = LinkedKb([], [], dict.fromkeys(("entities", "relations"), numpy.zeros((0, 0), dtype="float32")))


class BagKnowledge:
    """A knowledge base beside a classifier of bags.

    kb (Optional[LinkedKb]): The knowledge base; None: the text alone decides.
    entities (Sequence[str]): Those of the training data; the known ones get a row in `PairKnowledge.changes`.
    """

    def __init__(self, kb: Optional[LinkedKb] = None, entities: Sequence[str] = ()) -> None:
        self.kb = NO_KB if kb is None else kb
        self.seen = sorted(each for each in entities if each in self.kb)
        self._rows = {each: number for number, each in enumerate(self.seen, start=1)}

    def __len__(self) -> int:
        return len(self.kb)

    def sizes(self) -> Settings:
        """Return arguments of the module's `configure`."""
        rows = len(self.seen) if self.kb.width else 0
        return {"kb_width": self.kb.width, "kb_rows": rows}

    def arrays(self, bags: Bags) -> Dict[str, numpy.ndarray]:
        """Look up the entities of bags.

        RETURNS (Dict[str, numpy.ndarray]): `subjects` and `objects` (embeddings; shapes (G, W)), `subject_rows` and
            `object_rows` (in `PairKnowledge.changes`, 0 for none; shapes (G,)).
        """
        arrays: Dict[str, numpy.ndarray] = {}
        for name, ids in (("subject", [one for one, _ in bags.ids]), ("object", [two for _, two in bags.ids])):
            arrays[f"{name}s"] = self.kb.vectors(self.kb.numbers(ids))
            arrays[f"{name}_rows"] = numpy.asarray([self._rows.get(each, 0) for each in ids], dtype="int64")
        return arrays

    def linked(self, bags: Bags) -> Bools:
        """Mark the bags whose entities are both in the knowledge base. Shape (G,)"""
        known = [self.kb.numbers([ids[side] for ids in bags.ids]) >= 0 for side in (0, 1)]
        return known[0] & known[1]

    def shared(self, classes: Sequence[PairClass]) -> Bools:
        """Mark the classes that the knowledge base has; class 0, no relation, if it has any. Shape (R,)"""
        known = [self.kb.knows(each.relation) for each in classes]
        return numpy.asarray([any(known), *known])

    def to_files(self) -> Dict[str, bytes]:
        """Serialize for `knowledge_files`."""
        return {KB: self.kb.to_bytes(), SEEN: to_json(self.seen)}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> "BagKnowledge":
        """Deserialize what `to_files` returned."""
        return cls(LinkedKb.from_bytes(files[KB]), srsly.json_loads(files[SEEN]))
