"""Overlap of a held-out corpus with the training corpus: identical and near-duplicate sentences, and triples."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import DefaultDict, Dict, FrozenSet, Iterable, Iterator, List, Set, Tuple

from spacy.tokens import Doc, Token

from ..annotations.sentences import sentence_bounds
from ..annotations.store import get_records

NEAR = 0.7

# Words in a shingle; one in more held-out sentences than `_COMMON` tells too little to look up near sentences.
_WORDS, _COMMON = 3, 100

# Runs of consecutive words of a sentence.
Shingles = FrozenSet[Tuple[str, ...]]

# Subject, relation and object; the arguments in lower case.
TripleKey = Tuple[str, str, str]


@dataclass
class Overlap:
    """A held-out corpus, compared with the Docs of a training corpus that are added one by one.

    A sentence is near another if their shingles of three words have a Jaccard index of 0.7 or more; shorter ones must
    be equal. Case, punctuation and spaces do not count. Triples are compared by relation and texts of their arguments.

    exact, near (Set[int]): Numbers of the held-out sentences that are in the training corpus, exactly or nearly.
    seen (Set[TripleKey]): Triples that the training corpus has as well.
    seen_pairs (Set[Tuple[str, str]]): Pairs of arguments that the training corpus has as well, with any relation.
    """

    sentences: List[Shingles] = field(default_factory=list)
    exact: Set[int] = field(default_factory=set)
    near: Set[int] = field(default_factory=set)
    triples: "Counter[TripleKey]" = field(default_factory=Counter)
    seen: Set[TripleKey] = field(default_factory=set)
    seen_pairs: Set[Tuple[str, str]] = field(default_factory=set)
    _same: DefaultDict[Tuple[str, ...], List[int]] = field(default_factory=lambda: defaultdict(list))
    _index: DefaultDict[Tuple[str, ...], List[int]] = field(default_factory=lambda: defaultdict(list))
    _pairs: Set[Tuple[str, str]] = field(default_factory=set)

    def add_held_out(self, doc: Doc) -> None:
        """Add a held-out document; all of them come before the training corpus."""
        for words in sentence_words(doc):
            number = len(self.sentences)
            shingles = make_shingles(words)
            self.sentences.append(shingles)
            self._same[words].append(number)
            for shingle in shingles:
                self._index[shingle].append(number)
        self.triples.update(triple_keys(doc))
        self._pairs.update((subject, obj) for subject, _, obj in triple_keys(doc))

    def add_training(self, doc: Doc) -> None:
        """Compare a document of the training corpus."""
        for words in sentence_words(doc):
            self.exact.update(self._same.get(words, ()))
            shingles = make_shingles(words)
            shared: Counter[int] = Counter()
            for shingle in shingles:
                places = self._index.get(shingle, ())
                if len(places) <= _COMMON:
                    shared.update(places)
            for number in shared:
                self._compare(number, shingles)
        for key in triple_keys(doc):
            if key in self.triples:
                self.seen.add(key)
            if (key[0], key[2]) in self._pairs:
                self.seen_pairs.add((key[0], key[2]))

    def _compare(self, number: int, shingles: Shingles) -> None:
        """Mark a held-out sentence that is near a sentence of the training corpus."""
        if number in self.near or number in self.exact:
            return
        common = len(self.sentences[number] & shingles)
        if is_near(common, self.sentences[number], shingles):
            self.near.add(number)

    def counts(self) -> Dict[str, Tuple[int, int]]:
        """RETURNS (Dict[str, Tuple[int, int]]): The number shared and the total, for each kind of overlap."""
        total = sum(self.triples.values())
        pairs = sum(count for (subject, _, obj), count in self.triples.items() if (subject, obj) in self.seen_pairs)
        return {
            "sentences that are in train": (len(self.exact), len(self.sentences)),
            "sentences nearly in train": (len(self.near - self.exact), len(self.sentences)),
            "triples that are in train": (sum(self.triples[key] for key in self.seen), total),
            "triples whose pair of arguments is in train": (pairs, total),
        }


def sentence_words(doc: Doc) -> Iterator[Tuple[str, ...]]:
    """Yield the words of each sentence that has any, in lower case."""
    yield from filter(None, (_words(doc[start:end]) for start, end in sentence_bounds(doc)))


@dataclass
class NearIndex:
    """Texts of which no two are near-duplicates, by their shingles of three words (`is_near`)."""

    _index: DefaultDict[Tuple[str, ...], List[int]] = field(default_factory=lambda: defaultdict(list))
    _texts: List[Shingles] = field(default_factory=list)

    def add(self, shingles: Shingles) -> bool:
        """Add a text unless it is a near-duplicate of an added one; return True if it was added."""
        shared = Counter(number for shingle in shingles for number in self._index.get(shingle, ()))
        if any(is_near(common, self._texts[number], shingles) for number, common in shared.items()):
            return False
        for shingle in shingles:
            self._index[shingle].append(len(self._texts))
        self._texts.append(shingles)
        return True


def is_near(common: int, first: Shingles, second: Shingles) -> bool:
    """Return True if two sets of shingles with so many in common have a Jaccard index of `NEAR` or more."""
    return common >= NEAR * (len(first) + len(second) - common)


def doc_shingles(doc: Doc) -> Shingles:
    """Return the runs of three words of a Doc, without case, punctuation and spaces."""
    return make_shingles(_words(doc))


def make_shingles(words: Tuple[str, ...]) -> Shingles:
    """Return all runs of three words, or the one run of all words if there are fewer."""
    return frozenset(words[number : number + _WORDS] for number in range(max(1, len(words) - _WORDS + 1)))


def triple_keys(doc: Doc) -> List[TripleKey]:
    """List the argument texts and the relation of each gold triple."""
    return [
        (_plain(doc, record["subject"]), record["relation"], _plain(doc, record["object"]))
        for record in get_records(doc, source="") or []
    ]


def _words(tokens: Iterable[Token]) -> Tuple[str, ...]:
    """Return words in lower case, without punctuation and spaces."""
    return tuple(token.lower_ for token in tokens if not (token.is_punct or token.is_space))


def _plain(doc: Doc, place: Tuple[int, int]) -> str:
    """Return a text in lower case with single spaces."""
    return " ".join(doc.text[slice(*place)].lower().split())
