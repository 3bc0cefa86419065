"""wiki80 with sixteen relations held out, in four splits; other data sets to train on; descriptions of relations."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from benchmarks.selfore.corpora import FEWREL, ClusterMaker, Marked, read_trex, read_wiki80
from spacy_relext.annotations.schema import readable_label

# Settings are chosen on the last one.
PARTS = ("fewrel", "drawn-1", "drawn-2", "drawn-3")
FILES = ("train_0.1.txt", "dev.txt")
HELD_OUT = 16
# Maximum number of pairs of a training relation: as many as wiki80 has.
MOST = 119
UNDESCRIBED = "No description defined"
NAMES = Path("fewrel") / "pid2name.json"
WEBNLG = Path("webnlg") / "full_span" / "train_triples.json"
# From this cosine on, a relation of WebNLG counts as a held-out one: "is part of" and "part of" have 0.86,
# "headquarter" and "headquarters location" 0.50.
ALIKE = 0.5

# (Names of relations, names of others) → cosines, with a row for each of the first.
Alike = Callable[[Sequence[str], Sequence[str]], Sequence[Sequence[float]]]


@dataclass(frozen=True)
class HeldOut:
    """Corpora of one split.

    name (str): Its name in the results.
    train (Path): Pairs of the training relations.
    dev (Path): An empty corpus: nothing is chosen on dev.
    tests (Mapping[str, Path]): Pairs of the held-out relations.
    seen, unseen (Mapping[str, str]): Relations with their descriptions.
    """

    name: str
    train: Path
    dev: Path
    tests: Mapping[str, Path]
    seen: Mapping[str, str]
    unseen: Mapping[str, str]


class HeldOutMaker(ClusterMaker):
    """Makes these corpora, where they are not there yet. `limit_train` limits the pairs of a training relation."""

    def held_out(self, part: str, alike: Alike | None = None) -> HeldOut:
        """Hold out FewRel's sixteen validation relations, or sixteen chosen at random.

        alike (Alike | None): Cosines of names. With them, T-REx and WebNLG are added to training.
        """
        pairs = [each for file in FILES for each in read_wiki80(self.data / "wiki80" / file)]
        relations = sorted({str(each.relation) for each in pairs})
        texts, fewrel = self._descriptions()
        drawn = random.Random(part).sample(relations, HELD_OUT) if part != "fewrel" else fewrel
        seen, unseen = ({name: texts[name] for name in relations if (name in drawn) == is_held} for is_held in (0, 1))
        random.Random(0).shuffle(pairs)
        test = [each for each in pairs if each.relation in unseen]
        sets = "wiki80"
        if alike:
            sets, texts_of_test = "wiki80, T-REx and WebNLG", {tuple(each.words) for each in test}
            more = [*self._trex(unseen), *self._webnlg(unseen, alike)]
            pairs += [each for each in more if tuple(each.words) not in texts_of_test]
            seen = {name: texts.get(name, name) for name in sorted({str(each.relation) for each in pairs} - {*unseen})}
        limit = f"-{self.limit_train}" if self.limit_train else ""
        corpora = {f"train{'-more' if alike else ''}": self._share(pairs, list(seen)), "test": test}
        train, tests = (
            self.written(f"zeroshot-{part}-{key}{limit}", lambda mine=mine: mine) for key, mine in corpora.items()
        )
        name = f"{sets}, {len(seen)} relations, {part.replace('-', ' ')}"
        return HeldOut(name, train, self.nothing(), {"test": tests}, seen, unseen)

    @cached_property
    def _names(self) -> dict[str, tuple[str, str]]:
        """RETURNS (dict[str, tuple[str, str]]): Label and description of each relation of Wikidata, by its id."""
        return json.loads((self.data / NAMES).read_text(encoding="utf8"))  # type: ignore[no-any-return]

    def _trex(self, unseen: Collection[str]) -> Iterator[Marked]:
        """Read T-REx with the names of Wikidata, without held-out relations."""
        named = (replace(each, relation=self._names[each.relation][0]) for each in read_trex(self.data / "trex_lama"))
        return (each for each in named if each.relation not in unseen)

    def _webnlg(self, unseen: Collection[str], alike: Alike) -> Iterator[Marked]:
        """Read WebNLG, without relations whose names are similar to a held-out one."""
        pairs = list(read_webnlg(self.data / WEBNLG))
        names = sorted({str(each.relation) for each in pairs})
        cosines = dict(zip(names, alike(names, list(unseen)), strict=True))
        return (each for each in pairs if max(cosines[str(each.relation)]) < ALIKE)

    def _share(self, pairs: Sequence[Marked], relations: Sequence[str]) -> list[Marked]:
        """Keep the first pairs of each training relation."""
        train = [each for name in relations for each in self._first(pairs, name)]
        random.Random(0).shuffle(train)
        return train

    def _first(self, pairs: Sequence[Marked], relation: str) -> list[Marked]:
        return [each for each in pairs if each.relation == relation][: self.limit_train or MOST]

    def _descriptions(self) -> tuple[dict[str, str], list[str]]:
        """Read label and description of each relation of Wikidata; RETURNS also FewRel's validation relations."""
        texts = {name: name if UNDESCRIBED in text else f"{name}: {text}" for name, text in self._names.values()}
        return texts, [self._names[key][0] for key in json.loads((self.data / FEWREL).read_text(encoding="utf8"))]


def read_webnlg(path: Path) -> Iterator[Marked]:
    """Read WebNLG: the first occurrences of a triple's arguments, and its relation's name in words."""
    for record in json.loads(path.read_text(encoding="utf8")):
        words = record["text"].split()
        for subject, relation, obj in record["triple_list"]:
            places = [find_words(words, text.split()) for text in (subject, obj)]
            if all(places) and places[0] != places[1]:
                yield Marked(words, places[0], places[1], readable_label(relation))


def find_words(words: Sequence[str], wanted: Sequence[str]) -> tuple[int, int] | None:
    """RETURNS (tuple[int, int] | None): First occurrence of some words: the first one, and the one after the last."""
    size = len(wanted)
    return next(((n, n + size) for n in range(len(words) - size + 1) if words[n : n + size] == wanted), None)
