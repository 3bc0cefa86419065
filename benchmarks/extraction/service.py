"""Load test of the service: many clients, good and bad requests, aborted connections, restarts."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import spacy

from benchmarks.extraction.data import save_tiny_pipeline, write_texts
from benchmarks.harness.call import Call
from spacy_relext.export.records import extraction_record

MOST_BYTES = 20_000
JSON = {"Content-Type": "application/json"}
# Relation, subject, object, score.
Triples = list[tuple[str, str, str, float]]


@dataclass
class Server:
    """A service in a process of its own, which can be stopped and restarted.

    pipeline (Path): Its pipeline.
    port (int): Port on which it listens.
    """

    pipeline: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """RETURNS (str): Address of the service."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = ["--port", str(self.port), "--max-bytes", str(MOST_BYTES)]
        command = [sys.executable, "-m", "spacy_relext", "serve", str(self.pipeline), *options]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
        while True:
            try:
                httpx.get(f"{self.url}/health", timeout=5, trust_env=False).raise_for_status()
                return
            except httpx.TransportError:
                if self.process.poll() is not None:
                    raise ValueError(f"the service on port {self.port} ended with {self.process.returncode}") from None
                time.sleep(0.1)

    def end(self, number: int = signal.SIGTERM) -> None:
        """Stop it with a signal."""
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(30)

    def memory_mib(self) -> float:
        """RETURNS (float): Its resident memory, in MiB."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf8")
        return next(float(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


@dataclass
class Load:
    """What clients send, and what they receive.

    texts (list[str]): Texts of the good requests.
    expected (list[Triples]): What the pipeline finds in each by itself.
    seconds (list[float]): Response time of each good request.
    statuses (Counter[int]): Answers by status.
    wrong (list[str]): Descriptions of wrong answers.
    retries (int): Requests that were sent again after the service had been restarted.
    """

    texts: list[str]
    expected: list[Triples]
    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    retries: int = 0


def service(call: Call) -> None:
    """2,000 requests by 32 clients, one in four malformed or aborted; then as many during two restarts."""
    requests = call.maker.limit_train or 2000
    folder = call.settings.runs / "service"
    pipeline = save_tiny_pipeline(folder / "pipeline")
    texts = [json.loads(line)["text"] for line in write_texts(folder / "texts.jsonl", 1000).open(encoding="utf8")]
    for seed in call.seeds:
        load = prepare_load(pipeline, texts)
        with serving(pipeline) as server:
            run_load(load, server, requests=max(requests // 4, 1), seed=seed)  # warm-up: memory grows to its usual size
            early = server.memory_mib()
            load.seconds.clear()
            started = time.perf_counter()
            run_load(load, server, requests=requests, seed=seed + 1)
            seconds = time.perf_counter() - started
            late = server.memory_mib()
            quantiles = statistics.quantiles(load.seconds, n=100)
            run_load(load, server, requests=requests, seed=seed + 2, restarts=(signal.SIGTERM, signal.SIGKILL))
        metrics = {
            "requests_per_second": requests / seconds,
            "p50_milliseconds": 1000 * quantiles[49],
            "p99_milliseconds": 1000 * quantiles[98],
            "wrong_answer_count": float(len(load.wrong)),
            "refused_count": float(sum(count for status, count in load.statuses.items() if status >= 400)),
            "sent_again_count": float(load.retries),
            "peak_mib": late,
            "growth_ratio": late / early,
        }
        data = f"{requests} requests, 32 clients"
        call.record("extraction_service", metrics, data=data, split="all", system="default", seed=seed)
        call.tell(f"{dict(load.statuses)}; " + ", ".join(f"{key} {value:.2f}" for key, value in metrics.items()))
        if load.wrong:
            raise ValueError(f"{len(load.wrong)} wrong answers, the first: {load.wrong[0]}")


def prepare_load(pipeline: Path, texts: list[str]) -> Load:
    """Run the pipeline itself over the texts, one by one, for the expected triples."""
    nlp = spacy.load(pipeline)
    return Load(texts, [_triples(extraction_record(nlp(text), number=1)) for text in texts])


@contextmanager
def serving(pipeline: Path) -> Iterator[Server]:
    """Serve on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = Server(pipeline, probe.getsockname()[1])
    server.start()
    try:
        yield server
    finally:
        server.end(signal.SIGKILL)


def run_load(
    load: Load, server: Server, *, requests: int, seed: int, clients: int = 32, restarts: tuple[int, ...] = ()
) -> None:
    """Send requests from concurrent clients.

    restarts (tuple[int, ...]): Signals that stop the service, evenly spaced; it is restarted each time.
    """
    asyncio.run(_run_load(load, server, requests, seed, clients, restarts))


async def _run_load(
    load: Load, server: Server, requests: int, seed: int, clients: int, restarts: tuple[int, ...]
) -> None:
    """Share the requests out among the clients."""
    numbers = iter(range(requests))
    moments = {requests * (index + 1) // (len(restarts) + 1): number for index, number in enumerate(restarts)}

    async def be_client(client: httpx.AsyncClient) -> None:
        for number in numbers:
            if number in moments:
                await asyncio.to_thread(_restart, server, moments[number])
            await _request(load, server, client, random.Random(f"{seed} {number}"), patient=bool(restarts))

    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        await asyncio.gather(*(be_client(client) for _ in range(clients)))


def _restart(server: Server, number: int) -> None:
    """Stop the service with a signal, and restart it."""
    server.end(number)
    server.start()


async def _request(load: Load, server: Server, client: httpx.AsyncClient, rng: random.Random, *, patient: bool) -> None:
    """Send one request of any kind."""
    kind = rng.choices(("good", "malformed", "aborted"), (75, 20, 5))[0]
    if kind == "aborted":
        await _abort(server, rng)
        return
    if kind == "malformed":
        body, status = rng.choice(MALFORMED)(rng)
        answer = await _post(load, server, client, body, patient=patient)
        if answer.status_code != status or answer.text.count("\n") != 1:
            load.wrong.append(f"{answer.status_code} instead of {status} for {body[:60]!r}")
        return
    chosen = [rng.randrange(len(load.texts)) for _ in range(rng.randint(1, 4))]
    body = json.dumps({"texts": [load.texts[number] for number in chosen]}).encode()
    started = time.perf_counter()
    answer = await _post(load, server, client, body, patient=patient)
    load.seconds.append(time.perf_counter() - started)
    found = [_triples(record) for record in answer.json().get("documents", [])]
    if not _equal(found, [load.expected[number] for number in chosen]):
        load.wrong.append(f"{answer.status_code}: {found} for {body[:200]!r}")


async def _post(load: Load, server: Server, client: httpx.AsyncClient, body: bytes, *, patient: bool) -> httpx.Response:
    """Post a body, and retry while the service is down if restarts are expected."""
    while True:
        try:
            answer = await client.post(f"{server.url}/extract", content=body, headers=JSON)
        except httpx.TransportError:
            if not patient:
                raise
            load.retries += 1
            await asyncio.sleep(0.2)
            continue
        load.statuses[answer.status_code] += 1
        return answer


async def _abort(server: Server, rng: random.Random) -> None:
    """Start a request, and disconnect: in the middle of the body, or before the answer."""
    body = json.dumps({"text": "Ada Holm was born in Bergen."}).encode()
    sent = body[: rng.randint(0, len(body))]
    head = f"POST /extract HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head.encode() + b"\r\n\r\n" + sent)
        await writer.drain()
        writer.close()
    except OSError:
        pass  # the service is being restarted


def _cut(rng: random.Random) -> bytes:
    """RETURNS (bytes): Valid JSON without its end."""
    body = json.dumps({"texts": ["Ada Holm was born in Bergen.", "Rain fell all day."]}).encode()
    return body[: rng.randint(1, len(body) - 1)]


# Body, and the expected status; the first has one byte, the last two are as long as allowed, and longer.
MALFORMED: tuple[Callable[[random.Random], tuple[bytes, int]], ...] = (
    lambda rng: (bytes([rng.randrange(256)]), 400),
    lambda rng: (_cut(rng), 400),
    lambda rng: (rng.randbytes(rng.randint(1, 2000)), 400),
    lambda rng: (b'{"text": "\\ud800"}', 400),
    lambda rng: (b'{"texts": [{"text": "Ada", "entities": [{"start": 0, "end": 99, "label": "X"}]}]}', 400),
    lambda rng: (b"[" * MOST_BYTES, 400),
    lambda rng: (b" " * (MOST_BYTES + rng.randint(1, MOST_BYTES)), 413),
)


def _triples(record: dict[str, Any]) -> Triples:
    """Reduce a record to its triples."""
    keys = ("relation", "subject_text", "object_text", "score")
    return [tuple(triple[key] for key in keys) for triple in record["triples"]]


def _equal(found: list[Triples], expected: list[Triples]) -> bool:
    """Compare triples; the last digits of a score depend on the other texts of its batch."""
    names, scores = [], []
    for texts in (found, expected):
        names.append([[triple[:3] for triple in triples] for triples in texts])
        scores.append([triple[3] for triples in texts for triple in triples])
    return names[0] == names[1] and all(abs(a - b) < 1e-4 for a, b in zip(*scores))
