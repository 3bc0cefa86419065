"""Inter-annotator agreement on the same texts: F1 of triples, Cohen's kappa, Krippendorff's alpha.

Records are canonical, and only annotated triples count, not suggestions. kappa and alpha are computed over pairs of
spans: entities and arguments in one sentence (without sentences: in one text). The category of a pair is the set of its
relations with their direction.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import combinations, count
from typing import DefaultDict, Dict, FrozenSet, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from ..annotations.assertion import ASSERTION, assertion_of, describe_relation
from ..annotations.sentences import is_inside, overlaps
from ..annotations.triple import CharSpan, Record
from .errors import find_passages

# Subject, relation, object.
Key = Tuple[CharSpan, str, CharSpan]
Pair = Tuple[CharSpan, CharSpan]
# Relations of a pair, each with the place of its subject in the pair.
Category = FrozenSet[Tuple[str, int]]
# Category of each pair of a document.
Categories = Dict[Pair, Category]


class PairAgreement(NamedTuple):
    """Agreement of two annotators, None if it is not defined.

    first, second (int): Their numbers, from 0.
    documents (int): Documents that both have annotated.
    triples (Tuple[int, int]): Triples of each in these documents.
    exact (int), partial (int): Triples that both have: the same; with the same relation and overlapping arguments.
    same_assertion (int): Triples that both have with the same assertion: stated, denied and so on.
    exact_f, partial_f (Optional[float]): F1 of one against the other, the same in both directions.
    relations (Dict[str, float]): Exact F1 of each relation.
    pairs (int): Pairs of spans that both know.
    observed (Optional[float]): Share of these with the same category.
    kappa (Optional[float]): Cohen's kappa of the categories.
    """

    first: int
    second: int
    documents: int
    triples: Tuple[int, int]
    exact: int
    partial: int
    same_assertion: int
    exact_f: Optional[float]
    partial_f: Optional[float]
    relations: Dict[str, float]
    pairs: int
    observed: Optional[float]
    kappa: Optional[float]


class Disagreement(NamedTuple):
    """Sentences whose triples differ.

    passages (List[CharSpan]): Their characters.
    annotations (List[Optional[List[Key]]]): For each annotator, the triples there that not all have, with the assertion
        beside the relation; None: not annotated.
    """

    text: str
    passages: List[CharSpan]
    annotations: List[Optional[List[Key]]]


@dataclass(frozen=True)
class Agreement:
    """Agreement of two or more annotators.

    names (List[str]): Names of the annotators.
    shared (int): Documents that two or more have annotated.
    only (List[int]): For each annotator, documents that no other has annotated.
    not_annotated (List[int]): For each annotator, documents without annotation of triples.
    pairs (List[PairAgreement]): One for each two annotators.
    alpha (Optional[float]): Krippendorff's alpha of all, nominal; None if it is not defined.
    disagreements (List[Disagreement]): In the order of the first annotator's texts.
    """

    names: List[str]
    shared: int
    only: List[int]
    not_annotated: List[int]
    pairs: List[PairAgreement]
    alpha: Optional[float]
    disagreements: List[Disagreement]


def measure_agreement(annotators: Sequence[Iterable[Record]], *, names: Sequence[str]) -> Agreement:
    """Compare the annotation of two or more people. Documents are matched by text; documents with one text, in order.

    annotators (Sequence[Iterable[Record]]): Canonical records of each.
    """
    tables, bare = [], []
    for records in annotators:
        table, skipped = _index(records)
        tables.append(table)
        bare.append(skipped)
    keys = list(dict.fromkeys(key for table in tables for key in table))
    documents, only = [], [0] * len(tables)
    for key in keys:
        row = [table.get(key) for table in tables]
        present = [number for number, record in enumerate(row) if record is not None]
        if len(present) == 1:
            only[present[0]] += 1
        else:
            documents.append(row)
    categories = [[{} if record is None else _categorize(record, row) for record in row] for row in documents]
    return Agreement(
        names=list(names),
        shared=len(documents),
        only=only,
        not_annotated=bare,
        pairs=[_compare(documents, categories, *two) for two in combinations(range(len(tables)), 2)],
        alpha=_alpha(categories),
        disagreements=[each for row in documents for each in _find_disagreements(row)],
    )


def triple_keys(record: Record, *, asserted: bool = False) -> Set[Key]:
    """Collect the annotated triples of a record by offsets and relation.

    asserted (bool): With the assertion beside the relation: "founder (denied)".
    """
    keys: Set[Key] = set()
    for triple in record["triples"]:
        if not triple.get("source"):
            assertion = {ASSERTION: assertion_of(triple.get("attributes", {}))} if asserted else {}
            relation = describe_relation(triple["relation"], assertion)
            keys.add((tuple(triple["subject"]), relation, tuple(triple["object"])))
    return keys


def match_partly(first: Set[Key], second: Set[Key]) -> int:
    """Count triples of the same relation whose subjects and objects overlap, each matched once, equal ones first."""
    exact = first & second
    rest = sorted(second - exact)
    matched = len(exact)
    for one in sorted(first - exact):
        for place, other in enumerate(rest):
            if one[1] == other[1] and overlaps(one[0], other[0]) and overlaps(one[2], other[2]):
                del rest[place]
                matched += 1
                break
    return matched


def _index(records: Iterable[Record]) -> Tuple[Dict[Tuple[str, int], Record], int]:
    """Index annotated records by (text, number of its earlier occurrences), and count the others."""
    table: Dict[Tuple[str, int], Record] = {}
    numbers: DefaultDict[str, Iterator[int]] = defaultdict(count)
    bare = 0
    for record in records:
        key = record["text"]
        number = next(numbers[key])
        if "triples" in record:
            table[key, number] = record
        else:
            bare += 1
    return table, bare


def _categorize(record: Record, row: Sequence[Optional[Record]]) -> Categories:
    """Map the pairs of spans that an annotator knows to their category; `row` has the records of all."""
    keys = triple_keys(record)
    spans = {(entity["start"], entity["end"]) for entity in record.get("entities", ())}
    spans |= {span for subject, _, obj in keys for span in (subject, obj)}
    relations: DefaultDict[Pair, Set[Tuple[str, int]]] = defaultdict(set)
    for subject, relation, obj in keys:
        first, second = sorted((subject, obj))
        relations[first, second].add((relation, (first, second).index(subject)))
    categories = {pair: frozenset(each) for pair, each in relations.items()}
    for sentence in _sentences(row):
        for first, second in combinations(sorted(span for span in spans if is_inside(span, sentence)), 2):
            categories.setdefault((first, second), frozenset())
    return categories


def _sentences(row: Sequence[Optional[Record]]) -> List[CharSpan]:
    """List the sentences of the first record that has some; else the whole text is one."""
    given = next((record["sents"] for record in row if record is not None and "sents" in record), None)
    text = next(record["text"] for record in row if record is not None)
    return [(0, len(text))] if given is None else [(start, end) for start, end in given]


def _compare(
    documents: Sequence[Sequence[Optional[Record]]],
    categories: Sequence[Sequence[Categories]],
    first: int,
    second: int,
) -> PairAgreement:
    """Compare two annotators on the documents that both have annotated."""
    totals, exact, partial, same_assertion, compared = [0, 0], 0, 0, 0, 0
    both, either = Counter[str](), Counter[str]()
    chosen: List[Tuple[Category, Category]] = []
    for row, of_row in zip(documents, categories):
        one, other = row[first], row[second]
        if one is None or other is None:
            continue
        mine, theirs = of_row[first], of_row[second]
        compared += 1
        keys, others = triple_keys(one), triple_keys(other)
        totals = [totals[0] + len(keys), totals[1] + len(others)]
        exact += len(keys & others)
        partial += match_partly(keys, others)
        same_assertion += len(triple_keys(one, asserted=True) & triple_keys(other, asserted=True))
        both.update(key[1] for key in keys & others)
        either.update(key[1] for key in [*keys, *others])
        chosen += [(mine[pair], theirs[pair]) for pair in mine if pair in theirs]
    observed, kappa = _kappa(chosen)
    return PairAgreement(
        first=first,
        second=second,
        documents=compared,
        triples=(totals[0], totals[1]),
        exact=exact,
        partial=partial,
        same_assertion=same_assertion,
        exact_f=_f1(exact, totals),
        partial_f=_f1(partial, totals),
        relations={label: 2 * both[label] / either[label] for label in sorted(either)},
        pairs=len(chosen),
        observed=observed,
        kappa=kappa,
    )


def _f1(matched: int, totals: Sequence[int]) -> Optional[float]:
    return 2 * matched / sum(totals) if sum(totals) else None


def _kappa(chosen: Sequence[Tuple[Category, Category]]) -> Tuple[Optional[float], Optional[float]]:
    """Compute observed agreement and Cohen's kappa, (p_o - p_e) / (1 - p_e); None if it is not defined."""
    if not chosen:
        return None, None
    total = len(chosen)
    observed = sum(one == other for one, other in chosen) / total
    first, second = Counter(one for one, _ in chosen), Counter(other for _, other in chosen)
    expected = sum(first[each] * second[each] for each in first) / total**2
    return observed, None if expected == 1 else (observed - expected) / (1 - expected)


def _alpha(documents: Sequence[Sequence[Categories]]) -> Optional[float]:
    """Compute Krippendorff's alpha for nominal categories, 1 - D_o / D_e; None if there is one category, or none.

    A unit is a pair of spans; the category of an annotator who does not know it, or the document, is missing.
    """
    disagreement, counts = 0.0, Counter[Category]()
    for row in documents:
        for pair in {pair for categories in row for pair in categories}:
            unit = Counter(categories[pair] for categories in row if pair in categories)
            size = unit.total()
            if size > 1:
                counts.update(unit)
                disagreement += (size**2 - sum(count**2 for count in unit.values())) / (size - 1)
    total = counts.total()
    expected = total**2 - sum(count**2 for count in counts.values())
    return 1 - disagreement * (total - 1) / expected if expected else None


def _find_disagreements(row: Sequence[Optional[Record]]) -> List[Disagreement]:
    """Group the triples of a document that not all annotators have by the sentences that they touch."""
    keys = [None if record is None else triple_keys(record, asserted=True) for record in row]
    given = [each for each in keys if each is not None]
    disputed = {key for each in given for key in each if not all(key in other for other in given)}
    text = next(record["text"] for record in row if record is not None)
    sentences = _sentences(row)
    groups: Dict[Tuple[CharSpan, ...], Set[Key]] = {}
    for key in disputed:
        places = find_passages([{"subject": key[0], "object": key[2]}], sentences) or [(0, len(text))]
        groups.setdefault(tuple(places), set()).add(key)
    return [
        Disagreement(text, list(places), [None if each is None else sorted(each & group) for each in keys])
        for places, group in sorted(groups.items())
    ]


def describe_agreement(agreement: Agreement) -> Record:
    """Describe an agreement by plain values, as the JSON file has them."""
    return {
        "annotators": agreement.names,
        "documents": agreement.shared,
        "only": agreement.only,
        "not_annotated": agreement.not_annotated,
        "alpha": agreement.alpha,
        "pairs": [
            {**pair._asdict(), "first": agreement.names[pair.first], "second": agreement.names[pair.second]}
            for pair in agreement.pairs
        ],
        "disagreements": [
            {
                "text": each.text,
                "passages": each.passages,
                "annotations": {
                    name: None if keys is None else [dict(zip(("subject", "relation", "object"), key)) for key in keys]
                    for name, keys in zip(agreement.names, each.annotations)
                },
            }
            for each in agreement.disagreements
        ],
    }
