"""Why there is no pair of entities to learn from or to classify: the same messages for all components of pairs."""

from dataclasses import dataclass, field
from typing import List, Sequence

from spacy.tokens import Doc
from spacy.training import Example

from ..annotations.entities import ENTITIES_KEY, PAIRS_KEY, is_searched
from ..errors import Errors, Warnings
from .suggesters import AnnotatedPairs, EntityPairs, Suggester

# Texts that are kept, to be looked at more closely.
MOST_DOCS = 1_000


@dataclass
class Read:
    """What was read of the training data as long as it had no pair.

    docs (int): Documents.
    found (int): Those in which a component finds entities or marked pairs.
    gold (int): Those whose annotation has some.
    looked (List[Doc]): The first of them, as a component reads them.
    """

    docs: int = 0
    found: int = 0
    gold: int = 0
    looked: List[Doc] = field(default_factory=list)

    def add(self, examples: Sequence[Example]) -> None:
        """Take in a batch.

        examples (Sequence[Example]): Predicted and gold Docs.
        """
        self.docs += len(examples)
        self.found += sum(has_entities(example.predicted) for example in examples)
        self.gold += sum(has_entities(example.reference) for example in examples)
        self.looked.extend([example.predicted for example in examples][: MOST_DOCS - len(self.looked)])


def has_entities(doc: Doc) -> bool:
    """Say whether a Doc has entities or marked pairs.

    doc (Doc): The document.
    RETURNS (bool): Whether anything could make a pair of it.
    """
    return bool(doc.ents or doc.user_data.get(ENTITIES_KEY) or doc.user_data.get(PAIRS_KEY))


def unsearched(docs: Sequence[Doc], suggester: Suggester) -> str:
    """Say what is missing where Docs could have no pair at all.

    docs (Sequence[Doc]): Docs of which no pair is suggested.
    suggester (Suggester): Chooses the pairs.
    RETURNS (str): The template of a warning; "" where one of them was searched, or all are empty.
    """
    if isinstance(suggester, AnnotatedPairs):
        return Warnings.W408 if all(PAIRS_KEY not in doc.user_data for doc in docs) and any(map(len, docs)) else ""
    return "" if any(map(is_searched, docs)) else Warnings.W406


def why_no_pairs(read: Read, *, suggester: Suggester, name: str, where: str) -> str:
    """Say why no pair is suggested in any training text.

    read (Read): The training data.
    suggester (Suggester): Chooses the pairs.
    name (str): The component.
    where (str): Names the data.
    RETURNS (str): The message of an error.
    """
    if not read.found:
        template = Errors.R516 if read.gold else Errors.R515
        return template.format(name=name, where=where, docs=read.docs, gold=read.gold)
    return Errors.R517.format(name=name, where=where, docs=read.docs, why=why_left_out(read.looked, suggester))


def why_left_out(docs: Sequence[Doc], suggester: Suggester) -> str:
    """Say why a suggester finds no pair in Docs with entities.

    docs (Sequence[Doc]): The Docs.
    suggester (Suggester): Chooses the pairs.
    RETURNS (str): A clause that says what to do.
    """
    if isinstance(suggester, AnnotatedPairs):
        return (
            "spacy_relext.AnnotatedPairs.v1 takes the pairs that a data set marks (`pairs` of a record) and nothing "
            "else, and none is marked; take spacy_relext.EntityPairs.v1 as suggester for all pairs of entities"
        )
    if not isinstance(suggester, EntityPairs):
        return "its suggester chooses none"
    if not len(EntityPairs(neighbours=suggester.neighbours)(docs)):
        return (
            "no two entities stand in the same sentence, or as many sentences apart as `neighbours` of its suggester "
            f"({suggester.neighbours}) allows"
        )
    limits = []
    if suggester.max_distance is not None:
        limits.append(f"max_distance = {suggester.max_distance}")
    if suggester.types is not None:
        limits.append(f"types = {sorted(map(list, suggester.types))}")
    return f"its suggester leaves out all pairs of entities by {' and '.join(limits)}; widen that"
