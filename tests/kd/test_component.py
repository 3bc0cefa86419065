"""The student, with and without a teacher, and what both components share."""

from typing import Any, Dict, List, Tuple, cast

import numpy
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Span
from spacy.training import Example
from spacy.util import fix_random_seed

from spacy_relext.annotations.entities import PAIRS_KEY
from spacy_relext.kd.model import StudentOutput
from spacy_relext.pairs import component as pair_base
from spacy_relext.pairs.gold import PairClass
from tests.contract.cases import CNN, EMBED, LISTENER, LSTM
from tests.kd.pipes import (
    GRAPH_STUDENT,
    GRAPH_TEACHER,
    PIECE_STUDENT,
    PIECE_TEACHER,
    ROWS,
    STUDENT,
    TEACHER,
    build,
    loss_of,
    make_example,
    make_examples,
    over,
    settings_of,
    student,
    taught_examples,
    teacher,
    train,
    unlabelled_examples,
)

pytestmark = pytest.mark.filterwarnings("ignore:.W403")  # these texts have no parse


def test_without_a_teacher_the_student_learns_from_labels() -> None:
    pipe, examples = student(teacher_share=1.0), make_examples(spacy.blank("en"))
    assert set(loss_of(pipe, examples)) == {STUDENT, f"{STUDENT}_gold", f"{STUDENT}_penalty"}


def test_the_teachers_share_changes_the_loss() -> None:
    pipe, examples = student(), taught_examples(teacher())
    terms = {}
    for share in (0.0, 0.5, 1.0):
        pipe.teacher_share = share
        terms[share] = loss_of(pipe, examples)
    gold, word, hints = (f"{STUDENT}_{term}" for term in ("gold", "teacher", "hints"))
    assert terms[0.0][word] == terms[0.0][hints] == terms[1.0][gold] == 0.0
    assert terms[0.0][gold] > 0 and terms[1.0][word] > 0 and terms[1.0][hints] > 0
    for term in (gold, word, hints, STUDENT):
        assert terms[0.5][term] == pytest.approx((terms[0.0][term] + terms[1.0][term]) / 2, rel=1e-4)
    alone = loss_of(pipe, make_examples(spacy.blank("en")))
    assert alone[gold] == pytest.approx(terms[0.0][gold], rel=1e-4)


def test_the_student_learns_unlabelled_text_from_the_teacher() -> None:
    source, nlp = teacher(), spacy.blank("en")
    train(source, make_examples(nlp), steps=80)
    pipe, unlabelled = student(), unlabelled_examples(nlp)
    with pytest.warns(UserWarning, match="W360.*7 of the 7"):
        assert not any(pipe.update(unlabelled, losses={}).values()), "without soft labels it teaches nothing"
    source.teach(unlabelled)
    losses = train(pipe, unlabelled, steps=80)
    assert losses[-1] < 0.1 * losses[0]
    predicted = [example.predicted.copy() for example in unlabelled]
    for component in (source, pipe):
        component.set_annotations(predicted, component.predict(predicted))

    def stated(name: str) -> List[Any]:
        return [{(t.subject, t.relation, t.object) for t in doc._.triples if t.source == name} for doc in predicted]

    assert any(stated(TEACHER)) and stated(TEACHER) == stated(STUDENT)


@pytest.mark.parametrize("annotated", [0, 1])
def test_relations_that_no_gold_names_are_known_from_the_teacher(annotated: int) -> None:
    source, nlp = teacher(), spacy.blank("en")
    train(source, make_examples(nlp), steps=80)
    examples = [*make_examples(nlp)[:annotated], *unlabelled_examples(nlp)[annotated:]]
    source.teach(examples)
    pipe: Any = nlp.add_pipe(STUDENT, config={**settings_of(STUDENT), "model": GRAPH_STUDENT})
    pipe.initialize(lambda: examples, nlp=nlp)
    assert pipe.labels == source.labels
    assert pipe.classes == source.classes
    losses = train(pipe, examples, steps=80)
    assert losses[-1] < 0.2 * losses[0]


def test_types_of_unlabelled_text_are_known_and_its_assertions_are_not() -> None:
    nlp = spacy.blank("en")
    examples = make_examples(nlp)
    doc = make_example(nlp, "Ada praised Snow .", [("Ada", "PER"), ("Snow", "BOOK")], []).predicted
    unlabelled = Example(doc, doc)
    teacher().teach([*examples, unlabelled])
    pipe: Any = nlp.add_pipe(STUDENT, config={**settings_of(STUDENT), "model": GRAPH_STUDENT})
    pipe.initialize(lambda: [*examples, unlabelled], nlp=nlp)
    gold = pipe.suggest_gold([unlabelled])
    assert "BOOK" in pipe.cfg["entity_types"] and gold.classes(pipe.classes).tolist() == [-1, -1]
    assert gold.assertions(pipe.classes, ["denied"]).tolist() == [-1, -1]


def test_the_student_predicts_on_types_that_it_has_never_seen() -> None:
    pipe = student(threshold=0.0)
    example = make_example(spacy.blank("en"), "Ada met Ole .", [("Ada", "ROBOT"), ("Ole", "ALIEN")], [])
    doc = example.predicted
    assert not pipe.features(pipe.suggest([doc])).arrays, "neither gold labels nor type tables"
    pipe.set_annotations([doc], pipe.predict([doc]))
    assert [triple.evidence["entity_types"] for triple in doc._.triples] == [["ROBOT", "ALIEN"], ["ALIEN", "ROBOT"]]


def test_the_share_of_a_step_is_no_setting() -> None:
    pipe = student(teacher_share=0.25)
    assert pipe.teacher_share == 0.25
    pipe.teacher_share = 0.75
    config = {"model": GRAPH_STUDENT, **settings_of(STUDENT, teacher_share=0.25)}
    other: Any = spacy.blank("en").add_pipe(STUDENT, config=config)
    assert other.from_bytes(pipe.to_bytes()).teacher_share == 0.25 == other.cfg["learning"]["teacher_share"]


# Marked pairs: a relation may run against their order


def marked_examples(nlp: Language) -> List[Example]:
    """Pairs in the order of the text, of which the second's subject comes last."""
    rows = [
        ("Ada wrote Lodore .", ("Ada", "Lodore"), ("Ada", "author", "Lodore")),
        ("Lodore was written by Mary .", ("Lodore", "Mary"), ("Mary", "author", "Lodore")),
    ]
    examples = []
    for text, pair, triple in rows:
        example = make_example(nlp, text, [(pair[0], "A"), (pair[1], "B")], [triple])
        spans = [[text.index(name), text.index(name) + len(name)] for name in pair]
        for doc in (example.predicted, example.reference):
            doc.user_data[PAIRS_KEY] = [{"subject": spans[0], "object": spans[1], "label": None}]
        examples.append(example)
    return examples


def marked_student(**settings: Any) -> Tuple[Any, List[Example]]:
    fix_random_seed(0)
    nlp = spacy.blank("en")
    settings |= {"suggester": {"@misc": "spacy_relext.AnnotatedPairs.v1"}, "threshold": 0.3}
    pipe: Any = nlp.add_pipe(STUDENT, config={"model": GRAPH_STUDENT, **settings_of(STUDENT, **settings)})
    examples = marked_examples(nlp)
    pipe.initialize(lambda: examples, nlp=nlp)
    return pipe, examples


def test_a_backwards_class_swaps_subject_and_object() -> None:
    pipe, examples = marked_student()
    assert pipe.labels == ("author",) and pipe.classes == [PairClass("author"), PairClass("author", backwards=True)]
    pairs = pipe.suggest([example.predicted for example in examples])
    logits = numpy.asarray([[0.0, 0.0, 3.0], [0.0, 0.0, 3.0]], dtype="float32")
    found = pipe.decode(pairs, StudentOutput(*[cast(Any, logits)] * 5))
    assert [(t["subject"].text, t["relation"], t["object"].text) for (t,) in found] == [
        ("Lodore", "author", "Ada"),
        ("Mary", "author", "Lodore"),
    ]
    assert found[0][0]["score"] == pytest.approx(1 / (1 + numpy.exp(-3.0)), rel=1e-5)


def test_what_a_pair_says_in_both_orders_is_told_once() -> None:
    pipe, (example, _) = marked_student()
    doc = example.predicted
    pair = doc.user_data[PAIRS_KEY][0]
    doc.user_data[PAIRS_KEY].append({"subject": pair["object"], "object": pair["subject"], "label": None})
    logits = numpy.asarray([[0.0, 1.0, 0.0], [0.0, 0.0, 3.0]], dtype="float32")
    ((triple,),) = pipe.decode(pipe.suggest([doc]), StudentOutput(*[cast(Any, logits)] * 5))
    assert (triple["subject"].text, triple["relation"], triple["object"].text) == ("Ada", "author", "Lodore")
    assert triple["score"] == pytest.approx(1 / (1 + numpy.exp(-3.0)), rel=1e-5)


def test_both_directions_are_learned() -> None:
    pipe, examples = marked_student()
    assert pipe.targets(pipe.suggest_gold(examples))["classes"].tolist() == [1, 2]
    train(pipe, examples, steps=40)
    docs = [example.predicted.copy() for example in examples]
    pipe.set_annotations(docs, pipe.predict(docs))
    found = [(t.subject.text, t.object.text) for doc in docs for t in doc._.triples]
    assert found == [("Ada", "Lodore"), ("Mary", "Lodore")]


# Both


@pytest.mark.filterwarnings("ignore:.W360")
@pytest.mark.parametrize(("factory", "model"), [(TEACHER, GRAPH_TEACHER), (STUDENT, GRAPH_STUDENT)])
def test_docs_without_annotation_teach_nothing(factory: str, model: Dict[str, Any]) -> None:
    nlp = spacy.blank("en")
    bare = nlp.make_doc("Ada met Ole.")
    bare.set_ents([Span(bare, 0, 1, label="PER"), Span(bare, 2, 3, label="PER")])
    found = []
    for batch in (make_examples(nlp), [Example(bare, bare.copy()), *make_examples(nlp)]):
        pipe = build(factory, model)
        found.append((pipe.update(batch, sgd=nlp.create_optimizer(), losses={}), pipe))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-4)


@pytest.mark.parametrize("kind", ["graph", "piece"])
@pytest.mark.parametrize("factory", [TEACHER, STUDENT])
def test_a_batch_without_pairs(factory: str, kind: str, bert: str) -> None:
    graph, piece = (GRAPH_TEACHER, PIECE_TEACHER) if factory == TEACHER else (GRAPH_STUDENT, PIECE_STUDENT)
    pipe = build(factory, graph if kind == "graph" else over(piece, name=bert))
    before = pipe.model.shims[0].to_bytes()
    nlp = spacy.blank("en")
    for text in ("It rained .", ""):
        losses = pipe.update([make_example(nlp, text, [], [])], sgd=nlp.create_optimizer(), losses={})
        assert losses[factory] == 0.0
    assert pipe.model.shims[0].to_bytes() == before
    assert pipe.predict([nlp.make_doc("It rained."), nlp.make_doc("")]) == [[], []]


def test_an_upstream_that_was_exchanged_is_noticed() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": CNN})
    pipe: Any = nlp.add_pipe(STUDENT, config={**settings_of(STUDENT), "model": over(GRAPH_STUDENT, tok2vec=LISTENER)})
    nlp.initialize(lambda: make_examples(nlp))
    doc = make_examples(nlp)[0].predicted
    doc.tensor = numpy.zeros((len(doc), 10), dtype="float32")
    with pytest.raises(ValueError, match="R361.*have 10 numbers.*made for 48"):
        pipe(doc)


@pytest.mark.parametrize("kind", ["graph", "piece"])
@pytest.mark.parametrize("factory", [TEACHER, STUDENT])
def test_many_pairs_are_scored_in_parts(factory: str, kind: str, bert: str, monkeypatch: pytest.MonkeyPatch) -> None:
    graph, piece = (GRAPH_TEACHER, PIECE_TEACHER) if factory == TEACHER else (GRAPH_STUDENT, PIECE_STUDENT)
    pipe = build(factory, graph if kind == "graph" else over(piece, name=bert), threshold=0.0)
    docs = [example.predicted for example in make_examples(spacy.blank("en"))]
    whole = pipe.predict(docs)
    assert len(list(pipe.split(pipe.suggest(docs)))) == 1
    monkeypatch.setattr(pair_base, "CELLS", 24)  # three pairs of the longest text
    assert len(list(pipe.split(pipe.suggest(docs)))) == 6
    read: List[int] = []
    features = pipe.features
    monkeypatch.setattr(pipe, "features", lambda pairs: read.append(len(pairs.docs)) or features(pairs))
    parts = pipe.predict(docs)
    assert len(read) == 6 and max(read) < len(docs)  # a part's own Docs, not all of them again
    assert sum(map(len, whole)) == 16
    for one, other in zip(sum(whole, []), sum(parts, [])):
        assert [one[key] == other[key] for key in ("subject", "relation", "object")] == [True] * 3
        assert one["score"] == pytest.approx(other["score"], abs=1e-5)


def far_example() -> Example:
    """A pair at the end of a text that is longer than a sequence, between words that have no piece."""
    text = "It rained and rained and rained and rained . \n \n \n Ada \n \n met Ole"
    return make_example(spacy.blank("en"), text, [("Ada", "PER"), ("Ole", "PER")], [("Ada", "met", "Ole")])


def test_attention_to_word_pieces_is_told_by_token(bert: str) -> None:
    pipe = build(STUDENT, over(PIECE_STUDENT, name=bert, max_pieces=8), threshold=0.0)
    example = far_example()
    assert pipe.update([example], losses={})[STUDENT] > 0
    doc = example.predicted
    pipe.set_annotations([doc], pipe.predict([doc]))
    for triple in doc._.triples:
        seen = {doc.text[start:end]: weight for start, end, weight in triple.evidence["attention"]}
        # at first all of the eight pieces weigh the same, and "met" is three letters
        assert {"Ada", "met", "Ole"} <= set(seen) and seen["met"] == pytest.approx(3 / 8, abs=1e-3)


def test_without_attention_there_is_none_to_tell(bert: str) -> None:
    pipe = build(STUDENT, {**over(PIECE_STUDENT, name=bert), "attention": False}, threshold=0.0)
    found = pipe.predict([far_example().predicted])
    assert [triple["evidence"]["attention"] for triple in found[0]] == [[], []]
    assert [triple["evidence"]["auxiliary"] for triple in found[0]] == [0.0, 0.0]


@pytest.mark.parametrize("factory, model", [(TEACHER, GRAPH_TEACHER), (STUDENT, GRAPH_STUDENT)])
def test_texts_without_a_pair_of_entities(factory: str, model: Any) -> None:
    nlp = spacy.blank("en")

    def initialize(rows: Any, *, copied: bool = True, **settings: Any) -> None:
        examples = [make_example(nlp, *row) for row in rows]
        if not copied:
            for example in examples:
                example.predicted.set_ents([])
        pipe: Any = spacy.blank("en").add_pipe(factory, config={**settings_of(factory, **settings), "model": model})
        pipe.initialize(lambda: examples)

    bare = [("Ada was born in London .", [], []), ("It rained .", [], [])]
    with pytest.raises(ValueError, match=rf"^\[R515\] None of the 2 documents of .* has an entity, and '{factory}'"):
        initialize(bare)
    with pytest.raises(ValueError, match=rf"^\[R516\] {len(ROWS) - 1} of the {len(ROWS)} .*gold_ents = true"):
        initialize(ROWS, copied=False)
    with pytest.raises(ValueError, match=r"^\[R517\].*no two entities stand in the same sentence"):
        initialize([("Ada slept .", [("Ada", "PER")], [])])
    with pytest.raises(ValueError, match=r"^\[R517\].*AnnotatedPairs.v1 takes the pairs that a data set marks"):
        initialize(ROWS, suggester={"@misc": "spacy_relext.AnnotatedPairs.v1"})
    limits = {"@misc": "spacy_relext.EntityPairs.v1", "max_distance": 0}
    with pytest.raises(ValueError, match=r"^\[R517\].*by max_distance = 0; widen"):
        initialize(ROWS, suggester=limits)


@pytest.mark.parametrize("factory, model", [(TEACHER, GRAPH_TEACHER), (STUDENT, GRAPH_STUDENT)])
def test_an_encoder_of_static_vectors_without_any(factory: str, model: Any) -> None:
    embed = {**EMBED, "include_static_vectors": True}
    tok2vec = {"@architectures": "spacy.Tok2Vec.v2", "embed": embed, "encode": LSTM}
    with pytest.raises(ValueError, match=rf"^\[R514\] .*'{factory}' reads static vectors.*--paths.vectors"):
        build(factory, over(model, tok2vec=tok2vec))
