"""Turn facts into varied sentences, with true triples and with the labels that distant supervision would give them.

    python scripts/grammar.py --kb assets/kb --templates assets/grammar --sentences 3000 --seed 0 --output FILE.jsonl

Each line is a canonical record: `triples` holds what the sentence states, `distant` what aligning a knowledge base that
lacks some facts (`LEFT_OUT`) finds in its text. Only stated facts are true: everything else is invented.
"""

import argparse
import random
import sys
from pathlib import Path
from typing import AbstractSet, Any, Dict, Iterator, List, Optional, Set, Tuple

import spacy
from grammar_sampling import Binding, Sampler
from grammar_sentences import Draft, Mention, Piece, assemble, surname_of
from grammar_templates import Template, Templates, expand, read_templates, slots_of
from knowledge_base import Entity, KnowledgeBase, read_kb

from spacy_relext.corpora.records import write_jsonl
from spacy_relext.kb.alignment import SYMMETRIC_RELATIONS, Aligner, text_names
from spacy_relext.kb.facts import FactIndex

Record = Dict[str, Any]
# share of the facts that the aligning knowledge base lacks
LEFT_OUT = 0.25
WORDS = (6, 40)
# share of each kind of sentence
PLAN = {"fact": 0.44, "composite": 0.2, "unrelated": 0.2, "frame": 0.06, "joined": 0.1}
_CONNECTORS = ("; ", ", while ", ", and ", ", but ", "; meanwhile, ")
_OPENER, _TAIL, _SURNAME, _ALIAS = 0.12, 0.12, 0.16, 0.2


class Grammar:
    """Makes drafts of sentences; the same random source gives the same sentences."""

    def __init__(self, kb: KnowledgeBase, templates: Templates, rng: random.Random) -> None:
        self.kb = kb
        self.templates = templates
        self.rng = rng
        self.adjectives = frozenset(templates.adjectives)
        self.sampler = Sampler(kb, rng, has_adjective=lambda entity: bool(self._adjectives(entity)))
        self._facts: Dict[str, List[Template]] = {}
        for template in templates.facts:
            self._facts.setdefault(template.states[0][0], []).append(template)
        relations = set(kb.relations)
        known = [t for t in templates.composites if {relation for relation, _, _ in t.states} <= relations]
        self._composites = known
        self._clauses = [t for t in templates.clauses if t.states[0][0] in relations]
        self._relations = sorted(relations & set(self._facts))

    def draft(self) -> Optional[Draft]:
        """Make one sentence.

        RETURNS (Optional[Draft]): None where the chosen template found no fitting entities: try again.
        """
        kind = self.rng.choices(list(PLAN), list(PLAN.values()))[0]
        if kind == "joined":
            return self._joined()
        if kind == "frame":
            return self._framed()
        return self._decorated(self._simple(kind))

    def _simple(self, kind: str) -> Optional[Draft]:
        """Fill one template of a kind."""
        if kind == "fact":
            return self._fill(self.rng.choice(self._facts[self.rng.choice(self._relations)]))
        pool = self._composites if kind == "composite" else self.templates.unrelated
        return self._fill(self.rng.choice(pool)) if pool else None

    def _fill(self, template: Template, *, stated: bool = True) -> Optional[Draft]:
        """Find entities for a template and write their names into it."""
        text = expand(template.text, self.rng)
        binding = self.sampler.bind(template, needs_adjective={v for _, v, form, _ in slots_of(text) if form == "adj"})
        if binding is None:
            return None
        pieces: List[Piece] = []
        for before, variable, form, ending in slots_of(text):
            pieces.append(before)
            if form == "role":
                pieces.append(self.rng.choice(self.templates.roles[self.sampler.role(binding[variable].id)]) + ending)
            elif variable:
                pieces += self._name(binding[variable], form, bare=before.endswith("the "))
        return Draft(pieces, _ground(template, binding) if stated else [])

    def _name(self, entity: Entity, form: str, *, bare: bool) -> List[Piece]:
        """Choose a name for an entity, and its article."""
        if form == "adj":
            return [Mention(entity.id, self.rng.choice(self._adjectives(entity)))]
        names = [name for name in text_names(entity.names) if name not in self.adjectives]
        name = names[0]
        if entity.type == "PERSON" and self.rng.random() < _SURNAME:
            name = surname_of(name)
        elif len(names) > 1 and self.rng.random() < _ALIAS:
            name = self.rng.choice(names[1:])
        takes_article = f"The {name}" in entity.names or self.templates.articles.search(name)
        article = takes_article and entity.type in ("ORG", "PLACE") and not bare
        return ["the ", Mention(entity.id, name)] if article else [Mention(entity.id, name)]

    def _adjectives(self, entity: Entity) -> List[str]:
        """List the nationality words of a place."""
        return [name for name in entity.aliases if name in self.adjectives] if entity.type == "PLACE" else []

    def _framed(self) -> Optional[Draft]:
        """Deny, doubt or retell a clause: the sentence states nothing."""
        source = self.rng.choice(self._clauses)
        relation, subject, obj = source.states[0]
        kinds = {**self.sampler.kinds_of(relation), **{v: k for v, k in source.kinds.items()}}
        kinds = {subject: kinds.get(subject, kinds["subject"]), obj: kinds.get(obj, kinds["object"])}
        template = Template(source.text, forbids=source.states, kinds=kinds, patterns=source.patterns)
        clause = self._fill(template, stated=False)
        if clause is None:
            return None
        before, _, after = expand(self.rng.choice(self.templates.frames), self.rng).partition("{clause}")
        return Draft([before], []).plus(clause, Draft([after], []))

    def _joined(self) -> Optional[Draft]:
        """Join two sentences about different entities."""
        kinds = self.rng.choices(("fact", "composite", "unrelated"), (5, 1, 4), k=2)
        first, second = (self._simple(kind) for kind in kinds)
        if first is None or second is None or set(first.ids) & set(second.ids) or _asks(first) or _asks(second):
            return None
        return _without_stop(first).plus(Draft([self.rng.choice(_CONNECTORS)], []), second)

    def _decorated(self, draft: Optional[Draft]) -> Optional[Draft]:
        """Put an opener before a statement, or a tail after it."""
        if draft is None or _asks(draft):
            return draft
        chance = self.rng.random()
        if chance < _OPENER:
            opener = self._fill(self.rng.choice(self.templates.openers))
            return opener and opener.plus(Draft([" "], []), draft)
        if chance < _OPENER + _TAIL:
            tail = self._fill(self.rng.choice(self.templates.tails))
            return tail and _without_stop(draft).plus(tail)
        return draft


def make_record(draft: Draft, kb: KnowledgeBase) -> Record:
    """Write a draft as a canonical record.

    draft (Draft): A sentence.
    kb (KnowledgeBase): Gives the entity types.
    RETURNS (Record): Text, entities with their ids, and the triples it states.
    """
    text, mentions = assemble(draft.pieces)
    place = {entity_id: [start, end] for start, end, entity_id in mentions}
    triples: List[Record] = []
    for subject, relation, obj in draft.states:
        if relation in SYMMETRIC_RELATIONS and place[subject] > place[obj]:
            subject, obj = obj, subject
        triples.append({"subject": place[subject], "relation": relation, "object": place[obj]})
    entities = [{"start": s, "end": e, "label": kb[i].type, "kb_id": i} for s, e, i in mentions]
    triples.sort(key=lambda t: (t["subject"], t["object"], t["relation"]))
    return {"text": text, "entities": entities, "triples": triples}


def aligning_kb(kb: KnowledgeBase, rng: random.Random) -> FactIndex:
    """Make the index that gives the distant labels: it lacks facts, as knowledge bases do.

    kb (KnowledgeBase): All facts.
    rng (random.Random): Random number generator.
    RETURNS (FactIndex): Without a share of the facts, and without `located_in` for pairs that also have `capital_of`,
        which would label every capital twice.
    """
    left_out = set(rng.sample(kb.facts, round(LEFT_OUT * len(kb))))
    doubled = (f for f in kb.facts if "capital_of" in kb.relations_between(f.subject, f.object))
    left_out.update(fact for fact in doubled if fact.relation == "located_in")
    return kb.without(left_out).index()


def generate(
    kb: KnowledgeBase, templates: Templates, *, sentences: int, seed: int = 0, avoid: AbstractSet[str] = frozenset()
) -> Iterator[Record]:
    """Make different sentences with true and distant labels.

    kb (KnowledgeBase): The facts.
    templates (Templates): The templates.
    sentences (int): Number of sentences.
    seed (int): The same seed gives the same sentences.
    avoid (AbstractSet[str]): Names that must not occur, such as those of held-out text.
    YIELDS (Record): Canonical records with the extra key `distant`.
    RAISES (ValueError): If the templates do not yield as many different sentences.
    """
    rng = random.Random(seed)
    nlp = spacy.blank("en")
    aligner = Aligner(aligning_kb(kb, rng), tokenizer=nlp.make_doc)
    grammar = Grammar(kb, templates, rng)
    seen: Set[str] = set()
    for _ in range(sentences * 20):
        if len(seen) == sentences:
            return
        draft = grammar.draft()
        if draft is None or len(set(draft.ids)) < len(draft.ids):
            continue
        record = make_record(draft, kb)
        names = {record["text"][e["start"] : e["end"]] for e in record["entities"]}
        words = len(record["text"].split())
        if record["text"] in seen or len(names) < len(draft.ids) or names & avoid:
            continue
        doc = nlp.make_doc(record["text"])
        if WORDS[0] <= words <= WORDS[1] and all(doc.char_span(e["start"], e["end"]) for e in record["entities"]):
            seen.add(record["text"])
            yield {**record, "distant": aligner(doc).triples}
    if len(seen) < sentences:
        raise ValueError(f"only {len(seen)} different sentences of {sentences}; add facts or templates")


def _ground(template: Template, binding: Binding) -> List[Tuple[str, str, str]]:
    """List the facts of a filled template."""
    return [(binding[subject].id, relation, binding[obj].id) for relation, subject, obj in template.states]


def _asks(draft: Draft) -> bool:
    """Return whether a draft is a question."""
    return str(draft.pieces[-1]).endswith("?")


def _without_stop(draft: Draft) -> Draft:
    """Remove the final stop, so that the sentence can be continued."""
    last = draft.pieces[-1]
    return Draft([*draft.pieces[:-1], last[:-1] if isinstance(last, str) else last], draft.states)


def main() -> int:
    """Run the command line.

    RETURNS (int): Exit code.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kb", type=Path, required=True)
    parser.add_argument("--templates", type=Path, required=True)
    parser.add_argument("--sentences", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    try:
        records = generate(read_kb(args.kb), read_templates(args.templates), sentences=args.sentences, seed=args.seed)
        args.output.parent.mkdir(parents=True, exist_ok=True)
        print(f"{write_jsonl(args.output, records)} sentences -> {args.output}")
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
