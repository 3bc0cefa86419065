"""The data sets of the RERE benchmarks as corpora, made once and kept in the folder of the runs.

Every record of these data sets is one unit for all systems: the corpora carry its bounds as sentence bounds, which
pipelines are given in training and test. (The default pipeline's own splitter would cut a third of WebNLG's texts in
two, and 17 % of their triples with them.) The baseline reads files written from the same corpora.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import spacy
from spacy.tokens import Doc, DocBin

from spacy_relext.annotations.store import get_records
from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.drop import drop_triples
from spacy_relext.corpora.formats.sources import read_json

NYT24 = "nyt24_multi/full_span"
WEBNLG = "webnlg/full_span"
SKE = "ske2019_duie"
NYT10, RIEDEL = "nyt10_hrl", "nyt10_riedel_mid_sample/train.txt"


@dataclass(frozen=True)
class Part:
    """Some records of a file.

    file (str): Below the data folder.
    skip (int): Records to pass over.
    limit (int): Records to read then; 0 for all.
    """

    file: str
    skip: int = 0
    limit: int = 0


@dataclass(frozen=True)
class DataSet:
    """Corpora for one experiment.

    name (str): Its name in the results.
    train (Path): Training corpus.
    dev (Path): Chooses the best epoch and tunes thresholds.
    tests (Mapping[str, Path]): Name of the split → corpus.
    foreign (frozenset[str]): Splits with labels of their own; there, only labels that training has too count.
    lang (str): Language of the tokenizer.
    """

    name: str
    train: Path
    dev: Path
    tests: Mapping[str, Path]
    foreign: frozenset[str] = field(default_factory=frozenset)
    lang: str = "en"


class Maker:
    """Converts data files into the folder of the runs, where they are not there yet."""

    def __init__(
        self, data: Path, folder: Path, *, models: Path = Path(), limit_train: int = 0, limit_test: int = 0
    ) -> None:
        """Set the folders.

        models (Path): Folder with spaCy pipelines and word vectors.
        limit_train (int): First training sentences to use; 0 for all.
        limit_test (int): The same for tuning and test sentences.
        """
        self.data = data
        self.folder = folder
        self.models = models
        self.limit_train = limit_train
        self.limit_test = limit_test

    def nyt24(self, *, foreign: bool = True, most: int = 0) -> DataSet:
        """NYT24: the first nine tenths of its dev file train, the last tenth tunes; its train file is not available.

        foreign (bool): Whether to test on NYT11-HRL and NYT10-HRL too.
        most (int): Training sentences, where `limit_train` is not lower; 0 for all.
        RETURNS (DataSet): 4,500 / 500 / 5,000 sentences.
        """
        source = f"{NYT24}/dev_triples.json"
        n_train = self._count(source) * 9 // 10
        train = Part(source, limit=_least(self.limit_train, most, n_train))
        tests = {"test": Part(f"{NYT24}/test_triples.json")}
        others = {"nyt11_hrl/test": Part("nyt11_hrl/test.json"), "nyt10_hrl/test": Part("nyt10_hrl/test.json")}
        tests.update(others if foreign else {})
        return self._make(NYT24, train, Part(source, skip=n_train), tests, foreign=frozenset(others))

    def webnlg(self, *, most: int = 0) -> DataSet:
        """WebNLG in its own splits.

        most (int): Training sentences, where `limit_train` is not lower; 0 for all.
        RETURNS (DataSet): 5,019 / 500 / 703 texts.
        """
        train, dev, test = (Part(f"{WEBNLG}/{split}_triples.json") for split in ("train", "dev", "test"))
        return self._make(WEBNLG, Part(train.file, limit=_least(self.limit_train, most)), dev, {"test": test})

    def nyt10(self, *, most: int = 0) -> DataSet:
        """NYT10-HRL's dev and test sets; its training set is not available, but the lines of NYT10 that it is made of.

        most (int): Training sentences, where `limit_train` is not lower; 0 for all.
        RETURNS (DataSet): 7,672 / 351 / 4,006 sentences, in lower case.
        """
        held_out = {split: f"{NYT10}/{split}.json" for split in ("dev", "test")}
        target = self.folder / "nyt10_train.json"
        if not target.exists():
            known = {item.value["text"].strip() for file in held_out.values() for item in read_json(self._source(file))}
            stated = read_riedel(self._source(RIEDEL))
            rows = [{"text": text, "triple_list": each} for text, each in stated.items() if each and text not in known]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(json.dumps(rows), encoding="utf8")
        train = Part(str(target.resolve()), limit=_least(self.limit_train, most))
        return self._make(NYT10, train, Part(held_out["dev"]), {"test": Part(held_out["test"])})

    def ske_casrel(self) -> DataSet:
        """SKE2019 in CasRel's form (17 relations), one file: 5,000 train, the next 500 tune, the next 1,000 test."""
        source = f"{SKE}/casrel_format_dev_data.json"
        test = Part(source, skip=5500, limit=1000)
        train, dev = Part(source, limit=self.limit_train or 5000), Part(source, skip=5000, limit=500)
        return self._make(f"{SKE}/casrel_format", train, dev, {"test": test}, format="duie", lang="zh")

    def ske_postag(self) -> DataSet:
        """The subset of SKE2019 with all its relations: 2,341 train, 260 tune, 1,000 test."""
        source, test = (f"{SKE}/ske2019_postag_subset/{split}_data.json" for split in ("train", "dev"))
        n_train = self._count(source) * 9 // 10
        train = Part(source, limit=min(self.limit_train or n_train, n_train))
        dev, tests = Part(source, skip=n_train), {"test": Part(test)}
        return self._make(f"{SKE}/postag", train, dev, tests, format="duie", lang="zh")

    def drop(self, corpus: Path, *, rate: float, mode: str, seed: int) -> Path:
        """Drop triples from a corpus.

        mode (str): As for `spacy relext research drop-triples`.
        RETURNS (Path): The new corpus; the old one at rate 0.
        """
        if not rate:
            return corpus
        target = corpus.with_name(f"{corpus.stem}-{mode}-{rate}-seed{seed}.spacy")
        if not target.exists():
            drop_triples(corpus, target, rate=rate, mode=mode, seed=seed)
        return target

    def nothing(self) -> Path:
        """RETURNS (Path): An empty dev corpus, for a training in which nothing is chosen on dev."""
        target = self.folder / "nothing.spacy"
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            DocBin(store_user_data=True).to_disk(target)
        return target

    def _make(
        self,
        name: str,
        train: Part,
        dev: Part,
        tests: Mapping[str, Part],
        *,
        foreign: frozenset[str] = frozenset(),
        format: str = "nyt",
        lang: str = "en",
    ) -> DataSet:
        """Convert all parts of a data set."""
        options = {"format": format, "lang": lang}
        made = {split: self._convert(self._cut(part), **options) for split, part in tests.items()}
        training, tuning = self._convert(train, **options), self._convert(self._cut(dev), **options)
        return DataSet(name, training, tuning, made, foreign, lang)

    def _cut(self, part: Part) -> Part:
        """Apply the limit of tuning and test sentences."""
        return Part(part.file, part.skip, _least(part.limit, self.limit_test))

    def _convert(self, part: Part, *, format: str, lang: str) -> Path:
        """Convert one part."""
        bounds = f"-{part.skip}-{part.limit or 'end'}" if part.skip or part.limit else ""
        name = Path(part.file).stem if Path(part.file).is_absolute() else part.file.removesuffix(".json")
        target = self.folder / f"{name.replace('/', '_')}{bounds}.spacy"
        if not target.exists():
            source = self._source(part.file)
            target.parent.mkdir(parents=True, exist_ok=True)
            chosen = slice(part.skip, part.skip + part.limit if part.limit else None)
            convert(format, [source], target, nlp=spacy.blank(lang), part=chosen)
        return target

    def _count(self, file: str) -> int:
        return sum(1 for _ in read_json(self._source(file)))

    def _source(self, file: str) -> Path:
        path = self.data / file
        if not path.is_file():
            raise ValueError(f"{path}: not found; --data names the folder with the data sets")
        return path


def read_riedel(path: Path) -> dict[str, list[list[str]]]:
    """Read the sentences of Riedel's NYT10 with their triples: text → subject, relation and object of each."""
    stated: dict[str, list[list[str]]] = {}
    with path.open(encoding="utf8") as lines:
        for line in lines:
            _, _, subject, obj, relation, text = line.rstrip("\n").split("\t")[:6]
            names = [name.replace("_", " ") for name in (subject, obj)]
            text = text.removesuffix("###END###").replace("_", " ").strip()
            triples = stated.setdefault(text, [])
            triple = [names[0], relation, names[1]]
            if relation != "NA" and triple not in triples:
                triples.append(triple)
    return stated


def _least(*limits: int) -> int:
    """RETURNS (int): The lowest limit; 0 means no limit."""
    return min(filter(None, limits), default=0)


def read_docs(corpus: Path) -> Iterator[Doc]:
    """Read a corpus."""
    yield from DocBin().from_disk(corpus).get_docs(spacy.blank("xx").vocab)


def count_docs(corpus: Path) -> int:
    """RETURNS (int): Documents of a corpus."""
    return len(DocBin().from_disk(corpus))


def write_strings(corpus: Path, target: Path) -> Path:
    """Write a corpus in the baseline's format, strings only.

    target (Path): JSON lines of text and triple_list.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(f".{os.getpid()}")  # another training may be reading the file
    with part.open("w", encoding="utf8") as stream:
        for doc in read_docs(corpus):
            triples = [
                [doc.text[slice(*t["subject"])], t["relation"], doc.text[slice(*t["object"])]]
                for t in get_records(doc) or []
            ]
            stream.write(json.dumps({"text": doc.text, "triple_list": triples}) + "\n")
    part.replace(target)
    return target


def missing_rate(full: Path, dropped: Path) -> float:
    """Compute τ, the share of true (sentence, relation) pairs that are not labelled.

    dropped (Path): The same corpus after dropping; sentences that are gone do not count.
    """
    true = {doc.text: _relations(doc) for doc in read_docs(full)}
    labelled = expected = 0
    for doc in read_docs(dropped):
        labelled += len(_relations(doc) & true[doc.text])
        expected += len(true[doc.text])
    return 1.0 - labelled / expected if expected else 0.0


def _relations(doc: Doc) -> set[str]:
    return {record["relation"] for record in get_records(doc) or []}
