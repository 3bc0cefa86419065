"""Facts that people accept, reject or edit: lines of JSON in the folder of a graph; the last for a fact counts.

    {"subject": "Havgass", "relation": "founded_by", "object": "Ingvar Rusten", "state": "accepted"}
    {"subject": "Havgass", "relation": "owned_by", "object": "Tellmar", "state": "edited", "swapped": true, "by": "Ada"}

A fact is known by the names of its entities, so that answers hold when the graph is built again or documents are added.
Where several facts have these names, `document` says which is meant.
"""

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from threading import Lock
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Set, Tuple

from ..annotations.names import fold
from ..annotations.triple import Record
from ..corpora.formats.sources import parse_json, to_json
from ..corpora.whole import append_line, read_lines
from ..errors import Errors
from ..export.tables import GraphTables, facts_with_support, sorted_table, table_rows

REVIEWS_FILE = "reviews.jsonl"
ACCEPTED, REJECTED, EDITED, OPEN = STATES = ("accepted", "rejected", "edited", "open")

_TEXTS = ("subject", "relation", "object")


class Answer(NamedTuple):
    """What a person says of a fact.

    subject, relation, object (str): Names of the fact.
    state (str): One of STATES; "open" takes an answer back.
    document (str): Id of a document that states it; "" if unknown.
    new_relation (str): Of an edited fact, what its relation is; "" if it stays.
    swapped (bool): Of an edited fact, whether subject and object change places.
    by (str): Who has answered.
    at (str): When, in ISO 8601.
    """

    subject: str
    relation: str
    object: str
    state: str
    document: str = ""
    new_relation: str = ""
    swapped: bool = False
    by: str = ""
    at: str = ""

    @property
    def key(self) -> Tuple[str, str, str, str]:
        """RETURNS (Tuple[str, str, str, str]): What a later answer to the same fact has, too."""
        return fold(self.subject), self.relation, fold(self.object), self.document


class Reviews:
    """The answers about a graph, in an append-only file.

    path (Path): The file; it may be missing, and an incomplete last line is removed.
    RAISES (ValueError): If a line is malformed; the message names file and line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answers: Dict[Tuple[str, str, str, str], Answer] = {}
        self._lock = Lock()
        if path.exists():
            for number, line in enumerate(read_lines(path, first='{"subject"'), start=1):
                if line.strip():
                    self._keep(parse_answer(line, place=f"{path}:{number}"))

    def append(self, answer: Answer) -> Answer:
        """Write an answer to the disk. RETURNS (Answer): With its time, if it had none."""
        answer = answer._replace(at=answer.at or datetime.now(timezone.utc).isoformat(timespec="seconds"))
        values = {key: value for key, value in answer._asdict().items() if value}
        with self._lock:
            append_line(self.path, to_json(values))
            self._keep(answer)
        return answer

    def _keep(self, answer: Answer) -> None:
        self.answers.pop(answer.key, None)  # the last answer to a fact is the last of all
        self.answers[answer.key] = answer


def parse_answer(line: bytes, *, place: str) -> Answer:
    """Read a line of answers; keys that are not those of `Answer` are ignored.

    RAISES (ValueError): If it is malformed.
    """
    try:
        value = parse_json(line.decode("utf8"))
    except ValueError as error:
        raise ValueError(Errors.R842.format(place=place, found=str(error).split("\n")[0])) from None
    known = {key: each for key, each in value.items() if key in Answer._fields} if isinstance(value, dict) else {}
    given = [known.get(key) for key in _TEXTS]
    texts = [each for key, each in known.items() if key != "swapped"]
    if not all(isinstance(each, str) for each in texts) or not all(given) or known.get("state") not in STATES:
        raise ValueError(Errors.R842.format(place=place, found=line.decode("utf8", "replace")[:80]))
    return Answer(**{**known, "swapped": bool(known.get("swapped"))})


def read_answers(path: Path) -> List[Answer]:
    """Read the answers of another tool; lines whose state is "open" or missing are left out.

    RAISES (ValueError): If the file is missing, or a line is malformed.
    """
    if not path.is_file():
        raise ValueError(Errors.R842.format(place=path, found="no such file"))
    answers = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if line.strip():
            answers.append(parse_answer(line, place=f"{path}:{number}"))
    return [answer for answer in answers if answer.state != OPEN]


def match_answers(tables: GraphTables, answers: Mapping[Any, Answer]) -> Tuple[Dict[int, Answer], List[Answer]]:
    """Find the facts that answers are about.

    RETURNS (Tuple[Dict[int, Answer], List[Answer]]): By the id of the fact; and answers about no fact of the graph, or
        about several.
    """
    wanted = {form for each in answers.values() for form in (fold(each.subject), fold(each.object))}
    having: Dict[str, Set[int]] = {}
    for number, name, aliases in table_rows(tables.entities, ("entity_id", "name", "aliases")) if wanted else ():
        for form in {fold(name), *map(fold, aliases)} & wanted:
            having.setdefault(form, set()).add(number)
    relations = {each.relation for each in answers.values()}
    facts: Dict[Tuple[int, str, int], int] = {}
    for number, subject, relation, obj in table_rows(tables.facts, ("fact_id", "subject", "relation", "object")):
        if relation in relations:
            facts[subject, relation, obj] = number
    found: Dict[int, Answer] = {}
    unused = []
    documents: Optional[Dict[int, Set[str]]] = None
    for each in answers.values():
        ends = (having.get(fold(each.subject), ()), having.get(fold(each.object), ()))
        matching = [facts[key] for one in ends[0] for two in ends[1] if (key := (one, each.relation, two)) in facts]
        if len(matching) > 1:
            documents = _documents(tables) if documents is None else documents
            matching = [number for number in matching if each.document in documents[number]]
        if len(matching) == 1:
            found[matching[0]] = each
        elif each.state != OPEN:
            unused.append(each)
    return {number: each for number, each in found.items() if each.state != OPEN}, unused


def _documents(tables: GraphTables) -> Dict[int, Set[str]]:
    documents: Dict[int, Set[str]] = {}
    for number, doc_id in table_rows(tables.support, ("fact_id", "doc_id")):
        documents.setdefault(number, set()).add(doc_id)
    return documents


def accepted_facts(tables: GraphTables, answers: Mapping[int, Answer], *, accept: float) -> GraphTables:
    """Keep the facts that people have accepted or edited, and those that are at least as probable as `accept`.

    Rejected facts are left out, and edited ones changed. Entities and mentions of other facts are left out.

    answers (Mapping[int, Answer]): By the id of the fact.
    accept (float): 0 to 1; above 1: no fact without an answer.
    """
    import pyarrow
    from pyarrow import compute

    kept, columns = [], tables.facts.to_pydict()
    for row, (number, probability) in enumerate(zip(columns["fact_id"], columns["probability"])):
        answer = answers.get(number)
        if answer is None and probability < accept or answer is not None and answer.state == REJECTED:
            continue
        kept.append(row)
        if answer is not None and answer.state == EDITED:
            columns["relation"][row] = answer.new_relation or answer.relation
            if answer.swapped:
                one, other = columns["subject"][row], columns["object"][row]
                columns["subject"][row], columns["object"][row] = other, one
    changed = pyarrow.Table.from_pydict(columns, schema=tables.facts.schema)
    facts = sorted_table("facts", changed.take(pyarrow.array(kept, pyarrow.int64())))

    def of(table: Any, column: str, values: Any) -> Any:
        return table.filter(compute.is_in(table[column], value_set=values))

    ends = pyarrow.array({*facts["subject"].to_pylist(), *facts["object"].to_pylist()}, pyarrow.int64())
    ids = facts["fact_id"].combine_chunks()
    support = of(tables.support, "fact_id", ids)
    used = pyarrow.array(
        {*support["subject_mention"].to_pylist(), *support["object_mention"].to_pylist()}, pyarrow.int64()
    )
    conflicts = of(tables.conflicts, "fact_id", ids)
    others = conflicts["other_fact_id"]
    conflicts = conflicts.filter(compute.or_(compute.is_null(others), compute.is_in(others, value_set=ids)))
    return replace(
        tables,
        facts=facts,
        entities=of(tables.entities, "entity_id", ends),
        support=support,
        mentions=of(tables.mentions, "mention_id", used),
        merges=of(tables.merges, "entity_id", ends),
        conflicts=conflicts,
    )


def facts_to_review(
    tables: GraphTables, answers: Mapping[int, Answer], *, accept: float, reject: float
) -> Iterator[Record]:
    """Yield the facts between two thresholds, and those with an answer, as plain values: lines for other tools.

    RETURNS (Iterator[Record]): `fact_id`, `subject`, `relation`, `object` (names), `probability`, `sentences`,
        `document`, and what the answer has.
    """
    names = {number: name for number, name in table_rows(tables.entities, ("entity_id", "name"))}
    columns = ("subject", "relation", "object", "probability")
    for fact, support in facts_with_support(tables, columns, ("sentence", "doc_id", "score")):
        answer = answers.get(fact["fact_id"])
        if answer is None and not reject <= fact["probability"] < accept:
            continue
        support.sort(key=lambda row: -row["score"])
        made = {**fact, "subject": names[fact["subject"]], "object": names[fact["object"]], "state": OPEN}
        made.update(sentences=list(dict.fromkeys(row["sentence"] for row in support)))
        made.update(document=support[0]["doc_id"] if support else "")
        yield {**made, **({key: value for key, value in answer._asdict().items() if value} if answer else {})}
