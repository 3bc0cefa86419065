"""ComplEx on worked numbers, and its training."""

from typing import Any, Dict, List

import numpy
import pytest
import torch
from torch import Tensor

from spacy_relext.kb.embeddings import (
    Buffers,
    KbEmbeddings,
    Queries,
    group_queries,
    mean_squares,
    negative_sampling_loss,
    query_loss,
)
from spacy_relext.kb.link_prediction import KnownAnswers, rank_metrics, realistic_ranks
from spacy_relext.kb.training import LOGISTIC_RECIPE, KbTraining, start_training, train_epochs

# h, t, and the candidates E1 to E4 of the worked numbers; relations r, r2, NA: real parts, then imaginary ones
ENTITIES = [
    [1.0, -0.5, 0.5, 1.0],
    [0.5, 2.0, -1.0, 0.25],
    [1.0, 0.0, 1.0, 0.1],
    [-1.0, -1.0, 0.0, 0.5],
    [0.2, -0.3, 0.2, 1.0],
    [1.0, -1.0, -0.5, 0.0],
]
RELATIONS = [[0.3, -1.0, 0.7, 0.2], [1.0, 0.5, 0.0, -0.5], [0.4, 0.2, 0.1, 0.9]]
H, T, R, R2, NA = 0, 1, 0, 1, 2


def build(**options: Any) -> KbEmbeddings:
    settings: Dict[str, Any] = {"width": 2, "reciprocal": False, **options}
    model = KbEmbeddings(n_entities=len(ENTITIES), n_relations=len(RELATIONS), **settings)
    if not model.reciprocal:
        model.load_state_dict({"entities": torch.tensor(ENTITIES), "relations": torch.tensor(RELATIONS)})
    return model


def score(model: KbEmbeddings, *triple: int) -> float:
    return float(model(torch.tensor([triple])))


def test_scores() -> None:
    model = build()
    assert score(model, H, R, T) == pytest.approx(-0.55) and score(model, T, R, H) == pytest.approx(2.05)
    with torch.no_grad():
        model.relations[R, 2:] *= -1.0
        assert score(model, T, R, H) == pytest.approx(-0.55), "the conjugate, the other way round"
        model.relations[R] = torch.tensor([0.3, -1.0, 0.0, 0.0])
        assert score(model, H, R, T) == pytest.approx(0.75) == score(model, T, R, H), "real: symmetric"
        model.relations[R] = torch.tensor([0.0, 0.0, 0.7, 0.2])
        assert score(model, H, R, T) == pytest.approx(-1.3) and score(model, T, R, H) == pytest.approx(1.3)
    assert score(build(entity_tanh=True), H, R, T) == pytest.approx(-0.466015, abs=1e-6)


def test_relations_between_two_entities() -> None:
    found = build().score_relations(torch.tensor([H]), torch.tensor([T]))[0]
    assert found.tolist() == pytest.approx([-0.55, 0.6875, -2.1875])
    assert found.softmax(0).tolist() == pytest.approx([0.215450, 0.742653, 0.041898], abs=1e-6)
    squashed = build(entity_tanh=True).score_relations(torch.tensor([H]), torch.tensor([T]))[0]
    assert squashed.tolist() == pytest.approx([-0.466015, 0.294207, -0.893792], abs=1e-6)
    assert squashed.softmax(0).tolist() == pytest.approx([0.263803, 0.564209, 0.171988], abs=1e-6)


def test_penalties() -> None:
    model, fact = build(), torch.tensor([[H, R, T]])
    assert float(model.n3(*fact.unbind(1))) == pytest.approx(13.883169, abs=1e-5)
    assert float(mean_squares(model, fact)) == pytest.approx(4.716250, abs=1e-6)


def test_ranks() -> None:
    scores = build().score_objects(torch.tensor([H]), torch.tensor([R]))[:, 1:]
    assert scores[0].tolist() == pytest.approx([-0.55, 0.69, -0.8, -1.03, -0.775], abs=1e-6)
    found = scores.detach().numpy().repeat(5, 0)
    assert realistic_ranks(found, range(5)).tolist() == [2, 1, 4, 5, 3]
    filtered = realistic_ranks(found[:4], [0, 4, 2, 3], [[0, 4]] * 4)
    assert filtered.tolist() == [2, 2, 2, 3]
    assert realistic_ranks(numpy.zeros((1, 5)), [3]).tolist() == [3.0], "all equal: the mean rank"
    assert rank_metrics([2, 1], kind="entities")["entities_mrr"] == 0.75
    assert rank_metrics([2, 1], kind="entities")["entities_hits_1"] == 0.5
    assert set(rank_metrics([], kind="relations").values()) == {None}


def test_known_answers_are_those_of_the_query_alone() -> None:
    facts = facts_of()  # of 8 entities and 2 relations
    known = KnownAnswers(facts.numpy(), n_relations=2)
    rows = facts.tolist()
    first, second = (each.ravel() for each in numpy.meshgrid(numpy.arange(8), numpy.arange(8), indexing="ij"))
    for one, other, relations in zip(first, second, known.of_pairs(first, second)):
        assert sorted(relations) == [r for s, r, o in rows if (s, o) == (one, other)]
    for relation in range(2):
        entities = numpy.arange(8)
        objects = known.of_queries(entities, numpy.full(8, relation))
        subjects = known.of_queries(entities, numpy.full(8, relation + 2))
        for entity in entities:
            assert sorted(objects[entity]) == [o for s, r, o in rows if (s, r) == (entity, relation)]
            assert sorted(subjects[entity]) == [s for s, r, o in rows if (r, o) == (relation, entity)]


def test_the_logistic_recipe_has_no_reciprocal_relations() -> None:
    model = start_training(KbTraining(**LOGISTIC_RECIPE), n_entities=4, n_relations=3).model  # type: ignore[arg-type]
    assert model.entity_tanh and not model.reciprocal and model.relations.shape == (3, 2 * 50)
    assert 0.0 <= float(model.entities.min()) and float(model.entities.max()) > 0.9, "uniform, as in the published code"


@pytest.mark.parametrize("reciprocal", [False, True])
def test_questions_and_facts_have_the_same_scores(reciprocal: bool) -> None:
    torch.manual_seed(0)
    model = build(reciprocal=reciprocal, scale=1.0)
    facts = torch.cartesian_prod(torch.arange(6), torch.arange(3), torch.arange(6))
    scores = model(facts).reshape(6, 3, 6)
    objects = torch.stack([model.score_objects(torch.arange(6), torch.full((6,), r)) for r in range(3)], 1)
    torch.testing.assert_close(objects, scores)
    if not reciprocal:
        subjects = torch.stack([model.score_subjects(torch.full((6,), r), torch.arange(6)) for r in range(3)], 1)
        torch.testing.assert_close(subjects.transpose(0, 2), scores)
        both = torch.cartesian_prod(torch.arange(6), torch.arange(6))
        torch.testing.assert_close(model.score_relations(*both.unbind(1)).reshape(6, 6, 3).transpose(1, 2), scores)


def facts_of(count: int = 60) -> Tensor:
    dice = numpy.random.default_rng(0)
    return torch.tensor(numpy.unique(dice.integers(0, [8, 2, 8], (count, 3)), axis=0))


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_questions_have_the_loss_of_their_facts(weight: float) -> None:
    torch.manual_seed(0)
    model = KbEmbeddings(n_entities=8, n_relations=2, width=3, scale=1.0)
    facts = facts_of()
    queries = subjects, relations, _, answers = group_queries(facts, n_relations=2, reciprocal=True)
    assert len(answers) == 2 * len(facts) and len(set(zip(subjects.tolist(), relations.tolist()))) == len(subjects)
    loss = query_loss(model, queries, n3=0.01, relation_weight=weight)
    one = torch.cat([facts[:, 0], facts[:, 2]])
    relation, two = torch.cat([facts[:, 1], facts[:, 1] + 2]), torch.cat([facts[:, 2], facts[:, 0]])
    plain = torch.nn.functional.cross_entropy(model.score_objects(one, relation), two)
    plain = plain + 0.01 * model.n3(one, relation, two).mean()
    for first, (head, tail) in ((0, (0, 2)), (2, (2, 0))):  # relations 0 and 1, and their reciprocals 2 and 3
        facts_with = [
            torch.stack([facts[:, head], torch.full((len(facts),), first + n), facts[:, tail]], 1) for n in (0, 1)
        ]
        scores = torch.stack([model(each) for each in facts_with], 1)
        plain = plain + weight / 2 * torch.nn.functional.cross_entropy(scores, facts[:, 1])
    torch.testing.assert_close(loss, plain)
    tables = list(model.parameters())
    for ours, theirs in zip(torch.autograd.grad(loss, tables), torch.autograd.grad(plain, tables)):
        torch.testing.assert_close(ours, theirs)


def test_memory_that_is_used_again_changes_nothing() -> None:
    torch.manual_seed(0)
    model, buffers = KbEmbeddings(n_entities=8, n_relations=2, width=3, scale=1.0), Buffers()
    subjects, relations, counts, answers = group_queries(facts_of(), n_relations=2, reciprocal=True)
    for size in (5, 2, len(counts)):
        batch = Queries(subjects[:size], relations[:size], counts[:size], answers[: counts[:size].sum()])
        again, alone = query_loss(model, batch, buffers=buffers), query_loss(model, batch)
        found = torch.autograd.grad(2 * again, model.entities)[0].clone()
        torch.testing.assert_close(found, 2 * torch.autograd.grad(alone, model.entities)[0])


def test_scores_in_bf16_have_nearly_the_same_loss_and_gradients() -> None:
    torch.manual_seed(0)
    model = KbEmbeddings(n_entities=50, n_relations=2, width=20, scale=0.5)
    queries = group_queries(facts_of(), n_relations=2, reciprocal=True)
    exact, rounded = (query_loss(model, queries, n3=0.01, dtype=dtype) for dtype in (torch.float32, torch.bfloat16))
    assert rounded.dtype == torch.float32 and float(rounded) != float(exact)
    torch.testing.assert_close(rounded, exact, atol=0.0, rtol=0.01)
    tables = list(model.parameters())
    for ours, theirs in zip(torch.autograd.grad(rounded, tables), torch.autograd.grad(exact, tables)):
        assert ours.dtype == torch.float32
        assert float((ours - theirs).norm()) < 0.01 * float(theirs.norm())


def test_the_logistic_loss() -> None:
    model = build()
    generator = torch.Generator().manual_seed(0)
    fact = torch.tensor([[H, R, T]])
    losses: List[float] = [
        float(negative_sampling_loss(model, fact, penalty=0.0, generator=generator)) for _ in range(200)
    ]
    # a fact has softplus(0.55); its two competitors may be any
    assert min(losses) > (1.005492 + 2 * 0.0) / 3 and len(set(losses)) > 5
    with_penalty = negative_sampling_loss(model, fact, penalty=1.0, generator=torch.Generator().manual_seed(1))
    without = negative_sampling_loss(model, fact, penalty=0.0, generator=torch.Generator().manual_seed(1))
    assert float(with_penalty - without) == pytest.approx(4.716250, abs=1e-5)


def test_the_logistic_loss_on_worked_numbers() -> None:
    """A fact, and two competitors that score the same since they are the same."""
    model, fact = build(), torch.tensor([[H, R, T]])
    with torch.no_grad():
        model.relations.copy_(model.relations[R].expand_as(model.relations))

    def loss(draws: int) -> float:
        return float(negative_sampling_loss(model, fact, penalty=0.0, generator=torch.Generator().manual_seed(draws)))

    # a drawn entity may be the one that it replaces: then all three score -0.55
    same = (1.005492 + 2 * 0.455492) / 3
    assert any(loss(draws) == pytest.approx(same, abs=1e-6) for draws in range(50))
    for score, expected in ((40.0, (4.24835e-18 + 2 * 40.0) / 3), (-40.0, (40.0 + 2 * 4.24835e-18) / 3)):
        with torch.no_grad():
            model.entities.zero_()
            model.relations.zero_()
            model.entities[:, 0], model.relations[:, 0] = 1.0, score
        assert loss(0) == pytest.approx(expected, rel=1e-6), "finite"


@pytest.mark.parametrize(
    "recipe", [{"n3": 1e-3, "batch_size": 20}, {**LOGISTIC_RECIPE, "batch_size": 20, "learn_rate": 0.02}]
)
def test_training_lowers_the_loss(recipe: Dict[str, Any]) -> None:
    facts = facts_of()
    settings = KbTraining(**{**recipe, "width": 4, "epochs": 6, "patience": 0})

    def score(model: KbEmbeddings) -> float:
        with torch.no_grad():
            return -float(model(facts).exp().mean())

    whole = start_training(settings, n_entities=8, n_relations=2)
    losses = [entry["loss"] for entry in train_epochs(whole, facts, settings, evaluate=score)]
    assert losses[-1] < losses[0] and len(losses) == 6 and all("score" in entry for entry in whole.history)
    again = start_training(settings, n_entities=8, n_relations=2)
    assert [entry["loss"] for entry in train_epochs(again, facts, settings, evaluate=score)] == losses


def test_training_ends_where_nothing_gets_better() -> None:
    settings = KbTraining(width=4, epochs=30, patience=2)
    state = start_training(settings, n_entities=8, n_relations=2)
    scores = iter([1.0, 3.0, 2.0, 2.5, 9.0])
    first = {}

    def score(model: KbEmbeddings) -> float:
        found = next(scores)
        first[found] = model.entities.detach().clone()
        return found

    assert len(list(train_epochs(state, facts_of(), settings, evaluate=score))) == 4
    torch.testing.assert_close(state.model.entities.detach(), first[3.0])


def test_new_numbers_change_nothing_but_numbers() -> None:
    settings = KbTraining(width=4, epochs=3)
    facts, order = facts_of(), torch.tensor([3, 1, 7, 0, 2, 6, 5, 4])
    one = start_training(settings, n_entities=8, n_relations=2)
    two = start_training(settings, n_entities=8, n_relations=2)
    with torch.no_grad():
        two.model.entities[order] = one.model.entities.clone()
        two.model.relations.copy_(one.model.relations)
    other = torch.stack([order[facts[:, 0]], facts[:, 1], order[facts[:, 2]]], 1)
    torch.testing.assert_close(two.model(other), one.model(facts))


@pytest.mark.parametrize(
    ("key", "value"),
    [("n3", float("inf")), ("n3", -1.0), ("learn_rate", float("nan")), ("width", 0), ("seed", -1), ("epochs", 0)],
)
def test_numbers_are_checked(key: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"\[R007\] {key} is "):
        KbTraining(**{key: value})  # type: ignore[arg-type]


def test_words_are_checked() -> None:
    with pytest.raises(ValueError, match="loss is 'hinge'; expected one of: all, drawn"):
        KbTraining(loss="hinge")
    for loss, key in (("drawn", "n3"), ("drawn", "relation_weight"), ("all", "penalty")):
        with pytest.raises(ValueError, match=f"{key} is 0.5; expected 0, since the loss '{loss}'"):
            KbTraining(loss=loss, **{key: 0.5})
