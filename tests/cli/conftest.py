from typing import Any, Callable, Tuple

import pytest
from typer.testing import CliRunner

from spacy_relext.cli.main import relext
from tests.cli.fake_pipeline import save_pipeline
from tests.cli.nero_pipeline import save_nero_pipelines
from tests.rere.conftest import saved  # noqa: F401  (a half-trained pipeline)


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_pipeline(tmp_path_factory.mktemp("pipelines") / "plain")


@pytest.fixture(scope="session")
def detector_pipeline(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_pipeline(tmp_path_factory.mktemp("pipelines") / "detector", detector=True)


@pytest.fixture(scope="session")
def nero_pipelines(tmp_path_factory: pytest.TempPathFactory) -> Tuple[str, str]:
    """Folders of a trained nero_grounder with a component that finds entities, and without."""
    return save_nero_pipelines(tmp_path_factory.mktemp("nero"))


@pytest.fixture
def run() -> Callable[..., Any]:
    """Run `spacy relext ...` in this process."""

    def run_command(*arguments: Any, stdin: Any = None) -> Any:
        return CliRunner().invoke(relext, [str(argument) for argument in arguments], input=stdin)

    return run_command


@pytest.fixture
def fails(run: Callable[..., Any]) -> Callable[..., str]:
    """Run a command that must end with one line on stderr and exit code 1."""

    def run_and_read(*arguments: Any, stdin: Any = None) -> str:
        done = run(*arguments, stdin=stdin)
        assert done.exit_code == 1, done.output
        assert isinstance(done.exception, SystemExit)
        # `extract` says first what it reads
        lines = [line for line in done.stderr.splitlines(keepends=True) if not line.startswith("Reading ")]
        assert len(lines) == 1 and done.stdout == ""
        return str(lines[0])

    return run_and_read
