"""From word pieces to one vector per token."""

from typing import Any, Dict, List, Optional

import torch
from torch import Tensor, nn

from ..errors import Errors
from .transformer import TransformerEncoder


class TokenEncoder(nn.Module):
    """Encode word pieces and give every token the mean of its first and its last piece.

    The two ends of a name are what span pointers look for; the mean of all pieces blurs them in long words.
    """

    def __init__(self, encoder: TransformerEncoder) -> None:
        """Wrap an encoder.

        encoder (TransformerEncoder): May still be empty.
        """
        super().__init__()
        self.encoder = encoder
        self.tokenizer: Any = None
        self._tokenizer_json: Optional[str] = None

    @property
    def sizes(self) -> Optional[Dict[str, Any]]:
        """RETURNS (Optional[Dict[str, Any]]): What `configure` needs; None while the module is empty."""
        if self.encoder.hf_config is None:
            return None
        return {"hf_config": self.encoder.hf_config, "tokenizer": self._tokenizer_json}

    @property
    def width(self) -> int:
        """RETURNS (int): Size of the token vectors, D."""
        return self.encoder.width

    @property
    def input_width(self) -> None:
        """RETURNS (None): It reads no token vectors."""

    def configure(self, *, hf_config: Dict[str, Any], tokenizer: str) -> None:
        """Build the layers with random weights.

        hf_config (Dict[str, Any]): The checkpoint's `config.json`.
        tokenizer (str): The content of `tokenizer.json`.
        """
        self.encoder.configure(hf_config=hf_config)
        self._adopt(tokenizer)

    def load_checkpoint(self, path: str) -> None:
        """Build the layers with the weights of a checkpoint.

        path (str): A folder, or a name on the Hugging Face Hub.
        RAISES (ValueError): If there is no encoder.
        """
        try:
            self.encoder.load_checkpoint(path)
            self._adopt(checkpoint_tokenizer(path))
        except (OSError, ValueError) as error:
            raise ValueError(Errors.R008.format(path=path)) from error

    def forward(
        self, ids: List[Tensor], shapes: List[Tensor], masks: List[Tensor], first: Tensor, last: Tensor
    ) -> Tensor:
        """Encode padded batches of pieces.

        ids (List[Tensor]): Vocabulary ids, one padded batch each. Shapes (b, L)
        shapes (List[Tensor]): Letter shapes. Shapes (b, L)
        masks (List[Tensor]): True on pieces. Shapes (b, L)
        first (Tensor): Cell of each token's first piece in the flattened batches. Shape (N,)
        last (Tensor): Cell of its last piece. Shape (N,)
        RETURNS (Tensor): Token vectors. Shape (N, D)
        """
        return mean_of_ends(self.cells(ids, shapes, masks), first, last)

    def _adopt(self, tokenizer: str) -> None:
        """Take a tokenizer; its text, of some hundred kilobytes, is kept: `sizes` is read in every call."""
        self.tokenizer, self._tokenizer_json = read_tokenizer(tokenizer), tokenizer

    def cells(
        self,
        ids: List[Tensor],
        shapes: List[Tensor],
        masks: List[Tensor],
        segments: Optional[List[Tensor]] = None,
    ) -> Tensor:
        """Encode padded batches and lay all their cells out in one table.

        ids, shapes, masks (List[Tensor]): As for `forward`.
        segments (Optional[List[Tensor]]): Segment numbers. Shapes (b, L)
        RETURNS (Tensor): Shape (cells, D)
        """
        rows = zip(ids, shapes, masks, segments if segments is not None else [None] * len(ids))
        tables = [self.encoder(*row).flatten(0, 1) for row in rows]
        if not tables:  # a batch of empty Docs
            return next(self.parameters()).new_zeros(0, self.encoder.width)
        return torch.cat(tables) if len(tables) > 1 else tables[0]


def mean_of_ends(table: Tensor, first: Tensor, last: Tensor) -> Tensor:
    """Read each token's vector as the mean of two cells.

    table (Tensor): Shape (cells, D)
    first (Tensor): Shape (N,)
    last (Tensor): Shape (N,)
    RETURNS (Tensor): Shape (N, D)
    """
    # embedding() has a much faster backward pass than indexing
    return (nn.functional.embedding(first, table) + nn.functional.embedding(last, table)) / 2


def read_tokenizer(text: str) -> Any:
    """Make a tokenizer from the content of a `tokenizer.json`, without padding or truncation.

    text (str): The file's content.
    RETURNS (tokenizers.Tokenizer): The tokenizer.
    """
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(text)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def checkpoint_tokenizer(path: str) -> str:
    """Read the fast tokenizer of a checkpoint.

    path (str): A folder, or a name on the Hugging Face Hub.
    RETURNS (str): The content of its `tokenizer.json`.
    """
    from transformers import AutoTokenizer

    return str(AutoTokenizer.from_pretrained(path, use_fast=True).backend_tokenizer.to_str())
