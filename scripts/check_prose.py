"""Check the hand-written prose: marks, relations, argument types, duplicates, and entities shared between parts.

python scripts/check_prose.py assets/prose/train_*.txt
python scripts/check_prose.py --apart assets/prose/test_*.txt -- assets/prose/train_*.txt
"""

import argparse
import collections
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, Set, Tuple

from spacy_relext.annotations.schema import read_schema
from spacy_relext.corpora.formats.text import parse_markup_line

RELATIONS = read_schema(Path(__file__).parents[1] / "assets" / "schema.yaml").relations


def read_lines(paths: List[str]) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """Yield (place, record) for every sentence; the record of a malformed one is {"error": message}."""
    for path in paths:
        with open(path, encoding="utf8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip() or line.startswith("#"):
                    continue
                try:
                    yield f"{path}:{number}", parse_markup_line(line)
                except ValueError as error:
                    yield f"{path}:{number}", {"error": str(error)}


def problems_of(record: Dict[str, Any]) -> List[str]:
    """Name what is wrong with one record."""
    types: Dict[Tuple[int, int], Set[str]] = collections.defaultdict(set)
    for entity in record["entities"]:
        types[entity["start"], entity["end"]].add(entity["label"])
    found = []
    for triple in record["triples"]:
        relation = triple["relation"]
        if relation not in RELATIONS:
            found.append(f"unknown relation {relation}")
            continue
        for role in ("subject", "object"):
            if types[tuple(triple[role])].isdisjoint(getattr(RELATIONS[relation], role)):
                text = record["text"][slice(*triple[role])]
                found.append(f"{relation}: {role} {text!r} is {sorted(types[tuple(triple[role])])}")
        if relation == "spouse" and triple["subject"][0] > triple["object"][0]:
            found.append("spouse: the subject is not the person named first")
    if "  " in record["text"] or " ," in record["text"]:
        found.append("odd spacing")
    return found


def names_of(paths: List[str]) -> Set[str]:
    """Collect the lower-cased names of all entities."""
    names = set()
    for _, record in read_lines(paths):
        for entity in record.get("entities", []):
            if entity["label"] not in ("TIME", "NUMBER"):
                names.add(record["text"][entity["start"] : entity["end"]].lower())
    return names


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--apart", nargs="+", default=[], help="no name of these files may occur in the others")
    arguments = parser.parse_args()
    failures, empty, total, seen = 0, 0, 0, set()
    counts: collections.Counter = collections.Counter()
    for place, record in read_lines(arguments.apart + arguments.paths):
        problems = [record["error"]] if "error" in record else problems_of(record)
        if record.get("text") in seen:
            problems.append("the same sentence stands elsewhere")
        seen.add(record.get("text"))
        for problem in problems:
            print(f"{place}: {problem}")
            failures += 1
        total += 1
        empty += not record.get("triples")
        counts.update(triple["relation"] for triple in record.get("triples", []))
    shared = names_of(arguments.apart) & names_of(arguments.paths) if arguments.apart else set()
    for name in sorted(shared):
        print(f"in both parts: {name}")
    print(f"{total} sentences, {empty} without a triple ({empty / max(total, 1):.0%}), {sum(counts.values())} triples")
    for relation, count in sorted(counts.items()):
        print(f"  {relation:36}{count}")
    return 1 if failures or shared else 0


if __name__ == "__main__":
    sys.exit(main())
