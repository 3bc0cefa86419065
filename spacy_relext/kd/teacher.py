"""The component behind `kd_teacher`: text and type prior together."""

from dataclasses import replace
from typing import ClassVar, Optional, Sequence, Tuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Config, Model

from ..annotations.entities import GIVEN_PAIRS_KEY
from ..annotations.store import set_triples
from ..annotations.triple import Record
from ..errors import Errors, Warnings
from ..pairs.component import Floats, IntArray
from ..pairs.gold import GoldPairs
from ..pairs.pairs import Pairs
from ..pairs.suggesters import Suggester
from ..pipeline.pipe import Instances, Outputs, Scorer, Targets, Tensors
from ..pipeline.settings import Ranges, Settings, plain_settings
from ..scoring.triples import TRIPLE_SCORE_WEIGHTS
from .component import ENCODER, CollectedKd, KdPipe
from .losses import teacher_loss
from .soft_labels import store_soft_labels

PRIORS = ("log_odds", "smoothed", "printed")


class KdTeacher(KdPipe):
    """Predicts the relation between two entities from the text and from the relations that their types allow."""

    architectures = ("relext_kd_teacher",)
    needs_patterns = True
    ranges: ClassVar[Ranges] = {
        "prior": PRIORS,
        "smoothing": (1e-6, 1_000_000.0),
        "na_constant": (0.0, 1_000.0),
        "tsd_weight": (0.0, 1_000.0),
        "tsd_k": (2, 1_000),
        "sentence_penalty": (0.0, 1_000.0),
        "adversarial_radius": (0.0, 1_000.0),
        "typed_decoding": (0, 1_000_000),
        "threshold": (0.0, 1.0),
    }

    def adopt(self, collected: CollectedKd) -> None:  # type: ignore[override]
        """Set labels, classes, types and tags, and count the type patterns.

        RAISES (ValueError): If no entity has a type.
        """
        super().adopt(collected)
        if not self.cfg["types"]:
            raise ValueError(Errors.R414.format(name=self.name, where=collected.where))
        if len(self.patterns) == 1:
            types = " and ".join(repr(kind) for kind in self.patterns.pairs[0])
            self.warn_once("one type", Warnings.W405.format(name=self.name, where=collected.where, types=types))

    def suggest(self, docs: Sequence[Doc]) -> Instances:
        """Choose the pairs of a batch; with fusion "relation" also their gold, which a corpus reader may give."""
        if self.fusion != "relation":
            return super().suggest(docs)
        given = [doc.user_data.get(GIVEN_PAIRS_KEY) for doc in docs]
        if None in given:
            raise ValueError(Errors.R402.format(name=self.name))
        examples = [Example(doc, _annotated(doc, records or [])) for doc, records in zip(docs, given)]
        return replace(self.suggest_gold(examples), counted=False)

    @property
    def fusion(self) -> str:
        """RETURNS (str): How text and types are joined: "scalar", "vector" or "relation"."""
        return str(self.model.attrs["fusion"])

    def arrays(self, instances: Instances) -> Targets:
        """Return the type prior; in training without each pair's own label, which is among what was counted."""
        gold = instances.classes(self.classes) if isinstance(instances, GoldPairs) else None
        own = gold.tolist() if gold is not None and instances.counted else None
        if self.cfg["prior"] == "log_odds":
            prior = self.patterns.log_odds(instances.pairs.types, smoothing=self.cfg["smoothing"], leave_out=own)
        else:
            prior = self.patterns.prior(instances.pairs.types, leave_out=own, **self._prior_form())
        arrays: Targets = {"prior": prior.astype("float32")}
        if gold is not None and self.fusion == "relation":
            arrays["classes"] = gold
        return arrays

    def targets(self, instances: GoldPairs) -> Targets:
        """Return gold classes."""
        return {"classes": instances.classes(self.classes)}

    def loss(self, outputs: Outputs, targets: Tensors) -> Tensors:
        """Compute the cross-entropy, and the difference of the top probabilities."""
        return teacher_loss(
            outputs,
            targets,
            penalty=self.cfg["sentence_penalty"],
            tsd_weight=self.cfg["tsd_weight"],
            tsd_k=self.cfg["tsd_k"],
        )

    def evidence(self, pairs: Pairs, outputs: Outputs, number: int, answer: int) -> Record:
        """Return the types of both entities, and the relation's logits of text and types."""
        types = pairs.types[number]
        return {
            "entity_types": list(types),
            "prior": round(float(self.patterns.prior([types], **self._prior_form())[0, answer]), 4),
            "text": round(float(outputs.text[number, answer]), 4),
            "types": round(float(outputs.types[number, answer]), 4),
        }

    def score_gold(self, examples: Sequence[Example]) -> Tuple[Floats, IntArray]:
        """Score the pairs of annotated examples, to calibrate the teacher.

        examples (Sequence[Example]): A batch that it was not trained on.
        RETURNS (Tuple[Floats, IntArray]): Logits and gold classes. Shapes (P, R), (P,)
        """
        self.require_initialized()
        gold = replace(self.suggest_gold(examples), counted=False)
        outputs = self.run(gold)
        logits = numpy.zeros((0, len(self.classes) + 1), dtype="float32") if outputs is None else outputs.logits
        return logits, gold.classes(self.classes)

    def teach(self, examples: Sequence[Example], *, temperature: float = 1.0, held_out: bool = False) -> int:
        """Write soft labels of annotated examples onto their gold Docs.

        Dropout is off, and each label is computed from the clean text, whatever the order of the batch.

        examples (Sequence[Example]): A batch.
        temperature (float): Divisor of the logits.
        held_out (bool): Whether it was not trained on them. Of training data the type prior leaves each pair's own
            label out; from counts that never had it, leaving it out would speak against it.
        RETURNS (int): Number of pairs with soft labels.
        """
        self.require_initialized()
        gold = replace(self.suggest_gold(examples), counted=not held_out)
        outputs = self.run(gold)
        parts = () if outputs is None else (outputs.logits, outputs.text, outputs.types)
        docs = [example.reference for example in gold.examples]
        store_soft_labels(docs, gold.pairs, [part / temperature for part in parts], self.classes)
        return len(gold)

    def _prior_form(self) -> Settings:
        """Return how the shares of relations are computed; log odds are of the smoothed ones."""
        form = "printed" if self.cfg["prior"] == "printed" else "smoothed"
        return {"form": form, "smoothing": self.cfg["smoothing"], "na_constant": self.cfg["na_constant"]}


def _annotated(doc: Doc, records: Sequence[Record]) -> Doc:
    """Copy a Doc with gold triples."""
    reference = doc.copy()
    set_triples(reference, records)
    return reference


TEACHER_CONFIG = f"""
[model]
@architectures = "spacy_relext.KdTeacher.v1"
hidden = 200
fusion = "vector"

{ENCODER}
[suggester]
@misc = "spacy_relext.EntityPairs.v1"
"""


_TEACHER = Config().from_str(TEACHER_CONFIG)


@Language.factory(
    "kd_teacher",
    requires=["doc.ents"],
    assigns=["doc._.triples", "span._.triples"],
    default_config={
        "model": _TEACHER["model"],
        "suggester": _TEACHER["suggester"],
        "prior": "log_odds",
        "smoothing": 10.0,
        "na_constant": 0.2,
        "tsd_weight": 1.0,
        "tsd_k": 3,
        "sentence_penalty": 0.0,
        "adversarial_radius": 0.0,
        "adversarial_reuse": False,
        "both_orders": False,
        "average_orders": False,
        "typed_decoding": 0,
        "threshold": 0.5,
        "scorer": {"@scorers": "spacy_relext.triple_scorer.v1"},
    },
    default_score_weights=dict(TRIPLE_SCORE_WEIGHTS),
)
def make_kd_teacher(
    nlp: Language,
    name: str,
    model: Model,
    suggester: Suggester,
    prior: str,
    smoothing: float,
    na_constant: float,
    tsd_weight: float,
    tsd_k: int,
    sentence_penalty: float,
    adversarial_radius: float,
    adversarial_reuse: bool,
    both_orders: bool,
    average_orders: bool,
    typed_decoding: int,
    threshold: float,
    scorer: Optional[Scorer],
) -> KdTeacher:
    """Create a classifier that knows which relations two entity types allow.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model): Built by `spacy_relext.KdTeacher.v1`.
    suggester (Suggester): Chooses the pairs: `spacy_relext.EntityPairs.v1` or `spacy_relext.AnnotatedPairs.v1`.
    prior (str): G̃: "log_odds" of the smoothed shares of relations, these shares themselves ("smoothed"), or the
        "printed" form, without no relation and without smoothing.
    smoothing (float): Pairs that the back-off counts as much as, for pairs of types that are rare.
    na_constant (float): C, the entry of no relation in the printed form.
    tsd_weight (float): Weight of the difference of the top probabilities in the loss; 0 for none.
    tsd_k (int): How many probabilities it compares.
    sentence_penalty (float): Weight of the squared length of sentence vectors (the paper's C-GCN: 0.003).
    adversarial_radius (float): ε, how far an adversary moves what the encoder reads of a text. 0: there is none.
    adversarial_reuse (bool): Whether it moves a text to where the loss rose most when the last pass read it. Else, and
        where the encoder does not know a text again (C-GCN), it reads each text first as it is, and both readings are
        learned from: nearly twice the time.
    both_orders (bool): Whether pairs that a data set marks in one order are learned from both sides.
    average_orders (bool): Whether such pairs are read from both sides at run time too, and the logits averaged: twice
        the time. Where candidates are there in both orders anyway, nothing changes.
    typed_decoding (int): How often training must have shown a relation with two types for it to be considered between
        them; types never seen together allow everything. 0: any relation between any types.
    threshold (float): What the best relation's probability beside no relation must reach.
    scorer (Optional[Scorer]): The scoring function.
    RETURNS (KdTeacher): The component.
    RAISES (ValueError): Where a setting is out of its range.
    """
    settings = plain_settings(locals())
    return KdTeacher(nlp.vocab, model, name, suggester=suggester, scorer=scorer, settings=settings)
