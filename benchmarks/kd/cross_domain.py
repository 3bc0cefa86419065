"""Training on newspaper sentences, tests on other text too: relations of NYT24 that WebNLG or wiki80 also has.

Entities of NYT24 have types, those of WebNLG and wiki80 none. Every text has one marked pair, with one of the
relations.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from benchmarks.harness.corpora import PairData, PairMaker
from benchmarks.selfore.corpora import Marked, read_wiki80, write_pairs
from benchmarks.zeroshot.corpora import find_words, read_webnlg

# Relation → its name in NYT24; "^" where subject and object are swapped.
NYT24: Mapping[str, str] = {
    "place of birth": "/people/person/place_of_birth",
    "place of death": "/people/deceased_person/place_of_death",
    "nationality": "/people/person/nationality",
    "residence": "/people/person/place_lived",
    "child": "/people/person/children",
    "capital": "/location/country/capital",
    "country": "/location/administrative_division/country",
    "located in": "^/location/location/contains",
    "founder": "/business/company/founders",
}
# Its name in the other data sets, in words, if different → relation.
WEBNLG_NAMES = {
    "birth place": "place of birth",
    "death place": "place of death",
    "is part of": "located in",
    "founded by": "founder",
}
WIKI80_NAMES = {
    "country of citizenship": "nationality",
    "located in the administrative territorial entity": "located in",
}
# Maximum number of pairs per relation, in training and in each test.
MOST = 300
DEV_SHARE = 8
SETS = ("train_triples.json", "dev_triples.json", "test_triples.json")


def cross_domain(maker: PairMaker) -> PairData:
    """Make the corpora, where they are not there yet.

    RETURNS (PairData): Training and dev pairs of NYT24's dev file; tests "NYT24", "WebNLG" and "wiki80".
    """
    folder, files = maker.data / "nyt24_multi" / "cotype_format", maker.data / "wiki80"
    webnlg = (pair for name in SETS for pair in read_webnlg(maker.data / "webnlg" / "full_span" / name))
    wiki80 = (pair for name in ("train_0.1.txt", "dev.txt") for pair in read_wiki80(files / name))
    learned = _drawn(_read_nyt24(folder / "dev.json"), {})
    at = len(learned) // DEV_SHARE
    texts = {tuple(pair.words) for pair in learned}
    parts = {
        "train": learned[at:],
        "dev": learned[:at],
        "NYT24": _drawn((pair for pair in _read_nyt24(folder / "test.json") if tuple(pair.words) not in texts), {}),
        "WebNLG": _drawn(webnlg, WEBNLG_NAMES),
        "wiki80": _drawn(wiki80, WIKI80_NAMES),
    }
    paths = {name: _written(maker.folder / f"cross-domain-{name}.spacy", pairs) for name, pairs in parts.items()}
    tests = {name: paths[name] for name in ("NYT24", "WebNLG", "wiki80")}
    options = {"key": "cross", "types": "annotated", "marked": True, "batch": 800}
    return PairData(f"NYT24, {len(NYT24)} relations", paths["train"], paths["dev"], tests, **options)  # type: ignore[arg-type]


def _written(path: Path, pairs: Iterable[Marked]) -> Path:
    if not path.exists():
        write_pairs(path, list(pairs))
    return path


def _drawn(pairs: Iterable[Marked], names: Mapping[str, str]) -> list[Marked]:
    """Keep the pairs with one of the relations, each text and pair once, at most `MOST` of each, chosen at random."""
    found: dict[tuple[object, ...], Marked] = {}
    for pair in pairs:
        relation = names.get(str(pair.relation), str(pair.relation))
        if relation in NYT24:
            found.setdefault((*pair.words, pair.subject, pair.object), replace(pair, relation=relation))
    kept, counts = [], Counter[str]()
    order = list(found.values())
    random.Random(0).shuffle(order)
    for pair in order:
        counts[str(pair.relation)] += 1
        if counts[str(pair.relation)] <= MOST:
            kept.append(pair)
    return kept


def _read_nyt24(path: Path) -> Iterator[Marked]:
    """Read NYT24 with entity types. Of several relations of a pair the rarest counts, the most informative one."""
    records = [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()]
    names = {name.removeprefix("^"): (relation, name[0] == "^") for relation, name in NYT24.items()}
    total = Counter(each["label"] for record in records for each in record["relationMentions"])
    for record in records:
        words = record["sentText"].split()
        types = {each["text"]: each["label"] for each in record["entityMentions"]}
        mentions = [each for each in record["relationMentions"] if each["label"] in names]
        of_pair: dict[frozenset[str], tuple[str, str, str]] = {}
        for each in sorted(mentions, key=lambda each: total[each["label"]]):
            relation, is_reversed = names[each["label"]]
            ends = (each["em1Text"], each["em2Text"])[:: -1 if is_reversed else 1]
            of_pair.setdefault(frozenset(ends), (relation, *ends))
        for relation, subject, obj in of_pair.values():
            places = [find_words(words, text.split()) for text in (subject, obj)]
            if all(places) and places[0] != places[1]:
                yield Marked(words, places[0], places[1], relation, (), (types.get(subject, ""), types.get(obj, "")))  # type: ignore[arg-type]
