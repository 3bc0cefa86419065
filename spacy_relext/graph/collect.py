"""The mentions and triples of documents as columns, grouped inside each document."""

from bisect import bisect_right
from hashlib import blake2b
from typing import TYPE_CHECKING, Collection, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from ..annotations.assertion import assertion_of, is_fact
from ..annotations.grouping import DEFAULT_RULES, Grouping, Mention, group_mentions
from ..annotations.mentions import describe, list_mentions, read_kb_id
from ..annotations.names import is_description, parse_name, tidy
from ..annotations.schema import Schema
from ..annotations.triple import CharSpan
from ..corpora.formats.sources import to_json
from ..errors import Errors
from ..export.tables import GraphTables, table_rows, table_schemas
from .across import Group, ShortForm
from .documents import Document
from .periods import find_periods

if TYPE_CHECKING:
    import pyarrow

# Rows kept as Python values before they become a batch of pyarrow.
_BATCH_ROWS = 50_000

# Reasons in the table of merges that make a name a full name of its entity; all others make it a short form.
_FULL_NAMES = ("exact", "normalized", "country", "similar", "kb_id", "coreference", "decision", "people")


class Columns:
    """Rows of a table, kept as columns of pyarrow."""

    def __init__(self, types: Dict[str, "pyarrow.DataType"]) -> None:
        self.types = types
        self._rows: List[Tuple[object, ...]] = []
        self._batches: List[pyarrow.RecordBatch] = []

    def append(self, *values: object) -> None:
        """Add a row."""
        self._rows.append(values)
        if len(self._rows) >= _BATCH_ROWS:
            self._flush()

    def table(self) -> "pyarrow.Table":
        """Return all rows."""
        import pyarrow

        self._flush()
        return pyarrow.Table.from_batches(self._batches, schema=pyarrow.schema(list(self.types.items())))

    def _flush(self) -> None:
        import pyarrow

        if self._rows:
            columns = zip(*self._rows)
            arrays = [pyarrow.array(values, type_) for values, type_ in zip(columns, self.types.values())]
            self._batches.append(pyarrow.RecordBatch.from_arrays(arrays, names=list(self.types)))
        self._rows = []


class Denial(NamedTuple):
    """A triple that a text denies: its names and relation, the document, the sentence, and the score."""

    subject: str
    relation: str
    object: str
    doc_id: str
    sentence: str
    score: float


class Collector:
    """Collects documents as tables of mentions, triples, and merges inside documents; these refer to groups by number.

    `groups` has the entities of each document, `skipped` counts repeated documents, `not_facts` triples that are denied
    or hypothetical, and `blank` triples with an argument of white space and invisible marks. `denials` has the
    denied ones.

    base (Optional[GraphTables]): A graph to add the documents to: its entities come first in `groups`.
    rules (Collection[str]): Those of `grouping.RULES` that are used.
    schema (Optional[Schema]): An argument without a type gets the type that its relations allow, if there is only one.
    """

    def __init__(
        self,
        *,
        base: Optional[GraphTables] = None,
        rules: Collection[str] = DEFAULT_RULES,
        schema: Optional[Schema] = None,
    ) -> None:
        import pyarrow

        schemas = {name: {each.name: each.type for each in schema} for name, schema in table_schemas().items()}
        group, relation = {"group": pyarrow.int64()}, {"relation": pyarrow.string()}
        self.documents = Columns(schemas["documents"])
        self.mentions = Columns({**_without(schemas["mentions"], "entity_id"), **group})
        self.support = Columns({**_without(schemas["support"], "fact_id"), **relation})
        self.merges = Columns({**_without(schemas["merges"], "entity_id"), **group})
        self.groups: List[Group] = []
        self.denials: List[Denial] = []
        self.skipped = self.not_facts = self.blank = 0
        self._rules = rules
        self._implied = _implied_types(schema) if schema is not None else {}
        self._mentions = 0
        self._known: Dict[str, bytes] = {}
        if base is not None:
            self._read_base(base)

    def add(self, document: Document) -> None:
        """Add a document; one that is there already is skipped and counted.

        RAISES (ValueError): If a different text has its id.
        """
        doc_id = self._choose_id(document)
        if doc_id is None:
            self.skipped += 1
            return
        self.documents.append(doc_id, document.text, document.meta)
        facts = [each for each in document.statements if is_fact(each.attributes)]
        self.not_facts += len(document.statements) - len(facts)
        for each in document.statements:
            if assertion_of(each.attributes) == "denied":
                subject, obj, sentence = (
                    document.text[slice(*part)] for part in (each.subject, each.object, each.sentence)
                )
                self.denials.append(Denial(subject, each.relation, obj, doc_id, sentence, each.score))
        named = _without_blank(document._replace(statements=facts))
        self.blank += len(facts) - len(named.statements)
        if named.statements:
            self._add_statements(named, doc_id)

    def _add_statements(self, document: Document, doc_id: str) -> None:
        mentions, arguments, grouping = _group_document(document, rules=self._rules, implied=self._implied)
        numbers = self._add_groups(mentions, arguments, grouping, doc_id)
        sentences = [start for start, _ in document.sentences]
        ids: Dict[CharSpan, int] = {}
        for at, mention in enumerate(mentions):
            if mention.span in arguments:
                self._mentions = ids[mention.span] = self._mentions + 1
                sent = max(bisect_right(sentences, mention.start) - 1, 0)
                self.mentions.append(self._mentions, doc_id, sent, *mention, numbers[grouping.groups[at]])
        for each, period in zip(document.statements, find_periods(document)):
            quote = document.text[slice(*each.sentence)]
            place = (doc_id, each.sent, *each.sentence, quote)
            attributes = to_json(each.attributes, sort_keys=True) if each.attributes else None
            mentioned = (ids[each.subject], ids[each.object])
            self.support.append(*mentioned, *place, each.score, each.source, attributes, *period, each.relation)

    def _add_groups(
        self, mentions: Sequence[Mention], arguments: Collection[CharSpan], grouping: Grouping, doc_id: str
    ) -> Dict[int, int]:
        """Add the groups that have an argument, and why their names belong together."""
        members: Dict[int, List[int]] = {}
        for at, number in enumerate(grouping.groups):
            members.setdefault(number, []).append(at)
        short: Dict[int, List[ShortForm]] = {}
        for link in grouping.links:
            form = ShortForm(mentions[link.merged].text, link.reason)
            short.setdefault(grouping.groups[link.kept], []).append(form)
        numbers = {}
        for number, positions in members.items():
            if any(mentions[at].span in arguments for at in positions):
                group = _make_group([mentions[at] for at in positions])
                numbers[number] = len(self.groups)
                self.groups.append(group._replace(short_forms=short.get(number, ()), doc_id=doc_id))
        for link in grouping.links:
            group_number = numbers.get(grouping.groups[link.kept])
            kept, merged = mentions[link.kept].text, mentions[link.merged].text
            if group_number is not None and kept != merged:
                self.merges.append(kept, merged, doc_id, link.reason, link.score, group_number)
        return numbers

    def _choose_id(self, document: Document) -> Optional[str]:
        """Return the id of a document; None if it was added before. A number that is taken gets the file as prefix."""
        digest = blake2b(document.text.encode("utf8"), digest_size=16).digest()
        candidates = [document.doc_id]
        if document.doc_id.isdigit() and document.file:
            candidates.append(f"{document.file}:{document.doc_id}")
        for doc_id in candidates:
            if self._known.setdefault(doc_id, digest) is digest:
                return doc_id
            if self._known[doc_id] == digest:
                return None
        raise ValueError(Errors.R836.format(place=document.place, doc_id=document.doc_id))

    def _read_base(self, base: GraphTables) -> None:
        """Read the names of entities and the ids of documents of a graph."""
        for doc_id, text in table_rows(base.documents, ["doc_id", "text"]):
            self._known[doc_id] = blake2b((text or "").encode("utf8"), digest_size=16).digest()
        self._mentions = max((row[0] for row in table_rows(base.mentions, ["mention_id"])), default=0)
        full: Dict[int, List[str]] = {}
        short: Dict[int, List[ShortForm]] = {}
        for entity, merged, reason in table_rows(base.merges, ["entity_id", "merged", "reason"]):
            if reason in _FULL_NAMES and not is_description(tidy(merged)):
                full.setdefault(entity, []).append(merged)
            else:
                short.setdefault(entity, []).append(ShortForm(merged, reason))
        for entity, name, label, kb_id in table_rows(base.entities, ["entity_id", "name", "label", "kb_id"]):
            for number, each in enumerate(dict.fromkeys([name, *full.get(entity, ())])):
                forms = short.get(entity, ()) if not number else ()
                self.groups.append(Group(parse_name(each, label), read_kb_id(kb_id), entity, forms))


def group_arguments(document: Document) -> Dict[CharSpan, Group]:
    """Return the entity of each argument of a document's triples, without those that have only white space."""
    mentions, arguments, grouping = _group_document(_without_blank(document), rules=DEFAULT_RULES, implied={})
    members: Dict[int, List[Mention]] = {}
    for mention, number in zip(mentions, grouping.groups):
        members.setdefault(number, []).append(mention)
    groups = {number: _make_group(same) for number, same in members.items()}
    pairs = zip(mentions, grouping.groups)
    return {mention.span: groups[number] for mention, number in pairs if mention.span in arguments}


def _group_document(
    document: Document, *, rules: Collection[str], implied: Dict[Tuple[str, int], str]
) -> Tuple[List[Mention], Collection[CharSpan], Grouping]:
    """Group the mentions of a document; also return which are arguments."""
    arguments: Dict[CharSpan, Set[Optional[str]]] = {}
    for each in document.statements:
        for place, span in enumerate((each.subject, each.object)):
            arguments.setdefault(span, set()).add(implied.get((each.relation, place)))
    mentions = list_mentions(document.text, document.entities, arguments=arguments, chains=document.chains)
    positions = {mention.span: at for at, mention in enumerate(mentions)}
    apart = {(positions[each.subject], positions[each.object]) for each in document.statements}
    grouping = group_mentions(
        mentions,
        text=document.text,
        apart={pair for pair in apart if pair[0] != pair[1]},
        chains=[[positions[span] for span in chain] for chain in document.chains],
        rules=rules,
    )
    return mentions, arguments, grouping


def _without_blank(document: Document) -> Document:
    """Leave out what has only white space and invisible marks: arguments with their triples, entities, mentions."""

    def is_named(start: int, end: int) -> bool:
        return bool(tidy(document.text[start:end]))

    chains = ([span for span in chain if is_named(*span)] for chain in document.chains)
    return document._replace(
        statements=[each for each in document.statements if is_named(*each.subject) and is_named(*each.object)],
        entities=[each for each in document.entities if is_named(each.start, each.end)],
        chains=[chain for chain in chains if chain],
    )


def _implied_types(schema: Schema) -> Dict[Tuple[str, int], str]:
    """Map relation and place (0: subject, 1: object) to the type, where only one is allowed."""
    implied = {}
    for name, known in schema.relations.items():
        both = known.subject or known.object
        for place, types in enumerate((both, both) if known.symmetric else (known.subject, known.object)):
            if len(types) == 1:
                implied[name, place] = types[0]
    return implied


def _make_group(mentions: Sequence[Mention]) -> Group:
    """Make an entity of its mentions."""
    name, label, kb_id = describe(mentions)
    return Group(parse_name(name, label), kb_id)


def _without(types: Dict[str, "pyarrow.DataType"], column: str) -> Dict[str, "pyarrow.DataType"]:
    return {name: type_ for name, type_ in types.items() if name != column}
