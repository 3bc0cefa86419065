"""Bags become Examples: all that a corpus says of one pair of linked entities, as one text."""

import random
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import registry

from ..annotations.entities import PAIRS_KEY, entity_links
from ..annotations.store import get_records, has_triples
from ..annotations.triple import CharSpan
from ..corpora.reader import copy_entities
from ..corpora.records import Record, doc_to_record, record_to_doc, set_sentence_starts
from ..corpora.shards import iter_docs
from ..errors import Errors, Warnings, check_range
from ..pairs.suggesters import AnnotatedPairs


@dataclass
class Mention:
    """One text that names a pair.

    text (str): Its sentence, or several.
    sents (List[List[int]]): Characters of each sentence.
    entities (List[Dict[str, Any]]): Of the text.
    subject (CharSpan): Characters.
    object (CharSpan): Characters.
    relations (Set[str]): What gold says of it.
    """

    text: str
    sents: List[List[int]]
    entities: List[Dict[str, Any]]
    subject: CharSpan
    object: CharSpan
    relations: Set[Tuple[str, bool]] = field(default_factory=set)


Bag = List[Mention]


@registry.readers("spacy_relext.BagCorpus.v1")
def create_bag_corpus(
    path: Optional[Path],
    most: int = 5,
    unrelated: float = 1.0,
    shuffle: bool = False,
    seed: int = 0,
    limit: int = 0,
) -> "BagCorpus":
    """Make the reader of bags; see `BagCorpus` for the settings.

    RETURNS (BagCorpus): The reader.
    RAISES (ValueError): Where there is no path or a setting means nothing.
    """
    if path is None:
        raise ValueError(Errors.R113)
    check_range("most", most, 0, 1_000_000)
    check_range("limit", limit, 0, 1_000_000_000)
    check_range("unrelated", unrelated, 0.0, 1.0)
    return BagCorpus(path, most=most, unrelated=unrelated, shuffle=shuffle, seed=seed, limit=limit)


class BagCorpus:
    """Reads a corpus with marked pairs of linked entities, and gives one Example for each ordered pair.

    Its Doc holds the sentences that name the pair, each once whatever its number of lines in the corpus, with the pair
    marked in each of them; what one of them is said to state counts for the bag. A pair that is not linked is a bag by
    itself. Where a text marks no pairs, those of its triples are read. The whole corpus is held in memory, as text.

    path (Path): The .spacy file, or a folder of them.
    most (int): Mentions of a bag that are read, drawn anew at each call; 0: all.
    unrelated (float): Share of the bags without a relation that are read, drawn anew at each call.
    shuffle (bool): Give another order at each call.
    seed (int): Of what is drawn.
    limit (int): Give the first so many bags of the corpus only; 0 for all.
    """

    def __init__(
        self, path: Path, *, most: int = 5, unrelated: float = 1.0, shuffle: bool = False, seed: int = 0, limit: int = 0
    ) -> None:
        self.path, self.most, self.unrelated = Path(path), most, unrelated
        self.shuffle, self.limit = shuffle, limit
        self._random = random.Random(seed)
        self._bags: Optional[List[Bag]] = None

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Read the bags.

        nlp (Language): Its tokenizer makes the Docs.
        YIELDS (Example): Predicted and reference Doc of a bag.
        RAISES (ValueError): Where no pair is marked.
        """
        if self._bags is None:
            self._bags = self._gather(nlp)
        order = list(range(len(self._bags)))
        if self.shuffle:
            self._random.shuffle(order)
        for number in order:
            bag = self._bags[number]
            stated = any(mention.relations for mention in bag)
            if not stated and self.unrelated < 1.0 and self._random.random() >= self.unrelated:
                continue
            if self.most and len(bag) > self.most:
                bag = [bag[row] for row in sorted(self._random.sample(range(len(bag)), self.most))]
            yield make_example(nlp, bag)

    def _gather(self, nlp: Language) -> List[Bag]:
        """Put the mentions of each pair together, in the order of the corpus."""
        bags: Dict[Any, Dict[Any, Mention]] = {}
        total = bare = 0
        for doc in iter_docs(self.path, nlp.vocab):
            total += 1
            found = list(_mentions(doc)) if has_triples(doc) else []
            bare += not found
            for ids, mention in found:
                key = ids if all(ids) else (total, mention.subject, mention.object)
                place = (mention.text, mention.subject, mention.object)
                same = bags.setdefault(key, {}).setdefault(place, mention)
                same.relations |= mention.relations
        if not bags:
            raise ValueError(Errors.R732.format(path=self.path))
        if bare:
            warnings.warn(Warnings.W701.format(path=self.path, count=bare, total=total), stacklevel=2)
        found_bags = [list(bag.values()) for bag in bags.values()]
        return found_bags[: self.limit] if self.limit else found_bags


def _mentions(doc: Doc) -> Iterator[Tuple[Tuple[str, str], Mention]]:
    """Read the marked pairs of a Doc, or those of its triples, each in the sentences that hold it."""
    stated = get_records(doc, source="") or []
    if PAIRS_KEY not in doc.user_data:
        sides = dict.fromkeys((tuple(each["subject"]), tuple(each["object"])) for each in stated)
        doc.user_data[PAIRS_KEY] = [{"subject": list(one), "object": list(two)} for one, two in sides]
    pairs = AnnotatedPairs()([doc])
    links, record = entity_links(doc), doc_to_record(doc)
    for number, (start, end) in enumerate(pairs.text.tolist()):
        text = doc[start:end]
        first, last = text.start_char, text.end_char
        subject, obj = ((span.start_char - first, span.end_char - first) for span in pairs.spans(number))
        ids = tuple(
            links.get(tuple(row), "") for row in (pairs.subject[number].tolist(), pairs.object[number].tolist())
        )
        inside = [each for each in record.get("entities", ()) if first <= each["start"] and each["end"] <= last]
        entities = [{**each, "start": each["start"] - first, "end": each["end"] - first} for each in inside]
        sents = [[sent.start_char - first, sent.end_char - first] for sent in _sentences(text)]
        relations = set()
        for triple in stated:
            ends = tuple((side[0] - first, side[1] - first) for side in (triple["subject"], triple["object"]))
            if ends in ((subject, obj), (obj, subject)):
                relations.add((triple["relation"], ends != (subject, obj)))
        yield ids, Mention(text.text, sents, entities, subject, obj, relations)  # type: ignore[misc]


def _sentences(text: Any) -> List[Any]:
    """Split a span of whole sentences."""
    return list(text.sents) if text.doc.has_annotation("SENT_START") else [text]


def make_example(nlp: Language, bag: Bag) -> Example:
    """Join the mentions of a bag.

    nlp (Language): Its tokenizer makes the Docs.
    bag (Bag): At least one.
    RETURNS (Example): The predicted Doc has sentences, entities and the marked pairs, the reference their triples too.
    """
    record = join_mentions(bag)
    reference, predicted = record_to_doc(nlp.make_doc, record), nlp.make_doc(record["text"])
    set_sentence_starts(predicted, [start for start, _ in record["sents"]])
    copy_entities(reference, predicted)
    return Example(predicted, reference)


def join_mentions(bag: Bag) -> Record:
    """Put the texts of mentions behind each other.

    Each mention gets all relations of its bag: it is not known which of them states one.

    bag (Bag): At least one.
    RETURNS (Record): A canonical record.
    """
    relations = sorted({each for mention in bag for each in mention.relations})
    record: Record = {"text": "", "sents": [], "entities": [], "pairs": [], "triples": []}
    for mention in bag:
        begin = len(record["text"]) + bool(record["text"])
        record["text"] += " " * bool(record["text"]) + mention.text
        record["sents"] += [[start + begin, end + begin] for start, end in mention.sents]
        record["entities"] += [
            {**each, "start": each["start"] + begin, "end": each["end"] + begin} for each in mention.entities
        ]
        subject, obj = ([end + begin for end in side] for side in (mention.subject, mention.object))
        record["pairs"].append({"subject": subject, "object": obj})
        for relation, backwards in relations:
            one, two = (obj, subject) if backwards else (subject, obj)
            record["triples"].append({"subject": one, "relation": relation, "object": two})
    return record
