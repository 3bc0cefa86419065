"""What a file looks like: the format of a record by its keys, and of a file by its first bytes."""

import json
import re
from io import BytesIO
from pathlib import Path
from typing import Collection, List, Optional, Sequence

from ...annotations.encoding import open_utf8
from ...errors import Errors

# Bytes that are looked at, and lines.
HEAD = 1 << 16
_LINES = 20

# The format of a record that has all the keys. `.0` is the first element of a list, `.*` the first value of an object.
# The first line that fits decides.
_KEYS = [
    (name, [path.split(".") for path in paths.split()])
    for name, paths in (
        ("cas", "%FEATURE_STRUCTURES"),
        ("prodigy", "_task_hash"),
        ("prodigy", "text relations.0.head_span"),
        ("prodigy", "text spans.0.token_start"),
        ("doccano", "text entities.0.start_offset"),
        ("doccano", "text relations.0.from_id"),
        ("doccano", "text label.0.2"),
        ("label-studio", "data annotations"),
        ("label-studio", "data predictions"),
        ("label-studio", "data.text"),
        ("pubannotation", "text denotations"),
        ("bioc", "documents.0.passages"),
        ("bioc", "passages.0.offset"),
        ("docred", "vertexSet"),
        ("glirel", "tokenized_text relations.0.head"),
        ("gliner", "tokenized_text"),
        ("gliner2", "input output"),
        ("rebel", "triples.0.subject.boundaries"),
        ("rebel", "triplets"),
        ("crossre", "sentence ner"),
        ("semeval2010", "sentence relation"),
        ("uie", "tokens entity relation"),
        ("uie", "text spot asoc"),
        ("tacred", "token subj_start"),
        ("opennre", "h.pos t.pos"),
        ("fewrel", "tokens head.indices"),
        ("fewrel", "tokens h.2 t.2"),
        ("fewrel", "*.0.tokens *.0.h *.0.t"),
        ("spert", "tokens relations"),
        ("spert", "sentences ner"),
        ("cotype", "sentText"),
        ("nyt", "text triple_list"),
        ("duie", "text spo_list"),
        ("jsonl", "text triples"),
        ("jsonl", "text entities.0.start"),
    )
]

_SPACY = "a .spacy file (of spaCy's relation tutorial: use `spacy relext convert spacy-rel`)"
# What a file is by its first bytes.
_BYTES = (
    (b"PK\x03\x04", "a zip archive"),
    (b"%PDF-", "a PDF"),
    (b"\x1f\x8b", "gzip data"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
    (b"PAR1", "a Parquet table"),
    (b"\xd0\xcf\x11\xe0", "a document of an old Microsoft Office"),
    (b"x\x01", _SPACY),
    (b"x\x9c", _SPACY),
    (b"x\xda", _SPACY),
)
# What looks otherwise and is read as text or refused by its readers.
READ_AS_TEXT = ("HTML", "a PDF")
_JSON, _XML, _HTML, _TABLE, _BINARY = "JSON", "XML", "HTML", "a table with tabs between columns", "binary data"

# The format of markup by what is in its head, and of lines by what matches one of them.
_MARKUP = (
    ("cas", re.compile(r"<(?:\w+:)?XMI[\s>]|uima[./]")),
    ("bioc", re.compile(r"BioC|<collection>.*<passage>", re.DOTALL)),
    (_HTML, re.compile(r"<html|<!doctype html", re.IGNORECASE)),
)
_IS_MARKUP = re.compile(
    r"<\?xml\s|<!DOCTYPE\s|<html[\s>]|<([\w.-]+:)?\w[\w.-]*\s[^<>]*xmlns|<collection>", re.IGNORECASE
)
_IS_JSON = re.compile(r"\{\s*\"|\[\s*\{")
_LINE_OF = (
    ("webanno", re.compile(r"#FORMAT=WebAnno TSV")),
    ("pubtator", re.compile(r"\d+\|[ta]\|")),
    ("nyt10", re.compile(r".*\t.*###END###$")),
    ("semeval2010", re.compile(r"\d+\t.*<e1>.*</e1>")),
    ("markup", re.compile(r"\[[A-Z]\d+ .*\|\|")),
    ("drugprot", re.compile(r"\S+\tT\d+\t\S+\t\d+\t\d+\t|\S+\t\S+\tArg1:T\d+\tArg2:T\d+")),
    ("brat", re.compile(r"T\d+\t\S+ \d+ \d+(?:;\d+ \d+)*\t")),
    ("conll04", re.compile(r"\d+\t\S+\t(?:[BI]-\S+|O)\t\[")),
)
# The format of a folder by the suffixes of its files.
_SUFFIXES = {".a1": "bionlp", ".a2": "bionlp", ".ann": "brat", ".xmi": "cas", ".spacy": "spacy-rel"}


def recognize_record(value: object) -> str:
    """Name the format of a JSON record; "" if it has the keys of none."""
    fits = (name for name, paths in _KEYS if all(_has(value, path) for path in paths))
    return next(fits, "")


def recognize_bytes(head: bytes) -> str:
    """Name the format of a file, or what else it is, such as "a PDF", by its first bytes; "" for prose."""
    for start, what in _BYTES:
        if head.startswith(start):
            return what
    text = open_utf8(BytesIO(head)).read().decode("utf8", "replace").lstrip()
    if "\0" in text:
        return _BINARY
    if _IS_MARKUP.match(text):
        return next((name for name, pattern in _MARKUP if pattern.search(text)), _XML)
    if _IS_JSON.match(text):
        return recognize_record(_first_record(text)) or _JSON
    lines = [line.rstrip("\r") for line in text.split("\n")[:_LINES] if line.strip()]
    for name, pattern in _LINE_OF:
        if any(map(pattern.match, lines)):
            return name
    columns = {line.count("\t") for line in lines}
    return _TABLE if len(lines) > 1 and len(columns) == 1 and columns.pop() > 1 else ""


def recognize_file(path: Path) -> str:
    """Name the format of a file, or of a folder by its files, or what else it is; "" if it looks like prose."""
    if not path.is_dir():
        with path.open("rb") as file:
            return recognize_bytes(file.read(HEAD))
    files = sorted(each for each in path.rglob("*") if each.is_file() and each.suffix.lower() != ".txt")
    by_suffix = (_SUFFIXES[each.suffix.lower()] for each in files if each.suffix.lower() in _SUFFIXES)
    found = list(filter(None, [next(by_suffix, ""), *map(recognize_file, files[:_LINES])]))
    # a table or JSON may be anything: a format of another file tells more
    return min(found, key=lambda name: not name.islower() or " " in name, default="")


def describe_likeness(path: Path, *, but: str, known: Collection[str], value: object = None) -> str:
    """Write a sentence on the format that a record or a file has; "" if it is the expected one, or none is known.

    but (str): The expected format.
    known (Collection[str]): Formats that can be read.
    value (object): The record.
    """
    found = recognize_record(value) or (recognize_file(path) if path.exists() else "")
    if found in ("", but) or (found == _JSON and value is not None):
        return ""
    return (Errors.R127 if found in known else Errors.R126).format(format=found)


def _first_record(text: str) -> object:
    """Parse the first object of JSON lines or of an array; None if the text ends before it does."""
    try:
        value, _ = json.JSONDecoder().raw_decode(text.lstrip("[ \t\r\n") if text.startswith("[") else text)
    except (ValueError, RecursionError):
        return None
    return value


def _has(value: object, path: Sequence[str]) -> bool:
    """Return True if a value has something at a path of keys."""
    for part in path:
        elements: Optional[List[object]] = value if isinstance(value, list) else None
        if part == "*" and isinstance(value, dict):
            elements, part = list(value.values()), "0"
        if elements is not None:
            if not part.isdecimal() or len(elements) <= int(part):
                return False
            value = elements[int(part)]
        elif isinstance(value, dict) and value.get(part) is not None:
            value = value[part]
        else:
            return False
    return True
