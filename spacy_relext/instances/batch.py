"""What a model reads: Docs for the encoder and integer arrays for the module behind it."""

from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence

from spacy.tokens import Doc

from .sentences import SentenceWindows


@dataclass
class TokenBatch:
    """One model input.

    docs (Sequence[Doc]): The batch.
    arrays (Dict[str, Any]): Keyword arguments of the module: numpy arrays.
    windows (Optional[SentenceWindows]): The windows, for models that cut them into word pieces themselves.
    queries (List[str]): Text of each relation, for models that read it.
    """

    docs: Sequence[Doc]
    arrays: Dict[str, Any] = field(default_factory=dict)
    windows: Optional[SentenceWindows] = None
    queries: List[str] = field(default_factory=list)
