"""What is published besides the code: metadata, citation, the entry for the spaCy universe, what the archives hold."""

import configparser
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from typing import Any, Dict, List

import pytest
import srsly

import spacy_relext

ROOT = pathlib.Path(__file__).resolve().parent.parent
if not (ROOT / "setup.cfg").exists():
    pytest.skip("needs a checkout of the project", allow_module_level=True)

# Extras that no module of the package reads, but people who build with it.
OF_PROJECTS = {"project", "docs", "dev"}
IMPORTED_AS = {"markdown-it-py": "markdown_it", "dkpro-cassis": "cassis", "scikit-learn": "sklearn"}
# Fields of an entry in the published table of the universe; none is required there.
FIELDS: Dict[str, type] = {
    **dict.fromkeys(["id", "title", "slogan", "description", "github", "pip", "cran", "code_language"], str),
    **dict.fromkeys(["url", "thumb", "image", "author"], str),
    **dict.fromkeys(["code_example", "category", "tags"], list),
    "author_links": dict,
}
CATEGORIES = {"pipeline", "training", "conversational", "research", "scientific", "visualizers", "apis", "nonpython"}
CATEGORIES |= {"standalone", "models"}
LEFT_OUT = (".", "benchmarks/", "tests/benchmarks/")


@pytest.fixture(scope="module")
def setup_cfg() -> configparser.ConfigParser:
    config = configparser.ConfigParser(delimiters=("=",))
    config.read(ROOT / "setup.cfg", encoding="utf8")
    return config


def names(requirements: str) -> List[str]:
    return re.findall(r"^[\w-]+", requirements.strip(), re.M)


def test_each_extra_is_read(setup_cfg: configparser.ConfigParser) -> None:
    code = "\n".join(path.read_text(encoding="utf8") for path in (ROOT / "spacy_relext").rglob("*.py"))
    for extra, requirements in setup_cfg["options.extras_require"].items():
        for name in names(requirements) if extra not in OF_PROJECTS else ():
            module = IMPORTED_AS.get(name, name.replace("-", "_"))
            is_of_a_config = module == "spacy_transformers"  # benchmarks/configs/rere_listener.cfg names its component
            assert is_of_a_config or re.search(rf"\b{module}\b", code), f"[{extra}] {name}"


def test_nothing_but_the_extra_caps_transformers(setup_cfg: configparser.ConfigParser) -> None:
    required = setup_cfg["options"]["install_requires"]
    (transformers,) = re.findall(r"^transformers(.*)$", required, re.M)
    assert "<" not in transformers and "<" not in setup_cfg["options"]["python_requires"]
    assert all(">=" in line for line in required.split())  # scripts/check_versions.sh installs these


def test_the_citation_is_of_this_version(setup_cfg: configparser.ConfigParser) -> None:
    citation: Any = srsly.read_yaml(ROOT / "CITATION.cff")
    assert {"cff-version", "message", "title", "authors", "version"} <= citation.keys()
    assert citation["version"] == spacy_relext.__version__ and citation["license"] == setup_cfg["metadata"]["license"]
    pages = " ".join(" ".join(page.read_text("utf8").split()) for page in (ROOT / "docs" / "methods").glob("*.md"))
    for reference in citation["references"]:
        assert {"type", "title", "authors"} <= reference.keys()
        assert reference["title"] in pages


def test_the_entry_for_the_universe_has_its_form(setup_cfg: configparser.ConfigParser) -> None:
    entry = json.loads((ROOT / "docs" / "universe.json").read_text(encoding="utf8"))
    assert {key: type(value) for key, value in entry.items()} == {key: FIELDS[key] for key in entry}
    assert entry["id"] == entry["pip"] == setup_cfg["metadata"]["name"]
    assert entry["category"] and set(entry["category"]) <= CATEGORIES
    assert all(isinstance(each, str) for each in [*entry["code_example"], *entry["tags"]])
    compile("\n".join(entry["code_example"]), "universe.json", "exec")


def test_the_code_of_the_entry_names_what_there_is() -> None:
    import spacy

    entry = json.loads((ROOT / "docs" / "universe.json").read_text(encoding="utf8"))
    nlp = spacy.blank("en")
    for factory in re.findall(r"add_pipe\('(\w+)'", "\n".join(entry["code_example"])):
        nlp.add_pipe(factory)
    assert len(nlp.pipe_names) == 3


@pytest.mark.slow
def test_the_archives_hold_what_they_should(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("build")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("needs git")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (sdist,), (wheel,) = tmp_path.glob("*.tar.gz"), tmp_path.glob("*.whl")
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    tracked = {name for name in listed.stdout.split() if (ROOT / name).exists() and not name.startswith(LEFT_OUT)}
    assert tracked - held == set()
    assert not [name for name in held if name.startswith(("assets/encoder", "corpus/", "training/", "build/"))]
    package = {name for name in tracked if name.startswith("spacy_relext/")}
    assert package - set(zipfile.ZipFile(wheel).namelist()) == set()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_image_extracts(tmp_path: pathlib.Path) -> None:
    if not shutil.which("docker") or subprocess.run(["docker", "info"], capture_output=True).returncode:
        pytest.skip("needs Docker")
    subprocess.run(["docker", "build", "-q", "-t", "relext-test", str(ROOT)], check=True)
    (tmp_path / "texts.txt").write_text("Ada Holm was born in Bergen.\n", encoding="utf8")
    mount = ["-v", f"{tmp_path}:/data", "relext-test"]
    subprocess.run(["docker", "run", "--rm", *mount, "extract", "default", "texts.txt", "triples.jsonl"], check=True)
    assert "place_of_birth" in (tmp_path / "triples.jsonl").read_text(encoding="utf8")
