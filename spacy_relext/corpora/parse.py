"""Tags and dependency trees, from one Doc to another of the same text."""

from bisect import bisect_right
from typing import Any, List, Optional, Tuple, cast

import numpy
from spacy.tokens import Doc, Token

_PARSE = ("TAG", "HEAD", "DEP")
_LOOSE = "dep"


def copy_parse(reference: Doc, predicted: Doc) -> None:
    """Copy tags, heads and dependency labels from one Doc to another of the same text and vocabulary.

    Sentences follow the heads. A token that covers several of the reference takes the annotation of their root; of
    several tokens that share one of the reference the first takes its annotation, and each other one hangs on the token
    before it, as `dep`.

    reference (Doc): Where they are annotated; what it lacks stays as it is.
    predicted (Doc): Gets them.
    """
    attrs = [name for name in _PARSE if reference.has_annotation(name)]
    if not attrs or not len(predicted):
        return
    if [token.idx for token in predicted] == [token.idx for token in reference]:
        cast(Any, predicted).from_array(attrs, cast(Any, reference).to_array(attrs))
        return
    sources, heads = _align_parse(reference, predicted)
    loose = predicted.vocab.strings.add(_LOOSE)
    columns = {
        "TAG": numpy.asarray([source.tag if source is not None else 0 for source in sources], dtype="uint64"),
        "HEAD": (numpy.asarray(heads, dtype="int64") - numpy.arange(len(heads))).astype("uint64"),
        "DEP": numpy.asarray([source.dep if source is not None else loose for source in sources], dtype="uint64"),
    }
    cast(Any, predicted).from_array(attrs, numpy.column_stack([columns[name] for name in attrs]))


def _align_parse(reference: Doc, predicted: Doc) -> Tuple[List[Optional[Token]], List[int]]:
    """Find the reference token whose annotation each token takes, None where it is another's, and each token's head."""
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
