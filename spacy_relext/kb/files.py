"""Facts and names from the files of a knowledge base: TSV, CSV, N-Triples and Turtle.

| suffix | content |
|---|---|
| .tsv, .txt | three values a line, separated by tabs; a header line is recognised |
| .csv | the same, separated by commas, with quotes |
| .nt | N-Triples, read line by line |
| .ttl | Turtle, read into memory as a whole |

Instead of facts, a .tsv, .txt or .csv may hold names: a header with `id` and some of `label`, `type` and `aliases`, the
last separated by vertical bars. Each file may be gzipped (`.gz` after its name). A row that begins with # and is no
complete row of its table is a comment: it is skipped and counted. In RDF, labels, aliases and types of entities are
names; facts whose object is a literal, and blank nodes, are skipped and counted.
"""

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, Iterator, List, NamedTuple, Sequence, Tuple, cast

from ..annotations.encoding import describe_bytes, number_lines, open_utf8
from ..errors import Errors, require

if TYPE_CHECKING:
    from _csv import Reader

COLUMNS = ("subject", "relation", "object")

# Accepted names of columns in a header, in lower case.
HEADERS = {
    "subject": {"subject", "head", "h", "s", "source"},
    "relation": {"relation", "predicate", "property", "r", "p"},
    "object": {"object", "tail", "t", "o", "target"},
}

# Columns of a table of names; the first one identifies such a table.
NAME_COLUMNS = ("id", "label", "type", "aliases")

ALIAS_SEPARATOR, COMMENT = "|", "#"

# Characters that a quoted value of .csv may contain, but an id may not.
BREAKS = re.compile(r"[\t\r\n]")

# What RDF escapes can put into a name or an IRI, but no file can hold: lone surrogates, and control characters in ids.
HALVES = re.compile("[\ud800-\udfff]")
NOT_IN_IDS = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

DELIMITERS = {".tsv": "\t", ".txt": "\t", ".csv": ","}
SUFFIXES = (*DELIMITERS, ".nt", ".ttl")

# Errors of a .gz file that is truncated, or not gzipped.
GZIP_ERRORS = (gzip.BadGzipFile, EOFError, zlib.error)

KINDS = {
    "http://www.w3.org/2000/01/rdf-schema#label": "label",
    "http://www.w3.org/2004/02/skos/core#prefLabel": "label",
    "http://www.w3.org/2004/02/skos/core#altLabel": "alias",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#type": "type",
}

RDF = "N-Triples and Turtle"
Terms = Tuple[object, object, object]


class Statement(NamedTuple):
    """A fact, or a name of an entity."""

    subject: str
    relation: str  # of a name: "label", "alias" or "type"
    object: str  # id of an entity, or the name
    is_name: bool = False


class FactReader:
    """Reads files of facts and names.

    `skipped` counts what is left out.

    columns (Sequence[str]): Order of subject, relation and object in TSV and CSV.
    language (str): Names in other languages are skipped, names without a language are not.
    prefixes (Sequence[str]): Prefixes to remove from ids and relations, such as "http://www.wikidata.org/entity/".
    RAISES (ValueError): If the columns are others.
    """

    def __init__(self, *, columns: Sequence[str] = COLUMNS, language: str = "en", prefixes: Sequence[str] = ()) -> None:
        if sorted(columns) != sorted(COLUMNS):
            expected = "subject, relation and object in the order of the file"
            raise ValueError(Errors.R007.format(key="columns", found=",".join(columns), expected=expected))
        self.order = [list(columns).index(name) for name in COLUMNS]
        self.columns, self.language, self.prefixes = tuple(columns), language, tuple(prefixes)
        self.skipped: Counter[str] = Counter()

    def read(self, path: Path) -> Iterator[Statement]:
        """Read one file in its order.

        RAISES (FileNotFoundError): If there is no such file.
        RAISES (ValueError): With file and line, if a line is malformed or the suffix is unknown.
        """
        suffix = Path(path.name.lower().removesuffix(".gz")).suffix
        if suffix not in SUFFIXES:
            raise ValueError(Errors.R720.format(path=path, expected=", ".join(SUFFIXES)))
        if not path.is_file():
            raise FileNotFoundError(Errors.R721.format(path=path))
        try:
            with _open(path) as stream, io.TextIOWrapper(open_utf8(stream), encoding="utf8", newline="") as lines:
                if suffix in DELIMITERS:
                    yield from self._read_table(path, lines, DELIMITERS[suffix])
                elif suffix == ".nt":
                    yield from self._read_ntriples(path, lines)
                else:
                    yield from self._read_turtle(path, lines)
        except (UnicodeDecodeError, *GZIP_ERRORS):
            number, reason = _locate_error(path)
            raise ValueError(Errors.R724.format(place=f"{path}:{number}", reason=reason)) from None

    def _read_table(self, path: Path, lines: IO[str], delimiter: str) -> Iterator[Statement]:
        """Read facts or names between tabs or commas."""
        rows = csv.reader(
            lines, delimiter=delimiter, quoting=csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
        )
        try:
            yield from self._read_rows(path, rows, delimiter)
        except csv.Error as error:
            raise ValueError(Errors.R724.format(place=f"{path}:{rows.line_num}", reason=_one_line(error))) from None

    def _read_rows(self, path: Path, rows: "Reader", delimiter: str) -> Iterator[Statement]:
        """Read three values a line, or a table of names."""
        subject, relation, obj = self.order
        first = True
        for row in filter(None, rows):
            if first:
                header = [each.strip().lower() for each in row]
                header[0] = header[0].lstrip(COMMENT).lstrip()
                if header[0] == NAME_COLUMNS[0] and (len(row) > 1 or not row[0].startswith(COMMENT)):
                    yield from self._read_names(path, rows, header)
                    return
                if len(row) == 3 and self._is_header(header, path):
                    first = False
                    continue
            complete = len(row) == 3 and all(map(str.strip, row))
            if row[0].startswith(COMMENT) and not complete:  # ids may begin with #, too
                self.skipped["remarks"] += 1
                continue
            first = False
            if not complete or (delimiter == "," and any(map(BREAKS.search, row))):
                problem = "a tab or a line break between quotes" if complete else "an empty value"
                problem = problem if len(row) == 3 else f"{len(row)} values"
                # a line break within quotes, such as quotes that are not closed, puts several lines into a row
                place = f"{path}:{rows.line_num - ''.join(row).rstrip().count(chr(10))}"
                expected = f"three: {', '.join(self.columns)}"
                raise ValueError(Errors.R722.format(place=place, found=problem, expected=expected))
            yield Statement(self._id(row[subject]), self._id(row[relation]), self._id(row[obj]))

    def _read_names(self, path: Path, rows: "Reader", header: List[str]) -> Iterator[Statement]:
        """Read a table of names: an id, and the other columns of the header."""
        if not set(header).issubset(NAME_COLUMNS) or len(set(header)) != len(header):
            place, expected = f"{path}:{rows.line_num}", f"id and some of {', '.join(NAME_COLUMNS[1:])}"
            raise ValueError(Errors.R722.format(place=place, found=", ".join(header), expected=expected))
        for row in filter(None, rows):
            if row[0].startswith(COMMENT) and len(row) != len(header):
                self.skipped["remarks"] += 1
                continue
            if len(row) > len(header) or not row[0].strip():
                problem = f"{len(row)} values" if row[0].strip() else "an empty id"
                place, expected = f"{path}:{rows.line_num}", ", ".join(header)
                raise ValueError(Errors.R722.format(place=place, found=problem, expected=expected))
            values = {key: value.strip() for key, value in zip(header, row)}
            names = [(kind, values.get(kind, "")) for kind in ("label", "type")]
            names += [("alias", alias.strip()) for alias in values.get("aliases", "").split(ALIAS_SEPARATOR)]
            for kind, name in names:
                if name:
                    yield Statement(self._id(values["id"]), kind, name, True)

    def _is_header(self, row: List[str], path: Path) -> bool:
        """Recognise a header, and refuse another order of the columns than the one that is read."""
        names = [next((name for name in COLUMNS if value in HEADERS[name]), "") for value in row]
        if sorted(names) != sorted(COLUMNS):
            return False
        if names != list(self.columns):
            raise ValueError(Errors.R723.format(path=path, found=", ".join(row), columns=",".join(names)))
        return True

    def _read_ntriples(self, path: Path, lines: IO[str]) -> Iterator[Statement]:
        """Read N-Triples line by line."""
        parsers = require("rdflib.plugins.parsers.ntriples", purpose=RDF, extra="kb")
        sink = _Sink()
        parser = parsers.W3CNTriplesParser(sink=sink)
        for number, line in enumerate(lines, 1):
            parser.line = line.rstrip("\r\n")
            try:
                parser.parseline()
            except Exception as error:  # besides ParseError, whatever Python raises on broken escapes
                raise ValueError(Errors.R724.format(place=f"{path}:{number}", reason=_one_line(error))) from None
            for terms in sink:
                yield from self._convert(*terms, place=f"{path}:{number}")
            sink.clear()

    def _read_turtle(self, path: Path, lines: IO[str]) -> Iterator[Statement]:
        """Read Turtle, which rdflib parses as a whole."""
        rdflib = require("rdflib", purpose=RDF, extra="kb")
        # explicitly, since rdflib imports a parser only at its first use
        notation3 = require("rdflib.plugins.parsers.notation3", purpose=RDF, extra="kb")
        graph, text = rdflib.Graph(), lines.read()
        try:
            graph.parse(data=text, format="turtle")
        except notation3.BadSyntax as error:
            place = f"{path}:{error.lines + 1}"
            raise ValueError(Errors.R724.format(place=place, reason=_one_line(error._why))) from None
        except Exception as error:  # truncated or too deeply nested files raise Python's own errors
            reason = f"no Turtle ({type(error).__name__}: {_one_line(error)})"
            raise ValueError(Errors.R724.format(place=path, reason=reason)) from None
        for terms in graph:
            yield from self._convert(*terms, place=str(path))

    def _convert(self, subject: object, predicate: object, obj: object, *, place: str) -> Iterator[Statement]:
        """Convert an RDF triple to a fact or a name."""
        for term in (subject, predicate, obj):
            if wrong := (HALVES if hasattr(term, "language") else NOT_IN_IDS).search(str(term)):
                found, expected = f"the character {ascii(wrong[0])} in {ascii(str(term)):.80}", "none such"
                raise ValueError(Errors.R722.format(place=place, found=found, expected=expected))
        kind = KINDS.get(str(predicate))
        is_literal = hasattr(obj, "language")
        if type(subject).__name__ == "BNode" or type(obj).__name__ == "BNode":
            self.skipped["blank nodes"] += 1
        elif kind == "type" and not is_literal:
            yield Statement(self._id(subject), kind, self._id(obj), True)
        elif kind in ("label", "alias") and is_literal:
            language = getattr(obj, "language", None) or self.language
            if language.split("-")[0] == self.language:
                yield Statement(self._id(subject), kind, str(obj), True)
            else:
                self.skipped["names in other languages"] += 1
        elif is_literal:
            self.skipped["facts about literals"] += 1
        else:
            yield Statement(self._id(subject), self._id(predicate), self._id(obj))

    def _id(self, term: object) -> str:
        """Remove the first prefix that fits."""
        text = str(term).strip()
        for prefix in self.prefixes:
            if text.startswith(prefix) and len(text) > len(prefix):
                return text[len(prefix) :]
        return text


class _Sink(List[Terms]):
    """Collects what the N-Triples parser yields."""

    def triple(self, subject: object, predicate: object, obj: object) -> None:
        self.append((subject, predicate, obj))


def _open(path: Path) -> BinaryIO:
    """Open a file, which may be gzipped."""
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix.lower() == ".gz" else path.open("rb")


def _locate_error(path: Path) -> Tuple[int, str]:
    """Read a file again up to the error. RETURNS the number of the line, and the reason."""
    done = 0
    with _open(path) as lines:
        try:
            for number, line in number_lines(lines):
                done = number
                line.decode("utf8")
        except UnicodeDecodeError as error:
            return describe_bytes(error, first=done)
        except GZIP_ERRORS as error:
            return done + 1, f"broken gzip: {_one_line(error)}"
    return done, "the file was changed while it was read"


def _one_line(reason: object) -> str:
    """Join lines, and cut the text after 200 characters."""
    return " ".join(str(reason).split())[:200]
