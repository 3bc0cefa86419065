"""Small documents with coreference, written with marks, and a pipeline that knows their names."""

import re
from typing import Any, Dict, List

import spacy
from spacy.language import Language
from spacy.training import Example

from spacy_relext.annotations.triple import Record
from spacy_relext.corpora.records import record_to_doc

MARK = re.compile(r"\[([PO])(\d)(~?) ([^\]]+)\]")

DOCUMENTS = (
    "[P1 Ada Holm] met [P2 Bo Lie]. [P1~ She] gave [P2~ him] a book.",
    "[O1 Nordlys] grew. [O1~ It] bought [O2 Fjord]. [O1~ The company] is old.",
    "[P1 Bo Lie] left. [P1~ He] sold [P1~ his] boat. It rained.",
    "[P1 Eva Moe] runs [O2 Skog]. [P1~ She] likes [O2~ the firm] and [O2~ its] hall.",
    "When [P1~ she] was six, [P1 Liv] sang. The rain fell.",
    "[P1 Ole] and [P2 Siri] met. [P2~ She] saw [P1~ him].",
    "[O1 Skog] has [P2 Ole]. [O1~ The company] needs [P2~ him].",
    "The [P1 Moe] house burned. The rain fell, and they ran.",
)
ENCODER: Dict[str, Any] = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    "pretrained_vectors": None,
    "width": 32,
    "depth": 2,
    "embed_size": 500,
    "window_size": 1,
    "maxout_pieces": 2,
    "subword_features": True,
}
MODEL = {"@architectures": "spacy_relext.AntecedentScorer.v1", "hidden": 32, "dropout": 0.0, "encoder": ENCODER}


def read_marks(marked: str) -> Record:
    """Make a record of a text with marks: `[P1 Ada]` is a name of entity 1, `[P1~ she]` another mention."""
    text, at = "", 0
    entities: List[Record] = []
    clusters: Dict[str, List[List[int]]] = {}
    for match in MARK.finditer(marked):
        text += marked[at : match.start()]
        letter, number, other, mention = match.groups()
        place = [len(text), len(text) + len(mention)]
        clusters.setdefault(number, []).append(place)
        if not other:
            entities.append({"start": place[0], "end": place[1], "label": {"P": "PERSON", "O": "ORG"}[letter]})
        text, at = text + mention, match.end()
    return {"text": text + marked[at:], "entities": entities, "coref": list(clusters.values())}


def make_pipeline(**settings: Any) -> Language:
    """Make a pipeline with sentences and coreference; names are given."""
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("relext_coref", config={"model": MODEL, **settings})
    return nlp


def make_example(nlp: Language, marked: str, *, is_whole: bool = True) -> Example:
    """Make an Example of a text with marks; the predicted Doc has the names and sentences."""
    record = read_marks(marked)
    reference = record_to_doc(nlp.make_doc, {**record, "incomplete": not is_whole})
    predicted = nlp.make_doc(reference.text)
    predicted.set_ents(list(reference.ents))
    return Example(nlp.get_pipe("sentencizer")(predicted), reference)


def make_examples(nlp: Language) -> List[Example]:
    """Make Examples of all documents."""
    return [make_example(nlp, marked) for marked in DOCUMENTS]
