import pathlib
import subprocess
import sys
from typing import List

import pytest

from benchmarks.harness.render import render_page
from benchmarks.harness.rows import add_rows
from tests.benchmarks.conftest import make

RENDER = [sys.executable, "-m", "benchmarks", "render"]
PAGE = "# Toy\n\nBefore.\n\n<!-- results:toy:toy -->\n<!-- end -->\n\nAfter.\n"


@pytest.fixture()
def results(tmp_path: pathlib.Path) -> pathlib.Path:
    rows = [
        make(values={0: 0.681, 1: 0.687, 2: 0.684}, seconds={0: 700.0, 1: 710.0, 2: 720.0}),
        make("ece", {0: 0.02}),
        make(values={0: 0.6, 1: 0.601}, system="peer:other"),
        make("ece", {0: 0.05}, system="peer:other"),
        make(values={0: 0.9}, system="ablation:default, gold relations"),
        make("sentences_per_second", {0: 1234.5}, benchmark="speed"),
    ]
    add_rows(tmp_path / "results" / "toy.json", rows)
    return tmp_path / "results"


def render(page: str, results: pathlib.Path) -> str:
    return render_page(page, results=results, page="toy.md")


def table(text: str) -> List[List[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_points_with_one_decimal_best_in_bold_and_seeds(results: pathlib.Path) -> None:
    heading, _, default, other, told = table(render(PAGE, results))
    assert heading == ["split", "system", "exact F", "ECE", "training s", "seeds"]
    assert default == ["test", "default", "**68.4 ± 0.3**", "**2.0**", "710", "3"]
    assert other == ["test", "peer:other", "60.1 ± 0.1", "5.0", "–", "2"]
    assert told == ["test", "default, gold relations", "90.0", "–", "–", "1"]


def test_what_stands_around_the_table_stays_and_rendering_again_changes_nothing(results: pathlib.Path) -> None:
    once = render(PAGE, results)
    assert once.startswith("# Toy\n\nBefore.\n\n<!-- results:toy:toy -->\n")
    assert once.endswith("<!-- end -->\n\nAfter.\n")
    assert render(once, results) == once


def test_the_note_names_machine_date_and_command(results: pathlib.Path) -> None:
    row = make()
    note = render(PAGE, results).split("|")[-1]
    for part in (row["machine"], row["date"], "`python toy.py`", "standard deviation", "points"):
        assert part in note


def test_columns_can_be_chosen(results: pathlib.Path) -> None:
    heading = table(render(PAGE.replace("toy:toy", "toy:toy:ece"), results))[0]
    assert heading == ["split", "system", "ECE", "seeds"]


def test_plain_numbers_stay_as_they_are(results: pathlib.Path) -> None:
    text = render(PAGE.replace("toy:toy", "toy:speed"), results)
    assert "1,234" in text
    assert "points" not in text


def test_each_data_set_has_a_table(results: pathlib.Path) -> None:
    add_rows(results / "toy.json", [make(data="other data")])
    text = render(PAGE, results)
    assert "toy: 10 training sentences:\n" in text
    assert "other data:\n" in text


def test_a_long_table_is_folded_with_its_commands(results: pathlib.Path) -> None:
    assert "<details" not in render(PAGE, results)
    add_rows(results / "toy.json", [make(split=f"part {number}", command=f"toy {number % 2}") for number in range(20)])
    text = render(PAGE, results)
    assert '<details markdown="1">\n<summary>All 23 rows, and their commands</summary>\n\n' in text
    assert "\n- `toy 0`\n- `toy 1`\n\n</details>\n\n<!-- end -->" in text


def test_a_benchmark_without_rows_says_so(results: pathlib.Path) -> None:
    assert "No results yet." in render(PAGE.replace("toy:toy", "toy:none"), results)


def test_a_page_cites_a_single_figure(results: pathlib.Path) -> None:
    row = make()
    address = f"toy/{row['benchmark']}; {row['data']}; {row['split']}; {row['system']}; {row['metric']}"
    marker = f"<!-- figure: {address} -->"
    assert render(f"F is {marker}1<!-- /figure -->.", results) == f"F is {marker}68.4 ± 0.3<!-- /figure -->."
    with pytest.raises(ValueError, match="no such row"):
        render(f"<!-- figure: {address}x --><!-- /figure -->", results)


@pytest.mark.parametrize("page", [PAGE.replace("<!-- end -->", ""), PAGE.replace("toy:toy", "toy:toy!")])
def test_a_broken_marker_is_refused(results: pathlib.Path, page: str) -> None:
    with pytest.raises(ValueError, match=r"toy\.md"):
        render(page, results)


def test_a_missing_file_is_refused(results: pathlib.Path) -> None:
    with pytest.raises(ValueError, match=r"nothing\.json"):
        render(PAGE.replace("toy:toy", "nothing:toy"), results)


def test_check_fails_until_the_page_is_written(project_root: pathlib.Path, results: pathlib.Path) -> None:
    docs = results.parent / "docs"
    docs.mkdir()
    (docs / "toy.md").write_text(PAGE, encoding="utf8")

    def call(*options: str) -> "subprocess.CompletedProcess[str]":
        folders = ["--results", str(results), "--docs", str(docs)]
        return subprocess.run([*RENDER, *folders, *options], cwd=project_root, capture_output=True, text=True)

    stale = call("--check")
    assert (stale.returncode, stale.stderr.strip()) == (
        1,
        "render: not up to date: toy.md (python -m benchmarks render)",
    )
    assert (docs / "toy.md").read_text(encoding="utf8") == PAGE
    assert call().returncode == 0
    assert call("--check").returncode == 0


def test_the_pages_of_the_project_are_up_to_date(project_root: pathlib.Path) -> None:
    done = subprocess.run([*RENDER, "--check"], cwd=project_root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
