"""CoNLL04's BIO form, also called multi-head: `#doc ID`, then a line with five columns for each token.

The columns are the token's number, the token, its BIO tag, a list of relations and a list of tokens that they lead to:
`2<tab>Holm<tab>I-Peop<tab>['Live_In']<tab>[5]`. The entity of the line is the subject, and `N` is no relation.
"""

from pathlib import Path
from typing import Dict, Iterator, List, Tuple

from ...annotations.triple import Record
from ...errors import Errors
from .checks import describe
from .sources import Item, parse_json, read_lines
from .token_spans import parse_spert

_DOC = "#doc"
_NO_RELATION = "N"
_EXPECTED = "5<tab>Bergen<tab>B-Loc<tab>['N']<tab>[5]"


def read_conll04(path: Path) -> Iterator[Item]:
    """Read the sentences of a file; `#doc` or a blank line begins each. The value is the id and the numbered lines."""
    rows: List[Tuple[int, str]] = []
    key, line, error = "", 0, ""
    for item in read_lines(path):
        content = (item.value or "").strip()
        is_start = content.startswith(_DOC)
        if rows and (is_start or not (content or item.error)):
            yield Item(str(path), line, (key, rows), error)
            key, rows, error = "", [], ""
        if is_start:
            key, line = content.removeprefix(_DOC).strip(), item.line
        elif content or item.error:
            line = line if rows or key else item.line
            rows.append((item.line, item.value or ""))
            error = error or item.error
    if rows:
        yield Item(str(path), line, (key, rows), error)


def parse_conll04(value: Tuple[str, List[Tuple[int, str]]]) -> Record:
    """Parse a sentence in the form of SpERT: entities are numbered, and relations join their numbers."""
    key, lines = value
    rows = [(number, [column.strip() for column in line.split("\t")]) for number, line in lines]
    entities: Dict[str, int] = {}
    number = -1
    for line, columns in rows:
        if len(columns) != 5:
            raise ValueError(
                Errors.R750.format(name=f"line {line}", found=describe("\t".join(columns)), expected=_EXPECTED)
            )
        number += columns[2].startswith("B-")
        if columns[2] != "O":
            entities[columns[0]] = number
    relations = []
    for line, (token, _, _, *lists) in rows:
        labels, heads = (_read_list(each, f"line {line}") for each in lists)
        if len(labels) != len(heads):
            found = f"{len(labels)} relations and {len(heads)} tokens"
            raise ValueError(Errors.R750.format(name=f"line {line}", found=found, expected="as many of both"))
        for label, head in zip(labels, heads):
            if label != _NO_RELATION:
                ends = [_find_entity(entities, each, f"line {line}") for each in (token, str(head))]
                relations.append({"type": label, "head": ends[0], "tail": ends[1]})
    tokens, tags = ([columns[column] for _, columns in rows] for column in (1, 2))
    parsed = parse_spert({"tokens": tokens, "tags": tags, "relations": relations})
    return {**parsed, "id": key} if key else parsed


def _find_entity(entities: Dict[str, int], token: str, name: str) -> int:
    """Return the number of the entity that has a token."""
    if token not in entities:
        raise ValueError(
            Errors.R750.format(name=name, found=f"a relation of token {token}", expected="tokens of entities")
        )
    return entities[token]


def _read_list(text: str, name: str) -> List[object]:
    """Read a list as Python prints it."""
    try:
        values = parse_json(text.replace("'", '"'))
    except ValueError:
        values = None
    if not isinstance(values, list):
        raise ValueError(Errors.R750.format(name=name, found=describe(text), expected="a list such as ['N'] or [5]"))
    return values
