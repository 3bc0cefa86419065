"""A pipeline that fails at a word, and one whose process is killed at a word."""

import os
import signal
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from tests.cli import fake_pipeline  # noqa: F401


@Language.component("fails_at_words")
def fail(doc: Doc) -> Doc:
    if "fail" in doc.text:
        raise RuntimeError("this text is\nnot for me")
    if "die" in doc.text.split():
        os.kill(os.getpid(), signal.SIGKILL)
    return doc


def save_failing(folder: Path) -> str:
    nlp = spacy.blank("en")
    for name in ("sentencizer", "fails_at_words", "fake_extractor"):
        nlp.add_pipe(name)
    nlp.to_disk(folder)
    return str(folder)
