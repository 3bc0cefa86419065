"""The formats that `spacy relext convert` reads: how a file is split into raw records, and how one is parsed."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Callable, Dict, Iterator, Optional

from ...annotations.triple import Record
from ...errors import Errors
from ..jsonl import check_record
from .docred import parse_docred
from .locate import locate_facts, locate_pair, locate_record
from .markup import parse_markup_line
from .nyt import parse_cotype, parse_duie, parse_nyt
from .nyt10 import parse_nyt10, read_nyt10
from .opennre import parse_opennre
from .semeval2010 import parse_semeval2010, read_semeval2010
from .sources import Item, read_json, read_lines
from .spert import parse_spert, parse_tacred


@dataclass(frozen=True)
class Format:
    """One raw format."""

    # Splits a file into raw values.
    read: Callable[[Path], Iterator[Item]]
    # Makes a record of a raw value: a canonical one, or one for `locate`. ValueError if the value is malformed.
    parse: Callable[..., Record]
    # Locates the arguments in the text: takes the record, the report that counts, and `occurrences`. Returns None if
    # the record is to be left out. Without it, all arguments have offsets.
    locate: Optional[Callable[..., Optional[Record]]] = None
    # Whether a record without `sents` is one sentence.
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
    """Look up a format by its name, such as `jsonl`; ValueError if there is none."""
    if name not in FORMATS:
        raise ValueError(Errors.R102.format(found=name, expected=", ".join(sorted(FORMATS))))
    return FORMATS[name]
