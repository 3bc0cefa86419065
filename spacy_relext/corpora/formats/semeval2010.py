"""SemEval-2010 Task 8: a numbered, quoted sentence with `<e1>` and `<e2>`, its label on the next line, a comment.

A sentence without a label line (the test file as it was published) is not annotated. The Hub's form is read too: JSON
with `sentence` and `relation`, the number of a class.
"""

import re
from dataclasses import replace
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Tuple, Union

from ...annotations.encoding import open_utf8
from ...annotations.entities import NOMINAL
from ...annotations.triple import Record, trim_span
from .checks import check_object, make_entity, read_label, require_text
from .sources import Item, read_json, read_lines

_OTHER = "Other"
_SENTENCE = re.compile(r"^(\d+)\s+(.*)$")
_LABEL = re.compile(r"^(\S+)\((e1,e2|e2,e1)\)$")
_RELATIONS = (
    "Cause-Effect Component-Whole Content-Container Entity-Destination Entity-Origin Instrument-Agency "
    "Member-Collection Message-Topic Product-Producer"
)
# In the Hub's order.
_CLASSES = [f"{relation}({order})" for relation in _RELATIONS.split() for order in ("e1,e2", "e2,e1")] + [_OTHER]
_TAG = re.compile(r"<(/?)(e[12])>")


def read_semeval2010(path: Path) -> Iterator[Item]:
    """Read the blocks of a file as (sentence line, label line or None), each at the line of its sentence; or JSON."""
    with path.open("rb") as file:
        is_json = open_utf8(file).read(1024).lstrip()[:1] in (b"{", b"[")
    if is_json:
        yield from read_json(path)
        return
    block: Optional[Item] = None
    for item in read_lines(path):
        line = "" if item.error else item.value.strip()
        if item.error or _SENTENCE.match(line):
            if block is not None:
                yield block
            block = None if item.error else replace(item, value=(line, None))
            if item.error:
                yield item
        elif line and not line.startswith("Comment"):
            if block is None or block.value[1] is not None:
                what = f"neither a numbered sentence, its label nor a comment: {line[:60]!r}"
                yield replace(item, value=None, error=what)
            else:
                block = replace(block, value=(block.value[0], line))
    if block is not None:
        yield block


def parse_semeval2010(value: Union[Tuple[str, Optional[str]], Record]) -> Record:
    """Parse a block or a JSON record; `pairs` has e1 as subject, e2 as object and the label as the file has it."""
    if isinstance(value, tuple):
        line, label = value
    else:
        line, label = _parse_json(check_object(value))
    match = _SENTENCE.match(line)
    if match is None:
        raise ValueError(f"no number before the sentence: {line[:60]!r}")
    sentence = match.group(2).strip()
    if len(sentence) > 1 and sentence[0] == sentence[-1] == '"':
        sentence = sentence[1:-1].strip()
    text, nominals = _strip_marks(sentence)
    first, second = nominals["e1"], nominals["e2"]
    record: Record = {
        **({"id": int(match.group(1))} if isinstance(value, tuple) else {}),
        "text": text,
        "entities": [make_entity(start, end, NOMINAL) for start, end in sorted((first, second))],
        "pairs": [{"subject": first, "object": second, "label": label}],
    }
    if label == _OTHER:
        record["triples"] = []
    elif label is not None:
        match = _LABEL.match(label)
        if match is None:
            raise ValueError(f"label {label!r} is neither {_OTHER!r} nor 'Relation(e1,e2)' nor 'Relation(e2,e1)'")
        subject, obj = (first, second) if match.group(2) == "e1,e2" else (second, first)
        record["triples"] = [{"subject": subject, "relation": match.group(1), "object": obj}]
    return record


def _parse_json(record: Record) -> Tuple[str, Optional[str]]:
    """Make a block of a JSON record."""
    label = record.get("relation")
    label = None if label is None else read_label(label, _CLASSES, name="'relation'")
    return f"0 {' '.join(require_text(record, 'sentence').split())}", label


def _strip_marks(sentence: str) -> Tuple[str, Dict[str, List[int]]]:
    """Remove the tags; return the text and the place of each nominal, without the white space around it."""
    text, position = "", 0
    nominals: Dict[str, List[int]] = {}
    for tag in _TAG.finditer(sentence):
        text += sentence[position : tag.start()]
        position = tag.end()
        closing, name = tag.groups()
        if (len(nominals.get(name, ())) == 1) != bool(closing):
            raise ValueError(f"{tag.group()!r} at character {tag.start()} has no partner")
        nominals.setdefault(name, []).append(len(text))
    text += sentence[position:]
    for name in ("e1", "e2"):
        if len(nominals.get(name, ())) != 2:
            raise ValueError(f"no <{name}>...</{name}> in the sentence")
        start, end = nominals[name]
        start, end = nominals[name] = list(trim_span(text, start, end))
        if start == end:
            raise ValueError(f"<{name}> is empty")
    if nominals["e1"] == nominals["e2"]:
        raise ValueError("<e1> and <e2> mark the same span")
    return text, nominals
