"""A knowledge base beside a classifier of bags, and the entities whose embeddings are trained."""

from typing import Dict, Mapping, Optional, Sequence

import numpy
import srsly

from ..pairs.component import Bools, to_json
from ..pairs.gold import PairClass
from ..pipeline.settings import Settings
from .bags import Bags
from .linked_kb import LinkedKb

KB, SEEN = "kb.msgpack", "seen_entities.json"

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
