"""A reader that makes one Example of all mentions of a pair of linked entities in a corpus."""

import random
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Set, Tuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import registry

from ..annotations.entities import PAIRS_KEY, entity_links
from ..annotations.store import get_records, has_triples, widen_records
from ..annotations.triple import CharSpan, Record
from ..corpora.reader import copy_entities
from ..corpora.records import doc_to_record, record_to_doc, set_sentence_starts
from ..corpora.shards import iter_docs
from ..errors import Errors, Warnings, check_range
from ..pairs.gold import PairClass
from ..pairs.suggesters import AnnotatedPairs
from ..pipeline.settings import MAX_SEED


@dataclass
class Mention:
    """A text of one or more sentences that mentions a pair. All bounds are characters of the text.

    sents (List[List[int]]): Bounds of each sentence.
    entities (List[Record]): All entities of the text.
    subject, object (CharSpan): Bounds of the arguments.
    relations (Set[PairClass]): Gold relations.
    """

    text: str
    sents: List[List[int]]
    entities: List[Record]
    subject: CharSpan
    object: CharSpan
    relations: Set[PairClass] = field(default_factory=set)


Bag = List[Mention]


@registry.readers("spacy_relext.BagCorpus.v1")
class BagCorpus:
    """Reads a corpus with marked pairs of linked entities, and yields one Example for each ordered pair.

    Its Doc has the distinct sentences that mention the pair, with the pair marked in each; a relation of one of them
    is a relation of all. A pair that is not linked is a bag of its own. If a text has no marked pairs, the pairs of its
    triples are read. The whole corpus is kept in memory, as text.

    path (Optional[Path]): The .spacy file, or a folder of them.
    most (int): Maximum number of mentions of a bag, sampled at each call; 0: all.
    unrelated (float): Share of the bags without a relation that are read, sampled at each call.
    shuffle (bool): Whether the order is random at each call.
    limit (int): Maximum number of bags, the first ones of the corpus; 0: all.
    RAISES (ValueError): If there is no path or a setting is out of range.
    """

    def __init__(
        self,
        path: Optional[Path],
        most: int = 5,
        unrelated: float = 1.0,
        shuffle: bool = False,
        seed: int = 0,
        limit: int = 0,
    ) -> None:
        if not path:
            raise ValueError(Errors.R113)
        check_range("most", most, 0, 1_000_000)
        check_range("limit", limit, 0, 1_000_000_000)
        check_range("unrelated", unrelated, 0.0, 1.0)
        check_range("seed", seed, 0, MAX_SEED)
        self.path, self.most, self.unrelated = Path(path), most, unrelated
        self.shuffle, self.limit = shuffle, limit
        self._random = random.Random(seed)
        self._bags: Optional[List[Bag]] = None

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Yield an Example for each bag.

        RAISES (ValueError): If no pair is marked.
        """
        if self._bags is None:
            self._bags = self._gather(nlp)
        order = list(range(len(self._bags)))
        if self.shuffle:
            self._random.shuffle(order)
        for number in order:
            bag = self._bags[number]
            is_related = any(mention.relations for mention in bag)
            if not is_related and self.unrelated < 1.0 and self._random.random() >= self.unrelated:
                continue
            if self.most and len(bag) > self.most:
                bag = [bag[row] for row in sorted(self._random.sample(range(len(bag)), self.most))]
            yield _make_example(nlp, bag)

    def _gather(self, nlp: Language) -> List[Bag]:
        """Collect the mentions of each pair, in the order of the corpus."""
        bags: Dict[Tuple[object, ...], Dict[Tuple[str, CharSpan, CharSpan], Mention]] = {}
        total = bare = 0
        for doc in iter_docs(self.path, nlp.vocab):
            total += 1
            mentions = list(_mentions(doc)) if has_triples(doc) else []
            bare += not mentions
            for ids, mention in mentions:
                place = (mention.text, mention.subject, mention.object)
                key = ids if all(ids) else (total, mention.subject, mention.object)
                bags.setdefault(key, {}).setdefault(place, mention).relations |= mention.relations
        if not bags:
            raise ValueError(Errors.R732.format(path=self.path))
        if bare:
            warnings.warn(Warnings.W701.format(path=self.path, count=bare, total=total), stacklevel=2)
        return [list(bag.values()) for bag in bags.values()][: self.limit or None]


def _mentions(doc: Doc) -> Iterator[Tuple[Tuple[str, str], Mention]]:
    """Yield the marked pairs of a Doc, or those of its triples, with their ids, each in its sentences."""
    stated = widen_records(doc, get_records(doc, source="") or [])
    if PAIRS_KEY not in doc.user_data:
        sides = dict.fromkeys((tuple(each["subject"]), tuple(each["object"])) for each in stated)
        doc.user_data[PAIRS_KEY] = [{"subject": list(one), "object": list(two)} for one, two in sides]
    pairs = AnnotatedPairs()([doc])
    links, record = entity_links(doc), doc_to_record(doc)
    for number, (start, end) in enumerate(pairs.text.tolist()):
        text = doc[start:end]
        first, last = text.start_char, text.end_char
        one, two = pairs.spans(number)
        ends = [(one.start_char, one.end_char), (two.start_char, two.end_char)]
        relations = set()
        for triple in stated:
            arguments = [tuple(triple["subject"]), tuple(triple["object"])]
            if arguments in (ends, ends[::-1]):
                relations.add(PairClass(triple["relation"], arguments != ends))
        inside = [each for each in record.get("entities", ()) if first <= each["start"] and each["end"] <= last]
        sentences = text.sents if doc.has_annotation("SENT_START") else [text]  # type: ignore[attr-defined]
        sents = [[sent.start_char - first, sent.end_char - first] for sent in sentences]
        subject, obj = ((start - first, end - first) for start, end in ends)
        ids = links.get((one.start, one.end), ""), links.get((two.start, two.end), "")
        yield ids, Mention(text.text, sents, [_shift(each, -first) for each in inside], subject, obj, relations)


def _shift(entity: Record, by: int) -> Record:
    """Move the bounds of an entity."""
    return {**entity, "start": entity["start"] + by, "end": entity["end"] + by}


def _make_example(nlp: Language, bag: Bag) -> Example:
    """Join mentions; the predicted Doc has sentences, entities and marked pairs, the reference also triples."""
    record = _join_mentions(bag)
    reference, predicted = record_to_doc(nlp.make_doc, record), nlp.make_doc(record["text"])
    set_sentence_starts(predicted, [start for start, _ in record["sents"]])
    copy_entities(reference, predicted)
    return Example(predicted, reference)


def _join_mentions(bag: Bag) -> Record:
    """Concatenate texts; each mention gets all relations of its bag: it is unknown which of them states one."""
    relations = sorted({each for mention in bag for each in mention.relations})
    record: Record = {"text": "", "sents": [], "entities": [], "pairs": [], "triples": []}
    for mention in bag:
        begin = len(record["text"]) + bool(record["text"])
        record["text"] += " " * bool(record["text"]) + mention.text
        record["sents"] += [[start + begin, end + begin] for start, end in mention.sents]
        record["entities"] += [_shift(each, begin) for each in mention.entities]
        subject, obj = ([end + begin for end in side] for side in (mention.subject, mention.object))
        record["pairs"].append({"subject": subject, "object": obj})
        for relation, backwards in relations:
            one, two = (obj, subject) if backwards else (subject, obj)
            record["triples"].append({"subject": one, "relation": relation, "object": two})
    return record
