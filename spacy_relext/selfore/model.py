"""SelfORE: one vector for each pair of entities, and a classifier that learns the clusters these vectors fall into.

Source: Hu et al., "SelfORE: Self-supervised Relational Feature Learning for Open Relation Extraction", EMNLP 2020.

    h = [h_s; h_o; h_b; w t_s; w t_o]        "means": Eq. 2 from means over pieces, with the words between and the
                                             arguments' entity types, one of T each
    h = [h_s; h_o; w t_s; w t_o]             "markers": Eq. 2, from the markers before both arguments
    h = [h_m; w t_s; w t_o]                  "cloze": from the mask in "subject [MASK] object" behind the text
    z = W h + b                              Eq. 11
    L = mean over pairs of CE(c z, cluster)  Eq. 12, with z scaled as sure as the labels are (`clustering/fit.py`)

The parts of h that are read from the text have length 1, those of types w. The classifier is neither kept from one loop
to the next, whose clusters have other numbers anyway, nor drawn anew: W and b are those of the space that the clusters
were found in (`selfore/clustering/discriminant.py`).

The loss may have a second term, which the paper has not: two readings of a pair, with other dropout or with an argument
hidden, should be more alike than those of two pairs (NT-Xent; Chen et al., ICML 2020), for c = cos(h_i, h_j) / τ:

    L' = mean over readings i of − log (exp c_ij / Σ_k≠i exp c_ik), j the other reading of the same pair
"""

from typing import Any, NamedTuple, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..pairs.encoders.states import States, masked_mean
from ..pairs.model import PairModule

# Parts that h is made of.
PARTS = {"means": 3, "markers": 2, "cloze": 1}


class ClusterOutput(NamedTuple):
    """What the module gives for P pairs.

    logits (Tensor): z. Shape (P, K)
    vector (Tensor): h. Shape (P, F)
    """

    logits: Tensor
    vector: Tensor


class Clusterer(PairModule):
    """The classifier over an encoder of pairs. Before it has learned anything the encoder reads texts as they are."""

    # Whether the classifier learns alone.
    frozen = False
    fit_means: Tensor
    fit_mean: Tensor
    fit_products: Tensor
    fit_levels: Tensor

    def build_head(self, width: int, *, n_classes: int, n_types: int) -> None:
        """Build the classifier, and set marks of arguments to 0."""
        self.dropout = nn.Dropout(self.settings["dropout"])
        self.n_types, self.type_weight = n_types, self.settings["type_weight"]
        kinds = 2 * (n_types - 1) if self.type_weight else 0
        full = PARTS[self.encoder.form] * width + kinds
        self.head = nn.Linear(full, n_classes)
        self.set_fit(*map(torch.zeros, ((n_classes, full), (full,), (n_classes, n_classes), (n_classes,))))
        self.encoder.zero_marks()

    def set_head(self, weight: Any, bias: Any) -> None:
        """Give the classifier the weights of a linear layer over h; its number of classes may change.

        weight (NDArray): Shape (K, F)
        bias (NDArray): Shape (K,)
        """
        old = self.head.weight
        made = nn.Linear(weight.shape[1], weight.shape[0]).to(old.device)
        with torch.no_grad():
            made.weight.copy_(torch.as_tensor(weight))
            made.bias.copy_(torch.as_tensor(bias))
        self.head = made
        assert self.head_sizes is not None
        self.head_sizes["n_classes"] = int(weight.shape[0])

    @property
    def n_parts(self) -> int:
        """RETURNS (int): How many parts of h are read from the text."""
        return PARTS[self.encoder.form]

    @property
    def fit(self) -> Tuple[Tensor, ...]:
        """RETURNS (Tuple[Tensor, ...]): What `set_fit` was given."""
        return self.fit_means, self.fit_mean, self.fit_products, self.fit_levels

    def set_fit(self, means: Any, mean: Any, products: Any, levels: Any) -> None:
        """Keep what tells how well a pair fits into its cluster, to be saved with the weights: `clustering/fit.py`.

        means (NDArray): Shape (K, F)
        mean (NDArray): Shape (F,)
        products (NDArray): Shape (K, K)
        levels (NDArray): Shape (K,)
        """
        arrays = {"fit_means": means, "fit_mean": mean, "fit_products": products, "fit_levels": levels}
        for name, array in arrays.items():
            self.register_buffer(name, torch.as_tensor(array).to(self.head.weight.device))

    def forward(
        self, to_subject: Tensor, to_object: Tensor, types: Tensor, positions: Tensor, **arrays: Any
    ) -> ClusterOutput:
        """Read pairs.

        to_subject (Tensor): Signed distance of each token, or word piece, to the subject, 0 inside. Shape (N, T)
        to_object (Tensor): To the object. Shape (N, T)
        types (Tensor): Entity type of each, 0 for none. Shape (N, T)
        positions (Tensor): Token of the text that each is, or is a piece of; -1 on others. Shape (N, T)
        arrays (Any): Input of the encoder.
        RETURNS (ClusterOutput): Of N pairs.
        """
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            states = self.encoder(types=types, to_subject=to_subject, to_object=to_object, **arrays)
            if self.encoder.form == "means":
                vector = pair_vector(states, (to_subject * to_object < 0) & states.mask)
            else:
                read = (states.sentence,) if self.encoder.form == "cloze" else (states.subject, states.object)
                vector = torch.cat([F.normalize(part, dim=1) for part in read], 1)
        if self.type_weight:
            known = positions >= 0
            kinds = [_type_of(types, place, known, n_types=self.n_types) for place in (to_subject, to_object)]
            vector = torch.cat([vector, *(self.type_weight * each for each in kinds)], 1)
        return ClusterOutput(self.head(self.dropout(vector)), vector)


def pair_vector(states: States, between: Tensor) -> Tensor:
    """h = [h_s; h_o; h_b], each of length 1; where nothing stands between, h_b is that of both arguments: with 0 such
    pairs would be alike for that alone.

    states (States): Of P pairs.
    between (Tensor): True on tokens between the arguments. Shape (P, T)
    RETURNS (Tensor): Shape (P, 3 D)
    """
    both = states.subject + states.object
    gap = torch.where(between.any(1, keepdim=True), masked_mean(states.tokens, between), both)
    parts = (states.subject, states.object, gap)
    return torch.cat([F.normalize(part, dim=1) for part in parts], 1)


def _type_of(types: Tensor, to_argument: Tensor, known: Tensor, *, n_types: int) -> Tensor:
    """Mark the entity type of an argument; 0 where it has none. Shapes (P, T) → (P, n_types - 1)"""
    if not len(types):
        return types.new_zeros(0, n_types - 1, dtype=torch.float)
    kind = types.masked_fill((to_argument != 0) | ~known, 0).amax(1)
    return F.one_hot(kind, n_types)[:, 1:].float()
