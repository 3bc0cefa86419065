"""R-BERT: markers, its adversary, and one small training on a random encoder."""

import json
import os
import pathlib
import random
from typing import Any, Dict, List, Tuple

import pytest
import torch
import transformers

from benchmarks.peers.rbert import main
from benchmarks.peers.rbert_adversary import backward
from benchmarks.peers.rbert_data import Layout, Record, encode_records, mark, read_records
from benchmarks.peers.rbert_model import load_peer, make_layout

NAMES = ("ada", "mary", "ole", "kari")
CITIES = ("london", "oslo", "bergen", "norway")
Trained = Tuple[pathlib.Path, Dict[str, Any]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Eight pairs whose label is the direction, in both orders of the text."""
    path = tmp_path_factory.mktemp("pairs") / "pairs.jsonl"
    rows, types = [], {"subject_type": "", "object_type": ""}
    for name, city in zip(NAMES, CITIES):
        text = f"{name} was born in {city}"
        spans = [0, len(name)], [len(text) - len(city), len(text)]
        for (subject, object_), label in ((spans, "born_in"), (spans[::-1], "Other")):
            rows.append({"text": text, "subject": subject, "object": object_, "label": label, **types})
    path.write_text("\n".join(map(json.dumps, rows)), "utf8")
    return path


def call(encoder: pathlib.Path, files: pathlib.Path, *more: str) -> None:
    """Run the command line in this process, whose number of threads it keeps."""
    options = {"--encoder": encoder, "--train": files, "--dev": files, "--score": "micro", "--evaluate-every": 2}
    options |= {"--max-pieces": 48, "--lr": 3e-3, "--passes": 15, "--batch-size": 4}
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


def pieces_of(path: Any, text: str, *strings: str, types: bool = False, limit: int = 48) -> Tuple[List[str], Any]:
    """Pieces and encoded pair; the arguments are the first occurrences of two strings."""
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


def test_a_small_training_learns_the_direction(trained: Trained, files: pathlib.Path) -> None:
    folder, result = trained
    assert [entry["pass"] for entry in result["passes"]] == [2, 4, 6, 8, 10, 12, 14, 15], "the last one, too"
    assert max(entry["dev_f"] for entry in result["passes"]) == 1.0 and result["labels"] == ["Other", "born_in"]
    records = read_records(files)
    peer = load_peer(folder)
    assert {path.suffix for path in folder.iterdir()} <= {".json", ".safetensors", ".txt"}
    assert peer.predict(records) == [record.label for record in records]
    assert peer.predict(records, batch_size=1) == peer.predict(records, batch_size=3) == peer.predict(records)
    peer.precision = "bf16"
    peer.finish()
    assert peer.model.output.weight.itemsize == 2 and peer.predict(records) == [record.label for record in records]


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
