"""The data sets of link prediction as numbered facts."""

from __future__ import annotations

import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy

from benchmarks.harness.datasets import Maker
from spacy_relext.kb.facts import Triples, TripleStore, read_store
from spacy_relext.kb.link_prediction import KnownAnswers

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Links:
    """A data set of link prediction.

    name (str): Its name in the results.
    store (TripleStore): Training facts, with all entities of the data set.
    facts (dict[str, Triples]): Split → numbered facts. Shape (N, 3)
    """

    name: str
    store: TripleStore
    facts: dict[str, Triples]

    def known(self) -> KnownAnswers:
        """RETURNS (KnownAnswers): Facts of all splits, which filtered ranks leave out."""
        return KnownAnswers(numpy.concatenate(list(self.facts.values())), n_relations=len(self.store.relations))

    def tests(self) -> dict[str, Triples]:
        """RETURNS (dict[str, Triples]): All test facts, and those whose entities both occur in training facts."""
        named = numpy.zeros(len(self.store.entities), dtype=bool)
        named[self.facts["train"][:, [0, 2]]] = True
        test = self.facts["test"]
        return {"test": test, "test, entities of training": test[named[test[:, [0, 2]]].all(1)]}


class LinkMaker(Maker):
    """Unpacks data sets."""

    def links(self, name: str) -> Links:
        """Read a data set."""
        paths = {split: self._unpack(name, split) for split in SPLITS}
        everything = read_store(paths.values())
        facts = {split: _numbered(everything, path) for split, path in paths.items()}
        store = TripleStore(everything.entities, everything.relations, facts["train"])
        return Links(name, store, facts)

    def _unpack(self, name: str, split: str) -> Path:
        """Take a file out of the archive."""
        path = self.folder / name / f"{split}.txt"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            (archive,) = (self.data / name).glob("*.tar.gz")
            with tarfile.open(archive) as packed:
                member = next(each for each in packed if Path(each.name).name == path.name)
                source = packed.extractfile(member)
                assert source is not None
                with source, path.open("wb") as target:
                    shutil.copyfileobj(source, target)
        return path


def _numbered(everything: TripleStore, path: Path) -> Triples:
    """Number the facts of a file, sorted. Shape (N, 3)"""
    number, relation = everything.number_of, everything.relation_number
    rows = [(number(one), relation(name), number(two)) for one, name, two in read_store([path]).facts()]
    return numpy.asarray(sorted(rows), dtype=numpy.int32)
