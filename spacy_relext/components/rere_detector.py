"""The component behind `rere_detector`: which relations does a sentence state?"""

from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..errors import Errors, check_range
from ..instances.batch import TokenBatch
from ..instances.gold import label_matrix
from ..instances.sentences import SentenceWindows
from ..models.rere_losses import LabelWindow, detector_loss
from ..triples.decode import calibrate
from ..triples.store import set_relations
from ..types import CharSpan
from .rere_base import RerePipe

DEFAULT_MISSING_RATE = 0.05
LARGEST_MISSING_RATE = 0.99


class RereDetector(RerePipe):
    """Which relations does a sentence state? Writes `sent._.relations`."""

    architectures = ("relext_shared_detector", "relext_marked_detector")
    writes = "relations"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Create a detector; see `RelationPipe`."""
        super().__init__(*args, **kwargs)
        self.cfg.update(label_frequency={}, missing_rates={})
        self._window = LabelWindow(self.cfg["mean_window"])

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Optional[List[str]] = None,
        missing_rates: Optional[Dict[str, float]] = None,
    ) -> None:
        """Find the labels, give the model its sizes, and load the encoder's weights.

        get_examples (Callable[[], Iterable[Example]]): Returns the training data.
        nlp (Optional[Language]): The pipeline.
        labels (Optional[List[str]]): The labels, where the data does not show all of them.
        missing_rates (Optional[Dict[str, float]]): τ of each relation, such as `spacy relext tune` estimates; read by
            the collective losses where the setting `missing_rate` is null. None: what was estimated before, if any.
        RAISES (ValueError): Where there are no labels, or a rate is none.
        """
        for label, rate in (missing_rates or {}).items():
            check_range(f"missing_rates of {self.name}: {label}", rate, 0.0, LARGEST_MISSING_RATE)
        super().initialize(get_examples, nlp=nlp, labels=labels)
        unknown = sorted(set(missing_rates or {}).difference(self.labels))
        if unknown:
            raise ValueError(Errors.R362.format(name=self.name, unknown=", ".join(unknown)))
        if missing_rates is not None:
            self.cfg["missing_rates"] = dict(missing_rates)
        self._window = LabelWindow(self.cfg["mean_window"])

    def update(self, examples: Iterable[Example], **options: Any) -> Dict[str, float]:
        """Learn from a batch; see `RelationPipe.update`."""
        losses = super().update(examples, **options)
        self._window.advance()
        return losses

    def suggest(self, docs: Sequence[Doc]) -> SentenceWindows:
        """Take every sentence window."""
        return self.windows(docs)

    def suggest_gold(self, examples: Sequence[Example]) -> SentenceWindows:
        """Take every sentence window of annotated Docs, with its gold."""
        windows, gold = self.gold(examples)
        windows.gold = gold
        return windows

    def features(self, instances: SentenceWindows) -> TokenBatch:
        """Lay the windows' tokens out as an index."""
        return TokenBatch(instances.docs, {"index": instances.token_index()}, instances)

    def targets(self, instances: SentenceWindows) -> Dict[str, Any]:
        """Mark the relations that each window states."""
        assert instances.gold is not None
        return {
            "relations": label_matrix(instances.gold, self.labels),
            "label_prior": self._per_label(self.cfg["label_prior"], self.cfg["prior"]),
            "missing_rates": self.missing_rates(),
        }

    def loss(self, outputs: Any, targets: Dict[str, Any]) -> Dict[str, Any]:
        """Binary cross-entropy or the collective loss."""
        return detector_loss(
            outputs,
            targets,
            kind=self.cfg["loss"],
            scope=self.cfg["collective_scope"],
            gamma=self.cfg["gamma"],
            smooth=self.cfg["smooth"],
            window=self._window,
            weight=self.cfg["loss_weight"],
        )

    def decode(self, instances: SentenceWindows, outputs: Any) -> List[Any]:
        """Take each sentence's best window for every relation."""
        found: List[List[Tuple[CharSpan, Dict[str, float]]]] = [[] for _ in instances.docs]
        if outputs is None:
            return found
        logits = numpy.full((len(instances.bounds), len(self.labels)), -numpy.inf)
        numpy.maximum.at(logits, instances.sentence, outputs)
        probs = calibrate(0.5 * (1.0 + numpy.tanh(0.5 * logits)), scale=self.cfg["scale"], shift=self.cfg["shift"])
        for (number, start, end), row in zip(instances.bounds, probs):
            doc = instances.docs[number]
            offsets = (doc[start].idx, doc[end - 1].idx + len(doc[end - 1]))
            kept = numpy.flatnonzero(row >= self.cfg["min_probability"]).tolist()
            found[number].append((offsets, {self.labels[label]: float(row[label]) for label in kept}))
        return found

    def store(self, doc: Doc, prediction: List[Tuple[CharSpan, Dict[str, float]]]) -> None:
        """Write the probabilities of every sentence."""
        set_relations(doc, prediction)

    def missing_rates(self) -> Any:
        """List τ of each relation: the setting, else the estimate, else a guess.

        RETURNS (NDArray): In the model's order. Shape (R,)
        """
        if self.cfg["missing_rate"] is not None:
            return self._per_label({}, self.cfg["missing_rate"])
        return self._per_label(self.cfg["missing_rates"], DEFAULT_MISSING_RATE)

    def _per_label(self, values: Dict[str, float], default: float) -> Any:
        """A number for each label, in the model's order."""
        return numpy.asarray([values.get(label, default) for label in self.labels], dtype="float32")
