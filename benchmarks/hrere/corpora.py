"""The data sets of the HRERE benchmarks: NYT10 as corpora of linked pairs, and knowledge bases without these pairs."""

from __future__ import annotations

import json
import random
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from spacy.tokens import Doc
from spacy.vocab import Vocab

from benchmarks.harness.datasets import Maker, Part, count_docs
from benchmarks.harness.runs import fingerprint
from benchmarks.hrere.hoffmann import FILE, read_annotations, words_of
from spacy_relext.annotations.entities import PAIRS_KEY, entity_links
from spacy_relext.corpora.shards import ShardWriter, iter_docs
from spacy_relext.hrere.bags import gather_bags
from spacy_relext.kb.facts import TripleStore, read_store
from spacy_relext.kb.model import split_facts, train_kb
from spacy_relext.kb.training import KbTraining
from spacy_relext.pairs.suggesters import AnnotatedPairs

NYT = "nyt10_riedel_mid_sample"
FB60K, FB15K = "fb60k_nyt10_kg", "fb15k237"
# FB60K, and as facts the types of NYT10's entities, such as /person/author.
FB60K_TYPES = "fb60k_types"
KBS = (FB60K, FB15K, FB60K_TYPES)
TYPES, HAS_TYPE = Path("riedel_entity_types") / "riedel_type_info.json", "/type/object/type"
# Shares of the pairs of entities: for dev, which chooses the best epoch and fits mixtures, and for test.
DEV_SHARE, TEST_SHARE = 0.1, 0.3
SPLIT_SEED = 0
# Embeddings: as wide as the paper's, with the settings that were best on held-out facts.
KB_SETTINGS = KbTraining(width=50, epochs=12, n3=0.02, learn_rate=0.1, batch_size=500, patience=1, eval_frequency=4)
VALID_SHARE = 0.02
ATTRS = ("ORTH", "SPACY", "SENT_START", "ENT_IOB", "ENT_TYPE", "ENT_KB_ID")
Ids = tuple[str, str]


@dataclass(frozen=True)
class BagData:
    """Corpora for one experiment.

    name (str): Its name in the results.
    train (Path): Training corpus.
    dev (Path): Chooses the best epoch, and fits mixtures.
    test (Path): Test corpus.
    left_out (int): Lines in none of them, since another corpus has their text.
    """

    name: str
    train: Path
    dev: Path
    test: Path
    left_out: int


class HrereMaker(Maker):
    """Makes corpora and embeddings, where they are not there yet."""

    def given(self) -> BagData:
        """NYT10 in the split of its files; the texts of a tenth of the training pairs are the dev corpus.

        RETURNS (BagData): Some pairs of the test corpus are also in the training corpus, but none of its texts.
        """
        train, test = (self._lines(split) for split in ("train", "test"))
        parts = self._split(train, "given", {"dev": DEV_SHARE, "train": 1.0})
        return BagData("NYT10 sample, given split", **parts, test=test, left_out=_lost(train, parts))

    def pairs(self) -> BagData:
        """The larger file of NYT10 alone, split by pairs of entities, so that no test pair is seen in training.

        RETURNS (BagData): Six, one and three tenths of the pairs.
        """
        shares = {"test": TEST_SHARE, "dev": TEST_SHARE + DEV_SHARE, "train": 1.0}
        whole = self._lines("test")
        parts = self._split(whole, "pairs", shares)
        return BagData("NYT10 sample, split by pairs", **parts, left_out=_lost(whole, parts))

    def kb(self, name: str, *, seed: int, tell: Callable[[str], None]) -> Path:
        """Train embeddings without the pairs of NYT10 and of annotated sentences, in either direction.

        name (str): One of `KBS`.
        RETURNS (Path): Folder of the embeddings, named by the facts and by how they are trained.
        """
        store, hit = self.store(name).without_pairs(self._all_pairs())
        settings = replace(KB_SETTINGS, seed=seed)
        made_of = fingerprint([vars(settings), VALID_SHARE, store.digest()])
        folder = self.folder / f"{name}-seed{seed}-{made_of}"
        if not (folder / "kb.json").exists():
            tell(f"{name}: {len(store):,} facts, those of {len(hit):,} pairs left out")
            rest, valid = split_facts(store, VALID_SHARE, seed=seed)
            report = lambda entry: tell("  " + ", ".join(f"{key} {value:.4g}" for key, value in entry.items()))  # noqa: E731
            train_kb(rest, settings, folder=folder, valid=valid, on_epoch=report)
        return folder

    def store(self, name: str) -> TripleStore:
        """Read a knowledge base with all its facts, its ids written as in NYT10.

        name (str): One of `KBS`.
        """
        target = self.folder / f"{name}.tsv"
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            rows = _fb15k(self.data / FB15K) if name == FB15K else _fb60k(self.data / FB60K)
            if name == FB60K_TYPES:
                rows = chain(rows, _types(self.data / TYPES))
            target.write_text("".join(f"{h}\t{r}\t{t}\n" for h, r, t in rows), encoding="utf8")
        return read_store([target])

    def _all_pairs(self) -> set[Ids]:
        """RETURNS (set[Ids]): All pairs of linked entities of NYT10 and of the manually annotated sentences."""
        pairs = {each.ids for each in read_annotations(self._source(str(FILE)))}
        for split in ("train", "test"):
            for doc in iter_docs(self._lines(split), Vocab()):
                pairs.update(_pairs_of(doc))
        return pairs

    def _lines(self, split: str) -> Path:
        return self._convert(Part(f"{NYT}/{split}.txt"), format="nyt10", lang="en")

    def _split(self, corpus: Path, name: str, shares: dict[str, float]) -> dict[str, Path]:
        """Split a corpus by pairs of entities, both orders together; shares are cumulative.

        The pairs of one text may belong to different parts: a line is left out if an earlier part has its text.
        """
        targets = {part: corpus.with_name(f"{corpus.stem}-{name}-texts-apart-{part}.spacy") for part in shares}
        if all(path.exists() for path in targets.values()):
            return targets
        docs = list(iter_docs(corpus, Vocab()))
        keys = [tuple(sorted(next(iter(_pairs_of(doc)), ("", "")))) for doc in docs]
        ordered = sorted(set(keys))
        random.Random(SPLIT_SEED).shuffle(ordered)
        place = {key: number / len(ordered) for number, key in enumerate(ordered)}
        texts: set[str] = set()
        for part, (low, high) in zip(shares, _bounds(shares.values())):
            mine = [doc for doc, key in zip(docs, keys) if low <= place[key] < high]
            chosen = [doc for doc in mine if words_of(doc.text) not in texts]
            texts.update(words_of(doc.text) for doc in chosen)
            with ShardWriter(targets[part], shard=0, attrs=ATTRS) as writer:
                for doc in chosen:
                    writer.add(doc)
        return targets


def _lost(whole: Path, parts: dict[str, Path]) -> int:
    """Count the lines of a corpus that are in none of its parts."""
    return count_docs(whole) - sum(count_docs(part) for part in parts.values())


def _bounds(ends: Iterable[float]) -> Iterator[tuple[float, float]]:
    low = 0.0
    for high in ends:
        yield low, high
        low = high


def _pairs_of(doc: Doc) -> set[Ids]:
    """RETURNS (set[Ids]): Ids of the marked pairs of a Doc."""
    if not doc.user_data.get(PAIRS_KEY) or not entity_links(doc):
        return set()
    return {ids for ids in gather_bags(AnnotatedPairs()([doc])).ids if all(ids)}


def _fb60k(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Read FB60K, whose columns are head, tail, relation."""
    for split in ("dev", "test"):
        for line in (folder / f"{split}.triples").read_text(encoding="utf8").splitlines():
            head, tail, relation = line.split("\t")
            yield head, relation, tail


def _types(path: Path) -> Iterator[tuple[str, str, str]]:
    """Read the types of entities, as facts."""
    for entity, types in json.loads(path.read_text(encoding="utf8")).items():
        for each in types:
            yield entity, HAS_TYPE, each


def _fb15k(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Read FB15k-237, whose ids have slashes where NYT10 has dots."""
    with tarfile.open(folder / "FB15k-237.tar.gz") as archive:
        for member in sorted(archive.getnames()):
            if not member.endswith(("train.txt", "valid.txt", "test.txt")):
                continue
            content = archive.extractfile(member)
            assert content is not None
            for line in content.read().decode("utf8").splitlines():
                head, relation, tail = line.split("\t")
                yield _dotted(head), relation, _dotted(tail)


def _dotted(entity: str) -> str:
    """RETURNS (str): "/m/02mjmr" as "m.02mjmr"."""
    return entity.strip("/").replace("/", ".")
