"""SelfORE's adaptive clustering on worked numbers."""

from typing import Sequence

import pytest
import torch
from torch import Tensor

from spacy_relext.selfore.clustering.adaptive import (
    Autoencoder,
    assignment_loss,
    check_sizes,
    code_scale,
    log_assignment,
    log_target,
    reconstruction_loss,
    soft_sizes,
    squared_distances,
)

CODES = torch.tensor([[0.0, 0.0], [1.0, 0.0], [4.0, 0.0]], dtype=torch.float64)
CENTROIDS = torch.tensor([[0.0, 0.0], [3.0, 0.0]], dtype=torch.float64)


def assert_near(found: Tensor, expected: object, tolerance: float = 2e-6) -> None:
    torch.testing.assert_close(found, torch.tensor(expected, dtype=found.dtype), atol=tolerance, rtol=0.0)


def test_soft_assignment() -> None:
    assert_near(squared_distances(CODES, CENTROIDS), [[0, 9], [1, 4], [16, 1]])
    log_q = log_assignment(CODES, CENTROIDS)
    assert_near(log_q, [[-0.095310, -2.397895], [-0.336472, -1.252763], [-2.251292, -0.111226]])
    assert_near(log_q.exp(), [[0.909091, 0.090909], [0.714286, 0.285714], [0.105263, 0.894737]])
    other = log_assignment(CODES, CENTROIDS, alpha=2.0).exp()
    assert_near(other, [[0.928051, 0.071949], [0.738796, 0.261204], [0.063707, 0.936293]])
    between = torch.tensor([[1.5, 7.0]], dtype=torch.float64)
    assert_near(log_assignment(between, CENTROIDS).exp(), [[0.5, 0.5]], 0.0)


def test_target_and_loss() -> None:
    log_q = log_assignment(CODES, CENTROIDS)
    sizes = soft_sizes([log_q])
    assert_near(sizes, [1.728640, 1.271360])
    log_p = log_target(log_q, sizes)
    assert_near(log_p.exp(), [[0.986586, 0.013414], [0.821323, 0.178677], [0.010077, 0.989923]])
    assert_near(3 * assignment_loss(log_q, log_p), 0.162286)
    assert_near(assignment_loss(log_q, log_p), 0.054095, 5e-7)
    # with 1e-6 inside the logarithm, as the authors' later code has it
    assert_near(assignment_loss((log_q.exp() + 1e-6).log(), log_p), 0.054094, 5e-7)


def test_gradients() -> None:
    codes, centroids = CODES.clone().requires_grad_(), CENTROIDS.clone().requires_grad_()
    log_q = log_assignment(codes, centroids)
    log_p = log_target(log_q, soft_sizes([log_q]))
    assert not log_p.requires_grad
    (3 * assignment_loss(log_q, log_p)).backward()
    assert codes.grad is not None and centroids.grad is not None
    assert_near(codes.grad, [[0.046497, 0.0], [0.192666, 0.0], [0.050393, 0.0]])
    assert_near(centroids.grad, [[-0.062243, 0.0], [-0.227313, 0.0]])
    moved = CODES - codes.grad
    assert_near(moved[:, 0], [-0.046497, 0.807334, 3.949607])
    assert_near(3 * assignment_loss(log_assignment(moved, CENTROIDS), log_p), 0.132604)


def test_parts_give_the_target_of_the_whole() -> None:
    generator = torch.Generator().manual_seed(0)
    codes, centroids = torch.randn(50, 4, generator=generator), torch.randn(6, 4, generator=generator)
    log_q = log_assignment(codes, centroids)
    sizes = soft_sizes(log_q.split(7))
    torch.testing.assert_close(sizes, log_q.double().exp().sum(0))
    whole = log_target(log_q, sizes)
    torch.testing.assert_close(torch.cat([log_target(part, sizes) for part in log_q.split(7)]), whole)
    torch.testing.assert_close(whole.exp().sum(1), torch.ones(50))
    order = torch.randperm(6, generator=generator)
    torch.testing.assert_close(log_assignment(codes, centroids[order]), log_q[:, order])
    assert assignment_loss(log_q, whole) >= 0
    with pytest.raises(ValueError, match="no assignments"):
        soft_sizes([])


def test_small_distances_between_large_codes_are_kept() -> None:
    codes = torch.tensor([[1000.0, 1000.0]])
    centroids = codes + torch.tensor([[0.0, 0.01]])
    assert float(squared_distances(codes, centroids)) == pytest.approx(1e-4, rel=0.02)


def test_codes_are_scaled_to_a_median_distance_of_one() -> None:
    scale = code_scale(CODES, CENTROIDS)
    assert float(squared_distances(scale * CODES, scale * CENTROIDS).amin(1).median()) == pytest.approx(1.0)
    assert code_scale(CENTROIDS, CENTROIDS) == 1.0


@pytest.mark.parametrize(
    ("labels", "count", "reasons"),
    [
        ([0, 1, 2] * 10, 3, []),
        ([0] * 30, 1, []),
        ([0, 1] * 15, 3, ["the smallest cluster has 0.00% of the pairs", "67% of the clusters are used"]),
        ([0] * 96 + [1, 2, 3, 4], 5, ["sizes have 14% of the entropy of equal ones"]),
    ],
)
def test_collapse_is_seen(labels: Sequence[int], count: int, reasons: Sequence[str]) -> None:
    sizes = torch.bincount(torch.tensor(labels), minlength=count).tolist()
    assert check_sizes(sizes).reasons == reasons


def test_autoencoder() -> None:
    torch.manual_seed(0)
    model = Autoencoder(1536)
    sizes = [sum(p.numel() for p in part.parameters()) for part in (model.encoder, model.decoder)]
    assert sizes == [1_119_200, 1_120_536]
    small = Autoencoder(4, widths=(6, 3), dropout=0.0)
    vectors = torch.randn(5, 4)
    codes, again = small(vectors)
    assert codes.shape == (5, 3) and again.shape == (5, 4)
    torch.testing.assert_close(small.encode(vectors[:1]), codes[:1])
    reconstruction_loss(vectors, again).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in small.parameters())
    one, two = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[1.0, 1.0], [2.0, 4.0]])
    assert_near(reconstruction_loss(one, two), 0.5)
