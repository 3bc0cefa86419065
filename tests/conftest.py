"""What all tests share: where the checkout and the data sets are, and steady hypothesis settings."""

import ipaddress
import os
import pathlib
import socket
from typing import Any, Iterator, List

import hypothesis
import pytest

# Times on shared machines say nothing; the same examples everywhere make a failure repeatable.
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True, max_examples=50)
hypothesis.settings.load_profile("steady")

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
if "PYTEST_XDIST_WORKER" in os.environ:  # one worker a core: threads of their own would only stand in each other's way
    os.environ["OMP_NUM_THREADS"] = "1"  # whatever the caller says: two a worker on two cores take six times as long


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Refuse connections to other machines: nothing may need a network at import, load, train or predict."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(address[0]):
            raise AssertionError(f"a test connects to {address}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_here)
        yield


def _is_here(host: str) -> bool:
    """Return True for addresses of this machine."""
    return host == "localhost" or ipaddress.ip_address(host).is_loopback


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: List[pytest.Item]) -> None:
    """Keep together, on one worker, what shares a trained pipeline: the tests of a case, else those of a file."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        values = getattr(getattr(item, "callspec", None), "params", {}).values()
        cases = [value.id for value in values if hasattr(value, "factory")]
        item.add_marker(pytest.mark.xdist_group(cases[0] if cases else item.path.name))


@pytest.fixture(scope="session")
def project_root() -> pathlib.Path:
    """The checkout; tests that need it are skipped when only the installed package is there."""
    root = pathlib.Path(__file__).resolve().parent.parent
    if not (root / "setup.cfg").exists() or not (root / "spacy_relext").exists():
        pytest.skip("needs a checkout of the project")
    return root


@pytest.fixture(scope="session")
def package_root() -> pathlib.Path:
    """The folder of the package, wherever it is installed."""
    import spacy_relext

    return pathlib.Path(spacy_relext.__file__).resolve().parent


@pytest.fixture(scope="session")
def shared_data() -> pathlib.Path:
    """The folder with the real data sets: SPACY_RELEXT_DATA, or ../shared/data beside the checkout."""
    default = pathlib.Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    data = pathlib.Path(os.environ.get("SPACY_RELEXT_DATA", default))
    if not data.is_dir():
        pytest.skip(f"no data sets at {data} (set SPACY_RELEXT_DATA)")
    return data


@pytest.fixture(scope="session")
def encoder_path() -> pathlib.Path:
    """The folder of the default encoder: SPACY_RELEXT_ENCODER, or that of the checkout."""
    default = pathlib.Path(__file__).resolve().parent.parent / "assets" / "encoder" / "all-MiniLM-L6-v2"
    encoder = pathlib.Path(os.environ.get("SPACY_RELEXT_ENCODER", default))
    if not (encoder / "model.safetensors").exists():
        pytest.skip(f"no encoder at {encoder} (python scripts/get_encoder.py)")
    return encoder


@pytest.fixture(scope="session")
def bert(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a tiny random BERT."""
    from .contract.tiny_bert import save_tiny_bert

    path = tmp_path_factory.mktemp("encoder") / "tiny-bert"
    save_tiny_bert(path)
    return str(path)
