"""Shortest paths in a graph."""

from typing import Callable, Dict, Iterable, List, Optional, Set, Tuple, TypeVar

Edge = TypeVar("Edge")


def find_path(
    starts: Iterable[int],
    goals: Set[int],
    edges_of: Callable[[List[int]], Iterable[Tuple[int, int, Edge]]],
    *,
    limit: Optional[int] = None,
    most_visited: Optional[int] = None,
) -> List[Edge]:
    """Find a shortest path, breadth first; of equally short ones that of the first edges.

    edges_of (Callable[[List[int]], Iterable[Tuple[int, int, Edge]]]): Start, end and name of the edges from some nodes.
    limit (Optional[int]): Maximum number of edges; None: any number.
    most_visited (Optional[int]): The search stops after it has visited so many nodes.
    RETURNS (List[Edge]): Its edges; empty if there is none.
    """
    visited: Dict[int, Optional[Tuple[int, Edge]]] = dict.fromkeys(starts)
    queue, steps = list(visited), 0
    while queue and not goals & visited.keys() and steps != limit:
        if most_visited is not None and len(visited) > most_visited:
            break
        following = []
        for start, end, edge in edges_of(queue):
            if end not in visited:
                visited[end] = (start, edge)
                following.append(end)
        queue, steps = following, steps + 1
    path: List[Edge] = []
    step = visited.get(min(goals & visited.keys(), default=-1))
    while step is not None:
        path.append(step[1])
        step = visited[step[0]]
    return path[::-1]
