"""Manual decisions about entities: a file of JSON lines that is read at every run.

    {"same": ["IBM", "International Business Machines"]}
    {"different": ["John Adams", "John Quincy Adams"]}
    {"rename": ["Big Blue", "IBM"]}

A text is a name, a number the id of an entity.
"""

import json
from pathlib import Path
from typing import Dict, FrozenSet, List, NamedTuple, Union

from ..corpora.formats.sources import read_json
from ..errors import Errors

ACTIONS = ("same", "different", "rename")

# A name, or the id of an entity.
Named = Union[str, int]


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
        return json.dumps({self.action: [self.first, self.second]}, ensure_ascii=False)


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
    if not isinstance(pair, list) or len(pair) != 2 or not all(map(_is_named, pair)) or pair[0] == pair[1]:
        raise ValueError(Errors.R832.format(place=place, found=f"{found:.80}"))
    if action == "rename" and not isinstance(pair[1], str):
        raise ValueError(Errors.R832.format(place=place, found=f"{found:.80}"))
    return Decision(action, pair[0], pair[1], place)


def _is_named(value: object) -> bool:
    """Return True for a name that is not empty, and for an id."""
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
