"""Build the corpora of coreference and of relations across sentences: documents of the assets, Re-DocRED, and GAP.

    python scripts/build_documents.py assets corpus/documents --redocred REDOCRED --gap GAP --unlabelled DOCRED

The documents of the assets are annotated completely, see assets/prose/documents/GUIDELINES.md. Re-DocRED (Tan et al.,
EMNLP 2022; MIT) groups names, not pronouns: its groups are `coref_clusters_*` span groups, which no component learns
from. Its documents are parted as in build_default.py. GAP (Webster et al., TACL 2018; Apache 2.0) has one pronoun and
two names a passage: its development part is for training, its validation part for tuning and reporting.

Names that are repeated give further examples (as in WikiCREM, Kocijan et al., EMNLP 2019): in documents of Re-DocRED
and of DocRED's unlabelled part, a pronoun replaces some of the later mentions, and stands for what the name stood for.

Writes own-PART, redocred-PART, gap-PART, replaced-train, and joined: coref-PART, of own, gap and replaced;
documents-PART, of those that are annotated as a whole; and two mixtures for configs/documents.cfg, with sentences of
the corpora of build_default.py (--sentences) and several copies in train: all-PART has three times as many words of
documents as of sentences, both-PART as many of both.
"""

import argparse
import csv
import json
import random
import sys
from bisect import bisect_right
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import spacy
from build_corpus import write_corpus
from build_default import PARTS, detokenize, entity_types, read_facts, read_properties
from check_documents import MARK, TYPES, read_blocks
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span

from spacy_relext.annotations.schema import read_schema
from spacy_relext.annotations.sentences import sentence_chars
from spacy_relext.annotations.store import char_span, get_records
from spacy_relext.annotations.triple import CharSpan, Record
from spacy_relext.corpora.convert import load_tokenizer
from spacy_relext.corpora.records import record_to_doc

VALUES = ("TIME", "NUMBER")
GAP_PARTS = {"train": "development", "dev": "validation"}
# Parts of several sources, and how often a source is in train. Three quarters of the words of `all` are in documents,
# half of the words of `both` in sentences.
JOINED = {
    "coref": {"own": 4, "gap": 1, "replaced": 1},
    "documents": {"redocred": 8, "own": 4},
    "all": {"redocred": 8, "own": 4, "gap": 1, "some": 1},
    "both": {"redocred": 8, "own": 6, "gap": 1, "replaced": 1, "sentences": 3},
}
# Corpora of build_default.py whose sentences are read, and how many of the first one are among `some`.
SENTENCES, SOME = ("prose", "more", "other"), 4000
GROUP = "coref_clusters_"

# Subject, object and possessive pronouns by gender; the last is for what is no person.
PRONOUNS = {"m": ("he", "him", "his"), "f": ("she", "her", "her"), "n": ("it", "it", "its")}
# Words after which a name is a subject, or an object, and words that may follow the object.
BEFORE_SUBJECTS = frozenset({",", ";", "and", "but", "when", "while", "that", "because", "although", "after", "before"})
BEFORE_OBJECTS = frozenset({"by", "with", "to", "for", "from", "against", "about", "called", "named", "joined", "left"})
BEHIND_OBJECTS = frozenset({".", ",", ";", "and", "in", "on", "at", "for", "from", "as", "to", "who", "which", "with"})
REPLACED = 0.7  # share of the names that could be replaced


def parse_document(text: str, facts: str) -> Record:
    """Make a canonical record of a document with marks.

    text (str): With marks such as `[P1 Ada]` and `[P1~ she]`.
    facts (str): Such as `|| 1 spouse 2; 1 employer 3`.
    RETURNS (Record): Names as `entities`, mentions of persons, places and things as `coref`, facts as `triples`, see
        `spread_facts`.
    """
    plain, opened, at = "", [], 0
    entities: List[Record] = []
    clusters: Dict[str, List[CharSpan]] = {}
    names: Dict[str, List[CharSpan]] = defaultdict(list)
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
                names[number].append(span)
            if TYPES[letter] not in VALUES:
                clusters.setdefault(number, []).append(span)
            at += 1
        else:
            plain += text[at]
            at += 1
    stated = [each.split() for each in facts[2:].split(";") if each.strip()]
    sentences = [(start, end) for start, end in sentence_chars(_sentencizer()(plain))]
    triples = spread_facts(((one, relation, two) for one, relation, two in stated), names, sentences)
    coref = [[list(span) for span in sorted(cluster)] for cluster in clusters.values()]
    entities.sort(key=lambda each: (each["start"], each["end"]))
    return {"text": plain, "entities": entities, "coref": coref, "triples": triples}


def spread_facts(
    facts: Iterable[Tuple[Any, str, Any]], names: Mapping[Any, Sequence[CharSpan]], sentences: Sequence[CharSpan]
) -> List[Record]:
    """Make triples of facts: between all names in one sentence, or else between the first names of their entities.

    names (Mapping[Any, Sequence[CharSpan]]): Characters of the names of each entity.
    """

    def sentence_of(span: CharSpan) -> int:
        return bisect_right([start for start, _ in sentences], span[0])

    found = []
    for subject, relation, obj in facts:
        pairs = [(one, two) for one in names[subject] for two in names[obj] if one != two]
        inside = [(one, two) for one, two in pairs if sentence_of(one) == sentence_of(two)]
        found += [(one, relation, two) for one, two in inside or pairs[:1]]
    return [{"subject": list(one), "relation": relation, "object": list(two)} for one, relation, two in sorted(found)]


@cache
def _sentencizer() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("relext_sentencizer")
    return nlp


def read_own(folder: Path, part: str, judged: List[str]) -> Iterator[Record]:
    """Yield the records of the documents of a part; their annotation covers some relations."""
    for path in sorted(folder.glob(f"{part}*.txt")):
        for _, text, facts in read_blocks(path):
            yield {**parse_document(text, facts), "judged": judged}


def read_whole(document: Dict[str, Any], properties: Dict[str, List[Tuple[str, bool]]]) -> Record:
    """Make a record of a document of Re-DocRED; its facts are triples, see `spread_facts`."""
    text, places = "", []
    for words in document["sents"]:
        text += " " if text else ""
        sentence, spans = detokenize(words)
        places.append([(len(text) + start, len(text) + end) for start, end in spans])
        text += sentence
    types = entity_types(document)
    groups, entities = [], []
    for label, mentions in zip(types, document["vertexSet"]):
        ends = [(places[m["sent_id"]][m["pos"][0]][0], places[m["sent_id"]][m["pos"][1] - 1][1]) for m in mentions]
        groups.append(sorted(set(ends)))
        entities += [{"start": start, "end": end, "label": label} for start, end in groups[-1]]
    sents = [(of_sentence[0][0], of_sentence[-1][1]) for of_sentence in places]
    facts = [(head, relation, tail) for head, tail, relation in read_facts(document, properties)]
    triples = spread_facts(facts, dict(enumerate(groups)), sents)
    bounds = [list(each) for each in sents]
    return {"text": text, "entities": entities, "triples": triples, "sents": bounds, "groups": groups}


class Passage(NamedTuple):
    """A text of GAP: the characters of its pronoun and of two names, and which of these it stands for."""

    text: str
    pronoun: CharSpan
    names: Tuple[CharSpan, CharSpan]
    is_same: Tuple[bool, bool]


def read_gap(path: Path) -> Iterator[Passage]:
    """Yield the passages of a file of GAP."""

    def place(row: Dict[str, str], name: str) -> CharSpan:
        start = int(row[f"{name}-offset"])
        return start, start + len(row[name])

    with open(path, encoding="utf8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            names, is_same = (place(row, "A"), place(row, "B")), (row["A-coref"] == "TRUE", row["B-coref"] == "TRUE")
            yield Passage(row["Text"], place(row, "Pronoun"), names, is_same)


def passage_record(passage: Passage) -> Record:
    """Make a canonical record of a passage of GAP."""
    same = [name for name, is_same in zip(passage.names, passage.is_same) if is_same]
    chains = [[passage.pronoun, *same], *([name] for name in passage.names if name not in same)]
    return {"text": passage.text, "coref": [[list(place) for place in chain] for chain in chains], "incomplete": True}


def pronoun_case(words: Sequence[str], start: int, end: int) -> Optional[int]:
    """Guess the case of a name in a sentence: 0 subject, 1 object, 2 possessive; None if no pronoun may stand there."""
    before, behind = words[start - 1].lower() if start else "", words[end] if end < len(words) else "."
    is_first = not start or before in BEFORE_SUBJECTS
    if behind == "'s" and (is_first or before in BEFORE_OBJECTS):
        return 2
    if is_first and behind.islower() and behind.isalpha() and behind not in BEHIND_OBJECTS:
        return 0
    return 1 if before in BEFORE_OBJECTS and behind in BEHIND_OBJECTS else None


def read_replaced(document: Dict[str, Any], draw: random.Random) -> Optional[Record]:
    """Make a record of a document in which pronouns replace some names; None if no name is repeated.

    Persons are of the gender of the document's pronouns; if it has pronouns of both or none, they are left alone.
    """
    lower = {word.lower() for sentence in document["sents"] for word in sentence}
    shown = [gender for gender in "mf" if lower & set(PRONOUNS[gender])]
    chosen: Dict[Tuple[int, int, int], str] = {}
    for mentions in document["vertexSet"]:
        kind = mentions[0]["type"]
        gender = "n" if kind in ("ORG", "LOC", "MISC") else shown[0] if kind == "PER" and len(shown) == 1 else ""
        later = sorted(mentions, key=lambda each: (each["sent_id"], each["pos"]))[1:]
        for mention in later:
            sentence = document["sents"][mention["sent_id"]]
            case = pronoun_case(sentence, *mention["pos"])
            if gender and case is not None and (kind != "LOC" or not case) and draw.random() < REPLACED:
                chosen[(mention["sent_id"], *mention["pos"])] = PRONOUNS[gender][case]
    if not chosen:
        return None
    text, clusters = "", defaultdict(list)
    for number, sentence in enumerate(document["sents"]):
        others = sorted(
            (mention["pos"][0], mention["pos"][1], entity)
            for entity, mentions in enumerate(document["vertexSet"])
            for mention in mentions
            if mention["sent_id"] == number
        )
        made: List[str] = []
        spans: List[Tuple[int, int, int]] = []
        at = 0
        for start, end, entity in others:
            if start < at:
                continue  # inside another mention
            made += sentence[at:start]
            name = sentence[start:end]
            word = chosen.get((number, start, end))
            if word is not None:
                is_possessive = end < len(sentence) and sentence[end] == "'s"
                name, end = [word if made else word.capitalize()], end + is_possessive
            spans.append((len(made), len(made) + len(name), entity))
            made += name
            at = end
        made += sentence[at:]
        text += " " if text else ""
        joined, places = detokenize(made)
        for start, end, entity in spans:
            clusters[entity].append([len(text) + places[start][0], len(text) + places[end - 1][1]])
        text += joined
    kinds = [mentions[0]["type"] for mentions in document["vertexSet"]]
    coref = [spans for entity, spans in sorted(clusters.items()) if kinds[entity] not in ("TIME", "NUM")]
    return {"text": text, "coref": coref, "incomplete": True}


def read_all(
    assets: Path, part: str, redocred: Optional[Path], gap: Optional[Path], unlabelled: Optional[Path]
) -> Dict[str, List[Record]]:
    """Read the sources of a part."""
    schema = read_schema(assets / "schema.yaml").relations
    properties = read_properties(schema)
    folder = assets / "prose" / "documents"
    facts = {each["relation"] for name in PARTS for each in _facts(folder, name)}
    read = {"own": list(read_own(folder, part, sorted(facts)))}
    if redocred is not None:
        documents = json.loads((redocred / "dev_revised.json").read_text(encoding="utf8"))[slice(*PARTS[part])]
        read["redocred"] = [{**read_whole(each, properties), "judged": sorted(schema)} for each in documents]
    if gap is not None and part in GAP_PARTS:
        read["gap"] = [passage_record(each) for each in read_gap(gap / f"gap-{GAP_PARTS[part]}.tsv")]
    if redocred is not None and unlabelled is not None and part == "train":
        whole = json.loads((redocred / "dev_revised.json").read_text(encoding="utf8"))
        known = {document["title"] for document in whole}
        more = json.loads((unlabelled / "test.json").read_text(encoding="utf8"))
        documents = [*whole[slice(*PARTS[part])], *(each for each in more if each["title"] not in known)]
        draw = random.Random(0)
        read["replaced"] = [made for each in documents if (made := read_replaced(each, draw)) is not None]
    return read


def _facts(folder: Path, part: str) -> Iterator[Record]:
    for record in read_own(folder, part, []):
        yield from record["triples"]


def make_doc(make: Any, record: Record) -> Doc:
    """Make the Doc of a record; the groups of names of Re-DocRED become span groups."""
    groups = record.pop("groups", ())
    doc = record_to_doc(make, record)
    for number, group in enumerate(groups):
        spans: List[Optional[Span]] = [char_span(doc, place) for place in group]
        doc.spans[f"{GROUP}{number}"] = [span for span in spans if span is not None]
    return doc


def build(
    assets: Path,
    output: Path,
    *,
    redocred: Optional[Path] = None,
    gap: Optional[Path] = None,
    unlabelled: Optional[Path] = None,
    sentences: Optional[Path] = None,
) -> None:
    """Write train, dev and test of each source and joined, and print what they hold."""
    make = load_tokenizer("en").make_doc
    for part in PARTS:
        read = read_all(assets, part, redocred, gap, unlabelled)
        written = {source: [make_doc(make, record) for record in records] for source, records in read.items()}
        if sentences is not None and part != "test":
            written["sentences"] = list(read_sentences(sentences, part))
            written["some"] = list(read_sentences(sentences, part, most=SOME))
        for name, sources in JOINED.items():
            if part == "train":
                written[name] = [doc for source, copies in sources.items() for doc in written.get(source, []) * copies]
            else:
                whole = [source for source in sources if name == "coref" or source != "gap"]
                written[name] = [doc for source in whole for doc in written.get(source, ())]
        for name, docs in written.items():
            write_corpus(output / f"{name}-{part}.spacy", docs)
            triples = sum(len(get_records(doc) or ()) for doc in docs)
            print(f"{name}-{part:6}{len(docs):6} documents{triples:8} triples")


def read_sentences(folder: Path, part: str, *, most: int = 0) -> Iterator[Doc]:
    """Yield the sentences of corpora of build_default.py, of the first one at most some that are drawn; 0 for all."""
    vocab = load_tokenizer("en").vocab
    for name in SENTENCES:
        path = folder / f"{name}-{part}.spacy"
        docs = list(DocBin().from_disk(path).get_docs(vocab)) if path.exists() else []
        yield from random.Random(0).sample(docs, most) if 0 < most < len(docs) and name == SENTENCES[0] else docs


def main() -> int:
    """Run the command line.

    RETURNS (int): Exit code.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("assets", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--redocred", type=Path, help="folder with dev_revised.json")
    parser.add_argument("--gap", type=Path, help="folder with gap-development.tsv and gap-validation.tsv")
    parser.add_argument("--unlabelled", type=Path, help="folder with test.json of DocRED; needs --redocred")
    parser.add_argument("--sentences", type=Path, help="folder that build_default.py wrote")
    args = parser.parse_args()
    options = {name: getattr(args, name) for name in ("redocred", "gap", "unlabelled", "sentences")}
    try:
        build(args.assets, args.output, **options)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
