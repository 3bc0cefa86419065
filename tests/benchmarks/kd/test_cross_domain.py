"""Relations that NYT24 shares with other data sets."""

import json
from pathlib import Path
from typing import Any

from spacy.vocab import Vocab

from benchmarks.harness.corpora import PairMaker
from benchmarks.kd.cross_domain import cross_domain
from spacy_relext.annotations.store import get_records
from spacy_relext.corpora.shards import iter_docs

CAPITAL, CONTAINS = "/location/country/capital", "/location/location/contains"


def write_data(folder: Path) -> Path:
    """A sentence of NYT24 in each file, one of WebNLG, one of wiki80, and one without a shared relation."""

    def nyt24(name: str, text: str, relations: list[tuple[str, str, str]], **types: str) -> None:
        mentions = [{"em1Text": one, "em2Text": two, "label": label} for one, two, label in relations]
        entities = [{"text": text, "label": label} for text, label in types.items()]
        write(
            f"nyt24_multi/cotype_format/{name}.json",
            {"sentText": text, "relationMentions": mentions} | {"entityMentions": entities},
        )

    def write(name: str, *records: Any, as_list: bool = False) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(records) if as_list else "\n".join(map(json.dumps, records)), encoding="utf8")

    both = [("Estland", "Narva", CONTAINS)] * 2 + [("Estland", "Narva", CAPITAL)]
    nyt24("dev", "Narva in Estland", both, Narva="LOCATION", Estland="LOCATION")
    nyt24("test", "Turku in Finland", [("Finland", "Turku", CONTAINS)], Turku="LOCATION", Finland="LOCATION")
    triples = [["Ida", "birthPlace", "Lund"], ["Ida", "height", "170"]]
    for name in ("train", "dev", "test"):
        record = {"text": f"Ida of Lund , {name} , 170", "triple_list": triples}
        write(f"webnlg/full_span/{name}_triples.json", record, as_list=True)
    ends = {"h": {"pos": [0, 1], "type": "PERSON"}, "t": {"pos": [2, 3], "type": "GPE"}}
    tokens = {"token": ["Ida", "from", "Norway"], **ends}
    write("wiki80/dev.txt", {**tokens, "relation": "country of citizenship"}, {**tokens, "relation": "genre"})
    write("wiki80/train_0.1.txt")
    return folder


def triples_of(path: Path) -> list[tuple[str, str, str]]:
    found = []
    for doc in iter_docs(path, Vocab()):
        for record in get_records(doc) or ():
            ends = (doc.text[slice(*record[key])] for key in ("subject", "object"))
            subject, obj = ends
            found.append((subject, record["relation"], obj))
    return found


def test_relations_get_one_name_and_one_direction(tmp_path: Path) -> None:
    data = cross_domain(PairMaker(write_data(tmp_path / "data"), tmp_path / "corpora"))
    assert triples_of(data.train) == [("Estland", "capital", "Narva")]  # the rarer one
    assert triples_of(data.tests["NYT24"]) == [("Turku", "located in", "Finland")]
    assert set(triples_of(data.tests["WebNLG"])) == {("Ida", "place of birth", "Lund")}
    assert triples_of(data.tests["wiki80"]) == [("Ida", "nationality", "Norway")]


def test_training_pairs_have_entity_types(tmp_path: Path) -> None:
    data = cross_domain(PairMaker(write_data(tmp_path / "data"), tmp_path / "corpora"))
    (doc,) = iter_docs(data.train, Vocab())
    assert [(entity.text, entity.label_) for entity in doc.ents] == [("Narva", "LOCATION"), ("Estland", "LOCATION")]
