"""Measurements: times of systems side by side in rounds, calls of an encoder, and peak memory of a new process.

As a program it loads a pipeline, extracts from a file of texts and prints the peak of its memory in MiB:

    python -m benchmarks.harness.stopwatch PIPELINE TEXTS.json BATCH_SIZE
"""

from __future__ import annotations

import gc
import json
import re
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from benchmarks.harness.runs import run_module

Work = Callable[[], object]


class Lap(NamedTuple):
    """How long something took.

    wall (float): Seconds of wall-clock time.
    cpu (float): Seconds of processor time, which other programs on the machine do not lengthen.
    """

    wall: float
    cpu: float


def lap_ratios(name: str, above: Lap, below: Lap) -> dict[str, float]:
    """Divide wall by wall and processor time by processor time."""
    return {name: above.wall / below.wall, f"cpu_{name}": above.cpu / below.cpu}


def time_rounds(contestants: Mapping[str, Work], *, rounds: int) -> dict[str, list[Lap]]:
    """Time several functions in turn, so that other load on the machine affects all of them alike.

    All are in memory together, unlike in normal use, so Python's garbage collector ignores their objects meanwhile.

    contestants (Mapping[str, Work]): Name → function; each is run once beforehand as a warm-up.
    """
    for work in contestants.values():
        work()
    laps: dict[str, list[Lap]] = {name: [] for name in contestants}
    gc.collect()
    gc.freeze()
    try:
        for _ in range(rounds):
            for name, work in contestants.items():
                laps[name].append(time_once(work)[1])
    finally:
        gc.unfreeze()
    return laps


def time_once(work: Work) -> tuple[Any, Lap]:
    """Time one function. RETURNS (tuple[Any, Lap]): Its result, and how long it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, Lap(time.perf_counter() - wall, time.process_time() - cpu)


def extraction(nlp: Language, texts: Sequence[str], *, batch_size: int) -> Work:
    """Return the work of extracting triples from texts.

    batch_size (int): Documents per batch; 1 calls the pipeline for each text.
    RETURNS (Work): For `time_rounds`.
    """
    if batch_size == 1:
        return lambda: [nlp(text) for text in texts]
    return lambda: list(nlp.pipe(texts, batch_size=batch_size))


def bare_encoder(nlp: Language, texts: Sequence[str], *, batch_size: int) -> Work:
    """Return the forward passes of a pipeline's encoder alone, on the pieces of the same texts, tokenised beforehand.

    nlp (Language): A pipeline with `spacy_relext.Transformer.v1` as its tok2vec.
    RETURNS (Work): For `time_rounds`.
    """
    import torch

    from spacy_relext.encoders.pieces import cut_docs

    model = nlp.get_pipe("tok2vec").model  # type: ignore[attr-defined]
    tokens = _token_encoder(nlp)
    docs = [_split(nlp, text) for text in texts]
    batches = []
    for at in range(0, len(docs), batch_size):
        pieces = cut_docs(docs[at : at + batch_size], tokens.tokenizer, max_pieces=model.attrs["max_pieces"])
        arrays = zip(pieces.ids, pieces.shapes, pieces.masks)
        batches += [tuple(torch.from_numpy(array) for array in batch) for batch in arrays]

    def forward() -> None:
        tokens.eval()  # thinc puts a module back into training mode after each prediction
        with torch.no_grad():
            for batch in batches:
                tokens.encoder(*batch)

    return forward


def count_encoder(nlp: Language, texts: Sequence[str], *, batch_size: int) -> dict[str, float]:
    """Count calls of the encoder, and the sequences that it reads.

    nlp (Language): As for `bare_encoder`.
    RETURNS (dict[str, float]): `encoder_calls_per_sentence` and `encoder_rows_per_sentence` (sequences).
    """
    rows: list[int] = []
    hook = _token_encoder(nlp).encoder.register_forward_hook(lambda module, inputs, output: rows.append(len(output)))
    try:
        sentences = sum(len(list(doc.sents)) for doc in nlp.pipe(texts, batch_size=batch_size))
    finally:
        hook.remove()
    return {
        "encoder_calls_per_sentence": len(rows) / sentences,
        "encoder_rows_per_sentence": sum(rows) / sentences,
    }


def _token_encoder(nlp: Language) -> Any:
    """RETURNS (TokenEncoder): The torch module of the pipeline's tok2vec."""
    from spacy_relext.bridge.modules import module_of

    return module_of(nlp.get_pipe("tok2vec").model)  # type: ignore[attr-defined]


def measure_memory(pipeline: Path, texts: Path, *, batch_size: int, threads: int) -> float:
    """Extract in a new process. RETURNS (float): Peak memory of the process, in MiB."""
    return float(run_module("benchmarks.harness.stopwatch", pipeline, texts, batch_size, threads=threads))


def peak_memory() -> float:
    """Read the peak memory of this process.

    RETURNS (float): MiB, from /proc on Linux; `ru_maxrss`, for other systems, also counts the memory of the process
        that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        match = re.search(r"VmHWM:\s*(\d+) kB", status.read_text())
        if match:
            return int(match.group(1)) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _split(nlp: Language, text: str) -> Doc:
    """Tokenise a text and find its sentences, which the encoder reads one by one."""
    doc: Doc = nlp.get_pipe("sentencizer")(nlp.make_doc(text))
    return doc


def _main() -> None:
    pipeline, texts, batch_size = sys.argv[1:]
    nlp = spacy.load(pipeline)
    for _ in nlp.pipe(json.loads(Path(texts).read_text(encoding="utf8")), batch_size=int(batch_size)):
        pass
    print(peak_memory())


if __name__ == "__main__":
    _main()
