"""A BiLSTM that reads a text for a pair of its entities."""

from typing import Any, NamedTuple, Optional

from torch import Tensor

from .graph import ContextualGraph
from .states import masked_max


class WordStates(NamedTuple):
    """`PairStates`, and the vectors of words before they were read in their text.

    tokens, mask, sentence, subject, object (Tensor): As in `PairStates`.
    words (Tensor): What the BiLSTM reads of each token, a learned vector in the place of each argument's words. Shape
        (P, T, D_in)
    """

    tokens: Tensor
    mask: Tensor
    sentence: Tensor
    subject: Tensor
    object: Tensor
    words: Tensor


class RecurrentPairs(ContextualGraph):
    """The BiLSTM of `ContextualGraph` without a tree: no parser is needed.

    The sentence is what stands between the arguments, or both where nothing does; `words` are what the BiLSTM reads, a
    learned vector for role and type in the place of each argument's words.
    """

    def __init__(self, **settings: Any) -> None:
        """Create an empty encoder; `configure` gives it its sizes.

        settings (Any): As for `ContextualGraph`, without those of the graph.
        """
        super().__init__(layers=0, **settings)

    @property
    def output_width(self) -> int:
        """RETURNS (int): Size of all vectors that come out but `words`."""
        return 2 * self.hidden

    @property
    def word_width(self) -> int:
        """RETURNS (int): Size of `words`."""
        assert self.sizes is not None, "configure() comes first"
        return self.sizes["width"]

    def forward(  # type: ignore[override]
        self,
        vectors: Tensor,
        index: Tensor,
        tags: Tensor,
        types: Tensor,
        roles: Tensor,
        kept: Tensor,
        edges: Optional[Tensor] = None,
        to_subject: Optional[Tensor] = None,
        to_object: Optional[Tensor] = None,
        **_: Any,
    ) -> WordStates:
        """Encode pairs; see `ContextualGraph.forward`.

        kept (Tensor): True between the arguments. Shape (P, T)
        RETURNS (WordStates): Of all tokens.
        """
        mask = index >= 0
        if not len(index):
            none = vectors.new_zeros(0, self.output_width)
            tokens, words = (vectors.new_zeros(*index.shape, n) for n in (self.output_width, vectors.shape[1]))
            return WordStates(tokens, mask, none, none, none, words)
        states, words, roles = self.read(vectors, index, tags, types, roles, to_subject, to_object)
        states = states * mask[..., None]
        between = kept & mask
        between = between | ((roles > 0) & ~between.any(1, keepdim=True))
        subject, obj = (masked_max(states, (roles & role) > 0) for role in (1, 2))
        return WordStates(states, mask, masked_max(states, between), subject, obj, words)
