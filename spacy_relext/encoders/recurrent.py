"""A bidirectional LSTM over token vectors: the paper's LSTM ablation, without any download."""

from typing import Dict, Optional

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class BiLSTM(nn.Module):
    """Read each sequence in both directions.

    h_t = [LSTM→(x_1..x_t) ; LSTM←(x_n..x_t)], with dropout on input and output.
    """

    def __init__(self, *, width: int, depth: int, dropout: float) -> None:
        """Create an empty encoder; `configure` gives it its input size.

        width (int): Size of the output vectors, both directions together; even.
        depth (int): Number of layers.
        dropout (float): Dropout on input, output and between layers.
        """
        super().__init__()
        self.width, self.depth = width, depth
        self.dropout = nn.Dropout(dropout)
        self.sizes: Optional[Dict[str, int]] = None

    @property
    def input_width(self) -> Optional[int]:
        """RETURNS (Optional[int]): Size of the input vectors."""
        return None if self.sizes is None else self.sizes["input_width"]

    def configure(self, *, input_width: int) -> None:
        """Build the layers.

        input_width (int): Size of the input vectors.
        """
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
