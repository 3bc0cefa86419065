"""Questions to a graph on disk, answered by DuckDB over the Parquet tables with bound parameters."""

from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, NamedTuple, Tuple

from ..annotations.names import LEGAL_FORMS, PERSON_LABELS, VALUE_LABELS, tidy
from ..annotations.values import parse_value
from ..errors import Errors, require
from ..export.tables import TABLE_NAMES, read_info
from .paths import find_path

if TYPE_CHECKING:
    import duckdb

# SQL that several questions share; user input is always bound, never put into a statement.
_FACTS = """
    SELECT f.fact_id, s.name AS subject, f.relation, o.name AS object, round(f.probability, 3) AS probability,
        f.n_sentences AS sentences, f.n_documents AS documents, f.best_sentence AS sentence
    FROM facts f JOIN entities s ON s.entity_id = f.subject JOIN entities o ON o.entity_id = f.object
"""
_BY_PROBABILITY = " ORDER BY f.probability DESC, f.fact_id LIMIT $limit"
_ABOUT = " WHERE list_contains($ids, f.subject) OR list_contains($ids, f.object)"

_FIND = """
    SELECT entity_id FROM entities WHERE {}
    ORDER BY n_mentions DESC, entity_id
"""
_FIND_STEPS = tuple(
    _FIND.format(condition)
    for condition in (
        "name = $name",
        "lower(name) = lower($name)",
        "lower($name) IN (SELECT lower(unnest(aliases)))",
    )
)
_LIKE = """
    SELECT name FROM entities ORDER BY jaro_winkler_similarity(lower(name), lower($name)) DESC, entity_id LIMIT 3
"""
_FIND_ID = "SELECT entity_id FROM entities WHERE entity_id = $id"

_TOP = _FACTS + " WHERE $relation IS NULL OR f.relation = $relation"
_TOP += " ORDER BY f.n_sentences DESC, f.probability DESC, f.fact_id LIMIT $limit"

_CONFLICTS = """
    WITH best AS (
        SELECT f.fact_id, min(s.doc_id) AS document FROM facts f
        JOIN support s ON s.fact_id = f.fact_id AND s.sentence = f.best_sentence GROUP BY f.fact_id
    )
    SELECT c.kind, c.relation, c.fact_id, c.other_fact_id, c.detail, round(f.probability, 3) AS probability,
        round(g.probability, 3) AS other_probability, f.best_sentence AS sentence, g.best_sentence AS other_sentence,
        a.document, b.document AS other_document
    FROM conflicts c JOIN facts f ON f.fact_id = c.fact_id LEFT JOIN facts g ON g.fact_id = c.other_fact_id
    JOIN best a ON a.fact_id = c.fact_id LEFT JOIN best b ON b.fact_id = c.other_fact_id
    WHERE $relation IS NULL OR c.relation = $relation
    ORDER BY c.kind, c.relation, c.fact_id, c.other_fact_id, c.detail LIMIT $limit
"""

_NEWEST = """
    WITH newest AS (
        SELECT doc_id, max(subject_mention) AS latest FROM support GROUP BY doc_id ORDER BY latest DESC LIMIT $documents
    ), stated AS (
        SELECT DISTINCT s.fact_id, s.doc_id, n.latest FROM support s JOIN newest n ON n.doc_id = s.doc_id
    )
    SELECT t.doc_id, f.fact_id, s.name AS subject, f.relation, o.name AS object,
        round(f.probability, 3) AS probability, f.n_documents AS documents
    FROM stated t JOIN facts f ON f.fact_id = t.fact_id
    JOIN entities s ON s.entity_id = f.subject JOIN entities o ON o.entity_id = f.object
    ORDER BY t.latest DESC, f.probability DESC, f.fact_id LIMIT $limit
"""

_PERIODS = """
    SELECT f.fact_id, s.name AS subject, f.relation, o.name AS object, f.start, f."end", f."at",
        round(f.probability, 3) AS probability, f.n_documents AS documents, f.best_sentence AS sentence
    FROM facts f JOIN entities s ON s.entity_id = f.subject JOIN entities o ON o.entity_id = f.object
"""
# Dates are as exact as the text, so both are cut to the shorter one.
_AS_OF = (
    _PERIODS
    + """
    WHERE coalesce(f.start, f."end", f."at") IS NOT NULL
        AND coalesce(left(f.start, length($date)) <= left($date, length(f.start)), true)
        AND coalesce(left(f."end", length($date)) >= left($date, length(f."end")), true)
        AND (coalesce(f.start, f."end") IS NOT NULL
            OR left(f."at", length($date)) = left($date, length(f."at")))
    ORDER BY f.probability DESC, f.fact_id LIMIT $limit
"""
)
_HISTORY = (
    _PERIODS
    + """
    WHERE (list_contains($ids, f.subject) OR list_contains($ids, f.object))
        AND ($relation IS NULL OR f.relation = $relation)
    ORDER BY coalesce(f.start, f."at", f."end") NULLS LAST, f.probability DESC, f.fact_id LIMIT $limit
"""
)

_NEIGHBOURS = """
    WITH ends AS (
        SELECT object AS entity_id, relation, probability, fact_id FROM facts WHERE list_contains($ids, subject)
        UNION ALL
        SELECT subject, relation || ' of', probability, fact_id FROM facts WHERE list_contains($ids, object)
    )
    SELECT e.entity_id, e.name, e.label, count(DISTINCT x.fact_id) AS facts,
        string_agg(DISTINCT x.relation, ', ' ORDER BY x.relation) AS relations,
        round(max(x.probability), 3) AS probability
    FROM ends x JOIN entities e ON e.entity_id = x.entity_id
    GROUP BY e.entity_id, e.name, e.label ORDER BY facts DESC, probability DESC, e.entity_id LIMIT $limit
"""

_RELATIONS = """
    SELECT relation, count(*) AS facts, sum(n_sentences)::BIGINT AS sentences, count(DISTINCT subject) AS subjects,
        count(DISTINCT object) AS objects, round(avg(probability), 3) AS probability
    FROM facts GROUP BY relation ORDER BY facts DESC, relation LIMIT $limit
"""

_DEGREE = """
    WITH ends AS (
        SELECT subject AS entity_id, fact_id FROM facts UNION SELECT object, fact_id FROM facts
    )
    SELECT e.entity_id, e.name, e.label, count(*) AS facts, e.n_mentions AS mentions, e.n_documents AS documents
    FROM ends x JOIN entities e ON e.entity_id = x.entity_id
    WHERE $label IS NULL OR e.label = $label
    GROUP BY ALL ORDER BY facts DESC, mentions DESC, e.entity_id LIMIT $limit
"""

_SOURCES = """
    SELECT s.doc_id, s.sent, a.text AS subject, b.text AS object, round(s.score, 3) AS score, s.source, s.sentence
    FROM support s
    JOIN mentions a ON a.mention_id = s.subject_mention JOIN mentions b ON b.mention_id = s.object_mention
    WHERE s.fact_id = $fact
    UNION ALL
    SELECT NULL, NULL, NULL, NULL, round(c.score, 3), 'denied', c.detail FROM conflicts c
    WHERE c.fact_id = $fact AND c.kind = 'denied'
    ORDER BY score DESC NULLS LAST, 1, 2, 3, 4, 7 LIMIT $limit
"""

# Entities that share a name up to spaces, punctuation and legal forms, of one type first; people of one surname, of
# whom one is named by no more than initials or a title; and entities of similar names with the same numbers that share
# a neighbour that few have by that relation. Values, such as dates and sums, are neither.
_DUPLICATES = r"""
    WITH spelt AS (
        SELECT entity_id, lower(unnest(list_append(aliases, name))) AS spelling FROM entities
        WHERE NOT list_contains($values, upper(coalesce(label, '')))
    ), worded AS (
        SELECT entity_id, spelling, trim(regexp_replace(spelling, '[^\p{L}\p{M}\p{N}]+', ' ', 'g')) AS words FROM spelt
    ), forms AS (
        SELECT entity_id, spelling, replace(regexp_replace(words, $legal, ''), ' ', '') AS form FROM worded
        WHERE words <> ''
    ), shared_names AS (
        SELECT a.entity_id AS one, b.entity_id AS other, min(a.spelling) AS form, 0 AS neighbours
        FROM forms a JOIN forms b ON a.form = b.form AND a.entity_id < b.entity_id
        GROUP BY a.entity_id, b.entity_id
    ), people AS (
        SELECT entity_id, lower(name) AS name, lower(regexp_extract(name, '\S+$')) AS surname,
            regexp_full_match(name, '(\S+\. +)*\S+') AS is_short, name NOT LIKE '% %' AS is_alone,
            regexp_extract(lower(name), '^(\w)\. ', 1) AS initial
        FROM entities WHERE list_contains($persons, upper(label))
    ), families AS (
        SELECT surname FROM people GROUP BY surname HAVING count(*) BETWEEN 2 AND 20
    ), surnames AS (
        SELECT a.entity_id AS one, b.entity_id AS other, a.surname AS form, 0 AS neighbours
        FROM people a JOIN people b ON a.surname = b.surname AND a.entity_id < b.entity_id
        JOIN families f ON f.surname = a.surname
        WHERE (a.is_short OR b.is_short)
            AND (a.initial = '' OR b.is_alone OR starts_with(b.name, a.initial))
            AND (b.initial = '' OR a.is_alone OR starts_with(a.name, b.initial))
    ), named AS (
        SELECT f.* FROM facts f JOIN entities x ON x.entity_id = f.subject JOIN entities y ON y.entity_id = f.object
        WHERE NOT list_contains($values, upper(coalesce(x.label, '')))
            AND NOT list_contains($values, upper(coalesce(y.label, '')))
    ), ends AS (
        SELECT subject AS entity_id, relation || '>' AS relation, object AS neighbour FROM named
        UNION SELECT object, relation || '<', subject FROM named
    ), rare AS (
        SELECT relation, neighbour FROM ends GROUP BY relation, neighbour HAVING count(*) BETWEEN 2 AND 20
    ), few AS (
        SELECT e.* FROM ends e JOIN rare r ON r.relation = e.relation AND r.neighbour = e.neighbour
    ), shared AS (
        SELECT a.entity_id AS one, b.entity_id AS other, NULL AS form, count(*) AS neighbours
        FROM few a JOIN few b ON a.relation = b.relation AND a.neighbour = b.neighbour AND a.entity_id < b.entity_id
        JOIN entities x ON x.entity_id = a.entity_id JOIN entities y ON y.entity_id = b.entity_id
        WHERE x.label IS NOT DISTINCT FROM y.label AND jaro_winkler_similarity(lower(x.name), lower(y.name)) > 0.85
            AND regexp_replace(x.name, '\D', '', 'g') = regexp_replace(y.name, '\D', '', 'g')
        GROUP BY ALL
    ), candidates AS (
        SELECT one, other, max(form) AS form, max(neighbours) AS neighbours
        FROM (SELECT * FROM shared_names UNION ALL SELECT * FROM surnames UNION ALL SELECT * FROM shared)
        GROUP BY one, other
    )
    SELECT p.one AS entity_id, x.name, p.other AS other_id, y.name AS other_name, x.label, y.label AS other_label,
        p.form AS shared_name,
        p.neighbours AS shared_facts, round(jaro_winkler_similarity(lower(x.name), lower(y.name)), 3) AS similarity
    FROM candidates p JOIN entities x ON x.entity_id = p.one JOIN entities y ON y.entity_id = p.other
    ORDER BY p.neighbours DESC, x.label IS NOT DISTINCT FROM y.label DESC, similarity DESC, p.one, p.other LIMIT $limit
"""

_STEP = """
    SELECT fact_id, subject, object, probability FROM facts
    WHERE list_contains($ids, subject) OR list_contains($ids, object) ORDER BY probability DESC, fact_id
"""
_VALUES = """
    SELECT entity_id FROM entities WHERE list_contains($ids, entity_id) AND list_contains($values, upper(label))
"""
_OF_IDS = _FACTS + " WHERE list_contains($ids, f.fact_id)"

# The search for a path stops after it has visited so many entities.
_MAX_VISITED = 200_000


class Question(NamedTuple):
    """A kind of question.

    takes (str): Its arguments, those in brackets may be missing.
    answer (str): What it answers.
    statement (str): In SQL; "" for a search.
    """

    takes: str
    answer: str
    statement: str


QUESTIONS: Dict[str, Question] = {
    "about": Question("NAME", "facts about an entity", _FACTS + _ABOUT + _BY_PROBABILITY),
    "path": Question("NAME NAME", "the shortest chain of facts between two entities", ""),
    "top": Question("[RELATION]", "the facts with the most sentences", _TOP),
    "conflicts": Question("[RELATION]", "facts that contradict each other or the schema", _CONFLICTS),
    "newest": Question("[DOCUMENTS]", "facts of the documents that came last, of 10 by default", _NEWEST),
    "history": Question("NAME [RELATION]", "facts about an entity with when they hold, the earliest first", _HISTORY),
    "as-of": Question("DATE", "facts that hold at a date, such as 2001 or 2001-03-04, as far as it is known", _AS_OF),
    "neighbours": Question("NAME", "entities next to an entity", _NEIGHBOURS),
    "relations": Question("", "facts of each relation", _RELATIONS),
    "degree": Question("[LABEL]", "entities by their number of facts", _DEGREE),
    "sources": Question("FACT", "the sentences that state a fact, by its number", _SOURCES),
    "duplicates": Question("", "entities that may be the same: names or facts in common", _DUPLICATES),
}


class Answer(NamedTuple):
    """Rows of an answer.

    columns (List[str]): Their names.
    rows (List[Tuple]): Plain values.
    """

    columns: List[str]
    rows: List[Tuple[Any, ...]]


@dataclass
class GraphQuery:
    """Answers questions about the graph in a folder.

    connection (duckdb.DuckDBPyConnection): Has the seven tables as views.
    values (Tuple[str, ...]): Entity types of values, in upper case.
    """

    connection: "duckdb.DuckDBPyConnection"
    values: Tuple[str, ...]

    @classmethod
    def open(cls, folder: Path) -> "GraphQuery":
        """Open the folder of a graph.

        RAISES (ImportError): If duckdb is not installed.
        RAISES (ValueError): If the folder has no graph, or a table cannot be read.
        """
        duckdb = require("duckdb", purpose="questions to a graph", extra="export")
        values = VALUE_LABELS | {*read_info(Path(folder)).get("values", ())}
        connection = duckdb.connect()
        for name in TABLE_NAMES:
            try:
                connection.from_parquet(str(Path(folder) / f"{name}.parquet")).create_view(name)
            except duckdb.Error as error:
                found, expected = str(error).split("\n")[0], "a table of a graph"
                raise ValueError(
                    Errors.R800.format(place=f"{folder}/{name}.parquet", found=found, expected=expected)
                ) from None
        return cls(connection, tuple(sorted(values)))

    def ask(self, question: str, *arguments: str, limit: int = 20) -> Answer:
        """Answer one of QUESTIONS.

        arguments (str): Names of entities, or their numbers; a relation; see QUESTIONS.
        limit (int): Maximum number of rows.
        RAISES (ValueError): If the question is unknown, or its arguments do not fit it.
        """
        if question not in QUESTIONS:
            raise ValueError(Errors.R206.format(option="QUESTION", found=question, expected=", ".join(QUESTIONS)))
        known = QUESTIONS[question]
        taken = known.takes.split()
        least = sum(not each.startswith("[") for each in taken)
        if not least <= len(arguments) <= len(taken):
            raise ValueError(
                Errors.R837.format(question=question, taken=known.takes or "nothing", found=len(arguments))
            )
        if not known.statement:
            return self.find_path(arguments[0], arguments[1], limit=limit)
        values: Dict[str, object] = {"limit": limit}
        if question == "duplicates":
            legal = rf"( ({'|'.join(sorted(LEGAL_FORMS))}))+$"
            values.update(values=list(self.values), persons=list(PERSON_LABELS), legal=legal)
        for kind, argument in zip_longest(taken, arguments):
            name = kind.strip("[]").lower()
            if name == "name":
                values["ids"] = self.find(argument)
            elif name in ("fact", "documents"):
                values[name] = _number(argument or "10", question)
            elif name == "date":
                values[name] = _date(argument)
            else:
                values[name] = argument
        return self._run(known.statement, **values)

    def find(self, name: str) -> List[int]:
        """Find entities by number, else by name, by name regardless of case, or by alias.

        RAISES (ValueError): If there is none.
        """
        name = tidy(name) or name
        if _is_number(name):
            rows = self.connection.execute(_FIND_ID, {"id": int(name)}).fetchall()
            if rows:
                return [int(name)]
        for statement in _FIND_STEPS:
            rows = self.connection.execute(statement, {"name": name}).fetchall()
            if rows:
                return [row[0] for row in rows]
        near = [row[0] for row in self.connection.execute(_LIKE, {"name": name}).fetchall()]
        raise ValueError(Errors.R838.format(name=name, near=f" Similar: {', '.join(near)}." if near else ""))

    def find_path(self, start: str, goal: str, *, limit: int) -> Answer:
        """Find a shortest chain of facts between two entities, in either direction; no rows if there is none.

        It does not lead through values: two people who were born in one year have nothing to do with each other.

        limit (int): Maximum number of facts in the chain.
        """

        starts = self.find(start)

        def edges_of(entities: List[int]) -> Iterator[Tuple[int, int, int]]:
            bound = {"ids": entities, "values": list(self.values)}
            crossed = {row[0] for row in self.connection.execute(_VALUES, bound).fetchall()} - {*starts}
            known = {*entities} - crossed
            for fact, subject, obj, _ in self.connection.execute(_STEP, {"ids": entities}).fetchall():
                yield from ((one, two, fact) for one, two in ((subject, obj), (obj, subject)) if one in known)

        facts = find_path(starts, set(self.find(goal)), edges_of, limit=limit, most_visited=_MAX_VISITED)
        answer = self._run(_OF_IDS, ids=facts)
        return answer._replace(rows=sorted(answer.rows, key=lambda row: facts.index(row[0])))

    def _run(self, statement: str, **values: object) -> Answer:
        done = self.connection.execute(statement, values)
        return Answer([column[0] for column in done.description or ()], done.fetchall())


def _is_number(text: str) -> bool:
    """Return True for a number that fits an integer of the database."""
    return text.isascii() and text.isdigit() and len(text) < 19


def _number(text: str, question: str) -> int:
    """Read a number from 1."""
    if not _is_number(text) or not int(text):
        raise ValueError(Errors.R209.format(what=f"the number of {question!r}", found=repr(text), expected="from 1"))
    return int(text)


def _date(text: str) -> str:
    """Read a date, in ISO 8601 or in words."""
    value = parse_value(text, "DATE")
    if value is None:
        raise ValueError(Errors.R209.format(what="the date", found=repr(text), expected="such as 2001-03-04 or 2001"))
    return value.date


def describe_questions() -> str:
    """List the questions with what they take and answer."""
    return "; ".join(f"{name} {each.takes}".strip() + f": {each.answer}" for name, each in QUESTIONS.items())
