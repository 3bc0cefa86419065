"""The formats that `spacy relext convert` reads, side by side: how a file is cut up, and how a piece is parsed."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator

from ..errors import Errors
from .duie import parse_duie
from .jsonl import check_record
from .markup import parse_markup_line
from .nyt import parse_nyt
from .rere import parse_rere
from .semeval2010 import parse_semeval2010, read_semeval2010
from .sources import Item, read_json, read_lines
from .spert import parse_spert
from .tacred import parse_tacred


@dataclass(frozen=True)
class Format:
    """One raw format.

    read (Callable[[Path], Iterator[Item]]): Cuts a file into raw values.
    parse (Callable[[Any], Dict[str, Any]]): Makes a record of a raw value: a canonical one, or one with
        `string_triples` whose strings are still to be located. Raises ValueError where the value is malformed.
    one_sentence (bool): Whether a record without `sents` is one sentence.
    """

    read: Callable[[Path], Iterator[Item]]
    parse: Callable[[Any], Dict[str, Any]]
    one_sentence: bool = True


FORMATS: Dict[str, Format] = {
    "duie": Format(read_json, parse_duie),
    "jsonl": Format(read_json, check_record, one_sentence=False),
    "markup": Format(partial(read_lines, comment="#"), parse_markup_line),
    "nyt": Format(read_json, parse_nyt),
    "rere": Format(read_json, parse_rere),
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
