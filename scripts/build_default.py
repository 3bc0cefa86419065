"""Build the corpora of the pipeline that the package carries: Re-DocRED and the prose of the assets.

    python scripts/build_default.py REDOCRED assets corpus/default

REDOCRED is a folder with dev_revised.json (Tan et al., EMNLP 2022; MIT). Documents 1 to 400 are for training, 401 to
440 for tuning, 441 to 500 for reporting; each sentence becomes a Doc. A sentence states a fact of its document if it is
evidence of the fact; whether it states other facts of its entities is unknown. `judged` says which relations a part
covers: Re-DocRED all, except in a sentence those of its unknown facts; the prose its fourteen, its part `more` twenty
more, each file of its part `other` eight others, and each of the common wordings its own relation. The first prose
marks no dates, numbers and other names: what may be one is no O of an ner. build_documents.py makes whole documents.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from itertools import product
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Sequence, Set, Tuple

from build_corpus import add_triples, list_stated, read_prose, write_corpus
from spacy.tokens import Doc, Span

from spacy_relext.annotations.schema import RelationSchema, read_schema
from spacy_relext.annotations.store import get_records
from spacy_relext.annotations.triple import CharSpan, Record
from spacy_relext.corpora.convert import load_tokenizer
from spacy_relext.corpora.records import record_to_doc

PARTS = {"train": (0, 400), "dev": (400, 440), "test": (440, 500)}
# Folder below assets/prose, and parts.
PROSE = {"prose": (".", ("train", "dev", "test", "hard")), "more": ("more", ("train", "dev", "test", "assertions"))}
TYPES = {"PER": "PERSON", "LOC": "PLACE", "ORG": "ORG", "TIME": "TIME", "NUM": "NUMBER", "MISC": "MISC"}

# Re-DocRED's MISC is a work where it is the subject of one of these, or the object of another.
OF_WORKS = {"P50", "P57", "P58", "P86", "P123", "P161", "P162", "P175", "P264", "P272", "P449", "P577", "P674", "P676"}
TO_WORKS = {"P1441"}

SIXTY = 60  # sentences of the prose's test whose scores the pipeline's card states, and a test of the package measures

# How often the sentences of a source are in train.spacy: the prose has four times as many as the documents.
COPIES = {"documents": 2, "more": 2, "other": 2}

# What follows from a relation of the prose, whose annotators wrote only the first: see assets/prose/GUIDELINES.md.
IMPLIED = {"headquarters_location": "located_in", "capital_of": "located_in"}

CLOSED_UP = frozenset({".", ",", ";", ":", "!", "?", ")", "]", "%", "'s", "n't", "''"})

Property = Tuple[str, bool]  # relation, and whether it holds from object to subject


def detokenize(words: Sequence[str]) -> Tuple[str, List[CharSpan]]:
    """Join words as text is written, and say where each of them is."""
    text, places, quoted = "", [], False
    for word in words:
        closes = word in CLOSED_UP or word.startswith("'") or (word == '"' and quoted)
        opened = text.endswith(("(", "[", "$")) or (text.endswith('"') and quoted)
        if text and not closes and not opened:
            text += " "
        if word == '"':
            quoted = not quoted
        places.append((len(text), len(text) + len(word)))
        text += word
    return text, places


def entity_types(document: Dict[str, Any]) -> List[str]:
    """Choose a type for each entity of a document."""
    of_works = {label["h"] for label in document["labels"] if label["r"] in OF_WORKS}
    works = of_works | {label["t"] for label in document["labels"] if label["r"] in TO_WORKS}
    types = []
    for number, mentions in enumerate(document["vertexSet"]):
        (kind, _), *_ = Counter(mention["type"] for mention in mentions).most_common(1)
        types.append("WORK" if kind == "MISC" and number in works else TYPES[kind])
    return types


def read_facts(document: Dict[str, Any], properties: Dict[str, List[Property]]) -> Dict[Tuple[int, int, str], Set[int]]:
    """Map subject, object and relation of each fact of a document to the sentences that are its evidence."""
    facts: Dict[Tuple[int, int, str], Set[int]] = defaultdict(set)
    for label in document["labels"]:
        for relation, is_reversed in properties.get(label["r"], ()):
            head, tail = (label["t"], label["h"]) if is_reversed else (label["h"], label["t"])
            facts[head, tail, relation].update(label["evidence"])
    return facts


def read_sentences(document: Dict[str, Any], properties: Dict[str, List[Property]]) -> Iterator[Record]:
    """Yield a canonical record for each sentence of a document of Re-DocRED.

    Half of the facts have no evidence: they come from a knowledge base or a model and were confirmed for the document.
    """
    types = entity_types(document)
    known = {relation for of_property in properties.values() for relation, _ in of_property}
    facts = read_facts(document, properties)
    for number, words in enumerate(document["sents"]):
        text, places = detokenize(words)
        spans: Dict[int, List[CharSpan]] = defaultdict(list)
        for entity, mentions in enumerate(document["vertexSet"]):
            for mention in mentions:
                if mention["sent_id"] == number:
                    first, last = mention["pos"][0], mention["pos"][1] - 1
                    spans[entity].append((places[first][0], places[last][1]))
        entities = [
            {"start": start, "end": end, "label": types[entity]}
            for entity, of_entity in spans.items()
            for start, end in sorted(set(of_entity))
        ]
        found = {
            (subject, obj, relation): number in evidence
            for (head, tail, relation), evidence in sorted(facts.items())
            for subject, obj in product(sorted(set(spans[head])), sorted(set(spans[tail])))
            if subject != obj
        }
        triples = [
            {"subject": list(subject), "relation": relation, "object": list(obj)}
            for (subject, obj, relation), is_stated in found.items()
            if is_stated
        ]
        unknown = {relation for (_, _, relation), is_stated in found.items() if not is_stated}
        yield {"text": text, "entities": entities, "triples": triples, "judged": sorted(known - unknown)}


def add_implied(record: Record) -> Record:
    """Add the triples that follow from what a sentence of the prose states."""
    stated = list_stated(record)
    return add_triples(record, {(s, IMPLIED[relation], o) for s, relation, o in stated if relation in IMPLIED})


def unmarked(doc: Doc) -> List[Span]:
    """List the tokens outside the entities of a Doc that may be a date, a number or another name."""
    marked = {token.i for ent in doc.ents for token in ent}
    may_be = [token for token in doc if token.like_num or token.text[0].isupper() or any(map(str.isdigit, token.text))]
    return [doc[token.i : token.i + 1] for token in may_be if token.i not in marked]


def read_all(redocred: Path, assets: Path) -> Dict[str, List[Record]]:
    """Read the parts of each source; each record has the relations that are judged in it."""
    schema = read_schema(assets / "schema.yaml").relations
    properties = read_properties(schema)
    documents = json.loads((redocred / "dev_revised.json").read_text(encoding="utf8"))
    read: Dict[str, List[Record]] = {}
    for part, of in PARTS.items():
        sentences = [read_sentences(document, properties) for document in documents[slice(*of)]]
        read[f"documents-{part}"] = [each for of_document in sentences for each in of_document]
    prose = assets / "prose"
    for source, (folder, parts) in PROSE.items():
        found = {part: [add_implied(each) for each in read_prose(prose / folder, f"{part}*.txt")] for part in parts}
        covered = relations_of(found["train"])
        read.update({f"{source}-{part}": judge(records, covered) for part, records in found.items()})
    by_file = [read_prose(path.parent, path.name) for path in sorted((prose / "other").glob("train*.txt"))]
    read["other-train"] = [each for records in by_file for each in judge(records, relations_of(records))]
    wordings = read_prose(prose / "more", "wordings.txt")  # one triple each; whatever else they state is not annotated
    read["more-wordings"] = [each for record in wordings for each in judge([record], relations_of([record]))]
    return read


def read_properties(schema: Mapping[str, RelationSchema]) -> Dict[str, List[Property]]:
    """Map each Wikidata property to its relations."""
    properties: Dict[str, List[Property]] = defaultdict(list)
    for relation, known in schema.items():
        for each in known.ids:
            properties[each.lstrip("-")].append((relation, each.startswith("-")))
    return properties


def relations_of(records: Iterable[Record]) -> Set[str]:
    """Collect the relations of some records, which are those that their annotators looked for."""
    return {triple["relation"] for each in records for triple in each["triples"]}


def judge(records: Iterable[Record], relations: Iterable[str]) -> List[Record]:
    """Say of some records which relations their annotation covers."""
    judged = sorted(relations)
    return [{**each, "judged": judged} for each in records]


def build(redocred: Path, assets: Path, output: Path) -> None:
    """Write train, dev and test of each source, and print what they hold."""
    make_doc = load_tokenizer("en").make_doc
    written: Dict[str, List[Doc]] = {}
    for name, records in read_all(redocred, assets).items():
        source, _, part = name.partition("-")
        docs = [record_to_doc(make_doc, each, one_sentence=True) for each in records]
        for doc in docs if source == "prose" else ():
            doc.set_ents(list(doc.ents), missing=unmarked(doc), default="unmodified")
        written[name] = docs
        if part in ("train", "dev"):
            written[part] = [*written.get(part, []), *docs * (COPIES.get(source, 1) if part == "train" else 1)]
    written["sixty"] = written["prose-test"][:SIXTY]
    for name, docs in written.items():
        write_corpus(output / f"{name}.spacy", docs)
        triples = Counter(record["relation"] for doc in docs for record in get_records(doc) or ())
        print(f"{name:20}{len(docs):8} sentences{sum(triples.values()):8} triples{len(triples):5} relations")


def main() -> int:
    """Run the command line.

    RETURNS (int): Exit code.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("redocred", type=Path)
    parser.add_argument("assets", type=Path)
    parser.add_argument("output", type=Path)
    args = parser.parse_args()
    try:
        build(args.redocred, args.assets, args.output)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
