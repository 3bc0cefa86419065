"""Corpora become Examples for training and evaluation."""

import random
import warnings
from bisect import bisect_right
from itertools import islice
from pathlib import Path
from typing import Iterator, List, Optional, Tuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc, Token
from spacy.training import Example
from spacy.util import filter_spans, registry
from spacy.vocab import Vocab

from ..annotations.entities import ENTITIES_KEY, GIVEN_PAIRS_KEY, PAIRS_KEY
from ..annotations.store import can_teach, get_records
from ..annotations.trees import find_cycle, text_heads
from ..annotations.triple import Record
from ..errors import Errors, Warnings, check_range
from .formats.spacy_rel import REL_KEY
from .records import entity_span, record_to_doc, set_sentence_starts, span_to_entity
from .shards import iter_docs

# Sentences that name entities and state none of the relations of the shipped pipeline, one a line. A few may state one
# of a user's other relations by chance. See scripts/build_negatives.py.
NEGATIVES = Path(__file__).parent / "negatives.txt"


@registry.readers("spacy_relext.TripleCorpus.v1")
class TripleCorpus:
    """Reads Examples from a .spacy file or a folder of them, one file at a time.

    The predicted Doc is `nlp.make_doc` of the reference's text, as at inference; the reference keeps all annotation.

    path (Optional[Path]): The .spacy file, or the folder.
    shuffle (bool): Use another order of files, and of the Docs in each, at every call; with `limit`, of all Docs.
    limit (int): Maximum number of Docs, the first of the corpus; 0 for all.
    gold_ents (bool): Copy entities (and marked pairs, without their labels) to the predicted Doc.
    gold_ents_aside (bool): Copy them beside `doc.ents` instead, so that pairs are formed from them but an `ner` trained
        in the same pipeline does not see them.
    gold_sents (bool): Copy sentence starts to the predicted Doc.
    gold_parse (bool): Copy tags, heads and dependency labels to the predicted Doc; its sentences follow the heads.
    gold_triples (bool): Copy the gold triples to the predicted Doc, for a teacher that joins text and types by the gold
        relation. Nothing else reads them; scores of such a teacher say nothing about texts that are not annotated.
    negatives (float): English sentences without relations that are added at the end, for each Doc of the corpus: few
        labels alone do not teach what states none. They are drawn anew at every call from the package's sentences.
    """

    def __init__(
        self,
        path: Optional[Path],
        shuffle: bool = False,
        limit: int = 0,
        gold_ents: bool = False,
        gold_ents_aside: bool = False,
        gold_sents: bool = True,
        gold_parse: bool = False,
        gold_triples: bool = False,
        negatives: float = 0.0,
    ) -> None:
        # Not a dataclass: spaCy turns dataclasses under [initialize.components] into dictionaries.
        if not path:  # "" would be the working directory
            raise ValueError(Errors.R113)
        check_range("limit", limit, 0, 1_000_000_000)
        self.path, self.shuffle, self.limit = Path(path), shuffle, limit
        self.gold_ents, self.gold_ents_aside = gold_ents or gold_ents_aside, gold_ents_aside
        self.gold_sents, self.gold_parse, self.gold_triples = gold_sents, gold_parse, gold_triples
        check_range("negatives", negatives, 0.0, 1_000.0)
        self.negatives = negatives
        self._random = random.Random(0)

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Read the corpus; the tokenizer of the pipeline makes the predicted Docs."""
        total = empty = useful = gold = found = tutorial = 0
        for reference in self._references(nlp.vocab):
            total += 1
            useful += can_teach(reference)
            sources = {record["source"] for record in get_records(reference) or ()}
            gold += "" in sources
            found += bool(sources)
            tutorial += REL_KEY in reference.user_data and get_records(reference) is None
            predicted = nlp.make_doc(reference.text)
            if not len(predicted):
                empty += 1
            else:
                yield self._make_example(predicted, reference)
        yield from self._negatives(nlp, total)
        # Warn of a corpus that can teach nothing about triples, unless no component that uses them needs any.
        needs = [pipe.needs_triples for _, pipe in nlp.pipeline if hasattr(pipe, "needs_triples")]
        lacking = total if not useful and (any(needs) or not needs) else 0
        counts = {
            Warnings.W101: empty,
            Warnings.W102: 0 if tutorial else lacking,
            Warnings.W104: tutorial,
            Warnings.W103: 0 if gold else found,
        }
        for message, count in counts.items():
            if count:
                warnings.warn(message.format(path=self.path, count=count, total=total), stacklevel=2)

    def _references(self, vocab: Vocab) -> Iterator[Doc]:
        """Read the reference Docs, in the order of this call."""
        if not self.shuffle:
            yield from islice(iter_docs(self.path, vocab), self.limit or None)
        elif self.limit:
            # The limit applies before shuffling, so that each call gives the same Docs.
            docs = list(islice(iter_docs(self.path, vocab), self.limit))
            self._random.shuffle(docs)
            yield from docs
        else:
            yield from iter_docs(self.path, vocab, rng=self._random)

    def _negatives(self, nlp: Language, total: int) -> Iterator[Example]:
        """Draw sentences without relations for a number of Docs."""
        texts = NEGATIVES.read_text(encoding="utf8").splitlines() if self.negatives else []
        for text in self._random.sample(texts, min(len(texts), round(self.negatives * total))):
            reference = record_to_doc(nlp.make_doc, {"text": text, "triples": []}, one_sentence=True)
            yield self._make_example(nlp.make_doc(text), reference)

    def _make_example(self, predicted: Doc, reference: Doc) -> Example:
        """Make an Example of two Docs, and copy the annotation that the predicted one may have."""
        if self.gold_sents and reference.has_annotation("SENT_START"):
            set_sentence_starts(predicted, [sent.start_char for sent in reference.sents])
        if self.gold_parse:
            heads = text_heads(reference, start=0, end=len(reference))
            token = None if heads is None else find_cycle(heads)
            if token is not None:
                where = f"{reference.text[:40]!r} in {self.path}"
                raise ValueError(Errors.R411.format(where=where, length=len(reference), token=token))
            copy_parse(reference, predicted)
        if self.gold_ents:
            copy_entities(reference, predicted, aside=self.gold_ents_aside)
        if self.gold_triples:
            predicted.user_data[GIVEN_PAIRS_KEY] = get_records(reference, source="")
        return Example(predicted, reference)


def predicted_doc(nlp: Language, record: Record, *, gold_ents: bool) -> Doc:
    """Make the input of a pipeline from a canonical record: its text, sentences and marked pairs, without gold triples.

    gold_ents (bool): Whether the Doc gets the record's entities.
    RAISES (ValueError): If the tokenizer changes the text.
    """
    visible = {key: value for key, value in record.items() if key != "triples" and (gold_ents or key != "entities")}
    reference, predicted = record_to_doc(nlp.make_doc, visible), nlp.make_doc(record["text"])
    if "sents" in record:
        set_sentence_starts(predicted, [start for start, _ in record["sents"]])
    copy_entities(reference, predicted)
    return predicted


def copy_entities(reference: Doc, predicted: Doc, *, aside: bool = False) -> None:
    """Copy entities with their links, and marked pairs without labels, from one Doc to another of the same text.

    Entities are widened to whole tokens; of two that share a token, `predicted.ents` gets the longer one.

    aside (bool): Store all of them beside `predicted.ents`, with the overlapping entities.
    """
    spans = []
    for ent in reference.ents:
        span = entity_span(predicted, span_to_entity(ent))
        if span is not None:
            spans.append(span)
    beside = [dict(entity) for entity in reference.user_data.get(ENTITIES_KEY, ())]
    if aside:
        known = {(entity["start"], entity["end"], entity["label"]) for entity in beside}
        beside += [span_to_entity(s) for s in spans if (s.start_char, s.end_char, s.label_) not in known]
    elif reference.has_annotation("ENT_IOB"):
        predicted.set_ents(filter_spans(spans))
    if beside or ENTITIES_KEY in reference.user_data:
        predicted.user_data[ENTITIES_KEY] = beside
    if PAIRS_KEY in reference.user_data:
        predicted.user_data[PAIRS_KEY] = [{**pair, "label": None} for pair in reference.user_data[PAIRS_KEY]]


def copy_parse(reference: Doc, predicted: Doc) -> None:
    """Copy tags, heads and dependency labels from one Doc to another of the same text and vocabulary.

    Sentences follow the heads. A token that covers several of the reference takes the annotation of their root. Of
    several tokens that share one of the reference, the first takes its annotation, and each other one depends on the
    token before it, as `dep`. Attributes that the reference lacks are not copied.
    """
    attrs = [name for name in ("TAG", "HEAD", "DEP") if reference.has_annotation(name)]
    if not attrs or not len(predicted):
        return
    if [token.idx for token in predicted] == [token.idx for token in reference]:
        predicted.from_array(attrs, reference.to_array(attrs))  # type: ignore[arg-type]
        return
    sources, heads = _align_parse(reference, predicted)
    loose = predicted.vocab.strings.add("dep")
    columns = {
        "TAG": numpy.asarray([source.tag if source is not None else 0 for source in sources], dtype="uint64"),
        "HEAD": (numpy.asarray(heads, dtype="int64") - numpy.arange(len(heads))).astype("uint64"),
        "DEP": numpy.asarray([source.dep if source is not None else loose for source in sources], dtype="uint64"),
    }
    predicted.from_array(attrs, numpy.column_stack([columns[name] for name in attrs]))  # type: ignore[arg-type]


def _align_parse(reference: Doc, predicted: Doc) -> Tuple[List[Optional[Token]], List[int]]:
    """Find the reference token whose annotation each token takes (None for the rest of a split one), and its head."""
    ends = [token.idx + len(token) for token in predicted]
    # of each reference token, the first token that shares a character with it
    first = [min(bisect_right(ends, token.idx), len(ends) - 1) for token in reference]
    sources: List[Optional[Token]] = []
    heads = []
    for token in predicted:
        span = reference.char_span(token.idx, ends[token.i], alignment_mode="expand")
        root = span.root if span is not None else None
        if root is not None and first[root.i] == token.i:
            sources.append(root)
            heads.append(first[root.head.i])
        else:
            sources.append(None)
            heads.append(max(token.i - 1, 0))
    return sources, heads
