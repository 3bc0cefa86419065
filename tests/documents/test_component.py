"""`relext_documents`: it learns facts across sentences, combines them with triples, and survives saving."""

import pathlib
import pickle
from typing import Any, Dict, List, Tuple

import numpy
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed

from spacy_relext.annotations.judged import set_judged
from spacy_relext.annotations.store import set_coref, set_triples
from spacy_relext.documents import segments
from spacy_relext.documents.component import best_of_each
from spacy_relext.pipeline.tuning import tune_pipeline
from tests.coref.texts import ENCODER

# Text, names with types, facts, and chains of names with other mentions.
DOCUMENTS = (
    ("Ada Holm runs Nordlys. It is in Skien.", [("Ada Holm", "employer", "Nordlys"), ("Nordlys", "seat", "Skien")]),
    ("Bo Lie left. He was born in Bergen.", [("Bo Lie", "born", "Bergen")]),
    ("Skog grew. Its owner is Eva Moe.", [("Eva Moe", "employer", "Skog")]),
    ("Eva Moe met Bo Lie. They ate in Skien.", []),
    ("Fjord is old. Its hall stands in Bergen.", [("Fjord", "seat", "Bergen")]),
)
TYPES = {
    "Ada Holm": "PERSON",
    "Bo Lie": "PERSON",
    "Eva Moe": "PERSON",
    "Nordlys": "ORG",
    "Skog": "ORG",
    "Fjord": "ORG",
    "Skien": "PLACE",
    "Bergen": "PLACE",
}
MODEL = {
    "@architectures": "spacy_relext.DocumentPairs.v1",
    "hidden": 64,
    "dropout": 0.0,
    "encoder": ENCODER,
}


def make_pipeline(**settings: Any) -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("relext_documents", config={"model": MODEL, **settings})
    return nlp


def make_doc(nlp: Language, text: str) -> Doc:
    doc = nlp.get_pipe("sentencizer")(nlp.make_doc(text))
    spans = [(text.index(name), name) for name in TYPES if name in text]
    doc.set_ents([doc.char_span(start, start + len(name), label=TYPES[name]) for start, name in sorted(spans)])
    return doc


def make_examples(nlp: Language) -> List[Example]:
    examples = []
    for text, facts in DOCUMENTS:
        reference = make_doc(nlp, text)
        places = {name: (text.index(name), text.index(name) + len(name)) for name in TYPES if name in text}
        set_triples(reference, [(places[one], relation, places[two]) for one, relation, two in facts])
        examples.append(Example(make_doc(nlp, text), reference))
    return examples


@pytest.fixture(scope="module")
def trained() -> Language:
    fix_random_seed(0)
    nlp = make_pipeline()
    optimizer = nlp.initialize(lambda: make_examples(nlp))
    optimizer.learn_rate = 0.005
    for _ in range(100):
        nlp.update(make_examples(nlp), sgd=optimizer)
        if score(nlp)["facts_f"] == 1.0:
            break
    return nlp


def score(nlp: Language) -> Dict[str, Any]:
    pipe = nlp.get_pipe("relext_documents")
    examples = [Example(pipe(example.predicted), example.reference) for example in make_examples(nlp)]
    return pipe.score(examples)  # type: ignore[attr-defined]


def facts(doc: Doc) -> List[Tuple[str, str, str]]:
    return [(each.subject.name, each.relation, each.object.name) for each in doc._.facts]


def annotate(nlp: Language, doc: Doc) -> Doc:
    return nlp.get_pipe("relext_documents")(doc)


@pytest.mark.filterwarnings("ignore:.W360")  # one of the documents is not annotated
def test_a_listener_learns_from_a_batch_that_is_annotated_in_part() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("tok2vec", config={"model": ENCODER})
    listener = {"@architectures": "spacy_relext.Listener.v1", "upstream": "tok2vec"}
    nlp.add_pipe("relext_documents", config={"model": {**MODEL, "encoder": listener}})
    examples = make_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    other = make_doc(nlp, DOCUMENTS[0][0])
    losses = nlp.update([Example(make_doc(nlp, other.text), other), *examples], sgd=optimizer)
    assert losses["relext_documents"] > 0.0
    assert nlp.update([Example(make_doc(nlp, other.text), other)], sgd=optimizer)["relext_documents"] == 0.0


def test_it_learns_by_heart(trained: Language) -> None:
    scores = score(trained)
    assert scores["facts_f"] == scores["facts_across_r"] == 1.0 and scores["facts_ece"] < 0.5
    doc = annotate(trained, make_doc(trained, DOCUMENTS[1][0]))
    assert facts(doc) == [("Bo Lie", "born", "Bergen")] and doc._.facts[0].triples == []
    assert len(doc._.facts[0].sentences) == 1 and doc._.triples == []


def test_reading_in_parts_changes_nothing(trained: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts, scores and sentences, of documents and of segments of one document."""
    text = " ".join(text for text, _ in DOCUMENTS)
    nlp = pickle.loads(pickle.dumps(trained))
    pipe = nlp.get_pipe("relext_documents")
    pipe.cfg.update(threshold=0.06, length=16)

    def read() -> List[Tuple[str, str, str, float, List[str]]]:
        docs = [*(make_doc(nlp, text) for text, _ in DOCUMENTS), make_doc(nlp, text)]
        return [
            (f.subject.name, f.relation, f.object.name, round(f.score, 5), [sentence.text for sentence in f.sentences])
            for doc in pipe.pipe(docs)
            for f in doc._.facts
        ]

    whole = read()
    monkeypatch.setattr(segments.DocumentInstances.parts, "__defaults__", (1,))
    assert len(whole) > len(DOCUMENTS) and read() == whole


def test_a_triple_is_a_fact_with_the_higher_of_both_scores(trained: Language) -> None:
    text = DOCUMENTS[3][0]
    doc = make_doc(trained, text)
    triple = {"subject": (0, 7), "relation": "knows", "object": (12, 18), "score": 0.9}
    set_triples(doc, [triple, {**triple, "relation": "hates", "score": 0.3}], source="a")
    (fact,) = annotate(trained, doc)._.facts
    assert (fact.relation, fact.score, len(fact.triples)) == ("knows", 0.9, 1)
    nlp = pickle.loads(pickle.dumps(trained))
    nlp.get_pipe("relext_documents").cfg["combination"] = [0.0, 1.0, 0.0, -5.0]
    assert annotate(nlp, doc)._.facts == []


def test_coreference_adds_mentions(trained: Language) -> None:
    doc = make_doc(trained, DOCUMENTS[1][0])
    set_coref(doc, [[(0, 6), (13, 15)]])
    (segment,) = trained.get_pipe("relext_documents").suggest([doc]).segments  # type: ignore[attr-defined]
    assert segment.entities[0] == (0, [(0, 2), (4, 5)])
    (fact,) = annotate(trained, doc)._.facts
    assert [sentence.text for sentence in fact.sentences] == ["He was born in Bergen."], "it mentions both"


def test_it_survives_saving(trained: Language, tmp_path: pathlib.Path) -> None:
    trained.to_disk(tmp_path / "nlp")
    copies = [spacy.load(tmp_path / "nlp"), pickle.loads(pickle.dumps(trained))]
    copies.append(make_pipeline().from_bytes(trained.to_bytes()))
    text = DOCUMENTS[0][0]
    expected = facts(annotate(trained, make_doc(trained, text)))
    assert [facts(annotate(nlp, make_doc(nlp, text))) for nlp in copies] == [expected] * 3
    doc = annotate(trained, make_doc(trained, text))
    assert facts(Doc(doc.vocab).from_bytes(doc.to_bytes())) == facts(doc.copy()) == expected
    docs = [make_doc(trained, text) for text, _ in DOCUMENTS]
    piped = [facts(each) for each in copies[0].pipe(docs, n_process=2)]
    assert piped == [facts(each) for each in trained.pipe([make_doc(trained, t) for t, _ in DOCUMENTS], batch_size=1)]


@pytest.mark.parametrize("text", ["", " ", "\n\u00a0", "Hm", "Bo Lie", "Bo Lie  left\u00a0Skien 🙂."])
def test_odd_texts(trained: Language, text: str) -> None:
    assert annotate(trained, make_doc(trained, text))._.facts is not None


@pytest.mark.parametrize("kind", ["bce", "ssr_pu"])
def test_other_losses(kind: str) -> None:
    fix_random_seed(0)
    nlp = make_pipeline(loss={"@misc": "spacy_relext.DocumentsLoss.v1", "kind": kind})
    optimizer = nlp.initialize(lambda: make_examples(nlp))
    first = nlp.update(make_examples(nlp), sgd=optimizer)["relext_documents"]
    for _ in range(20):
        last = nlp.update(make_examples(nlp), sgd=optimizer)["relext_documents"]
    assert last < first


def test_before_training() -> None:
    nlp = make_pipeline()
    with pytest.raises(ValueError, match=r"\[R004\].*relext_documents"):
        nlp("Ada left.")
    with pytest.raises(ValueError, match=r"\[R003\].*relext_documents"):
        nlp.initialize(lambda: [Example(make_doc(nlp, "Ada"), make_doc(nlp, "Ada"))])
    with pytest.raises(ValueError, match="hidden"):
        spacy.blank("en").add_pipe("relext_documents", config={"model": {**MODEL, "hidden": 100}})


def test_tune_fits_one_probability(trained: Language) -> None:
    nlp = pickle.loads(pickle.dumps(trained))
    pipe = nlp.get_pipe("relext_documents")
    pipe.cfg["threshold"] = 1.0
    result = tune_pipeline(nlp, make_examples(nlp))["relext_documents"]
    assert (result["before"], result["after"]) == (0.0, 1.0)
    assert len(pipe.cfg["combination"]) == 4 and 0.0 < pipe.cfg["threshold"] < 1.0
    assert facts(annotate(nlp, make_doc(nlp, DOCUMENTS[1][0]))) == [("Bo Lie", "born", "Bergen")]
    with pytest.raises(ValueError, match="R011"):
        tune_pipeline(nlp, make_examples(nlp)[3:4])


def test_tune_leaves_a_component_that_is_never_right(trained: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = pickle.loads(pickle.dumps(trained))
    pipe = nlp.get_pipe("relext_documents")
    before = dict(pipe.cfg)
    monkeypatch.setattr(pipe, "_judge", lambda instances, found, gold: (found[0], [None] * len(found[0]), 2))
    result = tune_pipeline(nlp, make_examples(nlp))["relext_documents"]
    assert (result["before"], result["after"], pipe.cfg) == (0.0, 0.0, before)


def test_tune_counts_what_the_annotation_covers_and_each_fact_once(trained: Language) -> None:
    pipe: Any = trained.get_pipe("relext_documents")
    references = [example.reference for example in make_examples(trained)]
    for reference in references:
        set_judged(reference, ["born", "seat"])
    instances = pipe.suggest(references)
    found = pipe.list_facts(instances, pipe.run(instances))
    candidates, stated, n_gold = pipe._judge(instances, found, references)
    assert n_gold == 5 and len([key for key in stated if key]) == 5
    assert {candidate.key[1] for candidate, key in zip(candidates, stated) if key is None} <= {"born", "seat"}
    one, other = (0, (0, "born", 1)), (1, (0, "born", 1))
    marks = best_of_each(numpy.asarray([0.2, 0.7, 0.1, 0.9, 0.7]), [one, one, None, other, one])
    assert marks.tolist() == [False, True, True, True, False]
