"""`zeroshot_classifier`: descriptions, relations that are added after training, and what the matcher computes."""

from pathlib import Path
from typing import Any, Dict, List

import numpy
import pytest
import spacy
import torch
from spacy.language import Language
from spacy.training import Example
from torch.nn import functional as F

from spacy_relext.bridge.modules import module_of
from spacy_relext.pairs.pairs import stack_pairs
from spacy_relext.zeroshot.component import find_other_order, keep_better_order
from spacy_relext.zeroshot.model import WITHHELD
from tests.contract.cases import CASES
from tests.contract.sentences import ENGLISH, make_english_examples
from tests.contract.tiny_bert import save_tiny_bert

NAME = "zeroshot_classifier"
(CASE,) = (case for case in CASES if case.factory == NAME)
SCHEMA = "relations:\n  author: {description: wrote a work}\n  located_in: {description: lies in}\n"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("encoder") / "tiny-bert"
    save_tiny_bert(path)
    return path


def build(checkpoint: Path, **settings: Any) -> Language:
    nlp = CASE.build(checkpoint, name="other")
    config = {key: value for key, value in nlp.get_pipe_config("other").items() if key != "factory"}
    nlp.remove_pipe("other")
    nlp.add_pipe(NAME, config={**config, **settings})
    return nlp


def initialize(nlp: Language, **options: Any) -> List[Example]:
    examples = make_english_examples(nlp)
    nlp.config["initialize"]["components"] = {NAME: options}
    nlp.initialize(lambda: examples)
    return examples


def logits_of(nlp: Language) -> numpy.ndarray:
    doc = nlp(ENGLISH[0][0])
    pipe = nlp.get_pipe(NAME)
    return pipe.run(pipe.suggest([doc])).logits


def test_descriptions(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "schema.yaml").write_text(SCHEMA, encoding="utf8")
    nlp = build(checkpoint, descriptions={"author": "is the author of"})
    initialize(nlp, schema_path=str(tmp_path / "schema.yaml"))
    found = nlp.get_pipe(NAME).descriptions
    assert found == {
        "author": "is the author of",  # the setting goes before the schema
        "correspondent": "correspondent",
        "located_in": "lies in",
        "place_of_birth": "place of birth",
    }


def test_a_relation_is_added_and_removed(checkpoint: Path) -> None:
    nlp = build(checkpoint)
    initialize(nlp)
    pipe, before = nlp.get_pipe(NAME), logits_of(nlp)
    weights = {name: weight.clone() for name, weight in module_of(pipe.model).state_dict().items()}
    pipe.add_relation("friend", "is a friend of")
    assert pipe.labels == ("author", "correspondent", "friend", "located_in", "place_of_birth")
    after = logits_of(nlp)
    numpy.testing.assert_allclose(numpy.delete(after, 3, axis=1), before, rtol=1e-4)
    assert all(torch.equal(weight, weights[name]) for name, weight in module_of(pipe.model).state_dict().items())
    loaded = build(checkpoint).from_bytes(nlp.to_bytes())
    assert loaded.get_pipe(NAME).descriptions == pipe.descriptions
    numpy.testing.assert_allclose(logits_of(loaded), after, rtol=1e-5)
    pipe.remove_relation("friend")
    numpy.testing.assert_allclose(logits_of(nlp), before, rtol=1e-5)


def test_an_added_relation_is_predicted(checkpoint: Path) -> None:
    nlp = build(checkpoint, threshold=0.0)
    initialize(nlp)
    pipe = nlp.get_pipe(NAME)
    pipe.add_relation("friend", "is a friend of")
    pipe.cfg.update(learned_types=[["*", "author", "*"]], thresholds={"author": 0.9})
    for label in pipe.labels:
        if label != "friend":
            pipe.remove_relation(label)
    assert pipe.cfg["learned_types"] == [] and pipe.cfg["thresholds"] == {}
    triples = nlp(ENGLISH[0][0])._.triples
    assert triples and {triple.relation for triple in triples} == {"friend"}
    assert triples[0].evidence["description"] == "is a friend of"
    assert -1.0 <= triples[0].evidence["similarity"] <= 1.0
    with pytest.raises(ValueError, match=r"^\[R007\] relation of zeroshot_classifier is 'friend'; expected one of"):
        pipe.remove_relation("friend")


def test_a_pair_has_one_triple(checkpoint: Path) -> None:
    nlp = build(checkpoint, threshold=1e-6)
    initialize(nlp)
    pipe, doc = nlp.get_pipe(NAME), nlp(ENGLISH[0][0])
    places = [tuple(sorted((triple.subject.start, triple.object.start))) for triple in doc._.triples]
    assert places and len(set(places)) == len(places)
    pairs = pipe.suggest([doc])
    other = find_other_order(pairs)
    assert sorted(other.tolist()) == list(range(len(pairs)))
    for number, reverse in enumerate(other.tolist()):
        assert pairs.spans(number) == pairs.spans(reverse)[::-1]


def test_keep_better_order() -> None:
    # pairs 0 and 3 are one in both orders, and 1 and 4; 2 is alone; of a tie, the first stays
    logits = numpy.asarray([[0.0, 2.0, 1.0], [0.0, 3.0, 1.0], [5.0, 1.0, 1.0], [9.0, 1.0, 5.0], [0.0, 1.0, 3.0]])
    kept = keep_better_order(logits, numpy.asarray([3, 4, -1, 0, 1]))
    lost = [WITHHELD, WITHHELD]
    assert kept.tolist() == [[0.0, *lost], [0.0, 3.0, 1.0], [5.0, 1.0, 1.0], [9.0, 1.0, 5.0], [0.0, *lost]]


@pytest.mark.parametrize("label", ["author", ""])
def test_a_relation_needs_a_new_name(checkpoint: Path, label: str) -> None:
    nlp = build(checkpoint)
    initialize(nlp)
    with pytest.raises(ValueError, match=r"^\[R007\] relation of zeroshot_classifier is '.*'; expected a name"):
        nlp.get_pipe(NAME).add_relation(label, "wrote")


def test_a_relation_is_added_after_initialization(checkpoint: Path) -> None:
    with pytest.raises(ValueError, match=r"^\[R004\]"):
        build(checkpoint).get_pipe(NAME).add_relation("friend")


def test_long_descriptions(checkpoint: Path) -> None:
    nlp = build(checkpoint)
    initialize(nlp)
    pipe = nlp.get_pipe(NAME)
    with pytest.raises(
        ValueError, match=r"^\[R007\] description of friend is '52 word pieces long'; expected at most 48"
    ):
        pipe.add_relation("friend", "in " * 50)
    assert "friend" not in pipe.labels and "friend" not in pipe.descriptions
    with pytest.raises(ValueError, match=r"^\[R007\] description of author"):
        initialize(build(checkpoint, descriptions={"author": "in " * 50}))


def test_without_marks_the_untrained_matcher_is_the_cosine_of_sentence_and_description(checkpoint: Path) -> None:
    model = CASE.config["model"]
    encoder = {**model["encoder"], "form": "means", "name": str(checkpoint)}
    nlp = build(checkpoint, model={**model, "encoder": encoder})
    initialize(nlp)
    pipe = nlp.get_pipe(NAME)
    module: Any = module_of(pipe.model)
    module.encoder.zero_marks()
    tokens = module.encoder.tokens
    texts = [ENGLISH[3][0], "located in"]
    with torch.no_grad():
        ids = [torch.tensor([tokens.tokenizer.encode(text).ids]) for text in texts]
        one, other = (
            tokens.encoder(each, each * 0, torch.ones_like(each, dtype=torch.bool))[0].mean(0) for each in ids
        )
    pairs = pipe.suggest([nlp(texts[0])])
    outputs, column = pipe.run(pairs), 1 + pipe.labels.index("located_in")
    expected = F.cosine_similarity(one, other, dim=0).item()
    assert outputs.similarity[:, column] == pytest.approx([expected] * len(pairs), abs=1e-5)
    assert outputs.logits[:, column] == pytest.approx([20 * expected] * len(pairs), abs=1e-4)


def test_relations_are_withheld_in_training_only(checkpoint: Path) -> None:
    head = {**CASE.config["model"], "relation_dropout": 0.5}
    encoder = {**head["encoder"], "name": str(checkpoint)}
    nlp = build(checkpoint, model={**head, "encoder": encoder})
    examples = initialize(nlp)
    pipe = nlp.get_pipe(NAME)
    for example in examples:
        nlp.get_pipe("sentencizer")(example.predicted)
        nlp.get_pipe(CASE.annotating[-1])(example.predicted)
    gold = pipe.suggest_gold(examples)
    torch.manual_seed(0)
    columns: List[Dict[int, bool]] = []
    for _ in range(8):
        outputs, _ = pipe.model.begin_update(pipe.features(gold))
        columns.append({n: bool((outputs.logits[:, n] < -9_000).all()) for n in range(1, 5)})
    shares = [sum(each[n] for each in columns) / len(columns) for n in range(1, 5)]
    assert 0.0 < sum(shares) / len(shares) < 1.0
    assert (logits_of(nlp) > -9_000).all()


def test_marked_pairs_are_read_in_both_orders(checkpoint: Path) -> None:
    nlp = build(checkpoint, suggester={"@misc": "spacy_relext.AnnotatedOrAllPairs.v1"})
    examples = initialize(nlp)
    pipe = nlp.get_pipe(NAME)
    assert pipe.cfg["classes"] == [[label, False] for label in pipe.labels]
    pairs = stack_pairs([pipe.suggest_pairs([nlp(example.text)]) for example in examples[:2]])
    assert pairs.both_orders


def test_another_encoder_is_refused(checkpoint: Path) -> None:
    cnn = {"@architectures": "spacy.HashEmbedCNN.v2", "width": 32, "depth": 1, "embed_size": 100, "window_size": 1}
    cnn |= {"pretrained_vectors": None, "maxout_pieces": 2, "subword_features": True}
    nlp = spacy.blank("en")
    with pytest.raises(ValueError, match=r"^\[R007\] encoder of zeroshot_classifier"):
        nlp.add_pipe(NAME, config={"model": {**CASE.config["model"], "encoder": cnn}})
