"""Manual decisions about entities: a file of JSON lines that is read at every run.

    {"same": ["IBM", "International Business Machines"]}
    {"different": ["John Adams", "John Quincy Adams"]}
    {"rename": ["Big Blue", "IBM"]}
    {"different": ["Li Wei", {"name": "Li Wei", "document": "3"}]}

A text is a name, an object what has that name in a document. A number is the id of an entity in the graph that
documents are added to.
"""

import json
from pathlib import Path
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Union

from ..corpora.formats.sources import read_json
from ..errors import Errors

ACTIONS = ("same", "different", "rename")


class InDocument(NamedTuple):
    """What has a name in a document.

    doc_id (str): Its id in the graph.
    """

    name: str
    doc_id: str


# A name, the id of an entity, or what has a name in a document.
Named = Union[str, int, InDocument]


class Decision(NamedTuple):
    """A line of the file.

    action (str): One of ACTIONS.
    first, second (Named): The two entities, or an entity and its new name.
    place (str): File and line.
    """

    action: str
    first: Named
    second: Named
    place: str = ""

    def __str__(self) -> str:
        return json.dumps({self.action: [_plain(self.first), _plain(self.second)]}, ensure_ascii=False)

    @property
    def located(self) -> Optional[InDocument]:
        """RETURNS (Optional[InDocument]): What it names in one document, of two the second; None if it names none."""
        return next(iter(self.all_located), None)

    @property
    def all_located(self) -> List[InDocument]:
        """RETURNS (List[InDocument]): What it names in one document, the second first."""
        return [each for each in (self.second, self.first) if isinstance(each, InDocument)]

    @property
    def has_number(self) -> bool:
        """RETURNS (bool): Whether it names an entity by its number."""
        return isinstance(self.first, int) or isinstance(self.second, int)


def read_decisions(path: Path) -> List[Decision]:
    """Read decisions in the order of the file.

    RAISES (ValueError): If the file is missing, a line is malformed, or two lines contradict each other; the message
        names file and line.
    """
    if not Path(path).is_file():
        raise ValueError(Errors.R832.format(place=path, found="no such file"))
    decisions = []
    for item in read_json(Path(path)):
        decisions.append(_parse(item.value, item.error, item.where))
    _check(decisions)
    return decisions


def _parse(value: object, error: str, place: str) -> Decision:
    if error:
        raise ValueError(Errors.R832.format(place=place, found=error))
    found = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict) or len(value) != 1 or next(iter(value)) not in ACTIONS:
        raise ValueError(Errors.R832.format(place=place, found=f"{found:.80}"))
    ((action, pair),) = value.items()
    pair = [_read_named(each) for each in pair] if isinstance(pair, list) else []
    if len(pair) != 2 or not all(map(_is_named, pair)) or pair[0] == pair[1]:
        raise ValueError(Errors.R832.format(place=place, found=f"{found:.80}"))
    if action == "rename" and not isinstance(pair[1], str):
        raise ValueError(Errors.R832.format(place=place, found=f"{found:.80}"))
    return Decision(action, pair[0], pair[1], place)


def _read_named(value: Any) -> Any:
    """Read an object with name and document; anything else is returned as it is."""
    if isinstance(value, dict) and value.keys() == {"name", "document"}:
        return InDocument(value["name"], str(value["document"]))
    return value


def _plain(named: Named) -> Any:
    return {"name": named.name, "document": named.doc_id} if isinstance(named, InDocument) else named


def _is_named(value: object) -> bool:
    """Return True for a name that is not empty, for an id, and for a name in a document."""
    if isinstance(value, InDocument):
        return _is_named(value.name) and type(value.name) is str
    return isinstance(value, str) and bool(value.strip()) or type(value) is int


def _check(decisions: List[Decision]) -> None:
    """Check that no two entities are both the same and different."""
    seen: Dict[FrozenSet[Named], Decision] = {}
    for decision in decisions:
        if decision.action == "rename":
            continue
        before = seen.setdefault(frozenset((decision.first, decision.second)), decision)
        if before.action != decision.action:
            raise ValueError(Errors.R833.format(place=decision.place, other=before.place, found=decision))
