"""The component behind `kd_classifier`: reads the text alone; learns from labels and, if there is one, a teacher."""

from typing import Any, Dict, Iterable, List

import numpy
from spacy.training import Example

from ..instances.pair_classes import GoldPairs
from ..instances.pairs import Pairs
from ..instances.soft_labels import SoftLabelCount, read_soft_labels
from ..models.kd_losses import student_loss
from .kd_base import KDPipe

LEAST_ATTENTION = 0.02
MOST_ATTENDED = 8


class KDClassifier(KDPipe):
    """Says which relation holds between two entities. Writes `doc._.triples`."""

    architectures = ("relext_kd_piece_student", "relext_kd_graph_student", "relext_kd_shared_student")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Create a classifier; see `RelationPipe`."""
        super().__init__(*args, **kwargs)
        self._soft = SoftLabelCount()
        # λ: `spacy_relext.anneal_distillation.v1` changes it as training goes on; it is no part of what is saved.
        self.teacher_share = float(self.cfg["teacher_share"])

    def collect(self, examples: Iterable[Example]) -> List[str]:
        """Read relations, entity types and tags, and check that soft labels, if there are any, are for these pairs.

        RAISES (ValueError): Where they are for others, or for other relations.
        """
        self._soft = SoftLabelCount()
        labels = super().collect(examples)
        self._soft.check(labels, name=self.name, where=self._where, warn=self.warn_once)
        return labels

    def note(self, gold: GoldPairs) -> None:
        """Count soft labels."""
        self._soft.add(gold)

    def targets(self, instances: GoldPairs) -> Dict[str, Any]:
        """Gold classes, and what a teacher said."""
        soft = read_soft_labels(instances, self.classes, name=self.name) or {}
        return {"classes": instances.classes(self.classes), **soft}

    def loss(self, outputs: Any, targets: Dict[str, Any]) -> Dict[str, Any]:
        """Cross-entropy with the labels, divergence from the teacher, hints for both branches."""
        return student_loss(
            outputs,
            targets,
            share=self.teacher_share,
            hint_weight=self.cfg["hint_weight"],
            temperature=self.cfg["temperature"],
            smoothing=self.cfg["label_smoothing"],
            penalty=self.cfg["sentence_penalty"],
        )

    def evidence(self, instances: Pairs, outputs: Any, number: int, answer: int) -> Dict[str, Any]:
        """Types of both entities, and what both branches say for the relation, as logits."""
        parts = {"local": outputs.local[number, answer], "auxiliary": outputs.auxiliary[number, answer]}
        return {
            "entity_types": list(instances.types[number]),
            **{key: round(float(value), 4) for key, value in parts.items()},
            "attention": most_attended(instances, outputs.attention[number], number),
        }


def most_attended(pairs: Pairs, weights: Any, number: int) -> List[List[Any]]:
    """List the tokens that the attention looks at most.

    pairs (Pairs): The pairs.
    weights (NDArray): Of the tokens of the pair's text. Shape (T,)
    number (int): Which pair.
    RETURNS (List[List[Any]]): First character, character after the last, weight; the heaviest first. Empty where
        there is no attention.
    """
    doc, start = pairs.docs[pairs.doc[number]], int(pairs.text[number, 0])
    best = sorted(numpy.flatnonzero(weights >= LEAST_ATTENTION).tolist(), key=lambda token: -weights[token])
    tokens = [(doc[start + token], float(weights[token])) for token in best[:MOST_ATTENDED]]
    return [[token.idx, token.idx + len(token), round(weight, 4)] for token, weight in tokens]
