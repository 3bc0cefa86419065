"""Damaged variants of an input, the same for the same seed: bytes flipped, cut, repeated, moved; JSON restructured."""

import copy
import json
import random
from typing import Any, Callable, List, Tuple, Union

Place = Tuple[Any, Any]

# What parsers stumble over: no numbers, huge numbers, halves of surrogate pairs, controls, marks, nesting.
SPECIAL = [
    *(b"NaN", b"-Infinity", b"1e999", b"9" * 400, b"-1", b"18446744073709551616", b"0.5", b"null", b"true", b'""'),
    *(b"\\ud800", b"\xed\xa0\x80", b"\\u0000", b"\x00", b"\x1b", b"\xff", b"\xef\xbb\xbf", b"\r\n", b"\n", b"\t"),
    *(b"\xe2\x80\xa8", b"\xc2\x85", b"\xf0\x9f\x98\x80", b'"', b"'", b"\\", b"%s", b"{", b"}", b"[", b"]", b"<", b"@"),
    *(b"\\U00110000", b"\\u000A", b"&#0;", b"[" * 2_000, b'{"a":' * 2_000, b"(" * 2_000, b"a" * 5_000),
]

NESTED: Any = []
for _ in range(150):
    NESTED = [NESTED]

VALUES: List[Any] = [
    *(float("nan"), float("inf"), 10**400, -(2**63), 2**64, -1, 0, 1, 0.5, 1e308, True, False, None),
    *("", " ", "\ud800", "\x00", "\ufeff", "\r\n", "😀", "x" * 5_000, "-1", [], {}, [[]], [None], {"": None}, NESTED),
]


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Damage bytes; JSON, and lines of it, every other time by a value in it."""
    if rng.random() < 0.5:
        lines = data.split(b"\n")
        number = rng.randrange(len(lines))
        for start, end in ((0, len(lines)), (number, number + 1)):
            try:
                value = json.loads(b"\n".join(lines[start:end]))
            except ValueError:
                continue
            # without spaces and line breaks, so that lines stay lines
            changed = json.dumps(mutate_value(value, rng), ensure_ascii=rng.random() < 0.5)
            return b"\n".join([*lines[:start], changed.encode("utf8", "surrogatepass"), *lines[end:]])
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        data = rng.choice(_BYTES)(data, rng)
    return data


def mutate_value(value: Any, rng: random.Random) -> Any:
    """Copy plain values with one or two of them replaced, removed, repeated, or put in the place of others."""
    root = [copy.deepcopy(value)]
    for _ in range(rng.choice([1, 1, 2])):
        places = list(_places(root))
        holder, key = rng.choice(places)
        action = rng.randrange(5)
        if action == 0 and holder is not root:
            del holder[key]
        elif action == 1 and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(holder[key]))
        elif action == 2:
            other, at = rng.choice(places)
            holder[key] = copy.deepcopy(other[at])
        elif action == 3 and isinstance(holder, dict):
            holder[rng.choice(["", "\ud800", "text", "x" * 300])] = holder.pop(key)
        else:
            holder[key] = copy.deepcopy(rng.choice(VALUES))
        if not root:
            root = [None]
    return root[0]


def _places(root: Union[List[Any], Any]) -> List[Place]:
    """List holder and key of all values."""
    found: List[Place] = []
    holders = [root]
    while holders and len(found) < 10_000:
        holder = holders.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        found += [(holder, key) for key in keys]
        holders += [holder[key] for key in keys if isinstance(holder[key], (dict, list))]
    return found


def _flip(data: bytes, rng: random.Random) -> bytes:
    if not data:
        return b"\x00"
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _remove(data: bytes, rng: random.Random) -> bytes:
    start, end = _range(data, rng)
    return data[:start] + data[end:]


def _repeat(data: bytes, rng: random.Random) -> bytes:
    start, end = _range(data, rng)
    return data[:end] + data[start:end] * rng.choice([1, 2, 20]) + data[end:]


def _swap(data: bytes, rng: random.Random) -> bytes:
    (a, b), (c, d) = sorted([_range(data, rng), _range(data, rng)])
    return data if c < b else data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def _insert(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(SPECIAL) + data[at:]


def _overwrite(data: bytes, rng: random.Random) -> bytes:
    start, end = _range(data, rng)
    return data[:start] + rng.choice(SPECIAL) + data[end:]


def _range(data: bytes, rng: random.Random) -> Tuple[int, int]:
    """Choose a short piece."""
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + rng.choice([1, 2, 8, 64]))


_BYTES: List[Callable[[bytes, random.Random], bytes]] = [_flip, _cut, _remove, _repeat, _swap, _insert, _overwrite]
