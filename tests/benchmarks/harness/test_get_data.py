"""Published data sets: the list, copies, downloads, and files that are not what was used."""

import hashlib
import json
import pathlib
import subprocess
import sys
from typing import Any, Dict, List

import pytest

from benchmarks import get_data
from benchmarks.get_data import File, PublishedSet

CONTENT = b'{"text": "Ada was here."}\n'
FILE = File("split/a.json", "https://example.org/a.json", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
OPEN = PublishedSet("toy", "Toy", "one sentence", "CC BY 4.0", True, "", (FILE,))
CLOSED = OPEN._replace(may_be_fetched=False, licence="none stated")


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> List[str]:
    """What is downloaded, instead of a network."""
    fetched: List[str] = []

    def fetch(url: str) -> bytes:
        fetched.append(url)
        if "gone" in url:
            raise OSError("HTTP Error 404: Not Found")
        return CONTENT

    monkeypatch.setattr(get_data, "fetch", fetch)
    return fetched


def write_list(path: pathlib.Path, *sets: PublishedSet) -> pathlib.Path:
    entries = [{**each._asdict(), "files": [file._asdict() for file in each.files]} for each in sets]
    path.write_text(json.dumps(entries), encoding="utf8")
    return path


def test_the_list_is_complete_and_its_names_are_safe(project_root: pathlib.Path) -> None:
    known = get_data.read_list()
    assert len(known) == 24 and sum(len(each.files) for each in known.values()) > 100
    for each in known.values():
        assert each.title and each.holds and each.licence and each.files
        for file in each.files:
            assert len(file.sha256) == 64 and file.bytes > 0 and ".." not in pathlib.PurePosixPath(file.path).parts
            assert not file.path.startswith("/") and (file.url is None or file.url.startswith("https://"))
    page = (project_root / "docs" / "research" / "data.md").read_text(encoding="utf8")
    assert all(f"`{name}`" in page for name in known)


@pytest.mark.parametrize("folder", ["toy", ""])
def test_a_copy_is_taken_once(tmp_path: pathlib.Path, downloads: List[str], folder: str) -> None:
    copy = tmp_path / "copy" / folder / "split" / "a.json"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(CONTENT)
    target = tmp_path / "data"
    for each in (OPEN, CLOSED):
        assert get_data.get_file(each, FILE, target, source=tmp_path / "copy") == ""
    assert (target / "toy" / "split" / "a.json").read_bytes() == CONTENT
    copy.unlink()
    assert get_data.get_file(OPEN, FILE, target, source=tmp_path / "copy") == ""  # it is there
    assert downloads == []


def test_what_has_an_open_licence_is_downloaded(tmp_path: pathlib.Path, downloads: List[str]) -> None:
    assert get_data.get_file(OPEN, FILE, tmp_path, source=None) == ""
    assert (tmp_path / "toy" / "split" / "a.json").read_bytes() == CONTENT
    assert downloads == [FILE.url]


def test_what_has_none_is_not(tmp_path: pathlib.Path, downloads: List[str]) -> None:
    problem = get_data.get_file(CLOSED, FILE, tmp_path, source=None)
    assert problem == f"not fetched (none stated); published at {FILE.url}; --source takes your copy"
    drawn = get_data.get_file(OPEN._replace(note="drawn from W"), FILE._replace(url=None), tmp_path, source=None)
    assert drawn == "not fetched: drawn from W; --source takes your copy"
    assert downloads == [] and not list(tmp_path.iterdir())


def test_wrong_files_are_not_kept(tmp_path: pathlib.Path, downloads: List[str]) -> None:
    other = FILE._replace(sha256="0" * 64)
    there = tmp_path / "toy" / "split" / "a.json"
    there.parent.mkdir(parents=True)
    there.write_bytes(b"of before")
    found = f"{len(CONTENT)} bytes, sha256 {FILE.sha256[:12]}…; expected 000000000000…"
    assert get_data.get_file(OPEN, other, tmp_path, source=None) == f"{found} at {FILE.url}"
    gone = FILE._replace(url="https://example.org/gone")
    assert get_data.get_file(OPEN, gone, tmp_path, source=None) == f"{gone.url}: HTTP Error 404: Not Found"
    assert get_data.get_file(OPEN, FILE, tmp_path, source=tmp_path / "empty") == f"not found in {tmp_path / 'empty'}"
    assert there.read_bytes() == b"of before"


def test_the_command(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, downloads: List[str]
) -> None:
    entries = write_list(tmp_path / "list.json", OPEN, CLOSED._replace(name="shut"))
    known = get_data.read_list(entries)
    assert known["toy"] == OPEN
    monkeypatch.setattr(get_data, "read_list", lambda: known)
    options: Dict[str, Any] = {"target": tmp_path / "data", "source": None, "check": False}

    def run(*names: str, **changes: Any) -> int:
        with pytest.raises(SystemExit) as end:
            get_data.main(list(names), **{**options, **changes})
        return int(end.value.code) if isinstance(end.value.code, int) else 2

    assert run("toy", "toy", check=True) == 1
    assert capsys.readouterr().out == "toy: 0 of 1 files are there and correct\n  split/a.json: not found\n"
    assert run("toy") == 0 and run("toy", check=True) == 0 and len(downloads) == 1
    capsys.readouterr()
    assert run("all") == 1
    first, second, problem = capsys.readouterr().out.splitlines()
    assert first == "toy: 1 of 1 files are there and correct" and second == "shut: 0 of 1 files are there and correct"
    assert problem.startswith("  split/a.json: not fetched (none stated)")
    assert run("nothing") == 2 and run("toy", source=tmp_path / "absent") == 2


def test_it_runs_as_a_file(project_root: pathlib.Path, tmp_path: pathlib.Path) -> None:
    command = [sys.executable, "benchmarks/get_data.py", "nero_rules", "--check", "--target", str(tmp_path)]
    done = subprocess.run(command, cwd=project_root, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stdout.startswith("nero_rules: 0 of 2 files are there and correct\n")


@pytest.mark.real_data
def test_the_files_beside_the_checkout_are_those(shared_data: pathlib.Path) -> None:
    for each in get_data.read_list().values():
        for file in each.files:
            path = shared_data / each.name / file.path
            if path.exists():
                assert get_data.find_problem(file, path.read_bytes()) == "", path
