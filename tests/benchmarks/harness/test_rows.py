import json
import math
import multiprocessing
import pathlib
import platform
from typing import Any, Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.harness.rows import add_rows, check_row, machine, make_row, merge_rows, read_rows
from tests.benchmarks.conftest import make

FRACTIONS = st.dictionaries(st.integers(0, 9), st.floats(0, 1), min_size=1)


def test_mean_and_sample_deviation() -> None:
    row = make(values={1: 0.7, 0: 0.5, 2: 0.6}, seconds={0: 10.0, 1: 12.0})
    assert row["seeds"] == [0, 1, 2]
    assert row["values"] == [0.5, 0.7, 0.6]
    assert row["train_seconds"] == [10.0, 12.0, None]
    assert row["mean"] == pytest.approx(0.6)
    assert row["sd"] == pytest.approx(0.1)


def test_the_origin_is_the_last_key_and_that_of_the_newest_value() -> None:
    options: Dict[str, Any] = {"data": "toy", "split": "test", "system": "default", "metric": "exact_f"}
    old, new = (
        make_row("toy", values={seed: 0.5}, command="a", origin=where, **options)
        for seed, where in enumerate(({"commit": "1ab"}, {"commit": "2cd"}))
    )
    keys = "benchmark data split system metric values mean sd seeds train_seconds command machine date origin"
    assert list(old) == keys.split() and old["origin"] == {"commit": "1ab"}
    (merged,) = merge_rows([old], [new])
    assert merged["seeds"] == [0, 1] and merged["origin"] == {"commit": "2cd"}
    (merged,) = merge_rows([make(data="toy")], [{**new, "benchmark": "toy"}])
    assert merged["origin"] == {"commit": "2cd"}


@pytest.mark.parametrize(
    "change, message",
    [
        ({"system": "ours"}, "peer:NAME"),
        ({"system": "peer:"}, "peer:NAME"),
        ({"metric": ""}, "metric"),
        ({"values": [1.5]}, "fraction"),
        ({"metric": "ap_difference", "values": [-1.2]}, "fraction"),
        ({"values": [math.nan]}, "not numbers"),
        ({"values": ["0.5"]}, "not numbers"),
        ({"values": [], "seeds": [], "train_seconds": []}, "not numbers"),
        ({"values": [0.5, 0.5]}, "one length"),
        ({"seeds": ["a"]}, "integers"),
        ({"mean": 0.6}, "mean"),
        ({"sd": 0.1}, "sd"),
        ({"train_seconds": [True]}, "train_seconds"),
        ({"extra": 1}, "has the keys"),
        ({"origin": {"commit": 1}}, "mapping of texts"),
        ({"origin": "1ab"}, "mapping of texts"),
    ],
)
def test_malformed_rows_are_refused(change: Dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_row({**make(), **change})


def test_a_seed_that_is_new_is_added_and_one_that_is_there_is_replaced() -> None:
    old = [make(values={0: 0.5, 1: 0.6}, seconds={0: 1.0, 1: 2.0}, command="python old.py")]
    (row,) = merge_rows(old, [make(values={1: 0.7, 2: 0.8}, seconds={1: 3.0, 2: 4.0}, command="python new.py")])
    assert row["seeds"] == [0, 1, 2]
    assert row["values"] == [0.5, 0.7, 0.8]
    assert row["train_seconds"] == [1.0, 3.0, 4.0]
    assert row["mean"] == pytest.approx(2 / 3)
    assert row["command"] == "python new.py"


def test_the_command_of_a_row_names_all_its_seeds() -> None:
    command = "python toy.py --seeds 0,1 --passes 4"
    (row,) = merge_rows([make(values={0: 0.5, 1: 0.7}, command=command)], [make(values={2: 0.6}, command=command)])
    assert row["command"] == "python toy.py --seeds 0,1,2 --passes 4"
    assert make(values={3: 0.5}, command="python toy.py --seeds 3, before it rained")["command"].endswith(
        "3, before it rained"
    )


@pytest.mark.parametrize("key", ["benchmark", "data", "split", "system"])
def test_rows_of_another_identity_stand_beside(key: str) -> None:
    other = make(**{key: "peer:x"})
    assert merge_rows([make()], [other]) == [make(), other]
    assert len(merge_rows([make()], [make("exact_p")])) == 2


@given(FRACTIONS, FRACTIONS)
def test_merging_twice_changes_nothing_more(old: Dict[int, float], new: Dict[int, float]) -> None:
    once = merge_rows([make(values=old)], [make(values=new)])
    assert merge_rows(once, [make(values=new)]) == once
    (row,) = map(check_row, once)
    assert dict(zip(row["seeds"], row["values"])) == {**old, **new}


def test_the_file_is_made_and_grows(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "results" / "toy.json"
    assert read_rows(path) == []
    add_rows(path, [make()])
    add_rows(path, [make("exact_p"), make(values={1: 0.7})])
    assert [(row["metric"], row["seeds"]) for row in read_rows(path)] == [("exact_f", [0, 1]), ("exact_p", [0])]
    assert isinstance(json.loads(path.read_text(encoding="utf8")), list)


def test_a_bad_row_leaves_the_file_as_it_is(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "toy.json"
    add_rows(path, [make()])
    before = path.read_bytes()
    with pytest.raises(ValueError, match="system"):
        add_rows(path, [{**make(), "system": "ours"}])
    assert path.read_bytes() == before
    path.write_text("{", encoding="utf8")
    with pytest.raises(ValueError, match="no JSON"):
        add_rows(path, [make()])
    assert path.read_text(encoding="utf8") == "{"


def _add(path: pathlib.Path, seed: int) -> None:
    add_rows(path, [make(values={seed: 0.1 * seed})])


def test_two_processes_do_not_lose_each_others_rows(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "toy.json"
    workers = [multiprocessing.get_context("fork").Process(target=_add, args=(path, seed)) for seed in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    (row,) = read_rows(path)
    assert row["seeds"] == [0, 1, 2, 3, 4, 5]


def test_the_machine_is_named_without_its_host() -> None:
    assert "core" in machine()
    assert platform.node() not in machine()


def test_results_of_the_project_are_well_formed(project_root: pathlib.Path) -> None:
    for path in (project_root / "benchmarks" / "results").glob("*.json"):
        assert read_rows(path), f"{path.name} holds no row"
