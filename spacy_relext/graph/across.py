"""Matching of entities across documents: by equal ids, equal names, and nearly equal long names."""

from typing import Collection, Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from ..annotations import names
from ..annotations.disjoint_sets import Forest, Link
from ..annotations.grouping import DEFAULT_RULES
from ..annotations.names import PLACE, VALUE, Name, parse_name
from ..errors import require

# Minimum similarity of two names in different documents, 0 to 1.
FUZZY_ACROSS = 0.97
# Shorter names are not compared letter by letter across documents.
_MIN_LETTERS = 12
# A word that more names share does not make them candidates.
_MAX_NAMES = 200

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


class Group(NamedTuple):
    """An entity of a document.

    name (Name): Its full name, with its type.
    kb_id (Optional[str]): Id in a knowledge base.
    fixed (Optional[int]): Id of an entity that is in the graph already; None for a new one.
    short_forms (Sequence[ShortForm]): Other names inside its document.
    doc_id (Optional[str]): The document; None for an entity of the graph.
    """

    name: Name
    kb_id: Optional[str] = None
    fixed: Optional[int] = None
    short_forms: Sequence[ShortForm] = ()
    doc_id: Optional[str] = None


class Joined(NamedTuple):
    """Groups that are the same entity.

    roots (List[int]): For each group, the position of the first group of its entity.
    links (List[Link]): What was joined, and why.
    """

    roots: List[int]
    links: List[Link]


def join_groups(
    groups: Sequence[Group],
    *,
    rules: Collection[str] = DEFAULT_RULES,
    similarity: float = FUZZY_ACROSS,
    apart: Collection[int] = (),
) -> Joined:
    """Join the entities of documents.

    Equal ids are the same entity, whatever the names. Names are compared within a type. A short name that stands for
    several entities is not joined. Entities that are in the graph already, and entities with different ids, stay apart.

    groups (Sequence[Group]): The entities of each document, one after the other.
    rules (Collection[str]): Those of `grouping.RULES` that are used.
    similarity (float): Minimum similarity of long names, 0 to 1; 1 for equal names only.
    apart (Collection[int]): Positions of groups whose names are not compared.
    """
    forest = Forest([group.kb_id for group in groups], [group.fixed for group in groups])
    _join_equal_ids([group.fixed for group in groups], forest)
    forest.links.clear()  # entities of the graph are no new links
    if "kb_id" in rules:
        _join_equal_ids([group.kb_id for group in groups], forest)
    buckets = _fill_buckets(groups, rules, apart)
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
        _join_similar(buckets, forest, short, similarity)
    return Joined(forest.roots(), forest.links)


def _join_equal_ids(ids: Sequence[object], forest: Forest) -> None:
    first: Dict[object, int] = {}
    for position, each in enumerate(ids):
        if each is not None and first.setdefault(each, position) != position:
            forest.join(first[each], position, "kb_id", 1.0)


def _fill_buckets(groups: Sequence[Group], rules: Collection[str], apart: Collection[int]) -> Dict[Key, List[int]]:
    """Collect groups with the same normal form and type; pronouns and descriptions without a type are left out."""
    buckets: Dict[Key, List[int]] = {}
    for position, group in enumerate(groups):
        is_description = group.name.label is None and names.is_description(group.name.text)
        if not (group.name.is_pronoun or is_description or position in apart):
            buckets.setdefault(_key(group.name, rules), []).append(position)
    return buckets


def _key(name: Name, rules: Collection[str]) -> Key:
    """Return the normal form and the type by which names are compared."""
    if name.kind == PLACE and "country" in rules:
        country = names.country_of(name.folded, peoples="people" in rules)
        if country:
            return country, name.label
    return (name.normal if "normalized" in rules else name.text), name.label


def _short_keys(groups: Sequence[Group], reasons: Collection[str], rules: Collection[str]) -> Iterator[Tuple[int, Key]]:
    """Yield the positions of groups with the short forms of some rules inside documents."""
    for position, group in enumerate(groups):
        for form in group.short_forms:
            if form.reason in reasons:
                yield position, _key(parse_name(form.text, group.name.label), rules)


def _owners(
    groups: Sequence[Group], forest: Forest, reasons: Collection[str], keys: Set[Key], rules: Collection[str]
) -> Dict[Key, Set[int]]:
    owners: Dict[Key, Set[int]] = {}
    for position, key in _short_keys(groups, reasons, rules):
        if key in keys:
            owners.setdefault(key, set()).add(forest.root(position))
    return owners


def _join_bucket(members: Sequence[int], forest: Forest, groups: Sequence[Group]) -> None:
    """Join groups of one name, unless ids show that several entities have it: one without an id could be either."""
    if len(members) < 2:
        return
    roots = {forest.root(position) for position in members}
    if any(len({values[root] for root in roots} - {None}) > 1 for values in (forest.kb_ids, forest.fixed)):
        return
    for position in members[1:]:
        is_equal = groups[members[0]].name.text == groups[position].name.text
        forest.join(members[0], position, "exact" if is_equal else "normalized", 1.0 if is_equal else 0.99)


def _join_untyped(buckets: Dict[Key, List[int]], forest: Forest, groups: Sequence[Group], short: Set[Key]) -> None:
    """Join groups without a type with the only entity of that name that has one."""
    typed: Dict[str, Set[int]] = {}
    untyped = {form for form, label in buckets if label is None} - {form for form, _ in short}
    for (form, label), members in buckets.items():
        if label is not None and form in untyped:
            typed.setdefault(form, set()).update(forest.root(position) for position in members)
    for form, roots in typed.items():
        root = next(iter(roots))
        for position in buckets[form, None] if len(roots) == 1 else ():
            is_equal = groups[root].name.text == groups[position].name.text
            forest.join(root, position, "exact" if is_equal else "normalized", 0.95)


def _join_similar(buckets: Dict[Key, List[int]], forest: Forest, short: Set[Key], similarity: float) -> None:
    """Join long names of two or more words, no short forms, that share a word and are spelt nearly alike."""
    modules = ("rapidfuzz.process", "rapidfuzz.fuzz")
    process, fuzz = (require(module, purpose="similar names", extra="export") for module in modules)
    blocks: Dict[Key, List[Key]] = {}
    for key in buckets:
        form, label = key
        is_long = len(form) >= _MIN_LETTERS and " " in form
        if is_long and key not in short and names.kind_of(label) != VALUE:
            for word in dict.fromkeys(form.split()):
                blocks.setdefault((word, label), []).append(key)
    for block in blocks.values():
        if not 1 < len(block) <= _MAX_NAMES:
            continue
        forms = [form for form, _ in block]
        scores = process.cdist(forms, forms, scorer=fuzz.ratio, score_cutoff=100 * similarity, workers=1)
        for one, other in zip(*scores.nonzero()):
            if one < other and names.is_variant(forms[one], forms[other]):
                first, second = buckets[block[one]][0], buckets[block[other]][0]
                forest.join(first, second, "similar", round(float(scores[one, other]) / 100, 4))
