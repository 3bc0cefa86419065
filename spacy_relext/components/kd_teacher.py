"""The component behind `kd_teacher`: text and type prior together."""

from dataclasses import replace
from typing import Any, Dict, List, Sequence, Tuple

import numpy
from spacy.tokens import Doc
from spacy.training import Example

from ..corpora.records import TOLD_KEY
from ..errors import Errors, Warnings
from ..instances.pair_classes import GoldPairs
from ..instances.pairs import Pairs
from ..instances.soft_labels import store_soft_labels
from ..models.kd_losses import teacher_loss
from ..triples.store import set_triples
from .kd_base import KDPipe

PRIORS = ("log_odds", "smoothed", "printed")


class KDTeacher(KDPipe):
    """Says which relation holds between two entities, knowing which relations their types allow."""

    architectures = ("relext_kd_piece_teacher", "relext_kd_graph_teacher", "relext_kd_shared_teacher")

    counts_types = True

    def settle(self) -> None:
        """List the classes and count the type patterns.

        RAISES (ValueError): Where no entity has a type.
        """
        if not self.cfg["types"]:
            raise ValueError(Errors.R414.format(name=self.name, where=self._where))
        super().settle()
        if len(self.patterns) == 1:
            types = " and ".join(repr(kind) for kind in self.patterns.pairs[0])
            self.warn_once("one type", Warnings.W405.format(name=self.name, where=self._where, types=types))

    def predict(self, docs: Any) -> List[Any]:
        """Score a batch; with fusion "relation" that needs the answer, which a corpus reader may tell."""
        self.require_initialized()
        if self.fusion != "relation":
            return super().predict(docs)
        docs = list(docs)
        told = [doc.user_data.get(TOLD_KEY) for doc in docs]
        if any(records is None for records in told):
            raise ValueError(Errors.R402.format(name=self.name))
        examples = [Example(doc, _annotated(doc, records)) for doc, records in zip(docs, told)]
        gold = replace(self.suggest_gold(examples), counted=False)
        return self.decode(gold.pairs, self.run(gold))

    @property
    def fusion(self) -> str:
        """RETURNS (str): How text and types are joined: "scalar", "vector" or "relation"."""
        return str(self.model.attrs["fusion"])

    def arrays(self, instances: Any, pairs: Pairs) -> Dict[str, Any]:
        """The type prior; of training data without each pair's own label, which is among what was counted."""
        gold = instances.classes(self.classes) if isinstance(instances, GoldPairs) else None
        own = gold.tolist() if gold is not None and instances.counted else None
        if self.cfg["prior"] == "log_odds":
            prior = self.patterns.log_odds(pairs.types, smoothing=self.cfg["smoothing"], leave_out=own)
        else:
            prior = self.patterns.prior(pairs.types, leave_out=own, **self._form())
        found = {"prior": prior.astype("float32")}
        if gold is not None and self.fusion == "relation":
            found["classes"] = gold
        return found

    def targets(self, instances: GoldPairs) -> Dict[str, Any]:
        """Gold classes."""
        return {"classes": instances.classes(self.classes)}

    def loss(self, outputs: Any, targets: Dict[str, Any]) -> Dict[str, Any]:
        """Cross-entropy, and the difference of the top probabilities."""
        weights = {"tsd_weight": self.cfg["tsd_weight"], "tsd_k": self.cfg["tsd_k"]}
        return teacher_loss(outputs, targets, penalty=self.cfg["sentence_penalty"], **weights)

    def evidence(self, instances: Pairs, outputs: Any, number: int, answer: int) -> Dict[str, Any]:
        """Types of both entities, and what text and types say for the relation, as logits."""
        parts = {"text": outputs.text[number, answer], "types": outputs.types[number, answer]}
        return {
            "entity_types": list(instances.types[number]),
            "prior": round(float(self.patterns.prior([instances.types[number]], **self._form())[0, answer]), 4),
            **{key: round(float(value), 4) for key, value in parts.items()},
        }

    def judge(self, examples: Sequence[Example]) -> Tuple[Any, Any]:
        """Score the pairs of annotated examples, to see how sure the teacher may be.

        examples (Sequence[Example]): A batch that it was not trained on.
        RETURNS (Tuple[NDArray, NDArray]): Logits and gold classes. Shapes (P, R), (P,)
        """
        self.require_initialized()
        gold = replace(self.suggest_gold(examples), counted=False)
        logits = self.run(gold).logits if len(gold) else numpy.zeros((0, len(self.classes) + 1), dtype="float32")
        return logits, gold.classes(self.classes)

    def teach(self, examples: Sequence[Example], *, temperature: float = 1.0, held_out: bool = False) -> int:
        """Write soft labels of annotated examples onto their gold Docs.

        Dropout is off, and each label is computed from the clean text: neither the order of the batch nor chance plays
        a part.

        examples (Sequence[Example]): A batch.
        temperature (float): What logits are divided by.
        held_out (bool): Whether it was not trained on them. Of training data the type prior leaves each pair's own
            label out; from counts that never had it, leaving it out would speak against it.
        RETURNS (int): How many pairs got soft labels.
        """
        self.require_initialized()
        gold = replace(self.suggest_gold(examples), counted=not held_out)
        docs = [example.reference for example in gold.examples]
        if not len(gold):
            store_soft_labels(docs, gold.pairs, (), self.classes)
            return 0
        found = self.run(gold)
        parts = [part / temperature for part in (found.logits, found.text, found.types)]
        store_soft_labels(docs, gold.pairs, parts, self.classes)
        return len(gold)

    def _form(self) -> Dict[str, Any]:
        """In which form the shares of relations are computed; log odds are of the smoothed ones."""
        form = "printed" if self.cfg["prior"] == "printed" else "smoothed"
        return {"form": form, "smoothing": self.cfg["smoothing"], "na_constant": self.cfg["na_constant"]}


def _annotated(doc: Doc, records: Sequence[Dict[str, Any]]) -> Doc:
    """Copy a Doc with gold triples."""
    reference = doc.copy()
    set_triples(reference, records)
    return reference
