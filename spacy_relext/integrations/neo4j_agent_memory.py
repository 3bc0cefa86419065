"""A spaCy pipeline as the extractor of neo4j-agent-memory: entities and relations of a text without an LLM."""

import asyncio
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING, Dict, List, Optional

from spacy.language import Language
from spacy.tokens import Doc

from ..annotations.mentions import NAME
from ..annotations.names import ORGANIZATION, PERSON, PLACE, kind_of
from ..errors import check_range, require

if TYPE_CHECKING:
    from neo4j_agent_memory.extraction.base import ExtractionResult

# The types of that package by kinds of entities; its own name for all other things.
_TYPES = {PERSON: "PERSON", ORGANIZATION: "ORGANIZATION", PLACE: "LOCATION"}
_OTHER = "OBJECT"


class MemoryExtractor:
    """Extracts entities and relations, as the `EntityExtractor` of neo4j-agent-memory does.

    Entities are those of `doc._.entities` that the text names, with the characters of their first name; relations are
    `doc._.facts`, with their scores as confidence. The label of the pipeline is the `subtype`, ids in a knowledge base
    and other names are attributes.

    nlp (Language): A trained pipeline that writes `doc._.triples`.
    min_score (float): Leave out facts with a lower score, 0 to 1.
    RAISES (ImportError): If neo4j-agent-memory is not installed.

    >>> import asyncio, spacy
    >>> from spacy.language import Language
    >>> from spacy_relext import set_triples
    >>> from spacy_relext.integrations.neo4j_agent_memory import MemoryExtractor
    >>> @Language.component("first_met_last")
    ... def first_met_last(doc):  # a trained pipeline has rere_extractor here
    ...     set_triples(doc, [(doc[0:1], "met", doc[2:3])], source="first_met_last")
    ...     return doc
    >>> nlp = spacy.blank("en")
    >>> pipe = nlp.add_pipe("first_met_last")
    >>> found = asyncio.run(MemoryExtractor(nlp).extract("Ada met Bo"))
    >>> [relation.as_triple for relation in found.relations]
    [('Ada', 'met', 'Bo')]
    """

    def __init__(self, nlp: Language, *, min_score: float = 0.0) -> None:
        check_range("min_score", min_score, 0.0, 1.0)
        self.nlp, self.min_score = nlp, min_score
        self._lock = Lock()  # a pipeline is not safe to use in two threads at once
        self._types: ModuleType = require(
            "neo4j_agent_memory.extraction.base", purpose="MemoryExtractor", extra="agent-memory"
        )

    async def extract(
        self,
        text: str,
        *,
        entity_types: Optional[List[str]] = None,
        extract_relations: bool = True,
        extract_preferences: bool = True,
    ) -> "ExtractionResult":
        """Extract from a text.

        entity_types (Optional[List[str]]): Types of neo4j-agent-memory, or labels of the pipeline; None: all.
        extract_relations (bool): Whether relations are wanted.
        extract_preferences (bool): Not used: there are none.
        """
        return await asyncio.to_thread(self._extract, text, entity_types, extract_relations)

    def _extract(self, text: str, entity_types: Optional[List[str]], extract_relations: bool) -> "ExtractionResult":
        with self._lock:
            doc: Doc = self.nlp(text)
        wanted = None if entity_types is None else {each.upper() for each in entity_types}
        ids: Dict[int, str] = {}
        entities, relations = [], []
        for number, entity in enumerate(doc._.entities):
            kind = _TYPES.get(kind_of(entity.label), _OTHER)
            if not entity.name or (wanted is not None and not wanted & {kind, (entity.label or "").upper()}):
                continue
            first = next(mention.span for mention in entity.mentions if mention.kind == NAME)
            ids[first.start_char] = f"e{number}"
            attributes = {"aliases": entity.names[1:], **({"kb_id": entity.kb_id} if entity.kb_id else {})}
            entities.append(
                self._types.ExtractedEntity(
                    name=entity.name,
                    type=kind,
                    subtype=entity.label,
                    start_pos=first.start_char,
                    end_pos=first.end_char,
                    context=first.sent.text if doc.has_annotation("SENT_START") else None,
                    attributes=attributes,
                    extractor="spacy-relext",
                    id=f"e{number}",
                )
            )
        for fact in doc._.facts if extract_relations else ():
            ends = [
                next((ids.get(m.span.start_char) for m in entity.mentions if m.kind == NAME), None)
                for entity in (fact.subject, fact.object)
            ]
            if fact.score >= self.min_score and None not in ends:
                relations.append(
                    self._types.ExtractedRelation(
                        source=fact.subject.name,
                        target=fact.object.name,
                        relation_type=fact.relation,
                        confidence=min(max(fact.score, 0.0), 1.0),
                        source_id=ends[0],
                        target_id=ends[1],
                        derived=bool(fact.rule),
                    )
                )
        result: ExtractionResult = self._types.ExtractionResult(
            entities=entities, relations=relations, source_text=text
        )
        return result
