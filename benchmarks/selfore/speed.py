"""One loop of SelfORE, all pairs learned and then read and clustered anew, against a plain loop over the same pairs."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.harness.call import Call
from benchmarks.harness.corpora import PairData
from benchmarks.harness.rbert import BATCH_SIZE, run_rbert
from benchmarks.selfore.corpora import ClusterData
from benchmarks.selfore.systems import loops, train_clusters

PEER = "peer:fine-tuning pass and encoding pass in plain PyTorch"


def time_a_loop(call: Call, name: str, data: ClusterData, seed: int) -> None:
    """Measure the processor time of both, of one thread. The peer learns gold relations: as many as clusters."""
    call.tell(f"{name}: time of a loop, seed {seed}")
    trained = train_clusters(call, data, data.whole, seed, loops(1))
    pairs = PairData(data.name, data.whole, data.held, {"test": data.whole}, key=f"selfore-{name}", marked=True)
    peer = run_rbert(pairs, seed=seed, settings=replace(call.settings, passes=1))
    encoding = trained.sentences / peer.result["predict_pairs_per_second"][f"cpu_batch_{BATCH_SIZE}"]
    seconds = {"default": trained.cpu_seconds, PEER: peer.result["train_cpu_seconds"] + encoding}
    described = f"{data.name}, {call.settings.precision}, {call.settings.threads} thread"
    for system, took in seconds.items():
        metrics = {"loop_seconds": took, "pairs_per_second": trained.sentences / took}
        if system != PEER:
            metrics["time_ratio"] = took / seconds[PEER]
        options = {"data": described, "split": f"K = {data.relations}", "system": system}
        call.record(f"{name}_loop", metrics, seed=seed, seconds=took, **options)
        call.tell(f"  {system}: {took:.0f} s")
