"""Relation module and soft matcher over an encoder, and what they learn from."""

from typing import Any, Dict

import pytest
import torch

from spacy_relext.bridge.weights import EmaWeights
from spacy_relext.nero.losses import nero_loss, rule_targets
from spacy_relext.nero.model import Grounder, GrounderOutput
from spacy_relext.pairs.encoders.graph import RecurrentPairs
from spacy_relext.pairs.encoders.shared import SharedPairs

SIZES = {"n_classes": 4, "n_types": 2, "encoder": {"width": 6, "n_tags": 1, "n_types": 2}}
WEIGHTS = {"w_rules": 0.1, "w_clus": 0.2, "w_unmatched": 0.5, "margin": 0.7, "sharpness": 10.0}


def grounder(kind: Any = SharedPairs) -> Grounder:
    torch.manual_seed(0)
    names = ("dropout", "input_dropout", "word_dropout") if kind is RecurrentPairs else ("dropout",)
    options = dict.fromkeys(names, 0.0)
    module = Grounder(kind(hidden=8, **options), hidden=8, dropout=0.0, attention_hidden=4)
    module.configure(**SIZES)
    return module


def arrays(lengths: Any, *, width: int = 0) -> Dict[str, torch.Tensor]:
    """Texts whose first token is the subject and whose last one is the object."""
    width = max([width, *lengths])
    position = torch.arange(width)[None].repeat(len(lengths), 1)
    last = torch.tensor(lengths)[:, None] - 1
    inside = position <= last
    starts = torch.tensor([sum(lengths[:n]) for n in range(len(lengths))])[:, None]
    generator = torch.Generator().manual_seed(1)
    return {
        "vectors": torch.randn(sum(lengths), 6, generator=generator),
        "index": torch.where(inside, starts + position, -1),
        "types": torch.zeros_like(position),
        "tags": torch.zeros_like(position),
        "roles": torch.where(position == 0, 1, 0) + torch.where(position == last, 2, 0),
        "pooled": (position > 0) & (position < last),
        "to_subject": position,
        "to_object": position - last,
        "positions": torch.where(inside, position, -1),
    }


@pytest.mark.parametrize("kind", [SharedPairs, RecurrentPairs])
def test_padding_changes_nothing(kind: Any) -> None:
    module = grounder(kind).eval()
    narrow, wide = module(**arrays([4, 2])), module(**arrays([4, 2], width=9))
    torch.testing.assert_close(narrow.logits, wide.logits)
    torch.testing.assert_close(narrow.unit, wide.unit)
    torch.testing.assert_close(narrow.attention, wide.attention[:, :4])
    assert not wide.attention[:, 4:].any()


@pytest.mark.parametrize("kind", [SharedPairs, RecurrentPairs])
def test_shapes_and_what_is_attended_to(kind: Any) -> None:
    module = grounder(kind)
    found = module(**arrays([5, 2]))
    assert found.logits.shape == (2, 4)
    torch.testing.assert_close(found.unit.norm(dim=1), torch.ones(2))
    # what stands between the arguments; the arguments themselves where nothing does
    assert (found.attention[0] > 0).tolist() == [False, True, True, True, False]
    assert (found.attention[1] > 0).tolist() == [True, True, False, False, False]
    assert module.sizes is not None and module.sizes["n_classes"] == 4
    empty = module(**{key: value[:0] for key, value in arrays([3]).items()})
    assert len(empty.logits) == len(empty.unit) == 0


def test_the_papers_matcher_reads_words() -> None:
    """With a BiLSTM it compares the words before they are read, so the same words are alike in any text."""
    module = grounder(RecurrentPairs).eval()
    both = arrays([5, 5])
    both["vectors"][5 + 1 : 5 + 4] = both["vectors"][1:4]
    found = module(**both)
    assert float((found.unit[0] @ found.unit[1]).detach()) == pytest.approx(1.0, abs=1e-5)


SCORES = torch.tensor([[0.9, 0.8, 0.1], [0.2, 0.3, 0.7]])
GRID = torch.tensor([[1, 1, 2], [-1, 2, 1]])


def test_targets_from_rules() -> None:
    hard, best = rule_targets(SCORES, GRID, n_classes=3, temperature=0.0)
    assert hard.tolist() == [[0, 1, 0], [0, 1, 0]] and best.tolist() == pytest.approx([0.9, 0.7])
    soft, _ = rule_targets(SCORES, GRID, n_classes=3, temperature=0.1)
    powers = (SCORES[0] / 0.1).softmax(0)
    assert soft[0].tolist() == pytest.approx([0.0, float(powers[0] + powers[1]), float(powers[2])])
    assert float(soft[1, 2]) == pytest.approx(float((SCORES[1, 1:] / 0.1).softmax(0)[0]))
    assert soft.sum(1).tolist() == pytest.approx([1.0, 1.0])


def test_no_rule_can_hold() -> None:
    none, best = rule_targets(SCORES, torch.full_like(GRID, -1), n_classes=3, temperature=0.1)
    assert not none.any() and best.tolist() == [-1.0, -1.0]
    empty, best = rule_targets(SCORES[:, :0], GRID[:, :0], n_classes=3, temperature=0.0)
    assert empty.shape == (2, 3) and best.tolist() == [-1.0, -1.0]


def targets(**more: Any) -> Dict[str, torch.Tensor]:
    return {
        "matched": torch.tensor([[0.0, 1.0, 0.0]]),
        "grid": GRID,
        "teacher": torch.tensor([[0.0, 0.9, 0.1], [0.2, 0.4, 0.4]]),
        "low_confidence": torch.tensor([False, False]),
        "rules": torch.eye(3),
        "relations": torch.tensor([1, 1, 2]),
        "unmatched": torch.tensor(True),
        **more,
    }


def outputs(requires_grad: bool = False) -> GrounderOutput:
    torch.manual_seed(2)
    logits, unit = (torch.randn(6, 3, dtype=torch.float64) for _ in range(2))
    unit = torch.nn.functional.normalize(unit, dim=1)
    return GrounderOutput(logits.requires_grad_(requires_grad), unit.requires_grad_(requires_grad), torch.zeros(6, 2))


@pytest.mark.parametrize("teacher_share, temperature", [(0.0, 0.0), (0.0, 0.1), (0.5, 0.1), (1.0, 0.1)])
def test_terms_and_gradients(teacher_share: float, temperature: float) -> None:
    options: Dict[str, Any] = {**WEIGHTS, "teacher_share": teacher_share, "temperature": temperature}
    given = {key: value.double() if value.is_floating_point() else value for key, value in targets().items()}

    def total(logits: torch.Tensor, rules: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        terms = nero_loss(GrounderOutput(logits, torch.cat([texts, rules]), torch.zeros(6, 2)), given, **options)
        assert set(terms) == {"matched", "rules", "clus", "unmatched"}
        return torch.stack(list(terms.values())).sum()

    found = outputs()
    logits, rules, texts = (part.requires_grad_() for part in (found.logits, found.unit[3:], found.unit[:3]))
    assert torch.autograd.gradcheck(lambda *given: total(*given, texts.detach()), (logits, rules))
    total(logits, rules, texts).backward()
    assert not texts.grad.any(), "what a text is like is no part of what is learned"  # type: ignore[union-attr]


def test_unmatched_pairs_wait() -> None:
    terms = nero_loss(outputs(), targets(unmatched=torch.tensor(False)), **WEIGHTS, temperature=0.0, teacher_share=0.0)
    assert "unmatched" not in terms


def test_negative_samples_learn_no_relation() -> None:
    found = outputs(requires_grad=True)
    options: Dict[str, Any] = {**WEIGHTS, "w_unmatched": 1.0, "temperature": 0.0, "teacher_share": 0.0}
    negative = targets(low_confidence=torch.tensor([True, True]))
    given = {key: value.double() if value.is_floating_point() else value for key, value in negative.items()}
    terms = nero_loss(found, given, **options)
    expected = -found.logits[1:3].log_softmax(1)[:, 0].mean()
    assert float(terms["unmatched"].detach()) == pytest.approx(float(expected.detach()))


def test_mean_of_the_last_weights() -> None:
    layer = torch.nn.Linear(1, 1, bias=False)
    layer.weight.data.fill_(0.0)
    mean = EmaWeights(layer, decay=0.9)
    for value in (1.0, 3.0):
        layer.weight.data.fill_(value)
        mean.update()
    with mean.applied():
        assert float(layer.weight.detach()) == pytest.approx(2.0)  # the first updates count alike
    assert float(layer.weight.detach()) == 3.0
    for _ in range(200):
        mean.update()
    with pytest.raises(RuntimeError), mean.applied():
        assert float(layer.weight.detach()) == pytest.approx(3.0, abs=1e-3)
        raise RuntimeError
    assert float(layer.weight.detach()) == 3.0
