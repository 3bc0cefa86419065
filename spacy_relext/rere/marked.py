"""RERE as published: the encoder reads `[CLS] relation [SEP] sentence [SEP]` once per relation asked (Eqs. 5 and 6).

Source: Xie et al., ACL 2021. `rere/model.py` has the form that reads a sentence once and the output type,
`rere/losses.py` the losses.
Different from the paper: pairs are judged by `span_pairs.PairScorer`; pointers begin at a low bias.
"""

from typing import Any, Dict, List, Optional

from torch import Tensor, nn

from ..encoders.tokens import TokenEncoder, mean_of_ends
from .model import INITIAL_BIAS, N_POINTERS, ExtractorOutput, Proposal, gather_tokens
from .span_pairs import PairScorer


class MarkedModule(nn.Module):
    """An encoder of word pieces with a head; sizes of both travel together."""

    def __init__(self, tokens: TokenEncoder) -> None:
        """Wrap an encoder.

        tokens (TokenEncoder): May still be empty.
        """
        super().__init__()
        self.tokens = tokens
        self.head_sizes: Optional[Dict[str, Any]] = None

    @property
    def sizes(self) -> Optional[Dict[str, Any]]:
        """RETURNS (Optional[Dict[str, Any]]): What `configure` needs; None while a part is empty."""
        if self.head_sizes is None or self.tokens.sizes is None:
            return None
        return {**self.head_sizes, **self.tokens.sizes}

    @property
    def input_width(self) -> int:
        """RETURNS (int): Size of the encoder's vectors, D."""
        return self.tokens.width

    def configure(self, *, width: int, n_relations: int, **encoder_sizes: Any) -> None:
        """Build the head, and the encoder where its sizes are given.

        width (int): Size of the token vectors, D.
        n_relations (int): R.
        encoder_sizes (Any): As for `TokenEncoder.configure`.
        """
        if encoder_sizes:
            self.tokens.configure(**encoder_sizes)
        self.head_sizes = {"width": width, "n_relations": n_relations}
        self.build_head(width, n_relations)

    def load_checkpoint(self, path: str) -> None:
        """Build the encoder with the weights of a checkpoint.

        path (str): A folder, or a name on the Hugging Face Hub.
        """
        self.tokens.load_checkpoint(path)

    def build_head(self, width: int, n_relations: int) -> None:
        """Build the layers above the encoder."""
        raise NotImplementedError


class MarkedDetector(MarkedModule):
    """z = W h_[CLS] + b, multi-label (Eq. 5)."""

    def __init__(self, tokens: TokenEncoder, *, dropout: float) -> None:
        """Create an empty detector.

        tokens (TokenEncoder): The encoder.
        dropout (float): Dropout on the sentence vector.
        """
        super().__init__(tokens)
        self.dropout = nn.Dropout(dropout)

    def build_head(self, width: int, n_relations: int) -> None:
        """Build the output layer."""
        self.output = nn.Linear(width, n_relations)

    def forward(self, ids: List[Tensor], shapes: List[Tensor], masks: List[Tensor], cls: Tensor, **_: Any) -> Tensor:
        """Score relations.

        ids, shapes, masks (List[Tensor]): Padded pieces. Shapes (b, L)
        cls (Tensor): Cell of each sequence's first piece. Shape (B,)
        RETURNS (Tensor): Logits. Shape (B, R)
        """
        return self.output(self.dropout(self.tokens.cells(ids, shapes, masks)[cls]))


class MarkedExtractor(MarkedModule):
    """z_{t,k} = w_k h_t + b_k over the sentence's tokens, h read with the relation (Eq. 6)."""

    def __init__(self, tokens: TokenEncoder, *, proposal: Proposal, pair_hidden: int, dropout: float) -> None:
        """Create an empty extractor.

        tokens (TokenEncoder): The encoder.
        proposal (Proposal): How candidates are made from pointers.
        pair_hidden (int): Size of the pair scorer's hidden layer.
        dropout (float): Dropout on the token vectors and in the pair scorer.
        """
        super().__init__(tokens)
        self.proposal, self.pair_hidden = proposal, pair_hidden
        self.dropout = nn.Dropout(dropout)

    def build_head(self, width: int, n_relations: int) -> None:
        """Build pointers and pair scorer; neither depends on the number of relations."""
        self.pointers = nn.Linear(width, N_POINTERS)
        nn.init.constant_(self.pointers.bias, INITIAL_BIAS)
        options: Dict[str, Any] = {"hidden": self.pair_hidden, "dropout": self.dropout.p}
        self.pair_scorer = PairScorer(width, n_relations=0, precision=self.tokens.encoder.precision, **options)

    def forward(
        self,
        ids: List[Tensor],
        shapes: List[Tensor],
        masks: List[Tensor],
        segments: List[Tensor],
        first: Tensor,
        last: Tensor,
        cls: Tensor,
        index: Tensor,
        extra: Optional[Tensor] = None,
        **_: Any,
    ) -> ExtractorOutput:
        """Ask each row.

        ids, shapes, masks, segments (List[Tensor]): Padded pieces, a sequence per row. Shapes (b, L)
        first, last (Tensor): Cells of each token's first and last piece. Shape (N,)
        cls (Tensor): Cell of each row's first piece. Shape (M,)
        index (Tensor): Token of each cell of each row, -1 on padding. Shape (M, T)
        extra (Optional[Tensor]): Row, first, last of spans to be scored besides the proposed ones. Shape (S, 3)
        RETURNS (ExtractorOutput): Logits of M rows and P pairs.
        """
        table = self.dropout(self.tokens.cells(ids, shapes, masks, segments))
        tokens, mask = gather_tokens(mean_of_ends(table, first, last), index)
        pointers = self.pointers(tokens)
        pairs, span_probs = self.proposal(pointers, mask, extra)
        pair_logits = self.pair_scorer(tokens, table[cls], pairs, pairs[:, 0], None)
        return ExtractorOutput(pointers, mask, pairs, pair_logits, span_probs)
