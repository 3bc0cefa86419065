"""Disjoint sets of items, some of which must not be joined."""

from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

# Reasons that join even what is known to be different.
SURE = ("exact", "kb_id")


class Link(NamedTuple):
    """Why two items are the same entity: their positions, the rule and how certain it is."""

    kept: int
    merged: int
    reason: str
    score: float


class Forest:
    """Disjoint sets of items, which keep apart what must not be joined.

    kb_ids (Sequence[Optional[str]]): Id of each item in a knowledge base; a set has at most one.
    fixed (Optional[Sequence[Optional[int]]]): Entity of each item in the graph, of which a set has at most one, too.
    apart (Iterable[Tuple[int, int]]): Items that only the reasons of SURE join.
    """

    def __init__(
        self,
        kb_ids: Sequence[Optional[str]],
        fixed: Optional[Sequence[Optional[int]]] = None,
        apart: Iterable[Tuple[int, int]] = (),
    ) -> None:
        self.kb_ids: List[Optional[object]] = list(kb_ids)
        self.fixed: List[Optional[object]] = [None] * len(self.kb_ids) if fixed is None else list(fixed)
        self.links: List[Link] = []
        self._parents = list(range(len(self.kb_ids)))
        self._apart: Dict[int, Set[int]] = {}
        for one, other in apart:
            self._apart.setdefault(one, set()).add(other)
            self._apart.setdefault(other, set()).add(one)

    def root(self, position: int) -> int:
        """Find the first item of a set."""
        parents = self._parents
        while parents[position] != position:
            parents[position] = position = parents[parents[position]]
        return position

    def roots(self) -> List[int]:
        """Find the first item of the set of each item."""
        return [self.root(position) for position in range(len(self._parents))]

    def join(self, one: int, other: int, reason: str, score: float) -> None:
        """Join the sets of two items, unless they are one already or something keeps them apart."""
        first, second = self.root(one), self.root(other)
        if first == second or not self.may_join(first, second, sure=reason in SURE):
            return
        first, second = min(first, second), max(first, second)
        self._parents[second] = first
        for values in (self.kb_ids, self.fixed):
            values[first] = values[second] if values[first] is None else values[first]
        if second in self._apart:
            self._apart.setdefault(first, set()).update(self._apart[second])
        self.links.append(Link(one, other, reason, score))

    def may_join(self, one: int, other: int, *, sure: bool = False) -> bool:
        """Return True unless ids differ, or items are known to be different."""
        first, second = self.root(one), self.root(other)
        for values in (self.kb_ids, self.fixed):
            if values[first] is not None and values[second] is not None and values[first] != values[second]:
                return False
        return sure or all(self.root(each) != second for each in self._apart.get(first, ()))
