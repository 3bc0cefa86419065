"""What models say of the same Docs, kept while settings are fitted that no model reads."""

from contextlib import contextmanager
from typing import Any, Callable, Iterable, Iterator, List, Sequence, Tuple

from spacy.tokens import Doc


class KeptOutputs:
    """The outputs of one component's model, in the order of the batches that it reads."""

    def __init__(self) -> None:
        self._kept: List[Tuple[List[str], Any]] = []
        self._next = 0

    def rewind(self) -> None:
        """Expect the first batch again."""
        self._next = 0

    def forget(self) -> None:
        """Let all be said anew: something that the model reads has changed."""
        self._kept, self._next = [], 0

    def look_up(self, docs: Sequence[Doc], compute: Callable[[], Any]) -> Any:
        """Find what was said of a batch, or let it be said now.

        docs (Sequence[Doc]): The batch: the same as at this place since the last `rewind`.
        compute (Callable[[], Any]): Runs the model.
        RETURNS (Any): Its outputs.
        """
        texts = [doc.text for doc in docs]
        if self._next == len(self._kept):
            self._kept.append((texts, compute()))
        kept, outputs = self._kept[self._next]
        assert kept == texts, "another batch than the last time"
        self._next += 1
        return outputs


@contextmanager
def outputs_kept(pipes: Iterable[Any]) -> Iterator[None]:
    """Let models read each batch once only, however often it is predicted within this block.

    Only where data and order stay as they are. `rewind` their `kept_outputs` before the data is predicted again, and
    `forget` what they hold when something changes that comes before them.

    pipes (Iterable[RelationPipe]): The components.
    """
    pipes = list(pipes)
    for pipe in pipes:
        pipe.kept_outputs = KeptOutputs()
    try:
        yield
    finally:
        for pipe in pipes:
            pipe.kept_outputs = None
