"""Labels for the baselines of NERO, by rules, or by an encoder without fine-tuning.

A labelled corpus holds the same texts; those with a label have it as gold triples, the others are not annotated.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import spacy
import srsly
from spacy.tokens import Doc, DocBin

from benchmarks.harness.pairs import read_examples
from spacy_relext.annotations.store import TRIPLES_KEY, set_triples
from spacy_relext.corpora.shards import iter_docs
from spacy_relext.nero.grounding import NO_RULE, vote
from spacy_relext.nero.rules.index import RuleIndex
from spacy_relext.nero.rules.patterns import SUBJECT
from spacy_relext.nero.rules.rules import Rule, read_rules
from spacy_relext.pairs.gold import PairClass
from spacy_relext.pairs.pairs import Pairs
from spacy_relext.pairs.suggesters import AnnotatedPairs

STAND_IN = "something"
BATCH = 128


class Ruled(NamedTuple):
    """The pairs of a corpus, and the votes of rules on them.

    docs (list[Doc]): The Docs.
    pairs (Pairs): Their marked pairs.
    rules (list[Rule]): The rules.
    votes (Any): `RuleVotes`.
    """

    docs: list[Doc]
    pairs: Pairs
    rules: list[Rule]
    votes: Any


def load_rules(path: Path, relations: Sequence[str] | None = None, drawn: Sequence[int] | None = None) -> list[Rule]:
    """Read the authors' rules without the types of their masks, as all systems do.

    relations (Sequence[str] | None): Relations to keep; None for all.
    drawn (Sequence[int] | None): Numbers of the rules to keep; None for all.
    """
    nlp = spacy.blank("en")
    untyped: list[Any] = [[label, re.sub(r"\b(SUBJ|OBJ)-\w+", r"\1-*", body)] for label, body in srsly.read_json(path)]
    checked = read_rules(untyped, tokenize=lambda word: [token.text for token in nlp.tokenizer(word)])
    rules = [rule for rule in checked.rules if rule.pattern.parts and (relations is None or rule.relation in relations)]
    return rules if drawn is None else [rules[number] for number in drawn]


def match(corpus: Path, rules: list[Rule]) -> Ruled:
    """Let rules vote on a corpus.

    corpus (Path): A .spacy file with marked pairs.
    """
    nlp = spacy.blank("en")
    docs = [example.reference for example in read_examples(nlp, corpus)]
    pairs = AnnotatedPairs()(docs)
    return Ruled(docs, pairs, rules, vote(RuleIndex(rules).match(pairs), rules, pairs=len(pairs)))


def write_labels(corpus: Path, target: Path, labels: Sequence[PairClass | None]) -> Path:
    """Write a copy of a corpus, which has one pair per text, with other labels.

    labels (Sequence[PairClass | None]): Label of each text; None for no annotation.
    """
    made, nlp = DocBin(store_user_data=True), spacy.blank("en")
    docs = list(iter_docs(corpus, nlp.vocab))
    pairs = AnnotatedPairs()(docs)
    if pairs.doc.tolist() != list(range(len(labels))):
        raise ValueError(f"{corpus}: not one pair a text")
    for number, (doc, label) in enumerate(zip(docs, labels, strict=True)):
        doc.user_data.pop(TRIPLES_KEY, None)
        if label is not None:
            subject, obj = pairs.spans(number)[:: -1 if label.backwards else 1]
            offsets = [(span.start_char, span.end_char) for span in (subject, obj)]
            set_triples(doc, [(offsets[0], label.relation, offsets[1])])
        made.add(doc)
    target.parent.mkdir(parents=True, exist_ok=True)
    made.to_disk(target)
    return target


def by_rules(ruled: Ruled) -> list[PairClass | None]:
    """RETURNS (list[PairClass | None]): The answer with the most weight of the rules that match each pair."""
    rules = ruled.votes.rule.tolist()
    return [None if rule == NO_RULE else ruled.votes.answer(n, ruled.rules) for n, rule in enumerate(rules)]


class Likeness(NamedTuple):
    """The most similar rule of each pair, by an encoder without fine-tuning.

    labels (list[PairClass]): The rule's answer.
    scores (Any): Its cosine similarity. Shape (P,)
    """

    labels: list[PairClass]
    scores: Any


def by_cosine(ruled: Ruled, encoder: Path) -> Likeness:
    """Compare the text between the arguments with the rules, by a sentence encoder without fine-tuning.

    encoder (Path): Folder of a Hugging Face encoder.
    RETURNS (Likeness): The most similar rule of each pair.
    """
    rules = ruled.rules
    bodies = [" ".join([STAND_IN, *(part or "" for part in rule.pattern.between), STAND_IN]) for rule in rules]
    texts, forwards = [], []
    for number, left, right, _ in ruled.pairs.by_position():
        doc = ruled.docs[ruled.pairs.doc[number]]
        texts.append(
            f"{STAND_IN} {doc[left[1] : right[0]].text} {STAND_IN}" if left[1] < right[0] else f"{STAND_IN} {STAND_IN}"
        )
        forwards.append(ruled.pairs.subject[number, 0] <= ruled.pairs.object[number, 0])
    cosines = _embed(texts, encoder) @ _embed(bodies, encoder).T  # (P, J)
    best = cosines.argmax(axis=1)
    first = [rule.pattern.first == SUBJECT for rule in rules]
    labels = [PairClass(rules[rule].relation, first[rule] != bool(straight)) for rule, straight in zip(best, forwards)]
    return Likeness(labels, cosines.max(axis=1))


def _embed(texts: Sequence[str], encoder: Path) -> Any:
    """Compute the mean of the last layer, normalised to length 1. Shape (N, D)"""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(encoder), AutoModel.from_pretrained(encoder).eval()
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    vectors = torch.zeros(len(texts), model.config.hidden_size)
    for begin in range(0, len(order), BATCH):
        rows = order[begin : begin + BATCH]
        batch = tokenizer([texts[row] for row in rows], padding=True, truncation=True, return_tensors="pt")
        with torch.inference_mode():
            states = model(**batch).last_hidden_state
        mask = batch["attention_mask"][..., None]
        vectors[rows] = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=1)
    return vectors.numpy()
