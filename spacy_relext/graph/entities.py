"""The entities of a graph: stable numbers, names, types, ids; and how decisions change them."""

from dataclasses import dataclass, field
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy

from ..annotations.names import choose_name, fold, is_description, is_pronoun, tidy
from .across import Group, Joined
from .decisions import Decision, InDocument, Named
from .probability import Ids


@dataclass
class Entity:
    """An entity: name, type and id in a knowledge base."""

    name: str
    label: Optional[str] = None
    kb_id: Optional[str] = None


class MergeRow(NamedTuple):
    """A row of the table of merges."""

    entity_id: int
    name: str
    merged: str
    doc_id: Optional[str]
    reason: str
    score: float


@dataclass
class Entities:
    """All entities by their number, and the entity of each mention.

    known (Dict[int, Entity]): By number, from 1.
    mentions (Ids): The entity of each mention. Shape (M,)
    texts (Sequence[str]), documents (Sequence[str]): The names of the mentions, and the ids of their documents, length
        M; used only to apply decisions.
    merged (Dict[int, int]): Entities that decisions joined with another one → that entity.
    merges (List[MergeRow]): What decisions joined or renamed.
    parted (Set[Tuple[int, str]]): Entities, and the folded names that decisions removed from them.
    moved (Dict[Tuple[int, str], int]): Entities and documents whose mentions decisions moved → the entity they are now.
    unused (List[Decision]): Decisions about names and ids that do not exist or are ambiguous.
    """

    known: Dict[int, Entity]
    mentions: Ids
    texts: Sequence[str]
    documents: Sequence[str] = ()
    merged: Dict[int, int] = field(default_factory=dict)
    merges: List[MergeRow] = field(default_factory=list)
    parted: Set[Tuple[int, str]] = field(default_factory=set)
    moved: Dict[Tuple[int, str], int] = field(default_factory=dict)
    unused: List[Decision] = field(default_factory=list)
    _own: Dict[str, Set[int]] = field(default_factory=dict)
    _rows: Dict[str, List[int]] = field(default_factory=dict)

    def apply(self, decisions: Sequence[Decision]) -> None:
        """Apply decisions: different entities first, then the same, new names last; each kind in the given order."""
        if not decisions:
            return
        for number in self.known:
            self._index(number)
        for row, text in enumerate(self.texts):
            self._rows.setdefault(fold(text), []).append(row)
        for action, change in (("different", self._split), ("same", self._join), ("rename", self._rename)):
            for decision in decisions:
                if decision.action == action and not change(decision):
                    self.unused.append(decision)

    def _index(self, number: int) -> None:
        self._own.setdefault(fold(self.known[number].name), set()).add(number)

    def _split(self, decision: Decision) -> bool:
        """Move the mentions with the second name (if it is the entity's own, the first) to an entity of their own.

        If one of the two is in a document, all mentions of the entity in that document are moved.
        """
        first, second = decision.first, decision.second
        if isinstance(second, int) and isinstance(first, int):  # different numbers are different entities
            return {self.current(first), self.current(second)} <= self.known.keys()
        firsts, seconds = self._having(first), self._having(second)
        located = decision.located
        for number in sorted({*firsts} & {*seconds}):
            if located is not None:
                self._move_document(number, located)
                continue
            own = fold(self.known[number].name)
            moving = first if isinstance(second, int) or fold(second) == own else second
            if isinstance(moving, str) and fold(moving) != own:
                self._move(number, fold(moving))
        return bool(firsts and seconds)

    def _move(self, number: int, form: str) -> None:
        """Move the mentions of a name to the only other entity of that name and type, or to a new one."""
        rows = [row for row in self._rows.get(form, ()) if self.mentions[row] == number]
        if not rows:
            return
        label = self.known[number].label
        targets = [each for each in self._named(form) if each != number and self.known[each].label == label]
        new = targets[0] if len(targets) == 1 else max(self.known) + 1
        self.known.setdefault(new, Entity(self.texts[rows[0]], label))
        self._index(new)
        self.mentions[rows] = new
        self.parted.add((number, form))

    def _move_document(self, number: int, located: InDocument) -> None:
        """Move the mentions of an entity in a document to a new one, unless it has no others."""
        own = numpy.flatnonzero(self.mentions == number).tolist()
        rows = [row for row in own if self.documents[row] == located.doc_id]
        if len(rows) == len(own):
            return
        new = max(self.known) + 1
        self.known[new] = Entity(tidy(choose_name([self.texts[row] for row in rows])), self.known[number].label)
        self._index(new)
        self.mentions[rows] = new
        self.moved[(number, located.doc_id)] = new

    def _join(self, decision: Decision) -> bool:
        """Join two entities; the lower number stays, with the name of the entity that the decision lists first."""
        firsts, seconds = self._resolve(decision.first), self._resolve(decision.second)
        for located in decision.all_located if firsts != seconds else ():
            for number in self._having(located):
                self._move_document(number, located)
        firsts, seconds = self._resolve(decision.first), self._resolve(decision.second)
        pairs = [(one, two) for one in firsts for two in seconds if self.known[one].label == self.known[two].label]
        if not pairs and len(firsts) == 1 and len(seconds) == 1:
            pairs = [(firsts[0], seconds[0])]
        for one, two in pairs:
            first, second = self.current(one), self.current(two)
            if first == second:
                continue
            kept, gone = sorted((first, second))
            named, other = self.known[first], self.known[second]
            self.known[kept] = Entity(named.name, named.label or other.label, named.kb_id or other.kb_id)
            del self.known[gone]
            self._index(kept)
            self.mentions[self.mentions == gone] = kept
            self.merged[gone] = kept
            self.merges.append(MergeRow(kept, named.name, other.name, None, "decision", 1.0))
        return bool(pairs)

    def _rename(self, decision: Decision) -> bool:
        numbers = self._resolve(decision.first)
        for number in numbers:
            self.merges.append(MergeRow(number, str(decision.second), self.known[number].name, None, "decision", 1.0))
            self.known[number].name = str(decision.second)
            self._index(number)
        return bool(numbers)

    def current(self, number: int) -> int:
        """Return the entity that a number stands for after the joins of decisions."""
        while number in self.merged:
            number = self.merged[number]
        return number

    def current_row(self, row: MergeRow) -> Optional[MergeRow]:
        """Return a row of merges after decisions; None if it is undone by one."""
        entity = self.current(row.entity_id)
        new = self.moved.get((entity, row.doc_id or ""))
        if new is not None:  # what joined the document's entity with others is undone
            own = fold(self.known[self.current(new)].name)
            return None if fold(row.merged) == own else row._replace(entity_id=self.current(new))
        if self.parted and (entity, fold(row.merged)) in self.parted:
            return None
        return row._replace(entity_id=entity)

    def _named(self, form: str) -> List[int]:
        numbers = sorted(self._own.get(form, ()))
        return [number for number in numbers if number in self.known and fold(self.known[number].name) == form]

    def _resolve(self, named: Named) -> List[int]:
        """Find entities: by number, by the same name, by the same folded name, or by the name of a mention."""
        if not isinstance(named, str):
            return self._having(named)
        own = self._named(fold(named))
        return [number for number in own if self.known[number].name == named] or own or self._having(named)

    def _having(self, named: Named) -> List[int]:
        """Find an entity by its number, or those that have a name, as their own or as that of a mention."""
        if isinstance(named, int):
            return [self.current(named)] if self.current(named) in self.known else []
        if isinstance(named, InDocument):
            rows = [row for row in self._rows.get(fold(named.name), ()) if self.documents[row] == named.doc_id]
            return sorted({int(self.mentions[row]) for row in rows})
        form = fold(named)
        return sorted({*self._named(form), *(int(self.mentions[row]) for row in self._rows.get(form, ()))})


def find_apart(
    groups: Sequence[Group], decisions: Sequence[Decision], mentions: Iterable[Tuple[int, str, str]]
) -> Set[int]:
    """Find the groups that decisions about documents name: only decisions join them with others of their name.

    mentions (Iterable[Tuple[int, str, str]]): Entity, document and name of the mentions of the graph that is added to.
    RETURNS (Set[int]): Their positions.
    """
    located = [each.located for each in decisions if each.action == "different"]
    located += [named for each in decisions if each.action == "same" for named in each.all_located]
    wanted = {(fold(each.name), each.doc_id) for each in located if each is not None}
    if not wanted:
        return set()
    documents: Dict[int, Set[str]] = {}
    named: Dict[int, Set[str]] = {}
    for number, doc_id, text in mentions:
        documents.setdefault(number, set()).add(doc_id)
        if (fold(text), doc_id) in wanted:
            named.setdefault(number, set()).add(doc_id)
    alone = {number for number, found in named.items() if documents[number] == found}
    return {
        position
        for position, group in enumerate(groups)
        if group.fixed in alone
        or any(
            (fold(text), group.doc_id) in wanted
            for text in (group.name.text, *(form.text for form in group.short_forms))
        )
    }


def number_groups(groups: Sequence[Group], joined: Joined, *, taken: int = 0) -> Tuple[Ids, Dict[int, Entity]]:
    """Number entities: those of the graph keep their numbers, new ones follow in the order of the documents.

    taken (int): The highest number that was ever given.
    RETURNS (Tuple[Ids, Dict[int, Entity]]): The entity of each group, and all entities.
    """
    fixed: Dict[int, int] = {}
    for root, group in zip(joined.roots, groups):
        if group.fixed is not None:
            fixed.setdefault(root, group.fixed)
    numbers: Dict[int, int] = dict(fixed)
    given: Dict[int, List[str]] = {}
    known: Dict[int, Entity] = {}
    ids = numpy.zeros(len(groups), dtype="int64")
    following = max([taken, *fixed.values()]) + 1
    for position, (root, group) in enumerate(zip(joined.roots, groups)):
        number = numbers.get(root)
        if number is None:
            number = numbers[root] = following
            following += 1
        ids[position] = number
        entity = known.setdefault(number, Entity(tidy(group.name.text), group.name.label, group.kb_id))
        entity.label, entity.kb_id = entity.label or group.name.label, entity.kb_id or group.kb_id
        if root not in fixed and not group.name.is_pronoun:
            given.setdefault(number, []).append(group.name.text)
    for number, all_names in given.items():
        known[number].name = tidy(choose_name(all_names))
    return ids, known


def other_names(entities: Dict[int, Entity], pairs: Iterable[Tuple[int, str]]) -> Dict[int, List[str]]:
    """List the distinct names of mentions besides the entity's own, sorted; without pronouns and descriptions."""
    others: Dict[int, Set[str]] = {number: set() for number in entities}
    for number, text in pairs:
        name = tidy(text)
        if not (is_pronoun(name) or is_description(name)):
            others[number].add(name)
    return {number: sorted(texts - {entities[number].name}) for number, texts in others.items()}
