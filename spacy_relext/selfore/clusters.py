"""Clusters of a `selfore_clusterer`: names, sizes, the fit of training pairs, and the history of the loops."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Dict, List, Sequence

import numpy
from numpy.typing import NDArray

from ..annotations.encoding import decode
from ..annotations.triple import Record
from ..corpora.formats.sources import parse_json
from ..errors import Errors
from ..pairs.gold import PairClass
from .names import Cluster, Lexicon, name_clusters, rank_phrases

Floats = NDArray[numpy.floating]

# Number of quantiles of the training pairs' fit, and digits of each.
QUANTILES, DIGITS = 201, 5

# Training ends if a smaller share of the pairs changes its cluster.
STOP = 0.1

# Maximum length of a name given by a user, in characters.
LONGEST_NAME = 100


@dataclass
class Clusters:
    """The clusters of the last loop.

    records (List[Record]): One per cluster: `id`, `name`, `size`, `ngrams`, `sample`, `types`, `object_first`, `fit`,
        and, if true, `known`, `backwards`, `renamed`.
    quantiles (List[float]): Of the fit of training pairs to their clusters.
    history (List[Record]): One per loop: `pairs`, `changed`, `information`.
    has_converged (bool): Whether no further loop follows.
    scale (float): Inverse temperature of the classifier's logits.
    """

    records: List[Record] = field(default_factory=list)
    quantiles: List[float] = field(default_factory=list)
    history: List[Record] = field(default_factory=list)
    has_converged: bool = False
    scale: float = 1.0

    def to_dict(self) -> Record:
        """Return plain values."""
        return asdict(self)

    @property
    def names(self) -> List[str]:
        """Names in the order of the ids."""
        return [each["name"] for each in self.records]

    @property
    def sizes(self) -> List[int]:
        """Number of pairs of each cluster."""
        return [each["size"] for each in self.records]

    @property
    def empty(self) -> List[int]:
        """Indices of the clusters without a pair."""
        return [number for number, size in enumerate(self.sizes) if not size]

    def set_quantiles(self, fit: Floats) -> None:
        """Set the quantiles of the fit of training pairs. Shape (N,)"""
        self.quantiles = numpy.quantile(fit, numpy.linspace(0, 1, QUANTILES)).round(DIGITS).tolist()

    def rank(self, fit: Floats) -> Floats:
        """Compute the share of training pairs with a lower fit, plus half of those with the same. Shapes (N,) → (N,)"""
        fits, fit = numpy.asarray(self.quantiles), numpy.round(fit, DIGITS)
        low, high = numpy.searchsorted(fits, fit, "left"), numpy.searchsorted(fits, fit, "right")
        middle = (low + high - 1) / 2 / (len(fits) - 1)
        between = numpy.interp(fit, fits, numpy.linspace(0, 1, len(fits)))
        return numpy.where(high > low, middle, between)

    def rename(self, cluster: str, name: str, *, merge: bool = False) -> None:
        """Rename the cluster with an id; the id stays.

        merge (bool): Whether another cluster may have the same name: both are then one relation.
        RAISES (ValueError): If there is no such cluster, the name is empty or too long, or another cluster has it.
        """
        chosen = next((each for each in self.records if each["id"] == cluster), None)
        if chosen is None:
            known = ", ".join(each["id"] for each in self.records) or "none"
            raise ValueError(Errors.R007.format(key="cluster", found=cluster, expected=f"one of: {known}"))
        name = " ".join(name.split())
        if not 0 < len(name) <= LONGEST_NAME:
            expected = f"a name of 1 to {LONGEST_NAME} characters"
            raise ValueError(Errors.R007.format(key=f"the name of {cluster!r}", found=name, expected=expected))
        for each in self.records:  # the two directions of a known relation have one name
            same_direction = each.get("backwards", False) == chosen.get("backwards", False)
            if each["name"] == name and each is not chosen and same_direction and not merge:
                raise ValueError(Errors.R612.format(cluster=each["id"], name=name, other=cluster))
        chosen.update(name=name, renamed=True)

    def describe(
        self, clusters: Sequence[Cluster], sizes: Sequence[int], lexicon: Lexicon, *, known: Sequence[PairClass]
    ) -> None:
        """Replace the records. Known clusters are named by their relation; names given by a user stay.

        Names are unique, except for the two directions of a known relation and what a user has merged.

        clusters (Sequence[Cluster]): Summaries from which the names are made.
        sizes (Sequence[int]): Number of pairs of each.
        known (Sequence[PairClass]): Known relations, which are those of the first clusters.
        """
        renamed: Dict[str, str] = {each["id"]: each["name"] for each in self.records if each.get("renamed")}
        phrases = rank_phrases(clusters, lexicon)
        # a known or renamed cluster leaves its words to the others
        unnamed = [
            cluster._replace(sample="") if number < len(known) or cluster_id(number) in renamed else cluster
            for number, cluster in enumerate(clusters)
        ]
        taken = {*renamed.values(), *(each.relation for each in known)}
        names = name_clusters(unnamed, phrases, lexicon, taken=taken)
        records: List[Record] = []
        for number, (cluster, size) in enumerate(zip(clusters, sizes)):
            best = list(map(str, phrases[number]))
            record: Record = {"id": cluster_id(number), "size": size, "ngrams": best, "sample": cluster.sample}
            record.update(types=cluster.types, object_first=cluster.object_first)
            record["name"] = names[number] or record["id"]
            if number < len(known):
                record.update(name=known[number].relation, known=True, backwards=known[number].backwards)
            if record["id"] in renamed:
                record.update(name=renamed[record["id"]], renamed=True)
            records.append(record)
        self.records = records

    def add_loop(self, changed: float, information: float, *, loops: int) -> None:
        """Add a loop to the history, and decide whether it is the last one.

        changed (float): Share of the pairs whose cluster has changed.
        information (float): Of clusters on neighbours.
        loops (int): Maximum number of loops after the first clustering.
        """
        row = {"pairs": sum(self.sizes), "changed": round(changed, 4), "information": round(information, 4)}
        self.history = [*self.history, row]
        done = len(self.history) - 1
        self.has_converged = done >= loops or (done > 0 and changed < STOP)

    def report(self, name: str) -> str:
        """Summarize the last loop in one line, with the scores that need no gold."""
        if not self.history:
            return f"{name}: no clusters yet"
        last, loop = self.history[-1], len(self.history) - 1
        moved = f", {last['changed']:.1%} of them in another than before" if loop else ""
        information = f"a cluster tells {last['information']:.1%} of a pair's neighbours"
        return f"{name}, loop {loop}: {last['pairs']} pairs in {len(self.records)} clusters{moved}; {information}"


def cluster_id(number: int) -> str:
    """Return the id of a cluster."""
    return f"cluster_{number}"


def read_names(path: Path) -> Dict[str, str]:
    """Read names by the ids of their clusters, as the page of `spacy relext clusters` writes them.

    RAISES (ValueError): If the file is no JSON object of strings.
    """
    try:
        names = parse_json(decode(path.read_bytes()))
    except ValueError as error:
        raise ValueError(Errors.R614.format(path=str(path), found=f"no JSON ({error})")) from None
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        found = type(names).__name__ if not isinstance(names, dict) else "a value that is no string"
        raise ValueError(Errors.R614.format(path=str(path), found=found))
    return names
