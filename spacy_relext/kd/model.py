"""KD4NRE: a teacher that knows which relations two entity types allow, and a student that reads the text alone.

Source: Zhang et al., "Distilling Knowledge from Well-Informed Soft Labels for Neural Relation Extraction", AAAI 2020.

    teacher   z_T = F([h; h_s; h_o]) + γ ∘ G̃(p)         γ a number (S), a vector (V), or a row per gold relation (R)
    student   z_S = z_L + z_A,  z_L = F([h; h_s; h_o]),  z_A = F_A(Σ_i a_i h_i)
              a = softmax_i(vᵀ tanh(W_h h_i + W_p [P[i-s]; P[i-o]] + W_n E[type_i] + W_q q)),  q = [h; h_s; h_o]

h, h_s, h_o are the vectors of text, subject and object that an encoder of pairs gives (`encoders/`), G̃ the type prior
(`kd/type_patterns.py`). What differs from the paper and its code is listed in `docs/research/differences.md`: above
all, the attention reads each token's own type, F_A is linear without a ReLU on its logits, and padding is masked.
"""

from typing import NamedTuple, Optional, Tuple

import torch
from torch import Tensor, nn

from ..encoders.assertions import NO_ASSERTIONS
from ..pairs.encoders.states import FURTHEST, States, clip_distance, masked_softmax
from ..pairs.model import PairModule, by_token, joined

FUSIONS = ("scalar", "vector", "relation")

ATTENTION_STD = 0.001


class MultiAspectAttention(nn.Module):
    """Attention over tokens by their states, their distances to both arguments, and their entity types."""

    def __init__(self, width: int, *, n_types: int, position_width: int, type_width: int, hidden: int) -> None:
        """Build the projections, for D = `width`; v is initialized to 0, so that attention starts uniform."""
        super().__init__()
        self.positions = nn.Embedding(2 * FURTHEST + 1, position_width)
        self.types = nn.Embedding(n_types, type_width)
        self.by_state = nn.Linear(width, hidden, bias=False)
        self.by_position = nn.Linear(2 * position_width, hidden, bias=False)
        self.by_type = nn.Linear(type_width, hidden, bias=False)
        self.by_query = nn.Linear(3 * width, hidden, bias=False)
        self.vector = nn.Parameter(torch.zeros(hidden))
        for layer in (self.by_state, self.by_position, self.by_type, self.by_query):
            nn.init.normal_(layer.weight, std=ATTENTION_STD)

    def forward(self, states: States, to_subject: Tensor, to_object: Tensor, types: Tensor) -> Tuple[Tensor, Tensor]:
        """Compute Σ_i a_i h_i and a; for the arguments see `PairModule`. Shapes (P, D), (P, T)"""
        near = [self.positions(clip_distance(offset)) for offset in (to_subject, to_object)]
        hidden = self.by_state(states.tokens) + self.by_position(torch.cat(near, dim=-1))  # (P, T, hidden)
        hidden = hidden + self.by_type(self.types(types)) + self.by_query(joined(states))[:, None]
        scores = torch.tanh(hidden) @ self.vector  # (P, T)
        weights = masked_softmax(scores, states.mask)
        return (weights[..., None] * states.tokens).sum(1), weights


class TeacherOutput(NamedTuple):
    """Logits z_T of P pairs, and their parts: F of the text, and γ ∘ G̃ of the types."""

    logits: Tensor  # (P, R)
    text: Tensor  # (P, R)
    types: Tensor  # (P, R)
    sentence: Tensor  # (P, D)
    assertions: Tensor = NO_ASSERTIONS  # (P, A)


class Teacher(PairModule):
    """z_T = F([h; h_s; h_o]) + γ ∘ G̃(p)."""

    def build_head(self, width: int, *, n_classes: int, n_types: int) -> None:
        """Build F and γ, initialized to the setting `scale`; a matrix γ only on its diagonal, without class 0."""
        self.local = self.class_head(width, n_classes)
        scale = torch.tensor(float(self.settings["scale"]))
        if self.settings["fusion"] == "scalar":
            self.register_buffer("gamma", scale)
        elif self.settings["fusion"] == "vector":
            self.gamma = nn.Parameter(scale.repeat(n_classes))
        else:
            rows = scale * torch.eye(n_classes)
            rows[0] = 0.0
            self.gamma = nn.Parameter(rows)

    def forward(self, prior: Tensor, classes: Optional[Tensor] = None, **arrays: object) -> TeacherOutput:
        """Score classes, given G̃ of shape (P, R), and for fusion "relation" the gold classes of shape (P,)."""
        states = self.encoder(**arrays)
        local = self.local(states)
        types = fuse(self.gamma, prior, classes)
        return TeacherOutput(local + types, local, types, states.sentence, self.assertions(states))


def fuse(gamma: Tensor, prior: Tensor, classes: Optional[Tensor]) -> Tensor:
    """Compute γ ∘ G̃; a matrix γ has a row for each gold class, and that of no relation counts as 0.

    gamma (Tensor): Shape (), (R,) or (R, R)
    prior (Tensor): G̃. Shape (P, R)
    classes (Optional[Tensor]): Gold classes; read if γ is a matrix. Shape (P,)
    RETURNS (Tensor): Shape (P, R)
    """
    if gamma.dim() < 2:
        return gamma * prior
    assert classes is not None, "the fusion by relation reads gold classes"
    return gamma[classes] * prior * (classes > 0).to(prior.dtype)[:, None]


class StudentOutput(NamedTuple):
    """Logits z_S of P pairs, and their parts z_L and z_A.

    attention (Tensor): a, by token, without gradient; 0 without the auxiliary branch. Shape (P, T)
    """

    logits: Tensor  # (P, R)
    local: Tensor  # (P, R)
    auxiliary: Tensor  # (P, R)
    attention: Tensor
    sentence: Tensor  # (P, D)
    assertions: Tensor = NO_ASSERTIONS  # (P, A)


class Student(PairModule):
    """z_S = z_L + z_A; reads neither gold labels nor the type prior."""

    def build_head(self, width: int, *, n_classes: int, n_types: int) -> None:
        """Build both branches; without the attention, z_A = 0."""
        self.local = self.class_head(width, n_classes)
        if self.settings["attention"]:
            sizes = {key: self.settings[key] for key in ("position_width", "type_width")}
            self.attention = MultiAspectAttention(
                width, n_types=n_types, hidden=self.settings["attention_hidden"], **sizes
            )
            self.auxiliary = nn.Linear(width, n_classes)

    def forward(
        self, to_subject: Tensor, to_object: Tensor, types: Tensor, positions: Tensor, **arrays: object
    ) -> StudentOutput:
        """Score classes, and attend to tokens."""
        states = self.encoder(types=types, to_subject=to_subject, to_object=to_object, **arrays)
        local, assertions = self.local(states), self.assertions(states)
        if not self.settings["attention"]:
            nothing = torch.zeros_like(states.mask, dtype=local.dtype)
            return StudentOutput(local, local, torch.zeros_like(local), nothing, states.sentence, assertions)
        attended, weights = self.attention(states, to_subject, to_object, types)
        auxiliary = self.auxiliary(attended)
        weights = by_token(weights.detach(), positions)
        return StudentOutput(local + auxiliary, local, auxiliary, weights, states.sentence, assertions)
