"""Examples written by hand for the score tests."""

from pathlib import Path
from typing import Any, Dict, Iterable, Optional, Sequence, Tuple

import numpy as np
import spacy
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin
from spacy.training import Example

from spacy_relext.annotations.store import set_relations, set_triples
from spacy_relext.scoring.probabilities import bootstrap_interval
from spacy_relext.scoring.thresholds import f_score

NLP = spacy.blank("en")
TextTriple = Tuple[str, str, str]


def locate(text: str, triples: Iterable[Tuple[Any, ...]]) -> list[Dict[str, Any]]:
    """Find (subject, relation, object[, score]) by their first occurrence in a text."""
    found = []
    for subject, relation, obj, *score in triples:
        spans = [[text.index(part), text.index(part) + len(part)] for part in (subject, obj)]
        found.append({"subject": spans[0], "relation": relation, "object": spans[1], "score": (score or [1.0])[0]})
    return found


def make_doc(text: str, *, sents: bool = False) -> Doc:
    doc = NLP.make_doc(text)
    if sents:
        for token in doc:
            token.is_sent_start = token.i == 0 or doc[token.i - 1].text == "."
    return doc


def save_corpus(path: Path, rows: Iterable[Tuple[str, Any]]) -> Path:
    """Save texts with gold triples; None: not annotated."""
    docs = []
    for text, triples in rows:
        docs.append(make_doc(text, sents=True))
        if triples is not None:
            set_triples(docs[-1], locate(text, triples))
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


def make_example(
    text: str,
    gold: Optional[Iterable[Tuple[Any, ...]]],
    predicted: Optional[Iterable[Tuple[Any, ...]]] = (),
    *,
    sents: bool = True,
    source: str = "fake",
    relations: Optional[Iterable[Dict[str, float]]] = None,
) -> Example:
    """Gold None: not annotated; predicted None: no component ran; relations: probabilities for each sentence."""
    reference, doc = make_doc(text, sents=sents), make_doc(text, sents=sents)
    if gold is not None:
        set_triples(reference, locate(text, gold))
    if predicted is not None:
        set_triples(doc, locate(text, predicted), source=source)
    if relations is not None:
        set_relations(doc, zip([(s.start_char, s.end_char) for s in doc.sents], relations))
    return Example(doc, reference)


# Scores, few enough to be equal now and then, and whether each is right.
SCORED = st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.5000001, 0.9]), st.booleans()), max_size=25)


def arrays(scored: Sequence[Tuple[float, bool]]) -> Tuple[Any, Any]:
    return np.array([s for s, _ in scored], dtype=float), np.array([c for _, c in scored], dtype=bool)


def f1_interval(correct: Any, predicted: Any, gold: Any) -> Tuple[Any, Any]:
    """The bootstrap interval of F1 from counts of each document."""
    counts = (correct, predicted, gold)
    return bootstrap_interval(lambda drawn: f_score(*(drawn @ each for each in counts)), len(correct))
