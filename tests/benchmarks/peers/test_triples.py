"""The baselines that extract triples: worked numbers of their models, and small trainings on a random encoder."""

import json
import math
import os
import pathlib
import random
from types import ModuleType
from typing import Any, List

import pytest
import torch

from benchmarks.peers import casrel, gplinker
from benchmarks.peers.gplinker_model import GpLinker, Pointer, gold_cells, rotate, zlpr
from benchmarks.peers.triple_data import Example, Pieces, Record, encode_examples, encode_texts
from benchmarks.peers.triple_encoder import PlainEncoder, build_encoder, rated_parameters
from benchmarks.peers.triple_model import Candidate, triples_at
from benchmarks.peers.triple_train import best_threshold, exact_f
from spacy_relext.encoders.pieces import letter_shape
from spacy_relext.encoders.transformer import TransformerEncoder

NAMES = ("ada", "mary", "ole", "kari")
CITIES = ("london", "oslo", "bergen", "norway")
# Two subjects, two relations, and a sentence without a triple.
BORN, OWNS = "born_in", "owns"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("triples") / "triples.jsonl"
    rows = [{"text": "mary was here", "triple_list": []}]
    for name, city, other in zip(NAMES, CITIES, NAMES[1:] + NAMES[:1]):
        rows.append({"text": f"{name} was born in {city}", "triple_list": [[name, BORN, city]]})
        triples = [[name, OWNS, city], [other, BORN, city]]
        rows.append({"text": f"{name} owns {city} where {other} was born", "triple_list": triples})
    path.write_text("\n".join(map(json.dumps, rows)), "utf8")
    return path


def call(program: ModuleType, encoder: pathlib.Path, files: pathlib.Path, out: pathlib.Path, *more: str) -> Any:
    """Run the command line in this process, whose number of threads it keeps. RETURNS (Any): The JSON."""
    options = {"--encoder": encoder, "--train": files, "--dev": files, "--test": f"same={files}", "--out": out}
    options |= {"--max-pieces": 48, "--passes": 30, "--batch-size": 3, "--patience": 6, "--head-lr": 5e-3}
    words = [str(word) for pair in options.items() for word in pair]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAYON_NUM_THREADS", os.environ.get("RAYON_NUM_THREADS", "1"))  # put back afterwards
        program.main([*words, "--threads", str(torch.get_num_threads()), *more])
    return json.loads(out.read_text("utf8"))


@pytest.mark.parametrize("additions", ["--additions", "--no-additions"])
@pytest.mark.parametrize("program", [casrel, gplinker])
def test_a_small_training_learns_two_relations(
    program: ModuleType, additions: str, encoder: pathlib.Path, files: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    found = call(program, encoder, files, tmp_path / "result.json", additions, "--lr", "3e-3")
    history = found["passes"]
    best = [entry["dev_f"] for entry in history].index(1.0)
    assert len(history) == min(30, best + 1 + 6)  # those up to the best, then six that do not rise
    assert all(entry["cpu_seconds"] > 0 and entry["dev_f_fixed"] <= entry["dev_f"] for entry in history)
    assert found["train_cpu_seconds"] == pytest.approx(sum(entry["cpu_seconds"] for entry in history))
    tuned = found["tests"]["same"]["tuned"]
    assert tuned[0] == [] and len(tuned) == 9
    assert tuned[2] == [["ada", OWNS, "london"], ["mary", BORN, "london"]]


def test_patience_ends_a_training(encoder: pathlib.Path, files: pathlib.Path, tmp_path: pathlib.Path) -> None:
    found = call(casrel, encoder, files, tmp_path / "result.json", "--lr", "0", "--head-lr", "0", "--patience", "2")
    assert len(found["passes"]) == 3


def test_one_drawn_subject_or_all(encoder: pathlib.Path, files: pathlib.Path) -> None:
    tokenizer, plain = build_encoder(str(encoder), additions=False, precision="fp32")
    example = Example([2, 5, 6, 7, 3], [0] * 5, {(1, 1): [(0, (3, 3))], (2, 2): [(1, (3, 3)), (0, (1, 2))]})
    for all_subjects, counts in ((True, {2}), (False, {1})):
        model = casrel.CasRel(plain, padding=0, n_relations=2, all_subjects=all_subjects)
        drawn = [model.collate([example], length=5, rng=random.Random(seed)) for seed in range(20)]
        assert {len(targets.rows) for targets in drawn} == counts
        assert all(targets.subject_tags.sum() == 4 for targets in drawn)
        assert {targets.object_tags.sum().item() for targets in drawn} == ({6.0} if all_subjects else {2.0, 4.0})


def test_additions_are_those_of_the_project(encoder: pathlib.Path) -> None:
    _, plain = build_encoder(str(encoder), additions=False, precision="fp32")
    _, ours = build_encoder(str(encoder), additions=True, precision="fp32")
    assert isinstance(plain, PlainEncoder) and isinstance(ours, TransformerEncoder)
    ids, shapes = torch.tensor([[2, 7, 8, 3]]), torch.tensor([[0, 2, 1, 0]])
    mask = torch.ones(1, 4, dtype=torch.long)
    layers = plain.transformer(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
    # at first all layers have the same weight, and shapes have none
    torch.testing.assert_close(ours(ids, shapes, mask), torch.stack(layers).mean(0))
    torch.testing.assert_close(plain(ids, shapes, mask), layers[-1])
    rates = [rate for _, rate in rated_parameters(ours, lr=1e-4, head_lr=1e-3)]
    assert rates == [1e-4, pytest.approx(5e-4), 1e-3]
    trained = sum(len(parameters) for parameters, _ in rated_parameters(ours, lr=1e-4, head_lr=1e-3))
    assert trained == len(list(ours.parameters())) and len(rated_parameters(plain, lr=1, head_lr=1)) == 1
    assert {module.p for module in ours.modules() if isinstance(module, torch.nn.Dropout)} == {0.0}


def test_pieces_have_the_letter_shape_of_their_word(encoder: pathlib.Path) -> None:
    tokenizer, _ = build_encoder(str(encoder), additions=False, precision="fp32")
    text = "Zzyzx was born in OSLO 1815."
    pieces = encode_texts([text], tokenizer=tokenizer, max_pieces=64)[0]
    words = [text[a:b] for a, b in pieces.offsets]
    first, last = words.index("Z"), words.index("x")
    assert pieces.shapes[first : last + 1] == [letter_shape("Zzyzx")] * 5
    assert pieces.shapes[0] == pieces.shapes[-1] == 0
    assert pieces.shapes[words.index(".")] == letter_shape(".") and pieces.shapes[-3] == letter_shape("1815")
    record = Record(text, frozenset({("Zzyzx", BORN, "OSLO")}))
    examples, _ = encode_examples([record], tokenizer=tokenizer, labels=[BORN], max_pieces=64)
    assert examples[0].shapes == pieces.shapes


def test_zlpr_on_numbers() -> None:
    # one sentence, two tables of 1 × 3 cells: gold 2 and -1 beside 0.5 in the first, none in the second
    scores = torch.tensor([[[[2.0, -1.0, 0.5]], [[0.0, -math.inf, 1.0]]]], requires_grad=True)
    gold = torch.tensor([[0, 0, 0, 0], [0, 0, 0, 1]])
    loss = zlpr(scores, gold)
    first = math.log(1 + math.exp(-2) + math.exp(1)) + math.log(1 + math.exp(0.5))
    assert loss.item() == pytest.approx(first + math.log(1 + 1 + math.e))
    loss.backward()
    assert scores.grad is not None and scores.grad.isfinite().all()
    assert scores.grad[0, 0, 0, 1].item() == pytest.approx(-math.e / (1 + math.exp(-2) + math.e))
    assert scores.grad[0, 1, 0].tolist() == pytest.approx([1 / (2 + math.e), 0.0, math.e / (2 + math.e)])
    far = zlpr(torch.tensor([[[[-200.0, 200.0]]]]), torch.tensor([[0, 0, 0, 0]]))
    assert far.item() == pytest.approx(400.0)


def test_rotation_makes_a_product_depend_on_the_distance() -> None:
    torch.manual_seed(0)
    query, key = torch.randn(2, 1, 1, 8)
    queries, keys = rotate(query.expand(1, 6, 8)), rotate(key.expand(1, 6, 8))
    products = (queries @ keys.mT)[0]
    for distance in range(6):
        diagonal = products.diagonal(distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal))
    assert products[0, 0].item() == pytest.approx((query * key).sum().item(), rel=1e-5)
    assert products[0, 1].item() != pytest.approx(products[1, 0].item(), rel=1e-2)


def test_a_pointer_is_its_equation() -> None:
    torch.manual_seed(0)
    pointer = Pointer(6, tables=3, rotary=False, size=4)
    vectors, mask = torch.randn(2, 5, 6), torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    scores = pointer(vectors, mask)
    both = pointer.project(vectors)
    w, v = pointer.bias.weight.chunk(2)
    b, c = pointer.bias.bias.chunk(2)
    i, j, table = 1, 2, 2
    product = both[1, i, :4] @ both[1, j, 4:] / 2  # the root of 4
    biases = (w[table] @ both[1, i] + b[table] + v[table] @ both[1, j] + c[table]) / 2
    torch.testing.assert_close(scores[1, table, i, j], product + biases)
    assert scores[1, :, :3, :3].isfinite().all() and (scores[1, :, 3:] == -math.inf).all()
    ordered = Pointer(6, tables=1, rotary=True, size=4)(vectors, mask)[0, 0]
    assert (ordered.isfinite() == torch.ones(5, 5).triu().bool()).all()


def test_gold_cells_of_a_sentence() -> None:
    example = Example([0] * 8, [0] * 8, {(1, 2): [(3, (4, 5)), (0, (6, 6))]})
    entities, heads, tails = gold_cells([Example([0], [0], {}), example])
    assert entities.tolist() == [[1, 0, 1, 2], [1, 1, 4, 5], [1, 1, 6, 6]]
    assert heads.tolist() == [[1, 0, 1, 6], [1, 3, 1, 4]] and tails.tolist() == [[1, 0, 2, 6], [1, 3, 2, 5]]
    assert [cells.shape for cells in gold_cells([])] == [(0, 4)] * 3


def test_a_triple_has_the_score_of_its_weakest_part(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = PlainEncoder.__new__(PlainEncoder)
    torch.nn.Module.__init__(plain)
    plain.width = 4
    model = GpLinker(plain, padding=0, n_relations=2)
    length = 5
    entities, heads, tails = (torch.full((1, 2, length, length), -9.0) for _ in range(3))
    entities[0, 0, 1, 1], entities[0, 0, 0, 1] = 3.0, 8.0  # a subject, and one that does not open a word
    entities[0, 1, 2, 3], entities[0, 1, 3, 3] = 2.0, 1.0
    heads[0, 1, 1, 2], tails[0, 1, 1, 3] = 5.0, -1.0
    heads[0, 0, 1, 3], tails[0, 0, 1, 3] = 4.0, 6.0
    monkeypatch.setattr(model, "read", lambda sentences: (None, None))
    monkeypatch.setattr(model, "tables", lambda vectors, mask: (entities, heads, tails))
    opens = [False, True, True, True, False]
    pieces = [Pieces([0] * length, [0] * length, [(0, 0)] * length, opens, [True] * length)]
    found = sorted(model.find(pieces, low=0.01, high=0.99))
    assert [(f.subject, f.relation, f.object, f.low) for f in found] == [
        ((1, 1), 0, (3, 3), 0.0),
        ((1, 1), 1, (2, 3), 0.0),
    ]
    expected = [1 / (1 + math.exp(-1)), 1 / (1 + math.exp(1))]
    assert [f.high for f in found] == pytest.approx(expected)
    assert [f.relation for f in model.find(pieces, low=0.5, high=0.5)] == [0]
    assert list(model.find(pieces, low=0.99, high=0.99)) == []


def test_thresholds_and_scores_by_hand() -> None:
    a, b, c = ("a", BORN, "x"), ("b", BORN, "y"), ("c", OWNS, "z")
    records = [Record("1", frozenset({a, b})), Record("2", frozenset({c}))]
    predictions: List[List[Candidate]] = [[Candidate(a, 0.0, 0.9), Candidate(b, 0.2, 0.4)], [Candidate(a, 0.0, 0.6)]]
    assert triples_at(predictions[0], 0.3) == {a, b} and triples_at(predictions[0], 0.4) == {a}
    assert exact_f(records, predictions, threshold=0.3) == pytest.approx(2 * 2 / (3 + 3))
    assert exact_f(records, predictions, threshold=0.7) == pytest.approx(2 * 1 / (3 + 1))
    assert best_threshold(records, predictions, grid=(0.1, 0.3, 0.5, 0.7)) == (0.3, pytest.approx(2 / 3))
