"""Shards by a local Ray cluster, one of whose actors is killed while it works."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any, Callable, List

import pytest

from benchmarks.extraction.kill import find_actors
from spacy_relext.corpora.loading import load_pipeline
from spacy_relext.corpora.texts import list_sources
from spacy_relext.extraction.manifest import plan
from spacy_relext.extraction.shards import Folder
from spacy_relext.extraction.workers import Job
from tests.extraction.conftest import CODE

ray = pytest.importorskip("ray", reason="needs the extra ray")

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Any:
    """Two processors of this machine."""
    # workers import the tests' pipeline
    environment = {"env_vars": {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}}
    options = {"log_to_driver": False, "include_dashboard": False, "object_store_memory": 80_000_000}
    ray.init(num_cpus=2, runtime_env=environment, **options)
    yield
    ray.shutdown()


@pytest.mark.long
def test_the_same_files_though_an_actor_is_killed(extract: Callable[..., Any], pipeline: str, tmp_path: Path) -> None:
    from spacy_relext.extraction.ray import Cluster, extract_with_ray

    texts = tmp_path / "in.txt"
    texts.write_text("".join(f"Ada{number} met Bo{number}.\n" for number in range(4000)), encoding="utf8")
    extract(texts, tmp_path / "one", size=50)
    nlp, sources = load_pipeline(pipeline), list_sources(texts)
    folder = Folder(tmp_path / "ray", "jsonl", 50)
    folder.prepare(plan(nlp, sources, {"format": "jsonl", "shard_size": 50}))
    killed: List[int] = []

    def kill() -> None:
        end = time.monotonic() + 120
        while time.monotonic() < end and not list(folder.path.glob("part-*")):
            time.sleep(0.05)
        for pid in find_actors()[:1]:
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)

    threading.Thread(target=kill, daemon=True).start()
    report = extract_with_ray(folder, Job(pipeline, CODE, batch_size=4), sources, Cluster(actors=2))
    assert killed and report.documents == 4000 and report.shards == 80
    names = [path.name for path in sorted((tmp_path / "one").iterdir()) if path.is_file()]
    assert names == [path.name for path in sorted((tmp_path / "ray").iterdir()) if path.is_file()]
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "ray" / name).read_bytes() for name in names)
    again = extract_with_ray(folder, Job(pipeline, CODE, batch_size=4), sources, Cluster(actors=2))
    assert again.before == 80 and again.documents == 4000
