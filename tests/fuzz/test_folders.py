"""Damaged folders of pipelines and knowledge bases, without the list of files that would notice any change."""

import copy
import json
import random
import shutil
from pathlib import Path
from typing import Any, Dict

import pytest
import spacy
import srsly
from spacy.language import Language
from spacy.tokens import Doc

from spacy_relext.corpora.loading import load_pipeline
from spacy_relext.kb.model import NAMES, KbModel
from tests.contract.cases import CASES, MethodCase
from tests.contract.sentences import make_english_examples
from tests.fuzz.mutators import mutate, mutate_value
from tests.fuzz.runner import fuzz
from tests.hrere.pipes import make_kb

KINDS = ("detector", "extractor", "shared student", "recurrent grounder", "shared clusterer", "recurrent bags")
TEXT = "Ada Lovelace was born in London. Mary wrote Mathilda."
KNOWN = {"names.tsv": "id\tlabel\ttype\na\tAda\tPERSON\nb\tLondon\tPLACE\n", "facts.tsv": "a\tborn_in\tb\n"}
SCHEMA = "relations:\n  born_in:\n    subject: [PERSON]\n    functional: true\n"


def damage(path: Path, rng: random.Random) -> None:
    """Change a file in its bytes, or in the values that JSON or msgpack holds."""
    content = path.read_bytes()
    if path.name == "model" and rng.random() < 0.7:
        path.write_bytes(damage_model(content, rng))
    elif path.suffix == ".msgpack" and rng.random() < 0.7:
        path.write_bytes(pack(mutate_value(srsly.msgpack_loads(content), rng)) or mutate(content, rng))
    elif rng.random() < 0.05:
        path.unlink()
    else:
        path.write_bytes(mutate(content, rng))


def damage_model(content: bytes, rng: random.Random) -> bytes:
    """Change the header of the torch weights, which has the sizes of layers, or bytes of all weights."""
    value = srsly.msgpack_loads(content)
    shims = [shim for node in value["shims"] for shim in node]
    if not shims or rng.random() < 0.3:
        return mutate(content, rng)
    shim = srsly.msgpack_loads(shims[0])
    weights = shim["state"] if isinstance(shim, dict) else shim
    end = 8 + int.from_bytes(weights[:8], "little")
    header = json.loads(weights[8:end])
    if rng.random() < 0.7:
        sizes = mutate_value(json.loads(header["__metadata__"]["sizes"]), rng)
        header["__metadata__"]["sizes"] = json.dumps(sizes)
    else:
        header = mutate_value(header, rng)
    text = json.dumps(header).encode()
    changed = len(text).to_bytes(8, "little") + text + weights[end:]
    inner = srsly.msgpack_dumps({**shim, "state": changed}) if isinstance(shim, dict) else srsly.msgpack_dumps(changed)
    value["shims"] = [[inner if each is shims[0] else each for each in node] for node in value["shims"]]
    return bytes(srsly.msgpack_dumps(value))


def pack(value: Any) -> bytes:
    """Pack with msgpack; nothing if it cannot."""
    try:
        return bytes(srsly.msgpack_dumps(value))
    except (ValueError, OverflowError, TypeError):
        return b""


def check_component(name: str, nlp: Language, doc: Doc, folder: Path) -> None:
    """Load a component from damaged copies of its folder, and run it."""
    pipe: Any = nlp.get_pipe(name)
    pipe.to_disk(folder / "whole")
    cfg = copy.deepcopy(getattr(pipe, "cfg", {}))
    files = [path for path in sorted((folder / "whole").rglob("*")) if path.is_file()]

    def run(rng: random.Random) -> None:
        shutil.rmtree(folder / "copy", ignore_errors=True)
        shutil.copytree(folder / "whole", folder / "copy")
        damage(folder / "copy" / rng.choice(files).relative_to(folder / "whole"), rng)
        if cfg:
            pipe.cfg = copy.deepcopy(cfg)
        pipe.from_disk(folder / "copy", exclude=["vocab"])
        pipe(doc.copy())

    pipe.from_disk(folder / "whole", exclude=["vocab"])
    pipe(doc.copy())
    fuzz(f"folder of {name}", run)


@pytest.mark.parametrize("kind", KINDS)
def test_components(kind: str, tmp_path: Path) -> None:
    case: MethodCase = next(case for case in CASES if case.id == kind)
    spacy.util.fix_random_seed(0)
    nlp = case.build(tmp_path, name=kind)
    examples = case.make_examples(nlp)
    nlp.initialize(lambda: examples)
    with nlp.select_pipes(disable=[kind]):
        doc = nlp(TEXT)
    check_component(kind, nlp, doc, tmp_path)


@pytest.mark.parametrize("name", ["kb_linker", "relext_constraints"])
def test_components_without_weights(name: str, tmp_path: Path) -> None:
    for file, text in {**KNOWN, "schema.yaml": SCHEMA}.items():
        (tmp_path / file).write_text(text, encoding="utf8")
    nlp = spacy.blank("en")
    nlp.add_pipe(name, config={"ents": "names"} if name == "kb_linker" else {})
    names: Dict[str, object] = {"names": str(tmp_path / "names.tsv"), "facts": str(tmp_path / "facts.tsv")}
    settings = names if name == "kb_linker" else {"schema_path": str(tmp_path / "schema.yaml")}
    nlp.config["initialize"]["components"][name] = settings
    nlp.initialize()
    check_component(name, nlp, make_english_examples(nlp)[0].reference, tmp_path)


def test_pipelines(tmp_path: Path) -> None:
    nlp = spacy.blank("xx")  # a small tokenizer, which loads fast
    nlp.add_pipe("relext_sentencizer")
    nlp.add_pipe("rere_extractor")
    nlp.to_disk(tmp_path / "whole")
    files = [path for path in sorted((tmp_path / "whole").rglob("*")) if path.is_file()]
    files += 3 * [tmp_path / "whole" / "config.cfg", tmp_path / "whole" / "meta.json"]

    def run(rng: random.Random) -> None:
        shutil.rmtree(tmp_path / "copy", ignore_errors=True)
        shutil.copytree(tmp_path / "whole", tmp_path / "copy")
        damage(tmp_path / "copy" / rng.choice(files).relative_to(tmp_path / "whole"), rng)
        load_pipeline(tmp_path / "copy")

    fuzz("folder of a pipeline", run)


def test_knowledge_bases(tmp_path: Path) -> None:
    make_kb(tmp_path / "whole", passes=1)

    def run(rng: random.Random) -> None:
        shutil.rmtree(tmp_path / "copy", ignore_errors=True)
        shutil.copytree(tmp_path / "whole", tmp_path / "copy")
        damage(rng.choice(sorted((tmp_path / "copy").iterdir()) + 3 * [tmp_path / "copy" / NAMES]), rng)
        KbModel.from_disk(tmp_path / "copy")

    fuzz("folder of embeddings", run)
