import itertools
import pathlib
from types import SimpleNamespace
from typing import Any, List, cast

import numpy
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from thinc.api import Model, NumpyOps, fix_random_seed

from spacy_relext.pipeline.ner import RelextNer, biluo_tags, decode_tags, may_follow, read_tags

TEXTS = [
    ("Ada Lovelace was born in London.", [(0, 12, "PERSON"), (25, 31, "PLACE")]),
    ("In Oslo, Kari wrote Lodore.", [(3, 7, "PLACE"), (9, 13, "PERSON")]),
    ("Nobody came to New York City.", [(15, 28, "PLACE")]),
    ("It rained.", []),
]
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96, "upstream": "tok2vec"}


def make_example(nlp: Language, text: str, entities: List[Any]) -> Example:
    reference = nlp.make_doc(text)
    reference.set_ents([reference.char_span(start, end, label=label) for start, end, label in entities])
    return Example(nlp.make_doc(text), reference)


def train(nlp: Language) -> Language:
    fix_random_seed(0)  # whatever tests ran before
    examples = [make_example(nlp, text, entities) for text, entities in TEXTS]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(40):
        nlp.update(examples, sgd=optimizer)
    return nlp


@pytest.fixture(scope="module")
def trained() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("relext_ner", name="names")
    return train(nlp)


def entities_of(doc: Doc) -> List[Any]:
    return [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]


def test_learns_by_heart_and_survives_the_disk(trained: Language, tmp_path: pathlib.Path) -> None:
    trained.to_disk(tmp_path / "pipeline")
    loaded = spacy.load(tmp_path / "pipeline")
    for nlp in (trained, loaded, loaded.from_bytes(trained.to_bytes())):
        assert nlp.get_pipe("names").labels == ("PERSON", "PLACE")
        assert [entities_of(doc) for doc in nlp.pipe(text for text, _ in TEXTS)] == [each for _, each in TEXTS]
    scores = trained.evaluate([make_example(trained, text, entities) for text, entities in TEXTS])
    assert scores["ents_f"] == 1.0 and set(scores["ents_per_type"]) == {"PERSON", "PLACE"}


def test_listens() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec")
    nlp.add_pipe("relext_ner", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": LISTENER}})
    assert [entities_of(doc) for doc in train(nlp).pipe(text for text, _ in TEXTS)] == [each for _, each in TEXTS]
    with nlp.select_pipes(disable="tok2vec"), pytest.raises(ValueError, match=r"^\[R365\] 'relext_ner' .*'tok2vec'"):
        nlp(TEXTS[0][0])


def test_decoding_finds_the_best_valid_sequence() -> None:
    tags = biluo_tags(["X", "Y"])
    assert tags == ["O", "B-X", "I-X", "L-X", "U-X", "B-Y", "I-Y", "L-Y", "U-Y"]
    rng = numpy.random.default_rng(0)
    scores = [rng.normal(size=(length, len(tags))).astype("f") for length in (3, 1, 4, 2, 4)]
    for rows, found in zip(scores, decode_tags(scores, tags)):
        valid = [
            path
            for path in itertools.product(range(len(tags)), repeat=len(rows))
            if all(may_follow(a, b) for a, b in zip(["O", *(tags[i] for i in path)], [*(tags[i] for i in path), "O"]))
        ]
        assert list(found) == list(max(valid, key=lambda path: sum(rows[t, tag] for t, tag in enumerate(path))))


def test_batches_do_not_matter() -> None:
    tags = biluo_tags(["X"])
    rng = numpy.random.default_rng(0)
    scores = [rng.normal(size=(1 + i % 7, len(tags))).astype("f") for i in range(300)]
    alone = [list(decode_tags([rows], tags)[0]) for rows in scores]
    assert [list(found) for found in decode_tags(scores, tags)] == alone


def test_tags_become_entities() -> None:
    tags = biluo_tags(["X", "Y"])
    assert list(read_tags([0, 4, 5, 6, 7, 0], tags)) == [(1, 2, "X"), (2, 5, "Y")]


def test_no_entity_crosses_sentences_or_ends_with_white_space(trained: Language) -> None:
    tags = biluo_tags(["PERSON"])

    def predict(docs: List[Doc]) -> List[numpy.ndarray]:
        return [9.0 * numpy.eye(len(tags), dtype="f")[[tags.index("I-PERSON")] * len(doc)] for doc in docs]

    pipe = RelextNer(trained.vocab, cast(Model, SimpleNamespace(ops=NumpyOps(), predict=predict, walk=list)), "names")
    pipe.cfg["labels"] = ["PERSON"]
    doc = Doc(trained.vocab, words=["\n", "Ada", "Mary", "Lund", "Ole", "Per", "Holm", " "])
    (entity,) = pipe(doc.copy()).ents
    assert (entity.start, entity.end) == (1, 7)
    for token in doc:
        token.is_sent_start = token.i in (0, 4)
    assert [(ent.start, ent.end) for ent in pipe(doc).ents] == [(1, 4), (4, 7)]


def test_entities_that_are_there_stay(trained: Language) -> None:
    doc = trained.make_doc(TEXTS[0][0])
    doc.ents = [Span(doc, 1, 2, label="OTHER", kb_id="Q7259")]
    expected = [("Lovelace", "OTHER", "Q7259"), ("London", "PLACE", "")]
    assert [(ent.text, ent.label_, ent.kb_id_) for ent in trained(doc).ents] == expected


def test_odd_docs(trained: Language) -> None:
    docs = [trained.make_doc(text) for text in ("", " ", "Oslo", "")]
    assert [len(doc.ents) for doc in trained.pipe(docs)][:2] == [0, 0]
    assert list(trained.pipe([Doc(trained.vocab), Doc(trained.vocab)]))[1].ents == ()


def test_tokens_without_annotation_teach_nothing(trained: Language) -> None:
    pipe = trained.get_pipe("names")
    predicted = trained.make_doc("Ada came.")
    for reference, teaches in ((trained.make_doc("Ada came."), False), (trained("Ada came."), True)):
        scores = [numpy.full((3, len(biluo_tags(pipe.labels))), 0.1, dtype="f")]
        loss, (gradient,) = pipe.get_loss([Example(predicted, reference)], scores)
        words = sum(not token.is_space for token in predicted)
        pipe.loss_weight = 3.0
        mean, (of_mean,) = pipe.get_loss([Example(predicted, reference)], scores)
        pipe.loss_weight = 0.0
        assert mean == pytest.approx(3 * loss / words) and numpy.allclose(of_mean, 3 * gradient / words)
        assert bool(gradient.any()) == teaches and (loss > 0) == teaches


def test_labels() -> None:
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("relext_ner")
    with pytest.raises(ValueError, match=r"\[R004\]"):
        nlp("Ada wrote.")
    with pytest.raises(ValueError, match="relext_ner"):
        pipe.initialize(lambda: [make_example(nlp, "It rained.", [])], nlp=nlp)
    pipe.initialize(lambda: [make_example(nlp, *TEXTS[0])], nlp=nlp, labels=["WORK", "PLACE"])
    assert pipe.label_data == ["PERSON", "PLACE", "WORK"] and pipe.add_label("WORK") == 0
    with pytest.raises(ValueError, match=r"\[R007\]"):
        pipe.add_label("ORG")
