"""Canonical records (`docs/reference/formats.md`) become Docs and back, without loss, and are read and written.

Character offsets stay exact: what token boundaries and `doc.ents` cannot express is stored in `doc.user_data`.
"""

from bisect import bisect_right
from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple, Union

import numpy
from spacy.attrs import IDX, LENGTH, SENT_START
from spacy.tokens import Doc, Span

from ..annotations.entities import ENTITIES_KEY, PAIRS_KEY
from ..annotations.judged import get_judged, set_judged
from ..annotations.store import (
    COREF_KEY,
    INCOMPLETE_KEY,
    REJECTED_KEY,
    TRIPLES_KEY,
    get_plain,
    is_incomplete,
    plain,
    set_coref,
    set_rejected,
    store_triples,
)
from ..annotations.triple import Record, read_triples, text_length
from ..errors import Errors
from .canonical import KNOWN_KEYS, META_KEY, SENTS_KEY, check_form, check_places, check_record
from .formats.annotation import LOSSES, Losses
from .formats.answers import is_finished, read_answers
from .formats.checks import describe, make_entity
from .formats.offsets import (
    CODE_POINTS,
    OTHERS,
    Counting,
    OffsetMap,
    differs,
    fit_counting,
    is_doubtful,
    recount,
)
from .formats.recognition import recognize_record
from .formats.sources import to_json
from .report import DOUBTFUL, Report
from .whole import whole_text

_DEFAULTS: Record = {"score": 1.0, "source": "", "evidence": {}, "attributes": {}}


def record_to_doc(
    make_doc: Callable[[str], Doc], record: Record, *, one_sentence: bool = False, report: Optional[Report] = None
) -> Doc:
    """Make a Doc from a canonical record, which must have been checked (`canonical.check_record`).

    make_doc (Callable[[str], Doc]): The tokenizer, such as `nlp.make_doc`.
    one_sentence (bool): Mark the whole Doc as one sentence if the record has no `sents`.
    report (Optional[Report]): Counts entities, and sentence boundaries that are moved to a token.
    RAISES (ValueError): If the tokenizer changes the text, or a triple is malformed.
    """
    report = Report() if report is None else report
    doc = make_doc(record["text"])
    if doc.text != record["text"]:
        raise ValueError(Errors.R115.format(text=record["text"][:40], found=doc.text[:40]))
    if "sents" in record:
        _set_sentences(doc, record["sents"], report)
    elif one_sentence:
        set_sentence_starts(doc, [0])
    if "entities" in record:
        doc.user_data[ENTITIES_KEY] = [dict(entity) for entity in record["entities"]]
        set_entities(doc, record["entities"], report=report)
    if "pairs" in record:
        doc.user_data[PAIRS_KEY] = [dict(pair) for pair in record["pairs"]]
    if "triples" in record:
        # an empty list means annotated, without a triple; offsets stay exact, whoever found the triple
        store_triples(doc, read_triples(doc, record["triples"]))
        report.arguments_widened += _count_widened(doc, record["triples"])
        set_judged(doc, record.get("judged"))
    if "rejected" in record:
        set_rejected(doc, record["rejected"])
    if "coref" in record:
        set_coref(doc, record["coref"])
    if record.get("incomplete"):
        doc.user_data[INCOMPLETE_KEY] = True
    meta = {key: value for key, value in record.items() if key not in KNOWN_KEYS}
    if meta:
        doc.user_data[META_KEY] = meta
    return doc


def doc_to_record(doc: Doc, *, text: Optional[str] = None) -> Record:
    """Make a canonical record of a Doc; a key is absent if the Doc is not annotated with it.

    text (Optional[str]): Text that the Doc was made from, if known, since joining its tokens would take as long as all
        the rest. It is ignored if the Doc is longer or shorter.
    """
    record: Record = {"text": text if text is not None and len(text) == text_length(doc) else doc.text}
    if ENTITIES_KEY in doc.user_data or doc.has_annotation("ENT_IOB"):
        record["entities"] = _list_entities(doc)
    if (triples := get_plain(doc, TRIPLES_KEY)) is not None:
        record["triples"] = [_without_defaults(triple) for triple in triples]
        record.update({} if (judged := get_judged(doc)) is None else {"judged": sorted(judged)})
    if SENTS_KEY in doc.user_data:
        record["sents"] = plain(doc.user_data[SENTS_KEY])
    elif len(doc) > 1 and doc.has_annotation("SENT_START"):
        record["sents"] = _list_sentences(doc)
    if PAIRS_KEY in doc.user_data:
        record["pairs"] = plain(doc.user_data[PAIRS_KEY])
    if (rejected := get_plain(doc, REJECTED_KEY)) is not None:
        record["rejected"] = [_without_defaults(triple) for triple in rejected]
    if (clusters := get_plain(doc, COREF_KEY)) is not None:
        record["coref"] = clusters
    record.update({"incomplete": True} if is_incomplete(doc) else {})
    record.update(plain(doc.user_data.get(META_KEY, {})))
    return record


def read_jsonl(path: Union[str, Path]) -> Iterator[Record]:
    """Read canonical records from JSON lines or from one JSON array.

    Of answers given in `spacy relext annotate correct`, only the last for each text and annotator is read, if it is
    finished.

    RAISES (ValueError): At the first malformed record.
    """
    for item in read_answers(Path(path)):
        try:
            if item.error:
                raise ValueError(item.error)
            record = check_record(item.value)
            if is_finished(record):
                yield record
        except ValueError as error:
            raise ValueError(Errors.R100.format(where=item.where, what=error)) from None


def write_jsonl(path: Union[str, Path], docs: Iterable[Union[Doc, Record]]) -> int:
    """Write Docs or canonical records, one per line, and return their number."""
    count = 0
    with whole_text(Path(path)) as file:
        for doc in docs:
            record = doc_to_record(doc) if isinstance(doc, Doc) else doc
            file.write(to_json(record) + "\n")
            count += 1
    return count


def parse_jsonl(value: object, *, offsets: Optional[str] = None, pseudo_labels: bool = False) -> Record:
    """Check a canonical record, whose offsets become code points; its losses name what they counted.

    offsets (Optional[str]): What offsets count, a key of `COUNTINGS`; None: what the texts of arguments show.
    pseudo_labels (bool): Make the triples of a pipeline gold, to train another pipeline on them.
    """
    if isinstance(value, dict) and not value.keys() & set(KNOWN_KEYS[1:]) and recognize_record(value) != "":
        raise ValueError(Errors.R131.format(found=describe(sorted(value)), expected=", ".join(KNOWN_KEYS[1:3])))
    record, losses = check_form(value), Losses()
    triples = [triple for key in ("triples", "rejected") for triple in record.get(key, ())]
    stated = [([t[r]], t[f"{r}_text"]) for t in triples for r in ("subject", "object") if f"{r}_text" in t]
    counting = Counting(offsets) if offsets else fit_counting(record["text"], stated) or CODE_POINTS
    if differs(record["text"], [counting, *OTHERS]):
        recount(record, OffsetMap(record["text"], counting))
        losses[counting.kind] += counting != CODE_POINTS and differs(record["text"], [counting])
    check_places(record)
    if not (offsets or stated):
        places = [(each["start"], each["end"]) for each in record.get("entities", ())]
        places += [triple[role] for triple in triples for role in ("subject", "object")]
        losses[DOUBTFUL] += is_doubtful(record["text"], places)
    if +losses:
        record[LOSSES] = losses
    if pseudo_labels and "triples" in record:
        record["triples"] = [{**triple, "source": ""} for triple in record["triples"]]
    return record


def _count_widened(doc: Doc, triples: Iterable[Record]) -> int:
    """Count the arguments that begin or end inside a token."""
    spans = {tuple(triple[role]) for triple in triples for role in ("subject", "object")}
    if not spans:
        return 0
    starts, lengths = doc.to_array([IDX, LENGTH]).T
    first, last = set(starts.tolist()), set((starts + lengths).tolist())
    return sum(start not in first or end not in last for start, end in spans)


def set_entities(doc: Doc, entities: Iterable[Record], *, report: Optional[Report] = None) -> None:
    """Set `doc.ents` to the longest entities that do not overlap; all other tokens are outside.

    entities (Iterable[Record]): `start`, `end` (characters), `label`, and optionally `kb_id`.
    report (Optional[Report]): Counts all, those linked, those widened to whole tokens, and those left out (overlap).
    """
    report = Report() if report is None else report
    chosen: List[Span] = []
    taken: set[int] = set()
    for entity in sorted(entities, key=lambda e: (e["start"] - e["end"], e["start"])):
        report.entities += 1
        report.entities_linked += bool(entity.get("kb_id"))
        span = entity_span(doc, entity)
        if span is None or taken.intersection(range(span.start, span.end)):
            report.entities_dropped += 1
            continue
        report.entities_widened += (span.start_char, span.end_char) != (entity["start"], entity["end"])
        taken.update(range(span.start, span.end))
        chosen.append(span)
    doc.set_ents(sorted(chosen, key=lambda span: span.start))


def span_to_entity(span: Span) -> Record:
    """Convert a labelled span to an entity of a record."""
    return make_entity(span.start_char, span.end_char, span.label_, span.kb_id_)


def entity_span(doc: Doc, entity: Record) -> Optional[Span]:
    """Make the smallest span of whole tokens that covers an entity."""
    label, kb_id = entity["label"], entity.get("kb_id", "")
    return doc.char_span(entity["start"], entity["end"], label=label, kb_id=kb_id, alignment_mode="expand")


def set_sentence_starts(doc: Doc, starts: Sequence[int]) -> int:
    """Start sentences at the tokens at some character offsets; return how many offsets are not the start of a token."""
    if not len(doc):
        return len(set(starts))
    offsets = doc.to_array([IDX]).tolist()
    begins = numpy.full(len(doc), -1, dtype="int64")
    begins[[max(bisect_right(offsets, start) - 1, 0) for start in {0, *starts}]] = 1
    doc.from_array([SENT_START], begins.view("uint64"))  # type: ignore[arg-type]  # one column is 1-d
    return len(set(starts) - set(offsets))


def _set_sentences(doc: Doc, sents: Sequence[Sequence[int]], report: Report) -> None:
    """Set sentence starts, and store the exact offsets if tokens cannot express them."""
    report.sentences_moved += set_sentence_starts(doc, [start for start, _ in sents])
    exact = [list(sent) for sent in sents]
    # spaCy treats every Doc of one token as annotated.
    if len(doc) == 1 or _list_sentences(doc) != exact:
        doc.user_data[SENTS_KEY] = exact


def _list_sentences(doc: Doc) -> List[List[int]]:
    """Read the sentences' character offsets."""
    return [[sent.start_char, sent.end_char] for sent in doc.sents]


def _list_entities(doc: Doc) -> List[Record]:
    """List the stored entities, plus the links and further entities that a pipeline has set in `doc.ents`."""
    stored = [dict(entity) for entity in doc.user_data.get(ENTITIES_KEY, ())]
    known: Dict[Tuple[int, int, str], List[Record]] = {}
    for entity in stored:
        span = entity_span(doc, entity)
        if span is not None:
            known.setdefault((span.start, span.end, span.label_), []).append(entity)
    added = []
    for ent in doc.ents:
        same = known.get((ent.start, ent.end, ent.label_))
        if same is None:
            added.append(span_to_entity(ent))
        elif ent.kb_id_ and not any(entity.get("kb_id") for entity in same):
            for entity in same:
                entity["kb_id"] = ent.kb_id_
    return stored + added


def _without_defaults(triple: Record) -> Record:
    """Copy a triple without the keys that have their default value."""
    kept = {key: triple[key] for key in ("subject", "relation", "object")}
    return {**kept, **{key: triple[key] for key, default in _DEFAULTS.items() if triple.get(key, default) != default}}
