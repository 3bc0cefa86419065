"""Docs, a word-piece tokenizer and gold examples for the tests of this folder."""

from typing import Any, Iterable, List, Optional, Sequence, Tuple, Union

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
    begins = set(starts)
    # Not set token by token, which takes quadratic time.
    sent_starts: List[Union[bool, int, None]] = [at in begins if begins else None for at in range(len(words))]
    return Doc(NLP.vocab, words=list(words), spaces=list(spaces) if spaces else None, sent_starts=sent_starts)


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
