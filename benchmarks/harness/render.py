"""Renders all result files as tables in the pages that ask for them.

    python -m benchmarks render            writes the tables
    python -m benchmarks render --check    says which page is not up to date, and fails if one is not

A page asks for a table with two comments; the text between them is replaced:

    <!-- results:rere:nyt24 -->
    <!-- end -->

They name a file of benchmarks/results, a benchmark in it and, if wanted, metrics: `results:rere:nyt24:exact_f,macro_f`.
A single figure, with its standard deviation, stands between `<!-- figure: rere/nyt24; DATA; SPLIT; SYSTEM; METRIC -->`
and `<!-- /figure -->`; DATA, SPLIT and SYSTEM are written as in the rows.
Between `<!-- data sets -->` and `<!-- end -->` is the list of benchmarks/data_sets.json.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.get_data import read_list
from benchmarks.harness.rows import Row, is_plain, read_rows
from benchmarks.harness.runs import ROOT

PAGES = [ROOT / "benchmarks" / "tables", ROOT / "docs" / "research"]
# Rows written before the benchmarks were a package name a file.
OLD_PROGRAM = re.compile(r"^python benchmarks/(\w+)\.py")
MARKER = re.compile(r"(<!-- results:([\w-]+):([\w-]+)(?::([\w,]+))? -->\n)(.*?)(<!-- end -->)", re.DOTALL)
KEY = "data", "split", "system", "metric"
FIGURE = re.compile(r"(<!-- figure: (.+?) -->).*?(<!-- /figure -->)")
DATA_SETS = re.compile(r"(<!-- data sets -->\n).*?(<!-- end -->)", re.DOTALL)
# Metrics from left to right; others follow, sorted by name.
ORDER = (
    *("exact_p", "exact_r", "exact_f", "unseen_p", "unseen_r", "unseen_f", "span_f", "partial_f", "macro_f", "micro_f"),
    *("relations_micro_f", "relations_macro_f", "relations_ap"),
    *("entities_mrr", "entities_hits_1", "entities_hits_10", "relations_mrr", "relations_hits_1"),
    *("sentences_per_second", "words_per_second", "peer_ratio", "cpu_peer_ratio"),
    *("bare_encoder_ratio", "cpu_bare_encoder_ratio", "time_ratio", "cpu_time_ratio"),
)
LOWER_IS_BETTER = (
    "ece",
    "ece_one",
    "ece_two_to_five",
    "brier",
    "empty_error_rate",
    "peak_mib",
    "time_ratio",
    "cpu_time_ratio",
)
LOWER_IS_BETTER += ("encoder_calls_per_sentence", "encoder_rows_per_sentence", "cluster_seconds", "loop_seconds")
LOWER_IS_BETTER += ("train_cpu_seconds", "pass_seconds", "read_seconds", "names_seconds", "read_us_per_sentence")
LOWER_IS_BETTER += ("find_and_link_us_per_sentence", "mark_and_write_us_per_sentence")
NAMES = {"exact_p": "exact P", "exact_r": "exact R", "relations_ap": "relations AP", "ece": "ECE"}
NAMES |= {f"{each}_step_count": f"{each} step, of 10,000 cells" for each in ("first", "second")}
NAMES |= {"unseen_p": "unseen P", "unseen_r": "unseen R"}
NAMES |= {"peak_mib": "peak MiB", "named_auc": "AUC, named"}
NAMES |= {f"{kind}_mrr": f"{kind} MRR" for kind in ("entities", "relations")}
NAMES |= {f"{kind}_hits_{most}": f"{kind} H@{most}" for kind in ("entities", "relations") for most in (1, 10)}
NAMES |= {f"semeval_macro_{each}": f"official macro {each.upper()}" for each in "prf"}
NAMES |= {f"micro_{each}": f"micro {each.upper()}" for each in "pr"}
# A system that is given part of the answer is never the best.
TOLD = "gold relations"
# Longer tables are folded: the text above them states what they show.
MOST_LINES = 16


def render_page(text: str, *, results: Path, page: str) -> str:
    """Fill the tables of a page.

    RETURNS (str): The page with its tables.
    RAISES (ValueError): Where a marker has no end or names a file that is not there.
    """
    if text.count("<!-- results:") != len(MARKER.findall(text)):
        raise ValueError(f"{page}: a '<!-- results:FILE:BENCHMARK -->' line without its '<!-- end -->', or misspelt")

    @cache  # a page may cite many figures of a file
    def rows_of(file: str) -> Sequence[Row]:
        return read_rows(results / f"{file}.json")

    def fill(match: re.Match[str]) -> str:
        opening, file, benchmark, metrics, _, closing = match.groups()
        path = results / f"{file}.json"
        if not path.exists():
            raise ValueError(f"{page}: results:{file}: there is no {path.name} in {results.name}/")
        rows = [row for row in rows_of(file) if row["benchmark"] == benchmark]
        return opening + render_tables(rows, metrics=metrics.split(",") if metrics else None) + closing

    def cite(match: re.Match[str]) -> str:
        return f"{match[1]}{_format_value(_find_row(match[2], rows_of=rows_of, page=page))}{match[3]}"

    text = DATA_SETS.sub(lambda match: match[1] + _list_data_sets() + match[2], text)
    return FIGURE.sub(cite, MARKER.sub(fill, text))


def _find_row(address: str, *, rows_of: Callable[[str], Sequence[Row]], page: str) -> Row:
    """Find the row that a page cites by file/benchmark, data, split, system and metric.

    RAISES (ValueError): Where there is none.
    """
    place, *key = address.split("; ")
    file, _, benchmark = place.partition("/")
    for row in rows_of(file):
        if row["benchmark"] == benchmark and [row[name] for name in KEY] == key:
            return row
    raise ValueError(f"{page}: figure: {address}: no such row in {file}.json")


def _list_data_sets() -> str:
    """Make a table of the published data sets, and one of their files."""
    sets, files = ["| folder | what it is | holds | licence | |", "| --- | --- | --- | --- | --- |"], []
    for each in read_list().values():
        sets.append(f"| `{each.name}` | {each.title} | {each.holds} | {each.licence} | {each.note} |")
        for file in each.files:
            name, commit = f"{each.name}/{file.path}", re.search(r"com/([^/]+/[^/]+)/([0-9a-f]{40})/", file.url or "")
            source = f"[{commit[1]}]({file.url})" if commit else "–"
            files.append(f"| `{name}` | {source} | {file.bytes:,} | `{file.sha256[:16]}` |")
    heading = ["| file | published in | bytes | sha256 begins with |", "| --- | --- | ---: | --- |"]
    return "\n".join(["", *sets, "", *heading, *files, "", ""])


def render_tables(rows: Sequence[Row], *, metrics: Sequence[str] | None = None) -> str:
    """Make a table for each data set of a benchmark, with a note on how the figures came about.

    metrics (Sequence[str] | None): Columns; all if None.
    """
    chosen = [row for row in rows if metrics is None or row["metric"] in metrics]
    if not chosen:
        return "\nNo results yet.\n\n"
    tables = []
    for data in dict.fromkeys(row["data"] for row in chosen):
        mine = [row for row in chosen if row["data"] == data]
        tables.append(f"{data}:\n\n{_table(mine, metrics)}\n")
    text, lines = "\n".join([*tables, _note(chosen)]), sum(table.count("\n| ") - 2 for table in tables)
    if lines > MOST_LINES:
        summary = f"<summary>All {lines} rows, and their commands</summary>"
        text = f'<details markdown="1">\n{summary}\n\n{text}\n\n</details>'
    return f"\n{text}\n\n"


def _format_value(row: Row) -> str:
    """Write a row's mean and standard deviation: fractions in points, other numbers as they are."""
    factor = 1.0 if is_plain(row["metric"]) else 100.0
    digits = 2 if row["metric"].endswith(("_ratio", "_per_sentence")) else 1
    if is_plain(row["metric"]) and abs(row["mean"]) >= 1000:
        digits = 0
    mean = f"{factor * row['mean']:,.{digits}f}"
    return mean if row["sd"] is None else f"{mean} ± {factor * row['sd']:,.{digits}f}"


def _table(rows: Sequence[Row], metrics: Sequence[str] | None) -> str:
    """Make a table with a row per system and a column per metric; the best of each split in bold."""
    present = {row["metric"] for row in rows}
    ordered = [m for m in metrics or (*ORDER, *sorted(present.difference(ORDER))) if m in present]
    lines = [["split", "system", *(NAMES.get(m, _heading(m)) for m in ordered), "training s", "seeds"]]
    for split in dict.fromkeys(row["split"] for row in rows):
        here = [row for row in rows if row["split"] == split]
        best = {metric: _best([row for row in here if row["metric"] == metric]) for metric in ordered}
        for system in dict.fromkeys(row["system"] for row in here):
            mine = {row["metric"]: row for row in here if row["system"] == system}
            cells = [_cell(mine.get(metric), best[metric]) for metric in ordered]
            any_row = next(iter(mine.values()))
            seconds = [value for value in any_row["train_seconds"] if value is not None]
            mean = f"{sum(seconds) / len(seconds):,.0f}" if seconds else "–"
            lines.append([split, system.removeprefix("ablation:"), *cells, mean, str(len(any_row["values"]))])
    if not any(line[-2] != "–" for line in lines[1:]):
        lines = [[*line[:-2], line[-1]] for line in lines]
    rule = ["---", "---", *["---:"] * (len(lines[0]) - 2)]
    return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], rule, *lines[1:]])


def _cell(row: Row | None, best: str | None) -> str:
    if row is None:
        return "–"
    return f"**{_format_value(row)}**" if row["system"] == best else _format_value(row)


def _best(rows: Sequence[Row]) -> str | None:
    """Name the best system of a column, where there is something to compare."""
    rows = [row for row in rows if not row["system"].endswith(TOLD)]
    if len({row["system"] for row in rows}) < 2 or len({row["mean"] for row in rows}) < 2:
        return None
    pick = min if rows[0]["metric"] in LOWER_IS_BETTER else max
    return str(pick(rows, key=lambda row: row["mean"])["system"])


def _heading(metric: str) -> str:
    """Turn a metric's key into a column heading."""
    words = metric.replace("_per_", "/").replace("_", " ")
    return f"{words[:-2]} F" if words.endswith(" f") else words


def _note(rows: Sequence[Row]) -> str:
    """Say what the numbers are, on what machine, when, and by which commands."""
    several = any(row["sd"] is not None for row in rows)
    points = any(not is_plain(row["metric"]) for row in rows)
    kinds = ["Scores in points (percent)."] * points + ["Mean ± standard deviation over the seeds."] * several
    machines = "; ".join(dict.fromkeys(row["machine"] for row in rows))
    dates = sorted({row["date"] for row in rows})
    dated = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    commands = [f"`{command}`" for command in dict.fromkeys(spell_command(row["command"]) for row in rows)]
    text = " ".join([*kinds, f"Best of a split in bold. {machines}; {dated}."])
    return f"{text} {commands[0]}" if len(commands) == 1 else "\n- ".join([f"{text}\n", *commands])


def spell_command(command: str) -> str:
    """Write the command of an old row as it is called now: `python benchmarks/kd.py` is `python -m benchmarks kd`."""
    return OLD_PROGRAM.sub(r"python -m benchmarks \1", command)


def main(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail if a page is not up to date.")] = False,
    results: Annotated[Path, typer.Option(help="Folder of the result files.")] = ROOT / "benchmarks" / "results",
    docs: Annotated[list[Path], typer.Option(help="Folders of pages with tables.")] = PAGES,
) -> None:
    """Render benchmark results into the pages of the docs."""
    stale = []
    try:
        for path in sorted(results.glob("*.json")):
            read_rows(path)
        for page in sorted(page for folder in docs for page in folder.glob("*.md")):
            before = page.read_text(encoding="utf8")
            after = render_page(before, results=results, page=page.name)
            if after != before and not check:
                page.write_text(after, encoding="utf8")
            stale += [page.name] * (after != before)
    except ValueError as error:
        sys.exit(f"render: {error}")
    if check and stale:
        sys.exit(f"render: not up to date: {', '.join(stale)} (python -m benchmarks render)")
    print(f"render: {', '.join(stale)} written" if stale else "render: everything is up to date")
