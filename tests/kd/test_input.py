"""Input that teacher and student cannot use is named in one line, and what is not their input changes nothing."""

import warnings
from pathlib import Path
from typing import Any, Dict, List

import numpy
import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_relext import get_records, set_triples
from spacy_relext.annotations.entities import PAIRS_KEY
from spacy_relext.pairs.suggesters import AnnotatedPairs
from tests.kd.pipes import (
    GRAPH_STUDENT,
    GRAPH_TEACHER,
    PIECE_STUDENT,
    STUDENT,
    TEACHER,
    VECTORS,
    build,
    make_example,
    make_examples,
    over,
    settings_of,
    train,
)

pytestmark = pytest.mark.filterwarnings("ignore:.W403")  # most of these texts have no parse
FACTORIES = [(TEACHER, GRAPH_TEACHER), (STUDENT, GRAPH_STUDENT)]
SHARED_STUDENT = {"@architectures": "spacy_relext.KdStudent.v1", "encoder": VECTORS}


@pytest.mark.filterwarnings("ignore:.W401")
@pytest.mark.parametrize("factory, model", FACTORIES)
def test_triples_between_other_entities(factory: str, model: Dict[str, Any]) -> None:
    nlp = spacy.blank("en")
    nlp.config["paths"] = {"train": "some/corpus.spacy"}
    pipe: Any = nlp.add_pipe(factory, config={**settings_of(factory), "model": model})
    examples = make_examples(nlp)
    for example in examples:
        doc = example.predicted
        doc.set_ents([Span(doc, 1, 2, "X"), Span(doc, 2, 3, "X")] if len(doc) > 2 else [])
    with pytest.raises(ValueError, match=rf"R416.*triples.*some/corpus.spacy.*pairs.*{factory}") as error:
        pipe.initialize(lambda: examples, nlp=nlp)
    assert "\n" not in str(error.value)
    for example in examples:
        example.predicted.set_ents([])
    with pytest.raises(ValueError, match=rf"R516.*some/corpus.spacy.*{factory}"):
        pipe.initialize(lambda: examples, nlp=nlp)


def test_texts_in_which_nothing_has_looked_for_entities() -> None:
    pipe = build(STUDENT, GRAPH_STUDENT)
    nlp = spacy.blank("en")
    with pytest.warns(UserWarning, match="W406.*kd_classifier.*ner"):
        pipe.predict([nlp.make_doc("Ada met Ole ."), nlp.make_doc("")])
    searched = nlp.make_doc("It rained .")
    searched.set_ents([])
    pipe = build(STUDENT, GRAPH_STUDENT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pipe.predict([searched, nlp.make_doc("")]) == [[], []]


def test_texts_without_marked_pairs() -> None:
    pipe = build(STUDENT, GRAPH_STUDENT)
    pipe.suggester = AnnotatedPairs()
    nlp = spacy.blank("en")
    unmarked = make_example(nlp, "Ada met Ole .", [("Ada", "PER"), ("Ole", "PER")], []).predicted
    with pytest.warns(UserWarning, match="W408.*kd_classifier.*pairs.*EntityPairs") as found:
        assert pipe.predict([unmarked]) == [[]]
    assert "\n" not in str(found[0].message)
    marked = nlp.make_doc("It rained .")
    marked.user_data[PAIRS_KEY] = []
    pipe = build(STUDENT, GRAPH_STUDENT)
    pipe.suggester = AnnotatedPairs()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pipe.predict([marked, nlp.make_doc("")]) == [[], []]


def test_a_suggester_of_entities_in_place_of_marked_pairs(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    marked: Any = {"@misc": "spacy_relext.AnnotatedPairs.v1"}
    examples = make_examples(nlp)
    for example in examples:
        records = get_records(example.reference) or []
        example.predicted.user_data[PAIRS_KEY] = [{key: each[key] for key in ("subject", "object")} for each in records]
    settings = settings_of(STUDENT, suggester=marked, threshold=0.0)
    pipe: Any = nlp.add_pipe(STUDENT, config={**settings, "model": GRAPH_STUDENT})
    pipe.initialize(lambda: examples, nlp=nlp)
    nlp.to_disk(tmp_path)
    other = {"components": {STUDENT: {"suggester": {"@misc": "spacy_relext.EntityPairs.v1"}}}}
    loaded = spacy.load(tmp_path, config=other)
    unmarked = make_example(loaded, "Ada met Ole .", [("Ada", "PER"), ("Ole", "PER")], []).predicted
    assert len(loaded.get_pipe(STUDENT).suggest([unmarked])) == 2


@pytest.mark.parametrize("kind", ["graph", "piece", "shared"])
def test_a_pair_200_tokens_apart_in_300_tokens(kind: str, bert: str) -> None:
    model = {"graph": GRAPH_STUDENT, "piece": over(PIECE_STUDENT, name=bert), "shared": SHARED_STUDENT}[kind]
    pipe = build(STUDENT, model, threshold=1e-6)
    text = " ".join(["Ada", *["was"] * 200, "born in London", *["."] * 97])
    example = make_example(spacy.blank("en"), text, [("Ada", "PER"), ("London", "LOC")], [("Ada", "born_in", "London")])
    assert len(example.predicted) == 301
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        (found,) = pipe.predict([example.predicted])
        losses = train(pipe, [example], steps=2)
    assert len(found) == 2 and all(0 < record["score"] <= 1 for record in found) and numpy.isfinite(losses).all()
    assert any("W402" in str(each.message) for each in said) == (kind == "piece"), "one argument is not read"


def hang(doc: Doc, heads: List[int]) -> Doc:
    return Doc(
        doc.vocab,
        words=[token.text for token in doc],
        spaces=[bool(token.whitespace_) for token in doc],
        heads=heads,
        deps=["dep"] * len(doc),
        ents=[f"{token.ent_iob_}-{token.ent_type_}" if token.ent_type_ else "O" for token in doc],
    )


@pytest.mark.parametrize(
    "heads",
    [
        [0, 1, 2, 3, 4, 5],  # each token a root of its own
        [3, 4, 2, 1, 2, 2],  # edges that cross
        [2, 2, 2, 2, 4, 4],  # two trees, an entity in each
        [1, 1, 1, 1, 1, 4],  # the root beside an entity
    ],
)
def test_trees_of_any_form(heads: List[int]) -> None:
    # spaCy begins a sentence at each root: the marked pair is read in all of them
    pipe = build(STUDENT, GRAPH_STUDENT, threshold=1e-6, suggester={"@misc": "spacy_relext.AnnotatedOrAllPairs.v1"})
    example = make_examples(spacy.blank("en"))[0]
    doc = hang(example.predicted, heads)
    doc.user_data[PAIRS_KEY] = [{"subject": [0, 3], "object": [16, 22]}]
    ((record,),) = pipe.predict([doc])
    assert 0 < record["score"] <= 1
    losses = train(pipe, [Example(doc, example.reference)], steps=3)
    assert numpy.isfinite(losses).all()


@pytest.mark.parametrize("kind", ["graph", "piece", "shared"])
def test_what_is_no_input_changes_no_prediction(kind: str, bert: str) -> None:
    """Gold never; heads with the graph alone; types where neither attention nor marks read them."""
    piece = {**over(PIECE_STUDENT, name=bert), "attention": False}
    pipe = build(STUDENT, {"graph": GRAPH_STUDENT, "piece": piece, "shared": SHARED_STUDENT}[kind], threshold=1e-6)
    plain = make_examples(spacy.blank("en"))
    scrambled, docs = make_examples(spacy.blank("en")), []
    for example in scrambled:
        set_triples(example.reference, [((0, 1), "met", (1, 2))])
        doc = example.predicted
        if kind == "piece":
            doc.set_ents([Span(doc, ent.start, ent.end, label="ALIEN") for ent in doc.ents])
        if kind != "graph":
            doc = hang(doc, [0] * len(doc))
        set_triples(doc, [(doc[:1], "met", doc[1:2])], source="another")
        docs.append(doc)
    expected = pipe.run(pipe.suggest([example.predicted for example in plain])).logits
    numpy.testing.assert_array_equal(pipe.run(pipe.suggest(docs)).logits, expected)
    gold = pipe.suggest_gold([Example(doc, example.reference) for doc, example in zip(docs, scrambled)])
    numpy.testing.assert_array_equal(pipe.run(gold).logits, expected)
