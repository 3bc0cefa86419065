"""Sentences of a Doc as token offsets, also where nothing has set their starts."""

from typing import List, Tuple

import numpy
from spacy.tokens import Doc


def sentence_bounds(doc: Doc) -> List[Tuple[int, int]]:
    """List the sentences of a Doc; a Doc without sentence annotation is one sentence.

    doc (Doc): The document.
    RETURNS (List[Tuple[int, int]]): First token and the token after the last of each sentence.
    """
    if not len(doc):
        return []
    if "sents" in doc.user_hooks:
        return [(sentence.start, sentence.end) for sentence in doc.sents]
    # what doc.sents does, without a Python step for each token
    begins = [0, *(numpy.flatnonzero(doc.to_array("SENT_START")[1:] == 1) + 1).tolist()]
    return list(zip(begins, [*begins[1:], len(doc)]))
