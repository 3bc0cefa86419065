"""Random texts, and a tiny pipeline that finds triples in them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import spacy
from spacy.training import Example

from spacy_relext import set_triples

NAMES = ("Ada Holm", "Bo Lie", "Mia Berg", "Jon Dahl", "Kari Lund", "Ole Vik")
TOWNS = ("Bergen", "Turku", "Aarhus", "Narvik", "Visby", "Vaasa")
VERBS = ("was born in", "never saw")
FILLER = ("Rain fell all day.", "The harbour was quiet.", "Nobody came to the door that winter.")


def save_tiny_pipeline(folder: Path, *, width: int = 96) -> Path:
    """Train a tiny RERE pipeline, which needs no download, for some steps and save it, unless the folder exists.

    width (int): Width of both components' HashEmbedCNN; 96 is RERE's default.
    """
    if folder.exists():
        return folder
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    for name in ("rere_detector", "rere_extractor"):
        nlp.add_pipe(name, config={"model": {"encoder": {"width": width}}})
    examples = []
    for name in NAMES:
        for town in TOWNS:
            for verb in VERBS:
                gold = nlp.make_doc(f"{name} {verb} {town}.")
                triples = [(gold[0:2], "place_of_birth", gold[5:6])] if verb == VERBS[0] else []
                set_triples(gold, triples)
                examples.append(Example(nlp.make_doc(gold.text), gold))
    spacy.util.fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(40):
        nlp.update(examples, sgd=optimizer, annotates=["sentencizer"])
    folder.parent.mkdir(parents=True, exist_ok=True)
    nlp.to_disk(folder)
    return folder


def write_texts(path: Path, count: int, *, seed: int = 0) -> Path:
    """Write short random texts as JSON lines, unless the file exists."""
    if not path.exists():
        rng = random.Random(seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf8") as file:
            for number in range(count):
                sentence = f"{rng.choice(NAMES)} {rng.choice(VERBS)} {rng.choice(TOWNS)}."
                text = " ".join([sentence, *rng.sample(FILLER, rng.randrange(3))])
                file.write(json.dumps({"id": f"d{number}", "text": text}) + "\n")
    return path
