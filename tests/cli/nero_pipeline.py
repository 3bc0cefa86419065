"""A nero_grounder that a few updates have trained on four rules."""

from pathlib import Path
from typing import Tuple

import spacy

from tests.contract.entities import FACTORY
from tests.contract.sentences import make_english_examples

LEARNING = {"unmatched_from": 10, "teacher_share": 0.5}
RULES = [
    {"id": "born", "relation": "place_of_birth", "pattern": "SUBJ-PERSON was born in OBJ-PLACE"},
    {"id": "wrote", "relation": "author", "pattern": "SUBJ-PERSON wrote OBJ-WORK"},
    {"id": "in", "relation": "located_in", "pattern": "SUBJ-PLACE is in OBJ-PLACE"},
    {"id": "where", "relation": "place_of_birth", "pattern": "OBJ-PLACE is where SUBJ-PERSON was born"},
]


def save_nero_pipelines(folder: Path) -> Tuple[str, str]:
    """Train one, and save it with and without the component that finds entities."""
    spacy.util.fix_random_seed(0)
    nlp = spacy.blank("en")
    for name in ("sentencizer", FACTORY):
        nlp.add_pipe(name)
    nlp.add_pipe("nero_grounder", config={"rules": RULES, "learning": LEARNING})
    examples = make_english_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(30):
        nlp.update(examples, sgd=optimizer, annotates=["sentencizer", FACTORY])
    nlp.to_disk(folder / "whole")
    nlp.remove_pipe(FACTORY)
    nlp.to_disk(folder / "bare")
    return str(folder / "whole"), str(folder / "bare")
