"""Entities by the names that a text may give them, and the choice among several senses of a name."""

from typing import Dict, Iterator, List, Mapping, Sequence, Set, Tuple

from .alignment import text_names
from .facts import FactIndex, Names

ARTICLE = "the "

# Suffixes that are no surnames ("Sammy Davis Jr."), and words of names that have no surname ("Anne of Cleves").
GENERATIONS = frozenset({"jr", "jr.", "sr", "sr.", "ii", "iii", "iv"})
NO_SURNAME = frozenset({"of", "the"})

# Words of at most so many letters may be other words in other letter case: "IT" and "It", "WHO" and "Who".
LONGEST_ACRONYM = 3

# Ids of the entities that a name may mean.
Senses = Tuple[str, ...]


class NameIndex:
    """Entities by name, whatever the letter case and with or without a leading "the"; labels come before aliases."""

    def __init__(self, names: Mapping[str, Names]) -> None:
        self._forms: Dict[str, Dict[str, List[str]]] = {}
        ordered = sorted(names)
        pairs = [(names[entity].label, entity) for entity in ordered]
        pairs += [(alias, entity) for entity in ordered for alias in names[entity].aliases]
        for name, entity in pairs:
            if name.strip():
                ids = self._forms.setdefault(_key(name), {}).setdefault(_bare(name), [])
                ids += [entity] if entity not in ids else []
        self._names = names

    def __len__(self) -> int:
        return len(self._forms)

    def find(self, text: str, *, strict: bool = False) -> Senses:
        """Look up a name: first as it is written, then in other letter case.

        strict (bool): Accept other letter case only if differing words have a capital, and not for short acronyms.
        """
        forms, bare = self._forms.get(_key(text), {}), _bare(text)
        if bare in forms:
            return tuple(forms[bare])
        ids = (each for name, ids in forms.items() if not strict or _is_recased(bare, name) for each in ids)
        return tuple(dict.fromkeys(ids))

    def types_of(self, entity: str) -> Tuple[str, ...]:
        """Return the types of an entity."""
        return self._names[entity].types if entity in self._names else ()

    def texts(self) -> Iterator[str]:
        """Yield the names to search a text for, each once: "The X" is left out if "X" is a name of the same entity."""
        seen: Set[str] = set()
        for entity in sorted(self._names):
            for name in text_names([each for each in self._names[entity].all if each.strip()]):
                if name not in seen:
                    seen.add(name)
                    yield name


def choose_senses(mentions: Sequence[Senses], kb: FactIndex) -> List[str]:
    """Choose one entity for each mention: of several, the one with the most facts about candidates of other names.

    Of equals, the one with the most facts, then the first. All mentions of a name get the same entity.

    RETURNS (List[str]): Ids, "" for a mention without candidates.
    """
    names, chosen = set(mentions), {}
    for ids in names:
        if len(ids) > 1:
            others = {each for name in names if name != ids for each in name}
            # max keeps the first of equals
            chosen[ids] = max(ids, key=lambda each: (kb.facts_with(each, others), kb.count_facts(each)))
    return [chosen.get(ids, ids[0]) if ids else "" for ids in mentions]


def surnames_of(name: str) -> List[str]:
    """List the possible surnames in a person's full name: its last words, the longest first."""
    words = name.split()
    while words and words[-1].lower() in GENERATIONS:
        words.pop()
    if not NO_SURNAME.isdisjoint(words):
        return []
    return [" ".join(words[start:]) for start in range(1, len(words))]


def _key(name: str) -> str:
    """Fold a name: letter case, spaces and article."""
    return _bare(name).casefold()


def _bare(name: str) -> str:
    """Remove a leading article and repeated spaces; "the" alone stays."""
    text = " ".join(name.split())
    return text[len(ARTICLE) :] if text.lower().startswith(ARTICLE) else text


def _is_recased(text: str, name: str) -> bool:
    """Return True if a text may be a name in other letter case, as in a heading, and not another word."""
    if " " not in text and len(text) <= LONGEST_ACRONYM:
        return False
    return all(one == two or one[:1].isupper() for one, two in zip(text.split(), name.split()))
