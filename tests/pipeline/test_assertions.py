"""Components that learn whether a text states, denies, supposes or reports a relation."""

import random
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import pytest
import spacy
from spacy.language import Language
from spacy.training import Example

from spacy_relext import set_triples
from spacy_relext.annotations.triple import Record
from spacy_relext.bridge.modules import module_of
from spacy_relext.pipeline.assertions import adopt_assertions
from spacy_relext.scoring.triples import score_triples
from tests.contract.cases import CNN, LSTM_PAIRS, MARKED_EXTRACTOR, SHARED, distilled, extractor, pairs
from tests.rere import conftest
from tests.rere.conftest import pipeline_of

# A sentence with subject and object in braces, its relation, its assertion.
Row = Tuple[str, str, str]

HEART: List[Row] = [
    ("{Ada} founded {Havgass} .", "founder", "stated"),
    ("{Mary} never founded {Havgass} .", "founder", "denied"),
    ("{Ole} founded {Lodore} in Bergen .", "founder", "stated"),
    ("{Kari} never founded {Lodore} in London .", "founder", "denied"),
    ("{Mary} wrote {Lodore} .", "author", "stated"),
    ("{Ada} never wrote {Havgass} .", "author", "denied"),
    ("{Kari} wrote {Havgass} .", "author", "stated"),
    ("{Ole} never wrote {Lodore} .", "author", "denied"),
]

NAMES = "Ada Bo Cy Di Eva Finn Gro Hans Ida Jon Kari Lars Mia Nils Ola Per".split()
THINGS = "Havgass Lodore Mathilda Fjellsang Vestlys Norvik Solheim Bergtun".split()
# Of each assertion: the wordings of the training data, and others.
TEMPLATES = {
    "stated": (
        ["{s} founded {o} .", "In May , {s} founded {o} .", "It was {s} who founded {o} ."],
        ["{s} founded {o} with two friends .", "Years ago {s} founded {o} ."],
    ),
    "denied": (
        ["{s} did not found {o} .", "{s} never founded {o} .", "It was not {s} who founded {o} ."],
        ["{s} has not founded {o} .", "It is false that {s} founded {o} ."],
    ),
    "hypothetical": (
        ["{s} may have founded {o} .", "Perhaps {s} founded {o} .", "If {s} founded {o} , we would know ."],
        ["{s} could have founded {o} .", "Maybe {s} founded {o} ."],
    ),
    "reported": (
        ["{r} says that {s} founded {o} .", "According to {r} , {s} founded {o} ."],
        ["{r} claims that {s} founded {o} .", "{r} told us that {s} founded {o} ."],
    ),
}


def sentence(row: Row) -> Tuple[str, List[Tuple[int, int]]]:
    """The text without braces, and the characters of both arguments."""
    text, spans = row[0], []
    for _ in range(2):
        start, end = text.index("{"), text.index("}") - 1
        text = text.replace("{", "", 1).replace("}", "", 1)
        spans.append((start, end))
    return text, spans


def make_examples(nlp: Language, rows: Sequence[Row], *, gold_ents: bool) -> List[Example]:
    """Examples with entities on both sides, so that components over pairs have some."""
    examples = []
    for row in rows:
        text, (subject, obj) = sentence(row)
        predicted, reference = nlp.make_doc(text), nlp.make_doc(text)
        attributes = {} if row[2] == "stated" else {"assertion": row[2]}
        set_triples(reference, [{"subject": subject, "relation": row[1], "object": obj, "attributes": attributes}])
        if gold_ents:
            for doc in (predicted, reference):
                doc.set_ents([doc.char_span(*subject, label="PER"), doc.char_span(*obj, label="ORG")])
        examples.append(Example(predicted, reference))
    return examples


def build(factory: str, config: Dict[str, Any]) -> Language:
    return pipeline_of(**{factory: config})


def train(nlp: Language, examples: List[Example], *, steps: int) -> Any:
    conftest.train(nlp, examples, steps=steps)
    return nlp.get_pipe(nlp.pipe_names[-1])


CASES = {
    "rere": ("rere_extractor", extractor(CNN)),
    "kd": ("kd_classifier", distilled("KdStudent", {**SHARED, "tok2vec": CNN})),
    "teacher": ("kd_teacher", distilled("KdTeacher", LSTM_PAIRS)),
}


@pytest.mark.parametrize("case", list(CASES))
def test_stated_and_denied_by_heart(case: str, tmp_path: Path) -> None:
    factory, config = CASES[case]
    nlp = build(factory, config)
    examples = make_examples(nlp, HEART, gold_ents=case != "rere")
    pipe = train(nlp, examples, steps=60)
    assert pipe.cfg["assertions"] == ["denied", "stated"]
    scores = nlp.evaluate(examples)
    assert (scores["exact_f"], scores["assertion_accuracy"], scores["assertion_macro_f"]) == (1.0, 1.0, 1.0)
    docs = [nlp(example.predicted.copy()) for example in examples]
    for (_, _, label), doc in zip(HEART, docs):
        (triple,) = doc._.triples
        assert triple.attributes == {"assertion": label} and 0.5 < triple.evidence["assertion"] <= 1.0
    nlp.to_disk(tmp_path)
    again = [spacy.load(tmp_path)(example.predicted.copy()) for example in examples]
    assert [doc._.triple_records for doc in again] == [doc._.triple_records for doc in docs]


def test_a_head_over_word_pieces(bert: str) -> None:
    encoder = {**MARKED_EXTRACTOR["encoder"], "name": bert}  # type: ignore[dict-item]
    nlp = build("rere_extractor", {"model": {**MARKED_EXTRACTOR, "encoder": encoder}})
    examples = make_examples(nlp, HEART, gold_ents=False)
    train(nlp, examples, steps=3)
    module = module_of(nlp.get_pipe("rere_extractor").model)  # type: ignore[attr-defined]
    assert module.sizes["n_assertions"] == 2 and module.pair_scorer.assertion.out_features == 2


@pytest.mark.parametrize("case", list(CASES))
@pytest.mark.parametrize("why", ["one assertion", "no weight"])
def test_without_two_assertions_there_is_no_head(case: str, why: str) -> None:
    factory, config = CASES[case]
    rows = [row for row in HEART if row[2] == "stated"] if why == "one assertion" else HEART
    if why == "no weight":
        section = "loss" if case == "rere" else "learning"
        config = {**config, section: {**config.get(section, {}), "assertion_weight": 0.0}}
    nlp = build(factory, config)
    pipe = train(nlp, make_examples(nlp, rows, gold_ents=case != "rere"), steps=2)
    assert "assertions" not in pipe.cfg and "n_assertions" not in module_of(pipe.model).sizes
    assert not any("assertion" in name for name, _ in module_of(pipe.model).named_parameters())


def test_initialize_again_forgets_assertions() -> None:
    cfg: Dict[str, Any] = {"assertions": ["denied", "stated"]}
    assert adopt_assertions(cfg, {"stated"}, weight=1.0) == "" and "assertions" not in cfg
    assert adopt_assertions(cfg, {"stated", "denied"}, weight=1.0) == "" and cfg["assertions"] == ["denied", "stated"]
    assert adopt_assertions(cfg, {"denied"}, weight=1.0) == "denied" and "assertions" not in cfg
    found = adopt_assertions({}, {"denied", "hypothetical", "stated"}, weight=0.0)
    assert found == "denied or hypothetical"
    assert adopt_assertions(cfg, {"stated", "denied"}, weight=0.0) == "denied" and "assertions" not in cfg


BAGS = ("hrere_classifier", pairs("HrereBagClassifier", {**SHARED, "tok2vec": CNN}))


@pytest.mark.parametrize(
    ("factory", "config"), [BAGS, ("rere_extractor", {**extractor(CNN), "loss": {"assertion_weight": 0.0}})]
)
def test_a_component_says_that_it_does_not_tell_them_apart(factory: str, config: Dict[str, Any]) -> None:
    nlp = build(factory, config)
    examples = make_examples(nlp, HEART, gold_ents=factory != "rere_extractor")
    with pytest.warns(UserWarning, match=rf"\[W362\] {factory}: the training data has triples that are denied"):
        nlp.initialize(lambda: examples)


def grammar(count: int, names: Sequence[str], *, seed: int, is_new: bool = False) -> List[Row]:
    """Sentences of the templates with random names, as many of each assertion."""
    generator, rows = random.Random(seed), []
    for number in range(count):
        label = list(TEMPLATES)[number % len(TEMPLATES)]
        subject, reporter = generator.sample(list(names), 2)
        template = generator.choice(TEMPLATES[label][is_new])
        obj = generator.choice(THINGS)
        rows.append((template.format(s=f"{{{subject}}}", o=f"{{{obj}}}", r=reporter), "founder", label))
    return rows


@pytest.mark.parametrize("case", ["rere", "kd"])
def test_assertions_are_learned_from_the_words(case: str) -> None:
    factory, config = CASES[case]
    nlp = build(factory, config)
    gold_ents = case != "rere"
    train(nlp, make_examples(nlp, grammar(120, NAMES[:10], seed=0), gold_ents=gold_ents), steps=60)
    for is_new, least in ((False, 0.9), (True, 0.4)):  # names that it never read, then wordings; by chance 0.25
        rows = grammar(80, NAMES[10:], seed=1, is_new=is_new)
        scores = nlp.evaluate(make_examples(nlp, rows, gold_ents=gold_ents))
        assert scores["assertion_accuracy"] > least and scores["assertion_macro_f"] > least, scores


def test_scores_of_assertions() -> None:
    nlp = spacy.blank("en")
    examples = make_examples(nlp, [HEART[0], HEART[1], HEART[3], HEART[4]], gold_ents=False)
    for number, example in enumerate(examples):
        (record,) = example.reference._.triple_records
        attributes: List[Record] = [{}, {"negated": True}, {"assertion": "stated"}, {"assertion": "stated"}]
        relation = "other" if number == 3 else record["relation"]  # a wrong triple has no assertion to be right about
        set_triples(example.predicted, [{**record, "relation": relation, "attributes": attributes[number]}], source="m")
    scores = score_triples(examples)
    assert scores["exact_p"] == pytest.approx(3 / 4) and scores["assertion_accuracy"] == pytest.approx(2 / 3)
    assert scores["assertion_macro_f"] == pytest.approx(2 / 3)  # denied 2/3, stated 2/3
    assert "assertion_accuracy" not in score_triples([examples[0], examples[3]])  # gold states both
