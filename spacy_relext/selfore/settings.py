"""Settings of a `selfore_clusterer`: how pairs are clustered, and how the encoder learns the clusters."""

from dataclasses import dataclass

from spacy import registry

from ..errors import Errors, check_range
from ..pipeline.settings import Block, one_of, within

METHODS, ANSWERS = ("discriminant", "adaptive"), ("q", "p")

# Each start has its own seed, up to four times their number times `seed`; scikit-learn's seeds end at 2³².
MAX_SEED, MIN_STARTS = 2**29, 3


@registry.misc("spacy_relext.SelforeClustering.v1")
@dataclass(frozen=True)
class SelforeClustering(Block):
    """How pairs are clustered.

    method (str): "discriminant", LDA and k-means in alternation; or "adaptive", as in the paper.
    restarts (int): Number of starts; the clustering with the most information on neighbours is chosen.
    over (int): Factor of over-clustering; the clusters are then merged by Ward's method. 1: none. Not used where
        relations are known.
    known (bool): Whether the relations of gold triples in the training data are clusters that keep their pairs, and new
        clusters are found besides. Otherwise gold is not read.
    seed (int): Random seed, from 0.
    pretrain_epochs, epochs (int): For "adaptive": epochs of the autoencoder alone, and at most of codes and centroids
        together.
    learn_rate (float): For "adaptive": of Adam, which trains both.
    answer (str): For "adaptive": a pair's cluster is that of the highest "q", or of the highest "p" (Eq. 10), which
        draws pairs between clusters to the smaller one.
    """

    method: str = one_of("discriminant", METHODS)
    restarts: int = within(20, 1, 1_000)
    over: int = within(3, 1, 100)
    known: bool = False
    seed: int = 0
    pretrain_epochs: int = within(20, 0, 100_000)
    epochs: int = within(20, 0, 100_000)
    learn_rate: float = within(1e-3, 0.0, 1.0)
    answer: str = one_of("q", ANSWERS)

    def __post_init__(self) -> None:
        """Check the values against their ranges, and the seed against scikit-learn's."""
        super().__post_init__()
        check_range("clustering.seed", self.seed, 0, MAX_SEED // max(self.restarts, MIN_STARTS))


@registry.misc("spacy_relext.SelforeTraining.v1")
@dataclass(frozen=True)
class SelforeTraining(Block):
    """How the encoder learns the clusters.

    loops (int): Loops of training on the clusters and clustering again; 0: none.
    freeze_epochs (int): First epochs of each loop, in which only the classifier is trained.
    smoothing (float): Label smoothing.
    class_weights (bool): Whether small clusters weigh more, √(mean size / size).
    head_start (bool): Whether the classifier starts each loop from a linear space that is fitted to the clusters. If
        not, it starts with random weights and keeps what it has learned.
    """

    loops: int = within(0, 0, 1_000)
    freeze_epochs: int = within(0, 0, 100_000)
    smoothing: float = within(0.1, 0.0, 0.99)
    class_weights: bool = True
    head_start: bool = True

    def __post_init__(self) -> None:
        """Check the values against their ranges; without loops nothing is trained."""
        super().__post_init__()
        if self.freeze_epochs and not self.loops:
            raise ValueError(Errors.R609.format(key="freeze_epochs", found=self.freeze_epochs, expected=0))
