"""Near misses of an extractor: triples that it nearly stated, and why it did not."""

from math import sqrt
from typing import Callable, List, Mapping, Optional, Sequence, Set, Tuple

import numpy
from spacy.tokens import Doc

from ..annotations.near_miss import NearMiss
from ..annotations.sentences import sentence_bounds
from ..annotations.store import has_relations, relations_by_sentence
from ..annotations.triple import CharSpan
from ..scoring.probabilities import sigmoid
from .decode import (
    Candidate,
    CandidateTable,
    ExtractorArrays,
    Floats,
    non_max_suppression,
    overlap_in_both,
)
from .rows import QueryRows

_CONTEXT = 60  # most characters of a sentence in a message
_LEAST_NAMED = 0.0005  # lowest probability of a span that a message names

Calibrate = Callable[[Floats], Floats]


def unqueried_relations(doc: Doc, *, labels: Sequence[str], threshold: float, name: str) -> List[NearMiss]:
    """List the detected relations of sentences that are too unlikely to be queried.

    threshold (float): Lowest probability of a relation that is queried.
    name (str): Name of the extractor.
    """
    misses = []
    bounds = sentence_bounds(doc) if has_relations(doc) else []
    for (start, end), relations in zip(bounds, relations_by_sentence(doc, bounds)):
        words = " ".join(doc[start:end].text.split())
        shown = words if len(words) <= _CONTEXT else words[:_CONTEXT].rstrip() + " …"
        for label, probability in relations.items():
            if label in labels and probability < threshold:
                text = f'its probability in "{shown}" is too low for {name} to look for arguments (query_threshold)'
                misses.append(NearMiss(label, probability, threshold, "relation", text, name))
    return misses


def missing_spans(
    rows: QueryRows,
    outputs: ExtractorArrays,
    table: CandidateTable,
    *,
    limits: Mapping[str, float],
    calibrated: Calibrate,
    max_length: int,
    name: str,
) -> List[NearMiss]:
    """List the queried relations without a candidate pair of spans, with their most probable spans.

    limits (Mapping[str, float]): Threshold of each relation, in the order of the labels.
    calibrated (Calibrate): Calibrates scores.
    max_length (int): Longest span, in tokens.
    """
    misses, windows, labels = [], rows.windows, list(limits)
    probs = sigmoid(outputs.pointers) * outputs.mask[..., None]  # (M, T, 4)
    for row in sorted(set(range(len(rows))) - set(table.pairs[:, 0].tolist())):
        window, relation = int(rows.window[row]), labels[int(rows.relation[row])]
        doc, tokens = windows.docs[windows.doc[window]], windows.tokens(window)
        pointers = probs[row, : len(tokens)]
        found = [_most_probable_span(pointers[:, role : role + 2], max_length=max_length) for role in (0, 2)]
        highest = numpy.cbrt(rows.probability[row] * numpy.sqrt(found[0][2] * found[1][2]))
        spans: List[Optional[CharSpan]] = []
        texts = []
        for (first, last, probability), role in zip(found, ("subject", "object")):
            span = doc[int(tokens[first]) : int(tokens[last]) + 1]
            is_named = probability >= _LEAST_NAMED
            spans.append((span.start_char, span.end_char) if is_named else None)
            texts.append(f'"{span.text}" as {role} with {probability:.3f}' if is_named else f"nothing as {role}")
        text = f"no two spans are likely enough: at best {' and '.join(texts)}; this allows no higher score"
        score = float(calibrated(numpy.asarray([highest]))[0])
        misses.append(NearMiss(relation, score, limits[relation], "span", text, name, *spans))
    return misses


def _most_probable_span(ends: Floats, *, max_length: int) -> Tuple[int, int, float]:
    """Find the first and last token of the span whose ends are most probable, and the product of their probabilities.

    ends (Floats): Probabilities of starts and ends. Shape (T, 2)
    """
    products = numpy.tril(numpy.triu(numpy.outer(*ends.T)), max_length - 1)  # (T, T)
    first, last = numpy.unravel_index(int(products.argmax()), products.shape)
    return int(first), int(last), float(products[first, last])


def rejected_candidates(
    candidates: Sequence[Candidate],
    doc: Doc,
    *,
    limits: Mapping[str, float],
    calibrated: Calibrate,
    name: str,
) -> List[NearMiss]:
    """List the candidates of a Doc that became no triples.

    Of overlapping candidates that are too unlikely, only the best one is listed.

    candidates (Sequence[Candidate]): Candidates of any score.
    limits (Mapping[str, float]): Threshold of each relation.
    """

    def miss(each: Candidate, stage: str, text: str) -> NearMiss:
        limit = limits[each.relation]
        return NearMiss(each.relation, each.score, limit, stage, text, name, each.subject, each.object)

    misses = []
    best = non_max_suppression(candidates)
    stated: Set[int] = set(map(id, best))
    for each in candidates:
        if each.score < limits[each.relation]:
            if id(each) in stated:
                misses.append(miss(each, *_weakest_part(each, limits[each.relation], calibrated)))
        elif id(each) not in stated and (better := next((b for b in best if overlap_in_both(each, b)), None)):
            subject, obj = (doc.text[slice(*span)] for span in (better.subject, better.object))
            text = f"it overlaps {subject} → {better.relation} → {obj}, which has {better.score:.3f}, in both arguments"
            misses.append(miss(each, "pair", text))
    return misses


def _weakest_part(candidate: Candidate, limit: float, calibrated: Calibrate) -> Tuple[str, str]:
    """Return the part that alone keeps a score below its limit, else "threshold"; and an explanation as a clause."""
    figures = candidate.evidence
    parts = {
        "relation": figures["relation"],
        "span": sqrt(figures["subject"] * figures["object"]),
        "pair": figures["pair"],
    }
    weakest = min(parts, key=lambda part: parts[part])
    others = numpy.prod([value for part, value in parts.items() if part != weakest])
    listed = ", ".join(f"{key} {value:.3f}" for key, value in figures.items())
    if float(calibrated(numpy.cbrt(numpy.asarray([others])))[0]) >= limit:
        return weakest, f"this part alone is too unlikely: {listed}"
    return "threshold", f"more than one part is too unlikely: {listed}"
