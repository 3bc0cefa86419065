"""`selfore_clusterer`: clusters of pairs, without gold."""

import pickle
import re
import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_relext import set_triples
from spacy_relext.annotations.entities import ENTITIES_KEY, PAIRS_KEY
from spacy_relext.pairs.suggesters import EntityPairs
from spacy_relext.selfore.settings import SelforeClustering, SelforeTraining
from spacy_relext.selfore.table import keys_of
from tests.contract import cases

NAME = "selfore_clusterer"
TEMPLATES = {
    "born_in": ("{} was born in the town of {}", "{} first saw light in the town of {}"),
    "bought": ("{} has bought all shares of {}", "{} now owns all shares of {}"),
    "married": ("{} is the happy wife of {}", "{} is the loving wife of {}"),
}
# as many names as there are pairs: of few, their names would make clusters
ENDS = ("an", "ol", "ek", "ul", "is", "orn", "ett", "il", "ax", "ude", "irk", "oss")
PEOPLE = ["Ada", "Eve", "Kim", "Pia", *(first + last for first in "BDFGHKLM" for last in ENDS)]
TURNS = 16
CNN = {**cases.CNN, "depth": 1, "embed_size": 500}
MODEL = {"@architectures": "spacy_relext.SelforeClusterer.v1", "encoder": CNN, "dropout": 0.0}


def make_doc(nlp: Language, text: str) -> Doc:
    doc = nlp.make_doc(text)
    doc.ents = [Span(doc, token.i, token.i + 1, "X") for token in doc if token.text in PEOPLE]
    doc[0].is_sent_start = True
    return doc


def make_examples(nlp: Language) -> List[Example]:
    found = []
    for number, (relation, templates) in enumerate(TEMPLATES.items()):
        for turn in range(TURNS):
            left, right = PEOPLE[number * TURNS + turn], PEOPLE[-1 - number * TURNS - turn]
            doc = make_doc(nlp, templates[turn % 2].format(left, right))
            gold = doc.copy()
            set_triples(gold, [{"subject": gold.ents[0], "relation": relation, "object": gold.ents[1]}])
            found.append(Example(doc, gold))
    return found


MARKED = {"@misc": "spacy_relext.AnnotatedPairs.v1"}
LOOPS = {"@misc": "spacy_relext.SelforeTraining.v1", "loops": 5}
BLOCKS = {
    "clustering": tuple(field.name for field in fields(SelforeClustering)),
    "training": tuple(field.name for field in fields(SelforeTraining)),
}


def blocks(**options: Any) -> Dict[str, Dict[str, Any]]:
    """Sections of a config with some settings, by their names."""
    return {
        section: {"@misc": f"spacy_relext.Selfore{section.title()}.v1", **{k: options[k] for k in keys if k in options}}
        for section, keys in BLOCKS.items()
        if not options.keys().isdisjoint(keys)
    }


def new(count: int = 3, **config: Any) -> Tuple[Language, Any]:
    nlp = spacy.blank("en")
    return nlp, nlp.add_pipe(NAME, config={"n_clusters": count, "model": MODEL, **config})


def build(count: int = 3, **config: Any) -> Tuple[Language, Any, List[Example]]:
    nlp, pipe = new(count, **config)
    examples = make_examples(nlp)
    spacy.util.fix_random_seed(0)
    nlp.initialize(lambda: examples)
    return nlp, pipe, examples


def test_templates_are_clusters_with_names() -> None:
    nlp, pipe, examples = build()
    scores = nlp.evaluate(examples)
    assert scores["ari"] > 0.9 and scores["b3_f"] > 0.9 and scores["clusters_coverage"] == 1.0
    assert {each["size"] for each in pipe.clusters.records} == {TURNS}
    assert any("wife" in name for name in pipe.labels) and any("shares" in name for name in pipe.labels)
    (triple,) = nlp(make_doc(nlp, "Pia is the loving wife of Ada"))._.triples
    assert (triple.subject.text, triple.object.text) == ("Pia", "Ada") and "wife" in triple.relation
    assert triple.evidence["cluster"] in {each["id"] for each in pipe.clusters.records}
    assert 0.0 <= triple.score <= 1.0 and 0.5 < triple.evidence["probability"] <= 1.0


def test_a_number_that_nobody_gave() -> None:
    nlp, pipe, examples = build(0)
    # each of the three is said in two ways
    assert len(pipe.labels) in (3, 4) and nlp.evaluate(examples)["homogeneity"] > 0.9


def test_the_least_sure_get_no_triple() -> None:
    nlp, pipe, examples = build(threshold=0.5)
    kept = sum(len(nlp(example.predicted.copy())._.triples) for example in examples)
    assert len(examples) * 0.4 <= kept <= len(examples) * 0.6


def test_gold_and_order_are_not_read() -> None:
    _, pipe, examples = build()
    expected = {key: pipe.labels[cluster] for key, cluster in pipe.loop.cluster_of.items()}
    nlp, other = new()
    for example in examples:
        set_triples(example.reference, [])
    spacy.util.fix_random_seed(0)
    nlp.initialize(lambda: examples[::-1] + examples[:3])  # a pair that stands there twice counts once
    assert {key: other.labels[cluster] for key, cluster in other.loop.cluster_of.items()} == expected


def test_without_loops_nothing_is_learned() -> None:
    nlp, pipe, examples = build()
    before = pipe.model.to_bytes()
    assert pipe.clusters.has_converged and nlp.update(examples, sgd=nlp.create_optimizer(), losses={}) == {NAME: 0.0}
    assert pipe.model.to_bytes() == before


def test_loops_keep_numbers_and_names_and_settle() -> None:
    nlp, pipe, examples = build(training=LOOPS)
    before = dict(pipe.loop.cluster_of)
    pipe.rename_cluster("cluster_1", "mine")
    optimizer = nlp.create_optimizer()
    optimizer.learn_rate = 1e-5
    losses: Dict[str, float] = {}
    nlp.update(examples, sgd=optimizer, losses=losses)
    assert losses[NAME] > 0.0
    changed = pipe.recluster()
    same = sum(before[key] == cluster for key, cluster in pipe.loop.cluster_of.items())
    assert changed == pytest.approx(1 - same / len(before)) and changed < 0.1 and pipe.clusters.has_converged
    assert pipe.clusters.records[1]["name"] == "mine" == pipe.labels[1] and len(pipe.clusters.history) == 2
    assert "loop 1: 48 pairs in 3 clusters, " in pipe.loop_report()
    settled = nlp.update(examples, sgd=optimizer, losses={})
    assert settled == {NAME: 0.0}


def test_the_callback_clusters_after_epochs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nlp, pipe, _ = build(training=LOOPS)
    calls: List[int] = []
    monkeypatch.setattr(type(pipe), "recluster", lambda self: calls.append(1) or 1.0)
    callback = spacy.registry.callbacks.get("spacy_relext.recluster.v1")(component=NAME, epochs=2)
    for step in range(10):
        callback(nlp, {"step": step, "epoch": step // 2})
    assert len(calls) == 2  # at epochs 2 and 4
    said = [line for line in capsys.readouterr().out.splitlines() if "loop 0: 48 pairs in 3 clusters; a cl" in line]
    assert len(said) == 3, "what was found, at the beginning and in each loop"
    with pytest.raises(ValueError, match=r"R603.*'other'.*selfore_clusterer"):
        spacy.registry.callbacks.get("spacy_relext.recluster.v1")(component="other")(nlp, {"step": 0, "epoch": 0})


def test_saved_and_loaded(tmp_path: Path) -> None:
    nlp, pipe, examples = build()
    pipe.rename_cluster("cluster_2", "mine")
    nlp.to_disk(tmp_path)
    again = spacy.load(tmp_path)
    loaded: Any = again.get_pipe(NAME)
    assert loaded.labels == pipe.labels and "mine" in loaded.labels
    for example in examples[:3]:
        texts = [[(t.relation, round(t.score, 5)) for t in n(example.predicted.copy())._.triples] for n in (nlp, again)]
        assert texts[0] == texts[1]
    with pytest.raises(ValueError, match="R601"):
        loaded.recluster()
    copied = pickle.loads(pickle.dumps(pipe)).loop
    assert copied.read_examples is None and not copied.cluster_of and pipe.loop.cluster_of


def test_pairs_have_the_order_of_the_text() -> None:
    nlp, pipe, examples = build()
    doc = make_doc(nlp, "Eve met Kim and Ada")
    pairs = pipe.suggest([doc])
    assert [(s.text, o.text) for s, o in map(pairs.spans, range(len(pairs)))] == [
        ("Eve", "Kim"),
        ("Eve", "Ada"),
        ("Kim", "Ada"),
    ]
    assert len(set(keys_of(pairs))) == 3 and keys_of(pairs) == keys_of(pipe.suggest([doc.copy()]))
    assert len(EntityPairs()([doc])) == 6 and numpy.all(pairs.subject[:, 0] < pairs.object[:, 0])


# What is wrong with the input


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"R602.*48 different pairs.*50 clusters"):
        build(50)
    nlp, pipe = new(2)
    bare = [Example(nlp.make_doc(text), nlp.make_doc(text)) for text in ("Ada left.", "Eve left.")]
    with pytest.raises(ValueError, match="R515"):
        pipe.initialize(lambda: bare, nlp=nlp)
    nlp.config["training"] = {"max_epochs": -1}
    examples = make_examples(nlp)
    with pytest.raises(ValueError, match="R600"):
        pipe.initialize(lambda: examples, nlp=nlp)
    pipe.initialize(lambda: examples, nlp=nlp, corpus=lambda nlp: iter(examples))
    assert sum(each["size"] for each in pipe.clusters.records) == 48
    with pytest.raises(ValueError, match="R007"):
        new(-1)


def test_texts_without_pairs_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spacy_relext.selfore.component.COLLECT_BATCH", 48)
    nlp, pipe = new(suggester=MARKED)
    examples = make_examples(nlp)
    for doc in (example.predicted for example in examples):  # marked pairs, of which nobody says the types
        places = [[ent.start_char, ent.end_char] for ent in doc.ents]
        doc.user_data[PAIRS_KEY], doc.ents = [dict(zip(("subject", "object"), places))], []
    pipe.initialize(lambda: [*examples, *(Example(doc, doc) for doc in [nlp.make_doc("Nobody left.")])], nlp=nlp)
    assert len(pipe.labels) == 3 and pipe.cfg["entity_types"] == []


def test_texts_that_are_all_equal() -> None:
    nlp, pipe = new()
    same = [make_doc(nlp, "Ada met Eve and Kim") for _ in range(5)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipe.initialize(lambda: [Example(doc, doc) for doc in same], nlp=nlp)
    assert sum(each["size"] for each in pipe.clusters.records) == 3


def test_one_document() -> None:
    nlp, pipe = new(2)
    doc = make_doc(nlp, "Ada met Eve and Kim")
    pipe.initialize(lambda: [Example(doc, doc)], nlp=nlp)
    assert len(nlp(doc.copy())._.triples) == 3
    nlp, none = new(0)
    short = make_doc(nlp, "Ada met Eve")
    with pytest.raises(ValueError, match="R613.*1 different pairs.*at least 2"):
        none.initialize(lambda: [Example(short, short)], nlp=nlp)


def test_clusters_without_a_pair_get_none() -> None:
    """Two kinds of texts, of which six clusters are asked: what is said in new ones is one of the two."""
    nlp, pipe = new(6)
    docs = [make_doc(nlp, text) for text in ("Ada met Eve", "Ada has now left the house of Eve") for _ in range(9)]
    # the same words around it, and more of them before: vectors are equal, pairs are not
    for turn, doc in enumerate(docs):
        docs[turn] = make_doc(nlp, " ".join(["so"] * (turn % 9 + 2) + [doc.text]))
    with pytest.warns(UserWarning, match="W600.*collapsed") as told:
        pipe.initialize(lambda: [Example(doc, doc) for doc in docs], nlp=nlp)
    assert not [each for each in told if "sklearn" in str(each.category)], "one warning says it"
    sizes = {each["id"]: each["size"] for each in pipe.clusters.records}
    assert sorted(sizes.values()) == [0, 0, 0, 0, 9, 9]
    found = [nlp(make_doc(nlp, text))._.triples[0] for text in ("Kim met Pia", "Kim ! ! zzz Pia", "Pia 9 Ada")]
    assert all(sizes[triple.evidence["cluster"]] for triple in found)
    assert {nlp(doc.copy())._.triples[0].score for doc in docs} == {0.5}, "all fit alike"


def test_names_say_which_way_they_are_read() -> None:
    nlp, pipe = new(suggester=MARKED)
    examples = make_examples(nlp)
    for number, example in enumerate(examples):
        places = [[ent.start_char, ent.end_char] for ent in example.predicted.ents]
        # who was bought, and by whom: the object stands first, but in two texts
        turned = TURNS <= number < 2 * TURNS - 2
        pair = dict(zip(("object", "subject") if turned else ("subject", "object"), places))
        example.predicted.user_data[PAIRS_KEY] = [pair]
    pipe.initialize(lambda: examples, nlp=nlp)
    said = {each["name"]: each["object_first"] for each in pipe.clusters.records}
    assert sum(said.values()) >= 1
    assert all(name.endswith(" (object first)") == turned for name, turned in said.items())


def test_names_of_clusters_are_checked() -> None:
    _, pipe, _ = build()
    with pytest.raises(ValueError, match=r"R007.*'cluster_9'.*cluster_0"):
        pipe.rename_cluster("cluster_9", "x")
    with pytest.raises(ValueError, match="R612.*'cluster_1' is called"):
        pipe.rename_cluster("cluster_0", pipe.labels[1])
    for name in (" ", "x" * 101):
        with pytest.raises(ValueError, match="R007.*'cluster_0'.*expected a name of 1 to 100 characters"):
            pipe.rename_cluster("cluster_0", name)
    pipe.rename_cluster("cluster_0", " born\n in\t")
    assert pipe.labels[0] == "born in" == pipe.cfg["labels"][0], "one line"


def test_clusters_may_be_merged() -> None:
    nlp, pipe, examples = build()
    pipe.rename_cluster("cluster_0", "related to")
    pipe.rename_cluster("cluster_1", "related to", merge=True)
    found = [nlp(example.predicted.copy())._.triples[0] for example in examples]
    assert {triple.relation for triple in found} == {"related to", pipe.labels[2]}
    assert len({triple.evidence["cluster"] for triple in found}) == 3, "clusters stay apart"
    assert nlp.evaluate(examples)["b3_p"] < 0.8


def test_names_are_words_of_texts_that_get_a_triple() -> None:
    assert not any(name.startswith("like ") for name in build()[1].labels)
    none: Any = build(threshold=1.0)[1]
    assert all(name == f"like {each['sample']}" for name, each in zip(none.labels, none.clusters.records))


def test_types_are_those_of_the_arguments() -> None:
    nlp, pipe, _ = build()
    pipe.cfg["entity_types"] = ["X", "Y"]
    doc = make_doc(nlp, "Ada left the house of Kim")
    doc.ents = [Span(doc, 0, 1, "Z"), Span(doc, 2, 6, "X")]
    doc.user_data[ENTITIES_KEY] = [{"start": doc[5].idx, "end": doc[5].idx + 3, "label": "Y"}]
    pairs = pipe.suggest([doc])
    whole = [number for number in range(len(pairs)) if len(pairs.spans(number)[1]) == 4]
    assert pipe.arrays(pairs)["kinds"][whole].tolist() == [[0, 1]], "of the house, not of Kim; an unknown type is 0"
    empty = nlp.make_doc("Nobody left.")
    assert pipe.arrays(pipe.suggest([empty]))["kinds"].shape == (0, 2)


def test_overlapping_entities_are_no_pairs() -> None:
    nlp, pipe, _ = build()
    doc = make_doc(nlp, "Ada met Eve of Kim")
    start = doc[2].idx
    doc.user_data[ENTITIES_KEY] = [{"start": start, "end": start + len("Eve of Kim"), "label": "Y"}]
    pairs = pipe.suggest([doc])
    found = {(subject.text, obj.text) for subject, obj in map(pairs.spans, range(len(pairs)))}
    assert found == {("Ada", "Eve"), ("Ada", "Kim"), ("Ada", "Eve of Kim"), ("Eve", "Kim")}
    _, marked = new(suggester=MARKED)
    within = {"subject": [doc[2].idx, doc[2].idx + 3], "object": [start, start + len("Eve of Kim")]}
    doc.user_data[PAIRS_KEY] = [within]
    assert len(marked.suggest([doc])) == 1, "who marks pairs means them"


def test_why_no_pair_gets_a_triple() -> None:
    nlp, pipe, examples = build()
    pipe.cfg["threshold"] = 1.01
    doc = nlp(examples[0].predicted.copy())
    why = pipe.explain_no_triple(doc, nlp)
    assert not doc._.triples and re.match(
        r"no score reaches its threshold; nearest is .* asks for 1\.010 .* fit worse into their cluster", why
    )
    assert "the text has no entities" in pipe.explain_no_triple(nlp("Nothing."), nlp)
