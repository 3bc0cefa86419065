"""The PCNN + ATT peer: its pieces, its attention, and a training from the command line."""

import json
import pathlib
from typing import Any

import numpy
import pytest
import spacy
import torch

from benchmarks.peers import pcnn
from tests.benchmarks.peers.test_pare import bag


def model(n_classes: int = 3) -> Any:
    torch.manual_seed(0)
    return pcnn.Pcnn(torch.randn(6, 4), n_classes=n_classes).eval()


def test_the_largest_value_of_each_piece() -> None:
    made = model()
    ids, ends = torch.tensor([[2, 3, 4, 5, 2, 0]]), torch.tensor([[3, 1]])
    with torch.no_grad():
        found = made.sentences(ids, ends)[0].view(3, pcnn.FILTERS)
        at = torch.arange(6)
        near = [(at - end).clamp(-60, 60) + 60 for end in (3, 1)]
        inputs = torch.cat([made.words(ids[0]), *(table(each) for table, each in zip(made.positions, near))], -1)
        values = made.convolution(inputs.T[None])[0].tanh()
    for number, piece in enumerate(([0, 1], [2, 3], [4])):  # the last cell is padding
        assert found[number].tolist() == pytest.approx(values[:, piece].amax(1).tolist(), abs=1e-6)


def test_an_empty_piece_is_zero() -> None:
    with torch.no_grad():
        found = model().sentences(torch.tensor([[2, 3]]), torch.tensor([[0, 1]]))[0].view(3, pcnn.FILTERS)
    assert found[2].abs().sum() == 0


def test_each_relation_weighs_the_sentences_for_itself() -> None:
    made = model()
    ids, ends = torch.tensor([[2, 3, 4], [5, 3, 2], [4, 4, 4]]), torch.tensor([[0, 2], [2, 0], [0, 1]])
    members = torch.tensor([[0, 1], [2, -1]])
    with torch.no_grad():
        found = made(ids, ends, members)
        vectors = made.sentences(ids, ends)
        weights = ((vectors[:2] * made.diagonal) @ made.queries[1]).softmax(0)
        wanted = made.output(weights @ vectors[:2]).log_softmax(-1)
        alone = made.output(vectors[2]).log_softmax(-1)
    assert found.shape == (2, 3, 3)
    assert found[0, 1].tolist() == pytest.approx(wanted.tolist(), abs=1e-5)
    for relation in range(3):
        assert found[1, relation].tolist() == pytest.approx(alone.tolist(), abs=1e-5), (
            "a single sentence has all weight"
        )


def test_training_from_the_command_line(tmp_path: pathlib.Path) -> None:
    nlp = spacy.blank("en")
    for number, word in enumerate(("ann", "bob", "met", "hit", "wed", "now")):
        nlp.vocab.set_vector(word, numpy.eye(8, dtype="float32")[number])
    nlp.to_disk(tmp_path / "vectors")
    rows = [bag("met", "knows"), bag("hit", "hurts"), bag("saw"), bag("wed", "knows", "loves")] * 3
    path, out = tmp_path / "bags.jsonl", tmp_path / "pcnn.json"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    given = ["--encoder", str(tmp_path / "vectors"), "--train", str(path), "--dev", str(path), "--test", f"bag={path}"]
    pcnn.main([*given, "--passes", "12", "--batch-size", "4", "--lr", "3e-3", "--out", str(out)])
    result = json.loads(out.read_text())
    assert result["labels"] == ["hurts", "knows", "loves"] and len(result["passes"]) == 12
    assert result["passes"][-1]["loss"] < result["passes"][0]["loss"]
    probs = numpy.array(result["probs"]["bag"])
    assert probs.shape == (12, 3) and probs[0].argmax() == 1 and probs[1].argmax() == 0
