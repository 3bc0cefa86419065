"""Speed and memory of labelling a corpus with a knowledge base, on random sentences.

As a program it aligns once and prints its figures as JSON; the third argument is `align`, or `docs` to only read and
write the same corpus as Docs:

    python -m benchmarks.kb.align FOLDER 20000 align
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy
import spacy
from spacy.tokens import Doc

from benchmarks.harness.call import Call
from benchmarks.harness.runs import run_module
from benchmarks.harness.stopwatch import peak_memory
from spacy_relext.corpora.shards import GOLD_ATTRS, ShardWriter, freeze_objects, iter_docs
from spacy_relext.kb.align_corpus import align_corpus
from spacy_relext.kb.alignment import Aligner
from spacy_relext.kb.facts import FactIndex, Names, TripleStore

SIZES = (20_000, 100_000)
ENTITIES, FACTS, RELATIONS, WORDS, SHARD = 50_000, 300_000, 20, 20_000, 10_000
SYSTEMS = {"align": "default", "docs": "peer:reading and writing Docs, nothing looked for"}


def align(call: Call) -> None:
    """Align corpora of increasing size, each in a process of its own."""
    for count in SIZES:
        described = (
            f"{count:,} drawn sentences of about 19 tokens, {2 * ENTITIES:,} names, files of {SHARD:,} sentences"
        )
        folder = call.settings.runs / f"drawn-sentences-{count}"
        for what, system in SYSTEMS.items():
            metrics = json.loads(run_module("benchmarks.kb.align", folder, count, what, threads=1).splitlines()[-1])
            seconds = count / metrics["sentences_per_second"]
            call.record("align", metrics, data=described, split="text", system=system, seed=0, seconds=seconds)
            call.tell(f"{count:,} sentences, {system}: {metrics}")


def draw_store() -> TripleStore:
    """RETURNS (TripleStore): Random facts between entities with two names each."""
    ids = [f"Q{number:06d}" for number in range(ENTITIES)]
    names = {each: Names(f"Na{n} Sur{n % 3000}", (f"Al{n}",)) for n, each in enumerate(ids)}
    drawn = numpy.random.default_rng(0).integers(0, [ENTITIES, RELATIONS, ENTITIES], (FACTS, 3))
    triples = numpy.unique(drawn, axis=0).astype("int32")
    return TripleStore(ids, [f"r{number}" for number in range(RELATIONS)], triples, names=names)


def draw_corpus(folder: Path, store: TripleStore, *, count: int) -> None:
    """Write sentences that name the two entities of a fact among random words."""
    rng, vocab = random.Random(0), spacy.blank("en").vocab
    known = [f"w{number}" for number in range(WORDS)]
    with ShardWriter(folder, shard=SHARD, attrs=GOLD_ATTRS) as writer:
        for _ in range(count):
            words = [rng.choice(known) for _ in range(18)]
            subject, _, obj = store.triples[rng.randrange(len(store))].tolist()
            for at, entity in ((12, obj), (4, subject)):
                names = store.names[store.entities[entity]]
                words[at : at + 1] = rng.choice((names.label, names.aliases[0])).split()
            doc = Doc(vocab, words=words)
            doc[0].is_sent_start = True
            writer.add(doc)


class TimedAligner(Aligner):
    """An aligner that times its search and linking and, through `reading`, the reading of texts."""

    aligned = read = 0.0

    def align_block(self, block: Any) -> Any:
        start = time.process_time()
        pairs = super().align_block(block)
        self.aligned += time.process_time() - start
        return pairs

    def reading(self, blocks: Iterable[Any]) -> Iterator[Any]:
        """Yield blocks, and time how long they take to read."""
        stream = iter(blocks)
        while True:
            start = time.process_time()
            block = next(stream, None)
            self.read += time.process_time() - start
            if block is None:
                return
            yield block


def measure_alignment(corpus: Path, *, count: int) -> dict[str, float]:
    """Align a corpus. RETURNS (dict[str, float]): Metrics."""
    nlp = spacy.blank("en")
    start = time.process_time()
    aligner = TimedAligner(FactIndex(draw_store()), tokenizer=nlp.make_doc)
    built, start = time.process_time() - start, time.process_time()
    output = corpus.with_name(f"{corpus.name}-aligned")
    limits: dict[str, Any] = {"unrelated": 0.3, "shard": SHARD, "progress": aligner.reading}
    with freeze_objects():
        align_corpus(corpus, output, aligner=aligner, vocab=nlp.vocab, **limits)
    total = time.process_time() - start
    parts = {"read": aligner.read, "find_and_link": aligner.aligned, "mark_and_write": total - aligner.read}
    parts["mark_and_write"] -= aligner.aligned
    figures = {f"{name}_us_per_sentence": 1e6 * seconds / count for name, seconds in parts.items()}
    return {"sentences_per_second": count / total, "names_seconds": built, "peak_mib": peak_memory(), **figures}


def measure_docs(corpus: Path, *, count: int) -> dict[str, float]:
    """Read and write a corpus. RETURNS (dict[str, float]): Metrics."""
    vocab, start = spacy.blank("en").vocab, time.process_time()
    with ShardWriter(corpus.with_name(f"{corpus.name}-copied"), shard=SHARD, attrs=GOLD_ATTRS) as writer:
        for doc in iter_docs(corpus, vocab):
            writer.add(doc)
    return {"sentences_per_second": count / (time.process_time() - start), "peak_mib": peak_memory()}


def main() -> None:
    """Measure once."""
    folder, count, what = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    if not folder.exists():
        draw_corpus(folder, draw_store(), count=count)
    measure = {"align": measure_alignment, "docs": measure_docs}[what]
    print(json.dumps(measure(folder, count=count)))


if __name__ == "__main__":
    main()
