"""A component whose files or bytes are damaged is refused with one line."""

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
    return tmp_path / "pipeline"


def test_a_folder_without_its_list(folder: Path) -> None:
    (folder / NAME / FILES).unlink()
    with pytest.raises(ValueError, match=rf"^\[R019\] {NAME}: .*{FILES} is missing"):
        spacy.load(folder)


@pytest.mark.parametrize("sizes", [5, [], {}, {"width": "x"}, {"width": -1, "n_relations": 3}])
def test_sizes_in_the_header(nlp: Any, sizes: Any) -> None:
    module = module_of(nlp.get_pipe(NAME).model)
    weights = safetensors.torch.load(module_to_bytes(module))
    data = safetensors.torch.save(weights, metadata={"sizes": json.dumps(sizes)})
    with pytest.raises(ValueError, match=r"^\[R009\] "):
        module_from_bytes(module, data, next(module.parameters()).device)


@pytest.mark.parametrize("data", [b"", b"\x80", srsly.msgpack_dumps({"pipe": b"x"}), srsly.msgpack_dumps([])])
def test_bytes(nlp: Any, data: bytes) -> None:
    with pytest.raises(ValueError, match=rf"^\[R021\] '{NAME}' cannot be loaded from the bytes"):
        nlp.create_pipe("rere_extractor", NAME).from_bytes(data)
