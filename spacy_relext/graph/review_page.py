"""The page on which people review the facts of a graph, and its application."""

from typing import TYPE_CHECKING, Dict, Optional, Sequence

from ..annotations.triple import Record
from ..corpora.formats.sources import parse_json
from ..export.tables import GraphTables
from ..visuals.templates import draw_page
from ..visuals.web import (
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
from .page import collect_facts
from .review import OPEN, STATES, Answer, Reviews, match_answers

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

MAX_BODY = 64 * 1024
PURPOSE = "`spacy relext graph review`"


class Review:
    """The facts of a graph that a person goes through.

    reviews (Reviews): The answers so far, and to which new ones are appended.
    accept, reject (float): Facts at least as probable as `accept`, and those less probable than `reject`, are not shown
        unless they have an answer.
    by (str): Name of the person; "" if unknown.
    unused (List[Answer]): Answers about no fact of the graph.
    """

    def __init__(self, tables: GraphTables, reviews: Reviews, *, accept: float, reject: float, by: str = "") -> None:
        self.reviews, self.by = reviews, by
        self.answers, self.unused = match_answers(tables, reviews.answers)
        ids, probabilities = (tables.facts[name].to_pylist() for name in ("fact_id", "probability"))
        order = sorted(range(len(ids)), key=lambda row: (-probabilities[row], ids[row]))
        self.ids = [ids[row] for row in order if ids[row] in self.answers or reject <= probabilities[row] < accept]
        self.data = collect_facts(tables, self.ids)
        names, facts = self.data["entities"]["name"], self.data["facts"]
        relations = [each["name"] for each in self.data["relations"]]
        self._texts = [
            (names[subject], relations[relation], names[obj])
            for subject, relation, obj in zip(facts["subject"], facts["relation"], facts["object"])
        ]
        known = (tables.info.get("schema") or {}).get("relations", {})
        self.relations = sorted({*relations, *tables.facts["relation"].unique().to_pylist(), *known})

    def states(self) -> Sequence[Record]:
        """RETURNS (Sequence[Record]): What the page shows of the answer to each fact."""
        return [_shown(self.answers.get(number)) for number in self.ids]

    def write(self, number: int, values: Record) -> Record:
        """Write the answer to a fact to the disk.

        number (int): Position of the fact on the page.
        values (Record): `state`; for "edited" also `new_relation` and `swapped`.
        RETURNS (Record): The answer as the page shows it.
        RAISES (ValueError): If it is malformed.
        """
        state, relation, swapped = values.get("state"), values.get("new_relation", ""), values.get("swapped", False)
        if state not in STATES or not isinstance(relation, str) or not isinstance(swapped, bool):
            raise ValueError("expected a state, and perhaps new_relation and swapped")
        document = self.data["documents"][self.data["support"]["documents"][self.data["support"]["starts"][number]][0]]
        answer = Answer(*self._texts[number], state, document, relation, swapped, self.by)
        before = self.answers.get(self.ids[number])
        if before is not None:  # so that it replaces the answer
            answer = answer._replace(subject=before.subject, object=before.object, document=before.document)
        self.answers[self.ids[number]] = self.reviews.append(answer)
        return _shown(answer)


def _shown(answer: Optional[Answer]) -> Record:
    if answer is None:
        return {"state": OPEN}
    return {"state": answer.state, "relation": answer.new_relation, "swapped": answer.swapped, "by": answer.by}


def make_review_app(review: Review, *, hosts: Sequence[str]) -> "Starlette":
    """Make the application of a page to review facts.

    hosts (Sequence[str]): Names with ports that requests may be for.
    RAISES (ImportError): If Starlette is not installed (extra `serve`).
    """
    guard = Guard(hosts)

    async def get_page(request: "Request") -> "Response":
        return html_response(render_review_page(review, token=guard.token))

    async def post_answer(request: "Request") -> "Response":
        require_json(request)
        guard.check_token(request)
        number: int = request.path_params["number"]
        if number >= len(review.ids):
            raise BadRequest("no such fact", 404)
        try:
            values = parse_json((await read_body(request, MAX_BODY)).decode("utf8"))
            return json_response(review.write(number, values if isinstance(values, dict) else {}))
        except (ValueError, RecursionError) as error:
            raise BadRequest(str(error)) from None
        except OSError as error:
            raise BadRequest(f"cannot write {review.reviews.path}: {error.strerror or error}", 507) from None

    routes = [("GET", "/", get_page), ("POST", "/facts/{number:int}", post_answer)]
    return make_app(routes, purpose=PURPOSE, check=guard.check, headers=PRIVATE)


def render_review_page(review: Review, *, token: str) -> str:
    """Make the page, which sends the answers to its own server.

    token (str): What the server expects in a header of each request.
    """
    page: Dict[str, object] = {"token": token, "header": TOKEN_HEADER, "states": review.states()}
    page["choices"] = review.relations
    return draw_page(
        "review.html",
        title="Review facts",
        assets=("review.css", "review.js"),
        data={**review.data, **page},
        allowed=["connect-src 'self'"],
        total=len(review.ids),
    )
