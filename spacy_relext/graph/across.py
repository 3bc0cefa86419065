"""Matching of entities across documents: by equal ids, equal names, and nearly equal long names."""

from dataclasses import dataclass, field
from typing import Collection, Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from ..errors import require
from . import names
from .within import DEFAULT_RULES

# Minimum similarity of two names in different documents, 0 to 1.
FUZZY_ACROSS = 0.97
# Shorter names are not compared letter by letter across documents.
_LEAST_LETTERS = 12
# A word that more names share does not make them candidates.
_MOST_NAMES = 200

# Rules whose short forms refer to the same entity in other documents, too, if only one entity has them.
_LASTING = ("alias", "acronym")

# All rules that find short forms inside documents.
_SHORT = ("person", "last word", "first word", *_LASTING)

# Normal form and type.
Key = Tuple[str, Optional[str]]


class ShortForm(NamedTuple):
    """A name that was joined with another one inside a document, and by which rule."""

    text: str
    reason: str


class Merge(NamedTuple):
    """Two groups that are the same entity: positions, the rule and how sure it is."""

    kept: int
    merged: int
    reason: str
    score: float


@dataclass
class Groups:
    """The entities of each document, one after the other, as columns.

    names (List[str]): Their full names.
    labels (List[Optional[str]]): Types.
    kb_ids (List[Optional[str]]): Ids in a knowledge base.
    fixed (List[Optional[int]]): Ids of entities that are in the graph already; None for new ones.
    short_forms (List[Sequence[ShortForm]]): Other names inside their documents.
    """

    names: List[str] = field(default_factory=list)
    labels: List[Optional[str]] = field(default_factory=list)
    kb_ids: List[Optional[str]] = field(default_factory=list)
    fixed: List[Optional[int]] = field(default_factory=list)
    short_forms: List[Sequence[ShortForm]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.names)

    def add(
        self,
        name: str,
        label: Optional[str],
        kb_id: Optional[str],
        *,
        fixed: Optional[int] = None,
        short_forms: Sequence[ShortForm] = (),
    ) -> int:
        """Add a group. RETURNS (int): Its position."""
        self.names.append(name)
        self.labels.append(label)
        self.kb_ids.append(kb_id)
        self.fixed.append(fixed)
        self.short_forms.append(short_forms)
        return len(self.names) - 1


class Joined(NamedTuple):
    """Groups that are the same entity.

    roots (List[int]): For each group, the position of the first group of its entity.
    merges (List[Merge]): What was joined, and why.
    """

    roots: List[int]
    merges: List[Merge]


def join_groups(groups: Groups, *, rules: Collection[str] = DEFAULT_RULES, similarity: float = FUZZY_ACROSS) -> Joined:
    """Join the entities of documents.

    Equal ids are the same entity, whatever the names. Names are compared within a type. A short name that stands for
    several entities is not joined. Entities that are in the graph already, and entities with different ids, stay apart.

    rules (Collection[str]): Those of `within.RULES` that are used.
    similarity (float): Minimum similarity of long names, 0 to 1; 1 for equal names only.
    """
    forest = _Forest(groups)
    _join_fixed(groups, forest)
    if "kb_id" in rules:
        _join_ids(groups, forest)
    buckets = _fill_buckets(groups, rules)
    short = {key for _, key in _short_keys(groups, _SHORT, rules) if key in buckets}
    for key, members in buckets.items():
        if key not in short:
            _join_bucket(members, forest, groups)
    owners = _owners(groups, forest, _SHORT, short, rules)
    for key in buckets:
        if key in short and len(owners[key]) < 2:
            _join_bucket(buckets[key], forest, groups)
    if "exact" in rules:
        _join_untyped(buckets, forest, groups, short)
    for rule in _LASTING:
        for key, roots in _owners(groups, forest, [rule] if rule in rules else (), short, rules).items():
            if len(owners[key]) == 1:
                for position in buckets[key]:
                    forest.join(next(iter(roots)), position, rule, 0.9)
    if "similar" in rules and similarity < 1:
        _join_similar(groups, forest, set(buckets) - short, buckets, similarity)
    return Joined([forest.root(position) for position in range(len(groups))], forest.merges)


class _Forest:
    """Disjoint sets of groups, each with at most one id and one entity of the graph."""

    def __init__(self, groups: Groups) -> None:
        self.parents = list(range(len(groups)))
        self.kb_ids, self.fixed = list(groups.kb_ids), list(groups.fixed)
        self.merges: List[Merge] = []

    def root(self, position: int) -> int:
        """Find the first group of a set."""
        parents = self.parents
        while parents[position] != position:
            parents[position] = position = parents[parents[position]]
        return position

    def join(self, one: int, other: int, reason: str, score: float) -> None:
        """Join the sets of two groups, unless ids keep them apart."""
        first, second = sorted((self.root(one), self.root(other)))
        kb_ids, fixed = self.kb_ids, self.fixed
        if first == second or _differ(kb_ids[first], kb_ids[second]) or _differ(fixed[first], fixed[second]):
            return
        self.parents[second] = first
        kb_ids[first] = kb_ids[second] if kb_ids[first] is None else kb_ids[first]
        fixed[first] = fixed[second] if fixed[first] is None else fixed[first]
        self.merges.append(Merge(one, other, reason, score))


def _differ(one: object, other: object) -> bool:
    """Return True for two values that are known and not equal."""
    return one is not None and other is not None and one != other


def _join_fixed(groups: Groups, forest: _Forest) -> None:
    """Join the groups of each entity that is in the graph already; these are no new merges."""
    first: Dict[int, int] = {}
    for position, entity in enumerate(groups.fixed):
        if entity is not None and first.setdefault(entity, position) != position:
            forest.join(first[entity], position, "", 1.0)
    forest.merges.clear()


def _join_ids(groups: Groups, forest: _Forest) -> None:
    """Join groups with the same id."""
    first: Dict[str, int] = {}
    for position, kb_id in enumerate(groups.kb_ids):
        if kb_id and first.setdefault(kb_id, position) != position:
            forest.join(first[kb_id], position, "kb_id", 1.0)


def _fill_buckets(groups: Groups, rules: Collection[str]) -> Dict[Key, List[int]]:
    """Collect groups with the same normal form and type; pronouns are left out."""
    buckets: Dict[Key, List[int]] = {}
    for position, (name, label) in enumerate(zip(groups.names, groups.labels)):
        if not names.is_pronoun(name):
            buckets.setdefault(_key(name, label, rules), []).append(position)
    return buckets


def _key(name: str, label: Optional[str], rules: Collection[str]) -> Key:
    """Return the normal form and the type by which names are compared."""
    if names.is_place(label) and "country" in rules:
        country = names.country_of(name, peoples="people" in rules)
        if country:
            return country, label
    return (names.normalize_name(name, label) if "normalized" in rules else name), label


def _short_keys(groups: Groups, reasons: Collection[str], rules: Collection[str]) -> Iterator[Tuple[int, Key]]:
    """Yield the positions of groups with the short forms that some rules found inside documents."""
    for position, (label, forms) in enumerate(zip(groups.labels, groups.short_forms)):
        for form in forms:
            if form.reason in reasons:
                yield position, _key(form.text, label, rules)


def _owners(
    groups: Groups, forest: _Forest, reasons: Collection[str], keys: Set[Key], rules: Collection[str]
) -> Dict[Key, Set[int]]:
    """Map short forms to the entities that have them."""
    owners: Dict[Key, Set[int]] = {}
    for position, key in _short_keys(groups, reasons, rules):
        if key in keys:
            owners.setdefault(key, set()).add(forest.root(position))
    return owners


def _join_bucket(members: Sequence[int], forest: _Forest, groups: Groups) -> None:
    """Join groups of one name, unless ids show that several entities have it: one without an id could be either."""
    if len(members) < 2:
        return
    roots = {forest.root(position) for position in members}
    if len({forest.kb_ids[root] for root in roots} - {None}) > 1:
        return
    if len({forest.fixed[root] for root in roots} - {None}) > 1:
        return
    for position in members[1:]:
        is_equal = groups.names[members[0]] == groups.names[position]
        forest.join(members[0], position, "exact" if is_equal else "normalized", 1.0 if is_equal else 0.99)


def _join_untyped(buckets: Dict[Key, List[int]], forest: _Forest, groups: Groups, short: Set[Key]) -> None:
    """Join groups without a type with the only entity of that name that has one."""
    typed: Dict[str, Set[int]] = {}
    untyped = {form for form, label in buckets if label is None} - {form for form, _ in short}
    for (form, label), members in buckets.items():
        if label is not None and form in untyped:
            typed.setdefault(form, set()).update(forest.root(position) for position in members)
    for form, roots in typed.items():
        root = next(iter(roots))
        for position in buckets[form, None] if len(roots) == 1 else ():
            is_equal = groups.names[root] == groups.names[position]
            forest.join(root, position, "exact" if is_equal else "normalized", 0.95)


def _join_similar(
    groups: Groups, forest: _Forest, keys: Set[Key], buckets: Dict[Key, List[int]], similarity: float
) -> None:
    """Join long names of two or more words that share a word and are spelt nearly alike."""
    modules = ("rapidfuzz.process", "rapidfuzz.fuzz")
    process, fuzz = (require(module, purpose="similar names", extra="export") for module in modules)
    blocks: Dict[Key, List[Key]] = {}
    for key in buckets:
        form, label = key
        if key not in keys or names.is_value(label) or len(form) < _LEAST_LETTERS or " " not in form:
            continue
        for word in dict.fromkeys(form.split()):
            blocks.setdefault((word, label), []).append(key)
    for block in blocks.values():
        if not 1 < len(block) <= _MOST_NAMES:
            continue
        forms = [form for form, _ in block]
        scores = process.cdist(forms, forms, scorer=fuzz.ratio, score_cutoff=100 * similarity, workers=1)
        for one, other in zip(*scores.nonzero()):
            if one < other and names.is_variant(tuple(forms[one].split()), tuple(forms[other].split())):
                first, second = buckets[block[one]][0], buckets[block[other]][0]
                forest.join(first, second, "similar", round(float(scores[one, other]) / 100, 4))
