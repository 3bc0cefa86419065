"""`hrere_classifier` with a knowledge base."""

import warnings
from pathlib import Path
from typing import Any, Dict, List

import numpy
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_relext.bridge.modules import module_of
from spacy_relext.hrere.bags import gather_bags, single_mentions
from spacy_relext.hrere.ranking import single_outputs
from spacy_relext.pipeline.tuning import tune_pipeline
from tests.hrere.pipes import FACTS, build, make_examples, make_kb, sentence, told, train

NAME = "hrere_classifier"


@pytest.fixture(scope="module")
def kb(tmp_path_factory: Any) -> Path:
    folder = tmp_path_factory.mktemp("kb")
    make_kb(folder)
    return folder


@pytest.fixture(scope="module")
def trained(kb: Path) -> Language:
    return train(kb)


@pytest.fixture(scope="module")
def text_alone() -> Language:
    return train(None)


def couple(nlp: Language) -> Doc:
    """Two of whom no training text tells, but the knowledge base does."""
    return nlp(sentence(nlp, "Eve", "was seen with", "Finn").predicted)


def test_the_knowledge_base_tells_what_the_text_does_not(trained: Language, text_alone: Language) -> None:
    assert told(couple(trained)) == [("Eve", "married", "Finn"), ("Finn", "married", "Eve")]
    docs = [sentence(trained, "Eve", "was seen with", name).predicted for name in ("Finn", "Gus")]
    married = {bag.object: bag.scores["married"] for bag in trained.get_pipe(NAME).predict_bags(docs)}
    assert married["Q5"] > 0.9 and married["Q6"] < 0.5
    alone = [told(couple(text_alone)), told(text_alone(sentence(text_alone, "Eve", "was seen with", "Gus").predicted))]
    said = [any(relation == "married" for _, relation, _ in each) for each in alone]
    assert said[0] == said[1], "text alone cannot tell couples from others"


def test_evidence(trained: Language) -> None:
    triple = couple(trained)._.triples[0]
    assert triple.evidence["ids"] == ["Q4", "Q5"] and triple.evidence["kb"] > 0.5
    assert triple.evidence["mentions"] == [[0, 2, 17, 20, 1.0]]


def test_a_pair_without_a_link_is_what_the_text_says(trained: Language) -> None:
    pipe: Any = trained.get_pipe(NAME)
    docs = [
        sentence(trained, "Zoe", "was seen with", "Yan").predicted,
        sentence(trained, "Zoe", "saw", "Ada").predicted,
    ]
    for bag in pipe.predict_bags(docs):
        assert bag.scores == bag.text and bag.kb == {}
        assert all(numpy.isfinite(list(bag.scores.values())))


def test_bags_over_several_docs(trained: Language) -> None:
    pipe: Any = trained.get_pipe(NAME)
    docs = [sentence(trained, "Ada", verb, "Cleo").predicted for verb in ("is older than", "was seen with")]
    (bag,) = [each for each in pipe.predict_bags(docs) if each.subject == "Q0"]
    assert [number for number, _, _ in bag.mentions] == [0, 1]
    assert sum(weight for _, _, weight in bag.mentions) == pytest.approx(1.0, abs=1e-3)
    twice = [each for each in pipe.predict_bags(docs * 2) if each.subject == "Q0"][0]
    assert twice.scores == pytest.approx(bag.scores, abs=1e-5), "each sentence said twice says no more"
    assert pipe.predict_bags([]) == []


def test_relations_of_the_knowledge_base_are_found_by_name(kb: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nlp = build()
        examples = [*make_examples(nlp), sentence(nlp, "Ada", "thanked", "Bob", [("Q0", "thanked", "Q1")])]
        nlp.config["initialize"]["components"] = {NAME: {"kb": str(kb)}}
        with pytest.warns(UserWarning, match=r"W700.*1 of the 3 relations \(thanked\)"):
            nlp.initialize(lambda: examples)
    pipe: Any = nlp.get_pipe(NAME)
    assert pipe.knowledge.shared(pipe.classes).tolist() == [True, True, True, False]


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (["P1 married P2", "P2 married P1"], r"R730.*none of the 4 linked entities.*the 2 of the knowledge base"),
        ([f"{h} knows {t}" for h, _, t in FACTS], r"R731.*none of the relations \(married, older\); it has knows"),
        ([], "R726"),  # a folder without a knowledge base
    ],
)
def test_a_knowledge_base_that_does_not_fit(tmp_path: Path, facts: List[str], message: str) -> None:
    if facts:
        make_kb(tmp_path, facts=[tuple(fact.split()) for fact in facts], passes=1)
    with pytest.raises(ValueError, match=message):
        train(tmp_path, steps=0)


@pytest.mark.parametrize(("scale", "farthest"), [(0.0, 0.0), (0.1, 0.001), (5.0, 0.05)])
@pytest.mark.parametrize(("entity_scale", "entities"), [(0.0, 0.0), (0.2, 0.002)])
def test_the_rates_of_the_knowledge_base(
    kb: Path, scale: float, farthest: float, entity_scale: float, entities: float
) -> None:
    rates = {"kb_lr_scale": scale, "entity_lr_scale": entity_scale}
    before, after = (knowledge_of(train(kb, steps=steps, **rates)) for steps in (0, 1))
    changes = {name: float((after[name] - before[name]).abs().max()) for name in after}
    # Adam's first step is as long as the rate, which is 0.01 for what has no multiple of its own
    assert changes["changes.weight"] == pytest.approx(entities, rel=0.05)
    for name in ("forwards", "reversed"):
        assert changes[name] == pytest.approx(farthest, rel=0.05), name
    for name in ("scale", "bias"):
        assert changes[name] == pytest.approx(farthest or 0.01, rel=0.05), name


def knowledge_of(nlp: Language) -> Dict[str, Any]:
    """Copy what the knowledge base's side learns."""
    module = module_of(nlp.get_pipe("hrere_classifier").model)
    return {name: each.detach().clone() for name, each in module.knowledge.named_parameters()}


def test_ranking_scores(trained: Language) -> None:
    examples = make_examples(trained)
    scores = trained.evaluate([Example(each.predicted.copy(), each.reference) for each in examples])
    assert scores["bag_ap"] == 1.0
    assert scores["bag_positives"] == 6 and scores["mention_positives"] == 10, "two couples are seen twice"
    assert scores["bag_unscored"] == scores["mention_unscored"] == 0


def test_mentions_by_themselves_are_not_read_again(kb: Path) -> None:
    nlp = train(kb)
    pipe: Any = nlp.get_pipe("hrere_classifier")
    gold = pipe.gold([Example(each.predicted.copy(), each.reference) for each in make_examples(nlp)])
    bags = gather_bags(gold.pairs, across=True)
    assert {1, 2} <= set(numpy.bincount(bags.bag).tolist())
    read: List[int] = []
    run = pipe.run
    pipe.run = lambda each: read.append(len(each)) or run(each)
    found, expected = single_outputs(bags, run(bags)), run(single_mentions(bags))
    assert read == []
    for ours, whole in zip(found, expected):
        numpy.testing.assert_allclose(ours, whole, atol=1e-5)
    assert found.weights.tolist() == [[1.0]] * len(bags.bag) and single_outputs(bags, None) is None


def test_tuning_fits_the_mixture(kb: Path) -> None:
    nlp = train(kb, {"text_share": 1.0})
    assert told(couple(nlp)) != [("Eve", "married", "Finn"), ("Finn", "married", "Eve")]
    held = [sentence(nlp, "Eve", "was seen with", "Finn", [("Q4", "married", "Q5"), ("Q5", "married", "Q4")])]
    held += [sentence(nlp, "Gus", "was seen with", "Hal", [("Q6", "married", "Q7"), ("Q7", "married", "Q6")])]
    held += [sentence(nlp, "Eve", "was seen with", "Hal"), sentence(nlp, "Gus", "was seen with", "Eve")]
    tune_pipeline(nlp, held)
    assert nlp.get_pipe(NAME).cfg["text_share"] < 1.0  # type: ignore[attr-defined]
    assert told(couple(nlp)) == [("Eve", "married", "Finn"), ("Finn", "married", "Eve")]


def test_near_misses_of_bags(kb: Path) -> None:
    nlp = train(kb)
    pipe: Any = nlp.get_pipe(NAME)
    doc = nlp(sentence(nlp, "Eve", "married", "Finn").predicted)
    pipe.cfg["threshold"] = 1.01
    assert all("by the text is" in m.text and "knowledge base" in m.text for m in pipe.near_misses(doc))
    pipe.cfg.update(threshold=0.5, types=[["PERSON", "married", "PLACE"]])
    barred = [m for m in pipe.near_misses(doc) if m.stopped_by == "type"]
    assert barred and all("PERSON → PERSON" in m.text and m.relation == "married" for m in barred)


def test_types_bar_relations(text_alone: Language) -> None:
    """Of a pair, whose mentions have types, and in every answer: triples, bags and rankings."""
    nlp = spacy.blank("en")
    for types, expected in ([["PERSON", "older", "PERSON"]], True), ([["PERSON", "older", "ORG"]], False):
        nlp = build({"types": types})
        pipe: Any = nlp.get_pipe(NAME)
        pipe.from_bytes(text_alone.get_pipe(NAME).to_bytes())  # type: ignore[attr-defined]
        example = sentence(nlp, "Ada", "is older than", "Cleo", [("Q0", "older", "Q2")])
        doc = pipe(example.predicted.copy())
        assert ("Ada", "older", "Cleo") in told(doc) if expected else "older" not in [t.relation for t in doc._.triples]
        bag = next(each for each in pipe.predict_bags([example.predicted]) if each.subject == "Q0")
        assert (bag.scores["older"] > 0.5) is expected and bag.text["older"] > 0.5
        instances = pipe.suggest([example.predicted])
        (ranked,) = pipe.candidates(instances, pipe.run(instances))
        assert ("older" in {each["relation"] for each in ranked}) is expected


def test_types_of_one_mention_of_a_bag_suffice(text_alone: Language) -> None:
    nlp = build({"types": [["PERSON", "older", "PERSON"]]})
    pipe: Any = nlp.get_pipe(NAME)
    pipe.from_bytes(text_alone.get_pipe(NAME).to_bytes())  # type: ignore[attr-defined]
    docs = [sentence(nlp, "Ada", "is older than", "Cleo").predicted for _ in range(2)]
    for number, expected in ((0, True), (1, False)):
        ents = [Span(docs[number], ent.start, ent.end, label="ORG", kb_id=ent.kb_id) for ent in docs[number].ents]
        docs[number].set_ents(ents)
        bag = next(each for each in pipe.predict_bags(docs) if each.subject == "Q0")
        assert (bag.scores["older"] > 0.0) is expected
