"""The component behind `kd_teacher`: text and type prior together."""

from dataclasses import replace
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Config, Model

from ..annotations.entities import TOLD_KEY
from ..annotations.store import set_triples
from ..errors import Errors, Warnings, check_choice, check_range
from ..pairs.gold import GoldPairs
from ..pairs.pairs import Pairs
from ..pairs.suggesters import Suggester
from ..pipeline.settings import plain_settings
from ..scoring.triples import TRIPLE_SCORE_WEIGHTS
from .component import FITTED, TOK2VEC, KDPipe
from .losses import teacher_loss
from .soft_labels import store_soft_labels

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


TEACHER_CONFIG = f"""
[model]
@architectures = "spacy_relext.GraphTeacher.v1"
fusion = "vector"
input_dropout = 0.1
graph_dropout = 0.1

[model.tok2vec]
{TOK2VEC}

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
    scorer: Optional[Callable[..., Dict[str, Any]]],
) -> KDTeacher:
    """Create a classifier that knows which relations two entity types allow.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model): Built by `spacy_relext.PieceTeacher.v1`, `GraphTeacher.v1` or `SharedTeacher.v1`.
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
    scorer (Optional[Callable[..., Dict[str, Any]]]): The scoring function.
    RETURNS (KDTeacher): The component.
    RAISES (ValueError): Where a setting is out of its range.
    """
    settings = plain_settings(locals())
    check_choice("prior", prior, PRIORS)
    check_range("smoothing", smoothing, 1e-6, 1_000_000.0)
    check_range("typed_decoding", typed_decoding, 0, 1_000_000)
    check_range("tsd_k", tsd_k, 2, 1_000)
    check_range("na_constant", na_constant, 0.0, 1_000.0)
    check_range("threshold", threshold, 0.0, 1.0)
    for key in ("tsd_weight", "sentence_penalty", "adversarial_radius"):
        check_range(key, settings[key], 0.0, 1_000.0)
    options: Dict[str, Any] = {"settings": settings, "fitted": FITTED}
    return KDTeacher(nlp.vocab, model, name, suggester=suggester, scorer=scorer, **options)
