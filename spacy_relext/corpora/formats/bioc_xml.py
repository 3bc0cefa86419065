"""The XML of BioC as the objects of its JSON.

expat reads it, and declared entities are refused. The library `bioc` is not used: it needs lxml, which expands the
entities of untrusted files.
"""

from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence, Tuple
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from ...annotations.triple import Record
from ...errors import Errors

_CHUNK = 1 << 16


def read_bioc_xml(path: Path) -> Iterator[Tuple[int, Record]]:
    """Yield the documents of a collection with their lines, one at a time.

    RAISES (ValueError): If the file is no such XML, or is damaged, since what follows cannot be read.
    """
    parser = expat.ParserCreate()
    finished: List[Tuple[int, Record]] = []
    builder: Optional[TreeBuilder] = None
    line = 0

    def start(name: str, attributes: Dict[str, str]) -> None:
        nonlocal builder, line
        if not line and name != "collection":
            refuse(f"<{name}>")
        line = line or 1
        if name == "document":
            builder, line = TreeBuilder(), parser.CurrentLineNumber
        if builder is not None:
            builder.start(name, attributes)

    def end(name: str) -> None:
        nonlocal builder
        if builder is not None:
            builder.end(name)
            if name == "document":
                document = builder.close()
                finished.append((line, {**_to_record(document), "infons": _to_infons(document)}))
                builder = None

    def add_text(text: str) -> None:
        if builder is not None:
            builder.data(text)

    def refuse(found: str) -> None:
        where = f"{path}:{parser.CurrentLineNumber}"
        raise ValueError(Errors.R209.format(what=where, found=found, expected="BioC's XML, a <collection>"))

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, add_text
    parser.EntityDeclHandler = lambda name, *_: refuse(f"a declaration of the entity {name!r}")
    parser.SkippedEntityHandler = lambda name, *_: refuse(f"the entity {name!r}, which is not declared")
    with path.open("rb") as file:
        more = True
        while more:
            data = file.read(_CHUNK)
            more = bool(data)
            try:
                parser.Parse(data, not more)
            except (expat.ExpatError, LookupError, ValueError) as error:  # the others if it has another encoding
                if str(error).startswith("[R"):
                    raise
                refuse(expat.ErrorString(error.code) if isinstance(error, expat.ExpatError) else str(error))
            yield from finished
            finished.clear()


def _to_record(element: Element, *, parts: Sequence[str] = ("passages", "sentences")) -> Record:
    """Convert a document, passage or sentence to the form of BioC's JSON.

    parts (Sequence[str]): Keys of its parts and of theirs.
    """
    record: Record = {
        key: [_to_record(child, parts=parts[1:]) for child in element.findall(key[:-1])] for key in parts[:1]
    }
    record["annotations"] = [
        {
            "id": each.get("id"),
            "infons": _to_infons(each),
            "text": each.findtext("text"),
            "locations": [dict(location.items()) for location in each.findall("location")],
        }
        for each in element.findall("annotation")
    ]
    record["relations"] = [
        {
            "id": each.get("id"),
            "infons": _to_infons(each),
            "nodes": [dict(node.items()) for node in each.findall("node")],
        }
        for each in element.findall("relation")
    ]
    texts = {key: element.findtext(key) for key in ("id", "offset", "text")}
    return {**record, **{key: text for key, text in texts.items() if text is not None}}


def _to_infons(element: Element) -> Record:
    return {infon.get("key", ""): infon.text or "" for infon in element.findall("infon")}
