"""Annotation added to the corpora of the KD4NRE benchmarks: tags, heads, entity types and marked pairs."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import permutations, repeat
from pathlib import Path

import numpy
import spacy
from spacy.tokens import Doc, Span
from tqdm import tqdm

from benchmarks.harness.datasets import count_docs
from spacy_relext.annotations.entities import ENTITIES_KEY, PAIRS_KEY
from spacy_relext.annotations.sentences import sentence_bounds
from spacy_relext.annotations.store import get_records, set_triples
from spacy_relext.annotations.trees import join_trees, text_heads
from spacy_relext.corpora.reader import copy_parse
from spacy_relext.corpora.records import set_entities
from spacy_relext.corpora.shards import ShardWriter, iter_docs
from spacy_relext.pairs.type_lexicon import read_type_lexicon

# (Entity, Doc that `parse_corpus` made of the entity's Doc) → its type, "" for none.
TypeOf = Callable[[Span, "Doc | None"], str]
JOINED = "parataxis"


def parse_corpus(corpus: Path, target: Path, *, pipeline: Path) -> None:
    """Tag and parse a corpus, and recognise its named entities; every sentence becomes one tree.

    corpus (Path): Its tokens and sentence bounds are kept, and nothing else of it.
    pipeline (Path): With a tagger, a parser and an entity recogniser.
    RAISES (ValueError): Where there is no pipeline.
    """
    if not pipeline.is_dir():
        raise ValueError(f"{pipeline}: not found; --models names the folder with the pipelines")
    nlp = spacy.load(pipeline)
    docs = nlp.pipe(_bare(doc) for doc in iter_docs(corpus, nlp.vocab))
    with ShardWriter(target) as writer:
        for doc, source in zip(tqdm(docs, total=count_docs(corpus), desc=corpus.stem), iter_docs(corpus, nlp.vocab)):
            _join_trees(doc, source)
            writer.add(doc)


def annotate_corpus(corpus: Path, target: Path, *, type_of: TypeOf | None, trees: Path | None, heads: bool) -> None:
    """Replace entity types, and add trees to sentences.

    type_of (TypeOf | None): Finds an entity's type; entities without one are removed, but marked pairs are kept. None
        keeps the types.
    trees (Path | None): Output of `parse_corpus` for the corpus, if types or heads come from it.
    heads (bool): Whether to copy tags and heads.
    """
    vocab = spacy.blank("en").vocab
    with ShardWriter(target) as writer:
        for doc, tree in zip(iter_docs(corpus, vocab), iter_docs(trees, vocab) if trees else repeat(None)):
            if type_of is not None:
                _set_types(doc, tree, type_of)
            if heads and tree is not None:
                copy_parse(tree, doc)
            writer.add(doc)


def by_lexicon(path: Path) -> TypeOf:
    """Type entities by the nouns of a lexicon. RETURNS (TypeOf): For `annotate_corpus`."""
    lexicon = read_type_lexicon(path)
    return lambda span, tree: lexicon.type_of(span)


def by_recogniser(span: Span, tree: Doc | None) -> str:
    """Type an entity by the named entity in which it ends.

    tree (Doc | None): From `parse_corpus`.
    """
    return str(tree[span.end - 1].ent_type_) if tree is not None else ""


def mark_pairs(corpus: Path, target: Path, *, pairs: int, least: int) -> None:
    """Keep the sentences with many entities, mark some ordered pairs of each, chosen at random, and drop other triples.

    pairs (int): Pairs to mark in a sentence; a smaller number marks a subset of those of a larger one.
    least (int): Entities that a sentence must have.
    """
    chance = random.Random(0)
    with ShardWriter(target) as writer:
        for doc in iter_docs(corpus, spacy.blank("en").vocab):
            spans = [(ent.start_char, ent.end_char) for ent in doc.ents]
            if len(spans) >= least:
                ordered = list(permutations(spans, 2))
                chance.shuffle(ordered)
                marked = ordered[:pairs]
                doc.user_data[PAIRS_KEY] = [{"subject": s, "object": o, "label": None} for s, o in marked]
                either = {*marked, *((obj, subject) for subject, obj in marked)}
                triples = get_records(doc, source="") or []
                set_triples(doc, [triple for triple in triples if (triple["subject"], triple["object"]) in either])
                writer.add(doc)


def _set_types(doc: Doc, tree: Doc | None, type_of: TypeOf) -> None:
    """Replace the types of entities."""
    typed = []
    for entity in doc.user_data.get(ENTITIES_KEY, ()):
        span = doc.char_span(entity["start"], entity["end"], alignment_mode="expand")
        kind = type_of(span, tree) if span is not None else ""
        if kind:
            typed.append({**entity, "label": kind})
    doc.user_data[ENTITIES_KEY] = typed
    set_entities(doc, typed)


def _bare(doc: Doc) -> Doc:
    """Copy tokens and sentence bounds only: the bounds are to constrain the parser, but no entities the recogniser."""
    starts, spaces = [token.is_sent_start for token in doc], [bool(token.whitespace_) for token in doc]
    return Doc(doc.vocab, words=[token.text for token in doc], spaces=spaces, sent_starts=starts)


def _join_trees(doc: Doc, source: Doc) -> None:
    """Make one tree of each sentence of the source, of which the parser may have made several."""
    heads = numpy.arange(len(doc))
    for start, end in sentence_bounds(source):
        tree = text_heads(doc, start=start, end=end)
        if tree is not None:
            heads[start:end] = start + join_trees(tree)
    label = doc.vocab.strings.add(JOINED)
    deps = [label if token.head == token and heads[token.i] != token.i else token.dep for token in doc]
    offsets = (heads - numpy.arange(len(doc))).astype("int64").astype("uint64")
    doc.from_array(["HEAD", "DEP"], numpy.column_stack([offsets, numpy.asarray(deps, dtype="uint64")]))
