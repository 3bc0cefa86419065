"""Token spans: SpERT's sentences (CoNLL04, ADE, SciERC by sentence), DyGIE's documents (SciERC), and TACRED's pairs.

The text is the tokens joined by single spaces, so brackets stay `-LRB-` and the like; blank tokens add nothing. The
`stanford_*` of TACRED are not read: a record has no place for them, and `convert --pipeline` adds tags and heads.
"""

from typing import Any, Iterable, Iterator, List, Optional, Sequence, Tuple

from ...annotations.triple import CharSpan, Record
from ...errors import Errors
from .annotation import Key, Losses, SpanReader
from .checks import (
    BLANK_SPANS,
    check_keys,
    check_object,
    check_offsets,
    check_text,
    check_tokens,
    describe,
    iter_objects,
    join_sentences,
    make_entity,
    require,
    require_label,
    span_chars,
)
from .evidence import Ends, OffsetConvention, decide_ends, iter_evidence
from .locate import NO_RELATION

PLACES = ("subj_start", "subj_end", "obj_start", "obj_end")

TYPES = ("subj_type", "obj_type")

_TokenSpan = Tuple[int, int, str]


def decide_spert(values: Iterable[object]) -> OffsetConvention:
    """Decide whether ends are exclusive in sentences and inclusive in documents, as usual."""
    return decide_ends(iter_evidence(values, _list_ends))


def _list_ends(record: Record) -> Iterator[Ends]:
    """List the ends of the entities of a sentence or a document."""
    if "sentences" in record:
        length = sum(map(len, record["sentences"]))
        yield from (Ends(entity[0], entity[1], length) for entities in record["ner"] for entity in entities)
    else:
        length = len(record["tokens"])
        yield from (Ends(each["start"], each["end"], length, exclusive=True) for each in record["entities"])


def parse_spert(value: object, *, usual_ends: bool = True) -> Record:
    """Parse a sentence of SpERT or a document of DyGIE.

    usual_ends (bool): Whether ends are exclusive in sentences and inclusive in documents, or the reverse.
    """
    record = check_object(value)
    check_keys(record, "tokens or sentences", "entities or tags or ner", "relations")
    if "sentences" in record:
        return _parse_document(record, last=1 if usual_ends else 0)
    return _parse_sentence(record, last=0 if usual_ends else 1)


def decide_tacred(values: Iterable[object]) -> OffsetConvention:
    """Decide whether ends are inclusive, as in the original, or exclusive, as on the Hub."""

    def list_ends(record: Record) -> Iterator[Ends]:
        for start, end in (PLACES[:2], PLACES[2:]):
            yield Ends(record[start], record[end], len(record["token"]), record.get("stanford_ner") or ())

    return decide_ends(iter_evidence(values, list_ends))


def parse_tacred(value: object, *, usual_ends: bool = True) -> Record:
    """Parse a record of TACRED; `pairs` has the label as the file has it.

    usual_ends (bool): Whether ends are inclusive.
    """
    record = check_object(value)
    check_keys(record, "token", "relation", *PLACES, *TYPES)
    n_tokens = len(require(record, "token", list))
    if not n_tokens:
        raise ValueError("'token' is empty")
    relation = require_label(record, "relation")
    spans = [_parse_argument(record, role, n_tokens, int(usual_ends)) for role in ("subj", "obj")]
    if (spans[0]["start"], spans[0]["end"]) == (spans[1]["start"], spans[1]["end"]):
        raise ValueError(f"subject and object are the same tokens, {record['subj_start']} to {record['subj_end']}")
    # Parsed as a sentence in SpERT's form with one relation.
    link = {"head": 0, "tail": 1, "type": relation}
    parsed = _parse_sentence({"tokens": record["token"], "entities": spans, "relations": [link]})
    if not parsed["triples"]:
        raise ValueError(Errors.R703.format(start=record["subj_start"], end=record["subj_end"]))
    (triple,) = parsed["triples"]
    pair = {"subject": triple["subject"], "object": triple["object"], "label": relation}
    return {**parsed, "triples": [] if relation == NO_RELATION else [triple], "pairs": [pair]}


def _parse_argument(record: Record, role: str, n_tokens: int, last: int) -> Record:
    """Parse one argument of TACRED; the end becomes exclusive by adding `last`."""
    start, end = (require(record, f"{role}_{side}", int) for side in ("start", "end"))
    if not 0 <= start < end + last <= n_tokens:
        expected = f"0 <= start {'<=' if last else '<'} end {'<' if last else '<='} {n_tokens}"
        raise ValueError(f"{role}_start is {start} and {role}_end {end}; expected {expected}")
    return {"type": require_label(record, f"{role}_type"), "start": start, "end": end + last}


def _parse_sentence(record: Record, *, last: int = 0) -> Record:
    """Parse a sentence in SpERT's form: entities, whose end becomes exclusive by adding `last`, or BILOU tags."""
    tokens = check_tokens(require(record, "tokens", list), allow_blank=True)
    text, (offsets,) = join_sentences([tokens])
    reader = SpanReader(check_text(text, "'tokens'"), "codepoint")
    if "entities" in record:
        spans = [_parse_entity(value, name, len(tokens), last) for name, value in iter_objects(record, "entities")]
    else:
        spans = _decode_bilou(require(record, "tags", list), length=len(tokens))
    for number, (start, end, label) in enumerate(spans):
        _add_span(reader, number, offsets, (start, end), label)
    for name, relation in iter_objects(record, "relations"):
        head, tail = (require(relation, role, int, name=name) for role in ("head", "tail"))
        reader.add_relation(head, [require_label(relation, "type", name=name)], tail, name=name)
    return reader.record({})


def _add_span(
    reader: SpanReader, key: Key, offsets: Sequence[CharSpan], tokens: CharSpan, label: str = ""
) -> Optional[CharSpan]:
    """Add a span of tokens, and its entity if it has a label; blank tokens have no place, which is counted."""
    reader.spans[key] = None
    if any(start < end for start, end in offsets[slice(*tokens)]):
        reader.spans[key] = place = span_chars(offsets, *tokens)
        reader.entities += [make_entity(*place, label)] if label else []
        return place
    reader.losses[BLANK_SPANS] += 1
    return None


def _parse_entity(entity: Record, name: str, length: int, last: int) -> _TokenSpan:
    """Parse one entity of SpERT; its end becomes exclusive by adding `last`."""
    start, end = (require(entity, key, int, name=name) for key in ("start", "end"))
    check_offsets([start, end + last], length=length, name=f"start and end of {name}")
    return start, end + last, require_label(entity, "type", name=name)


def _decode_bilou(tags: Sequence[object], *, length: int) -> List[_TokenSpan]:
    """Read entities from BILOU or BIO tags, in the order of the text."""
    if len(tags) != length:
        raise ValueError(f"{len(tags)} tags for {length} tokens")
    spans: List[_TokenSpan] = []
    open_label = ""
    for position, tag in enumerate(tags):
        prefix, _, label = tag.partition("-") if isinstance(tag, str) else ("", "", "")
        if prefix not in ("O", "B", "I", "L", "U") or bool(label) == (prefix == "O"):
            raise ValueError(f"tags[{position}] is {describe(tag)}; expected O, or B-, I-, L- or U- and a label")
        if prefix in ("B", "U"):
            spans.append((position, position + 1, label))
        elif prefix in ("I", "L"):
            if open_label != label:
                raise ValueError(f"tags[{position}] is {tag!r}, which continues no entity")
            spans[-1] = (spans[-1][0], position + 1, label)
        open_label = label if prefix in ("B", "I") else ""
    return spans


def _parse_document(record: Record, *, last: int = 1) -> Record:
    """Parse a document in DyGIE's form: token numbers run through it, and ends become exclusive by adding `last`."""
    sentences = [check_tokens(sentence, allow_blank=True) for _, sentence in _sentence_lists(record, "sentences")]
    if not sentences:
        raise ValueError("'sentences' is empty")
    text, sentence_offsets = join_sentences(sentences)
    offsets = [offset for sentence in sentence_offsets for offset in sentence]
    reader = SpanReader(check_text(text, "'sentences'"), "codepoint")
    for name, ner in _sentence_lists(record, "ner"):
        for value in ner:
            (span,), label, scores = _parse_spans(value, 1, len(offsets), last, name)
            reader.losses["scores of entities"] += bool(scores)
            _add_span(reader, span, offsets, span, label)
    for name, relations in _sentence_lists(record, "relations"):
        for value in relations:
            (subject, obj), label, scores = _parse_spans(value, 2, len(offsets), last, name)
            for span in (subject, obj):
                _add_span(reader, span, offsets, span)
            reader.add_relation(subject, [label], obj, name=name, score=_choose_score(scores, reader.losses))
    coref = []
    for number, cluster in enumerate(record.get("clusters") or ()):
        name = f"clusters[{number}]"
        if not isinstance(cluster, list):
            raise ValueError(f"{name} is {describe(cluster)}, not a list of spans")
        spans = [_parse_spans([*_as_list(span), "coref"], 1, len(offsets), last, name)[0][0] for span in cluster]
        coref.append([list(place) for span in spans if (place := _add_span(reader, span, offsets, span))])
    sents = [[sentence[0][0], sentence[-1][1]] for sentence in sentence_offsets]
    clusters = {"coref": list(filter(None, coref))} if any(coref) else {}
    return reader.record({**clusters, "sents": [sent for sent in sents if sent[0] < sent[1]]})


def _as_list(value: object) -> List[object]:
    return value if isinstance(value, list) else [value]


def _choose_score(scores: Sequence[float], losses: Losses) -> Optional[float]:
    """Choose the one number between 0 and 1 among a score and a logit; None, which is counted, if there is no such."""
    fits = [score for score in scores if 0 <= score <= 1]
    losses["scores that are not one number between 0 and 1"] += bool(scores) and len(fits) != 1
    return fits[0] if len(fits) == 1 else None


def _sentence_lists(record: Record, key: str) -> List[Tuple[str, List[object]]]:
    """Read the list that a document has for each sentence, with its name for messages."""
    values = require(record, key, list)
    if len(values) != len(record["sentences"]):
        raise ValueError(f"{key!r} has {len(values)} elements for {len(record['sentences'])} sentences")
    for number, value in enumerate(values):
        if not isinstance(value, list):
            raise ValueError(f"{key}[{number}] is {describe(value)}, not a list")
    return [(f"{key}[{number}]", value) for number, value in enumerate(values)]


def _parse_spans(
    value: object, count: int, length: int, last: int, name: str
) -> Tuple[List[Tuple[int, int]], str, List[float]]:
    """Parse the first and last token of each span, a label, and the scores that systems append.

    last (int): Is added to ends, which become exclusive.
    """
    values: List[Any] = value if isinstance(value, list) and len(value) > 2 * count else [None] * (2 * count + 1)
    numbers, label, scores = values[: 2 * count], values[2 * count], values[2 * count + 1 :]
    if (
        not isinstance(label, str)
        or any(type(number) is not int for number in numbers)
        or any(type(score) not in (int, float) for score in scores)
    ):
        raise ValueError(f"{name} holds {describe(value)}; expected {2 * count} token numbers, a label and scores")
    spans = [(start, end + last) for start, end in zip(numbers[::2], numbers[1::2])]
    for span in spans:
        check_offsets(list(span), length=length, name=f"a token span of {name}")
    return spans, check_text(label, f"the label of {name}"), scores
