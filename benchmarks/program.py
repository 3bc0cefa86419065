"""What the programs of the benchmarks share: experiments, options, and the call that they make of them."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from call import Call
from corpora import Maker
from runs import ROOT, Settings, resolve_precision

HERE = Path(__file__).resolve().parent
PRECISIONS = ("auto", "fp32", "bf16")
# Options that name folders and files of one machine; what they say does not change the figures.
FOLDERS = ("--runs", "--results", "--figures", "--data", "--models", "--encoder", "--peer-python")


@dataclass(frozen=True)
class Experiment:
    """An experiment and what it does unless told otherwise.

    run (Callable[[Call], None]): The experiment.
    parts (tuple[str, ...]): What `--only` may name.
    seeds (str): Seeds.
    passes (int): Passes over the training data; 0 for what the config says.
    limit_train (int): Training sentences; 0 for all.
    limit_test (int): Tuning and test sentences; 0 for all.
    """

    run: Callable[[Call], None]
    parts: tuple[str, ...]
    seeds: str = "0,1,2"
    passes: int = 10
    limit_train: int = 0
    limit_test: int = 0


def make_call(
    experiment: Experiment, options: Mapping[str, Any], maker: Callable[..., Maker], *, program: str, **more: Any
) -> Call:
    """Fill what the command line leaves open with what the experiment does unless told otherwise.

    experiment (Experiment): The experiment.
    options (Mapping[str, Any]): The program's options.
    maker (Callable[..., Maker]): Makes the corpora: gets the folder of the data, the folder that keeps corpora and
        the limits.
    program (str): Of benchmarks/.
    more (Any): Further fields of the call.
    RETURNS (Call): The call.
    RAISES (ValueError): Where an option is malformed, or what it names is not there.
    """
    started = time.perf_counter()
    if options["precision"] not in PRECISIONS:
        raise ValueError(f"--precision {options['precision']}: expected {', '.join(PRECISIONS)}")
    for option in ("encoder", "config"):
        if option in options and not options[option].exists():
            where = f"--{option} {options[option]}"
            raise ValueError(f"{where}: not found (python scripts/get_encoder.py gets the encoder)")
    settings = Settings(
        runs=options["runs"].resolve(),
        encoder=options["encoder"].resolve(),
        passes=options["passes"] or experiment.passes,
        threads=options["threads"],
        precision=resolve_precision(options["precision"]),
    )
    limits = {
        name: getattr(experiment, name) if options[name] is None else options[name]
        for name in ("limit_train", "limit_test")
    }
    return Call(
        settings=settings,
        maker=maker(options["data"], settings.runs / "corpora", **limits),
        seeds=read_numbers("--seeds", options["seeds"] or experiment.seeds, int),
        results=options["results"],
        figures=options.get("figures", HERE / "figures"),
        command=command_line(sys.argv[1:], program=program),
        only=frozenset(split_names(options["only"])),
        peer=options["peer"],
        tell=lambda message: typer.echo(f"[{time.perf_counter() - started:7.0f} s] {message}", err=True),
        **more,
    )


def find_experiment(name: str, known: Mapping[str, Experiment], *, only: str | None) -> Experiment:
    """Look an experiment up, and check the parts that are asked for.

    name (str): The experiment.
    known (Mapping[str, Experiment]): All of a program.
    only (Optional[str]): Parts, comma-separated.
    RETURNS (Experiment): The experiment.
    RAISES (ValueError): Where there is none of that name, or it has no such part.
    """
    if name not in known:
        raise ValueError(f"no experiment {name!r}; there are {', '.join(known)}")
    if set(split_names(only)).difference(known[name].parts):
        raise ValueError(f"--only {only}: {name} has {', '.join(known[name].parts)}")
    return known[name]


def split_names(option: str | None) -> list[str]:
    """RETURNS (list[str]): What a comma-separated option names."""
    return [part.strip() for part in (option or "").split(",") if part.strip()]


def read_numbers(option: str, text: str, kind: type) -> list:
    """Read an option of different numbers.

    option (str): Its name, for the message.
    text (str): Its value.
    kind (type): Of the numbers.
    RETURNS (list): The numbers.
    RAISES (ValueError): Where there are none, or one is there twice.
    """
    try:
        numbers = [kind(part) for part in split_names(text)]
    except ValueError:
        numbers = []
    if not numbers or len(set(numbers)) != len(numbers):
        raise ValueError(f"{option} {text}: expected different numbers, comma-separated")
    return numbers


def choose_names(option: str, text: str, known: Collection[str]) -> list[str]:
    """Read an option that names some of what there is.

    option (str): Its name, for the message.
    text (str): Its value.
    known (Collection[str]): What there is.
    RETURNS (list[str]): The names.
    RAISES (ValueError): Where there are none, or one is unknown.
    """
    names = split_names(text)
    if not names or not set(names).issubset(known):
        raise ValueError(f"{option} {text}: expected some of {', '.join(known)}, comma-separated")
    return names


def command_line(arguments: Sequence[str], *, program: str) -> str:
    """Write down what was called, without the folders of one machine.

    arguments (Sequence[str]): Of the process.
    program (str): Of benchmarks/.
    RETURNS (str): The command line.
    """
    kept: list[str] = []
    hidden = False
    for argument in arguments:
        if not hidden and argument.partition("=")[0] not in FOLDERS:
            kept.append(argument.replace(f"{ROOT}/", ""))
        hidden = not hidden and argument in FOLDERS
    return shlex.join(["python", f"benchmarks/{program}", *kept])
