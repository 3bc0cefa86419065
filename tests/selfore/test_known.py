"""`selfore_clusterer` with known relations: they keep their names and pairs, and new ones are found beside them."""

from typing import Any, Callable, Dict, List, Sequence

import pytest
import spacy
from spacy.training import Example

from spacy_relext import set_triples
from spacy_relext.selfore.table import encode_pairs
from tests.selfore.test_component import LOOPS, TEMPLATES, TURNS, blocks, build, make_doc, make_examples, new

Keep = Callable[[int, str], bool]


def keep_gold(examples: Sequence[Example], keep: Keep, *, backwards: bool = False) -> None:
    """Leave gold on some texts; the others are not annotated."""
    for number, example in enumerate(examples):
        relation = list(TEMPLATES)[number // TURNS]
        gold = example.reference
        gold.user_data.clear()
        if keep(number % TURNS, relation):
            subject, obj = gold.ents[:: -1 if backwards else 1]
            set_triples(gold, [{"subject": subject, "relation": relation, "object": obj}])


def train(keep: Keep, *, backwards: bool = False, **config: Any) -> Any:
    nlp, pipe = new(**blocks(known=True), **config)
    examples = make_examples(nlp)
    keep_gold(examples, keep, backwards=backwards)
    spacy.util.fix_random_seed(0)
    nlp.initialize(lambda: examples)
    return nlp, pipe, examples


def some(turn: int, relation: str) -> bool:
    return turn < 4 and relation in ("bought", "married")


def test_known_relations_keep_their_names_and_new_ones_are_found() -> None:
    nlp, pipe, examples = train(some)
    assert pipe.labels[:2] == ("bought", "married") and "town" in pipe.labels[2]
    assert [each.get("known", False) for each in pipe.clusters.records] == [True, True, False]
    said: List[Dict[str, Any]] = []
    for number, example in enumerate(examples):
        (triple,) = nlp(example.predicted.copy())._.triples
        relation = list(TEMPLATES)[number // TURNS]
        assert triple.relation == (pipe.labels[2] if relation == "born_in" else relation)
        said.append(triple.evidence)
    assert "known" not in said[0] and said[-1]["known"] is True


def test_a_wrong_label_stays_as_gold_says() -> None:
    _, pipe, examples = train(lambda turn, relation: turn < 4 and relation == "bought")
    wrong = examples[0]  # of "born_in"
    set_triples(wrong.reference, [dict(zip(("subject", "object"), wrong.reference.ents), relation="bought")])
    pipe.recluster()
    (key,) = encode_pairs(pipe, [wrong], reads_gold=True).keys
    assert pipe.labels[pipe.loop.cluster_of[key]] == "bought"
    assert pipe.targets(pipe.suggest_gold([wrong]))["clusters"] == [0]


def test_a_subject_that_comes_second() -> None:
    nlp, pipe, _ = train(some, backwards=True)
    assert pipe.labels[:2] == ("bought", "married")
    (triple,) = nlp(make_doc(nlp, "Pia is the loving wife of Ada"))._.triples
    assert (triple.subject.text, triple.relation, triple.object.text) == ("Ada", "married", "Pia")
    (triple,) = nlp(make_doc(nlp, "Pia was born in the town of Ada"))._.triples
    assert triple.subject.text == "Pia"


def test_a_relation_in_both_directions_has_two_clusters() -> None:
    nlp, pipe = new(**blocks(known=True))
    examples = make_examples(nlp)
    keep_gold(examples, lambda turn, relation: False)
    for turn in range(8):
        for relation, order in (("bought", 1), ("born_in", -1)):  # "owns", said from either side
            gold = examples[list(TEMPLATES).index(relation) * TURNS + turn].reference
            set_triples(gold, [dict(zip(("subject", "object"), gold.ents[::order]), relation="owns")])
    nlp.initialize(lambda: examples)
    assert pipe.labels[:2] == ("owns", "owns") and "wife" in pipe.labels[2]
    found = [nlp(examples[number].predicted.copy())._.triples[0] for number in (0, TURNS)]
    assert [triple.relation for triple in found] == ["owns", "owns"]
    assert [triple.subject.start > triple.object.start for triple in found] == [True, False]


def test_loops_keep_known_clusters() -> None:
    nlp, pipe, examples = train(some, training=LOOPS)
    pipe.rename_cluster("cluster_1", "is married to")
    optimizer = nlp.create_optimizer()
    optimizer.learn_rate = 1e-5
    nlp.update(examples, sgd=optimizer, losses={})
    assert pipe.recluster() < 0.1
    assert pipe.labels[:2] == ("bought", "is married to") and "town" in pipe.labels[2]


def test_gold_is_read_only_where_it_shall_be() -> None:
    _, pipe, examples = build()
    table = encode_pairs(pipe, examples, reads_gold=False)
    assert set(table.gold) == {None} and not any("known" in each for each in pipe.clusters.records)


def test_room_for_new_clusters() -> None:
    with pytest.raises(ValueError, match=r"R611.*3 relations \(born_in, bought, married\).*n_clusters = 3"):
        train(lambda turn, relation: turn < 4)


def test_no_gold() -> None:
    with pytest.raises(ValueError, match=r"R610.*selfore_clusterer"):
        train(lambda turn, relation: False)
