"""The encoder that the tests of peers train."""

import pathlib

import pytest

from tests.contract.tiny_bert import save_tiny_bert


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path: pathlib.Path = tmp_path_factory.mktemp("encoder")
    save_tiny_bert(path)
    return path
