"""Docs, a word-piece tokenizer and gold examples for the tests of this folder."""

from typing import Any, Iterable, Optional, Sequence, Tuple

import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_relext import set_triples

NLP = spacy.blank("en")
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "ada", "love", "##lace", "met", "charles", "in", "lon", "##don", "."]
PIECES += [*"abcdefghijklmnopqrstuvwxyz", *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"), ",", "-"]


def wordpiece_tokenizer() -> Any:
    """An uncased WordPiece tokenizer that spells out what it does not know."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(PIECES)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def make_doc(words: Sequence[str], *, spaces: Optional[Sequence[bool]] = None, starts: Iterable[int] = ()) -> Doc:
    """A Doc from words, with sentences beginning at the given tokens (none given: not annotated)."""
    doc = Doc(NLP.vocab, words=list(words), spaces=spaces)
    begins = set(starts)
    if begins:
        for token in doc:
            token.is_sent_start = token.i in begins
    return doc


def with_entities(doc: Doc, entities: Iterable[Tuple[int, int, str]]) -> Doc:
    """The Doc, its entities set from token spans and types."""
    doc.set_ents([Span(doc, start, end, label=label) for start, end, label in entities])
    return doc


def make_example(doc: Doc, gold: Iterable[Any], *, reference: Optional[Doc] = None, source: str = "") -> Example:
    """An example whose gold triples are given in token spans (start, end) of the reference."""
    reference = doc.copy() if reference is None else reference
    triples = [(reference[slice(*subject)], relation, reference[slice(*obj)]) for subject, relation, obj in gold]
    set_triples(reference, triples, source=source)
    return Example(doc, reference)
