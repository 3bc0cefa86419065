"""Each case is trained once; what changes a pipeline works on a copy of it."""

import pathlib
from dataclasses import dataclass, field
from typing import Any, Dict, List

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed

from spacy_relext.annotations.store import RELATIONS_KEY, get_records
from tests.contract.cases import CASES, MethodCase
from tests.contract.sentences import UNSEEN

NAME = "method"  # not the factory's name, so that nobody relies on it


@dataclass
class Trained:
    """A trained pipeline, not to be changed.

    nlp (Language): The pipeline.
    examples (List[Example]): What it learned.
    path (pathlib.Path): Where it is saved.
    steps (int): Updates until it knew the examples by heart.
    scores (Dict[str, Any]): Of the examples.
    losses (Dict[str, float]): Of the last update.
    """

    nlp: Language
    examples: List[Example]
    path: pathlib.Path
    steps: int
    scores: Dict[str, Any]
    losses: Dict[str, float]
    texts: List[str] = field(default_factory=list)

    @property
    def pipe(self) -> Any:
        return self.nlp.get_pipe(NAME)

    def copy(self) -> Language:
        """Load it anew."""
        return spacy.load(self.path)


def case_id(case: MethodCase) -> str:
    return case.id.replace(" ", "_")


@pytest.fixture(scope="session", params=CASES, ids=case_id)
def case(request: Any) -> MethodCase:
    return request.param


@pytest.fixture(scope="session")
def encoder(case: MethodCase, request: Any) -> pathlib.Path:
    """The folder of a tiny random BERT."""
    return pathlib.Path(request.getfixturevalue("bert") if case.needs_encoder else "no/such/encoder")


@pytest.fixture(scope="session")
def trained(case: MethodCase, encoder: pathlib.Path, tmp_path_factory: Any) -> Trained:
    """Train until the examples are known by heart."""
    fix_random_seed(1)
    nlp = case.build(encoder, name=NAME)
    examples = case.make_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = case.learn_rate
    scores: Dict[str, Any] = {}
    losses: Dict[str, float] = {}
    step = 0
    while step < case.steps and scores.get(case.overfit_key) != 1.0:
        step += 1
        losses = {}
        nlp.update(examples, sgd=optimizer, losses=losses, annotates=case.annotating)
        if step >= 20 and step % 10 == 0:
            scores = nlp.evaluate(examples)
    path = tmp_path_factory.mktemp(case_id(case)) / "pipeline"
    nlp.to_disk(path)
    texts = [example.text for example in examples] + UNSEEN[case.lang]
    return Trained(nlp, examples, path, step, scores, losses, texts)


# How far scores may lie apart: what fp32 sums in another order, for the same batch and for batches of other shapes.
TOLERANCE = 2e-5
BATCH_TOLERANCE = 2e-4


def outcome(doc: Doc) -> Any:
    """What the pipeline wrote on a Doc, in a form that can be compared."""
    keys = ("subject", "relation", "object", "source", "score", "attributes")
    triples = [tuple(record.get(key) for key in keys) for record in get_records(doc) or []]
    relations = [(r["start"], r["end"], r["relations"]) for r in doc.user_data.get(RELATIONS_KEY, ())]
    return triples, relations


def assert_close(found: List[Any], expected: List[Any], tolerance: float = TOLERANCE) -> None:
    """Compare outcomes: equal but for scores, which may lie `tolerance` apart."""
    for one, other in zip(found, expected):
        assert [triple[:4] for triple in one[0]] == [triple[:4] for triple in other[0]]
        assert [triple[5] for triple in one[0]] == [triple[5] for triple in other[0]]
        assert [t[4] for t in one[0]] == pytest.approx([t[4] for t in other[0]], rel=0, abs=tolerance)
        assert [r[:2] for r in one[1]] == [r[:2] for r in other[1]]
        for mine, theirs in zip(one[1], other[1]):
            for label in {*mine[2], *theirs[2]}:  # a probability may fall on either side of what is stored at all
                expected_score = theirs[2].get(label, 0.01)
                assert mine[2].get(label, 0.01) == pytest.approx(expected_score, rel=0, abs=tolerance)
    assert len(found) == len(expected)


def written(doc: Doc) -> Any:
    """What the component under test wrote, scores left out."""
    triples = [r for r in get_records(doc) or [] if r["source"] == NAME]
    return [(r["subject"], r["relation"], r["object"]) for r in triples]
