"""Extraction of shards by the actors of a Ray cluster.

Ray Data hands out the shards, and hands out again those of an actor that died. All else is as with one process: the
folder, which all machines must share, has the same files, byte for byte, and a run that was stopped resumes.
"""

from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from ..bridge.modules import use_one_thread
from ..corpora.texts import Source, Unit
from ..errors import Errors, check_range, require
from .shards import Folder, Progress, ShardReport
from .workers import Extractor, Job, load_job


@dataclass
class Cluster:
    """Where and how to run.

    address (Optional[str]): Address of a cluster, or "auto"; None: one that Ray finds, or a new one on this machine.
    actors (int): Number of actors, each with a copy of the pipeline.
    gpus (float): GPUs per actor, which may be a fraction.
    """

    address: Optional[str] = None
    actors: int = 2
    gpus: float = 0.0


# As `extract --ray` names them.
CLUSTER_SETTINGS = ("actors", "address", "gpus")


def make_cluster(settings: Mapping[str, object]) -> Optional[Cluster]:
    """Make a cluster of settings as text; None without any. RAISES (ValueError): If a number is bad or out of range."""
    if not settings:
        return None
    numbers = {"actors": 2.0, "gpus": 0.0}
    for name, low in (("actors", 1.0), ("gpus", 0.0)):
        text = str(settings.get(name, numbers[name]))
        try:
            numbers[name] = float(text)
        except ValueError:
            raise ValueError(Errors.R107.format(option=f"--ray {name}", found=text, expected="a number")) from None
        check_range(f"--ray {name}", numbers[name], low, 1e6)
    address = settings.get("address")
    return Cluster(None if address is None else str(address), int(numbers["actors"]), numbers["gpus"])


def extract_with_ray(
    folder: Folder, job: Job, sources: Sequence[Source], cluster: Cluster, *, progress: Optional[Progress] = None
) -> ShardReport:
    """Extract the missing shards of a prepared folder, and complete it.

    progress (Optional[Progress]): Wraps the stream of finished shards; also gets their number.
    RAISES (ImportError): If Ray is not installed (extra `ray`).
    """
    data: Any = require("ray.data", purpose="`extract --ray`", extra="ray")
    ray: Any = require("ray", purpose="`extract --ray`", extra="ray")
    if not ray.is_initialized():
        ray.init(address=cluster.address, log_to_driver=False, include_dashboard=False, configure_logging=False)
    report = ShardReport()
    names = [name for number, source in enumerate(sources) for name in _shard_names(number, source, folder.size)]
    missing = [each for each in names if not folder.has(each[0])]
    report.before = len(names) - len(missing)
    if missing:
        data.DataContext.get_current().enable_progress_bars = False
        rows = [{"name": name, "source": source, "index": index} for name, source, index in missing]
        shards = data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            ShardActor,
            fn_constructor_kwargs={"folder": replace(folder, report=_quiet), "job": job, "sources": list(sources)},
            batch_size=1,
            concurrency=min(cluster.actors, len(rows)),
            num_gpus=cluster.gpus,
        )
        done: Iterable[Any] = shards.iter_rows()
        for _ in done if progress is None else progress(done, len(rows)):
            pass
    folder.complete(report)
    return report


class ShardActor:
    """Extracts shards; Ray Data creates and calls it."""

    def __init__(self, folder: Folder, job: Job, sources: List[Source]) -> None:
        use_one_thread()
        self.folder, self.sources = folder, sources
        self.extractor = Extractor(job, load_job(job))
        self._cursors: Dict[int, _Cursor] = {}

    def __call__(self, batch: Dict[str, Any]) -> Dict[str, Any]:
        """Extract the shards of a batch that do not exist yet: an actor may have died after it wrote one."""
        for name, number, index in zip(batch["name"], batch["source"], batch["index"]):
            if not self.folder.has(str(name)):
                cursor = self._cursors.setdefault(int(number), _Cursor(self.sources[int(number)]))
                units = cursor.take(int(index) * self.folder.size, self.folder.size)
                self.folder.extract(self.extractor, str(name), self.sources[int(number)], units)
        return {"name": batch["name"]}


class _Cursor:
    """Reads units of a source at increasing positions, without starting over each time."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._units, self._place = source.units(), 0

    def take(self, start: int, count: int) -> List[Unit]:
        """Return the next `count` units from a position on."""
        if start < self._place:
            self._units, self._place = self.source.units(), 0
        for _ in islice(self._units, start - self._place):
            pass
        taken = list(islice(self._units, count))
        self._place = start + len(taken)
        return taken


def _shard_names(number: int, source: Source, size: int) -> Iterator[Tuple[str, int, int]]:
    """Yield name, source and index of each shard."""
    for index in range(-(-source.count() // size)):
        yield Folder.name(number, index), number, index


def _quiet(message: str) -> None:
    """Report nothing: the rows of errors.jsonl have all messages."""
