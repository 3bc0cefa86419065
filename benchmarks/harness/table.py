"""Reruns the commands of a table of benchmarks/tables/.

    python -m benchmarks table rere-nyt24           the whole table, as its rows say: hours
    python -m benchmarks table rere-nyt24 --small   its first command on a few sentences: does it still run?

A table's name is that of its comment, `<!-- results:rere:nyt24 -->`. Whole tables write into benchmarks/results/; small
ones into build/tables/, and show what they found.
"""

from __future__ import annotations

import inspect
import shlex
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.harness.program import RESULTS
from benchmarks.harness.render import render_tables, spell_command
from benchmarks.harness.rows import Row, read_rows
from benchmarks.harness.runs import ROOT

SMALL = {"--passes": "1", "--limit-train": "60", "--limit-test": "40", "--seeds": "0"}


def find_tables(results: Path = RESULTS) -> dict[str, list[Row]]:
    """Read all results. RETURNS (dict[str, list[Row]]): Name of a table → its rows."""
    tables: dict[str, list[Row]] = {}
    for path in sorted(results.glob("*.json")):
        for row in read_rows(path):
            tables.setdefault(f"{path.stem}-{row['benchmark']}", []).append(row)
    return tables


def commands_of(rows: Sequence[Row]) -> list[list[str]]:
    """List the commands that gave a table's rows, in the order of the rows.

    RETURNS (list[list[str]]): Arguments of `python -m benchmarks`.
    """
    spelt = dict.fromkeys(spell_command(row["command"]) for row in rows)
    return [shlex.split(command.removeprefix("python -m benchmarks ")) for command in spelt]


def make_small(command: Sequence[str], *, results: Path) -> list[str]:
    """Shorten a command: the first experiment and part, one seed, few sentences, a results file of its own."""
    program, experiment, *words = command
    options = dict(zip(words, words[1:]))
    small = [program, experiment, *["--peer"] * ("--peer" in words)]
    if "--only" in options:
        small += ["--only", options["--only"].partition(",")[0]]
    known = inspect.signature(import_module(f"benchmarks.{program}.program").main).parameters
    for option, value in {**SMALL, "--results": str(results), "--figures": str(results.parent)}.items():
        if option[2:].replace("-", "_") in known:
            small += [option, value]
    return small


def main(
    name: Annotated[str, typer.Argument(help="Such as rere-nyt24: file and benchmark.")],
    small: Annotated[bool, typer.Option("--small", help="Only see whether it runs.")] = False,
) -> None:
    """Run the commands of a table."""
    tables = find_tables()
    if name not in tables:
        sys.exit(f"table: there is no {name}; known are {', '.join(tables)}")
    commands = commands_of(tables[name])
    target = ROOT / "build" / "tables" / f"{name}.json"
    if small:
        target.unlink(missing_ok=True)
        commands = [make_small(commands[0], results=target)]
    for command in commands:
        print(f"python -m benchmarks {shlex.join(command)}", flush=True)
        done = subprocess.run([sys.executable, "-m", "benchmarks", *command], cwd=ROOT, check=False)
        if done.returncode:
            sys.exit(done.returncode)
    if small:
        print(render_tables(read_rows(target)))
