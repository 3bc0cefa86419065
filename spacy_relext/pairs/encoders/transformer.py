"""A Hugging Face encoder that reads a text for a pair of its entities."""

from typing import Dict, List, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn

from ...encoders.layers import LayerStack, must_recompute
from ...encoders.tokens import TokenEncoder
from ...errors import check_range
from .markers import MARKERS, OBJECT_START, SUBJECT_START, marker_pieces
from .pieces import OBJECT, SUBJECT
from .states import PairStates, masked_mean

N_ROLES = 3

ROLE_STD = 0.02


class PairTransformer(nn.Module):
    """Mark subject and object by learned vectors that are added to their pieces before layer `marker_layer`.

    Markers inserted as words (Wu & He, CIKM 2019) need one copy of the text per pair. Added vectors do not change the
    text: all layers below `marker_layer` read it once, however many pairs it has; at 0 the pair is marked at the input.
    h is the first piece's vector, h_s and h_o the means of the arguments' pieces.

    Form "markers" inserts markers into the text; h_s and h_o are the vectors of those before the arguments. Those of
    form "punct" are punctuation (Zhou & Chen, AACL 2022), which the encoder can distinguish before any training.
    """

    def __init__(self, tokens: TokenEncoder, *, marker_layer: int, form: str = "means") -> None:
        """Wrap an encoder that may still be empty.

        marker_layer (int): The first layer that reads the marks, from 0.
        form (str): What is inserted, see `markers.py`: "means" (nothing), "markers" or "punct".
        """
        super().__init__()
        self.tokens, self.marker_layer, self.form = tokens, marker_layer, form
        self.markers: Optional[nn.Embedding] = None
        self.roles: Optional[nn.Embedding] = None

    @property
    def sizes(self) -> Optional[Dict[str, object]]:
        """RETURNS (Optional[Dict[str, object]]): Arguments of `configure`; None while the module is empty."""
        return self.tokens.sizes

    @property
    def input_width(self) -> None:
        """RETURNS (None): It reads no token vectors."""

    @property
    def output_width(self) -> int:
        """RETURNS (int): Size of the vectors, D."""
        return self.tokens.width

    @property
    def word_width(self) -> int:
        """RETURNS (int): Size of the vectors, D."""
        return self.tokens.width

    def configure(self, *, hf_config: Dict[str, object], tokenizer: str) -> None:
        """Build the layers with random weights; see `TokenEncoder.configure`."""
        self.tokens.configure(hf_config=hf_config, tokenizer=tokenizer)
        self._build_roles()

    def load_checkpoint(self, path: str) -> None:
        """Build the layers with the weights of a checkpoint.

        path (str): A folder, or a name on the Hugging Face Hub.
        RAISES (ValueError): If no encoder can be loaded from there, or it cannot be marked.
        """
        self.tokens.load_checkpoint(path)
        self._build_roles()
        self.check_layers()

    def check_layers(self) -> None:
        """Check that arguments can be marked in the encoder.

        RAISES (ValueError): If `marker_layer` does not exist, layers cannot be run one by one, or the vocabulary has
            no markers.
        """
        check_range("marker_layer", self.marker_layer, 0, len(LayerStack(self.tokens.encoder.transformer)))
        if self.form == "punct":
            marker_pieces(self.tokens.tokenizer, self.form)

    def zero_marks(self) -> None:
        """Set the marks of both roles to 0."""
        assert self.roles is not None, "configure() or load_checkpoint() comes first"
        nn.init.zeros_(self.roles.weight)

    def forward(
        self,
        ids: List[Tensor],
        shapes: List[Tensor],
        masks: List[Tensor],
        rows: List[Tensor],
        roles: List[Tensor],
        order: Tensor,
        inserted: Sequence[Tensor] = (),
        **_: object,
    ) -> PairStates:
        """Read each text for each of its pairs; the states are in the pairs' order, and T is the longest text's length.

        ids, shapes, masks (List[Tensor]): Padded pieces of texts, in groups. Shapes (b, L)
        rows (List[Tensor]): Text of each pair of a group. Shapes (p,)
        roles (List[Tensor]): 1 on the subject's pieces, 2 on the object's. Shapes (p, L)
        order (Tensor): Numbers of the pairs, group after group. Shape (P,)
        inserted (Sequence[Tensor]): What each inserted cell of a text is, 0 on its other pieces; for forms other than
            "means", in which each text has one pair. Shapes (b, L)
        """
        assert self.roles is not None, "configure() or load_checkpoint() comes first"
        encoder, longest = self.tokens.encoder, max((part.shape[1] for part in ids), default=0)
        layer = self._first_marked_layer()
        recompute = must_recompute(encoder.transformer, sum(role.numel() for role in roles))
        states, marked, pair_masks = [], [], []
        put: Sequence[Optional[Tensor]] = inserted or [None] * len(ids)
        for piece_ids, shape_ids, mask, row, role, cells in zip(ids, shapes, masks, rows, roles, put):
            marks, markers = self.roles(role), self._look_up(cells)
            vectors = encoder.forward_marked(
                piece_ids, shape_ids, mask, rows=row, marks=marks, layer=layer, markers=markers, recompute=recompute
            )
            room = longest - vectors.shape[1]
            states.append(nn.functional.pad(vectors, (0, 0, 0, room)))
            marked.append(nn.functional.pad(role if cells is None else cells[row], (0, room)))
            pair_masks.append(nn.functional.pad(mask[row], (0, room)))
        if not states:  # no pair
            empty = self.roles.weight.new_zeros(0, self.output_width)
            return PairStates(empty[:, None], order.new_zeros(0, 1, dtype=torch.bool), empty, empty, empty)
        back = torch.argsort(order)
        tokens, role, mask = torch.cat(states)[back], torch.cat(marked)[back], torch.cat(pair_masks)[back]
        tokens = tokens * mask[..., None]  # (P, T, D)
        read = (SUBJECT_START, OBJECT_START) if inserted else (SUBJECT, OBJECT)
        return PairStates(tokens, mask, tokens[:, 0], *(masked_mean(tokens, role == each) for each in read))

    def _look_up(self, cells: Optional[Tensor]) -> Optional[Tuple[Tensor, Tensor]]:
        """Find the cells that are markers, and look up their vectors."""
        if cells is None or self.markers is None:
            return None
        between = cells > 0
        return between, self.markers(cells * between)

    def _first_marked_layer(self) -> int:
        """Return the first layer that reads a text once per pair; in prediction none if all marks are 0."""
        if self.training or (self.roles is not None and bool(self.roles.weight.any())):
            return self.marker_layer
        return len(LayerStack(self.tokens.encoder.transformer))

    def _build_roles(self) -> None:
        """Build the table of roles, whose first row means no mark and stays 0; and of markers, for that form."""
        self.roles = nn.Embedding(N_ROLES, self.output_width, padding_idx=0)
        nn.init.normal_(self.roles.weight, std=ROLE_STD)
        with torch.no_grad():
            self.roles.weight[0] = 0.0
        if self.form == "markers":
            # the mean of all pieces: random vectors would be noise to an encoder that was not trained on them
            table = self.tokens.encoder.transformer.get_input_embeddings().weight  # type: ignore[union-attr, operator]
            mean = table.detach().mean(0)
            self.markers = nn.Embedding(MARKERS + 1, len(mean))
            with torch.no_grad():
                self.markers.weight.copy_(mean.expand_as(self.markers.weight))
