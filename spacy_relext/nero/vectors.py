"""The vectors of rules, which a `nero_grounder` compares with the vectors of pairs."""

import io
from typing import Callable, Optional

import numpy
from spacy.pipeline import TrainablePipe

from ..errors import Errors
from ..pairs.component import Floats, PairPipe
from ..pairs.pairs import Pairs

# Number of updates after which the vectors are computed again in training.
REFRESH = 50


class RuleVectors:
    """The vectors of the rules of a component, computed when they are needed.

    pipe (PairPipe): The component.
    read_rules (Callable[[], Pairs]): Returns a text for each rule.
    upstream (Optional[TrainablePipe]): What a listener listens to; it also reads the rules. A loaded pipeline does
        not know it, but has the vectors.
    """

    def __init__(self, pipe: PairPipe, read_rules: Callable[[], Pairs]) -> None:
        self.pipe, self.read_rules = pipe, read_rules
        self.upstream: Optional[TrainablePipe] = None
        self._vectors: Optional[Floats] = None
        self._is_stale = False  # whether weights have changed since they were computed

    def forget(self) -> None:
        """Compute them anew when they are needed: there are other rules."""
        self._vectors, self._is_stale = None, False

    def weights_changed(self, *, steps: int) -> None:
        """Note an update of the weights, the `steps`-th."""
        if steps % REFRESH == 0:
            self._vectors = None
        self._is_stale = True

    def recent(self) -> Floats:
        """Return them, computed with the weights of one of the last updates. Shape (J, D)"""
        if self._vectors is None:
            outputs = self.pipe.forward(self.annotate(self.read_rules()))
            assert outputs is not None
            self._vectors = outputs.unit
        return self._vectors

    def current(self) -> Floats:
        """Return them, computed with the weights as they are. Shape (J, D)"""
        if self._is_stale:
            self.forget()
        return self.recent()

    def annotate(self, pairs: Pairs) -> Pairs:
        """Let the component that a listener listens to read the texts of rules, which no batch has."""
        if self.pipe.is_listener:
            if self.upstream is None:
                raise ValueError(Errors.R505.format(name=self.pipe.name))
            new = [doc for doc in pairs.docs if not doc.tensor.size]
            self.upstream.set_annotations(new, self.upstream.predict(new))
        return pairs

    def to_bytes(self) -> bytes:
        """Return the current vectors as a file of numpy."""
        stream = io.BytesIO()
        numpy.save(stream, self.current(), allow_pickle=False)
        return stream.getvalue()

    def from_bytes(self, data: bytes) -> None:
        """Read what `to_bytes` returned."""
        self._vectors, self._is_stale = numpy.load(io.BytesIO(data), allow_pickle=False), False
