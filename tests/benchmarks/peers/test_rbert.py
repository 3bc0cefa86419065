"""The R-BERT peer: reading, markers, scores, and one small training on a random encoder."""

import json
import os
import pathlib
import random
from typing import Any, Dict, List, Tuple

import pytest

TEXT = "Ada Lovelace was born in London"
PAIR: Dict[str, Any] = {"text": TEXT, "subject": [0, 12], "object": [25, 31], "label": "place_of_birth"}
NAMES = ("ada", "mary", "ole", "kari")
CITIES = ("london", "oslo", "bergen", "norway")
Trained = Tuple[pathlib.Path, Dict[str, Any]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Eight pairs whose label is the direction, in both orders of the text."""
    path = tmp_path_factory.mktemp("pairs") / "pairs.jsonl"
    rows = []
    for name, city in zip(NAMES, CITIES):
        text = f"{name} was born in {city}"
        spans = [0, len(name)], [len(text) - len(city), len(text)]
        for (subject, object_), label in ((spans, "born_in"), (spans[::-1], "none")):
            rows.append({"text": text, "subject": subject, "object": object_, "label": label})
    path.write_text("\n".join(map(json.dumps, rows)), "utf8")
    return path


def call(encoder: pathlib.Path, files: pathlib.Path, *more: str) -> None:
    """Run the command line in this process, whose number of threads it keeps."""
    import torch

    from benchmarks.peers.rbert import main

    options = {"--encoder": encoder, "--train": files, "--dev": files, "--test": f"same={files}", "--score": "micro"}
    options |= {"--no-relation": "none", "--max-pieces": 48, "--lr": 3e-3, "--passes": 15, "--batch-size": 4}
    words = [str(word) for pair in options.items() for word in pair]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAYON_NUM_THREADS", os.environ.get("RAYON_NUM_THREADS", "1"))  # put back afterwards
        main([*words, "--threads", str(torch.get_num_threads()), *more])


@pytest.fixture(scope="module")
def trained(encoder: pathlib.Path, files: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Folder of the saved model, and the JSON of the whole command."""
    folder = tmp_path_factory.mktemp("trained")
    call(encoder, files, "--save", str(folder / "model"), "--out", str(folder / "result.json"))
    return folder / "model", json.loads((folder / "result.json").read_text("utf8"))


def changed(**changes: Any) -> bytes:
    return json.dumps({**PAIR, **changes}).encode()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "property name"),
        (b"[1, 2]", "found list"),
        (b'{"text": "\xff"}', "can't decode"),
        (b'{"text": "Ada", "subject": [0, 3]}', "object, label missing"),
        (changed(label=""), "label is empty"),
        (changed(subject_type=3), "not a string"),
        (changed(subject="Ada"), 'subject: expected [start, end] in characters; found "Ada"'),
        (changed(subject=[3, 4]), "subject: [3, 4] covers nothing"),
        (changed(object=[25, 32]), "object: [25, 32] covers nothing of the text, which has 31 characters"),
        (changed(object=[-6, 31]), "object: [-6, 31] covers nothing"),
        (changed(object=[0, 12]), "same characters"),
    ],
)
def test_bad_data_are_told_by_file_and_line(tmp_path: pathlib.Path, line: bytes, message: str) -> None:
    from benchmarks.peers.rbert_data import read_records

    path = tmp_path / "pairs.jsonl"
    path.write_bytes(changed() + b"\n\n" + line + b"\n")
    with pytest.raises(ValueError) as caught:
        read_records(path)
    assert str(caught.value).startswith(f"{path}:3: ")
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_line_separators_inside_a_text_do_not_end_the_line(tmp_path: pathlib.Path) -> None:
    from benchmarks.peers.rbert_data import Record, read_records

    path = tmp_path / "pairs.jsonl"
    row = {**PAIR, "text": "Ada\u2028London", "subject": [0, 3], "object": [4, 10], "subject_type": None}
    path.write_text(json.dumps(row, ensure_ascii=False) + "\r\n", "utf8")
    assert read_records(path) == [Record("Ada\u2028London", (0, 3), (4, 10), "place_of_birth")]


def pieces_of(path: Any, text: str, *strings: str, types: bool = False, limit: int = 48) -> Tuple[List[str], Any]:
    """Pieces and encoded pair; the arguments are the first occurrences of two strings."""
    import transformers

    from benchmarks.peers.rbert_data import Record, encode_records
    from benchmarks.peers.rbert_model import make_layout

    tokenizer = transformers.AutoTokenizer.from_pretrained(path)
    network = transformers.AutoModel.from_pretrained(path)
    layout = make_layout(tokenizer, encoder=network, types=types, max_pieces=limit)
    spans = [(text.index(string), text.index(string) + len(string)) for string in strings]
    record = Record(text, *spans, "r", "PERSON_X", "b")
    example = encode_records([record], tokenizer=tokenizer, layout=layout)[0]
    return tokenizer.convert_ids_to_tokens(example.ids), example


def argument(pieces: List[str], span: Tuple[int, int]) -> List[str]:
    return pieces[span[0] : span[1] + 1]


def test_markers_stand_around_the_arguments(encoder: pathlib.Path) -> None:
    pieces, example = pieces_of(encoder, "in london ada lovelace was born", "ada lovelace", "london")
    assert " ".join(pieces) == "[CLS] in [unused2] london [unused3] [unused0] ada lovelace [unused1] was born [SEP]"
    assert (argument(pieces, example.subject), argument(pieces, example.object)) == (["ada", "lovelace"], ["london"])
    pieces, example = pieces_of(encoder, "university of oslo opened", "oslo", "university of oslo")
    assert " ".join(pieces) == "[CLS] [unused2] university of [unused0] oslo [unused1] [unused3] opened [SEP]"
    assert argument(pieces, example.subject) == ["oslo"] and not example.cut


def test_types_stand_after_the_first_marker(encoder: pathlib.Path) -> None:
    pieces, example = pieces_of(encoder, "ada in london", "ada", "london", types=True)
    assert pieces[:2] == ["[CLS]", "[unused0]"]
    at = pieces.index("[unused2]")
    assert pieces[at:] == ["[unused2]", "[UNK]", "b", "[UNK]", "london", "[unused3]", "[SEP]"]  # "^" is unknown here
    assert pieces[2 : pieces.index("ada")][1:-1] == ["p", "##e", "##r", "##s"]  # a type's name is cut
    assert (argument(pieces, example.subject), argument(pieces, example.object)) == (["ada"], ["london"])


def test_a_long_text_is_cut_around_the_arguments(encoder: pathlib.Path) -> None:
    pieces, example = pieces_of(encoder, f"{'a ' * 60}ada was born in london {'b ' * 60}", "ada", "london", limit=32)
    middle = "[unused0] ada [unused1] was born in [unused2] london [unused3]".split()
    assert pieces[1:-1] == ["a"] * 11 + middle + ["b"] * 10 and example.cut
    pieces, example = pieces_of(encoder, f"ada {'c ' * 60}london {'b ' * 60}", "ada", "london", limit=32)
    assert len(pieces) == 32 and [p for p in pieces if p[0] != "["] == ["ada", *"c" * 16, "london", *"b" * 8]
    assert (argument(pieces, example.subject), argument(pieces, example.object)) == (["ada"], ["london"])


def test_arguments_longer_than_the_limit_keep_their_beginnings(encoder: pathlib.Path) -> None:
    subject, object_ = " ".join("ab" * 30), " ".join("cd" * 30)
    pieces, example = pieces_of(encoder, f"oslo {subject} oslo {object_} oslo", subject, object_, limit=32)
    found = [argument(pieces, span) for span in (example.subject, example.object)]
    assert found == [list("ab" * 6 + "a"), list("cd" * 6 + "c")] and len(pieces) == 32


def test_markers_are_right_in_random_pairs() -> None:
    from benchmarks.peers.rbert_data import Layout, mark

    draw = random.Random(0)
    layout = Layout(-1, -2, -3, (-10, -11, -12, -13), False, 32)
    for _ in range(500):
        ids = list(range(draw.randint(2, 80)))
        starts = [draw.randrange(len(ids)) for _ in range(2)]
        spans = [(start, draw.randint(start + 1, len(ids))) for start in starts]
        found = mark(ids, spans=spans, openings=[[-4], []], layout=layout)
        assert sorted(i for i in found.ids if i < 0) == [-13, -12, -11, -10, -4, -2, -1]
        kept = [i for i in found.ids if i >= 0]
        assert kept == sorted(kept) and len(found.ids) == min(32, len(ids) + 7)
        for (start, end), (first, last) in zip(spans, (found.subject, found.object)):
            inside = [i for i in found.ids[first : last + 1] if i >= 0]
            assert inside == [i for i in kept if start <= i < end] and inside[0] == start


def test_a_relation_in_the_wrong_direction_is_predicted_and_missed() -> None:
    from benchmarks.peers.rbert_train import score

    gold = ["Cause-Effect(e1,e2)", "Cause-Effect(e1,e2)", "Other", "Message-Topic(e1,e2)"]
    predicted = ["Cause-Effect(e1,e2)", "Cause-Effect(e2,e1)", "Cause-Effect(e1,e2)", "Other"]
    found = score(gold, predicted, style="semeval")
    cause = {"p": 1 / 3, "r": 1 / 2, "f": 2 / 5, "gold": 2, "predicted": 3, "correct": 1}
    assert found["per_relation"]["Cause-Effect"] == pytest.approx(cause)
    assert found["macro_f"] == pytest.approx(2 / 5 / 9) and found["macro_p"] == pytest.approx(1 / 3 / 9)
    assert [found[f"micro_{k}"] for k in "prf"] == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    assert found["accuracy"] == 1 / 4
    assert score(gold, gold, style="semeval")["macro_f"] == pytest.approx(2 / 9)


def test_micro_scores_leave_out_no_relation() -> None:
    from benchmarks.peers.rbert_train import score

    gold = ["a", "a", "b", "none", "none"]
    found = score(gold, ["a", "b", "none", "none", "a"], style="micro", no_relation="none")
    assert [found[f"micro_{k}"] for k in "prf"] == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    assert found["macro_f"] == pytest.approx((1 / 2 + 0) / 2)
    empty = score(gold, ["none"] * 5, style="micro", no_relation="none")
    assert [empty[f"micro_{k}"] for k in "prf"] == [1.0, 0.0, 0.0]


def test_a_small_training_learns_the_direction(trained: Trained) -> None:
    _, result = trained
    assert result["dev"]["micro_f"] == result["tests"]["same"]["micro_f"] == 1.0
    best = [entry["dev"]["micro_f"] for entry in result["passes"]]
    assert len(best) == 15 and result["best_pass"] == 1 + best.index(1.0)
    assert result["texts_cut"] == {"train": 0, "dev": 0, "test:same": 0}
    assert set(result["predict_pairs_per_second"]) == {f"{cpu}batch_{size}" for cpu in ("", "cpu_") for size in (1, 32)}
    assert min(result["train_pairs_per_second"], result["peak_rss_mb"]) > 0 and result["labels"] == ["born_in", "none"]


def test_some_passes_are_not_evaluated_but_the_last_is(
    encoder: pathlib.Path, files: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    call(encoder, files, "--passes", "5", "--evaluate-every", "2", "--out", str(tmp_path / "result.json"))
    result = json.loads((tmp_path / "result.json").read_text("utf8"))
    assert [entry["pass"] for entry in result["passes"]] == [2, 4, 5] and result["best_pass"] in (2, 4, 5)


def test_a_saved_model_predicts_the_same(trained: Trained, files: pathlib.Path, tmp_path: pathlib.Path) -> None:
    from benchmarks.peers.rbert_data import read_records
    from benchmarks.peers.rbert_model import load_peer

    records = read_records(files)
    peer = load_peer(trained[0])
    assert {path.suffix for path in trained[0].iterdir()} <= {".json", ".safetensors", ".txt"}
    assert peer.predict(records) == [record.label for record in records]
    assert peer.predict(records, batch_size=1) == peer.predict(records, batch_size=3) == peer.predict(records)
    assert peer.predict([]) == []
    peer.save(tmp_path / "again")
    again = load_peer(str(tmp_path / "again"), precision="bf16")
    assert again.model.output.weight.itemsize == 2 and again.predict(records) == peer.predict(records)
    with pytest.raises(ValueError, match="expected a folder written with --save"):
        load_peer(tmp_path)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--no-relation", "NA"], "has no 'NA', but born_in, none"),
        (["--types"], "--types expects subject_type"),
        (["--max-pieces", "8"], "expected 32 to 64"),
        (["--score", "semeval"], "only with --score micro"),
        (["--test", "nothing"], "expected NAME=FILE"),
        (["--dev", "nowhere.jsonl"], "nowhere.jsonl: not found"),
        (["--passes", "0"], "expected at least 1"),
    ],
)
def test_settings_that_do_not_fit_end_with_one_line(
    encoder: pathlib.Path, files: pathlib.Path, more: List[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        call(encoder, files, "--out", "unwritten.json", *more)
    assert message in f"{caught.value} {capsys.readouterr().err}"


@pytest.mark.parametrize(
    ("radius", "gradient"),
    [
        # L = mean of x² over two texts of one vector (3, 4) and (0, 1), x = W·input with W = 1
        (0.0, [9.0, 17.0]),
        # moved along their gradients by 5: (6, 8) and (0, 6), so that dL/dW is the mean of 2·x·input of both readings
        (5.0, [13.5, 27.5]),
    ],
)
def test_the_adversary_moves_each_text_along_its_gradient(radius: float, gradient: list[float]) -> None:
    import torch

    from benchmarks.peers.rbert_adversary import backward

    class Scale(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(2))

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return self.weight * inputs

    part, inputs = Scale(), torch.tensor([[[3.0, 4.0]], [[0.0, 1.0]]])
    loss = backward(lambda: part(inputs).square().sum((1, 2)).mean(), part, radius=radius)
    assert loss.item() == 13.0
    assert part.weight.grad is not None
    assert part.weight.grad.tolist() == pytest.approx(gradient)
    assert not part._forward_hooks
