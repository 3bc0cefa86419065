"""Names with a spelling slip: the nearest name for capitalised words and entities that no name matches as written."""

from collections import defaultdict
from functools import lru_cache
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from ..corpora.blocks import TextBlock
from ..errors import require

# Most words of a name that is looked for among capitalised ones.
MOST_WORDS = 5

# Strings whose nearest name is kept in memory.
REMEMBERED = 100_000

Ids = Sequence[str]


class NearNames:
    """Knows the nearest name to a string, among those with the same first character; of equals the first in order.

    names (Mapping[str, Sequence[str]]): Name → ids.
    least (float): Least similarity, up to 100: two hundred times what two strings share, by the sum of their lengths.
    RAISES (ImportError): Where rapidfuzz is not installed.
    """

    def __init__(self, names: Mapping[str, Ids], *, least: float) -> None:
        self._rapidfuzz = require("rapidfuzz", purpose="names with a spelling slip", extra="kb")
        self._least = least
        self._names = names
        self._by_first: Dict[str, List[str]] = defaultdict(list)
        for name in sorted(names):
            self._by_first[name[0]].append(name)
        self.ids_of = lru_cache(maxsize=REMEMBERED)(self._ids_of)

    def _ids_of(self, text: str) -> Optional[Ids]:
        """RETURNS (Optional[Sequence[str]]): Ids of the nearest name; None where none is near enough."""
        options = {"scorer": self._rapidfuzz.fuzz.ratio, "score_cutoff": self._least}
        best = self._rapidfuzz.process.extractOne(text, self._by_first.get(text[:1], ()), **options)
        return self._names[best[0]] if best else None

    def find(self, block: TextBlock, taken: Sequence[Tuple[int, int]]) -> List[Tuple[int, int, Ids]]:
        """Look for names where none is as written: entities first, then capitalised words, the longest first.

        block (TextBlock): The texts.
        taken (Sequence[Tuple[int, int]]): First token and end of what is found already.
        RETURNS (List[Tuple[int, int, Sequence[str]]]): First token, end and ids.
        """
        strings, spaces = block.lengths.strings, block.spaces[:, 0].tolist()
        texts = [strings[word] for word in block.words()]
        free = [True] * len(texts)
        for start, end in taken:
            free[start:end] = [False] * (end - start)
        found: List[Tuple[int, int, Ids]] = []
        entities = [(start, end) for start, end, _ in block.links()]
        for start, end in [*entities, *_capitalised(texts, free, set(block.bounds))]:
            if all(free[start:end]):
                parts = (text + " " * space for text, space in zip(texts[start:end], spaces[start:end]))
                ids = self.ids_of("".join(parts).strip())
                if ids is not None:
                    found.append((start, end, ids))
                    free[start:end] = [False] * (end - start)
        return found


def _capitalised(texts: Sequence[str], free: Sequence[bool], bounds: Set[int]) -> Iterator[Tuple[int, int]]:
    """Yield parts of runs of capitalised words inside a text, the longest parts of each run first."""
    start = 0
    while start < len(texts):
        end = start
        while end < len(texts) and free[end] and texts[end][:1].isupper() and (end == start or end not in bounds):
            end += 1
        for size in range(min(end - start, MOST_WORDS), 0, -1):
            yield from ((first, first + size) for first in range(start, end - size + 1))
        start = max(end, start + 1)
