"""Facts and names from files of a knowledge base, one after the other: TSV, CSV, N-Triples and Turtle.

| suffix | what is in it |
|---|---|
| .tsv, .txt | three values a line, separated by tabs; a first line that names the columns is recognised |
| .csv | the same, separated by commas, with quotes |
| .nt | N-Triples, read line by line |
| .ttl | Turtle, all of it in memory |

Instead of facts, a .tsv or .csv may hold names: a first line with `id` and some of `label`, `type` and `aliases`, the
last separated by bars. Each file may be gzipped (`.gz` after its name). A row that begins with # and is no complete row
of its table is a remark, which is left out and counted. Of RDF, labels, aliases and types of entities are names and not
facts; facts whose object is a literal, and blank nodes, are left out and counted.
"""

import csv
import gzip
import re
import zlib
from collections import Counter
from pathlib import Path
from typing import IO, Any, Dict, Iterator, List, NamedTuple, Sequence, Tuple

from ..errors import Errors, require

COLUMNS = ("subject", "relation", "object")

# What a first line may call the columns, in lower case.
HEADERS = {
    "subject": {"subject", "head", "h", "s", "source"},
    "relation": {"relation", "predicate", "property", "r", "p"},
    "object": {"object", "tail", "t", "o", "target"},
}

# Of a table of names; the first one says that it is one.
NAME_COLUMNS = ("id", "label", "type", "aliases")

ALIAS_SEPARATOR = "|"

REMARK = "#"

# What quotes of .csv let into a value, and an id cannot have.
BREAKS = re.compile(r"[\t\r\n]")

DELIMITERS = {".tsv": "\t", ".txt": "\t", ".csv": ","}

RDF_SUFFIXES = (".nt", ".ttl")

ENCODING = "utf-8-sig"

# What a .gz file raises that is none, or is cut off.
UNPACKING = (gzip.BadGzipFile, EOFError, zlib.error)

SUFFIXES = (*DELIMITERS, *RDF_SUFFIXES)

LABELS = ("http://www.w3.org/2000/01/rdf-schema#label", "http://www.w3.org/2004/02/skos/core#prefLabel")

ALIASES = ("http://www.w3.org/2004/02/skos/core#altLabel",)

TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"

KINDS = {**dict.fromkeys(LABELS, "label"), **dict.fromkeys(ALIASES, "alias"), TYPE: "type"}


class Statement(NamedTuple):
    """One line of a knowledge base.

    subject (str): Id of an entity.
    relation (str): The relation of a fact; of a name "label", "alias" or "type".
    object (str): Id of an entity, or the name.
    is_name (bool): Whether it is a name of the subject.
    """

    subject: str
    relation: str
    object: str
    is_name: bool = False


class Example(NamedTuple):
    """One of the things that a report counts.

    what (str): Ids, and what is said of them.
    where (str): The file.
    """

    what: str
    where: str


class Reading:
    """Reads files, and counts what it leaves out (`skipped`) and what it reads though it looks odd (`noted`).

    `examples` has the first of each kind of rows that begin with #.

    columns (Sequence[str]): What the columns of TSV and CSV are: subject, relation and object in some order.
    language (str): Names in other languages are left out, those without a language are not.
    strip (Sequence[str]): Beginnings that are cut off ids and relations, such as "http://www.wikidata.org/entity/".
    RAISES (ValueError): Where the columns are others.
    """

    def __init__(self, *, columns: Sequence[str] = COLUMNS, language: str = "en", strip: Sequence[str] = ()) -> None:
        if sorted(columns) != sorted(COLUMNS):
            expected = "subject, relation and object in the order of the file"
            raise ValueError(Errors.R007.format(key="columns", found=",".join(columns), expected=expected))
        self.order = [list(columns).index(name) for name in COLUMNS]
        self.columns, self.language, self.strip = tuple(columns), language, tuple(strip)
        self.skipped: Counter[str] = Counter()
        self.noted: Counter[str] = Counter()
        self.examples: Dict[str, Example] = {}

    def read(self, path: Path) -> Iterator[Statement]:
        """Read one file.

        path (Path): With one of the suffixes above.
        YIELDS (Statement): In the file's order.
        RAISES (FileNotFoundError): Where there is none.
        RAISES (ValueError): With file and line, where a line is malformed or the suffix is unknown.
        """
        suffixes = [each.lower() for each in path.suffixes]
        packed = suffixes[-1:] == [".gz"]
        suffix = (suffixes[:-1] if packed else suffixes)[-1:] or [""]
        if suffix[0] not in SUFFIXES:
            raise ValueError(Errors.R720.format(path=path, expected=", ".join(SUFFIXES)))
        if not path.is_file():
            raise FileNotFoundError(Errors.R721.format(path=path))
        try:
            with _open(path, packed=packed) as lines:
                if suffix[0] in DELIMITERS:
                    yield from self._table(path, lines, DELIMITERS[suffix[0]])
                elif suffix[0] == ".nt":
                    yield from self._lines(path, lines)
                else:
                    yield from self._turtle(path, lines)
        except (UnicodeDecodeError, *UNPACKING):
            number, reason = _find_broken(path, packed=packed)
            raise ValueError(Errors.R724.format(place=f"{path}:{number}", reason=reason)) from None

    def _table(self, path: Path, lines: IO[str], delimiter: str) -> Iterator[Statement]:
        """Facts or names between tabs or commas."""
        quotes: Dict[str, Any] = {"quoting": csv.QUOTE_NONE} if delimiter == "\t" else {}
        rows = csv.reader(lines, delimiter=delimiter, **quotes)
        try:
            yield from self._rows(path, rows, delimiter)
        except csv.Error as error:
            raise ValueError(Errors.R724.format(place=f"{path}:{rows.line_num}", reason=_one_line(error))) from None

    def _rows(self, path: Path, rows: Any, delimiter: str) -> Iterator[Statement]:
        """Three values a line, or a table of names."""
        subject, relation, obj = self.order
        first = True
        for row in rows:
            if not row:
                continue
            if first:
                header = [each.strip().lower() for each in row]
                header[0] = header[0].lstrip(REMARK).lstrip()
                if header[0] == NAME_COLUMNS[0] and (len(row) > 1 or not row[0].startswith(REMARK)):
                    yield from self._names(path, rows, header)
                    return
                if len(row) == 3 and self._is_header(header, path):
                    first = False
                    continue
            complete = len(row) == 3 and all(map(str.strip, row))
            if row[0].startswith(REMARK) and self._is_remark(path, rows, complete=complete):
                continue
            first = False
            if not complete or (delimiter == "," and any(map(BREAKS.search, row))):
                odd = "a tab or a line break between quotes" if complete else "an empty value"
                found = odd if len(row) == 3 else f"{len(row)} values"
                # a line break within quotes, such as are left open, puts several lines into a row
                place = f"{path}:{rows.line_num - ''.join(row).rstrip().count(chr(10))}"
                expected = f"three: {', '.join(self.columns)}"
                raise ValueError(Errors.R722.format(place=place, found=found, expected=expected))
            yield Statement(self._id(row[subject]), self._id(row[relation]), self._id(row[obj]))

    def _names(self, path: Path, rows: Any, header: List[str]) -> Iterator[Statement]:
        """A table of names: an id, and what else the first line says."""
        if not set(header).issubset(NAME_COLUMNS) or len(set(header)) != len(header):
            expected = f"id and some of {', '.join(NAME_COLUMNS[1:])}"
            found = ", ".join(header)
            raise ValueError(Errors.R722.format(place=f"{path}:{rows.line_num}", found=found, expected=expected))
        for row in rows:
            if not row:
                continue
            if row[0].startswith(REMARK) and self._is_remark(path, rows, complete=len(row) == len(header)):
                continue
            if len(row) > len(header) or not row[0].strip():
                found = f"{len(row)} values" if row[0].strip() else "an empty id"
                place, expected = f"{path}:{rows.line_num}", ", ".join(header)
                raise ValueError(Errors.R722.format(place=place, found=found, expected=expected))
            values = {key: value.strip() for key, value in zip(header, row)}
            for key, kind in (("label", "label"), ("type", "type")):
                if values.get(key):
                    yield Statement(self._id(values["id"]), kind, values[key], True)
            for alias in filter(None, map(str.strip, values.get("aliases", "").split(ALIAS_SEPARATOR))):
                yield Statement(self._id(values["id"]), "alias", alias, True)

    def _is_remark(self, path: Path, rows: Any, *, complete: bool) -> bool:
        """Of the rows that begin with # only those are remarks that are no complete row: ids may begin with #, too."""
        counts, what = (self.noted, "marked_rows") if complete else (self.skipped, "remarks")
        counts[what] += 1
        self.examples.setdefault(what, Example("", f"{path}:{rows.line_num}"))
        return not complete

    def _is_header(self, row: List[str], path: Path) -> bool:
        """Recognise names of columns, and refuse another order than that which is read."""
        said = [next((name for name in COLUMNS if value in HEADERS[name]), None) for value in row]
        if sorted(filter(None, said)) != sorted(COLUMNS):
            return False
        if said != list(self.columns):
            found, expected = ", ".join(row), ",".join(filter(None, said))
            raise ValueError(Errors.R723.format(path=path, found=found, columns=expected))
        return True

    def _lines(self, path: Path, lines: IO[str]) -> Iterator[Statement]:
        """N-Triples."""
        parsers = require("rdflib.plugins.parsers.ntriples", purpose="N-Triples and Turtle", extra="kb")
        found: List[Tuple[Any, Any, Any]] = []
        parser = parsers.W3CNTriplesParser(sink=_Sink(found))
        for number, line in enumerate(lines, 1):
            parser.line = line.rstrip("\r\n")
            try:
                parser.parseline()
            except parsers.ParseError as error:
                raise ValueError(Errors.R724.format(place=f"{path}:{number}", reason=_one_line(error))) from None
            for terms in found:
                yield from self._statement(*terms)
            found.clear()

    def _turtle(self, path: Path, lines: IO[str]) -> Iterator[Statement]:
        """Turtle: a parser needs all of it."""
        rdflib = require("rdflib", purpose="N-Triples and Turtle", extra="kb")
        # By its own name: rdflib imports its parsers where one is first used.
        notation3 = require("rdflib.plugins.parsers.notation3", purpose="N-Triples and Turtle", extra="kb")
        graph = rdflib.Graph()
        try:
            graph.parse(data=lines.read(), format="turtle")
        except notation3.BadSyntax as error:
            place = f"{path}:{error.lines + 1}"
            raise ValueError(Errors.R724.format(place=place, reason=_one_line(error._why))) from None
        for terms in graph:
            yield from self._statement(*terms)

    def _statement(self, subject: Any, predicate: Any, obj: Any) -> Iterator[Statement]:
        """A fact or a name of RDF."""
        kind = KINDS.get(str(predicate))
        is_literal = hasattr(obj, "language")
        if type(subject).__name__ == "BNode" or type(obj).__name__ == "BNode":
            self.skipped["blank nodes"] += 1
        elif kind == "type" and not is_literal:
            yield Statement(self._id(subject), kind, self._id(obj), True)
        elif kind in ("label", "alias") and is_literal:
            if (obj.language or self.language).split("-")[0] == self.language:
                yield Statement(self._id(subject), kind, str(obj), True)
            else:
                self.skipped["names in other languages"] += 1
        elif is_literal:
            self.skipped["facts about literals"] += 1
        else:
            yield Statement(self._id(subject), self._id(predicate), self._id(obj))

    def _id(self, text: Any) -> str:
        """Cut off what shall be."""
        found = str(text).strip()
        for start in self.strip:
            if found.startswith(start) and len(found) > len(start):
                return found[len(start) :]
        return found


class _Sink:
    """Keeps what a parser has found."""

    def __init__(self, found: List[Tuple[Any, Any, Any]]) -> None:
        self.found = found

    def triple(self, subject: Any, predicate: Any, obj: Any) -> None:
        self.found.append((subject, predicate, obj))


def _open(path: Path, *, packed: bool) -> IO[str]:
    """Open a file as text, without the byte order mark that spreadsheets put before UTF-8."""
    if packed:
        return gzip.open(path, "rt", encoding=ENCODING, newline="")
    return path.open(encoding=ENCODING, newline="")


def _find_broken(path: Path, *, packed: bool) -> Tuple[int, str]:
    """Read a file again, as bytes, up to where it cannot be read. RETURNS the number of the line, and the reason."""
    done = 0
    with gzip.open(path, "rb") if packed else path.open("rb") as lines:
        try:
            for line in lines:
                line.decode("utf8")
                done += 1
        except UnicodeDecodeError as error:
            where = f"byte {error.start + 1} of the line: {error.reason}"
            return done + 1, f"not UTF-8 text ({where}). Save the file as UTF-8."
        except UNPACKING as error:
            return done + 1, f"broken gzip: {_one_line(error)}"
    return done, "the file was changed while it was read"


def _one_line(reason: Any) -> str:
    return " ".join(str(reason).split())[:200]
