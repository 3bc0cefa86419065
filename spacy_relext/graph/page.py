"""What the page of a graph shows, as columns of plain values that refer to each other by position."""

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Dict, List, Mapping, NamedTuple, Sequence, Tuple

from ..annotations.triple import CharSpan, Record
from ..export.tables import GraphTables, table_rows
from ..visuals.templates import draw_page
from .periods import Period, describe_period

if TYPE_CHECKING:
    import pyarrow

# Maximum number of facts on a page; the most probable are shown.
MOST_FACTS = 50_000
# Maximum number of sentences per fact, of which the best-scored are shown, and of documents per sentence.
MOST_SENTENCES = 10
MOST_DOCUMENTS = 5

# Why names were joined, by the rules of `grouping.RULES`, and by what people decided.
REASONS = {
    "kb_id": "same id in the knowledge base",
    "coreference": "coreference joins them in the document",
    "exact": "same name",
    "normalized": "same name but for case, articles, titles, legal forms",
    "country": "names of the same country",
    "alias": "the text says so, such as “also known as”",
    "acronym": "acronym of the long name",
    "person": "part of the full name, which comes before it",
    "last word": "end of the long name, which comes before it",
    "similar": "spelt nearly alike",
    "first word": "beginning of the long name, which comes before it",
    "people": "a country and its people",
    "type": "one name with two types",
    "decision": "decided by hand",
}
KINDS = {
    "self": "subject and object are one entity",
    "type": "the schema does not allow these types",
    "functional": "the schema allows one object, or the name is that of two entities",
    "denied": "a text denies it",
    "acyclic": "the schema allows no cycle",
}


class Page(NamedTuple):
    """A page.

    html (str): Its text.
    facts (int): How many facts it shows.
    """

    html: str
    facts: int


class _Sentence(NamedTuple):
    """A sentence of a fact: its text and start, its best triple, and the documents that have it."""

    text: str
    start: int
    subject: int
    object: int
    score: float
    source: str
    documents: Dict[str, None]


class _Codes(Dict[str, int]):
    """Numbers texts in the order of their first use."""

    def __missing__(self, text: str) -> int:
        self[text] = number = len(self)
        return number


def draw_graph(tables: GraphTables, *, title: str = "Graph", most_facts: int = MOST_FACTS) -> Page:
    """Draw a graph as a page; the same graph gives the same page.

    most_facts (int): Maximum number of facts; the most probable are shown.
    """
    facts = tables.facts.sort_by([("probability", "descending"), ("fact_id", "ascending")]).slice(0, most_facts)
    shown, total = facts.num_rows, tables.facts.num_rows
    part = f"The {shown:,} most probable of " if shown < total else ""
    data = _collect(tables, facts)
    entities, documents = len(data["entities"]["id"]), tables.documents.num_rows
    about = f"{part}{total:,} facts of {entities:,} entities in {documents:,} documents"
    html = draw_page("graph.html", title=title, assets=("graph.css", "graph.js"), data=data, about=about)
    return Page(html, shown)


def collect_facts(tables: GraphTables, ids: Sequence[int]) -> Record:
    """Collect what pages show of some facts, in the order of their ids."""
    import pyarrow
    from pyarrow import compute

    rows = compute.index_in(pyarrow.array(ids, pyarrow.int64()), value_set=tables.facts["fact_id"].combine_chunks())
    return _collect(tables, tables.facts.take(rows))


def _collect(tables: GraphTables, facts: "pyarrow.Table") -> Record:
    """Collect what the page shows of some facts, whose order it keeps."""
    columns = {name: facts.column(name).to_pylist() for name in facts.column_names if name != "best_sentence"}
    counts = Counter(columns["relation"])
    relations = {name: at for at, name in enumerate(sorted(counts))}
    described = (tables.info.get("schema") or {}).get("relations", {})
    entities = _select(tables.entities, "entity_id", [*columns["subject"], *columns["object"]])
    places = _positions(entities.column("entity_id"))
    rows = _positions(facts.column("fact_id"))
    return {
        **_entity_columns(tables, entities),
        "relations": [
            {"name": name, "facts": counts[name], "description": described.get(name, {}).get("description", "")}
            for name in relations
        ],
        "facts": {
            "subject": [places[number] for number in columns["subject"]],
            "relation": [relations[name] for name in columns["relation"]],
            "object": [places[number] for number in columns["object"]],
            "probability": [_per_mille(each) for each in columns["probability"]],
            "sentences": columns["n_sentences"],
            "documents": columns["n_documents"],
            "period": [describe_period(*each) or 0 for each in zip(*(columns[part] for part in Period._fields))],
        },
        **_support_columns(tables, rows),
        **_conflict_rows(tables, rows),
        **_merge_rows(tables, places),
    }


def _entity_columns(tables: GraphTables, entities: "pyarrow.Table") -> Record:
    """List entities; types are numbered from the most frequent one, which decides their colours."""
    columns = {name: entities.column(name).to_pylist() for name in entities.column_names}
    counts = Counter(label for label in columns["label"] if label)
    types = {label: at for at, label in enumerate(sorted(counts, key=lambda label: (-counts[label], label)))}
    listed = {
        "id": columns["entity_id"],
        "name": columns["name"],
        "type": [types.get(label, -1) for label in columns["label"]],
        "kb_id": [each or 0 for each in columns["kb_id"]],
        "aliases": [each or 0 for each in columns["aliases"]],
        "mentions": columns["n_mentions"],
        "documents": columns["n_documents"],
    }
    of_values = tables.value_labels
    values = [number for label, number in types.items() if label.upper() in of_values]
    return {"entities": listed, "types": list(types), "values": values}


def _support_columns(tables: GraphTables, facts: Mapping[int, int]) -> Record:
    """List the best sentences of each fact, one after the other; `starts` says where those of a fact begin."""
    sentences, documents, sources = _Codes(), _Codes(), _Codes()
    support: Record = {"starts": [0], "sentence": [], "spans": [], "score": [], "source": []}
    support.update({"documents": [], "further": []})
    sentences_of_facts = _sentences(tables, facts)
    ids = [number for each in sentences_of_facts for one in each for number in (one.subject, one.object)]
    mentions = _select(tables.mentions, "mention_id", ids)
    places = {number: span for number, *span in table_rows(mentions, ("mention_id", "start", "end"))}
    for fact in sentences_of_facts:
        for each in fact:
            support["sentence"].append(sentences[each.text])
            for mention in (each.subject, each.object):
                support["spans"] += _place(each, *places[mention])
            support["score"].append(_per_mille(each.score))
            support["source"].append(sources[each.source])
            support["documents"].append([documents[name] for name in islice(each.documents, MOST_DOCUMENTS)])
            support["further"].append(max(0, len(each.documents) - MOST_DOCUMENTS))
        support["starts"].append(len(support["sentence"]))
    return {"support": support, "sentences": list(sentences), "documents": list(documents), "sources": list(sources)}


def _sentences(tables: GraphTables, facts: Mapping[int, int]) -> List[List[_Sentence]]:
    """Collect the distinct sentences of each fact with their best triples, the best scores first."""
    columns = ("fact_id", "sentence", "sent_start", "subject_mention", "object_mention", "score", "source", "doc_id")
    by_text: List[Dict[str, _Sentence]] = [{} for _ in facts]
    for number, *values, document in table_rows(_select(tables.support, "fact_id", list(facts)), columns):
        new, known = _Sentence._make([*values, {document: None}]), by_text[facts[number]]
        old = known.get(new.text)
        if old is None or new.score > old.score:
            known[new.text] = new._replace(documents={**new.documents, **(old.documents if old else {})})
        else:
            old.documents[document] = None
    return [sorted(each.values(), key=lambda one: -one.score)[:MOST_SENTENCES] for each in by_text]


def _place(sentence: _Sentence, start: int, end: int) -> CharSpan:
    """Compute the offsets of a mention in a sentence, in UTF-16 units as in JavaScript; (0, 0) if it is outside."""
    text, first, last = sentence.text, start - sentence.start, end - sentence.start
    if not 0 <= first < last <= len(text):
        return 0, 0
    if text.isascii():
        return first, last
    before, inside = (sum(char > "\uffff" for char in piece) for piece in (text[:first], text[first:last]))
    return first + before, last + before + inside


def _conflict_rows(tables: GraphTables, facts: Mapping[int, int]) -> Record:
    """List the conflicts of facts, with the fact that each contradicts, or -1."""
    kinds = _Codes()
    rows = [
        {"kind": kinds[KINDS.get(kind, kind)], "fact": facts[fact], "other": facts.get(other, -1), "detail": detail}
        for kind, fact, other, detail in table_rows(tables.conflicts, ("kind", "fact_id", "other_fact_id", "detail"))
        if fact in facts
    ]
    return {"conflicts": rows, "kinds": list(kinds)}


def _merge_rows(tables: GraphTables, entities: Mapping[int, int]) -> Record:
    """List why names were joined, each once, with the number of documents where it happened."""
    reasons = _Codes()
    counts: Dict[Tuple[int, str, str, str, int], int] = {}
    columns = ("entity_id", "name", "merged", "reason", "score", "doc_id")
    for number, name, merged, reason, score, document in table_rows(tables.merges, columns):
        if number in entities:
            key = (entities[number], name, merged, REASONS.get(reason, reason), _per_mille(score))
            counts[key] = counts.get(key, 0) + (document is not None)
    rows = [[entity, name, merged, reasons[why], score, n] for (entity, name, merged, why, score), n in counts.items()]
    return {"merges": rows, "reasons": list(reasons)}


def _select(table: "pyarrow.Table", column: str, ids: Sequence[int]) -> "pyarrow.Table":
    import pyarrow
    from pyarrow import compute

    return table.filter(compute.is_in(table.column(column), value_set=pyarrow.array(ids, pyarrow.int64())))


def _positions(column: "pyarrow.ChunkedArray") -> Dict[int, int]:
    return {number: at for at, number in enumerate(column.to_pylist())}


def _per_mille(value: float) -> int:
    return round(1000 * value)
