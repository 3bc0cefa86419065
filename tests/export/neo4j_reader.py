"""A strict reader of the files that `neo4j-admin database import` takes, by the rules of its manual.

No Neo4j can be installed from a package index. The rules (Operations Manual 5, "Import" and "CSV header format"):

- The arguments are lines `--name=value`; files have a header row, and every row has its number of fields.
- A header field is `name:type`, with `[]` for lists and a group in brackets after an id; names are unique and not
  quoted.
- Nodes have one `:ID`, neither missing nor empty, and unique in its group; relationships have one `:START_ID`, one
  `:END_ID`, both of them ids of nodes in their group, and one `:TYPE`, which is not empty.
- Fields are quoted with `"`, doubled inside; a quote stands nowhere else, and a line break only inside quotes. A field
  that is empty and not quoted is no value.
- Values parse as their type: whole numbers as `long`, numbers as `double`. Lists are split at the array delimiter.
- U+0000 and U+FFFF are in no file: the importer takes them for its end.
"""

import re
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

TYPES = {"int", "long", "float", "double", "boolean", "byte", "short", "char", "string", "point", "date", "datetime"}
FIELD = re.compile(r"(?P<name>[A-Za-z_]\w*)?(?::(?P<type>[A-Za-z_]+)(?P<array>\[\])?(?:\((?P<group>\w+)\))?)?")


class Field(NamedTuple):
    name: Optional[str]
    type: str
    is_array: bool
    group: Optional[str]


class Table(NamedTuple):
    fields: List[Field]
    rows: List[List[Any]]


def read_import(folder: Path) -> Tuple[Dict[str, Dict[str, Dict[str, Any]]], List[Dict[str, Any]]]:
    """Read a folder: nodes by group and id, and relationships, each of which must name two nodes."""
    options = parse_arguments(folder / "import.args")
    assert options["multiline-fields"] == ["true"]
    separator = chr(int(options["array-delimiter"][0].removeprefix("U+"), 16))
    nodes: Dict[str, Dict[str, Dict[str, Any]]] = {}
    for name in options["nodes"]:
        table = read_table(folder / name, separator)
        (key,) = [number for number, field in enumerate(table.fields) if field.type == "ID"]
        group = nodes.setdefault(table.fields[key].group or "", {})
        for row in table.rows:
            assert row[key] not in (None, "") and row[key] not in group, row
            group[row[key]] = as_dict(table.fields, row)
    relationships = []
    for name in options["relationships"]:
        table = read_table(folder / name, separator)
        kinds = [field.type for field in table.fields]
        assert all(kinds.count(kind) == 1 for kind in ("START_ID", "END_ID", "TYPE"))
        for row in table.rows:
            for number, field in enumerate(table.fields):
                assert field.type not in ("START_ID", "END_ID") or row[number] in nodes[field.group or ""]
                assert field.type != "TYPE" or row[number]
            relationships.append({"file": name, **as_dict(table.fields, row)})
    return nodes, relationships


def parse_arguments(path: Path) -> Dict[str, List[str]]:
    options: Dict[str, List[str]] = {}
    for line in path.read_text(encoding="utf8").splitlines():
        key, value = re.fullmatch(r"--([a-z-]+)=(\S+)", line).groups()  # type: ignore[union-attr]
        options.setdefault(key, []).append(value)
    return options


def as_dict(fields: List[Field], row: List[Any]) -> Dict[str, Any]:
    return {field.name or f":{field.type}": value for field, value in zip(fields, row)}


def read_table(path: Path, separator: str) -> Table:
    data = path.read_bytes().decode("utf8")
    assert "\x00" not in data and "\uffff" not in data
    rows = list(parse_rows(data))
    assert not any(quoted for _, quoted in rows[0])
    fields = [parse_field(text) for text, _ in rows[0]]
    names = [field.name for field in fields if field.name]
    assert len(names) == len(set(names))
    table = Table(fields, [])
    for row in rows[1:]:
        assert len(row) == len(fields), row
        table.rows.append([parse_value(*cell, field, separator) for cell, field in zip(row, fields)])
    return table


def parse_field(text: str) -> Field:
    match = FIELD.fullmatch(text)
    assert match and text, text
    kind = match["type"] or "string"
    special = kind in ("ID", "LABEL", "START_ID", "END_ID", "TYPE", "IGNORE")
    assert special or (kind in TYPES and match["name"] and not match["group"]), text
    return Field(match["name"], kind, bool(match["array"]) or kind == "LABEL", match["group"])


def parse_value(text: str, quoted: bool, field: Field, separator: str) -> Any:
    if not text and not quoted:
        return None
    if field.is_array:
        return text.split(separator)
    if field.type in ("long", "int"):
        assert re.fullmatch(r"-?\d+", text)
        return int(text)
    if field.type == "double":
        return float(text)
    return text


def parse_rows(data: str) -> Iterator[List[Tuple[str, bool]]]:
    """Split cells: quotes around, doubled inside; nothing between a quote and the comma or the end of the line."""
    row: List[Tuple[str, bool]] = []
    place = 0
    while place < len(data):
        quoted = data[place] == '"'
        if quoted:
            end, place = place + 1, place + 1
            while True:
                end = data.index('"', end)
                if data[end + 1 : end + 2] != '"':
                    break
                end += 2
            cell, place = data[place:end].replace('""', '"'), end + 1
        else:
            end = re.compile("[,\n]").search(data, place).start()  # type: ignore[union-attr]
            cell, place = data[place:end], end
            assert '"' not in cell and "\r" not in cell
        row.append((cell, quoted))
        assert data[place] in ",\n"
        if data[place] == "\n":
            yield row
            row = []
        place += 1
    assert not row
