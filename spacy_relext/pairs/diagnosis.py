"""Why there is no pair of entities, or no triple of it: the same messages for all components over pairs."""

from dataclasses import dataclass, field
from typing import List, Sequence

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..annotations.entities import ENTITIES_KEY, PAIRS_KEY, doc_entities, is_searched
from ..annotations.triple import Record
from ..errors import Errors, Warnings
from ..pipeline.pipe import assigning_components
from .pairs import Pairs
from .suggesters import AnnotatedPairs, EntityPairs, Suggester

# Texts that are kept for a closer look.
MOST_DOCS = 1_000

# Entities, and pairs of types, that a message names.
MOST_NAMED = 4


@dataclass
class Read:
    """Training data before the first pair.

    docs (int): Documents.
    with_entities (int): Those whose predicted Doc has entities or marked pairs.
    with_gold_entities (int): Those whose reference has some.
    sample (List[Doc]): The first predicted Docs.
    """

    docs: int = 0
    with_entities: int = 0
    with_gold_entities: int = 0
    sample: List[Doc] = field(default_factory=list)

    def add(self, examples: Sequence[Example]) -> None:
        """Add a batch.

        examples (Sequence[Example]): Predicted and gold Docs.
        """
        self.docs += len(examples)
        self.with_entities += sum(has_entities(example.predicted) for example in examples)
        self.with_gold_entities += sum(has_entities(example.reference) for example in examples)
        self.sample.extend([example.predicted for example in examples][: MOST_DOCS - len(self.sample)])


def has_entities(doc: Doc) -> bool:
    """Return True if a Doc has entities or marked pairs.

    doc (Doc): The document.
    RETURNS (bool): False if it can have no pair.
    """
    return bool(doc.ents or doc.user_data.get(ENTITIES_KEY) or doc.user_data.get(PAIRS_KEY))


def unsearched(docs: Sequence[Doc], suggester: Suggester) -> str:
    """Choose a warning for Docs without pairs.

    docs (Sequence[Doc]): Docs of which no pair is suggested.
    suggester (Suggester): Chooses the pairs.
    RETURNS (str): The template of a warning; "" if entities or pairs were searched for in one of them, or all are
        empty.
    """
    if isinstance(suggester, AnnotatedPairs):
        return Warnings.W408 if all(PAIRS_KEY not in doc.user_data for doc in docs) and any(map(len, docs)) else ""
    return "" if any(map(is_searched, docs)) else Warnings.W406


def why_no_pairs(read: Read, *, suggester: Suggester, name: str, where: str) -> str:
    """Explain why no training text has a pair.

    read (Read): The training data.
    suggester (Suggester): Chooses the pairs.
    name (str): The component.
    where (str): Name of the data.
    RETURNS (str): The message of an error.
    """
    if not read.with_entities:
        template = Errors.R516 if read.with_gold_entities else Errors.R515
        return template.format(name=name, where=where, docs=read.docs, gold=read.with_gold_entities)
    return Errors.R517.format(name=name, where=where, docs=read.docs, why=why_left_out(read.sample, suggester))


def why_left_out(docs: Sequence[Doc], suggester: Suggester) -> str:
    """Explain why a suggester returns no pair of Docs with entities.

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


def explain_no_pair(doc: Doc, nlp: Language, *, suggester: Suggester, name: str) -> str:
    """Explain why a text has no pair.

    doc (Doc): The text, as the pipeline has annotated it.
    nlp (Language): The pipeline.
    suggester (Suggester): Chooses the pairs.
    name (str): The component.
    RETURNS (str): A clause.
    """
    if isinstance(suggester, AnnotatedPairs):
        return (
            f"{name} reads only pairs that a data set marks (spacy_relext.AnnotatedPairs.v1), and this text has "
            'none; give records with "pairs" as --file FILE.jsonl'
        )
    entities = doc_entities(doc)
    finders = assigning_components(nlp, "doc.ents")
    if entities:
        named = [f"{doc[start:end].text} {kind}".strip() for (start, end), kind in entities[:MOST_NAMED]]
        more = ", …" if len(entities) > MOST_NAMED else ""
        return f"of the entities ({', '.join(named)}{more}) none make a pair: {why_left_out([doc], suggester)}"
    if finders:
        return (
            f"the text has no entities, of which {name} makes pairs: {', '.join(finders)} found none; train "
            'that on such texts, or give records with "entities" as --file FILE.jsonl, with --gold-ents'
        )
    return (
        f"the text has no entities, of which {name} makes pairs, and no component of the pipeline sets any; put "
        'an `ner` or `entity_ruler` before it, or give records with "entities" as --file FILE.jsonl'
    )


def explain_low_score(closest: Record, pairs: Pairs, *, name: str) -> str:
    """Explain why pairs have no triple.

    closest (Record): From `PairPipe.closest`.
    pairs (Pairs): The pairs.
    name (str): The component.
    RETURNS (str): A clause.
    """
    if closest["score"] > 0.0:
        return (
            f"no score reaches its threshold; nearest is {describe_triple(closest)}, {name} asks for "
            f"{closest['threshold']:.3f} (`spacy relext tune` fits that, or --components.{name}.threshold in training)"
        )
    kinds = sorted({" → ".join(kind or "no type" for kind in types) for types in pairs.types})
    return (
        f"between entities of these types {name} knows no relation ({', '.join(kinds[:MOST_NAMED])}"
        f"{', …' if len(kinds) > MOST_NAMED else ''}); they, or the types of its rules or training data, may be wrong"
    )


def describe_triple(triple: Record) -> str:
    """RETURNS (str): A triple with its score, for messages."""
    return f"{triple['subject'].text} → {triple['relation']} → {triple['object'].text} with {triple['score']:.3f}"
