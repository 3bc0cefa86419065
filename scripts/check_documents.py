"""Check the hand-written documents: marks, entities, pronouns without a mark, facts and the types of their arguments.

python scripts/check_documents.py assets/prose/documents/*.txt
"""

import argparse
import collections
import re
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Set, Tuple

from spacy_relext.annotations.schema import read_schema

RELATIONS = read_schema(Path(__file__).parents[1] / "assets" / "schema.yaml").relations
TYPES = {"P": "PERSON", "O": "ORG", "L": "PLACE", "W": "WORK", "T": "TIME", "N": "NUMBER", "M": "MISC"}
MARK = re.compile(r"\[([POLWTNM])(\d+)(~?) ")
PERSONAL = frozenset("he him his she her hers himself herself".split())


def read_blocks(path: Path) -> Iterator[Tuple[int, str, str]]:
    """Yield first line, text with marks and facts of each document of a file."""
    lines = [line for line in enumerate(path.read_text(encoding="utf8").splitlines(), 1) if not line[1].startswith("#")]
    block: List[Tuple[int, str]] = []
    for number, line in [*lines, (0, "")]:
        if line.strip():
            block.append((number, line.strip()))
        elif block:
            facts = block[-1][1]
            yield block[0][0], " ".join(each for _, each in block[:-1]), facts
            block = []


def check(text: str, facts: str) -> List[str]:
    """Name what is wrong with a document."""
    if not facts.startswith("||"):
        return ["the last line does not begin with ||"]
    if MARK.sub("", text).count("[") or MARK.sub("", text).count("]") != len(MARK.findall(text)):
        return ["brackets that are no marks, or are not closed"]
    found: List[str] = []
    types: Dict[str, Set[str]] = collections.defaultdict(set)
    named: Set[str] = set()
    counts: collections.Counter = collections.Counter()
    for letter, number, other in MARK.findall(text):
        types[number].add(letter)
        counts[number] += 1
        if not other:
            named.add(number)
    found += [f"entity {number} has types {sorted(of)}" for number, of in types.items() if len(of) > 1]
    found += [
        f"entity {number} has one mention, which is no name"
        for number in types
        if number not in named and counts[number] < 2
    ]
    marked = MARK.sub("\x00", text)
    for word in re.finditer(r"(?<![\w’'])\w+", marked):
        if word.group().lower() in PERSONAL and not marked[: word.start()].endswith("\x00"):
            found.append(f"{word.group()!r} has no mark (…{marked[max(0, word.start() - 30) : word.end()]})")
    for fact in filter(None, (each.strip() for each in facts[2:].split(";"))):
        parts = fact.split()
        if len(parts) != 3 or parts[1] not in RELATIONS:
            found.append(f"no fact: {fact!r}")
            continue
        for role, number in (("subject", parts[0]), ("object", parts[2])):
            if number not in named:
                found.append(f"{fact!r}: the {role} has no name")
            elif not {TYPES[each] for each in types[number]} & set(getattr(RELATIONS[parts[1]], role)):
                found.append(f"{fact!r}: the {role} is {sorted(types[number])}")
    if len(re.findall(r"[.!?]", text)) < 2:
        found.append("fewer than three sentences")
    return found


def main() -> int:
    """Run the command line.

    RETURNS (int): Exit code.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path)
    seen: Set[str] = set()
    totals: collections.Counter = collections.Counter()
    failures = 0
    for path in parser.parse_args().paths:
        for line, text, facts in read_blocks(path):
            problems = [*check(text, facts), *(["the same text stands elsewhere"] if text in seen else [])]
            for problem in problems:
                print(f"{path}:{line}: {problem}")
            failures += len(problems)
            seen.add(text)
            totals["documents"] += 1
            totals["other mentions"] += len(re.findall(r"\[\w\d+~ ", text))
            totals["mentions"] += len(MARK.findall(text))
            totals["facts"] += facts.count(";") + (len(facts) > 3)
    print(", ".join(f"{count} {what}" for what, count in totals.items()))
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
