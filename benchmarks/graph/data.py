"""The data of the graph benchmarks: documents with manually grouped mentions, and trained pipelines."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.datasets import Maker
from spacy_relext.annotations.grouping import Mention

UNLABELLED = "docred_unlabelled/test.json"


@dataclass(frozen=True)
class Grouped:
    """A document with grouped mentions.

    title (str): Its title.
    text (str): Its tokens, joined by spaces.
    mentions (list[Mention]): Sorted by position.
    gold (list[int]): The entity of each mention.
    """

    title: str
    text: str
    mentions: list[Mention]
    gold: list[int]


class GraphMaker(Maker):
    """Reads grouped mentions, and knows the pipeline whose facts are scored.

    pipeline (str): A folder, or "default".
    skip (int): Number of documents of Re-DocRED that are left out.
    """

    def __init__(self, data: Path, folder: Path, *, pipeline: str, skip: int, **limits: int) -> None:
        super().__init__(data, folder, **limits)
        self.pipeline, self.skip = pipeline, skip

    def grouped(self) -> list[Grouped]:
        """Read DocRED's documents without relations: mentions of entities, grouped manually."""
        path = self.data / UNLABELLED
        if not path.is_file():
            raise ValueError(f"{path}: not found; --data names the folder with the data sets")
        return [read_grouped(document) for document in json.loads(path.read_text(encoding="utf8"))]


def read_grouped(document: dict) -> Grouped:
    """Read one document in DocRED's format; a mention that is listed twice counts once."""
    text, offsets = "", []
    for sentence in document["sents"]:
        places = []
        for token in sentence:
            places.append((len(text), len(text) + len(token)))
            text += token + " "
        offsets.append(places)
    rows = set()
    for number, vertex in enumerate(document["vertexSet"]):
        for mention in vertex:
            first, last = mention["pos"]
            start, end = offsets[mention["sent_id"]][first][0], offsets[mention["sent_id"]][last - 1][1]
            rows.add((start, end, mention["type"], number))
    ordered = sorted(rows)
    mentions = [Mention(start, end, text[start:end], label) for start, end, label, _ in ordered]
    return Grouped(document["title"], text, mentions, [number for *_, number in ordered])
