"""From triples to facts: which triples state the same fact, in how many sentences, and how probable it is."""

from typing import TYPE_CHECKING, Collection, NamedTuple, Sequence, Tuple

import numpy
from numpy.typing import NDArray

from ..export.tables import GraphTables
from ..scoring.probabilities import Bools, Floats
from .conflicts import Conflict
from .periods import Period
from .probability import Discount, FactSentences, Ids, best_scores, combine_scores

if TYPE_CHECKING:
    import pyarrow


class Facts(NamedTuple):
    """Facts and what supports them.

    facts (pyarrow.Table): As in `GraphTables`, not sorted.
    support (Ids): The fact of each triple. Shape (T,)
    """

    facts: "pyarrow.Table"
    support: Ids


def make_facts(
    support: "pyarrow.Table",
    subjects: Ids,
    objects: Ids,
    *,
    known: Ids,
    taken: int = 0,
    discount: Discount,
    symmetric: Collection[str] = (),
) -> Facts:
    """Join the triples that state the same fact.

    support (pyarrow.Table): Triples with `relation`, `sentence`, `doc_id`, `score`.
    subjects, objects (Ids): Entities of each triple. Shape (T,)
    known (Ids): Ids of the facts that triples belong to already, which they keep; 0 for none. Shape (T,)
    taken (int): The highest id that was ever given.
    symmetric (Collection[str]): Relations whose two directions are one fact, from the entity with the lower id.
    """
    import pyarrow

    relations, relation_names = encode(support.column("relation"))
    sentences, _ = encode(support.column("sentence"))
    documents, doc_ids = encode(support.column("doc_id"))
    scores = support.column("score").to_numpy()
    is_reversed = numpy.isin(relations, [at for at, name in enumerate(relation_names) if name in symmetric])
    is_reversed &= subjects > objects
    low, high = numpy.where(is_reversed, objects, subjects), numpy.where(is_reversed, subjects, objects)
    rows = _number(low, relations, high)
    ids = _choose_ids(rows, known, taken)
    _, first = numpy.unique(rows, return_index=True)
    best = _best_rows(rows, scores)
    distinct = distinct_sentences(rows, sentences, scores)
    counts = numpy.bincount(distinct.facts, minlength=len(ids))
    pairs = numpy.unique(rows * len(doc_ids) + documents) // len(doc_ids)
    columns = {
        "fact_id": ids,
        "subject": low[first],
        "relation": pyarrow.array(relation_names, pyarrow.string()).take(pyarrow.array(relations[first])),
        "object": high[first],
        "probability": combine_scores(distinct, discount),
        "best_score": best_scores(distinct),
        "n_sentences": counts,
        "n_documents": numpy.bincount(pairs, minlength=len(ids)),
        "best_sentence": support.column("sentence").take(pyarrow.array(best)),
        **{part: _best_values(rows, scores, support.column(part), len(ids)) for part in Period._fields},
    }
    return Facts(pyarrow.table(columns), ids[rows])


def lower_denied(facts: "pyarrow.Table", denials: Sequence[Conflict], *, exponent: float) -> "pyarrow.Table":
    """Lower the probabilities of facts that texts deny: the odds of a fact are multiplied by 1 − d.

    d is the probability of its denials, which their scores give as those of statements give the probability of a fact.

    facts (pyarrow.Table): As `make_facts` returns them.
    denials (Sequence[Conflict]): Each sentence that denies a fact once, with its score.
    exponent (float): α of `Discount`.
    """
    import pyarrow

    scored = sorted((each.fact_id, -(each.score or 0.0)) for each in denials)
    if not scored:
        return facts
    rows, scores = numpy.array([row for row, _ in scored]), numpy.array([-score for _, score in scored])
    denied, positions = numpy.unique(rows, return_inverse=True)
    against = combine_scores(FactSentences(positions.astype("int64"), scores), Discount(exponent))
    places = numpy.flatnonzero(numpy.isin(facts.column("fact_id").to_numpy(), denied))
    d = against[numpy.searchsorted(denied, facts.column("fact_id").to_numpy()[places])]
    probabilities = facts.column("probability").to_numpy().copy()
    p = probabilities[places]
    probabilities[places] = p * (1 - d) / (1 - p * d)
    return facts.set_column(facts.schema.get_field_index("probability"), "probability", pyarrow.array(probabilities))


def distinct_sentences(facts: Ids, sentences: Ids, scores: Floats) -> FactSentences:
    """Keep the best score of each fact in each distinct sentence; a repeated text counts once.

    facts (Ids): Positions of facts from 0, of each triple. Shape (T,)
    sentences (Ids): Number of the sentence's text, of each triple. Shape (T,)
    """
    order = numpy.lexsort((-scores, sentences, facts))
    facts, sentences, scores = facts[order], sentences[order], scores[order]
    is_first = numpy.ones(len(facts), dtype=bool)
    is_first[1:] = (facts[1:] != facts[:-1]) | (sentences[1:] != sentences[:-1])
    return FactSentences(facts[is_first], scores[is_first])


def judged_facts(tables: GraphTables) -> Tuple[FactSentences, Bools]:
    """Collect the facts that components predict, and which of them gold triples state, too.

    tables (GraphTables): From documents with predicted and gold triples; those of the source "" are gold.
    RETURNS (Tuple[FactSentences, Bools]): Sentences and scores of the predictions, and which facts are correct.
    """
    facts = tables.support.column("fact_id").to_numpy()
    sentences, _ = encode(tables.support.column("sentence"))
    scores = tables.support.column("score").to_numpy()
    is_gold = numpy.array([source == "" for source in tables.support.column("source").to_pylist()], dtype=bool)
    predicted, rows = numpy.unique(facts[~is_gold], return_inverse=True)
    correct = numpy.isin(predicted, facts[is_gold])
    return distinct_sentences(rows.astype("int64"), sentences[~is_gold], scores[~is_gold]), correct


def encode(column: "pyarrow.ChunkedArray") -> Tuple[Ids, list]:
    """Number the different values of a column in the order of their first rows."""
    import pyarrow

    coded = pyarrow.chunked_array(column, type=column.type).combine_chunks().dictionary_encode()
    if isinstance(coded, pyarrow.ChunkedArray):
        coded = coded.combine_chunks()
    return coded.indices.to_numpy(zero_copy_only=False).astype("int64"), coded.dictionary.to_pylist()


def _number(low: Ids, relations: Ids, high: Ids) -> Ids:
    """Number the different facts in the order of their first triples. Shape (T,)"""
    order = numpy.lexsort((high, relations, low))
    starts = numpy.zeros(len(order), dtype=bool)
    for column in (low, relations, high):
        starts |= numpy.diff(column[order], prepend=-1) != 0
    first = order[starts]  # the sort is stable
    ranks = numpy.empty(len(first), dtype="int64")
    ranks[numpy.argsort(first)] = numpy.arange(len(first))
    rows = numpy.empty(len(order), dtype="int64")
    rows[order] = ranks[numpy.cumsum(starts) - 1]
    return rows


def _choose_ids(rows: Ids, known: Ids, taken: int) -> Ids:
    """Keep the lowest id of the triples of a fact; if none, or another fact has that, make a new one. Shape (F,)"""
    count = int(rows.max()) + 1 if len(rows) else 0
    none = numpy.iinfo("int64").max
    ids = numpy.full(count, none, dtype="int64")
    numpy.minimum.at(ids, rows[known > 0], known[known > 0])
    _, first = numpy.unique(ids, return_index=True)
    is_new = numpy.ones(count, dtype=bool)
    is_new[first] = False
    is_new |= ids == none
    ids[is_new] = max(taken, int(known.max(initial=0))) + 1 + numpy.arange(int(is_new.sum()))
    return ids


def _best_values(rows: Ids, scores: Floats, column: "pyarrow.ChunkedArray", count: int) -> "pyarrow.Array":
    """Take the value of each fact from the triple with the best score that has one; null without. Shape (F,)"""
    import pyarrow

    given = numpy.flatnonzero(column.is_valid().to_numpy())
    positions = numpy.full(count, -1, dtype="int64")
    if len(given):
        positions[numpy.unique(rows[given])] = given[_best_rows(rows[given], scores[given])]
    return column.take(pyarrow.array(positions, mask=positions < 0))


def _best_rows(rows: Ids, scores: Floats) -> NDArray[numpy.intp]:
    """Find the triple with the best score of each fact, the first of equals. Shape (F,)"""
    order = numpy.lexsort((numpy.arange(len(rows)), -scores, rows))
    _, first = numpy.unique(rows[order], return_index=True)
    return order[first]
