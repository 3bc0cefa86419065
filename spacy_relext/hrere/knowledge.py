"""A component that has a knowledge base beside it: reads it once, looks entities up, saves it with the rest."""

from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple, Union

import numpy
import srsly
from spacy.language import Language
from spacy.training import Example

from ..bridge.modules import module_of
from ..errors import Errors, Warnings
from ..pairs.component import FITTED as PAIR_FITTED
from ..pairs.component import PairPipe
from ..pairs.gold import GoldPairs
from ..pairs.type_lexicon import TypeLexicon
from .bags import Bags, gather_bags
from .linked_kb import LinkedKb

# Entities whose embeddings training may change; temperatures of both sides.
FITTED: Dict[str, Any] = {**PAIR_FITTED, "seen": [], "text_temperature": 1.0, "kb_temperature": 1.0}

KB = "kb"

# Relations that a message names.
NAMED = 5


class KbPipe(PairPipe):
    """Base of a classifier of pairs whose entities may be known to a knowledge base."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Create a component without a knowledge base; see `PairPipe`."""
        super().__init__(*args, **kwargs)
        self.kb = LinkedKb.empty()
        self._seen: Counter[str] = Counter()
        self._rows: Optional[Tuple[List[str], Dict[str, int]]] = None

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Optional[List[str]] = None,
        lexicon: Optional[TypeLexicon] = None,
        start: Optional[List[Path]] = None,
        kb: Optional[Path] = None,
    ) -> None:
        """Read the knowledge base, find relations and entities, and give the model its sizes.

        get_examples (Callable[[], Iterable[Example]]): Returns the training data, with linked entities.
        nlp (Optional[Language]): The pipeline; what comes before the component annotates the data, as in training.
        labels (Optional[List[str]]): The relations, where the data does not show all of them.
        lexicon (Optional[TypeLexicon]): As for `PairPipe.initialize`.
        start (Optional[List[Path]]): As for `PairPipe.initialize`.
        kb (Optional[Path]): Folder of embeddings, made by `spacy relext kb train`; they are saved with the component.
            None: text alone decides.
        RAISES (ValueError): Where there are no relations or no pairs, or the knowledge base knows no entity of the
            data, or none of its relations.
        """
        from ..kb.model import KbModel

        self.kb = LinkedKb.empty() if kb is None else LinkedKb.from_model(KbModel.from_disk(Path(kb)))
        self._seen.clear()
        super().initialize(get_examples, nlp=nlp, labels=labels, lexicon=lexicon, start=start)
        if len(self.kb):
            self._check_relations(str(kb))
            vectors = self.kb.relation_vectors([tuple(each) for each in self.classes])  # type: ignore[misc]
            module_of(self.model).knowledge.load(*vectors)

    def note(self, gold: GoldPairs) -> None:
        """Count the entities of pairs."""
        for ids in gather_bags(gold.pairs, across=True).ids:
            self._seen.update(each for each in ids if each)

    def settle(self) -> None:
        """List the classes, and the entities of the training data that the knowledge base knows.

        RAISES (ValueError): Where there is a knowledge base, and it knows none.
        """
        super().settle()
        self.cfg["seen"] = sorted(each for each in self._seen if each in self.kb)
        if len(self.kb) and not self.cfg["seen"]:
            found = {"linked": len(self._seen), "kb": len(self.kb), "where": self._where}
            raise ValueError(Errors.R730.format(name=self.name, **found))

    def _check_relations(self, kb: str) -> None:
        """Say which relations the knowledge base does not know."""
        unknown = [label for label in self.labels if not self.kb.knows(label)]
        listed = ", ".join(unknown[:NAMED]) + (", …" if len(unknown) > NAMED else "")
        if len(unknown) == len(self.labels):
            known = ", ".join(self.kb.relations[:NAMED]) + (", …" if len(self.kb.relations) > NAMED else "")
            raise ValueError(Errors.R731.format(name=self.name, kb=kb, found=listed, expected=known))
        if unknown:
            counts = {"count": len(unknown), "total": len(self.labels)}
            self.warn_once("relations", Warnings.W700.format(name=self.name, found=listed, **counts))

    def model_sizes(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): As for `PairPipe`, and those of the knowledge base."""
        rows = len(self.cfg["seen"]) if self.kb.width else 0
        sizes = {"kb_width": self.kb.width, "kb_rows": rows, "kb_complex": self.kb.kind == "complex"}
        return {**super().model_sizes(), **sizes}

    def suggest_gold(self, examples: Sequence[Example]) -> GoldPairs:
        """Choose the pairs of a batch; those whose relation is not known are left out."""
        return self.drop_unknown(super().suggest_gold(examples))

    # What the knowledge base says of bags

    def kb_arrays(self, bags: Bags) -> Dict[str, Any]:
        """Look the entities of bags up.

        bags (Bags): Bags.
        RETURNS (Dict[str, Any]): `subjects` and `objects` (embeddings; shapes (G, W)), `subject_rows` and
            `object_rows` (in the table of changes, 0 for none; shapes (G,)).
        """
        found: Dict[str, Any] = {}
        for name, ids in (("subject", [one for one, _ in bags.ids]), ("object", [two for _, two in bags.ids])):
            found[f"{name}s"] = self.kb.vectors(self.kb.numbers(ids))
            found[f"{name}_rows"] = numpy.asarray([self._row_of(each) for each in ids], dtype="int64")
        return found

    def _row_of(self, entity: str) -> int:
        """Find an entity in the table of changes."""
        seen = self.cfg["seen"]
        if self._rows is None or self._rows[0] is not seen:
            self._rows = (seen, {each: number + 1 for number, each in enumerate(seen)})
        return self._rows[1].get(entity, 0)

    def linked(self, bags: Bags) -> Any:
        """RETURNS (NDArray): Whether the knowledge base knows both entities of each bag. Shape (G,)"""
        known = [self.kb.numbers([ids[side] for ids in bags.ids]) >= 0 for side in (0, 1)]
        return known[0] & known[1]

    def shared(self) -> Any:
        """RETURNS (NDArray): Which classes the knowledge base knows, no relation with any of them. Shape (R,)"""
        known = [self.kb.knows(each.relation) for each in self.classes]
        return numpy.asarray([any(known), *known])

    def near_facts(self, ids: Tuple[str, str], relation: str) -> List[Any]:
        """Find facts like a pair's, as many as the setting `evidence_facts` asks for; see `LinkedKb.nearest`."""
        if not self.cfg["evidence_facts"]:
            return []
        subject, obj = self.kb.numbers(ids).tolist()
        found = self.kb.nearest(subject, obj, relation, top=self.cfg["evidence_facts"])
        return [each._replace(similarity=round(each.similarity, 4)) for each in found]

    # Saving

    def to_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> None:
        """Save the component and its knowledge base into a folder."""
        super().to_disk(path, exclude=tuple(exclude))
        if KB not in exclude:
            self.kb.to_disk(Path(path) / KB)

    def from_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> "KbPipe":
        """Read what `to_disk` saved."""
        super().from_disk(path, exclude=exclude)
        if KB not in exclude:
            self.kb = LinkedKb.from_disk(Path(path) / KB)
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Save the component and its knowledge base."""
        parts = {"pipe": super().to_bytes(exclude=tuple(exclude))}
        if KB not in exclude:
            parts[KB] = self.kb.to_bytes()
        found: bytes = srsly.msgpack_dumps(parts)
        return found

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "KbPipe":
        """Read what `to_bytes` saved."""
        parts = srsly.msgpack_loads(bytes_data)
        super().from_bytes(parts["pipe"], exclude=exclude)
        if KB in parts and KB not in exclude:
            self.kb = LinkedKb.from_bytes(parts[KB])
        return self
