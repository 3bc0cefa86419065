"""The formats that `spacy relext convert` reads, side by side: how a file is cut up, and how a piece is parsed."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Optional

from ...errors import Errors
from ..jsonl import check_record
from .cotype import parse_cotype
from .docred import parse_docred
from .duie import parse_duie
from .linked import locate_facts, locate_pair
from .locate import locate_record
from .markup import parse_markup_line
from .nyt import parse_nyt
from .nyt10 import parse_nyt10, read_nyt10
from .opennre import parse_opennre
from .semeval2010 import parse_semeval2010, read_semeval2010
from .sources import Item, read_json, read_lines
from .spert import parse_spert
from .tacred import parse_tacred

Locator = Callable[..., Optional[Dict[str, Any]]]


@dataclass(frozen=True)
class Format:
    """One raw format.

    read (Callable[[Path], Iterator[Item]]): Cuts a file into raw values.
    parse (Callable[[Any], Dict[str, Any]]): Makes a record of a raw value: a canonical one, or what `locate` makes one
        of. Raises ValueError where the value is malformed.
    locate (Optional[Locator]): Finds the places of arguments; called with the record, the report that counts what it
        finds, and `occurrences`. Gives None where the record is to be left out. None: all have offsets.
    one_sentence (bool): Whether a record without `sents` is one sentence.
    """

    read: Callable[[Path], Iterator[Item]]
    parse: Callable[[Any], Dict[str, Any]]
    locate: Optional[Locator] = None
    one_sentence: bool = True


FORMATS: Dict[str, Format] = {
    "docred": Format(read_json, parse_docred, locate=locate_facts),
    "duie": Format(read_json, parse_duie, locate=locate_record),
    "jsonl": Format(read_json, check_record, one_sentence=False),
    "markup": Format(partial(read_lines, comment="#"), parse_markup_line),
    "nyt": Format(read_json, parse_nyt, locate=locate_record),
    "nyt10": Format(read_nyt10, parse_nyt10, locate=locate_pair),
    "opennre": Format(read_json, parse_opennre),
    "cotype": Format(read_json, parse_cotype, locate=locate_record),
    "semeval2010": Format(read_semeval2010, parse_semeval2010),
    "spert": Format(read_json, parse_spert),
    "tacred": Format(read_json, parse_tacred),
}


def get_format(name: str) -> Format:
    """Look a format up.

    name (str): Such as `jsonl`.
    RETURNS (Format): The format.
    RAISES (ValueError): Where there is none of that name.
    """
    if name not in FORMATS:
        raise ValueError(Errors.R102.format(found=name, expected=", ".join(sorted(FORMATS))))
    return FORMATS[name]
