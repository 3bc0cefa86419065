"""Which relations the annotation of a text covers.

What a text states of other relations is unknown: it teaches nothing, and no prediction of them is right or wrong.
"""

from typing import FrozenSet, Iterable, Optional

from spacy.tokens import Doc

JUDGED_KEY = "relext_judged"


def get_judged(doc: Doc) -> Optional[FrozenSet[str]]:
    """Read the relations that the annotation of a Doc covers; None: all of them."""
    judged = doc.user_data.get(JUDGED_KEY)
    return None if judged is None else frozenset(judged)


def set_judged(doc: Doc, relations: Optional[Iterable[str]]) -> None:
    """Store the relations that the annotation of a Doc covers; None: all of them."""
    if relations is None:
        doc.user_data.pop(JUDGED_KEY, None)
    else:
        doc.user_data[JUDGED_KEY] = sorted(set(relations))


def judges_all(doc: Doc, relations: Iterable[str]) -> bool:
    """Return True if the annotation of a Doc covers all of some relations."""
    judged = get_judged(doc)
    return judged is None or judged.issuperset(relations)


def judged_by_all(docs: Iterable[Doc]) -> Optional[FrozenSet[str]]:
    """Return the relations that the annotations of all Docs cover; None: all of them."""
    known = [judged for judged in map(get_judged, docs) if judged is not None]
    return frozenset.intersection(*known) if known else None
