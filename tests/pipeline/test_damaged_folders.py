"""A component whose files are damaged is refused with one line, even without the list of its files."""

import json
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import spacy
import srsly

from spacy_relext.bridge.modules import module_of
from spacy_relext.bridge.shim import module_from_bytes, module_to_bytes
from spacy_relext.corpora.damage import FILES
from tests.contract.cases import CASES
from tests.contract.sentences import make_english_examples

NAME = "extractor"


@pytest.fixture(scope="module")
def nlp() -> Any:
    case = next(case for case in CASES if case.id == NAME)
    nlp = case.build(Path(), name=NAME)
    examples = make_english_examples(nlp)
    nlp.initialize(lambda: examples)
    return nlp


@pytest.fixture
def folder(nlp: Any, tmp_path: Path) -> Path:
    nlp.to_disk(tmp_path / "pipeline")
    (tmp_path / "pipeline" / NAME / FILES).unlink()
    return tmp_path / "pipeline"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"labels": 5}, "labels is 5, not a list"),
        ({"labels": [5]}, "labels has other values"),
        ({"labels": []}, "its weights are for n_relations"),
        ({"entity_labels": ["PERSON"] * 9}, "its weights are for n_types"),
        ({"thresholds": []}, "thresholds is .*, not a mapping"),
        ({"thresholds": {"a": None}}, "thresholds has other values"),
        ({"threshold": "high"}, "threshold is 'high', not a number"),
        ({"scale": None}, "scale is None, not a number"),
        ({"decoding": True}, "decoding is True, not a mapping"),
        ({"decoding": {}}, "its settings decoding lack or have in excess: .*pairing"),
    ],
)
def test_settings(folder: Path, change: Any, reason: str) -> None:
    path = folder / NAME / "cfg"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ValueError, match=rf"^\[R021\] '{NAME}' cannot be loaded from .*{NAME}: .*{reason}"):
        spacy.load(folder)


@pytest.mark.parametrize("content", ["", "[]", "{", "5", '"text"'])
def test_no_settings(folder: Path, content: str) -> None:
    (folder / NAME / "cfg").write_text(content)
    with pytest.raises(ValueError, match=rf"^\[R021\] '{NAME}'"):
        spacy.load(folder)


@pytest.mark.parametrize("size", [0, 10, 1000, -1])
def test_weights_that_are_cut_off(folder: Path, size: int) -> None:
    path = folder / NAME / "model"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match=r"^\[R0(21|09)\] "):
        spacy.load(folder)


@pytest.mark.parametrize("sizes", [5, [], {}, {"width": "x"}, {"width": -1, "n_relations": 3}])
def test_sizes_in_the_header(nlp: Any, sizes: Any) -> None:
    refuse(nlp, sizes)


@pytest.mark.parametrize(
    ("more", "reason"),
    [({"width": 10**10}, "has the shape"), ({"hf_config": {"num_hidden_layers": 10**9}}, "num_hidden_layers is 10+,")],
)
def test_sizes_that_would_fill_the_memory(nlp: Any, more: Any, reason: str) -> None:
    refuse(nlp, {**module_of(nlp.get_pipe(NAME).model).sizes, **more}, reason)


def refuse(nlp: Any, sizes: Any, reason: str = "") -> None:
    """Load weights with other sizes in their header."""
    module = module_of(nlp.get_pipe(NAME).model)
    weights = safetensors.torch.load(module_to_bytes(module))
    data = safetensors.torch.save(weights, metadata={"sizes": json.dumps(sizes)})
    with pytest.raises(ValueError, match=rf"^\[R009\] .*{reason}"):
        module_from_bytes(module, data, next(module.parameters()).device)


@pytest.mark.parametrize("data", [b"", b"\x80", srsly.msgpack_dumps({"pipe": b"x"}), srsly.msgpack_dumps([])])
def test_bytes(nlp: Any, data: bytes) -> None:
    with pytest.raises(ValueError, match=rf"^\[R021\] '{NAME}' cannot be loaded from the bytes"):
        nlp.create_pipe("rere_extractor", NAME).from_bytes(data)
