"""The manifest of a folder of shards: what it was made from and how. A later run resumes only if both are the same."""

import hashlib
import json
from pathlib import Path
from typing import Iterable, List, Optional, Sequence

from spacy.language import Language

from ..annotations.triple import Record
from ..corpora.damage import hash_file
from ..corpora.formats.sources import to_json
from ..corpora.texts import Source
from ..corpora.whole import write_whole
from ..errors import Errors

MANIFEST, ERRORS = "manifest.json", "errors.jsonl"

# Subfolder of locks and of the counts of finished shards.
WORK = "_work"

VERSION = 1


def hash_pipeline(nlp: Language) -> str:
    """Hash the files of a pipeline, by their names and contents."""
    total = hashlib.sha256()
    if nlp.path:
        root = Path(nlp.path)
        for path in sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                content = hash_file(path)
                total.update(f"{path.relative_to(root).as_posix()}\0{content}\n".encode())
    return total.hexdigest()


def plan(nlp: Language, sources: Sequence[Source], settings: Record) -> Record:
    """Describe a run, for its manifest.

    settings (Record): All that its output depends on, besides pipeline and input.
    """
    return {
        "version": VERSION,
        "pipeline": {"name": nlp.meta.get("name", ""), "lang": nlp.lang, "sha256": hash_pipeline(nlp)},
        "settings": settings,
        "inputs": [source.fingerprint() for source in sources],
        "complete": False,
    }


def read_manifest(folder: Path) -> Optional[Record]:
    """Read the manifest of a folder; None if it has none.

    RAISES (ValueError): If it is damaged.
    """
    path = folder / MANIFEST
    try:
        value = json.loads(path.read_text(encoding="utf8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ValueError(Errors.R801.format(path=path, found=f"no JSON ({error})", expected="a manifest")) from None
    if not isinstance(value, dict) or not isinstance(value.get("inputs"), list):
        raise ValueError(Errors.R801.format(path=path, found="another JSON", expected="a manifest"))
    return value


def find_difference(old: Record, new: Record) -> str:
    """Describe the first difference between two plans; "" if the new run can resume from the old shards."""
    if old.get("version") != new["version"]:
        return f"version {old.get('version')} of the manifest"
    if old.get("pipeline", {}).get("sha256") != new["pipeline"]["sha256"]:
        return "another pipeline, or one that was changed since"
    for key, value in new["settings"].items():
        before = old.get("settings", {}).get(key)
        if before != value:
            return f"{key} = {before!r}, now {value!r}"
    before, now = ([(each["name"], each["kind"]) for each in plan["inputs"]] for plan in (old, new))
    if before != now:
        return f"{len(before)} input files, now {len(now)}" if len(before) != len(now) else "other input files"
    changed = [now["name"] for before, now in zip(old["inputs"], new["inputs"]) if before != now]
    return f"an input that has changed since: {changed[0]}" if changed else ""


def write_manifest(folder: Path, manifest: Record) -> None:
    """Write the manifest, whole or not at all."""
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    write_whole(folder / MANIFEST, text.encode("utf8", "replace"))


def write_errors(folder: Path, rows: Iterable[Record]) -> int:
    """Write a row for each text without a result, or remove the file if there are none; return the number of rows."""
    lines: List[str] = [to_json(row) for row in rows]
    path = folder / ERRORS
    if lines:
        write_whole(path, "\n".join(lines) + "\n")
    else:
        path.unlink(missing_ok=True)
    return len(lines)
