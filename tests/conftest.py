"""What all tests share: where the checkout and the data sets are, and steady hypothesis settings."""

import os
import pathlib

import hypothesis
import pytest

# Times on shared machines say nothing; the same examples everywhere make a failure repeatable.
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True, max_examples=50)
hypothesis.settings.load_profile("steady")

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


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
