"""`nero_grounder`: what it learns from, what it answers, and which rule it names."""

import json
import pathlib
import pickle
import re
from dataclasses import fields, replace
from typing import Any, Dict, List, Sequence, Tuple

import numpy
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import fix_random_seed

from spacy_relext import set_triples  # noqa: F401
from spacy_relext.annotations.entities import PAIRS_KEY
from spacy_relext.nero import architectures as nero_architectures  # noqa: F401
from spacy_relext.nero import component as nero  # noqa: F401
from spacy_relext.nero.settings import RuleGrounding, RuleLearning
from spacy_relext.pairs import suggesters  # noqa: F401
from tests.contract.cases import CNN, LISTENER

NAME = "nero_grounder"
MODEL = {
    "@architectures": "spacy_relext.NeroGrounder.v1",
    "hidden": 32,
    "dropout": 0.0,
    "encoder": {
        "@architectures": "spacy_relext.SharedEncoder.v1",
        "width": 32,
        "dropout": 0.0,
        "tok2vec": {**CNN, "width": 32, "depth": 2},
    },
}
# Blocks of the config, with what differs from the default here.
BLOCKS: Dict[str, Tuple[Any, Dict[str, Any]]] = {
    "grounding": (RuleGrounding, {"average_orders": False}),
    "learning": (RuleLearning, {"rule_batch": 0, "unmatched_from": 100, "both_orders": False}),
}
RULES = [
    {"id": "lives", "relation": "lives_in", "pattern": "SUBJ-PER lives in OBJ-LOC"},
    {"id": "home", "relation": "lives_in", "pattern": "OBJ-LOC is home to SUBJ-PER"},
    {"id": "met", "relation": "met", "pattern": "SUBJ-PER met OBJ-PER"},
    {"id": "never", "relation": "no_relation", "pattern": "SUBJ-PER left OBJ-LOC"},
]
PEOPLE, PLACES = ["Ada", "Mary", "Ole", "Kari"], ["Oslo", "Bergen", "London"]
SAID = ["{p} lives in {l} .", "{l} is home to {p} .", "{p} met {q} .", "{p} left {l} ."]
UNSAID = ["{p} lives now in {l} .", "{p} met with {q} ."]


def make_doc(nlp: Language, text: str) -> Doc:
    doc = nlp.make_doc(text)
    kinds = {**dict.fromkeys(PEOPLE, "PER"), **dict.fromkeys(PLACES, "LOC")}
    doc.set_ents([Span(doc, t.i, t.i + 1, label=kinds[t.text]) for t in doc if t.text in kinds])
    return doc


def texts(templates: Sequence[str]) -> List[str]:
    rows = [(p, q, place) for p in PEOPLE for q in PEOPLE[:2] for place in PLACES if p != q]
    return sorted({each.format(p=p, q=q, l=place) for each in templates for p, q, place in rows})


def examples(nlp: Language, templates: Sequence[str]) -> List[Example]:
    return [Example(make_doc(nlp, text), nlp.make_doc(text)) for text in texts(templates)]


def in_blocks(settings: Dict[str, Any]) -> Dict[str, Any]:
    """Put each setting into its block, beside what differs from the default."""
    config = dict(settings)
    for section, (block, given) in BLOCKS.items():
        own = {field.name: config.pop(field.name) for field in fields(block) if field.name in config}
        config[section] = {"@misc": f"spacy_relext.{block.__name__}.v1", **given, **own}
    return config


def build(rules: Any = RULES, templates: Sequence[str] = (*SAID, *UNSAID), **settings: Any) -> Any:
    fix_random_seed(0)
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe(NAME, config={"model": MODEL, "rules": rules, **in_blocks(settings)})
    pipe.initialize(lambda: examples(nlp, templates), nlp=nlp)
    return nlp, pipe


def train(nlp: Language, pipe: Any, templates: Sequence[str], *, steps: int = 60) -> Dict[str, float]:
    optimizer = nlp.create_optimizer()
    optimizer.learn_rate = 0.005
    losses: Dict[str, float] = {}
    for _ in range(steps):
        losses = pipe.update(examples(nlp, templates), sgd=optimizer, losses={})
    return losses


def ask(nlp: Language, pipe: Any, text: str) -> List[Any]:
    return list(pipe(make_doc(nlp, text))._.triples)


def test_rules_are_all_it_needs() -> None:
    nlp, pipe = build()
    assert pipe.labels == ("lives_in", "met") and [rule.id for rule in pipe.rules] == ["lives", "home", "met", "never"]
    assert len(pipe.learner.pool) == 2 * len(texts(SAID)), "what is said is no relation if read from the other side"


def test_paraphrases_that_no_rule_matches() -> None:
    """Recall after training is above that of exact rules, and each answer names a rule that says the same."""
    nlp, pipe = build(unmatched_from=20, exact_wins=False)
    losses = train(nlp, pipe, [*SAID, *UNSAID])
    assert {f"{NAME}_{term}" for term in ("matched", "rules", "clus", "unmatched")} < set(losses)
    found = {text: ask(nlp, pipe, text) for text in texts(UNSAID)}
    correct = 0
    for text, triples in found.items():
        expected = "met" if "met" in text else "lives_in"
        correct += [(t.subject.start, t.relation) for t in triples] == [(0, expected)]
        for triple in triples:
            evidence = triple.evidence
            assert evidence["how"] == "soft" and -1.0 <= evidence["match"] <= 1.0
            named = {rule.id: rule.relation for rule in pipe.rules}[evidence["rule"]]
            assert named == triple.relation and evidence["pattern"].startswith(("SUBJ-", "OBJ-"))
            assert all(text[begin:end] in text and 0.0 < weight <= 1.0 for begin, end, weight in evidence["attention"])
    assert correct >= 0.75 * len(found)
    assert not any(ask(nlp, pipe, text) for text in texts([SAID[3]])), "a rule said that there is no relation"


def test_matching_rules_decide() -> None:
    nlp, pipe = build()
    for text in texts(SAID[:2]):
        (triple,) = ask(nlp, pipe, text)
        assert triple.relation == "lives_in" and triple.score == 1.0
        assert triple.evidence["how"] == "exact" and triple.evidence["match"] == 1.0
        assert triple.evidence["rule"] == ("home" if "home" in text else "lives")
    pipe.cfg["threshold"] = 0.0
    assert not [t for t in ask(nlp, pipe, "Ada left Oslo .") if t.score > 0.0]


def test_soft_matches_below_the_floor_ground_no_relation() -> None:
    nlp, pipe = build(threshold=0.01)

    def matches() -> List[float]:
        # a relation in an order that no rule states has no match
        return sorted(t.evidence.get("match", -1.0) for text in texts(UNSAID) for t in ask(nlp, pipe, text))

    before = matches()
    pipe.cfg["grounding"]["match_floor"] = (before[-5] + before[-4]) / 2
    assert before[-5] < before[-4] and matches() == before[-4:]
    pipe.cfg["grounding"]["match_floor"] = 1.0
    assert not matches()
    assert all(ask(nlp, pipe, text) for text in texts(SAID[:2])), "exact matches are no soft ones"


def near(nlp: Language, pipe: Any, text: str) -> Dict[str, Any]:
    """The near misses of a text whose subject comes first, by relation."""
    doc = pipe(make_doc(nlp, text))
    return {miss.relation: miss for miss in pipe.near_misses(doc) if miss.subject[0] == 0}


def test_what_rules_out_a_relation_that_is_likely() -> None:
    nlp, pipe = build(threshold=0.01, exact_wins=False)
    train(nlp, pipe, [*SAID, *UNSAID])
    text = "Ada lives now in Oslo ."
    assert not near(nlp, pipe, text).get("lives_in")
    pipe.cfg["grounding"]["match_floor"] = 1.0
    floor = near(nlp, pipe, text)["lives_in"]
    assert floor.stopped_by == "pair" and "match_floor is 1.000" in floor.text and floor.score >= 0.5
    pipe.cfg["grounding"]["match_floor"] = -1.0
    pipe.cfg["types"] = [["ORG", "lives_in", "LOC"]]
    types = near(nlp, pipe, text)["lives_in"]
    assert types.stopped_by == "type" and "PER → LOC" in types.text
    nlp, pipe = build(threshold=0.0)
    doc = pipe(make_doc(nlp, "Ada left Oslo ."))
    rules = [miss for miss in pipe.near_misses(doc) if miss.stopped_by == "pair"]
    assert rules and all('rule never "SUBJ-PER left OBJ-LOC" says that ' in miss.text for miss in rules)


def test_types_bar_relations() -> None:
    nlp, pipe = build(threshold=0.0, exact_wins=False)
    for text in ("Oslo met Bergen .", "Oslo lives in Bergen ."):
        assert all(triple.score == 0.0 for triple in ask(nlp, pipe, text))
    _, loose = build(threshold=0.0, exact_wins=False, types=[])
    assert any(triple.score > 0.0 for triple in ask(nlp, loose, "Oslo met Bergen ."))


def test_given_types_go_before_those_of_rules() -> None:
    with pytest.warns(UserWarning, match=r"W004.*entity type ORG,"):
        nlp, pipe = build(types=[["PER", "met", "PER"], ["PER", "lives_in", "ORG"]])
    assert pipe.cfg["learned_types"] == []
    assert {t.relation for t in ask(nlp, pipe, "Ada met Mary .")} == {"met"}
    assert ask(nlp, pipe, "Ada lives in Oslo .") == [], "a rule matches, but it is no ORG"
    new = [{"id": "praise", "relation": "praises", "pattern": "SUBJ-PER praised OBJ-PER"}]
    pipe.add_rules(new)
    assert "praises" in [t.relation for t in ask(nlp, pipe, "Ada praised Mary .")], "of it nothing is given"
    pipe.cfg["types"] = [["PER", "praises", "LOC"]]
    assert "praises" not in [t.relation for t in ask(nlp, pipe, "Ada praised Mary .")]
    assert [t.relation for t in ask(nlp, pipe, "Ada lives in Oslo .")] == ["lives_in"]


def test_candidates_are_all_relations_unless_a_rule_decides() -> None:
    nlp, pipe = build(threshold=1.0)
    docs = [make_doc(nlp, text) for text in ("Ada met Mary .", "Ada left Oslo .", "Ada lives now in Oslo .")]
    ranked = []
    for doc in docs:
        pairs = pipe.suggest([doc])
        ranked.append([(r["relation"], r["score"]) for r in pipe.candidates(pairs, pipe.run(pairs))[0]])
    assert ranked[0][0] == ("met", 1.0) and ranked[1] == [], "by rules"
    ((relation, score),) = ranked[2]
    assert relation == "lives_in" and 0.0 < score < 1.0
    pipe.cfg.update(types=[])
    pairs = pipe.suggest(docs[2:])
    assert {r["relation"] for r in pipe.candidates(pairs, pipe.run(pairs))[0]} == {"lives_in", "met"}


@pytest.mark.parametrize("kind", ["entropy", "learned"])
def test_scores_without_labels(kind: str) -> None:
    nlp, pipe = build(no_relation=kind, exact_wins=False, negative_share=0.1, unmatched_from=0)
    train(nlp, pipe, [*SAID, *UNSAID], steps=20)
    everything = [t.score for text in texts([*SAID, *UNSAID]) for t in ask(nlp, pipe, text)]
    assert everything and all(0.5 <= score <= 1.0 for score in everything)
    pipe.cfg["threshold"] = 0.9
    sure = [t.score for text in texts([*SAID, *UNSAID]) for t in ask(nlp, pipe, text)]
    assert len(sure) == sum(score >= 0.9 for score in everything), "a higher threshold only takes away"


def test_rules_of_relations_it_never_saw() -> None:
    nlp, pipe = build(rules=RULES[:3])
    train(nlp, pipe, SAID[:3], steps=20)
    before = [t.relation for t in ask(nlp, pipe, "Ada praised Mary .")]
    new = [{"id": "praise", "relation": "praises", "pattern": "SUBJ-PER praised OBJ-PER"}]
    assert "praises" not in before and pipe.add_rules(new) == ["praises"] and "praises" in pipe.labels
    assert pipe.add_rules(new) == [] and len(pipe.rules) == 4
    (triple,) = ask(nlp, pipe, "Ada praised Mary .")
    assert (triple.relation, triple.evidence["rule"], triple.evidence["how"]) == ("praises", "praise", "exact")
    assert pipe.add_rules([{**new[0], "pattern": "SUBJ-PER lauded OBJ-PER"}]) == []
    assert [rule.id for rule in pipe.rules[3:]] == ["praise", "praise-2"]
    pipe.cfg["grounding"].update(exact_wins=False, match_threshold=0.2)
    pipe.cfg["threshold"] = 0.2
    (triple,) = ask(nlp, pipe, "Ada praised Mary .")
    assert triple.relation == "praises" and 0.2 < triple.score < 1.0, "by likeness"
    pipe.cfg["grounding"]["match_threshold"] = 1.0
    assert "praises" not in [t.relation for t in ask(nlp, pipe, "Ada praised Mary .")]
    again = spacy.blank("en").add_pipe(NAME, config={"model": MODEL}).from_bytes(pipe.to_bytes())
    assert again.labels == pipe.labels and len(again.rules) == 5  # type: ignore[attr-defined]


MARKED_ROWS = [("Ada lives in Oslo .", "Ada", "Oslo"), ("Oslo is home to Ada .", "Oslo", "Ada")]


def marked(nlp: Language, text: str, first: str, second: str) -> Doc:
    doc = nlp.make_doc(text)
    places = [[text.index(name), text.index(name) + len(name)] for name in (first, second)]
    doc.user_data[PAIRS_KEY] = [{"subject": places[0], "object": places[1]}]
    return doc


def marked_examples(nlp: Language) -> List[Example]:
    return [Example(marked(nlp, *row), nlp.make_doc(row[0])) for row in MARKED_ROWS]


def build_marked(**settings: Any) -> Any:
    fix_random_seed(0)
    nlp = spacy.blank("en")
    suggester = {"@misc": "spacy_relext.AnnotatedPairs.v1"}
    untyped = [{**rule, "pattern": re.sub(r"-(PER|LOC)", "-*", rule["pattern"])} for rule in RULES[:2]]
    config = {"model": MODEL, "rules": untyped, "suggester": suggester, **in_blocks(settings)}
    pipe: Any = nlp.add_pipe(NAME, config=config)
    pipe.initialize(lambda: marked_examples(nlp), nlp=nlp)
    return nlp, pipe


def test_marked_pairs_are_read_backwards() -> None:
    nlp, pipe = build_marked()
    assert pipe.cfg["classes"] == [["lives_in", False], ["lives_in", True]]
    for row in MARKED_ROWS:
        (triple,) = pipe(marked(nlp, *row))._.triples
        assert (triple.subject.text, triple.object.text) == ("Ada", "Oslo")


def test_marked_pairs_are_learned_from_either_side() -> None:
    nlp, pipe = build_marked()
    for both, orders in ((True, {True, False}), (False, {True})):
        pipe.learner.settings = replace(pipe.learning, both_orders=both)
        seen = set()
        for _ in range(20):
            found = pipe.suggest_gold(marked_examples(nlp))
            for number, shares in enumerate(found.targets.tolist()):
                subject, obj = found.pairs.spans(number)
                assert shares == ([0.0, 1.0, 0.0] if subject.text == "Ada" else [0.0, 0.0, 1.0])
                seen.add(subject.start < obj.start)
        assert seen == orders


def test_logits_of_both_orders_are_averaged() -> None:
    nlp, pipe = build_marked(average_orders=True)
    pairs = pipe.suggest([marked(nlp, *row) for row in MARKED_ROWS])
    first, second = pipe.run(pairs), pipe.run(pairs.reversed())
    numpy.testing.assert_allclose(first.logits, second.logits[:, [0, 2, 1]], atol=1e-6)
    numpy.testing.assert_array_equal(first.unit, pipe.forward(pairs).unit)


def test_labels_beside_rules() -> None:
    nlp, pipe = build(templates=SAID, learn_gold=True, exact_wins=False)
    text = "Kari greets Ole ."
    example = Example(make_doc(nlp, text), nlp.make_doc(text))
    set_triples(example.reference, [((0, 4), "met", (12, 15))])
    size = len(pipe.learner.pool)
    optimizer = nlp.create_optimizer()
    optimizer.learn_rate = 0.005
    for _ in range(60):
        pipe.update([example], sgd=optimizer)
    assert len(pipe.learner.pool) == size + 2, "the pair and, without a relation, its other order"
    assert [t.relation for t in ask(nlp, pipe, "Kari greets Ole .")] == ["met"]


def test_the_pool_is_bounded_and_grows_with_the_stream() -> None:
    nlp, pipe = build(templates=SAID[:1], pool_size=5)
    assert len(pipe.learner.pool) == 5 and pipe.learner.pool.seen > 5
    nlp, pipe = build(templates=SAID[:1])
    size = len(pipe.learner.pool)
    pipe.update(examples(nlp, SAID[2:3]), sgd=nlp.create_optimizer())
    assert len(pipe.learner.pool) > size
    pipe.update(examples(nlp, SAID[2:3]), sgd=nlp.create_optimizer())
    assert pipe.learner.pool.seen == len(pipe.learner.pool), "none is taken twice"


def test_all_of_a_stream_is_searched() -> None:
    fix_random_seed(0)
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe(NAME, config={"model": MODEL, "rules": RULES, **in_blocks({})})
    first = examples(nlp, UNSAID)
    with pytest.raises(ValueError, match=r"R504.*max_epochs = -1.*\[initialize.components.nero_grounder.corpus\]"):
        pipe.initialize(lambda: first, nlp=nlp)
    pipe.initialize(lambda: first, nlp=nlp, corpus=lambda pipeline: examples(pipeline, (*UNSAID, *SAID)))
    assert len(pipe.learner.pool) and pipe.labels == ("lives_in", "met")
    losses = pipe.update(first, sgd=nlp.create_optimizer(), losses={})
    assert losses["nero_grounder_matched"] > 0


def test_rules_are_filled_with_arguments_of_their_relation() -> None:
    _, pipe = build()
    for _ in range(5):
        texts_of = pipe.learner.rule_texts(numpy.arange(4), pipe.rulebook, pipe.vocab)
        found = [" ".join(token.text for token in doc) for doc in texts_of.docs]
        for number, names in enumerate([("PER", "LOC"), ("PER", "LOC"), ("PER", "PER")]):
            subject, obj = texts_of.spans(number)
            assert subject.text in PEOPLE and obj.text in (PLACES if names[1] == "LOC" else PEOPLE)
        assert found[0].split()[1:3] == ["lives", "in"] and found[1].split()[1:4] == ["is", "home", "to"]
        assert found[1].split()[0] in PLACES, "its object comes first"
    _, plain = build(fill_arguments=False)
    texts_of = plain.learner.rule_texts(numpy.arange(3), plain.rulebook, plain.vocab)
    assert {doc[0].text for doc in texts_of.docs} == {"something"}


# What is wrong with the input


def test_no_rules() -> None:
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe(NAME)
    with pytest.raises(ValueError, match=r"\[R503\] 'nero_grounder'.*\[initialize.components.nero_grounder\] rules"):
        pipe.initialize(lambda: examples(nlp, SAID), nlp=nlp)


def test_rules_that_match_nothing() -> None:
    with pytest.raises(
        ValueError, match=r"\[R504\] None of the 1 rules of 'nero_grounder' matches any.*just misses 'Ada .*rules check"
    ):
        build(rules=[{"relation": "eats", "pattern": "SUBJ-PER eats OBJ-LOC"}])
    near = r"Nearest: 'a' \(SUBJ-PER stays in OBJ-LOC\) just misses '.* in .*'; the words of 'b' .* 'PER'"
    with pytest.raises(ValueError, match=near):
        build(
            rules=[
                {"id": "a", "relation": "stays", "pattern": "SUBJ-PER stays in OBJ-LOC"},
                {"id": "b", "relation": "lives", "pattern": "SUBJ-ORG lives in OBJ-LOC"},
            ]
        )
    with pytest.raises(ValueError, match="Nearest: none comes near in the first .* texts"):
        build(rules=[{"relation": "eats", "pattern": "SUBJ-PER ate all day with OBJ-LOC"}])


def test_slips_of_the_pen() -> None:
    with pytest.warns(UserWarning, match=r"\[W509\].*type 'PERZON' of 1 rules \(the first: 'x'\).*PER"):
        build(rules=[*RULES, {"id": "x", "relation": "lives", "pattern": "SUBJ-PERZON dwells in OBJ-LOC"}])


def test_a_relation_that_is_none_of_the_labels() -> None:
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe(NAME, config={"rules": [*RULES, {"relation": "livez", "pattern": "SUBJ-PER at OBJ-LOC"}]})
    labels = sorted({rule["relation"] for rule in RULES})
    with pytest.raises(ValueError, match=r"\[R500\].*unknown relation 'livez'; expected one of"):
        pipe.initialize(lambda: examples(nlp, SAID), nlp=nlp, labels=labels)


def test_rules_added_later_contradict_none() -> None:
    _, pipe = build()
    first = pipe.rules[0]
    with pytest.raises(ValueError, match=rf"\[R500\].*'other' here and {first.relation!r} in rule {first.id!r}"):
        pipe.add_rules([{"relation": "other", "pattern": str(first.pattern)}])
    with pytest.warns(UserWarning, match=r"\[W500\].*the same as rule"):
        assert pipe.add_rules([{"relation": first.relation, "pattern": str(first.pattern)}]) == []


def test_a_corpus_without_entities() -> None:
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe(NAME, config={"rules": RULES})
    bare = [Example(nlp.make_doc(text), nlp.make_doc(text)) for text in texts(SAID)]
    with pytest.raises(ValueError, match=r"\[R515\] None of the \d+ documents of the training data has an entity"):
        pipe.initialize(lambda: bare, nlp=nlp)


def test_rules_that_name_no_relation() -> None:
    rules = [RULES[3], {**RULES[3], "id": "again", "pattern": "SUBJ-PER fled OBJ-LOC"}]
    with pytest.raises(ValueError, match=r"\[R518\] The rules of 'nero_grounder'.*all 2 of them say no_relation"):
        build(rules=rules)


def listening() -> Tuple[Language, Any]:
    """A grounder that listens to another component."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": {**CNN, "width": 32, "depth": 2}})
    model = {**MODEL, "encoder": {**MODEL["encoder"], "tok2vec": LISTENER}}  # type: ignore[dict-item]
    return nlp, nlp.add_pipe(NAME, config={"rules": RULES, "model": model, **in_blocks({"unmatched_from": 5})})


@pytest.mark.parametrize("frozen, annotating", [([], []), (["tok2vec"], []), ([], ["tok2vec"])])
def test_a_listener_of_what_changes_is_refused(frozen: List[str], annotating: List[str]) -> None:
    nlp, pipe = listening()
    nlp.config["training"].update(frozen_components=frozen, annotating_components=annotating)
    with pytest.raises(ValueError, match=r"\[R505\].*'nero_grounder' is a listener.*frozen_components"):
        pipe.initialize(lambda: examples(nlp, SAID), nlp=nlp)


def test_a_listener_of_a_frozen_component(tmp_path: pathlib.Path) -> None:
    """It learns, is saved with the vectors of its rules, and takes rules later."""
    fix_random_seed(0)
    nlp, pipe = listening()
    nlp.config["training"].update(frozen_components=["tok2vec"], annotating_components=["tok2vec"])
    spoken = examples(nlp, [*SAID, *UNSAID])
    optimizer = nlp.initialize(lambda: spoken)
    optimizer.learn_rate = 0.005
    before = nlp.get_pipe("tok2vec").model.to_bytes()
    losses: List[float] = []
    for _ in range(30):
        losses.append(nlp.update(spoken, sgd=optimizer, losses={}, exclude=["tok2vec"], annotates=["tok2vec"])[NAME])
    assert losses[-1] < losses[0] / 2 and nlp.get_pipe("tok2vec").model.to_bytes() == before

    def answers(pipeline: Language) -> List[Tuple[str, float, str, float]]:
        docs = pipeline.pipe(make_doc(pipeline, text) for text in texts(UNSAID))
        found = [triple for doc in docs for triple in doc._.triples]
        return [(t.relation, round(t.score, 4), t.evidence["rule"], round(t.evidence["match"], 4)) for t in found]

    expected = answers(nlp)
    assert len(expected) > len(texts(UNSAID)) / 2
    nlp.to_disk(tmp_path / "saved")
    again = spacy.load(tmp_path / "saved")
    assert answers(again) == expected == answers(pickle.loads(pickle.dumps(nlp)))
    added: Any = again.get_pipe(NAME)
    rule = [{"relation": "visited", "pattern": "SUBJ-PER visited OBJ-LOC"}]
    assert added.add_rules(rule, nlp=again) == ["visited"] and answers(again)
    assert [t.relation for t in again(make_doc(again, "Ada visited Oslo ."))._.triples] == ["visited"]
    unconnected: Any = spacy.load(tmp_path / "saved").get_pipe(NAME)
    unconnected.add_rules(rule)
    with pytest.raises(ValueError, match=r"\[R505\].*pass the pipeline"):
        unconnected.vectors.current()


def test_a_file_of_rules(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "rules.jsonl"
    lines = [*RULES[:2], {"relation": "met", "pattern": "SUBJ-PER * met OBJ-PER"}]
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf8")
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe(NAME, config={"model": MODEL})
    with pytest.warns(UserWarning, match=rf"\[W500\] {NAME}: 1 of the 3 rules in .*rules.jsonl.*gaps are off"):
        pipe.initialize(lambda: examples(nlp, SAID), nlp=nlp, rules=path)
    assert [rule.id for rule in pipe.rules] == ["lives", "home"], "one relation is enough"
    train(nlp, pipe, SAID, steps=2)
    path.write_text('{"relation": "met", "pattern": "SUBJ-PER met"}\n', encoding="utf8")
    with pytest.raises(ValueError, match=r"\[R500\].*rules.jsonl:1.*expected one SUBJ-TYPE and one OBJ-TYPE"):
        pipe.initialize(lambda: examples(nlp, SAID), nlp=nlp, rules=path)
