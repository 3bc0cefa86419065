"""How far distant labels are from the true ones."""

from collections import Counter
from typing import Any, Dict, Iterable, Sequence, Tuple

Key = Tuple[int, int, str, int, int]


def measure_label_noise(
    sentences: Iterable[Tuple[Sequence[Dict[str, Any]], Sequence[Dict[str, Any]]]],
) -> Dict[str, Dict[str, Any]]:
    """Compare the true and the distant triples of sentences, exact in offsets and relation.

    sentences (Iterable[Tuple[Sequence[Dict[str, Any]], Sequence[Dict[str, Any]]]]): Canonical triples: true, distant.
    RETURNS (Dict[str, Dict[str, Any]]): For "all" and each relation: the counts `true`, `distant` and `both`, and
        `false_negative_rate` (true triples without a label) and `false_positive_rate` (labels that are not true) as
        fractions; None where there is nothing to divide by.
    """
    true, distant, both = Counter[str](), Counter[str](), Counter[str]()
    for stated, labelled in sentences:
        stated_keys, labelled_keys = {_key(t) for t in stated}, {_key(t) for t in labelled}
        for counter, keys in ((true, stated_keys), (distant, labelled_keys), (both, stated_keys & labelled_keys)):
            counter.update(key[2] for key in keys)
            counter["all"] += len(keys)
    relations = sorted((set(true) | set(distant)) - {"all"})
    return {
        name: {
            "true": true[name],
            "distant": distant[name],
            "both": both[name],
            "false_negative_rate": _share_lost(both[name], true[name]),
            "false_positive_rate": _share_lost(both[name], distant[name]),
        }
        for name in ["all", *relations]
    }


def _key(triple: Dict[str, Any]) -> Key:
    """What makes two triples the same."""
    return (*triple["subject"], triple["relation"], *triple["object"])


def _share_lost(kept: int, total: int) -> Any:
    """Divide, or return None where nothing is there."""
    return round(1 - kept / total, 4) if total else None
