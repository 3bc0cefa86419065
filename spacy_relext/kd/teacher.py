"""The component behind `kd_teacher`: text and type prior together."""

from dataclasses import replace
from typing import ClassVar, Mapping, Optional, Sequence, Tuple, Type

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Config, Model

from ..annotations.entities import GIVEN_PAIRS_KEY
from ..annotations.store import set_triples
from ..annotations.triple import Record
from ..annotations.type_rules import TypeSetting
from ..errors import Errors, Warnings
from ..pairs.component import Floats
from ..pairs.gold import GoldPairs, mark_every_pair
from ..pairs.pairs import IntArray, Pairs
from ..pairs.suggesters import Suggester
from ..pipeline.pipe import Instances, Outputs, Scorer, Targets, Tensors
from ..pipeline.settings import Block, plain_settings
from ..scoring.triples import TRIPLE_SCORE_WEIGHTS
from .component import BLOCKS, SETTINGS, CollectedKd, KdPipe
from .losses import add_assertions, teacher_loss
from .settings import KdPrior, KdTeacherLearning
from .soft_labels import store_soft_labels
from .type_patterns import Form, TypePair


class KdTeacher(KdPipe):
    """Predicts the relation between two entities from the text and from the relations that their types allow."""

    architectures = ("relext_kd_teacher",)
    needs_patterns = True
    blocks: ClassVar[Mapping[str, Type[Block]]] = {"prior": KdPrior, "learning": KdTeacherLearning}

    def adopt(self, collected: CollectedKd) -> None:  # type: ignore[override]
        """Set labels, classes, types and tags, and count the type patterns; raise an error if no entity has a type."""
        super().adopt(collected)
        if not self.cfg["entity_types"]:
            raise ValueError(Errors.R414.format(name=self.name, where=collected.where))
        if len(self.patterns) == 1:
            types = " and ".join(repr(kind) for kind in self.patterns.pairs[0])
            self.warn_once("one type", Warnings.W405.format(name=self.name, where=collected.where, types=types))

    def suggest(self, docs: Sequence[Doc]) -> Instances:
        """Choose the pairs of a batch; with fusion "relation" also their gold, which the corpus reader must provide."""
        if self.fusion != "relation":
            return super().suggest(docs)
        given = [doc.user_data.get(GIVEN_PAIRS_KEY) for doc in docs]
        if None in given:
            raise ValueError(Errors.R402.format(name=self.name))
        examples = [Example(doc, _annotated(doc, records or [])) for doc, records in zip(docs, given)]
        return replace(self.suggest_gold(examples), counted=False)

    @property
    def prior(self) -> KdPrior:
        """RETURNS (KdPrior): The type prior."""
        return KdPrior.of(self.cfg["prior"])

    @property
    def fusion(self) -> str:
        """RETURNS (str): How text and types are fused: "scalar", "vector" or "relation"."""
        return str(self.model.attrs["fusion"])

    def arrays(self, instances: Instances) -> Targets:
        """Return the type prior, which omits a training pair's own label; with fusion "relation" also gold classes."""
        gold = instances.classes(self.classes) if isinstance(instances, GoldPairs) else None
        own = gold.tolist() if gold is not None and instances.counted else None
        if self.prior.form == "log_odds":
            prior = self.patterns.log_odds(instances.pairs.types, smoothing=self.prior.smoothing, leave_out=own)
        else:
            prior = self.type_prior(instances.pairs.types, leave_out=own)
        arrays: Targets = {"prior": prior}
        if gold is not None and self.fusion == "relation":
            arrays["classes"] = gold
        return arrays

    def targets(self, instances: GoldPairs) -> Targets:
        """Return gold classes, and assertions if they are learned."""
        return {"classes": instances.classes(self.classes), **self.assertion_targets(instances)}

    def loss(self, outputs: Outputs, targets: Tensors) -> Tensors:
        """Compute the terms of L_T in `losses.py`, and the loss of assertions if they are learned."""
        learning = KdTeacherLearning.of(self.cfg["learning"])
        terms = teacher_loss(
            outputs,
            targets,
            penalty=learning.sentence_penalty,
            tsd_weight=learning.tsd_weight,
            tsd_k=learning.tsd_k,
        )
        return add_assertions(terms, outputs, targets, weight=learning.assertion_weight)

    def evidence(self, pairs: Pairs, outputs: Outputs, number: int, answer: int) -> Record:
        """Return the types of both entities, the relation's prior, and its logits by text and by types."""
        types = pairs.types[number]
        return {
            "entity_types": list(types),
            "prior": round(float(self.type_prior([types])[0, answer]), 4),
            "text": round(float(outputs.text[number, answer]), 4),
            "types": round(float(outputs.types[number, answer]), 4),
        }

    def score_gold(self, examples: Sequence[Example]) -> Tuple[Floats, IntArray]:
        """Score the pairs of held-out examples, for calibration: logits and gold classes. Shapes (P, R), (P,)"""
        self.require_initialized()
        gold = replace(self.suggest_gold(examples), counted=False)
        outputs = self.run(gold)
        logits = numpy.zeros((0, len(self.classes) + 1), dtype="float32") if outputs is None else outputs.logits
        return logits, gold.classes(self.classes)

    def teach(self, examples: Sequence[Example], *, temperature: float = 1.0, held_out: bool = False) -> int:
        """Write soft labels of examples onto their gold Docs, and return the number of their pairs.

        Of unannotated Docs all pairs are labelled; none with fusion "relation", which reads the gold. Dropout is off,
        and each label is computed from the clean text, whatever the order of the batch.

        temperature (float): Divisor of the logits.
        held_out (bool): Whether the teacher was not trained on them. For training data the type prior leaves out each
            pair's own label; leaving out one that was never counted would be evidence against it.
        """
        self.require_initialized()
        every = None if self.fusion == "relation" else mark_every_pair
        gold = replace(self.gold(examples, unlabelled=every).known(self.classes)[0], counted=not held_out)
        outputs = self.run(gold)
        parts = () if outputs is None else (outputs.logits, outputs.text, outputs.types)
        docs = [example.reference for example in gold.examples]
        store_soft_labels(docs, gold.pairs, [part / temperature for part in parts], self.classes)
        return len(gold)

    def type_prior(self, types: Sequence[TypePair], *, leave_out: Optional[Sequence[int]] = None) -> Floats:
        """Compute the prior itself, see `TypePatterns.prior`; log odds come from its smoothed form. Shape (P, R)"""
        prior = self.prior
        form: Form = "printed" if prior.form == "printed" else "smoothed"
        return self.patterns.prior(
            types, leave_out=leave_out, form=form, smoothing=prior.smoothing, na_constant=prior.na_constant
        )


def _annotated(doc: Doc, records: Sequence[Record]) -> Doc:
    """Copy a Doc and add gold triples."""
    reference = doc.copy()
    set_triples(reference, records)
    return reference


CONFIG = f"""
[component]
{SETTINGS}
[component.prior]
@misc = "spacy_relext.KdPrior.v1"

[component.learning]
@misc = "spacy_relext.KdTeacherLearning.v1"

[component.model]
@architectures = "spacy_relext.KdTeacher.v1"
hidden = 384
fusion = "vector"
scale = 0.1
{BLOCKS}
"""


@Language.factory(
    "kd_teacher",
    requires=["doc.ents", "token.is_sent_start"],
    assigns=["doc._.triples", "span._.triples"],
    default_config=Config().from_str(CONFIG)["component"],
    default_score_weights=dict(TRIPLE_SCORE_WEIGHTS),
)
def make_kd_teacher(
    nlp: Language,
    name: str,
    model: Model,
    suggester: Suggester,
    prior: KdPrior,
    learning: KdTeacherLearning,
    types: TypeSetting,
    threshold: float,
    scorer: Optional[Scorer],
) -> KdTeacher:
    """Create a classifier that knows which relations two entity types allow.

    prior (KdPrior): The type prior.
    learning (KdTeacherLearning): How it learns.

    Further settings: see `KdPipe`.
    """
    settings = plain_settings(locals())
    return KdTeacher(nlp.vocab, model, name, suggester=suggester, scorer=scorer, settings=settings)
