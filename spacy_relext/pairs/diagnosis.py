"""Messages of all components over pairs on why there is no pair of entities, or a pair has no triple."""

from dataclasses import dataclass, field
from typing import List, Sequence

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..annotations.entities import ENTITIES_KEY, PAIRS_KEY, doc_entities, has_entity_annotation
from ..annotations.near_miss import NearMiss
from ..annotations.triple import Record
from ..errors import Errors, Warnings
from ..pipeline.requirements import assigning_components
from .pairs import Pairs
from .suggesters import AnnotatedPairs, EntityPairs, Suggester

# Largest number of Docs in a sample.
MOST_DOCS = 1_000

# Largest number of entities, or of pairs of types, in a message.
MOST_NAMED = 4


@dataclass
class EntityCounts:
    """Counts of Docs with entities in training data before its first pair, and a sample of Docs.

    docs (int): Number of documents.
    with_entities (int): Number of those whose predicted Doc has entities or marked pairs.
    with_gold_entities (int): Number of those whose reference has some.
    sample (List[Doc]): The first predicted Docs.
    """

    docs: int = 0
    with_entities: int = 0
    with_gold_entities: int = 0
    sample: List[Doc] = field(default_factory=list)

    def add(self, examples: Sequence[Example]) -> None:
        """Add a batch."""
        self.docs += len(examples)
        self.with_entities += sum(_has_entities(example.predicted) for example in examples)
        self.with_gold_entities += sum(_has_entities(example.reference) for example in examples)
        self.sample.extend([example.predicted for example in examples][: MOST_DOCS - len(self.sample)])


def _has_entities(doc: Doc) -> bool:
    """Return True if a Doc has entities or marked pairs."""
    return bool(doc.ents or doc.user_data.get(ENTITIES_KEY) or doc.user_data.get(PAIRS_KEY))


def unsearched(docs: Sequence[Doc], suggester: Suggester) -> str:
    """Return the warning template for Docs without pairs; "" if a Doc is annotated with pairs, or all are empty.

    If pairs are made of entities, a Doc annotated with entities is enough for "".
    """
    docs = [doc for doc in docs if len(doc)]
    if isinstance(suggester, AnnotatedPairs):
        return Warnings.W408 if docs and all(PAIRS_KEY not in doc.user_data for doc in docs) else ""
    return Warnings.W406 if docs and not any(map(has_entity_annotation, docs)) else ""


def why_no_pairs(read: EntityCounts, *, suggester: Suggester, name: str, where: str) -> str:
    """Return the error message for training data, called `where`, without a pair."""
    if not read.with_entities:
        template = Errors.R516 if read.with_gold_entities else Errors.R515
        return template.format(name=name, where=where, docs=read.docs, gold=read.with_gold_entities)
    return Errors.R517.format(name=name, where=where, docs=read.docs, why=why_left_out(read.sample, suggester))


def why_left_out(docs: Sequence[Doc], suggester: Suggester) -> str:
    """Return, as a clause, why a suggester finds no pair in Docs with entities, and what to do."""
    if isinstance(suggester, AnnotatedPairs):
        return (
            "spacy_relext.AnnotatedPairs.v1 takes the pairs that a data set marks (`pairs` of a record) and nothing "
            "else, and none is marked; take spacy_relext.EntityPairs.v1 as suggester for all pairs of entities"
        )
    if not isinstance(suggester, EntityPairs):
        return "its suggester chooses none"
    if not len(EntityPairs()(docs)):
        return "no two entities stand in the same sentence"
    return f"its suggester leaves out all pairs of entities by max_distance = {suggester.max_distance}; widen that"


def explain_no_pair(doc: Doc, nlp: Language, *, suggester: Suggester, name: str) -> str:
    """Return why a Doc, annotated by the pipeline, has no pair, as a clause."""
    if isinstance(suggester, AnnotatedPairs):
        return (
            f"{name} reads only pairs that a data set marks (spacy_relext.AnnotatedPairs.v1), and this text has "
            'none; give records with "pairs" as --file FILE.jsonl'
        )
    if entities := doc_entities(doc):
        named = [f"{doc[start:end].text} {kind}".strip() for (start, end), kind in entities[:MOST_NAMED]]
        more = ", …" if len(entities) > MOST_NAMED else ""
        return f"of the entities ({', '.join(named)}{more}) none make a pair: {why_left_out([doc], suggester)}"
    if finders := assigning_components(nlp, "doc.ents"):
        return (
            f"the text has no entities, of which {name} makes pairs: {', '.join(finders)} found none; train "
            'that on such texts, or give records with "entities" as --file FILE.jsonl, with --gold-ents'
        )
    return (
        f"the text has no entities, of which {name} makes pairs, and no component of the pipeline sets any; put "
        'an `ner` or `entity_ruler` before it, or give records with "entities" as --file FILE.jsonl'
    )


def explain_no_relation(pairs: Pairs, *, name: str) -> str:
    """Return why pairs are scored for no relation, as a clause."""
    kinds = sorted({" → ".join(kind or "no type" for kind in types) for types in pairs.types})
    return (
        f"between entities of these types {name} knows no relation ({', '.join(kinds[:MOST_NAMED])}"
        f"{', …' if len(kinds) > MOST_NAMED else ''}); they, or the types of its rules or training data, may be wrong"
    )


def make_near_miss(triple: Record, threshold: float, stage: str, text: str, *, name: str) -> NearMiss:
    """Make a near miss from a triple with spans and what stopped it."""
    subject, obj = ((span.start_char, span.end_char) for span in (triple["subject"], triple["object"]))
    return NearMiss(triple["relation"], triple["score"], float(threshold), stage, text, name, subject, obj)
