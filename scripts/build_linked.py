"""Build corpus/linked/train.spacy, dev.spacy and test.spacy: sentences about entities that the knowledge base knows.

    python scripts/build_linked.py assets corpus/linked --seed 0

Sentences of the grammar, whose entities have their ids. No pair of entities is marked in two parts, and dev and test
use templates that train does not use. Train has the labels that alignment gives: the facts of the knowledge base about
a pair, whether the sentence states them or not. Dev and test have what a sentence states. Most facts occur nowhere.
"""

import argparse
import random
import sys
from collections import Counter
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any, Dict, Iterable, List, Sequence, Set, Tuple
from zlib import crc32

import spacy
import srsly
from build_corpus import write_corpus
from grammar import Record, generate
from grammar_templates import Template, Templates, read_templates
from knowledge_base import KnowledgeBase, read_kb
from spacy.tokens import Doc

from spacy_relext.corpora.records import record_to_doc
from spacy_relext.kb.alignment import SYMMETRIC_RELATIONS

SENTENCES = 2400
# Share of the facts that sentences are about.
TOLD = 0.3
# Of ten hash values of pairs, those of dev and of test; one in this many templates is for both.
DEV, TEST, HELD = (0,), (1, 2), 3
Pair = Tuple[Record, Record]


def part_of(pair: Pair) -> str:
    """Return the part to which a pair of entities belongs, whatever the seed.

    pair (Pair): Two entities of a record.
    RETURNS (str): "train", "dev" or "test".
    """
    number = crc32(" ".join(each["kb_id"] for each in pair).encode("utf8")) % 10
    return "dev" if number in DEV else "test" if number in TEST else "train"


def split_templates(templates: Templates) -> Tuple[Templates, Templates]:
    """Divide templates: those of training, and those of dev and test.

    templates (Templates): All.
    RETURNS (Tuple[Templates, Templates]): Openers, tails, frames and clauses are in both.
    """

    def some(found: Sequence[Template], held: bool) -> List[Template]:
        return [each for row, each in enumerate(found) if (row % HELD == HELD - 1) == held]

    lists = {"facts": templates.facts, "composites": templates.composites, "unrelated": templates.unrelated}
    train, held = ({name: some(found, side) for name, found in lists.items()} for side in (False, True))
    return replace(templates, **train), replace(templates, **held)


def mark(record: Record, *, kb: KnowledgeBase, part: str) -> Record:
    """Mark the pairs of a sentence that belong to a part, and label them.

    record (Record): A sentence of the grammar.
    kb (KnowledgeBase): All facts.
    part (str): "train", "dev" or "test".
    RETURNS (Record): A canonical record; the entity with the smaller id is the subject of a marked pair.
    """
    sides = [sorted(both, key=lambda each: str(each["kb_id"])) for both in combinations(record["entities"], 2)]
    pairs = [(one, two) for one, two in sides if part_of((one, two)) == part]
    triples = []
    for one, two in pairs:
        found = known(kb, one, two) if part == "train" else stated(record, one, two)
        triples += [{"subject": place(h), "relation": relation, "object": place(t)} for h, relation, t in found]
    marked = [{"subject": place(one), "object": place(two)} for one, two in pairs]
    return {"text": record["text"], "entities": record["entities"], "pairs": marked, "triples": triples}


def place(entity: Record) -> List[int]:
    """RETURNS (List[int]): First character, and the one after the last."""
    return [entity["start"], entity["end"]]


def known(kb: KnowledgeBase, one: Record, two: Record) -> List[Tuple[Record, str, Record]]:
    """List the facts of a knowledge base about two entities, without `located_in` for a capital and its country."""
    found = []
    for subject, obj in ((one, two), (two, one)):
        names = set(kb.relations_between(subject["kb_id"], obj["kb_id"]))
        names -= {"located_in"} if "capital_of" in names else set()
        found += [turn(subject, name, obj) for name in sorted(names)]
    return found


def stated(record: Record, one: Record, two: Record) -> List[Tuple[Record, str, Record]]:
    """List the facts about two entities that a sentence of the grammar states."""
    ends = {tuple(place(each)): each for each in (one, two)}
    triples = [(ends.get(tuple(t["subject"])), t["relation"], ends.get(tuple(t["object"]))) for t in record["triples"]]
    return [turn(subject, name, obj) for subject, name, obj in triples if subject is not None and obj is not None]


def turn(subject: Record, relation: str, obj: Record) -> Tuple[Record, str, Record]:
    """Turn a symmetric relation so that the smaller id is its subject."""
    turned = relation in SYMMETRIC_RELATIONS and subject["kb_id"] > obj["kb_id"]
    return (obj, relation, subject) if turned else (subject, relation, obj)


def make_docs(records: Iterable[Record]) -> List[Doc]:
    """Make Docs of one sentence each."""
    nlp = spacy.blank("en")
    return [record_to_doc(nlp.make_doc, record, one_sentence=True) for record in records]


def build(assets: Path, output: Path, *, sentences: int, seed: int) -> Dict[str, Dict[str, int]]:
    """Build the three corpora.

    assets (Path): With the folders kb and grammar.
    output (Path): Folder of the .spacy files.
    sentences (int): Number to make for train, and for dev and test; those that mark a pair of their part are kept.
    seed (int): Seed of the grammar.
    RETURNS (Dict[str, Dict[str, int]]): Counts of each part.
    """
    kb, (train, held) = read_kb(assets / "kb"), split_templates(read_templates(assets / "grammar"))
    silent = random.Random(seed).sample(kb.facts, round((1 - TOLD) * len(kb)))
    told, counts = kb.without(silent), {}
    made = list(generate(told, train, sentences=sentences, seed=seed))
    others = list(generate(told, held, sentences=sentences, seed=seed + 1))
    used: Set[str] = set()
    for part, records in (("train", made), ("dev", others), ("test", others)):
        marked = [mark(each, kb=kb, part=part) for each in records if each["text"] not in used]
        marked = [each for each in marked if each["pairs"]]
        used.update(each["text"] for each in marked)
        write_corpus(output / f"{part}.spacy", make_docs(marked))
        counts[part] = describe(marked)
    return counts


def describe(records: List[Record]) -> Dict[str, int]:
    """Count what a part holds.

    records (List[Record]): Its records.
    RETURNS (Dict[str, int]): `sentences`, `mentions` (marked pairs), `bags` (distinct pairs), `triples`.
    """
    bags: Counter[Tuple[str, ...]] = Counter()
    for record in records:
        ids = {tuple(place(each)): each["kb_id"] for each in record["entities"]}
        bags.update(tuple(ids[tuple(pair[side])] for side in ("subject", "object")) for pair in record["pairs"])
    triples = sum(len(record["triples"]) for record in records)
    return {"sentences": len(records), "mentions": sum(bags.values()), "bags": len(bags), "triples": triples}


def main() -> int:
    """Run the command line.

    RETURNS (int): Exit code.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("assets", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--sentences", type=int, default=SENTENCES, help="sentences to train on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--metrics", type=Path, default=Path("metrics/linked.json"))
    args = parser.parse_args()
    try:
        counts: Dict[str, Any] = build(args.assets, args.output, sentences=args.sentences, seed=args.seed)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{'part':8}{'sentences':>10}{'mentions':>10}{'bags':>8}{'triples':>9}")
    for part, found in counts.items():
        print(f"{part:8}" + "{sentences:10}{mentions:10}{bags:8}{triples:9}".format(**found))
    args.metrics.parent.mkdir(parents=True, exist_ok=True)
    srsly.write_json(args.metrics, {"seed": args.seed, "parts": counts})
    return 0


if __name__ == "__main__":
    sys.exit(main())
