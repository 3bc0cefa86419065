"""The data sets of the KD4NRE benchmarks as corpora, made once and kept in the folder of the runs.

Every record is one sentence, and its entities are given to all systems. No test sentence is in a dev corpus. The
baseline reads pairs that `pairs.py` writes from the same corpora.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spacy.tokens import DocBin
from spacy.vocab import Vocab

from benchmarks.harness.annotation import annotate_corpus, by_lexicon, by_recogniser, mark_pairs, parse_corpus
from benchmarks.harness.datasets import DataSet, Maker, Part, count_docs
from benchmarks.harness.pairs import MICRO, SEMEVAL
from benchmarks.harness.runs import digest
from spacy_relext.annotations.store import SOFT_LABELS_KEY, TRIPLES_KEY
from spacy_relext.corpora.shards import HELD, TRAIN, iter_docs, load_shard, reorder, split_folds

LEXICON = "supersenses/nouns.tsv"
TAGGER, VECTORS = "en_ud_glove", "en_vectors_glove_100d"
# Where entity types come from.
SUPERSENSE, NER, ANNOTATED = "supersense", "ner", "annotated"
# Training sentences of SemEval-2010 held out to choose the best epoch; a tenth of smaller files.
HELD_OUT = 800
SPLIT_SEED = 0
# Sentences with fewer entities have fewer than eight ordered pairs.
CROWDED = 4


@dataclass(frozen=True)
class PairData(DataSet):
    """Corpora whose pairs are classified.

    key (str): Used in the names of folders.
    types (str): Where entity types come from.
    marked (bool): Whether the data set marks the pairs; else all ordered pairs of entities of a sentence.
    task (str): How it is scored: "semeval" or "micro".
    batch (int): Padded tokens of a batch: fewer where a sentence has many pairs.
    """

    key: str = ""
    types: str = ANNOTATED
    marked: bool = False
    task: str = MICRO
    batch: int = 100


class PairMaker(Maker):
    """Makes the corpora, where they are not there yet."""

    def semeval(self, *, types: str = SUPERSENSE, parsed: bool = False) -> PairData:
        """SemEval-2010 Task 8 in its official split; the last 800 of the shuffled training sentences tune.

        types (str): "supersense" of the nominals' head nouns, or "ner".
        parsed (bool): Whether sentences have tags and heads.
        RETURNS (PairData): 7,200 / 800 / 2,717 sentences with one marked pair each.
        """
        files = ("semeval2010_task8/TRAIN_FILE.TXT", "semeval2010_task8/TEST_FILE_FULL.TXT")
        train, test = (self._prepare(file, "semeval2010", types, parsed) for file in files)
        order = list(range(count_docs(train)))
        random.Random(SPLIT_SEED).shuffle(order)
        at = len(order) - min(HELD_OUT, len(order) // 10)
        parts = (self._subset(train, "train", order[:at]), self._subset(train, "dev", order[at:]))
        options: dict[str, Any] = {"types": types, "marked": True, "task": SEMEVAL, "batch": 800}
        return self._limited("SemEval-2010 task 8", *parts, test, key="semeval", **options)

    def conll04(self, *, types: str = ANNOTATED, parsed: bool = False) -> PairData:
        """CoNLL04 in SpERT's split.

        parsed (bool): Whether sentences have tags and heads.
        RETURNS (PairData): 922 / 231 / 288 sentences, all ordered pairs of their entities.
        """
        files = [f"conll04/conll04_{split}.json" for split in ("train", "dev", "test")]
        return self._limited("CoNLL04", *(self._prepare(f, "spert", types, parsed) for f in files), key="conll04")

    def scierc(self, *, types: str = ANNOTATED, parsed: bool = False) -> PairData:
        """SciERC by sentence in its own split.

        parsed (bool): Whether sentences have tags and heads.
        RETURNS (PairData): 1,861 / 275 / 551 sentences, all ordered pairs of their entities.
        """
        files = [f"scierc/sentence_level/{split}_triples.json" for split in ("train", "dev", "test")]
        return self._limited("SciERC", *(self._prepare(f, "spert", types, parsed) for f in files), key="scierc")

    def crowded(self, pairs: int, *, types: str = ANNOTATED, parsed: bool = False) -> PairData:
        """Sentences of CoNLL04 with four entities or more, some ordered pairs of each marked: for speed alone.

        pairs (int): How many, chosen at random.
        parsed (bool): Whether sentences have tags and heads.
        RETURNS (PairData): The same sentences whatever the number.
        """
        files = [f"conll04/conll04_{split}.json" for split in ("train", "dev", "test")]
        corpora = [self._marked(self._prepare(file, "spert", types, parsed), pairs) for file in files]
        options: dict[str, Any] = {"key": f"crowded{pairs}", "marked": True, "batch": 400 if pairs == 1 else 100}
        return self._limited("CoNLL04, four entities or more", *corpora, **options)

    def share(self, data: PairData, percent: float, *, seed: int) -> PairData:
        """Keep a share of the training sentences; with one seed, smaller shares are subsets of larger ones.

        RETURNS (PairData): The same dev and test corpora.
        """
        if percent >= 100:
            return data
        kept, _ = _draw(count_docs(data.train), percent, seed=seed)
        return replace(data, train=self._subset(data.train, f"{percent:g}percent-seed{seed}", kept))

    def unlabelled(self, data: PairData, percent: float, *, seed: int) -> Path:
        """RETURNS (Path): The training sentences that `share` does not keep, without their triples."""
        _, others = _draw(count_docs(data.train), percent, seed=seed)
        rest = self._subset(data.train, f"without{percent:g}percent-seed{seed}", others)
        target = rest.with_name(f"{rest.stem}-unlabelled.spacy")
        if not target.exists():
            made = DocBin(store_user_data=True)
            for doc in iter_docs(rest, Vocab()):
                del doc.user_data[TRIPLES_KEY]
                made.add(doc)
            made.to_disk(target)
        return target

    def folds(self, corpus: Path, folds: int) -> list[tuple[Path, Path]]:
        """Split a training corpus, as `spacy relext research folds` does.

        RETURNS (list[tuple[Path, Path]]): What a teacher is trained on, and what it labels.
        """
        folder = corpus.with_suffix("") / f"{folds}folds"
        paths = [(folder / TRAIN.format(fold), folder / HELD.format(fold)) for fold in range(folds)]
        if not all(path.exists() for pair in paths for path in pair):
            split_folds(corpus, folder, folds=folds, progress=iter)
        return paths

    def join(self, corpora: Sequence[Path], target: Path) -> Path:
        """Merge folds, in the original order of the corpus that `folds` split.

        corpora (Sequence[Path]): What was held out, fold by fold.
        """
        if not target.exists():
            parts = [load_shard(path) for path in corpora]
            sizes = [len(part) for part in parts]
            starts = [sum(sizes[:fold]) for fold in range(len(sizes))]
            order = [starts[n % len(sizes)] + n // len(sizes) for n in range(sum(sizes))]
            reorder(_merged(parts), order).to_disk(target)
        return target

    def concatenate(self, corpora: Sequence[Path], target: Path) -> Path:
        """Write several corpora into one, one after the other."""
        if not target.exists():
            _merged(map(load_shard, corpora)).to_disk(target)
        return target

    def transfer(self, labelled: Path, corpus: Path) -> Path:
        """Copy soft labels to the same sentences with other annotation.

        corpus (Path): The corpus that gets them, with its sentences in the same order.
        RETURNS (Path): A new corpus, beside the labelled one.
        """
        target = labelled.with_name(f"{labelled.stem}-{digest(corpus)}.spacy")
        if not target.exists():
            made, vocab = DocBin(store_user_data=True), Vocab()
            for source, doc in zip(iter_docs(labelled, vocab), iter_docs(corpus, vocab), strict=True):
                if source.text != doc.text:
                    raise ValueError(f"{labelled} and {corpus} differ at {doc.text[:40]!r}")
                doc.user_data[SOFT_LABELS_KEY] = source.user_data[SOFT_LABELS_KEY]
                made.add(doc)
            made.to_disk(target)
        return target

    def _limited(self, name: str, train: Path, dev: Path, test: Path, **options: Any) -> PairData:
        """Apply the limits on the number of sentences."""
        limits = (self.limit_train, self.limit_test, self.limit_test)
        made = [self._first(path, limit) for path, limit in zip((train, dev, test), limits)]
        return PairData(name, made[0], made[1], {"test": made[2]}, **options)

    def _first(self, corpus: Path, limit: int) -> Path:
        total = count_docs(corpus)
        return corpus if not 0 < limit < total else self._subset(corpus, f"first{limit}", list(range(limit)))

    def _subset(self, corpus: Path, name: str, order: list[int]) -> Path:
        """Write the Docs of a corpus with some numbers, in their order."""
        target = corpus.with_name(f"{corpus.stem}-{name}.spacy")
        if not target.exists():
            reorder(load_shard(corpus), order).to_disk(target)
        return target

    def _prepare(self, file: str, format: str, types: str, parsed: bool) -> Path:
        """Convert a file, and give its entities types and its sentences trees where that is asked for."""
        raw = self._convert(Part(file), format=format, lang="en")
        target = raw.with_name(f"{raw.stem}-{types}{'-parsed' * parsed}.spacy")
        if not target.exists():
            type_of = by_recogniser if types == NER else None
            if types == SUPERSENSE:
                type_of = by_lexicon(self._source(LEXICON))
            trees = self._parse(raw) if parsed or types == NER else None
            annotate_corpus(raw, target, type_of=type_of, trees=trees, heads=parsed)
        return target

    def _parse(self, raw: Path) -> Path:
        target = raw.with_name(f"{raw.stem}-{TAGGER}.spacy")
        if not target.exists():
            parse_corpus(raw, target, pipeline=self.models / TAGGER)
        return target

    def _marked(self, corpus: Path, pairs: int) -> Path:
        target = corpus.with_name(f"{corpus.stem}-marked{pairs}.spacy")
        if not target.exists():
            mark_pairs(corpus, target, pairs=pairs, least=CROWDED)
        return target


def _merged(parts: Iterable[DocBin]) -> DocBin:
    """RETURNS (DocBin): The Docs of all parts, one after the other."""
    merged = DocBin(store_user_data=True)
    for part in parts:
        merged.merge(part)
    return merged


def _draw(total: int, percent: float, *, seed: int) -> tuple[list[int], list[int]]:
    """Draw a share of sentence numbers at random. RETURNS (tuple[list[int], list[int]]): Those, and the others."""
    order = list(range(total))
    random.Random(seed).shuffle(order)
    size = max(1, round(total * percent / 100))
    return order[:size], order[size:]
