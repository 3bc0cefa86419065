"""Build corpus/train.spacy, dev.spacy, test.spacy, hard.spacy and distant.spacy from the assets.

    python scripts/build_corpus.py assets corpus --seed 0

Train, dev, test and hard (a second test) are hand-written prose with gold triples. Distant holds sentences of the
grammar with the labels that alignment with the knowledge base gives them; no name of dev or test occurs in them.
`doc.user_data["relext_origin"]` says "prose" or "grammar".
"""

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Sequence, Set, Tuple

import spacy
import srsly
from grammar import Record, generate
from grammar_templates import read_templates
from knowledge_base import read_kb
from spacy.tokens import Doc

from spacy_relext.corpora.formats.text import parse_markup_line
from spacy_relext.corpora.records import record_to_doc
from spacy_relext.corpora.shards import GOLD_ATTRS, ShardWriter

ORIGIN_KEY = "relext_origin"
SENTENCES = 1500
# The prose links only neighbours of a chain ("Bergen, Vestland, Norway"); the corpora also have what follows from that.
TRANSITIVE = "located_in"

TripleKey = Tuple[Tuple[int, ...], str, Tuple[int, ...]]  # offsets of the subject, relation, offsets of the object


def read_prose(folder: Path, pattern: str) -> List[Record]:
    """Read hand-annotated prose.

    folder (Path): Folder of the files.
    pattern (str): Glob pattern of their names.
    RETURNS (List[Record]): Canonical records, files in the order of their names.
    RAISES (ValueError): With file and line, where a line is malformed, or no file has such a name.
    """
    paths = sorted(folder.glob(pattern))
    if not paths:
        raise ValueError(f"no file {folder / pattern}")
    records = []
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf8").splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                try:
                    records.append(add_transitive(parse_markup_line(line)))
                except ValueError as error:
                    raise ValueError(f"{path}:{number}: {error}") from None
    return records


def add_transitive(record: Record) -> Record:
    """Add the triples of `TRANSITIVE` that follow from stated ones of a record: A in B and B in C gives A in C.

    record (Record): A canonical record.
    RETURNS (Record): The same record with more triples.
    """
    pairs = {(subject, obj) for subject, relation, obj in list_stated(record) if relation == TRANSITIVE}
    while True:
        new = {(a, d) for a, b in pairs for c, d in pairs if b == c and a != d} - pairs
        if not new:
            break
        pairs |= new
    return add_triples(record, {(subject, TRANSITIVE, obj) for subject, obj in pairs})


def list_stated(record: Record) -> Set[TripleKey]:
    """List the triples that a record states as facts: nothing follows from what it denies, plans or has heard.

    record (Record): A canonical record.
    RETURNS (Set[TripleKey]): Offsets of the subject, relation, offsets of the object.
    """
    stated = [triple for triple in record["triples"] if "attributes" not in triple]
    return {(tuple(triple["subject"]), triple["relation"], tuple(triple["object"])) for triple in stated}


def add_triples(record: Record, triples: Set[TripleKey]) -> Record:
    """Add triples to a record, without those that it states already.

    record (Record): A canonical record.
    triples (Set[TripleKey]): As `list_stated` returns them.
    RETURNS (Record): The same record with more triples.
    """
    new = sorted(triples - list_stated(record))
    added = [{"subject": list(subject), "relation": relation, "object": list(obj)} for subject, relation, obj in new]
    return {**record, "triples": [*record["triples"], *added]}


def names_in(records: Iterable[Record]) -> Set[str]:
    """List the entity names of records.

    records (Iterable[Record]): Canonical records.
    RETURNS (Set[str]): The names as written.
    """
    return {record["text"][entity["start"] : entity["end"]] for record in records for entity in record["entities"]}


def make_docs(records: Iterable[Record], *, origin: str) -> List[Doc]:
    """Make Docs of one sentence each.

    records (Iterable[Record]): Canonical records; the key `distant`, where there is one, replaces `triples`.
    origin (str): Value of `relext_origin`.
    RETURNS (List[Doc]): The Docs.
    """
    nlp = spacy.blank("en")
    docs = []
    for record in records:
        plain = {"text": record["text"], "entities": record["entities"]}
        doc = record_to_doc(
            nlp.make_doc, {**plain, "triples": record.get("distant", record["triples"])}, one_sentence=True
        )
        doc.user_data[ORIGIN_KEY] = origin
        docs.append(doc)
    return docs


def write_corpus(path: Path, docs: Iterable[Doc]) -> None:
    """Write Docs with their triples.

    path (Path): The .spacy file; replaced.
    docs (Iterable[Doc]): The documents.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with ShardWriter(path, attrs=GOLD_ATTRS) as writer:
        for doc in docs:
            writer.add(doc)


def describe(records: List[Record]) -> Dict[str, Any]:
    """Count what a part of the corpus holds.

    records (List[Record]): Its records.
    RETURNS (Dict[str, Any]): `sentences`, `without_triples`, `words`, `triples`.
    """
    labels = [record["distant"] if "distant" in record else record["triples"] for record in records]
    return {
        "sentences": len(records),
        "without_triples": sum(not triples for triples in labels),
        "words": sum(len(record["text"].split()) for record in records),
        "triples": sum(len(triples) for triples in labels),
    }


def build(assets: Path, output: Path, *, sentences: int, seed: int) -> Dict[str, Any]:
    """Build the corpora.

    assets (Path): With the folders prose, kb and grammar.
    output (Path): Folder of the .spacy files.
    sentences (int): Number of sentences of the grammar to make.
    seed (int): Seed of the grammar.
    RETURNS (Dict[str, Any]): `seed`, counts of each part under `parts`, and under `distant_labels` their error rates.
    """
    prose = {name: read_prose(assets / "prose", f"{name}*.txt") for name in ("train", "dev", "test", "hard")}
    kb, templates = read_kb(assets / "kb"), read_templates(assets / "grammar")
    held_out = names_in([*prose["dev"], *prose["test"]])
    grammar = list(generate(kb, templates, sentences=sentences, seed=seed, avoid=held_out))
    for name, records in prose.items():
        write_corpus(output / f"{name}.spacy", make_docs(records, origin="prose"))
    write_corpus(output / "distant.spacy", make_docs(grammar, origin="grammar"))
    parts = {name: describe(records) for name, records in prose.items()}
    parts["distant"] = describe(grammar)
    noise = measure_label_noise((record["triples"], record["distant"]) for record in grammar)
    return {"seed": seed, "parts": parts, "distant_labels": noise}


def measure_label_noise(sentences: Iterable[Tuple[Sequence[Record], Sequence[Record]]]) -> Dict[str, Record]:
    """Compare the true and the distant triples of sentences, exact in offsets and relation.

    sentences (Iterable[Tuple[Sequence[Record], Sequence[Record]]]): Canonical triples: true, distant.
    RETURNS (Dict[str, Record]): For "all" and each relation: the counts `true`, `distant` and `both`, and
        `false_negative_rate` (true triples without a label) and `false_positive_rate` (labels that are not true) as
        fractions; None if there is nothing to divide by.
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
            "false_negative_rate": _error_rate(both[name], true[name]),
            "false_positive_rate": _error_rate(both[name], distant[name]),
        }
        for name in ["all", *relations]
    }


def _key(triple: Record) -> Tuple[int, int, str, int, int]:
    """Return what makes two triples the same."""
    return (*triple["subject"], triple["relation"], *triple["object"])


def _error_rate(shared: int, total: int) -> Optional[float]:
    """Return the share of labels that the other side lacks, or None if there are no labels."""
    return round(1 - shared / total, 4) if total else None


def report(result: Dict[str, Any]) -> None:
    """Print the counts and the error rates of the distant labels.

    result (Dict[str, Any]): What `build` returned.
    """
    print(f"{'part':16}{'sentences':>10}{'no triple':>10}{'words':>8}{'triples':>9}")
    for name, part in result["parts"].items():
        print(f"{name:16}" + "{sentences:10}{without_triples:10}{words:8}{triples:9}".format(**part))
    print(f"\n{'distant labels':24}{'true':>6}{'labels':>8}{'missed':>8}{'wrong':>8}")
    for name, row in result["distant_labels"].items():
        rates = [row["false_negative_rate"], row["false_positive_rate"]]
        shown = "".join(f"{'-' if rate is None else format(rate, '.1%'):>8}" for rate in rates)
        print(f"{name:24}{row['true']:6}{row['distant']:8}{shown}")


def main() -> int:
    """Run the command line.

    RETURNS (int): Exit code.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("assets", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--sentences", type=int, default=SENTENCES, help="sentences of the grammar")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--metrics", type=Path, default=Path("metrics/corpus.json"))
    args = parser.parse_args()
    try:
        result = build(args.assets, args.output, sentences=args.sentences, seed=args.seed)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    report(result)
    args.metrics.parent.mkdir(parents=True, exist_ok=True)
    srsly.write_json(args.metrics, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
