"""A component that finds the names of the contract's sentences, so that methods which need entities have some."""

import re

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import filter_spans

from spacy_relext.annotations.entities import ENTITIES_KEY

FACTORY = "contract_entities"
NAMES = {
    "PERSON": ["Ada Lovelace", "Ada", "Charles Babbage", "Mary", "Kari Lund", "Kari", "Ole"],
    "PLACE": ["London", "Bergen", "Oslo", "Norway"],
    "WORK": ["Mathilda", "Lodore"],
    "ORG": ["University of Oslo", "Oslo Radio"],
}


@Language.component(FACTORY, assigns=["doc.ents"])
def find_entities(doc: Doc) -> Doc:
    """Mark every name, the longer of two that overlap in `doc.ents`, both in the record."""
    spans = []
    for label, names in NAMES.items():
        for name in names:
            words = r"\s+".join(name.split())
            for found in re.finditer(rf"\b{words}\b", doc.text):
                span = doc.char_span(*found.span(), label=label, alignment_mode="expand")
                if span is not None:
                    spans.append(span)
    kept = filter_spans(spans)
    # a first name inside a full name is none of its own, a town inside an organization's name is
    inner = [s for s in spans if s not in kept and s.label_ == "PLACE"]
    doc.ents = kept  # type: ignore[assignment]
    doc.user_data[ENTITIES_KEY] = [
        {"start": span.start_char, "end": span.end_char, "label": span.label_} for span in [*kept, *inner]
    ]
    return doc
