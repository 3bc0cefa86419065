"""Registered suggesters: which pairs of entities are classified."""

from typing import List, Optional

from spacy import registry

from .errors import Errors, check_range
from .instances.pairs import AnnotatedPairs, EntityPairs, Suggester


@registry.misc("spacy_relext.EntityPairs.v1")
def create_entity_pairs(
    max_distance: Optional[int] = None, types: Optional[List[List[str]]] = None, neighbours: int = 0
) -> Suggester:
    """Suggest all ordered pairs of entities that stand in one sentence, or in sentences near each other.

    max_distance (Optional[int]): Most tokens between the two; null: any number.
    types (Optional[List[List[str]]]): Allowed [subject type, object type]; "*" is any type. null: all.
    neighbours (int): How many sentences further on the second entity may stand.
    RETURNS (Suggester): Docs → pairs.
    RAISES (ValueError): Where a number is negative, or an entry of the types is no pair.
    """
    for kinds in types or ():
        if len(kinds) != 2:
            expected = '[subject type, object type], "*" for any type'
            raise ValueError(Errors.R007.format(key="an entry of types", found=kinds, expected=expected))
    check_range("max_distance", max_distance or 0, 0, 1_000_000)
    check_range("neighbours", neighbours, 0, 1_000)
    return EntityPairs(max_distance=max_distance, types=types, neighbours=neighbours)


@registry.misc("spacy_relext.AnnotatedPairs.v1")
def create_annotated_pairs() -> Suggester:
    """Suggest the pairs that a data set marks: `pairs` of a canonical record, as in SemEval-2010 and TACRED.

    RETURNS (Suggester): Docs → pairs, each in the one order that it has in the data.
    """
    return AnnotatedPairs()
