"""Documents that a person corrects one after the other, and the application behind `spacy relext annotate correct`."""

import hashlib
from typing import TYPE_CHECKING, Callable, Dict, Iterable, List, Optional, Sequence

from spacy.tokens import Doc

from ..annotations.triple import Record
from ..corpora.canonical import check_record
from ..corpora.formats.answers import ANSWER_KEY, DONE, OPEN, SKIPPED, AnswerFile
from ..corpora.formats.checks import require
from ..corpora.formats.sources import parse_json, to_json
from ..errors import Errors, check_choice
from .templates import draw_page
from .web import (
    PRIVATE,
    TOKEN_HEADER,
    BadRequest,
    Guard,
    html_response,
    json_response,
    make_app,
    read_body,
    require_json,
)

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

SUGGESTED = ("score", "source", "evidence")

MAX_BODY = 16 * 1024 * 1024
PURPOSE = "`spacy relext annotate correct`"


class StaleAnswer(Exception):
    """An answer to a document whose state has changed in the meantime."""


class Correction:
    """Documents and the answers to them.

    records (Iterable[Record]): Canonical records; triples with a source are suggestions. A text that occurs again is
        left out.
    answers (AnswerFile): File that has the answers, and to which new ones are appended.
    make_doc (Callable[[str], Doc]): The tokenizer, whose tokens can be selected on the page.
    relations (Sequence[str]): Relations to choose from, besides those of the records.
    """

    def __init__(
        self,
        records: Iterable[Record],
        answers: AnswerFile,
        *,
        make_doc: Callable[[str], Doc],
        relations: Sequence[str] = (),
    ) -> None:
        self.records: List[Record] = []
        self.repeated = 0
        texts: Dict[str, int] = {}
        for record in records:
            if texts.setdefault(record["text"], len(self.records)) < len(self.records):
                self.repeated += 1
            else:
                self.records.append(mark_suggestions(record))
        self.answers, self._make_doc = answers, make_doc
        used = {triple["relation"] for record in self.records for triple in record["triples"]}
        self.relations = list(dict.fromkeys([*relations, *sorted(used)]))

    def count(self, answer: str) -> int:
        """Count the documents with an answer, such as "done"."""
        return sum(self._answer(number) == answer for number in range(len(self.records)))

    def next_open(self, number: int) -> Optional[int]:
        """Find the next open document from a number on, then from the start; None if there is none.

        number (int): Where to start, from 0.
        """
        total = len(self.records)
        order = (each % total for each in range(number, number + total))
        return next((each for each in order if self._answer(each) == OPEN), None)

    def read(self, number: int) -> Record:
        """Describe a document as the page shows it.

        number (int): Of the document, from 0.
        RETURNS (Record): `record`, with the triples of the last answer; `tokens` as character offsets; `version`, which
            an answer must repeat; what is left to do.
        """
        record = self._current(number)
        tokens = [[token.idx, token.idx + len(token)] for token in self._make_doc(record["text"]) if not token.is_space]
        return {"record": record, "tokens": tokens, **self._state(number)}

    def write(self, number: int, answer: Record) -> Record:
        """Write an answer to a document to the disk.

        answer (Record): `triples`, `rejected`, the answer under its key, and the `version` that it is based on.
        RETURNS (Record): The new `version`, and what is left to do.
        RAISES (ValueError): If the answer is malformed. (StaleAnswer): If the document has another version.
        """
        state = require(answer, ANSWER_KEY, str, name="the answer")
        check_choice(ANSWER_KEY, state, (OPEN, DONE, SKIPPED))
        current = self._current(number)
        if require(answer, "version", str, name="the answer") != _version(current):
            raise StaleAnswer
        lists = {key: require(answer, key, list, name="the answer") for key in ("triples", "rejected")}
        record = {key: value for key, value in current.items() if key not in (*lists, ANSWER_KEY, "incomplete")}
        record |= {"triples": lists["triples"], **({"rejected": lists["rejected"]} if lists["rejected"] else {})}
        record = check_record(record)
        if state == DONE and (count := sum(bool(triple.get("source")) for triple in record["triples"])):
            raise ValueError(Errors.R252.format(count=count))
        self.answers.append(record, answer=state)
        return self._state(number)

    def _current(self, number: int) -> Record:
        record = self.records[number]
        return self.answers.answers.get(record["text"], record)

    def _answer(self, number: int) -> str:
        return str(self._current(number).get(ANSWER_KEY, OPEN))

    def _state(self, number: int) -> Record:
        counts = {answer: self.count(answer) for answer in (DONE, SKIPPED)}
        return {"version": _version(self._current(number)), "next": self.next_open(number + 1), **counts}


def mark_suggestions(record: Record) -> Record:
    """Make a record to correct, without an answer and without suggestions that are annotated or rejected already."""
    record = {key: value for key, value in record.items() if key != ANSWER_KEY}
    triples = record.get("triples", [])
    known = {_key(each) for each in triples if not each.get("source")} | {
        _key(each) for each in record.get("rejected", [])
    }
    kept = []
    for triple in triples:
        if not triple.get("source") or _key(triple) not in known:
            kept.append({key: value for key, value in triple.items() if triple.get("source") or key not in SUGGESTED})
            known.add(_key(triple))
    return {**record, "triples": kept}


def _key(triple: Record) -> object:
    return (*triple["subject"], triple["relation"], *triple["object"])


def _version(record: Record) -> str:
    """Hash the state of a record; the hash is the same after a restart of the server."""
    return hashlib.sha256(to_json(record, sort_keys=True).encode("utf8")).hexdigest()[:16]


def make_correction_app(correction: Correction, *, hosts: Sequence[str]) -> "Starlette":
    """Make the application of a page to correct documents.

    hosts (Sequence[str]): Names with ports that requests may be for.
    RAISES (ImportError): If Starlette is not installed (extra `serve`).
    """
    guard = Guard(hosts)
    page = render_correction_page(correction, token=guard.token)

    def read_number(request: "Request") -> int:
        guard.check_token(request)
        number: int = request.path_params["number"]
        if number >= len(correction.records):
            raise BadRequest("no such document", 404)
        return number

    async def get_page(request: "Request") -> "Response":
        return html_response(page)

    async def get_document(request: "Request") -> "Response":
        return json_response(correction.read(read_number(request)))

    async def post_answer(request: "Request") -> "Response":
        require_json(request)
        number = read_number(request)
        return _write(correction, number, await read_body(request, MAX_BODY))

    routes = [
        ("GET", "/", get_page),
        ("GET", "/index.html", get_page),
        ("GET", "/documents/{number:int}", get_document),
        ("POST", "/documents/{number:int}", post_answer),
    ]
    return make_app(routes, purpose=PURPOSE, check=guard.check, headers=PRIVATE)


def _write(correction: Correction, number: int, body: bytes) -> "Response":
    """Write an answer to the disk. RAISES (BadRequest): If it is malformed, outdated, or cannot be written."""
    try:
        answer = parse_json(body.decode("utf8"))
        if not isinstance(answer, dict):
            raise ValueError("expected a JSON object")
        return json_response(correction.write(number, answer))
    except StaleAnswer:
        raise BadRequest("the document has another answer", 409) from None
    except (ValueError, RecursionError) as error:
        raise BadRequest(str(error)) from None
    except OSError as error:
        raise BadRequest(f"cannot write {correction.answers.path}: {error.strerror or error}", 507) from None


def render_correction_page(correction: Correction, *, token: str) -> str:
    """Make the page, which requests documents from its own server and sends it the answers.

    token (str): What the server expects in a header of each request.
    """
    data = {
        "token": token,
        "header": TOKEN_HEADER,
        "relations": correction.relations,
        "total": len(correction.records),
        "first": correction.next_open(0),
        "output": str(correction.answers.path),
    }
    return draw_page(
        "correction.html",
        title=f"Correct {correction.answers.path.name}",
        assets=("correction.css", "correction.js"),
        data=data,
        allowed=["connect-src 'self'"],
        total=len(correction.records),
    )
