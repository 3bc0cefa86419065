"""Bodies of requests to `spacy relext serve`, damaged: an answer of one line, and never a failure of the server."""

import json
import random

import pytest

pytest.importorskip("starlette")
pytest.importorskip("httpx")

from starlette.testclient import TestClient  # noqa: E402

from spacy_relext.extraction.service import Limits, Service, make_service_app  # noqa: E402
from tests.cli.fake_pipeline import make_pipeline  # noqa: E402
from tests.fuzz.mutators import mutate  # noqa: E402
from tests.fuzz.runner import fuzz  # noqa: E402

ENTITY = {"start": 0, "end": 3, "label": "PERSON"}
BODY = json.dumps({"texts": ["Ada met Bo.", {"text": "Cy saw Di.", "id": "x", "entities": [ENTITY]}]}).encode()
FORM = b"text=Ada+met+Bo.+%F0%9F%98%80&x=y"
KINDS = {
    "/extract": ("application/json", BODY),
    "/page": ("application/x-www-form-urlencoded", FORM),
    "/extract.json": ("application/x-www-form-urlencoded", FORM),
}


@pytest.mark.parametrize("path", KINDS)
def test_requests(path: str) -> None:
    kind, body = KINDS[path]
    service = Service(make_pipeline(), Limits(bytes=4_000, texts=5, characters=1_000), hosts=["testserver"])
    with TestClient(make_service_app(service)) as client:

        def run(rng: random.Random) -> None:
            answer = client.post(path, content=mutate(body, rng), headers={"Content-Type": kind})
            assert answer.status_code in (200, 400, 413) and "Traceback" not in answer.text
            if path == "/extract":
                documents = answer.json().get("documents", [])
                assert answer.status_code != 200 or all("text" in each for each in documents)

        fuzz(f"POST {path}", run)
