"""Readable text of a relation label, for encoders that read it."""

import re

_BOUNDARY = re.compile(r"[/_.:\-\s]+|(?<=[a-z0-9])(?=[A-Z])")


def readable_label(label: str) -> str:
    """Turn a label into words: `/people/person/place_of_birth` becomes "people person place of birth".

    label (str): The label.
    RETURNS (str): Split at / _ . : - and before capitals, lower-cased; the label itself where nothing is left.
    """
    words = [word for word in _BOUNDARY.split(label) if word]
    return " ".join(words).lower() or label
