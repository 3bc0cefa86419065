"""Time and memory for building graphs of increasing size from random documents, on one core.

As a program it makes one graph and prints its figures as JSON:

    python -m benchmarks.graph.scale DOCUMENTS.jsonl FOLDER
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path

from benchmarks.harness.call import Call
from benchmarks.harness.runs import run_module
from benchmarks.harness.stopwatch import peak_memory

SIZES = (100_000, 1_000_000)
TRIPLES, RELATIONS = 10, 30
KINDS = ("PERSON", "ORG", "GPE")


def scale(call: Call) -> None:
    """Build graphs, each in a process of its own."""
    for count in SIZES:
        path = call.settings.runs / f"drawn-documents-{count}.jsonl"
        if not path.exists():
            draw(path, count)
        call.tell(f"{count:,} triples")
        folder = call.settings.runs / f"drawn-graph-{count}"
        metrics = json.loads(run_module("benchmarks.graph.scale", path, folder, threads=1).splitlines()[-1])
        described = f"{count:,} drawn triples in {count // TRIPLES:,} documents of {path.stat().st_size >> 20:,} MiB"
        call.record("scale", metrics, data=described, split="build", system="default", seed=0)
        call.tell(f"  {metrics}")


def draw(path: Path, count: int) -> None:
    """Write random documents whose sentences state facts between entities, some persons by surname only."""
    rng, part = random.Random(0), path.with_suffix(".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    words = [f"w{number}" for number in range(5_000)]
    size = count // 4
    with part.open("w", encoding="utf8") as stream:
        for number in range(count // TRIPLES):
            text, triples, entities, sentences = "", [], [], []
            known: list[tuple[str, str]] = []
            for _ in range(TRIPLES):
                start, spans = len(text), []
                for _ in range(2):
                    name, kind = rng.choice(known) if known and rng.random() < 0.4 else draw_name(rng, size)
                    known.append((name, kind))
                    if rng.random() < 0.3 and kind == "PERSON":
                        name = name.split()[-1]
                    text += " ".join(rng.choices(words, k=6)).capitalize() + " "
                    spans.append([len(text), len(text) + len(name)])
                    entities.append({"start": spans[-1][0], "end": spans[-1][1], "label": kind})
                    text += name + " "
                text += "there. "
                relation = f"r{rng.randrange(RELATIONS)}"
                score = round(rng.uniform(0.3, 1.0), 4)
                triples.append({"subject": spans[0], "relation": relation, "object": spans[1], "score": score})
                triples[-1]["source"] = "drawn"
                sentences.append([start, len(text) - 1])
            record = {"doc_id": f"d{number:07d}", "text": text, "entities": entities, "sents": sentences}
            stream.write(json.dumps({**record, "triples": triples}) + "\n")
    part.replace(path)


def draw_name(rng: random.Random, size: int) -> tuple[str, str]:
    """Draw one of `size` names, those with low numbers more often, and its type."""
    number = int(size * rng.random() ** 3)
    kind = KINDS[number % 3]
    if kind == "PERSON":
        return f"{_word(number % 977)} {_word(number // 977)}", kind
    return f"{_word(number)} {'Corp' if kind == 'ORG' else 'City'}", kind


def _word(number: int) -> str:
    """Write a number as syllables."""
    syllables = ""
    for _ in range(3):
        number, place = divmod(number, 100)
        syllables += "bcdfghklmn"[place % 10] + "aeiouyaeio"[place // 10] + "rstlnmrstl"[place % 10]
    return syllables.capitalize()


def main() -> None:
    """Build one graph."""
    from spacy_relext.export.tables import write_tables
    from spacy_relext.graph.build import build_graph
    from spacy_relext.graph.documents import read_documents

    path, folder = Path(sys.argv[1]), Path(sys.argv[2])
    start = time.process_time()
    built = build_graph(read_documents([path]))
    made = time.process_time()
    write_tables(built.tables, folder)
    written = time.process_time()
    figures = {
        "build_seconds": made - start,
        "write_seconds": written - made,
        "triples_per_second": built.tables.support.num_rows / (written - start),
        "peak_mib": peak_memory(),
        "entities_found": built.tables.entities.num_rows,
        "facts_found": built.tables.facts.num_rows,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
