"""The service: JSON in and out, bad requests, batches of concurrent requests, the page."""

import asyncio
import json
import threading
from typing import Any, Iterator, List

import pytest

pytest.importorskip("httpx")
pytest.importorskip("starlette")

import spacy  # noqa: E402
from starlette.testclient import TestClient  # noqa: E402

from spacy_relext.extraction.batcher import Batcher, Overloaded  # noqa: E402
from spacy_relext.extraction.service import Limits, Service, is_loopback, make_service_app  # noqa: E402
from tests.cli.fake_pipeline import make_pipeline  # noqa: E402
from tests.visuals.browser import drive_browser, needs_driver, serve_app  # noqa: E402


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    service = Service(make_pipeline(), Limits(bytes=2000, texts=5, characters=100), hosts=["testserver"])
    with TestClient(make_service_app(service)) as client:
        yield client


def post(client: TestClient, value: Any) -> Any:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return client.post("/extract", content=data, headers={"Content-Type": "application/json"})


def test_texts_become_records(client: TestClient) -> None:
    (record,) = post(client, {"text": "Ada met Bo."}).json()["documents"]
    assert record["text"] == "Ada met Bo." and record["triples"][0]["object_text"] == "Bo"
    assert record["triples"][0]["score"] == 0.9 and record["doc_id"] == "1"
    answer = post(client, {"texts": ["Nobody.", {"text": "Cy saw Di.", "id": "x"}]}).json()["documents"]
    assert [len(each["triples"]) for each in answer] == [0, 1] and answer[1]["doc_id"] == answer[1]["id"] == "x"
    assert post(client, {"texts": []}).json() == {"documents": []}


def test_given_entities_are_kept(client: TestClient) -> None:
    entity = {"start": 0, "end": 3, "label": "PERSON"}
    (record,) = post(client, {"texts": [{"text": "Ada met Bo.", "entities": [entity]}]}).json()["documents"]
    assert record["entities"] == [entity] and record["triples"]


def test_markup_is_read_or_warned_of(client: TestClient) -> None:
    page = {"text": "<p>Ada <b>met</b>&nbsp;Bo.", "entities": [{"start": 3, "end": 6, "label": "PERSON"}]}
    (record,) = post(client, {**page, "format": "html"}).json()["documents"]
    assert record["text"] == "Ada met Bo." and record["triples"] and "entities" not in record
    assert record["passages"] == [{"start": 0, "end": 11, "line": 1, "element": "p"}] and "warning" not in record
    (record,) = post(client, page).json()["documents"]
    assert record["text"] == page["text"] and "W204" in record["warning"]
    assert post(client, {"text": "*Ada* met Bo.", "format": "markdown"}).json()["documents"][0]["triples"]
    assert post(client, {"text": "<b>" * 30, "format": "html"}).status_code == 400


@pytest.mark.parametrize(
    "body, status, message",
    [
        (b"", 400, "no JSON"),
        (b"{", 400, "no JSON"),
        (b"\xff", 400, "no JSON"),
        (b"[" * 1500, 400, "no JSON"),
        ([], 400, "expected an object"),
        ({}, 400, "expected an object"),
        ({"text": "a", "texts": []}, 400, "expected an object"),
        ({"text": 5}, 400, "text 1 is neither"),
        ({"texts": "abc"}, 400, "no list"),
        ({"texts": ["a", None]}, 400, "text 2 is neither"),
        (b'{"text": "\\ud800"}', 400, "surrogate"),
        ({"texts": [{"text": "Ada", "entities": [{"start": 0, "end": 99, "label": "X"}]}]}, 400, "text 1: "),
        ({"text": "x" * 101}, 413, "101 characters; at most 100"),
        ({"texts": ["a"] * 6}, 413, "6 texts; at most 5"),
        (b" " * 2001, 413, "more than 2000 bytes"),
    ],
)
def test_bad_requests_are_one_line(client: TestClient, body: Any, status: int, message: str) -> None:
    answer = post(client, body)
    assert answer.status_code == status and message in answer.json()["error"]
    assert answer.text.count("\n") == 1 and "Traceback" not in answer.text


def test_other_hosts_types_and_methods_are_refused(client: TestClient) -> None:
    assert client.post("/extract", content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415
    assert client.get("/health", headers={"Host": "evil.example:8000"}).status_code == 421
    assert client.get("/extract").status_code == 405 and client.get("/other").status_code == 404
    assert all(map(is_loopback, ("127.0.0.1", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "x.org")))


def test_health_and_the_page(client: TestClient) -> None:
    health = client.get("/health").json()
    assert health["status"] == "ok" and health["texts"] >= 0
    page = client.get("/")
    assert 'name="text"' in page.text and "<script" not in page.text
    assert "default-src 'none'; script-src 'none'" in page.text
    answer = client.post("/page", data={"text": "<b>Ada</b> met Bo.\r\nAda met Bo."})
    assert answer.status_code == 200 and "<svg" in answer.text and "<b>Ada</b>" not in answer.text
    answer = client.post("/extract.json", data={"text": "Ada met Bo."})
    assert "attachment" in answer.headers["content-disposition"] and answer.json()["triples"]
    assert client.post("/page", data={"text": "x" * 101}).status_code == 413
    assert client.post("/page", content=b"").status_code == 200


def test_a_text_that_fails_does_not_fail_the_others(failing: str) -> None:
    with TestClient(make_service_app(Service(spacy.load(failing)))) as client:
        first, second = post(client, {"texts": ["fail", "Ada met Bo."]}).json()["documents"]
    assert first == {"text": "fail", "error": "RuntimeError: this text is not for me"} and second["triples"]


def test_concurrent_requests_share_batches() -> None:
    sizes: List[int] = []

    def double(items: List[int]) -> List[int]:
        sizes.append(len(items))
        return [2 * item for item in items]

    async def main() -> List[List[int]]:
        batcher = Batcher(double, batch_size=8)
        batcher.start()
        results = await asyncio.gather(*(batcher.submit([n, n + 1]) for n in range(20)))
        await batcher.stop()
        return results

    assert asyncio.run(main()) == [[2 * n, 2 * n + 2] for n in range(20)]
    assert sum(sizes) == 40 and max(sizes) == 8 and len(sizes) == 5


def test_stopping_leaves_nobody_waiting() -> None:
    """Neither the items of the running batch nor those behind it."""
    started, go = threading.Event(), threading.Event()

    def wait(items: List[int]) -> List[int]:
        started.set()
        go.wait(10)
        return items

    async def stop() -> List[Any]:
        batcher = Batcher(wait, batch_size=1)
        batcher.start()
        submitted = [asyncio.ensure_future(batcher.submit([number])) for number in range(3)]
        await asyncio.to_thread(started.wait, 10)
        asyncio.get_running_loop().call_later(0.1, go.set)
        await batcher.stop()
        return await asyncio.wait_for(asyncio.gather(*submitted, return_exceptions=True), 10)

    assert all(isinstance(each, asyncio.CancelledError) for each in asyncio.run(stop()))


def test_errors_and_overload_reach_those_who_wait() -> None:
    def fail(items: List[int]) -> List[int]:
        raise RuntimeError("broken")

    async def main() -> None:
        batcher = Batcher(fail, most=3)
        batcher.start()
        with pytest.raises(RuntimeError, match="broken"):
            await batcher.submit([1])
        with pytest.raises(Overloaded):
            await batcher.submit([1, 2, 3, 4])
        gone = asyncio.ensure_future(batcher.submit([5]))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(RuntimeError):
            await batcher.submit([6])
        await batcher.stop()

    asyncio.run(main())


@needs_driver
def test_the_page_in_a_browser() -> None:
    service = Service(make_pipeline(), hosts=["127.0.0.1"])
    with serve_app(lambda port: make_service_app(service)) as url, drive_browser() as browser:
        page = browser.new_page()
        messages: List[str] = []
        page.on("console", lambda message: messages.append(message.text))
        page.goto(url)
        page.get_by_label("Text").fill("<script>alert(1)</script> Ada met Bo. 😀 Cy saw Di.")
        page.get_by_role("button", name="Extract").click()
        frame = page.frame_locator("iframe")
        frame.locator("svg").first.wait_for()
        assert "<script>alert(1)</script>" in frame.locator("body").inner_text()
        assert frame.locator("table").first.inner_text().count("fake") == 2
        frame.locator("#least").fill("0.5")
        with page.expect_download() as download:
            page.get_by_role("button", name="Download JSON").click()
        record = json.loads(download.value.path().read_text(encoding="utf8"))
        assert [triple["object_text"] for triple in record["triples"]] == ["Bo", "Di"]
        assert messages == []


def test_many_clients_and_aborted_connections() -> None:
    """Every answer is that of its own request; clients that leave do no harm."""
    import httpx

    service = Service(make_pipeline(), hosts=["127.0.0.1"])
    with serve_app(lambda port: make_service_app(service)) as url:
        host, port = url.removeprefix("http://").strip("/").split(":")

        async def one(client: httpx.AsyncClient, number: int) -> None:
            if number % 10 == 0:
                _, writer = await asyncio.open_connection(host, int(port))
                writer.write(b"POST /extract HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{")
                await writer.drain()
                writer.close()
            answer = await client.post(f"{url}extract", json={"text": f"Ada{number} met Bo{number}."})
            (record,) = answer.json()["documents"]
            assert record["triples"][0]["subject_text"] == f"Ada{number}"

        async def main() -> None:
            gate = asyncio.Semaphore(16)

            async def limited(client: httpx.AsyncClient, number: int) -> None:
                async with gate:
                    await one(client, number)

            async with httpx.AsyncClient(timeout=60) as client:
                await asyncio.gather(*(limited(client, number) for number in range(200)))
                health = (await client.get(f"{url}health")).json()
            assert health["texts"] == 200 and health["batches"] < 200

        asyncio.run(main())
