"""What a trained pipeline keeps of a knowledge base: embeddings, names and facts as plain arrays."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt
import srsly

from .near_facts import NearFacts

if TYPE_CHECKING:  # every spacy.blank() imports this file, and has no use for what trains embeddings
    from .kb_model import KbModel

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
