"""SelfORE: one vector for each pair of entities, and a classifier that learns the clusters these vectors fall into.

Source: Hu et al., "SelfORE: Self-supervised Relational Feature Learning for Open Relation Extraction", EMNLP 2020.

    h = [h_s; h_o; h_b]                      Eq. 2, from means instead of start markers, and with the words between
    z = W h + b                              Eq. 11
    L = mean over pairs of CE(z, cluster)    Eq. 12

Each part of h has length 1. The classifier is neither kept from one loop to the next, whose clusters have other numbers
anyway, nor drawn anew: W and b are those of the space that the clusters were found in (`clustering/discriminant.py`).
"""

from typing import Any, Dict, NamedTuple, Optional, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..encoders.pair_states import PairStates, masked_mean
from .kd import PairModule

# Weight of the layers that a mix of layers begins without, before the softmax.
LEFT_OUT = -5.0


class ClusterOutput(NamedTuple):
    """What the module gives for P pairs.

    logits (Tensor): z. Shape (P, K)
    vector (Tensor): h. Shape (P, 3 D)
    """

    logits: Tensor
    vector: Tensor


class Clusterer(PairModule):
    """The classifier over an encoder of pairs. Before it has learned anything the encoder reads texts as they are."""

    fit_means: Tensor
    fit_mean: Tensor
    fit_products: Tensor
    fit_levels: Tensor

    def build_head(self, width: int, *, n_classes: int, n_types: int) -> None:
        """Build the classifier, and let marks of arguments and low layers count for nothing at first."""
        self.dropout = nn.Dropout(self.settings["dropout"])
        self.head = nn.Linear(3 * width, n_classes)
        shapes = ((n_classes, 3 * width), (3 * width,), (n_classes, n_classes), (n_classes,))
        self.set_fit(*map(torch.zeros, shapes))
        with torch.no_grad():
            if getattr(self.encoder, "roles", None) is not None:
                self.encoder.roles.weight.zero_()
            mix = getattr(getattr(getattr(self.encoder, "tokens", None), "encoder", None), "mix", None)
            if mix is not None:
                mix[: min(self.settings.get("mix_from", 0), len(mix) - 1)] = LEFT_OUT

    def set_head(self, weight: Any, bias: Any) -> None:
        """Give the classifier the weights of a linear layer over h; its number of classes may change.

        weight (NDArray): Shape (K, 3 D)
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
    def fit(self) -> Tuple[Tensor, ...]:
        """RETURNS (Tuple[Tensor, ...]): What `set_fit` was given."""
        return self.fit_means, self.fit_mean, self.fit_products, self.fit_levels

    def set_fit(self, means: Any, mean: Any, products: Any, levels: Any) -> None:
        """Keep what tells how well a pair fits into its cluster, to be saved with the weights: `clustering/fit.py`.

        means (NDArray): Shape (K, 3 D)
        mean (NDArray): Shape (3 D,)
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
        types (Tensor): Entity type of each. Shape (N, T)
        positions (Tensor): Token of the text that each is, or is a piece of; not read. Shape (N, T)
        arrays (Any): Input of the encoder.
        RETURNS (ClusterOutput): Of N pairs.
        """
        states = self.encoder(types=types, to_subject=to_subject, to_object=to_object, **arrays)
        vector = pair_vector(states, (to_subject * to_object < 0) & states.mask)
        return ClusterOutput(self.head(self.dropout(vector)), vector)


def pair_vector(states: PairStates, between: Tensor) -> Tensor:
    """h = [h_s; h_o; h_b], each of length 1; where nothing stands between, h_b is that of both arguments: with 0 such
    pairs would be alike for that alone.

    states (PairStates): Of P pairs.
    between (Tensor): True on tokens between the arguments. Shape (P, T)
    RETURNS (Tensor): Shape (P, 3 D)
    """
    both = states.subject + states.object
    gap = torch.where(between.any(1, keepdim=True), masked_mean(states.tokens, between), both)
    parts = (states.subject, states.object, gap)
    return torch.cat([F.normalize(part, dim=1) for part in parts], 1)


def selfore_loss(outputs: ClusterOutput, targets: Dict[str, Any], *, smoothing: float) -> Dict[str, Tensor]:
    """Cross-entropy with the clusters (Eq. 12), all clusters alike: a large one does not win by its size.

    outputs (ClusterOutput): Of P pairs.
    targets (Dict[str, Any]): `clusters`, that of each pair, below 0 for those that are not learned, shape (P,);
        `weights`, of each cluster, shape (K,).
    smoothing (float): Share of each label that is spread over all clusters.
    RETURNS (Dict[str, Tensor]): The term.
    """
    known = targets["clusters"] >= 0
    if not bool(known.any()):
        return {"clusters": outputs.logits.sum() * 0.0}
    logits, clusters = outputs.logits[known], targets["clusters"][known]
    weights: Optional[Tensor] = targets["weights"].to(logits.dtype)
    return {"clusters": F.cross_entropy(logits, clusters, weight=weights, label_smoothing=smoothing)}
