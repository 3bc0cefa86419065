"""RERE as published: the encoder reads `[CLS] relation [SEP] sentence [SEP]` once per queried relation (Eqs. 5 and 6).

Source: Xie et al., ACL 2021. Unlike the paper, pairs are scored by `PairScorer`, and pointers start with a low bias.
"""

from typing import Dict, List, Optional

import torch
from torch import Tensor, nn

from ..encoders.tokens import TokenEncoder, mean_of_ends
from ..pairs.encoders.states import masked_mean
from .argument_types import no_types
from .model import INITIAL_BIAS, N_POINTERS, ExtractorOutput, Proposal, gather_tokens
from .span_pairs import PairScorer, split_assertions

# How a detector over pieces represents a sentence: by the vector of its first piece, or by the mean of all.
POOLINGS = ("cls", "mean")


class MarkedModule(nn.Module):
    """An encoder of word pieces, which may still be empty, with a head; the sizes of both are stored together."""

    def __init__(self, tokens: TokenEncoder, *, dropout: float) -> None:
        """Wrap an encoder, with dropout on its vectors."""
        super().__init__()
        self.tokens, self.dropout = tokens, nn.Dropout(dropout)
        self.head_sizes: Optional[Dict[str, int]] = None

    @property
    def sizes(self) -> Optional[Dict[str, object]]:
        """RETURNS (Optional[Dict[str, object]]): Arguments of `configure`; None while a part is empty."""
        if self.head_sizes is None or self.tokens.sizes is None:
            return None
        return {**self.head_sizes, **self.tokens.sizes}

    @property
    def input_width(self) -> int:
        """RETURNS (int): Size of the encoder's vectors, D."""
        return self.tokens.width

    def configure(
        self,
        *,
        width: int,
        n_relations: int,
        n_types: int = 0,
        n_assertions: int = 0,
        hf_config: Optional[Dict[str, object]] = None,
        tokenizer: str = "",
    ) -> None:
        """Build the head, and the encoder if its configuration is given; see `TokenEncoder.configure`.

        n_types (int): Not read: a head over pieces has no entity types.
        n_assertions (int): Of an extractor, see `PairScorer`.
        """
        if hf_config is not None:
            self.tokens.configure(hf_config=hf_config, tokenizer=tokenizer)
        self.head_sizes = {"width": width, "n_relations": n_relations}
        self.head_sizes.update({"n_assertions": n_assertions} if n_assertions else {})
        self.build_head(width, n_relations)

    def load_checkpoint(self, path: str) -> None:
        """Build the encoder with the weights of a checkpoint: a folder, or a name on the Hugging Face Hub."""
        self.tokens.load_checkpoint(path)

    def build_head(self, width: int, n_relations: int) -> None:
        """Build the layers above the encoder."""
        raise NotImplementedError


class MarkedDetector(MarkedModule):
    """z = W h + b, multi-label (Eq. 5): h is the vector of [CLS], as in the paper, or the mean of all pieces."""

    def __init__(self, tokens: TokenEncoder, *, dropout: float, pooling: str = "cls") -> None:
        """Wrap an encoder; `pooling` is one of `POOLINGS`."""
        super().__init__(tokens, dropout=dropout)
        self.pooling = pooling

    def build_head(self, width: int, n_relations: int) -> None:
        """Build the output layer."""
        self.output = nn.Linear(width, n_relations)

    def forward(self, ids: List[Tensor], shapes: List[Tensor], masks: List[Tensor], cls: Tensor, **_: object) -> Tensor:
        """Compute the logits of relations. Shape (B, R)

        ids, shapes, masks (List[Tensor]): Padded pieces. Shapes (b, L)
        cls (Tensor): Cell of each sequence's first piece. Shape (B,)
        """
        cells = self.tokens.cells(ids, shapes, masks)
        return self.output(self.dropout(cells[cls] if self.pooling == "cls" else means_of_rows(cells, masks, cls)))


def means_of_rows(cells: Tensor, masks: List[Tensor], cls: Tensor) -> Tensor:
    """Average the pieces of each sequence, [CLS] and [SEP] included.

    cells (Tensor): All cells of the padded batches. Shape (cells, D)
    masks (List[Tensor]): True on pieces. Shapes (b, L)
    cls (Tensor): Cell of each sequence's first piece. Shape (B,)
    RETURNS (Tensor): In the order of `cls`. Shape (B, D)
    """
    tables = cells.split([mask.numel() for mask in masks])
    means = [masked_mean(table.view(*mask.shape, -1), mask) for table, mask in zip(tables, masks)]
    widths = [mask.new_full((len(mask),), mask.shape[1], dtype=torch.long) for mask in masks]
    starts = torch.cat([cls.new_zeros(1), *widths]).cumsum(0)[:-1]
    return torch.cat([cells.new_zeros(0, cells.shape[1]), *means])[torch.searchsorted(starts, cls)]


class MarkedExtractor(MarkedModule):
    """z_{t,k} = w_k h_t + b_k over the sentence's tokens, h read with the relation (Eq. 6)."""

    def __init__(self, tokens: TokenEncoder, *, proposal: Proposal, pair_hidden: int, dropout: float) -> None:
        """Create an empty extractor.

        proposal (Proposal): How candidates are made from pointers.
        pair_hidden (int): Size of the pair scorer's hidden layer.
        dropout (float): Dropout on the token vectors and in the pair scorer.
        """
        super().__init__(tokens, dropout=dropout)
        self.proposal, self.pair_hidden = proposal, pair_hidden

    def build_head(self, width: int, n_relations: int) -> None:
        """Build the pointers and the pair scorer; neither depends on the number of relations."""
        self.pointers = nn.Linear(width, N_POINTERS)
        nn.init.constant_(self.pointers.bias, INITIAL_BIAS)
        precision = self.tokens.encoder.precision
        self.pair_scorer = PairScorer(
            width,
            n_relations=0,
            hidden=self.pair_hidden,
            dropout=self.dropout.p,
            precision=precision,
            n_assertions=(self.head_sizes or {}).get("n_assertions", 0),
        )

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
        **_: object,
    ) -> ExtractorOutput:
        """Query each row.

        ids, shapes, masks, segments (List[Tensor]): Padded pieces, a sequence per row. Shapes (b, L)
        first, last (Tensor): Cells of each token's first and last piece. Shape (N,)
        cls (Tensor): Cell of each row's first piece. Shape (M,)
        index (Tensor): Token of each cell of each row, -1 on padding. Shape (M, T)
        extra (Optional[Tensor]): See `Proposal.forward`. Shape (S, 3)
        """
        table = self.dropout(self.tokens.cells(ids, shapes, masks, segments))
        tokens, mask = gather_tokens(mean_of_ends(table, first, last), index)
        pointers = self.pointers(tokens)
        pairs, span_probs = self.proposal(pointers, mask, extra)
        pair_logits, assertions = split_assertions(self.pair_scorer(tokens, table[cls], pairs, pairs[:, 0], None))
        return ExtractorOutput(pointers, mask, pairs, pair_logits, span_probs, *no_types(pairs), assertions)
