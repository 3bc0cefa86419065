"""Types in teacher and student: a lexicon that gives them, decoding that keeps to them, gold that a teacher is told."""

import warnings
from pathlib import Path
from typing import Any, Callable, Dict, List, Set, Tuple

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import DocBin, Span
from spacy.training import Example
from spacy.util import fix_random_seed

from spacy_relext import set_triples
from spacy_relext.annotations.entities import NOMINAL, PAIRS_KEY
from spacy_relext.annotations.store import SOFT_LABELS_KEY
from spacy_relext.corpora.reader import TripleCorpus
from spacy_relext.pairs.encoders.features import token_arrays
from spacy_relext.pairs.type_lexicon import TypeLexicon
from spacy_relext.pipeline import tuning
from spacy_relext.pipeline.tuning import tune_pipeline
from tests.kd.pipes import (
    GRAPH_STUDENT,
    GRAPH_TEACHER,
    ROWS,
    STUDENT,
    TEACHER,
    build,
    make_examples,
    settings_of,
    train,
)

TYPES = {name: kind for _, entities, _ in ROWS for name, kind in entities}
LOCAL = ("local", "auxiliary")
DOG, MAN = (4, 7), (16, 19)
LEXICON = TypeLexicon({"dog": "animal", "man": "person"})
MARKED = {**settings_of(TEACHER), "model": GRAPH_TEACHER, "suggester": {"@misc": "spacy_relext.AnnotatedPairs.v1"}}


def untyped_examples(nlp: Language) -> List[Example]:
    examples = []
    for triples in ([(DOG, "bit", MAN)], []):
        doc = nlp.make_doc("The dog bit the man .")
        doc.user_data[PAIRS_KEY] = [{"subject": DOG, "object": MAN, "label": None}]
        reference = doc.copy()
        set_triples(reference, triples)
        examples.append(Example(doc, reference))
    return examples


def test_a_lexicon_types_what_no_entity_types() -> None:
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe(TEACHER, config=MARKED)
    examples = untyped_examples(nlp)
    pipe.initialize(lambda: examples, nlp=nlp, lexicon=LEXICON)
    pairs = pipe.suggest([examples[0].predicted])
    assert pipe.cfg["entity_types"] == ["animal", "person"] and pairs.types == [("animal", "person")]
    assert pipe.patterns.counts_of(("animal", "person")) == {0: 1, 1: 1}
    assert token_arrays(pipe.features(pairs))["types"].tolist() == [[0, 1, 0, 0, 2, 0]]


def test_what_is_only_marked_has_no_type() -> None:
    nlp = spacy.blank("en")
    examples = []
    for example in untyped_examples(nlp):
        for doc in (example.predicted, example.reference):
            doc.set_ents([doc.char_span(*place, label=NOMINAL) for place in (DOG, MAN)])
        examples.append(example)
    alone: Any = nlp.add_pipe(TEACHER, config=MARKED)
    with pytest.warns(UserWarning, match="W405.*kd_teacher.*'NOMINAL' and 'NOMINAL'.*lexicon"):
        alone.initialize(lambda: examples, nlp=nlp)
    pipe: Any = spacy.blank("en").add_pipe(TEACHER, config=MARKED)
    pipe.initialize(lambda: examples, nlp=nlp, lexicon=TypeLexicon({"dog": "animal"}))
    pairs = pipe.suggest([examples[0].predicted])
    assert pairs.types == [("animal", "")] and pipe.cfg["entity_types"] == ["animal"]
    assert token_arrays(pipe.features(pairs))["types"].tolist() == [[0, 1, 0, 0, 0, 0]]


def test_the_lexicon_is_saved_and_goes_with_the_next_initialize() -> None:
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe(TEACHER, config=MARKED)
    examples = untyped_examples(nlp)
    pipe.initialize(lambda: examples, nlp=nlp, lexicon=LEXICON)
    other: Any = spacy.blank("en").add_pipe(TEACHER, config=MARKED)
    other.from_bytes(pipe.to_bytes())
    with pytest.raises(ValueError, match="R414.*training data.*lexicon"):
        pipe.initialize(lambda: examples, nlp=nlp)
    assert pipe.suggest([examples[0].predicted]).types == [("", "")]
    assert other.suggest([examples[0].predicted]).types == [("animal", "person")]


# Rows of `types`, and (with the rows of `ROWS` as often as it takes) what training shows.
SHOWN = [["PER", "born_in", "LOC"], ["PER", "lives_in", "LOC"], ["PER", "met", "PER"], ["ORG", "praised", "PER"]]
MODELS = [(TEACHER, GRAPH_TEACHER), (STUDENT, GRAPH_STUDENT)]


def often(nlp: Language, count: int = 100) -> List[Example]:
    return [*make_examples(nlp)] * count


def stated(pipe: Any) -> Set[Tuple[str, str, str]]:
    """Types and relations of what a component states at any score."""
    pipe.cfg["threshold"] = 1e-6
    records = [r for found in pipe.predict([e.predicted for e in make_examples(spacy.blank("en"))]) for r in found]
    return {(TYPES[r["subject"].text], r["relation"], TYPES[r["object"].text]) for r in records}


@pytest.mark.parametrize("factory, model", MODELS)
def test_relations_keep_to_the_given_types(factory: str, model: Any) -> None:
    free, kept = (build(factory, model, types=types) for types in ([], SHOWN))
    assert stated(free) - stated(kept)
    assert stated(kept) <= set(map(tuple, SHOWN))
    one = build(factory, model, types=[["*", "met", "LOC"]])
    assert {each for each in stated(one) if each[1] == "met"} <= {(kind, "met", "LOC") for kind in ("PER", "ORG")}
    assert {each for each in stated(one) if each[1] != "met"} - set(map(tuple, SHOWN)), "others may be anything"


def test_near_misses_of_pairs() -> None:
    pipe = build(STUDENT, GRAPH_STUDENT, types=[["PER", "met", "LOC"]], threshold=0.0)
    nlp = spacy.blank("en")
    doc = pipe(make_examples(nlp)[2].predicted)
    assert [triple.relation for triple in doc._.triples if triple.relation == "met"] == []
    misses = pipe.near_misses(doc)
    chosen = {triple.subject.start_char: triple for triple in doc._.triples}
    competitors = [miss for miss in misses if miss.stopped_by == "pair"]
    assert competitors and {miss.stopped_by for miss in misses} <= {"pair", "type"}
    for miss in competitors:
        best = chosen[miss.subject[0]]
        assert miss.score <= best.score and f"{best.relation} with {best.score:.3f}" in miss.text
    pipe.cfg["types"] = [["LOC", relation, "LOC"] for relation in pipe.labels]
    barred = pipe.near_misses(doc)
    assert {miss.stopped_by for miss in barred} == {"type"} and len(barred) == 2, "the likeliest of both pairs"
    assert all("the types PER → PER are not among its own" in miss.text for miss in barred)
    pipe.cfg.update(types=[], threshold=1.01)
    low = [miss for miss in pipe.near_misses(doc) if miss.stopped_by == "threshold"]
    assert len(low) == 2 and all(miss.score < miss.threshold == 1.01 and ": " in miss.text for miss in low)


@pytest.mark.parametrize("factory, model", [(TEACHER, GRAPH_TEACHER), (STUDENT, GRAPH_STUDENT)])
def test_types_are_learned_from_many_triples(factory: str, model: Any) -> None:
    fix_random_seed(0)
    few = build(factory, model)
    assert few.cfg["types"] == "learned" and few.cfg["learned_types"] == [] and stated(few) - set(map(tuple, SHOWN))
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe(factory, config={**settings_of(factory), "model": model})
    pipe.initialize(lambda: often(nlp), nlp=nlp)
    assert pipe.cfg["learned_types"] == sorted(SHOWN) and stated(pipe) <= set(map(tuple, SHOWN))
    again: Any = spacy.blank("en").add_pipe(factory, config={**settings_of(factory), "model": model})
    again.from_bytes(pipe.to_bytes())
    assert again.cfg["learned_types"] == sorted(SHOWN) and stated(again) == stated(pipe)
    free: Any = spacy.blank("en").add_pipe(factory, config={**settings_of(factory), "model": model, "types": []})
    free.from_bytes(pipe.to_bytes())
    assert stated(free) - set(map(tuple, SHOWN)), "the config has changed since it was saved"


def test_tuning_keeps_learned_types_unless_labels_of_entities_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """An `ner` may call the places it finds organizations, between which and persons nothing was learned."""
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe(STUDENT, config={**settings_of(STUDENT), "model": GRAPH_STUDENT})
    pipe.initialize(lambda: often(nlp), nlp=nlp)
    train(pipe, make_examples(nlp), steps=40)
    right, wrong = make_examples(nlp), make_examples(nlp)
    for example in wrong:
        doc = example.predicted
        doc.set_ents([Span(doc, e.start, e.end, label=e.label_.replace("LOC", "ORG")) for e in doc.ents])
    for examples, expected in ((wrong, []), (right, "learned")):
        pipe.cfg["types"] = "learned"
        assert pipe.fit_settings(examples) == {"types": expected}
    pipe.cfg["types"] = SHOWN
    assert pipe.fit_settings(wrong) == {} and pipe.cfg["types"] == SHOWN, "what was given stays"
    pipe.cfg["types"] = "learned"
    monkeypatch.setattr(tuning, "PRIOR", 1e-9)  # the few triples count as many
    found = tune_pipeline(nlp, wrong)[STUDENT]
    assert found["fitted"] == {"types": []} and pipe.cfg["types"] == nlp.config["components"][STUDENT]["types"] == []


def test_unknown_names_in_types_warn_once() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pipe = build(STUDENT, GRAPH_STUDENT, types=[["PERS", "met", "PER"], ["PER", "meets", "PER"]])
        stated(pipe)
    messages = [str(each.message) for each in caught if "W004" in str(each.message)]
    assert len(messages) == 2
    assert "relation meets" in messages[0] and "born_in, lives_in, met, praised" in messages[0]
    assert "entity type PERS," in messages[1] and "LOC, ORG, PER" in messages[1]


@pytest.mark.parametrize(
    "factory, model, parts", [(TEACHER, GRAPH_TEACHER, ("text", "types")), (STUDENT, GRAPH_STUDENT, LOCAL)]
)
def test_the_evidence_is_about_the_relation_that_the_types_allow(factory: str, model: Any, parts: Any) -> None:
    pipe = build(factory, model, types=SHOWN, threshold=1e-6)
    docs = [example.predicted for example in make_examples(spacy.blank("en"))]
    pairs = pipe.suggest(docs)
    outputs = pipe.run(pairs)
    best, _ = pipe.choose(pairs, outputs)
    others = best != outputs.logits[:, 1:].argmax(1) + 1
    assert others.any(), "for some pairs another relation would be the best"
    for number in range(len(pairs)):
        answer = int(best[number])
        evidence = pipe.evidence(pairs, outputs, number, answer)
        assert sum(evidence[part] for part in parts) == pytest.approx(outputs.logits[number, answer], abs=2e-4)


def test_soft_labels_that_do_not_fit_are_refused_before_training() -> None:
    nlp = spacy.blank("en")
    nlp.config["paths"] = {"train": "some/corpus.spacy"}
    pipe = build(TEACHER, GRAPH_TEACHER)

    def start(change: Callable[[Dict[str, Any]], None]) -> Any:
        examples = make_examples(nlp)
        pipe.teach(examples)
        for example in examples:
            change(example.reference.user_data[SOFT_LABELS_KEY])
        fresh = spacy.blank("en")
        fresh.config["paths"] = {"train": "some/corpus.spacy"}
        student: Any = fresh.add_pipe(STUDENT, config={**settings_of(STUDENT), "model": GRAPH_STUDENT})
        student.initialize(lambda: examples, nlp=fresh)

    def move(stored: Dict[str, Any]) -> None:
        for record in stored["pairs"]:
            record["subject"] = [900, 901]

    def rename(stored: Dict[str, Any]) -> None:
        stored["classes"] = [[f"new_{name}", swapped] for name, swapped in stored["classes"]]

    def lose(stored: Dict[str, Any]) -> None:
        del stored["pairs"][:1]

    with pytest.raises(ValueError, match=r"R415.*some/corpus.spacy.*teach"):
        start(move)
    with pytest.raises(ValueError, match=r"R401.*new_born_in"):
        start(rename)
    with pytest.warns(UserWarning, match=r"W404.*some/corpus.spacy"):
        start(lose)


def test_a_teacher_that_is_told_the_gold_can_be_evaluated(tmp_path: Path) -> None:
    pipe = build(TEACHER, {**GRAPH_TEACHER, "fusion": "relation"})
    nlp = spacy.blank("en")
    references = [example.reference for example in make_examples(nlp)]
    DocBin(docs=references, store_user_data=True).to_disk(tmp_path / "dev.spacy")
    for told in (True, False):
        corpus = TripleCorpus(tmp_path / "dev.spacy", gold_ents=True, gold_triples=told)
        docs = [example.predicted for example in corpus(nlp)]
        if told:
            assert len(pipe.predict(docs)) == len(docs)
            assert not any(doc._.triples for doc in docs), "what it is told is no prediction"
        else:
            with pytest.raises(ValueError, match="R402"):
                pipe.predict(docs)
