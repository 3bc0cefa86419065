"""Files of UIMA CAS: JSON 0.4, and XMI with its type system; both also in folders, and in zips as tools export them."""

import re
import warnings
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Dict, Iterator, NamedTuple, Optional, Union
from zipfile import BadZipFile, ZipFile

from ...annotations.triple import Record
from ...errors import Errors, require
from .checks import describe
from .sources import Item, parse_json

if TYPE_CHECKING:
    from cassis import Cas
    from cassis.typesystem import TypeSystem

_TYPE_SYSTEM = "typesystem.xml"
_SUFFIXES = (".json", ".xmi", ".zip")
# Parts of a project that INCEpTION exports: its settings, and documents as they were before annotation.
_SKIPPED = ("exportedproject", "INITIAL_CAS")
_ANNOTATOR = re.compile(r"/(?:annotation|curation)/[^/]+/([^/]+)\.(?:zip|json|xmi)(?:/|$)")


class CasDocument(NamedTuple):
    """A CAS, and further keys of its record."""

    cas: "Cas"
    others: Record


class _File(NamedTuple):
    """One CAS: its name and content, and the type system of an XMI."""

    name: str
    data: bytes
    type_system: Optional[bytes] = None


def read_cas(path: Path, *, typesystem: Optional[Path] = None) -> Iterator[Item]:
    """Read the documents of a .json, .xmi or .zip file, or of a folder of them.

    typesystem (Optional[Path]): The type system of XMI files; None: the file TypeSystem.xml beside each.
    RAISES (ValueError): If there is no such file.
    """
    require("cassis", purpose="`spacy relext convert cas`", extra="annotation")
    given = None if typesystem is None else typesystem.read_bytes()
    paths = [path]
    if path.is_dir():
        paths = [each for each in sorted(path.rglob("*")) if each.suffix.lower() in _SUFFIXES]
    elif path.suffix.lower() not in _SUFFIXES:
        paths = []
    if not paths:
        raise ValueError(Errors.R209.format(what=path, found="no CAS", expected="a .json, .xmi or .zip file"))
    known: Dict[bytes, TypeSystem] = {}
    for each in paths:
        for file in _open_file(each):
            yield _read_file(file if given is None else file._replace(type_system=given), known)


def _open_file(path: Path) -> Iterator[_File]:
    """Yield the CAS files of a file, which may be a zip."""
    if path.suffix.lower() == ".zip":
        try:
            yield from _open_zip(str(path), path)
        except BadZipFile as error:
            raise ValueError(Errors.R101.format(path=path, what=error, expected="a zip of CAS files")) from None
    elif not path.stem.startswith(_SKIPPED):
        beside = [each for each in path.parent.iterdir() if each.name.lower() == _TYPE_SYSTEM]
        yield _File(path.as_posix(), path.read_bytes(), beside[0].read_bytes() if beside else None)


def _open_zip(name: str, file: Union[Path, BytesIO]) -> Iterator[_File]:
    """Yield the CAS files of a zip, and of zips in it."""
    with ZipFile(file) as archive:
        members = [PurePosixPath(each) for each in sorted(archive.namelist())]
        systems = [each for each in members if each.name.lower() == _TYPE_SYSTEM]
        system = archive.read(str(systems[0])) if systems else None
        for member in members:
            suffix = member.suffix.lower()
            if suffix not in _SUFFIXES or member.stem.startswith(_SKIPPED):
                continue
            data = archive.read(str(member))
            if suffix == ".zip":
                yield from _open_zip(f"{name}/{member}", BytesIO(data))
            else:
                yield _File(f"{name}/{member}", data, system)


def _read_file(file: _File, known: Dict[bytes, "TypeSystem"]) -> Item:
    """Read one CAS.

    known (Dict[bytes, TypeSystem]): Type systems read before.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            cas = _load(file, known)
        except Exception as error:  # the library raises errors of many kinds
            what = str(error).strip().splitlines() or [type(error).__name__]
            return Item(file.name, 1, error=what[0] if what[0].startswith("[R") else Errors.R719.format(what=what[0]))
    outside = [str(each.message) for each in caught if str(each.message).startswith("Not mapping")]
    if outside:
        return Item(file.name, 1, error=Errors.R719.format(what=outside[0]))
    annotator = _ANNOTATOR.search(file.name)
    return Item(file.name, 1, CasDocument(cas, {"annotator": annotator.group(1)} if annotator else {}))


def _load(file: _File, known: Dict[bytes, "TypeSystem"]) -> "Cas":
    """Load a CAS by its content: XMI if it starts with `<`, else JSON."""
    from cassis import load_cas_from_json, load_cas_from_xmi, load_typesystem

    if file.data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] != b"<":
        value = parse_json(file.data.decode("utf-8-sig"))
        if not isinstance(value, dict) or not value.keys() >= {"%TYPES", "%FEATURE_STRUCTURES", "%VIEWS"}:
            found = describe(sorted(value)) if isinstance(value, dict) else describe(value)
            raise ValueError(Errors.R719.format(what=f"found {found}"))
        return load_cas_from_json(file.data.decode("utf-8-sig"))
    if file.type_system is None:
        raise ValueError(Errors.R744)
    if file.type_system not in known:
        known[file.type_system] = load_typesystem(BytesIO(file.type_system))
    return load_cas_from_xmi(BytesIO(file.data), typesystem=known[file.type_system])
