"""The data sets of the SelfORE benchmarks as corpora of marked pairs with their relations, each pair in one text."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spacy.tokens import Doc
from spacy.vocab import Vocab

from benchmarks.harness.datasets import Maker
from spacy_relext import set_triples
from spacy_relext.annotations.entities import PAIRS_KEY
from spacy_relext.corpora.shards import ShardWriter

# T-REx: number of texts per relation, one per fact, and their maximum length in characters.
TREX_TEXTS, TREX_LONGEST = 200, 400
HELD_SHARE = 5
DATA = ("fewrel", "trex", "wiki80", "wiki64", "tailed", "tailed_trex")
FEWREL = Path("fewrel") / "val_wiki.json"
# Long tail: pairs of the smallest relation as a share of those of the largest.
SMALLEST = 0.05
_WORDS = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Marked:
    """A text with one pair.

    words (list[str]): Its tokens.
    subject (tuple[int, int]): First token of the subject, and the one after the last.
    object (tuple[int, int]): Those of the object.
    relation (str | None): Gold relation; "" for none; None without annotation.
    mentions (tuple[tuple[int, int], ...]): Further mentions of the arguments.
    """

    words: list[str]
    subject: tuple[int, int]
    object: tuple[int, int]
    relation: str | None
    mentions: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class ClusterData:
    """Corpora for one experiment.

    name (str): Its name in the results.
    relations (int): Number of relations.
    whole (Path): All pairs, clustered and scored.
    kept (Path): Four fifths of them, clustered.
    held (Path): The other fifth, assigned to clusters afterwards.
    """

    name: str
    relations: int
    whole: Path
    kept: Path
    held: Path


class ClusterMaker(Maker):
    """Makes these corpora, where they are not there yet. `limit_train` is the maximum of pairs of a data set."""

    def fewrel(self) -> ClusterData:
        """RETURNS (ClusterData): The validation set of FewRel: 16 relations, 700 pairs each."""
        return self._clusters("fewrel", "FewRel val_wiki")

    def trex(self) -> ClusterData:
        """RETURNS (ClusterData): T-REx as LAMA has it: relations with 200 texts that hold both arguments."""
        return self._clusters("trex", "T-REx (LAMA)")

    def wiki80(self) -> ClusterData:
        """RETURNS (ClusterData): The dev set of wiki80: 80 relations, 70 pairs each."""
        return self._clusters("wiki80", "wiki80 dev")

    def wiki64(self) -> ClusterData:
        """RETURNS (ClusterData): The same without the relations of FewRel's validation set."""
        return self._clusters("wiki64", "wiki80 dev without FewRel's relations")

    def tailed(self) -> ClusterData:
        """RETURNS (ClusterData): FewRel with 700 pairs of the first relation and 35 of the last."""
        return self._clusters("tailed", "FewRel val_wiki, 700 to 35 pairs a relation")

    def tailed_trex(self) -> ClusterData:
        """RETURNS (ClusterData): T-REx with 200 pairs of the first relation and 10 of the last."""
        return self._clusters("tailed_trex", "T-REx (LAMA), 200 to 10 pairs a relation")

    def pairs(self, key: str) -> list[Marked]:
        """RETURNS (list[Marked]): The pairs of a data set, in random order."""
        read = {
            "fewrel": lambda: read_fewrel(self.data / FEWREL),
            "tailed": lambda: _tailed(list(read_fewrel(self.data / FEWREL))),
            "trex": lambda: read_trex(self.data / "trex_lama"),
            "tailed_trex": lambda: _tailed(list(read_trex(self.data / "trex_lama"))),
            "wiki80": lambda: read_wiki80(self.data / "wiki80" / "dev.txt"),
            "wiki64": lambda: self._withoutread_fewrel(read_wiki80(self.data / "wiki80" / "dev.txt")),
        }[key]
        return self.shuffled(read())[: self.limit_train or None]

    def shuffled(self, pairs: Iterable[Marked]) -> list[Marked]:
        """RETURNS (list[Marked]): The pairs with two different arguments, in random order."""
        marked = [each for each in pairs if each.subject != each.object]
        random.Random(0).shuffle(marked)
        return marked

    def _withoutread_fewrel(self, pairs: Iterator[Marked]) -> Iterator[Marked]:
        """Leave out the relations of FewRel's validation set: wiki80 has its pairs under other names."""
        theirs, everything = {_place(pair) for pair in read_fewrel(self.data / FEWREL)}, list(pairs)
        shared = {pair.relation for pair in everything if _place(pair) in theirs}
        return (pair for pair in everything if pair.relation not in shared)

    def written(self, key: str, pairs: Callable[[], Sequence[Marked]]) -> Path:
        """Write a corpus where it is not there yet."""
        suffix = f"-first{self.limit_train}" if self.limit_train else ""
        path = self.folder / f"{key}{suffix}.spacy"
        if not path.exists():
            write_pairs(path, pairs())
        return path

    def _clusters(self, key: str, name: str) -> ClusterData:
        """Write three corpora of a data set."""
        pairs = self.pairs(key)
        fold = len(pairs) // HELD_SHARE
        parts = {"whole": pairs, "kept": pairs[fold:], "held": pairs[:fold]}
        paths = {part: self.written(f"{key}-{part}", lambda mine=mine: mine) for part, mine in parts.items()}
        return ClusterData(f"{name}: {len(pairs):,} pairs", len({each.relation for each in pairs}), **paths)


def write_pairs(path: Path, pairs: Sequence[Marked]) -> None:
    """Write texts with their marked pair, and its relation as a triple."""
    path.parent.mkdir(parents=True, exist_ok=True)
    vocab = Vocab()
    with ShardWriter(path) as writer:
        for pair in pairs:
            doc = Doc(vocab, words=pair.words, sent_starts=[True] + [False] * (len(pair.words) - 1))
            subject, obj = doc[slice(*pair.subject)], doc[slice(*pair.object)]
            places = [[span.start_char, span.end_char] for span in (subject, obj)]
            doc.user_data[PAIRS_KEY] = [{"subject": places[0], "object": places[1]}]
            triple = {"subject": subject, "relation": pair.relation, "object": obj}
            if pair.relation is not None:
                set_triples(doc, [triple] if pair.relation else [])
            writer.add(doc)


def read_fewrel(path: Path) -> Iterator[Marked]:
    """Read FewRel: arguments have lists of tokens, of which the first mention counts."""
    for relation, records in json.loads(path.read_text(encoding="utf8")).items():
        for record in records:
            heads, tails = ([(min(each), max(each) + 1) for each in record[key][2]] for key in ("h", "t"))
            yield Marked(record["tokens"], heads[0], tails[0], relation, (*heads[1:], *tails[1:]))


def _place(pair: Marked) -> tuple[object, ...]:
    return (*pair.words, pair.subject, pair.object)


def _tailed(pairs: Sequence[Marked]) -> Iterator[Marked]:
    """Keep fewer pairs of each relation than of the one before."""
    groups = _by_relation(pairs)
    for rank, group in enumerate(groups.values()):
        yield from group[: round(len(group) * SMALLEST ** (rank / max(len(groups) - 1, 1)))]


def known_relations(pairs: Sequence[Marked]) -> list[str]:
    """RETURNS (list[str]): Half of the relations, chosen at random."""
    relations = sorted({str(pair.relation) for pair in pairs})
    random.Random(0).shuffle(relations)
    return sorted(relations[: len(relations) // 2])


def _by_relation(pairs: Sequence[Marked]) -> dict[str, list[Marked]]:
    """Group pairs by gold relation, in the order of the names."""
    groups: dict[str, list[Marked]] = {}
    for pair in sorted(pairs, key=lambda each: str(each.relation)):
        groups.setdefault(str(pair.relation), []).append(pair)
    return groups


def read_wiki80(path: Path) -> Iterator[Marked]:
    """Read wiki80, one record a line."""
    for line in path.read_text(encoding="utf8").splitlines():
        if line.strip():
            record = json.loads(line)
            yield Marked(record["token"], tuple(record["h"]["pos"]), tuple(record["t"]["pos"]), record["relation"])


def read_trex(folder: Path) -> Iterator[Marked]:
    """Read LAMA's T-REx: for each fact a random text in which the subject is found outside the masked object."""
    rng = random.Random(0)
    for path in sorted(folder.glob("P*/test.jsonl")):
        facts = [json.loads(line) for line in path.read_text(encoding="utf8").splitlines() if line.strip()]
        rng.shuffle(facts)
        texts_of_relation = []
        for fact in facts:
            texts = list(fact["evidences"])
            rng.shuffle(texts)
            marked = next(filter(None, (_unmask(text, path.parent.name) for text in texts)), None)
            texts_of_relation += [marked] if marked else []
            if len(texts_of_relation) == TREX_TEXTS:
                yield from texts_of_relation
                break


def _unmask(evidence: dict, relation: str) -> Marked | None:
    """Put the object back into its text, and find the subject."""
    parts = evidence["masked_sentence"].split("[MASK]")
    if len(parts) != 2 or len(evidence["masked_sentence"]) > TREX_LONGEST:
        return None
    before, after = (_WORDS.findall(part) for part in parts)
    obj, subject = (_WORDS.findall(evidence[key]) for key in ("obj_surface", "sub_surface"))
    words, last = [*before, *obj, *after], len(before) + len(obj)
    for start in range(len(words) - len(subject) + 1):
        end = start + len(subject)
        if subject and obj and words[start:end] == subject and (end <= len(before) or start >= last):
            return Marked(words, (start, end), (len(before), last), relation)
    return None
