"""Time and memory for unusually large input: a sentence with very many entities, a very long document."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.extraction.data import save_tiny_pipeline, write_texts
from benchmarks.harness.call import Call
from benchmarks.harness.runs import ROOT

# As `make all` trains them.
PIPELINES = {
    "RERE": "rere/tuned",
    "KD4NRE": "kd/tuned",
    "NERO": "nero/model-best",
    "SelfORE": "selfore/model-best",
    "HRERE": "hrere/tuned",
}
# Widths of RERE's encoders: the default without a download, and a small one.
WIDTHS = (96, 48)
# Loads a pipeline, reads JSON from stdin, and prints processor seconds, MiB before and at the peak, and triples.
# A list of words is a sentence with an entity at every other word; a string is a document.
MEASURE = """
import json, resource, sys, time
import spacy, torch
from spacy.tokens import Doc, Span

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

torch.set_num_threads(1)
nlp = spacy.load(sys.argv[1])
value = json.load(sys.stdin)
doc = nlp.make_doc(value) if isinstance(value, str) else Doc(nlp.vocab, words=value)
if not isinstance(value, str):
    for number, token in enumerate(doc):
        token.is_sent_start = number == 0
    doc.set_ents([Span(doc, i, i + 1, "GPE" if i % 4 else "PERSON") for i in range(0, len(doc) - 1, 2)])
before, started = peak(), time.process_time()
for name, pipe in nlp.pipeline:
    if isinstance(value, str) or name not in ("sentencizer", "ner", "entity_rules"):
        doc = pipe(doc)
print(json.dumps([time.process_time() - started, before, peak(), len(doc._.triples)]))
"""


def crowded(call: Call) -> None:
    """A sentence of 500 entities, processed by each of the pipelines of `make all`."""
    entities = call.maker.limit_train or 500
    words = [word for number in range(entities) for word in (f"Ada{number}", "and")] + ["."]
    for split, name in PIPELINES.items():
        if call.wants(split):
            _measure(call, ROOT / "training" / name, words, data=f"{entities} entities in a sentence", split=split)


def long(call: Call) -> None:
    """A document of 1,000,000 characters, and parts of it, processed by tiny pipelines."""
    folder = call.settings.runs / "long"
    lines = write_texts(folder / "texts.jsonl", 30_000).read_text(encoding="utf8").splitlines()
    text = " ".join(json.loads(line)["text"] for line in lines)
    most = call.maker.limit_train or 1_000_000
    for width in WIDTHS:
        pipeline, split = save_tiny_pipeline(folder / str(width), width=width), f"two CNNs of width {width}"
        for size in (most // 10, most // 2, most) if call.wants(split) else ():
            _measure(call, pipeline, text[:size], data=f"{size:,} characters", split=split)


def _measure(call: Call, pipeline: Path, value: str | Sequence[str], *, data: str, split: str) -> None:
    """Run a pipeline in a process of its own, and record its row."""
    command = [sys.executable, "-c", MEASURE, str(pipeline)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    found = subprocess.run(command, input=json.dumps(value), capture_output=True, text=True, env=environment)
    if found.returncode:
        raise ValueError(f"{pipeline}: {found.stderr.strip().splitlines()[-1]}")
    seconds, before, peak, triples = json.loads(found.stdout.splitlines()[-1])
    metrics = {"cpu_seconds": seconds, "loaded_mib": before, "peak_mib": peak, "triples_found": float(triples)}
    call.record("extraction_large", metrics, data=data, split=split, system="default", seed=0)
    call.tell(f"{split}, {data}: {seconds:.1f} s, {peak:.0f} MiB, {triples} triples")
