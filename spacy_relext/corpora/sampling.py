"""A uniform sample of a stream of unknown length."""

from typing import Callable, Generic, List, Optional, TypeVar

Item = TypeVar("Item")


class Reservoir(Generic[Item]):
    """A uniform sample of a stream of unknown length (algorithm R; Vitter, 1985).

    size (int): Maximum size of the sample.
    draw (Callable[[int], int]): Draws a uniform integer from 0 to n - 1, for the argument n.
    """

    def __init__(self, size: int, draw: Callable[[int], int]) -> None:
        self.size, self.seen = size, 0
        self.items: List[Item] = []
        self._draw = draw

    def __len__(self) -> int:
        return len(self.items)

    def next_place(self) -> Optional[int]:
        """Count an item of the stream; return its place in `items`, or None if it is not sampled."""
        self.seen += 1
        place = len(self.items) if len(self.items) < self.size else int(self._draw(self.seen))
        return place if place < self.size else None
