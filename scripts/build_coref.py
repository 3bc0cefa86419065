"""Build the corpora of coreference: the documents of the assets, and GAP.

    python scripts/build_coref.py assets/prose/documents corpus/coref [--gap GAP]

The documents are annotated completely, see their GUIDELINES.md; their facts become triples between first names. GAP
(Webster et al., TACL 2018; Apache 2.0) has one pronoun and two names a passage: its development part is for training,
its validation part for tuning and reporting.
"""

import argparse
import csv
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Tuple

from build_corpus import write_corpus
from check_documents import MARK, TYPES, read_blocks

from spacy_relext.annotations.triple import CharSpan, Record
from spacy_relext.corpora.convert import load_tokenizer
from spacy_relext.corpora.records import record_to_doc

PARTS = ("train", "dev", "test")
VALUES = ("TIME", "NUMBER")


def parse_document(text: str, facts: str) -> Record:
    """Make a canonical record of a document with marks.

    text (str): With marks such as `[P1 Ada]` and `[P1~ she]`.
    facts (str): Such as `|| 1 spouse 2; 1 employer 3`.
    RETURNS (Record): Names as `entities`, the mentions of persons, places and things as `coref`, facts as `triples`
        between the first names of their entities.
    """
    plain, opened, at = "", [], 0
    entities: List[Record] = []
    clusters: Dict[str, List[CharSpan]] = {}
    names: Dict[str, CharSpan] = {}
    while at < len(text):
        mark = MARK.match(text, at)
        if mark is not None:
            opened.append((len(plain), mark))
            at = mark.end()
        elif text[at] == "]":
            start, mark = opened.pop()
            letter, number, other = mark.groups()
            span = (start, len(plain))
            if not other:
                entities.append({"start": start, "end": len(plain), "label": TYPES[letter]})
                names[number] = min(span, names.get(number, span))
            if TYPES[letter] not in VALUES:
                clusters.setdefault(number, []).append(span)
            at += 1
        else:
            plain += text[at]
            at += 1
    triples = []
    for fact in filter(None, (each.strip() for each in facts[2:].split(";"))):
        subject, relation, obj = fact.split()
        triples.append({"subject": list(names[subject]), "relation": relation, "object": list(names[obj])})
    coref = [[list(span) for span in sorted(cluster)] for cluster in clusters.values()]
    entities.sort(key=lambda each: (each["start"], each["end"]))
    return {"text": plain, "entities": entities, "coref": coref, "triples": triples}


def read_documents(folder: Path, part: str) -> Iterator[Record]:
    """Yield the records of the files of a part."""
    for path in sorted(folder.glob(f"{part}*.txt")):
        for _, text, facts in read_blocks(path):
            yield parse_document(text, facts)


def read_gap(path: Path) -> Iterator[Tuple[Record, str]]:
    """Yield a record for each passage of a file of GAP, and its pronoun."""
    with open(path, encoding="utf8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            places = {
                name: [int(row[f"{name}-offset"]), int(row[f"{name}-offset"]) + len(row[name])]
                for name in ("Pronoun", "A", "B")
            }
            cluster, coref = [places["Pronoun"]], []
            for name in "AB":
                if row[f"{name}-coref"] == "TRUE":
                    cluster.append(places[name])
                else:
                    coref.append([places[name]])
            yield {"text": row["Text"], "coref": [cluster, *coref], "incomplete": True}, row["Pronoun"]


def build(documents: Path, output: Path, *, gap: Optional[Path] = None) -> None:
    """Write train, dev and test, and print what they hold."""
    make_doc = load_tokenizer("en").make_doc
    for part in PARTS:
        parts = {"documents": list(read_documents(documents, part))}
        name = {"train": "development", "dev": "validation"}.get(part)
        if gap is not None and name is not None:
            parts["gap"] = [record for record, _ in read_gap(gap / f"gap-{name}.tsv")]
        docs = {source: [record_to_doc(make_doc, each) for each in records] for source, records in parts.items()}
        for source, of_source in docs.items():
            write_corpus(output / f"{source}-{part}.spacy", of_source)
        write_corpus(output / f"{part}.spacy", [doc for of_source in docs.values() for doc in of_source])
        counts = [sum(len(cluster) for each in records for cluster in each["coref"]) for records in parts.values()]
        print(f"{part:6}", *(f"{s}: {len(d)} documents, {n} mentions" for (s, d), n in zip(docs.items(), counts)))


def main() -> int:
    """Run the command line.

    RETURNS (int): Exit code.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--gap", type=Path, help="folder with gap-development.tsv and gap-validation.tsv")
    args = parser.parse_args()
    try:
        build(args.documents, args.output, gap=args.gap)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
