"""The formats that `spacy relext convert` reads: how a file is split into raw records, and how one is parsed."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Optional

from ...annotations.triple import Record
from ...errors import Errors
from ..jsonl import check_record
from .docred import parse_docred
from .duie import parse_duie
from .locate import locate_facts, locate_pair, locate_record
from .markup import parse_markup_line
from .nyt import parse_cotype, parse_nyt
from .nyt10 import parse_nyt10, read_nyt10
from .opennre import parse_opennre
from .semeval2010 import parse_semeval2010, read_semeval2010
from .sources import Item, read_json, read_lines
from .spert import parse_spert
from .tacred import parse_tacred

Locator = Callable[..., Optional[Record]]


@dataclass(frozen=True)
class Format:
    """One raw format.

    read (Callable[[Path], Iterator[Item]]): Splits a file into raw values.
    parse (Callable[[Any], Record]): Makes a record of a raw value: a canonical one, or one for `locate`. Raises
        ValueError if the value is malformed.
    locate (Optional[Locator]): Finds the offsets of arguments; called with the record, the report that counts, and
        `occurrences`. Returns None if the record is to be left out. None: all have offsets.
    one_sentence (bool): Whether a record without `sents` is one sentence.
    """

    read: Callable[[Path], Iterator[Item]]
    parse: Callable[[Any], Record]
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
    """Look up a format by its name, such as `jsonl`.

    RAISES (ValueError): If there is none of that name.
    """
    if name not in FORMATS:
        raise ValueError(Errors.R102.format(found=name, expected=", ".join(sorted(FORMATS))))
    return FORMATS[name]
