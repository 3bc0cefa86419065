"""wiki80 with sixteen relations held out, three times, and what Wikidata says of each relation."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.selfore.corpora import FEWREL, ClusterMaker, Marked, read_wiki80

PARTS = ("fewrel", "drawn-1", "drawn-2")
FILES = ("train_0.1.txt", "dev.txt")
HELD_OUT = 16
UNDESCRIBED = "No description defined"


@dataclass(frozen=True)
class HeldOut:
    """Corpora of one split.

    name (str): As results call it.
    train (Path): Pairs of the training relations.
    dev (Path): A corpus without a Doc: nothing is chosen, and a cross-encoder would take long to read one.
    tests (Mapping[str, Path]): Pairs of the others.
    seen, unseen (Mapping[str, str]): Relations with their descriptions.
    """

    name: str
    train: Path
    dev: Path
    tests: Mapping[str, Path]
    seen: Mapping[str, str]
    unseen: Mapping[str, str]


class HeldOutMaker(ClusterMaker):
    """Makes these corpora, where they are not there yet. `limit_train` is the most pairs of a training relation."""

    def held_out(self, part: str) -> HeldOut:
        """Hold out FewRel's sixteen validation relations, or sixteen that are drawn."""
        pairs = [each for file in FILES for each in read_wiki80(self.data / "wiki80" / file)]
        relations = sorted({str(each.relation) for each in pairs})
        texts, fewrel = self._descriptions()
        drawn = random.Random(part).sample(relations, HELD_OUT) if part != "fewrel" else fewrel
        seen, unseen = ({name: texts[name] for name in relations if (name in drawn) == is_held} for is_held in (0, 1))
        random.Random(0).shuffle(pairs)
        test = [each for each in pairs if each.relation in unseen]
        limit = f"-{self.limit_train}" if self.limit_train else ""
        corpora = {"train": self._share(pairs, list(seen)), "test": test}
        paths = {
            key: self.written(f"zeroshot-{part}-{key}{limit}", lambda mine=mine: mine) for key, mine in corpora.items()
        }
        name = f"wiki80, {len(seen)} relations, {part.replace('-', ' ')}"
        return HeldOut(name, paths["train"], self.nothing(), {"test": paths["test"]}, seen, unseen)

    def _share(self, pairs: Sequence[Marked], relations: Sequence[str]) -> list[Marked]:
        """Keep the first pairs of each training relation."""
        train = [each for name in relations for each in self._first(pairs, name)]
        random.Random(0).shuffle(train)
        return train

    def _first(self, pairs: Sequence[Marked], relation: str) -> list[Marked]:
        return [each for each in pairs if each.relation == relation][: self.limit_train or None]

    def _descriptions(self) -> tuple[dict[str, str], list[str]]:
        """Read label and description of each relation of Wikidata; RETURNS also FewRel's validation relations."""
        entries = json.loads((self.data / "fewrel" / "pid2name.json").read_text(encoding="utf8"))
        texts = {name: name if UNDESCRIBED in text else f"{name}: {text}" for name, text in entries.values()}
        return texts, [entries[key][0] for key in json.loads((self.data / FEWREL).read_text(encoding="utf8"))]
