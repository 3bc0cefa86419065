"""An entity recognizer with random weights, for pipelines that take theirs ready made."""

import pathlib
from typing import Sequence

import spacy
from spacy.tokens import Doc
from spacy.training import Example


def save_tiny_ner(folder: pathlib.Path, docs: Sequence[Doc]) -> None:
    """Save a pipeline with a `relext_ner` that knows the entity types of some Docs."""
    nlp = spacy.blank("en")
    nlp.add_pipe("relext_ner", name="ner")
    nlp.initialize(lambda: [Example(nlp.make_doc(doc.text), doc) for doc in docs])
    nlp.to_disk(folder)
