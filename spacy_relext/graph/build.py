"""Building the tables of a graph from documents with triples."""

from dataclasses import asdict, dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Dict, Iterable, List, Optional, Sequence, Set, Tuple

import numpy

from ..annotations.grouping import DEFAULT_RULES
from ..annotations.names import fold
from ..annotations.schema import Schema, schema_to_dict
from ..annotations.triple import Record
from ..errors import Errors, require
from ..export.tables import GraphTables, make_table, sorted_table, table_rows, table_schemas
from ..scoring.risk import score_risk
from .across import Joined, join_groups
from .collect import Collector, Denial
from .conflicts import Conflict, Fact, find_conflicts
from .decisions import Decision
from .documents import Document
from .entities import Entities, Entity, MergeRow, find_apart, number_groups, other_names
from .facts import judged_facts, lower_denied, make_facts
from .probability import Discount, Ids, combine_scores, fit_discount

if TYPE_CHECKING:
    import pyarrow


@dataclass(frozen=True)
class GraphOptions:
    """How a graph is made.

    rules (Tuple[str, ...]): Those of `grouping.RULES` by which names are joined.
    discount (Discount): How the scores of a fact's sentences are combined.
    schema (Optional[Schema]): What is known about relations, for conflicts and for arguments without a type.
    decisions (Sequence[Decision]): What people decided about entities.
    values (Tuple[str, ...]): Entity types that are values besides the usual ones, such as AGE.
    """

    rules: Tuple[str, ...] = DEFAULT_RULES
    discount: Discount = field(default_factory=Discount)
    schema: Optional[Schema] = None
    decisions: Sequence[Decision] = ()
    values: Tuple[str, ...] = ()


@dataclass
class BuiltGraph:
    """A graph, and what to report about it.

    tables (GraphTables): The graph.
    skipped (int): Number of documents that were there already.
    unused (List[Decision]): Decisions that change nothing, since what they name does not exist or is ambiguous.
    not_facts (int): Number of triples left out, since they are denied or hypothetical.
    blank (int): Number of triples left out, since an argument has only white space or invisible marks.
    """

    tables: GraphTables
    skipped: int
    unused: List[Decision]
    not_facts: int
    blank: int


def build_graph(
    documents: Iterable[Document], *, options: Optional[GraphOptions] = None, base: Optional[GraphTables] = None
) -> BuiltGraph:
    """Make a graph of documents with triples; the same documents in the same order give the same tables.

    documents (Iterable[Document]): Read once, one at a time.
    base (Optional[GraphTables]): A graph to add the documents to: its entities and facts keep their numbers.
    RAISES (ImportError): If pyarrow or rapidfuzz is not installed.
    RAISES (ValueError): If two texts have the same id, or a decision names an entity by its number without a base.
    """
    pyarrow = require("pyarrow", purpose="a graph", extra="export")
    options = GraphOptions() if options is None else options
    collector, joined = _collect(documents, options=options, base=base)
    taken = int(base.info.get("last_entity", 0)) if base else 0
    numbers, known = number_groups(collector.groups, joined, taken=taken)
    mentions = _add_entity(collector.mentions.table(), numbers)
    merges = _merge_rows(collector, joined, numbers, known)
    support = collector.support.table()
    facts_known = numpy.zeros(support.num_rows, dtype="int64")
    documents_table = collector.documents.table()
    if base is not None:
        mentions = pyarrow.concat_tables([base.mentions, mentions], promote_options="default")
        documents_table = pyarrow.concat_tables([base.documents, documents_table], promote_options="default")
        old = _with_relation(base)
        facts_known = numpy.concatenate([base.support.column("fact_id").to_numpy(), facts_known])
        support = pyarrow.concat_tables([old, support], promote_options="default")
        merges = [MergeRow(*row) for row in table_rows(base.merges, MergeRow._fields)] + merges
    texts, doc_ids = (mentions.column(name).to_pylist() if options.decisions else () for name in ("text", "doc_id"))
    entities = Entities(known, mentions.column("entity_id").to_numpy().copy(), texts, doc_ids)
    last = max([taken, *known])
    entities.apply(options.decisions)
    place = mentions.schema.get_field_index("entity_id")
    mentions = mentions.set_column(place, "entity_id", pyarrow.array(entities.mentions))
    symmetric = [name for name, each in options.schema.relations.items() if each.symmetric] if options.schema else []
    facts = make_facts(
        support,
        _entities_of(support.column("subject_mention"), mentions),
        _entities_of(support.column("object_mention"), mentions),
        known=facts_known,
        taken=int(base.info.get("last_fact", 0)) if base else 0,
        discount=options.discount,
        symmetric=symmetric,
    )
    support = support.drop_columns(["relation"]).append_column("fact_id", pyarrow.array(facts.support))
    entity_table = _entity_table(mentions, entities)
    denied = _find_denials(collector.denials, entity_table, facts.facts, symmetric=symmetric, base=base)
    lowered = lower_denied(facts.facts, denied, exponent=options.discount.exponent)
    tables = GraphTables(
        documents=_finish("documents", documents_table),
        mentions=_finish("mentions", mentions),
        entities=entity_table,
        facts=_finish("facts", lowered),
        support=_finish("support", support),
        merges=_merge_table(merges, entities),
        conflicts=_conflict_table(lowered, entities.known, options.schema, denied),
        info=_describe(options, base, max([last, *entities.known]), int(facts.support.max(initial=0))),
    )
    return BuiltGraph(tables, collector.skipped, entities.unused, collector.not_facts, collector.blank)


def _collect(
    documents: Iterable[Document], *, options: GraphOptions, base: Optional[GraphTables]
) -> Tuple[Collector, Joined]:
    """Read the documents, and join their entities with each other and with the entities of the graph."""
    numbered = next((each for each in options.decisions if each.has_number), None)
    if numbered is not None and base is None:
        raise ValueError(Errors.R841.format(place=numbered.place or "decisions", found=numbered))
    collector = Collector(base=base, rules=options.rules, schema=options.schema)
    for document in documents:
        collector.add(document)
    there = table_rows(base.mentions, ("entity_id", "doc_id", "text")) if base is not None else ()
    apart = find_apart(collector.groups, options.decisions, there)
    return collector, join_groups(collector.groups, rules=options.rules, apart=apart)


def fit_on(
    documents: Iterable[Document], *, options: Optional[GraphOptions] = None
) -> Tuple[Discount, Dict[str, Optional[float]]]:
    """Fit how sentences are combined, on documents with predicted and gold triples.

    documents (Iterable[Document]): Triples of the source "" are gold.
    RETURNS (Tuple[Discount, Dict[str, Optional[float]]]): The fit, and the risk of its probabilities on these
        documents, see `score_risk`.
    RAISES (ValueError): If no facts are predicted, or all or none of them are correct.
    """
    sentences, correct = judged_facts(build_graph(documents, options=options).tables)
    discount = fit_discount(sentences, correct)
    return discount, score_risk(combine_scores(sentences, discount), correct)


def _add_entity(mentions: "pyarrow.Table", numbers: Ids) -> "pyarrow.Table":
    """Replace the group of each mention by its entity."""
    import pyarrow

    entities = numbers[mentions.column("group").to_numpy()]
    return mentions.drop_columns(["group"]).append_column("entity_id", pyarrow.array(entities))


def _entities_of(column: "pyarrow.ChunkedArray", mentions: "pyarrow.Table") -> Ids:
    """Look up the entities of mention ids, in mentions sorted by id."""
    ids, entities = mentions.column("mention_id").to_numpy(), mentions.column("entity_id").to_numpy()
    return entities[numpy.searchsorted(ids, column.to_numpy())]


def _with_relation(base: GraphTables) -> "pyarrow.Table":
    """Return the support of a graph with the relation in place of the id of the fact."""
    import pyarrow

    ids = base.facts.column("fact_id").to_numpy()
    rows = numpy.searchsorted(ids, base.support.column("fact_id").to_numpy())
    relations = base.facts.column("relation").take(pyarrow.array(rows))
    return base.support.drop_columns(["fact_id"]).append_column("relation", relations)


def _merge_rows(collector: Collector, joined: Joined, numbers: Ids, known: Dict[int, Entity]) -> List[MergeRow]:
    """List what was joined inside and between the documents."""
    inside = collector.merges.table()
    columns = ("group", "name", "merged", "doc_id", "reason", "score")
    rows = [MergeRow(int(numbers[row[0]]), *row[1:]) for row in table_rows(inside, columns)]
    for _, position, reason, score in joined.links:
        number, group = int(numbers[position]), collector.groups[position]
        rows.append(MergeRow(number, known[number].name, group.name.text, group.doc_id, reason, score))
    return rows


def _merge_table(rows: Sequence[MergeRow], entities: Entities) -> "pyarrow.Table":
    """Make the table of merges, without those that decisions undid, each row once."""
    current = map(entities.current_row, [*rows, *entities.merges])
    kept = dict.fromkeys(row for row in current if row is not None)
    columns = list(zip(*kept)) or [()] * len(MergeRow._fields)
    return make_table("merges", dict(zip(MergeRow._fields, columns)))


def _entity_table(mentions: "pyarrow.Table", entities: Entities) -> "pyarrow.Table":
    counts = mentions.group_by("entity_id").aggregate([("mention_id", "count"), ("doc_id", "count_distinct")])
    rows = sorted(table_rows(counts, ["entity_id", "mention_id_count", "doc_id_count_distinct"]))
    pairs = mentions.group_by(["entity_id", "text"]).aggregate([])
    known = {number: entities.known[number] for number, _, _ in rows}
    aliases = other_names(known, table_rows(pairs, ["entity_id", "text"]))
    columns = {
        "entity_id": list(known),
        "name": [each.name for each in known.values()],
        "label": [each.label for each in known.values()],
        "kb_id": [each.kb_id for each in known.values()],
        "aliases": list(aliases.values()),
        "n_mentions": [count for _, count, _ in rows],
        "n_documents": [count for _, _, count in rows],
    }
    return make_table("entities", columns)


def _find_denials(
    denials: Sequence[Denial],
    entities: "pyarrow.Table",
    facts: "pyarrow.Table",
    *,
    symmetric: Sequence[str],
    base: Optional[GraphTables],
) -> List[Conflict]:
    """List the facts that a text denies, whose subject and object have the names of the denied triple; and old ones."""
    having: Dict[str, Set[int]] = {}
    for number, name, aliases in table_rows(entities, ("entity_id", "name", "aliases")):
        for form in (name, *aliases):
            having.setdefault(fold(form), set()).add(number)
    stated = {tuple(row[1:]): row[0] for row in table_rows(facts, ("fact_id", "subject", "relation", "object"))}
    rows = table_rows(base.conflicts, Conflict._fields) if base is not None else ()
    old, there = (Conflict(*row) for row in rows), set(stated.values())
    conflicts = [each for each in old if each.kind == "denied" and each.fact_id in there]
    for each in denials:
        pairs = list(product(having.get(fold(each.subject), ()), having.get(fold(each.object), ())))
        pairs += [(obj, subject) for subject, obj in pairs] if each.relation in symmetric else []
        keys = {(subject, each.relation, obj) for subject, obj in pairs} & stated.keys()
        detail = f"{each.doc_id}: {each.sentence}"
        conflicts += [Conflict("denied", each.relation, stated[key], None, detail, each.score) for key in sorted(keys)]
    return list(dict.fromkeys(conflicts))


def _conflict_table(
    facts: "pyarrow.Table", known: Dict[int, Entity], schema: Optional[Schema], denials: Sequence[Conflict]
) -> "pyarrow.Table":
    rows = [Fact(*row) for row in table_rows(facts, Fact._fields)]
    labels = {number: entity.label for number, entity in known.items()}
    names = {number: entity.name for number, entity in known.items()}
    conflicts = [*find_conflicts(rows, labels=labels, names=names, schema=schema), *denials]
    columns = list(zip(*conflicts)) or [()] * len(Conflict._fields)
    return make_table("conflicts", dict(zip(Conflict._fields, columns)))


def _finish(name: str, table: "pyarrow.Table") -> "pyarrow.Table":
    """Bring columns into the order and types of a table, and sort its rows."""
    schema = table_schemas()[name]
    return sorted_table(name, table.select(schema.names).cast(schema))


def _describe(options: GraphOptions, base: Optional[GraphTables], last_entity: int, last_fact: int) -> Record:
    before = base.info if base else {}
    made = {
        "options": {"rules": list(options.rules)},
        "calibration": asdict(options.discount),
        "schema": schema_to_dict(options.schema) if options.schema else None,
        "values": sorted({*map(str.upper, options.values), *before.get("values", ())}),
        "last_entity": last_entity,
        "last_fact": max(last_fact, int(before.get("last_fact", 0))),
    }
    return {**before, **made}
