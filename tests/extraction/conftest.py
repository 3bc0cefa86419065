from pathlib import Path
from typing import Any, Callable, List

import pytest

from spacy_relext.annotations.triple import Record
from spacy_relext.corpora.loading import load_pipeline
from spacy_relext.corpora.records import read_jsonl
from spacy_relext.corpora.texts import list_sources
from spacy_relext.extraction.manifest import plan
from spacy_relext.extraction.shards import Folder, ShardReport
from spacy_relext.extraction.workers import Extractor, Job
from tests.cli.fake_pipeline import save_pipeline

CODE = Path(__file__).resolve().parent / "failing_pipeline.py"


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_pipeline(tmp_path_factory.mktemp("pipelines") / "plain")


@pytest.fixture(scope="session")
def failing(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A pipeline that fails at the word "fail", and whose process ends at the word "die"."""
    from tests.extraction.failing_pipeline import save_failing

    return save_failing(tmp_path_factory.mktemp("pipelines") / "failing")


@pytest.fixture
def extract(pipeline: str) -> Callable[..., ShardReport]:
    """Extract an input into a folder of shards."""

    def run(
        source: Path, folder: Path, *, path: str = pipeline, overwrite: bool = False, **options: Any
    ) -> ShardReport:
        nlp = load_pipeline(path)
        job = Job(path, CODE, batch_size=options.pop("batch_size", 4))
        settings = {"format": options.get("format", "jsonl"), "shard_size": options.get("size", 10)}
        n_process, input_format = options.pop("n_process", 1), options.pop("input_format", None)
        shards = Folder(folder, **{"format": "jsonl", "size": 10, **options})
        sources = list_sources(source, input_format=input_format)
        shards.prepare(plan(nlp, sources, settings), overwrite=overwrite)
        with Extractor(job, nlp, n_process=n_process) as extractor:
            return shards.run(extractor, sources)

    return run


def read_shards(folder: Path) -> List[Record]:
    """Read the records of all shards in their order."""
    return [record for path in sorted(folder.glob("part-*.jsonl")) for record in read_jsonl(path)]
