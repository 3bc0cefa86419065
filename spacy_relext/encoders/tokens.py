"""Modules that give one vector per token: from word pieces, and from other token vectors by a BiLSTM."""

from typing import TYPE_CHECKING, Dict, List, Optional

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ..errors import Errors
from .layers import must_recompute
from .transformer import TransformerEncoder

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class TokenEncoder(nn.Module):
    """Encode word pieces and give every token the mean of its first and its last piece.

    The two ends of a name are what span pointers look for; the mean of all pieces blurs them in long words.
    """

    input_width = None  # it reads no token vectors

    def __init__(self, encoder: TransformerEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.tokenizer: Optional[Tokenizer] = None
        self._tokenizer_json: Optional[str] = None

    @property
    def sizes(self) -> Optional[Dict[str, object]]:
        """RETURNS (Optional[Dict[str, object]]): What `configure` needs; None while the module is empty."""
        if self.encoder.hf_config is None:
            return None
        return {"hf_config": self.encoder.hf_config, "tokenizer": self._tokenizer_json}

    @property
    def width(self) -> int:
        """RETURNS (int): Size of the token vectors, D."""
        return self.encoder.width

    def configure(self, *, hf_config: Dict[str, object], tokenizer: str) -> None:
        """Build the layers with random weights.

        hf_config (Dict[str, object]): The checkpoint's `config.json`.
        tokenizer (str): The content of `tokenizer.json`.
        """
        self.encoder.configure(hf_config=hf_config)
        self._set_tokenizer(tokenizer)

    def load_checkpoint(self, path: str) -> None:
        """Build the layers with the weights of a checkpoint.

        path (str): A folder, or a name on the Hugging Face Hub.
        RAISES (ValueError): If no encoder can be loaded from there.
        """
        from transformers import AutoTokenizer

        try:
            self.encoder.load_checkpoint(path)
            self._set_tokenizer(
                AutoTokenizer.from_pretrained(path, use_fast=True, trust_remote_code=False).backend_tokenizer.to_str()
            )
        except (OSError, ValueError) as error:
            raise ValueError(Errors.R008.format(path=path)) from error

    def forward(
        self, ids: List[Tensor], shapes: List[Tensor], masks: List[Tensor], first: Tensor, last: Tensor
    ) -> Tensor:
        """Encode padded batches of pieces.

        ids, shapes, masks (List[Tensor]): As for `cells`.
        first, last (Tensor): Cells of each token's first and last piece. Shape (N,)
        RETURNS (Tensor): Token vectors. Shape (N, D)
        """
        return mean_of_ends(self.cells(ids, shapes, masks), first, last)

    def cells(
        self, ids: List[Tensor], shapes: List[Tensor], masks: List[Tensor], segments: Optional[List[Tensor]] = None
    ) -> Tensor:
        """Encode padded batches and concatenate all their cells.

        ids (List[Tensor]): Vocabulary ids, one padded batch each. Shapes (b, L)
        shapes (List[Tensor]): Letter shapes. Shapes (b, L)
        masks (List[Tensor]): True on pieces. Shapes (b, L)
        segments (Optional[List[Tensor]]): Segment numbers. Shapes (b, L)
        RETURNS (Tensor): Shape (cells, D)
        """
        rows = zip(ids, shapes, masks, segments if segments is not None else [None] * len(ids))
        recompute = must_recompute(self.encoder.transformer, sum(mask.numel() for mask in masks))
        tables = [self.encoder(*row, recompute=recompute).flatten(0, 1) for row in rows]
        if not tables:  # a batch of empty Docs
            return next(self.parameters()).new_zeros(0, self.encoder.width)
        return torch.cat(tables) if len(tables) > 1 else tables[0]

    def _set_tokenizer(self, text: str) -> None:
        """Build the tokenizer, and keep its JSON, some hundred kilobytes: `sizes` is read in every call."""
        from tokenizers import Tokenizer

        self.tokenizer, self._tokenizer_json = Tokenizer.from_str(text), text
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()


class BiLSTM(nn.Module):
    """Read each sequence in both directions: h_t = [LSTM→(x_1..x_t) ; LSTM←(x_n..x_t)]."""

    def __init__(self, *, width: int, depth: int, dropout: float) -> None:
        super().__init__()
        self.width, self.depth = width, depth
        self.dropout = nn.Dropout(dropout)
        self.sizes: Optional[Dict[str, int]] = None

    @property
    def input_width(self) -> Optional[int]:
        """RETURNS (Optional[int]): Size of the input vectors."""
        return None if self.sizes is None else self.sizes["input_width"]

    def configure(self, *, input_width: int) -> None:
        """Build the layers for input vectors of a size."""
        self.sizes = {"input_width": input_width}
        between = self.dropout.p if self.depth > 1 else 0.0
        self.lstm = nn.LSTM(
            input_width, self.width // 2, self.depth, batch_first=True, bidirectional=True, dropout=between
        )

    def forward(self, vectors: Tensor, index: Tensor) -> Tensor:
        """Encode sequences.

        vectors (Tensor): All token vectors. Shape (N, D_in)
        index (Tensor): Token of each cell of each sequence, -1 on padding; every sequence has a token. Shape (B, T)
        RETURNS (Tensor): In the order of the input. Shape (N, D)
        """
        mask = index >= 0
        padded = nn.functional.embedding(index.clamp(min=0), self.dropout(vectors))  # (B, T, D_in)
        packed = pack_padded_sequence(padded, mask.sum(1).cpu(), batch_first=True, enforce_sorted=False)
        hidden, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=index.shape[1])
        flat = hidden[mask]  # (N, D), in the order of the cells
        return self.dropout(torch.empty_like(flat).index_copy(0, index[mask], flat))


def mean_of_ends(table: Tensor, first: Tensor, last: Tensor) -> Tensor:
    """Compute each token's vector as the mean of two cells. Shapes (cells, D), (N,), (N,) → (N, D)"""
    # embedding() has a much faster backward pass than indexing
    return (nn.functional.embedding(first, table) + nn.functional.embedding(last, table)) / 2
