"""Find entities and facts that fit a template."""

import random
from typing import Callable, Dict, List, Optional, Sequence, Set, Tuple

from grammar_templates import Template
from knowledge_base import Entity, Fact, KnowledgeBase

from spacy_relext.kb.alignment import SYMMETRIC_RELATIONS

Binding = Dict[str, Entity]
# probability that a pair or a bystander without a stated relation is related in the knowledge base
RELATED = 0.2
_TRIES = 12
# narrower kinds of entities, by the facts that they have: (relation, whether as the subject)
_BY_FACT = {
    "CITY": (("place_of_birth", False), ("place_of_death", False), ("capital_of", True)),
    "COUNTRY": (("country_of_citizenship", False),),
    "SCHOOL": (("educated_at", False),),
}
_ROLES = (("author", False, "writer"), ("director", False, "director"), ("founded_by", False, "founder"))


class Sampler:
    """Draws facts and entities; each relation's facts are all used before one is used again.

    kb (KnowledgeBase): What to draw from.
    rng (random.Random): Random number generator.
    has_adjective (Callable[[Entity], bool]): Whether a place has a nationality word.
    """

    def __init__(self, kb: KnowledgeBase, rng: random.Random, *, has_adjective: Callable[[Entity], bool]) -> None:
        self.kb = kb
        self.rng = rng
        self.has_adjective = has_adjective
        self._facts: Dict[str, List[Fact]] = {}
        self._pairs: Dict[Tuple[str, str], List[Fact]] = {}
        for fact in kb.facts:
            self._facts.setdefault(fact.relation, []).append(fact)
            kinds = (kb[fact.subject].type, kb[fact.object].type)
            self._pairs.setdefault(kinds, []).append(fact)
        self._next: Dict[str, List[Fact]] = {}
        self._kinds = self._sort_kinds()

    def bind(self, template: Template, *, needs_adjective: Set[str]) -> Optional[Binding]:
        """Find an entity for each variable of a template.

        template (Template): Its conditions.
        needs_adjective (Set[str]): Variables that are written as a nationality word.
        RETURNS (Optional[Binding]): Variable → entity, all different; None if no random try fits.
        """
        for _ in range(_TRIES):
            binding = self._bind_states(template)
            if binding is not None and self._bind_others(template, binding):
                if self._fits(template, binding, needs_adjective):
                    return binding
        return None

    def kinds_of(self, relation: str) -> Dict[str, str]:
        """Draw the types of a relation's subject and object.

        relation (str): A relation of the knowledge base.
        RETURNS (Dict[str, str]): `subject` and `object`.
        """
        fact = self.rng.choice(self._facts[relation])
        return {"subject": self.kb[fact.subject].type, "object": self.kb[fact.object].type}

    def role(self, entity_id: str) -> str:
        """Name the kind of noun that suits a person.

        entity_id (str): The person.
        RETURNS (str): A kind of `fillers.tsv`.
        """
        facts = {(fact.relation, fact.subject == entity_id) for fact in self.kb.facts_of(entity_id)}
        return next((role for relation, subject, role in _ROLES if (relation, subject) in facts), "anybody")

    def _bind_states(self, template: Template) -> Optional[Binding]:
        """Bind the variables of the stated facts, one fact after the other."""
        binding: Binding = {}
        for relation, subject, obj in template.states:
            if subject not in binding and obj not in binding:
                fact: Optional[Fact] = self._draw(relation)
            else:
                fact = self._join(relation, binding.get(subject), binding.get(obj))
            if fact is None:
                return None
            subject_id, object_id = self._orient(fact, binding.get(subject))
            binding[subject], binding[obj] = self.kb[subject_id], self.kb[object_id]
        return binding

    def _draw(self, relation: str) -> Optional[Fact]:
        """Take the next fact of a relation from its shuffled list."""
        if not self._next.get(relation):
            self._next[relation] = list(self._facts.get(relation, ()))
            self.rng.shuffle(self._next[relation])
        return self._next[relation].pop() if self._next[relation] else None

    def _join(self, relation: str, subject: Optional[Entity], obj: Optional[Entity]) -> Optional[Fact]:
        """Draw a fact about entities that are already bound."""
        known = subject or obj
        assert known is not None
        both_ways = relation in SYMMETRIC_RELATIONS
        fitting = [
            fact
            for fact in self.kb.facts_of(known.id)
            if fact.relation == relation
            and (both_ways or subject is None or fact.subject == subject.id)
            and (both_ways or obj is None or fact.object == obj.id)
        ]
        return self.rng.choice(fitting) if fitting else None

    def _orient(self, fact: Fact, subject: Optional[Entity]) -> Tuple[str, str]:
        """Turn a symmetric fact so that the bound subject comes first; at random if no subject is bound."""
        turned = subject is not None and fact.subject != subject.id
        if fact.relation in SYMMETRIC_RELATIONS and subject is None:
            turned = self.rng.random() < 0.5
        return (fact.object, fact.subject) if turned else (fact.subject, fact.object)

    def _bind_others(self, template: Template, binding: Binding) -> bool:
        """Bind the variables about which nothing is stated."""
        free = [variable for variable in template.kinds if variable not in binding]
        if not template.states and len(free) >= 2 and self.rng.random() < RELATED:
            self._bind_related_pair(template, free, binding)
        for variable in free:
            if variable not in binding:
                entity = self._bystander(template.kinds[variable], list(binding.values()))
                if entity is None:
                    return False
                binding[variable] = entity
        return True

    def _bind_related_pair(self, template: Template, free: Sequence[str], binding: Binding) -> None:
        """Bind the first two variables to a pair with a fact that the sentence does not state."""
        first, second = free[:2]
        kinds = (_broad(template.kinds[first]), _broad(template.kinds[second]))
        forward, backward = self._pairs.get(kinds, []), self._pairs.get((kinds[1], kinds[0]), [])
        if not forward and not backward:
            return
        fact = self.rng.choice([*forward, *backward])
        ids = (fact.subject, fact.object)
        if (self.kb[ids[0]].type, self.kb[ids[1]].type) != kinds:
            ids = (ids[1], ids[0])
        binding[first], binding[second] = self.kb[ids[0]], self.kb[ids[1]]

    def _bystander(self, kind: str, company: Sequence[Entity]) -> Optional[Entity]:
        """Draw an entity of a kind, sometimes one with a fact about an entity of the company."""
        taken = {entity.id for entity in company}
        if company and self.rng.random() < RELATED:
            facts = self.kb.facts_of(self.rng.choice(company).id)
            near = {end for fact in facts for end in (fact.subject, fact.object)} - taken
            fitting = sorted(end for end in near if end in self._kinds[kind])
            if fitting:
                return self.kb[self.rng.choice(fitting)]
        pool = self._kinds.get(kind)
        return self.kb[self.rng.choice(list(pool))] if pool else None

    def _fits(self, template: Template, binding: Binding, needs_adjective: Set[str]) -> bool:
        """Check the conditions that binding does not ensure."""
        if len({entity.id for entity in binding.values()}) < len(binding):
            return False
        if any(binding[v].id not in self._kinds[kind] for v, kind in template.kinds.items()):
            return False
        if any(not pattern.search(binding[v].label) for v, pattern in template.patterns.items()):
            return False
        if any(not self.has_adjective(binding[v]) for v in needs_adjective):
            return False
        return not any(self._holds(relation, binding[s].id, binding[o].id) for relation, s, o in template.forbids)

    def _holds(self, relation: str, subject: str, obj: str) -> bool:
        """Return whether a fact is known, in either direction for symmetric relations."""
        both_ways = relation in SYMMETRIC_RELATIONS and relation in self.kb.relations_between(obj, subject)
        return both_ways or relation in self.kb.relations_between(subject, obj)

    def _sort_kinds(self) -> Dict[str, Dict[str, None]]:
        """List the entities of each kind; dicts keep the order that sets would lose."""
        kinds: Dict[str, Dict[str, None]] = {}
        for entity in self.kb.entities:
            kinds.setdefault(entity.type, {})[entity.id] = None
            facts = {(fact.relation, fact.subject == entity.id) for fact in self.kb.facts_of(entity.id)}
            for kind, signs in _BY_FACT.items():
                known = kinds.setdefault(kind, {})
                if facts.intersection(signs):
                    known[entity.id] = None
        return kinds


def _broad(kind: str) -> str:
    """Name the entity type of a narrower kind."""
    return {"CITY": "PLACE", "COUNTRY": "PLACE", "SCHOOL": "ORG"}.get(kind, kind)
