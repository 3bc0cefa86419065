"""SelfORE: one vector for each pair of entities, and a classifier that learns the clusters of these vectors.

Source: Hu et al., "SelfORE: Self-supervised Relational Feature Learning for Open Relation Extraction", EMNLP 2020.

    h = [h_s; h_o; h_b; w t_s; w t_o]        "means": Eq. 2 from means over pieces; h_b: the words between the
                                             arguments, or all words; t_s, t_o: entity types, one-hot over T types
    h = [h_s; h_o; w t_s; w t_o]             "markers": Eq. 2, from the markers before both arguments
    z = W h + b                              Eq. 11
    L = mean over pairs of CE(c z, cluster)  Eq. 12, weighted by cluster; c: inverse temperature (`clustering/fit.py`)

The parts of h from the text have norm 1, those of types norm w. In each loop, W and b are set to those of the space of
the new clusters (`selfore/clustering/discriminant.py`), unless `head_start` is false. The classifier assigns new pairs,
or, after adaptive clustering, its network.
"""

from typing import Any, Dict, NamedTuple, Optional, Tuple, Union

import numpy
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..pairs.encoders.states import States, masked_mean
from ..pairs.model import PairModule
from .clustering.network import ClusterNetwork

# Number of parts of h from the text, by the encoder's form.
PARTS = {"means": 3, "markers": 2, "punct": 2}

# Words that h_b is the mean of.
BETWEEN, SENTENCE = "between", "sentence"
CONTEXTS = (BETWEEN, SENTENCE)

# Statistics of `ClusterFit`, saved with the weights.
FIT = ("fit_means", "fit_mean", "fit_products", "fit_levels")


class ClusterOutput(NamedTuple):
    """Output for P pairs.

    logits (Tensor): z, which training compares with the clusters. Shape (P, K)
    vector (Tensor): h. Shape (P, F)
    scores (Tensor): Of clusters; a pair belongs to that of the highest one. Shape (P, K)
    products (Tensor): See `ClusterFit.assign`. Shape (P, K)
    """

    logits: Tensor
    vector: Tensor
    scores: Tensor
    products: Tensor


class Clusterer(PairModule):
    """The classifier over an encoder of pairs, whose marks of the arguments are initialized with 0."""

    # Whether the classifier is trained alone.
    frozen = False

    def configure(self, *, n_centroids: int = 0, **sizes: Any) -> None:
        """Build the layers; see `PairModule.configure`.

        n_centroids (int): Of the network; 0: there is none.
        """
        super().configure(**sizes)
        width, classes = self.head.in_features, self.head.out_features
        self.set_network(ClusterNetwork(width, n_centroids, classes) if n_centroids else None)

    def build_head(self, width: int, *, n_classes: int, n_types: int) -> None:
        """Build the classifier, and set the encoder's marks of the arguments to 0."""
        self.dropout = nn.Dropout(self.settings["dropout"])
        self.n_types, self.type_weight = n_types, self.settings["type_weight"]
        kinds = 2 * (n_types - 1) if self.type_weight else 0
        full = PARTS[self.encoder.form] * width + kinds
        self.head = nn.Linear(full, n_classes)
        self.set_fit(*map(torch.zeros, ((n_classes, full), (full,), (n_classes, n_classes), (n_classes,))))
        self.encoder.zero_marks()

    def set_head(self, weight: numpy.ndarray, bias: numpy.ndarray) -> None:
        """Set W and b; the number of classes may change. Shapes (K, F), (K,)"""
        old = self.head.weight
        made = nn.Linear(weight.shape[1], weight.shape[0]).to(old.device)
        with torch.no_grad():
            made.weight.copy_(torch.as_tensor(weight))
            made.bias.copy_(torch.as_tensor(bias))
        self.head = made
        assert self.head_sizes is not None
        self.head_sizes["n_classes"] = int(weight.shape[0])

    def reset_head(self, n_classes: int) -> None:
        """Give the classifier random weights."""
        made = nn.Linear(self.head.in_features, n_classes)
        self.set_head(made.weight.detach().numpy(), made.bias.detach().numpy())

    def set_network(self, network: Optional[ClusterNetwork]) -> None:
        """Let a network assign pairs that adaptive clustering has trained; None: the classifier does."""
        self.network = None if network is None else network.requires_grad_(False)
        assert self.head_sizes is not None
        self.head_sizes.pop("n_centroids", None)
        if network is not None:
            self.head_sizes["n_centroids"] = network.n_centroids

    @property
    def vector_parts(self) -> Dict[str, int]:
        """Number and width of the parts of h from the text, as arguments of `ClusterFit.assign`."""
        return {"parts": PARTS[self.encoder.form], "width": self.encoder.output_width}

    @property
    def fit(self) -> Tuple[Tensor, ...]:
        """Statistics of `ClusterFit`. Shapes (K, F), (F,), (K, K), (K,)"""
        return tuple(self.get_buffer(name) for name in FIT)

    def set_fit(self, *arrays: Union[Tensor, numpy.ndarray]) -> None:
        """Set the statistics of `ClusterFit`."""
        for name, array in zip(FIT, arrays):
            self.register_buffer(name, torch.as_tensor(array).to(self.head.weight.device))

    def forward(
        self, to_subject: Tensor, to_object: Tensor, kinds: Tensor, positions: Tensor, **arrays: Any
    ) -> ClusterOutput:
        """Compute h and z; the encoder has no gradient if it is frozen.

        kinds (Tensor): Entity types of subject and object, 0 for none. Shape (P, 2)
        """
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            states = self.encoder(to_subject=to_subject, to_object=to_object, **arrays)
            if self.encoder.form == "means":
                between = (to_subject * to_object < 0) & states.mask
                vector = pair_vector(states, between if self.settings["context"] == BETWEEN else None)
            else:
                vector = torch.cat([F.normalize(part, dim=1) for part in (states.subject, states.object)], 1)
        if self.type_weight:
            known = F.one_hot(kinds, self.n_types)[:, :, 1:].to(vector.dtype)
            vector = torch.cat([vector, self.type_weight * known.flatten(1)], 1)
        logits = self.head(self.dropout(vector))
        if self.network is None or self.training:
            return ClusterOutput(logits, vector, logits, logits)
        return ClusterOutput(logits, vector, *self.network(vector))


def pair_vector(states: States, between: Optional[Tensor]) -> Tensor:
    """Compute [h_s; h_o; h_b], each of norm 1. Shape (P, 3 D)

    If no token is between the arguments, h_b is that of both: zeros alone would make all such pairs similar.

    between (Optional[Tensor]): True on tokens between the arguments, shape (P, T); None: h_b is that of all tokens.
    """
    if between is None:
        gap = states.sentence
    else:
        both = states.subject + states.object
        gap = torch.where(between.any(1, keepdim=True), masked_mean(states.tokens, between), both)
    parts = (states.subject, states.object, gap)
    return torch.cat([F.normalize(part, dim=1) for part in parts], 1)
