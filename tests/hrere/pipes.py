"""A small world for `hrere_classifier`: a knowledge base of who lives where, and texts about it."""

from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import numpy
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed

from spacy_relext.annotations.store import set_triples
from spacy_relext.kb.facts import TripleStore
from spacy_relext.kb.model import KbModel, train_kb
from spacy_relext.kb.training import KbTraining
from tests.contract.cases import CNN

Fact = Tuple[str, str, str]
PAIRS = {"@misc": "spacy_relext.EntityPairs.v1"}
PEOPLE = ["Ada", "Bob", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hal"]
NAMES = {f"Q{number}": name for number, name in enumerate(PEOPLE)}
# couples: each knows the other way round, too
FACTS: List[Fact] = [(f"Q{one}", "married", f"Q{one ^ 1}") for one in range(8)]
FACTS += [(f"Q{one}", "older", f"Q{two}") for one in range(8) for two in range(one + 2, 8)]


def make_store(facts: Sequence[Fact] = FACTS) -> TripleStore:
    """Number entities and relations of some facts."""
    entities = sorted({each for one, _, two in facts for each in (one, two)})
    relations = sorted({relation for _, relation, _ in facts})
    rows = sorted({(entities.index(h), relations.index(r), entities.index(t)) for h, r, t in facts})
    return TripleStore(entities, relations, numpy.asarray(rows, dtype="int32"))


def make_kb(folder: Path, *, facts: Sequence[Fact] = FACTS, passes: int = 60) -> KbModel:
    """Train embeddings of some facts into a folder."""
    fix_random_seed(0)
    torch.manual_seed(0)
    settings = KbTraining(width=8, epochs=passes, patience=0, batch_size=16)
    return train_kb(make_store(facts), settings, folder=folder)


def sentence(nlp: Language, subject: str, verb: str, obj: str, facts: Sequence[Tuple[str, str, str]] = ()) -> Example:
    """Make an Example whose entities are linked; their names are not in the text, so that it tells nothing of them."""
    ids = {name: key for key, name in NAMES.items()}
    doc = nlp.make_doc(f"He {verb} her .")
    ends = [(doc[0:1], subject), (doc[len(doc) - 2 : len(doc) - 1], obj)]
    spans = [doc.char_span(s.start_char, s.end_char, label="PERSON", kb_id=ids.get(name, "")) for s, name in ends]
    doc.set_ents(spans)
    reference = doc.copy()
    places = {span.kb_id_ or span.text: span for span in doc.ents}
    set_triples(reference, [(places[h], r, places[t]) for h, r, t in facts])
    return Example(doc, reference)


def make_examples(nlp: Language) -> List[Example]:
    """Texts that state who is older, and texts that say the same of couples as of others."""
    found = []
    for one, two in ((0, 1), (1, 0), (2, 3), (3, 2), (0, 2), (1, 3), (0, 3), (2, 1)):
        h, t = f"Q{one}", f"Q{two}"
        facts = [fact for fact in FACTS if {fact[0], fact[2]} == {h, t} and fact[1] == "married"]
        found.append(sentence(nlp, NAMES[h], "was seen with", NAMES[t], facts))
    found.append(sentence(nlp, "Ada", "is older than", "Cleo", [("Q0", "older", "Q2")]))
    found.append(sentence(nlp, "Bob", "is older than", "Dan", [("Q1", "older", "Q3")]))
    return found


def build(config: Dict[str, Any] | None = None, **rates: float) -> Language:
    """Make a pipeline that is not initialized; both rates of the knowledge base are the optimizer's unless given."""
    nlp = spacy.blank("en")
    model: Dict[str, Any] = {"@architectures": "spacy_relext.HrereBagClassifier.v1", "hidden": 32, "dropout": 0.0}
    cnn = {**CNN, "width": 32, "depth": 2}
    encoder = {"@architectures": "spacy_relext.SharedEncoder.v1", "width": 32, "dropout": 0.0, "tok2vec": cnn}
    model.update(encoder=encoder, **{"kb_lr_scale": 1.0, "entity_lr_scale": 1.0, **rates})
    settings = {"model": model, "suggester": PAIRS, "loss": {"agree_weight": 1.0}, **(config or {})}
    nlp.add_pipe("hrere_classifier", config=settings)
    return nlp


def train(
    folder: Path | None, config: Dict[str, Any] | None = None, *, steps: int = 60, seed: int = 0, **rates: float
) -> Language:
    """Train on the texts, with the knowledge base of a folder."""
    fix_random_seed(seed)
    nlp = build(config, **rates)
    examples = make_examples(nlp)
    nlp.config["initialize"]["components"] = {"hrere_classifier": {"kb": str(folder)} if folder else {}}
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(steps):
        nlp.update([Example(each.predicted.copy(), each.reference) for each in examples], sgd=optimizer)
    return nlp


def told(doc: Doc) -> List[Tuple[str, str, str]]:
    """List the triples of a Doc between names."""
    found = [(each.evidence["ids"], each.relation) for each in doc._.triples]
    return sorted((NAMES.get(one, ""), relation, NAMES.get(two, "")) for (one, two), relation in found)
