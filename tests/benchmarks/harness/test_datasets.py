import json
import pathlib
from typing import Any, Dict, List

import pytest

from benchmarks.harness.datasets import Maker, missing_rate, read_docs, write_strings
from spacy_relext.annotations.store import get_records

PEOPLE = ["Ada Brook", "Bela Cerny", "Cora Diaz", "Dan Evers", "Eva Frost"]
PLACES = ["Oslo", "New Lima", "Porto", "Quito"]


def sentences(count: int) -> List[Dict[str, Any]]:
    """Invented sentences in CasRel's form."""
    records = []
    for number in range(count):
        person, place = PEOPLE[number % 5], PLACES[number % 4]
        triples = [[person, "born_in", place]]
        text = f"{person} was born in {place} ({number})."
        if number % 3 == 0:
            text, triples = f"{text[:-1]} and died there.", [*triples, [person, "died_in", place]]
        records.append({"text": text, "triple_list": triples})
    return records


@pytest.fixture()
def data(tmp_path: pathlib.Path) -> pathlib.Path:
    files = {
        "nyt24_multi/full_span/dev_triples.json": sentences(40),
        "nyt24_multi/full_span/test_triples.json": sentences(12),
        "nyt11_hrl/test.json": sentences(6),
        "nyt10_hrl/test.json": [{"text": "Ada Brook owns Oslo.", "triple_list": [["Ada Brook", "owns", "Oslo"]]}]
        + sentences(6),
    }
    for name, records in files.items():
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(records), encoding="utf8")
    return tmp_path / "data"


def texts(path: pathlib.Path) -> List[str]:
    return [doc.text for doc in read_docs(path)]


def test_nine_tenths_train_and_the_last_tenth_tunes(data: pathlib.Path, tmp_path: pathlib.Path) -> None:
    made = Maker(data, tmp_path / "runs").nyt24()
    expected = [record["text"] for record in sentences(40)]
    assert texts(made.train) == expected[:36]
    assert texts(made.dev) == expected[36:]
    assert {split: len(texts(path)) for split, path in made.tests.items()} == {
        "test": 12,
        "nyt11_hrl/test": 6,
        "nyt10_hrl/test": 7,
    }


def test_nyt10_trains_on_no_sentence_of_the_tuning_and_test_sets(data: pathlib.Path, tmp_path: pathlib.Path) -> None:
    held_out = [{"text": "Ada Brook owns Oslo . '' ", "triple_list": [["Ada Brook", "owns", "Oslo"]]}]
    (data / "nyt10_hrl/dev.json").write_text(json.dumps(held_out), encoding="utf8")
    stated = [
        ("Ada_Brook", "Oslo", "owns", "Ada_Brook owns Oslo . ''"),
        ("Eva", "Oslo", "NA", "Eva owns nothing in Oslo ."),
    ]
    stated += [
        ("Ada_Brook", place, "born_in", "Ada_Brook was born in Porto , not Quito .") for place in ("Porto", "Quito")
    ]
    lines = [f"m.1\tm.2\t{one}\t{other}\t{relation}\t{text}###END###" for one, other, relation, text in stated]
    target = data / "nyt10_riedel_mid_sample/train.txt"
    target.parent.mkdir()
    target.write_text("\n".join(lines), encoding="utf8")
    made = Maker(data, tmp_path / "runs").nyt10()
    (doc,) = read_docs(made.train)
    assert doc.text == "Ada Brook was born in Porto , not Quito ."
    assert [record["relation"] for record in get_records(doc) or []] == ["born_in", "born_in"]
    assert texts(made.dev) == ["Ada Brook owns Oslo . ''"]


def test_limits_cut_and_do_not_mix(data: pathlib.Path, tmp_path: pathlib.Path) -> None:
    limited = Maker(data, tmp_path / "runs", limit_train=10, limit_test=3).nyt24()
    full = Maker(data, tmp_path / "runs").nyt24()
    assert texts(limited.train) == texts(full.train)[:10]
    assert texts(limited.dev) == texts(full.dev)[:3]
    assert texts(limited.tests["test"]) == texts(full.tests["test"])[:3]


def test_a_missing_file_is_named(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match=r"dev_triples\.json: not found; --data"):
        Maker(tmp_path, tmp_path / "runs").nyt24()


def test_strings_for_the_peer_are_those_of_the_corpus(data: pathlib.Path, tmp_path: pathlib.Path) -> None:
    made = Maker(data, tmp_path / "runs").nyt24()
    lines = write_strings(made.train, tmp_path / "strings.jsonl").read_text(encoding="utf8").splitlines()
    assert [json.loads(line) for line in lines] == sentences(40)[:36]


def test_dropping_says_what_is_missing(data: pathlib.Path, tmp_path: pathlib.Path) -> None:
    maker = Maker(data, tmp_path / "runs")
    train = maker.nyt24().train
    assert maker.drop(train, rate=0.0, mode="keep_empty", seed=0) == train
    all_gone = maker.drop(train, rate=1.0, mode="keep_empty", seed=0)
    some_gone = maker.drop(train, rate=0.5, mode="keep_empty", seed=0)
    only_kept = maker.drop(train, rate=0.5, mode="drop_empty", seed=0)
    assert missing_rate(train, train) == 0.0
    assert missing_rate(train, all_gone) == 1.0
    assert 0.3 < missing_rate(train, some_gone) < 0.7
    assert missing_rate(train, only_kept) < missing_rate(train, some_gone)
    assert maker.drop(train, rate=0.5, mode="keep_empty", seed=1) != some_gone
