"""The PARE peer: its attention, its passages, and a training from the command line."""

import json
import pathlib
from typing import Any, Dict, List

import pytest
import torch
from torch import nn


class Vectors(nn.Module):
    """Gives the vectors that it was made with."""

    def __init__(self, vectors: torch.Tensor) -> None:
        super().__init__()
        self.vectors, self.pooler = vectors, None
        self.config = type("Config", (), {"hidden_size": vectors.shape[2]})

    def forward(self, **_: Any) -> Any:
        return type("Output", (), {"last_hidden_state": self.vectors})


def test_each_relation_reads_the_pieces_that_fit_it() -> None:
    from benchmarks.peers.pare import Pare

    vectors = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [5.0, 5.0]]])
    model = Pare(Vectors(vectors), n_labels=2)
    with torch.no_grad():
        model.queries.copy_(torch.tensor([[2.0, 0.0], [0.0, 0.0]]))
        model.output.weight.copy_(torch.tensor([[1.0, -1.0]]))
        model.output.bias.fill_(0.5)
        found = model(torch.zeros(1, 3, dtype=torch.long), torch.tensor([[1, 1, 0]]))
    # softmax(2, 0) = (0.880797, 0.119203); padding gets nothing; a query of zeros averages
    assert found[0].tolist() == pytest.approx([0.5 + 0.880797 - 0.119203, 0.5], abs=1e-6)


def test_sentences_that_do_not_fit_are_left_out() -> None:
    from benchmarks.peers.pare import join

    one, two, three = [1, 5, 2], [1, 6, 7, 2], [1, 8, 2]
    assert join([one, two, three], most=20) == [1, 5, 2, 6, 7, 2, 8, 2]
    assert join([one, two, three], most=5) == one, "the third would fit, but not the second"
    assert join([two, one], most=3) == two[:3]


def bag(verb: str, *labels: str) -> Dict[str, Any]:
    mentions = [
        {"text": f"ann {verb} bob {more}", "subject": [0, 3], "object": [5 + len(verb), 8 + len(verb)]}
        for more in ("now", "then")
    ]
    return {"mentions": mentions, "labels": list(labels)}


def test_training_from_the_command_line(encoder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    from benchmarks.peers.pare import main

    rows: List[Dict[str, Any]] = [
        bag("met", "knows"),
        bag("hit", "hurts"),
        bag("saw"),
        bag("wed", "knows", "loves"),
    ] * 3
    path = tmp_path / "bags.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "pare.json"
    given = ["--encoder", str(encoder), "--train", str(path), "--dev", str(path), "--test", f"bag={path}"]
    main([*given, "--passes", "2", "--batch-size", "4", "--max-pieces", "32", "--max-passage", "48", "--out", str(out)])
    result = json.loads(out.read_text())
    assert result["labels"] == ["hurts", "knows", "loves"] and len(result["passes"]) == 2
    assert len(result["probs"]["bag"]) == len(rows) and all(
        0 < each < 1 for row in result["probs"]["bag"] for each in row
    )
