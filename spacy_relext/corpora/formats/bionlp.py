"""The standoff of BioNLP's shared tasks: `DOC.txt`, given spans in `DOC.a1`, and events and relations in `DOC.a2`.

The lines are those of BRAT. A document without `.a2`, as in test data, is not annotated with triples.
"""

from pathlib import Path
from typing import Iterator

from ...errors import Errors
from .brat import read_texts
from .sources import Item

_SUFFIXES = (".a1", ".a2")


def read_bionlp(path: Path) -> Iterator[Item]:
    """Read the documents of a folder and its sub-folders, or that of one .a1 or .a2 file, for `parse_brat`.

    RAISES (ValueError): If there is none.
    """
    files = [path] if path.suffix in _SUFFIXES else []
    if path.is_dir():
        files = [each for suffix in _SUFFIXES for each in path.rglob(f"*{suffix}")]
    if not files:
        expected = "DOC.a1 and DOC.a2, or a folder of them"
        raise ValueError(Errors.R209.format(what=path, found="no .a1 or .a2 file", expected=expected))
    for stem in sorted({each.with_suffix("") for each in files}):
        yield read_texts(stem, _SUFFIXES)
