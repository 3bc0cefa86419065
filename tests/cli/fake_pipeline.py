"""A pipeline that finds `Ada met Bo` by a pattern: fast, and its triples are known beforehand."""

import re
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from spacy_relext.annotations.store import get_relations, set_relations, set_triples

SCORES = {"met": 0.9, "saw": 0.4}
PATTERN = re.compile(r"(\w+) (met|saw) (\w+)")


@Language.component("fake_detector", assigns=["span._.relations"])
def detect(doc: Doc) -> Doc:
    """Detects `met` everywhere, and `saw` nowhere."""
    set_relations(doc, [((sent.start_char, sent.end_char), {"met": 0.8, "saw": 0.1}) for sent in doc.sents])
    return doc


@Language.component("fake_extractor")
def extract(doc: Doc) -> Doc:
    """Writes a triple for each match; where a detector ran, only for detected relations."""
    found = []
    for match in PATTERN.finditer(doc.text):
        span = doc.char_span(*match.span(), alignment_mode="expand")
        probability = get_relations(span).get(match[2], 1.0 if not doc.user_data.get("relext_relations") else 0.0)
        if probability >= 0.5:
            record = {"subject": match.span(1), "relation": match[2], "object": match.span(3)}
            found.append({**record, "score": SCORES[match[2]], "evidence": {"pattern": match[2]}})
    set_triples(doc, found, source="fake")
    return doc


def make_pipeline(*, detector: bool = False) -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    if detector:
        nlp.add_pipe("fake_detector")
    nlp.add_pipe("fake_extractor")
    return nlp


def save_pipeline(folder: Path, *, detector: bool = False) -> str:
    make_pipeline(detector=detector).to_disk(folder)
    return str(folder)
