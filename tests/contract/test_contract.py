"""What every component of the package does, whatever its method."""

import importlib.metadata
import math
import pathlib
import random
from typing import Any, Dict

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_relext import has_triples, set_triples
from spacy_relext.annotations.store import has_relations
from tests.contract.cases import CASES, MethodCase
from tests.contract.conftest import BATCH_TOLERANCE, NAME, Trained, assert_close, outcome, written

# A sentence longer than any window, without repetitions, whose equal scores would fall either way. One word in six is
# part of a name: every pair of names is classified.
NAMED, OTHER = "Ada Lovelace Kari Lund Ole Charles Babbage London Oslo Bergen Lodore", "wrote born in to is where and"
WEIGHTS = [1 / len(NAMED.split())] * len(NAMED.split()) + [5 / len(OTHER.split())] * len(OTHER.split())
LONG_SENTENCE = " ".join(random.Random(0).choices([*NAMED.split(), *OTHER.split()], WEIGHTS, k=400))
LONG = f"{LONG_SENTENCE} .\n\n Ole was born in Oslo ."


def test_every_factory_has_a_case() -> None:
    points = importlib.metadata.entry_points(group="spacy_factories")
    ours = {point.name for point in points if point.value.startswith("spacy_relext.")}
    # which state no relations; they have tests of their own
    ours -= {"relext_sentencizer", "relext_ner", "relext_coref", "relext_documents", "kb_linker"}
    ours -= {"relext_constraints", "relext_inference"}
    assert ours and ours - {case.factory for case in CASES} == set(), "add a MethodCase to tests/contract/cases.py"
    assert len({case.id for case in CASES}) == len(CASES)


# Untrained


def test_added_and_not_initialized(case: MethodCase, encoder: pathlib.Path) -> None:
    nlp = case.build(encoder, name=NAME)
    pipe = nlp.get_pipe(NAME)
    assert nlp.pipe_names[-1] == NAME and nlp.get_pipe_meta(NAME).factory == case.factory
    assert pipe.is_trainable and pipe.labels == () and pipe.name == NAME
    with pytest.raises(ValueError, match=rf"\[R004\].*{NAME!r}.*nlp.initialize"):
        pipe(nlp.make_doc("Ada wrote."))
    with pytest.raises(ValueError, match=r"\[R004\]"):
        pipe.update([Example(nlp.make_doc("Ada"), nlp.make_doc("Ada"))])
    with pytest.raises(ValueError):  # whatever comes first in the pipeline complains
        nlp("Ada wrote.")


def test_no_labels_no_model(case: MethodCase, encoder: pathlib.Path) -> None:
    nlp = case.build(encoder, name=NAME)
    reference = nlp.make_doc("Nothing here.")
    set_triples(reference, [])
    example = Example(nlp.make_doc("Nothing here."), reference)
    with pytest.raises(ValueError, match=rf"\[{case.no_labels}\].*{NAME!r}"):
        nlp.get_pipe(NAME).initialize(lambda: [example], nlp=nlp)


def test_labels_may_be_given(case: MethodCase, encoder: pathlib.Path) -> None:
    if case.finds_relations:
        pytest.skip("labels are found")
    nlp = case.build(encoder, name=NAME)
    examples = case.make_examples(nlp)
    labels = sorted({t.relation for example in examples for t in example.reference._.triples})
    nlp.get_pipe(NAME).initialize(lambda: examples[:1], nlp=nlp, labels=[*reversed(labels), "never_seen"])
    assert list(nlp.get_pipe(NAME).labels) == sorted([*labels, "never_seen"]) == nlp.get_pipe(NAME).label_data


def test_the_wrong_kind_of_model_is_refused(case: MethodCase, encoder: pathlib.Path) -> None:
    nlp = case.build(encoder, name=NAME)
    nlp.get_pipe(NAME).model = spacy.registry.architectures.get("spacy.HashEmbedCNN.v2")(
        width=8, depth=1, embed_size=50, window_size=1, maxout_pieces=2, subword_features=True, pretrained_vectors=None
    )
    with pytest.raises(ValueError, match=rf"\[R005\].*\[components.{NAME}.model\]"):
        nlp.get_pipe(NAME).initialize(lambda: case.make_examples(nlp), nlp=nlp)


# Trained


def test_learned_by_heart(case: MethodCase, trained: Trained) -> None:
    assert trained.scores[case.overfit_key] == 1.0, f"{case.steps} updates were not enough: {trained.losses}"
    for example in trained.examples:
        doc = trained.nlp(example.text)
        for triple in (t for t in doc._.triples if t.source == NAME):
            assert 0.0 <= triple.score <= 1.0 and triple.relation in trained.pipe.labels
            assert is_plain(triple.evidence)


def is_plain(value: Any) -> bool:
    """Whether a value survives JSON, msgpack and pickle."""
    if isinstance(value, dict):
        return all(type(key) is str and is_plain(part) for key, part in value.items())
    return all(map(is_plain, value)) if type(value) is list else type(value) in (str, int, float, bool)


def test_losses_are_numbers(trained: Trained) -> None:
    ours = {key: value for key, value in trained.losses.items() if key.startswith(NAME)}
    assert NAME in ours
    assert all(type(value) is float and math.isfinite(value) and value >= 0.0 for value in ours.values())
    assert ours.pop(NAME) == pytest.approx(sum(ours.values()))


def test_score_keys_are_those_of_the_factory(case: MethodCase, trained: Trained) -> None:
    weights = Language.get_factory_meta(case.factory).default_score_weights
    found = trained.pipe.score([Example(trained.nlp(e.text), e.reference) for e in trained.examples])
    of_assertions = {"assertion_accuracy", "assertion_macro_f"} if "assertions" in trained.pipe.cfg else set()
    assert set(found) == set(weights) | of_assertions and case.overfit_key in weights
    assert set(trained.pipe.score([])) == set(weights)
    assert sum(weight or 0.0 for weight in weights.values()) > 0


def odd_docs(nlp: Language) -> Dict[str, Doc]:
    one_ent, ents = nlp.make_doc("Ada wrote Lodore."), nlp.make_doc("Ada wrote Lodore.")
    one_ent.ents = [Span(one_ent, 0, 1, label="PERSON")]
    ents.ents = [Span(ents, 0, 1, label="PERSON"), Span(ents, 2, 3, label="WORK")]
    return {
        "empty": nlp.make_doc(""),
        "whitespace": nlp.make_doc(" \n\t "),
        "one token": nlp.make_doc("Ada"),
        "one space": nlp.make_doc(" "),
        "no words": Doc(nlp.vocab),
        "one entity": one_ent,
        "entities": ents,
        "long": nlp.make_doc(LONG),
        "control characters": nlp.make_doc("\u200b\u0000 Ada \u00ad"),
    }


def test_odd_docs(case: MethodCase, trained: Trained) -> None:
    docs = odd_docs(trained.nlp)
    for name, doc in docs.items():
        found = trained.nlp(doc)
        assert found is doc, name
        assert has_triples(doc) or has_relations(doc), f"{name}: annotated, be it with nothing"
        if name in ("empty", "whitespace", "one token", "one space", "no words"):
            assert doc._.triples == []
    alone = [outcome(doc) for doc in docs.values()]
    together = [outcome(doc) for doc in trained.nlp.pipe(odd_docs(trained.nlp).values())]
    assert_close(together, alone, tolerance=BATCH_TOLERANCE)
    assert list(trained.nlp.pipe([])) == []


def test_docs_without_sentences(trained: Trained) -> None:
    with trained.nlp.select_pipes(disable="sentencizer"):
        for text in [*trained.texts, LONG, "", " "]:
            doc = trained.nlp(text)
            assert len(doc) < 2 or not doc.has_annotation("SENT_START")
            assert has_triples(doc) or has_relations(doc)


def test_arguments_lie_in_one_sentence_and_differ(case: MethodCase, trained: Trained) -> None:
    nlp = trained.copy()
    loosen(nlp, case)
    count = 0
    for doc in nlp.pipe([*trained.texts, " ".join(trained.texts), LONG]):
        for triple in doc._.triples:
            count += 1
            assert triple.subject != triple.object
            assert any(
                sent.start <= min(triple.subject.start, triple.object.start)
                and max(triple.subject.end, triple.object.end) <= sent.end
                for sent in doc.sents
            )
        for sent in doc.sents:
            assert all(0.0 <= p <= 1.0 for p in sent._.relations.values())
    assert count > 0 or "threshold" not in case.silencing and not case.silences_queries


def loosen(nlp: Language, case: MethodCase) -> None:
    """Lower the thresholds, so that much is found that the model did not mean."""
    for _, pipe in nlp.pipeline:
        cfg = getattr(pipe, "cfg", {})
        cfg.update(dict.fromkeys(cfg.keys() & {"threshold", "min_probability"}, 0.0))
        if "query_threshold" in cfg.get("decoding", {}):
            cfg["decoding"]["query_threshold"] = 0.0


def test_a_threshold_above_one_finds_nothing(case: MethodCase, trained: Trained) -> None:
    nlp = trained.copy()
    case.silence(nlp.get_pipe(NAME).cfg)
    for doc in nlp.pipe(trained.texts):
        assert written(doc) == []
        if has_relations(doc) and "min_probability" in case.silencing:
            assert all(sent._.relations == {} for sent in doc.sents)


def test_average_precision_hangs_on_no_threshold(case: MethodCase, trained: Trained) -> None:
    if not trained.pipe.ranks_candidates:
        pytest.skip("triples are not ranked")
    nlp = trained.copy()
    expected = nlp.evaluate(case.make_examples(nlp))
    assert expected["exact_ap"] >= expected["exact_r"] - 0.05
    nlp.get_pipe(NAME).cfg.update(threshold=1.01, scale=0.5, shift=-1.0)
    scores = nlp.evaluate(case.make_examples(nlp))
    assert scores["exact_f"] == 0.0 and scores["exact_ap"] == pytest.approx(expected["exact_ap"], abs=1e-6)


@pytest.mark.parametrize("batch_size", [1, 2, 32])
def test_batches_do_not_matter(trained: Trained, batch_size: int) -> None:
    texts = [*trained.texts, LONG, "", *reversed(trained.texts)]
    expected = [outcome(trained.nlp(text)) for text in texts]
    found = [outcome(doc) for doc in trained.nlp.pipe(texts, batch_size=batch_size)]
    assert_close(found, expected, tolerance=BATCH_TOLERANCE)


def test_other_sources_are_left_alone(case: MethodCase, trained: Trained) -> None:
    doc = trained.nlp.make_doc(trained.texts[0])
    start = doc[1].idx
    theirs = [((0, 2), "other", (start, start + 2), 0.5, {"why": "x"})]
    set_triples(doc, theirs, source="another")
    set_triples(doc, [((0, 2), "old", (start, start + 2))], source=NAME)
    found = trained.nlp(doc)
    kept = [t for t in found._.triples if t.source == "another"]
    assert [(t.relation, t.score, t.evidence) for t in kept] == [("other", 0.5, {"why": "x"})]
    if "doc._.triples" in Language.get_factory_meta(case.factory).assigns:
        assert all(relation != "old" for _, relation, _ in written(found))
    assert outcome(trained.nlp(trained.texts[0]))[0] == [t for t in outcome(found)[0] if t[3] == NAME and t[1] != "old"]


def test_running_twice_changes_nothing(trained: Trained) -> None:
    for text in trained.texts:
        doc = trained.nlp(text)
        assert_close([outcome(trained.pipe(doc.copy()))], [outcome(doc)])


def test_predict_changes_no_doc(trained: Trained) -> None:
    with trained.nlp.select_pipes(disable=NAME):
        doc = trained.nlp(trained.texts[0])
    before = doc.to_bytes()
    trained.pipe.predict([doc])
    assert doc.to_bytes() == before


def test_prediction_on_merged_tokens(trained: Trained) -> None:
    for text in trained.texts:
        doc = trained.nlp.make_doc(text)
        if len(doc) > 3:
            with doc.retokenize() as retokenizer:
                retokenizer.merge(doc[0:2])
        found = trained.nlp(doc)
        assert found is doc and (has_triples(found) or has_relations(found))


def test_config_round_trip(trained: Trained) -> None:
    config = trained.nlp.config
    nlp = Language.from_config(config) if trained.nlp.lang == "" else spacy.util.load_model_from_config(config)
    assert nlp.config["components"][NAME] == config["components"][NAME]
    nlp.from_bytes(trained.nlp.to_bytes())
    for text in trained.texts:
        assert_close([outcome(nlp(text))], [outcome(trained.nlp(text))])
