"""Losses of documents on numbers worked out by hand, and their gradients."""

import math

import pytest
import torch

from spacy_relext.documents.losses import adaptive_loss, documents_loss
from spacy_relext.documents.settings import LOSSES, DocumentsLoss

LOG = math.log
LOGITS = torch.tensor([[LOG(2), LOG(3), LOG(4)]], dtype=torch.float64)
ALL = torch.ones(1, 3, dtype=torch.bool)


def test_adaptive_threshold() -> None:
    # Zhou et al., Eqs. 10 to 12: positives 2 and 3 against the threshold's 1; the threshold against 4
    facts = torch.tensor([[1.0, 1.0, 0.0]])
    above = -LOG(2 / 6) - LOG(3 / 6)
    assert float(adaptive_loss(LOGITS, facts, mask=ALL)) == pytest.approx(above - LOG(1 / 5))
    none = torch.zeros(1, 3)
    assert float(adaptive_loss(LOGITS, none, mask=ALL)) == pytest.approx(-LOG(1 / 10))


def test_what_is_not_judged_does_not_count() -> None:
    mask = torch.tensor([[True, False, False]])
    assert float(adaptive_loss(LOGITS, torch.zeros(1, 3), mask=mask)) == pytest.approx(-LOG(1 / 3))
    assert float(adaptive_loss(LOGITS[:0], torch.zeros(0, 3), mask=ALL[:0])) == 0.0


@pytest.mark.parametrize("kind", LOSSES)
def test_gradients(kind: str) -> None:
    torch.manual_seed(0)
    logits = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    targets = {
        "facts": (torch.rand(4, 3) > 0.7).double(),
        "judged": torch.rand(4, 3) > 0.2,
        "prior": torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64),
    }
    settings = DocumentsLoss(kind=kind)
    assert torch.autograd.gradcheck(lambda z: documents_loss(z, targets, settings)["facts"], [logits])


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="loss.kind"):
        DocumentsLoss(kind="mse")
    with pytest.raises(ValueError, match="missing_rate"):
        DocumentsLoss(missing_rate=1.0)
