"""The scripts are no package: they are imported the way Python runs them, with their folder on the path."""

import pathlib
import sys
from typing import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def scripts_on_path(project_root: pathlib.Path) -> Iterator[None]:
    sys.path.insert(0, str(project_root / "scripts"))
    yield
    sys.path.remove(str(project_root / "scripts"))
