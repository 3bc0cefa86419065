"""What the programs of the benchmarks share: experiments, options, and the call made of them."""

from __future__ import annotations

import inspect
import shlex
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Optional

import typer

from benchmarks.harness.call import Call
from benchmarks.harness.datasets import Maker
from benchmarks.harness.runs import ROOT, Settings, resolve_precision, use_gpu

HERE = ROOT / "benchmarks"
RESULTS = HERE / "results"
DATA, MODELS, ENCODER = Path("../shared/data"), Path("../shared/models"), Path("assets/encoder/all-MiniLM-L6-v2")
PRECISIONS = ("auto", "fp32", "bf16")
# Options that name folders and files of one machine; their values do not change the figures.
FOLDERS = ("--runs", "--results", "--figures", "--data", "--models", "--encoder")

# Options of more than one program, and their defaults; `--results` is `results/PROGRAM.json`.
Option = tuple[Any, Any]


def make_option(kind: Any, default: Any, description: str, **settings: Any) -> Option:
    """RETURNS (Option): The annotation of an option, as typer reads it, and its default."""
    return Annotated[kind, typer.Option(help=description, **settings)], default


OPTIONS: dict[str, Option] = {
    "data": make_option(Path, DATA, "Folder with the data sets."),
    "models": make_option(Path, MODELS, "Folder with spaCy pipelines and word vectors."),
    "encoder": make_option(Path, ENCODER, "Folder of the encoder, for all systems."),
    "seeds": make_option(Optional[str], None, "Comma-separated; for speed also the number of rounds."),
    "passes": make_option(Optional[int], None, "Epochs of the training data.", min=1),
    "threads": make_option(int, 1, "Threads of torch and the tokenizer.", min=1),
    "precision": make_option(str, "auto", "auto, fp32 or bf16, with the encoder."),
    "gpu_id": make_option(int, -1, "GPU for trainings and predictions; -1: the CPU."),
    "limit_train": make_option(Optional[int], None, "First training sentences; 0 for all.", min=0),
    "limit_test": make_option(Optional[int], None, "First tuning and test sentences; 0 for all.", min=0),
    "only": make_option(Optional[str], None, "Parts of the experiment, comma-separated."),
    "runs": make_option(Path, HERE / "runs", "Folder that keeps trainings."),
    "figures": make_option(Path, HERE / "figures", "Folder for drawings."),
}


@dataclass(frozen=True)
class Experiment:
    """An experiment and its defaults.

    run (Callable[[Call], None]): The experiment.
    parts (tuple[str, ...]): What `--only` may name.
    seeds (str): Seeds.
    passes (int): Epochs over the training data; 0 for what the config says.
    limit_train (int): Training sentences; 0 for all.
    limit_test (int): Tuning and test sentences; 0 for all.
    """

    run: Callable[[Call], None]
    parts: tuple[str, ...]
    seeds: str = "0,1,2"
    passes: int = 10
    limit_train: int = 0
    limit_test: int = 0


# From the options of a call to further arguments of the maker of corpora, and of `Call`.
Prepare = Callable[[Mapping[str, Any]], tuple[dict[str, Any], dict[str, Any]]]


def _describe_defaults(known: Mapping[str, Experiment]) -> str:
    """RETURNS (str): What the experiments of a program do by default, for its help."""
    described = [
        f"{name}: seeds {e.seeds}, passes {e.passes or 'as configured'}, sentences {e.limit_train or 'all'}, "
        f"parts {', '.join(e.parts) or 'none'}"
        for name, e in known.items()
    ]
    return f"By default: {'; '.join(described)}."


@contextmanager
def report_errors() -> Iterator[None]:
    """Print a ValueError as one line and exit with status 1."""
    try:
        yield
    except ValueError as error:
        typer.echo(" ".join(str(error).split()), err=True)
        raise typer.Exit(1) from None


def make_main(
    name: str,
    known: Mapping[str, Experiment],
    maker: Callable[..., Maker],
    *,
    summary: str,
    options: Collection[str],
    own: Mapping[str, Option] = MappingProxyType({}),
    prepare: Prepare = lambda given: ({}, {}),
) -> Callable[..., None]:
    """Make the program that runs experiments one after the other and writes their rows.

    name (str): Of the program, and of the file of its results.
    maker (Callable[..., Maker]): Makes the maker of corpora from the data folder, the target folder and the limits, and
        the folder of models if that is an option.
    options (Collection[str]): Those of OPTIONS that it has besides data, seeds, threads, only and runs.
    own (Mapping[str, Option]): Options that no other program has; or with another default or description.
    prepare (Prepare): From the options given to further arguments of the maker, and of `Call`.
    """
    common = {*options, "data", "seeds", "threads", "only", "runs"}
    chosen = {key: option for key, option in OPTIONS.items() if key in common} | own
    chosen["results"] = make_option(Path, RESULTS / f"{name}.json", "File that gets the rows.")
    experiments = Annotated[list[str], typer.Argument(metavar="EXPERIMENT...", help=f"Of {', '.join(known)}.")]

    def main(**given: Any) -> None:
        with report_errors():
            for_maker, more = prepare(given)
            if "models" in given:
                for_maker = {**for_maker, "models": given["models"]}
            for each in given["experiments"]:
                experiment = _find_experiment(each, known, only=given["only"])
                experiment.run(_make_call(experiment, given, partial(maker, **for_maker), **more))

    kind = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter("experiments", kind, annotation=experiments)]
    parameters += [inspect.Parameter(key, kind, annotation=a, default=d) for key, (a, d) in chosen.items()]
    main.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    main.__doc__ = f"{summary}\n\n{_describe_defaults(known)}"
    return main


def _make_call(experiment: Experiment, options: Mapping[str, Any], maker: Callable[..., Maker], **more: Any) -> Call:
    """Fill what the command line leaves open with the defaults of the experiment."""
    started = time.perf_counter()
    precision = options.get("precision", "fp32")
    if precision not in PRECISIONS:
        raise ValueError(f"--precision {precision}: expected {', '.join(PRECISIONS)}")
    for option in ("encoder", "config"):
        if option in options and not options[option].exists():
            where = f"--{option} {options[option]}"
            raise ValueError(f"{where}: not found (python scripts/get_encoder.py gets the encoder)")
    settings = Settings(
        runs=options["runs"].resolve(),
        encoder=options.get("encoder", HERE).resolve(),
        passes=options.get("passes") or experiment.passes,
        threads=options["threads"],
        precision=resolve_precision(precision),
        gpu_id=options.get("gpu_id", -1),
    )
    if settings.gpu_id >= 0:
        use_gpu(settings.gpu_id)
    limits = {
        name: getattr(experiment, name) if options.get(name) is None else options[name]
        for name in ("limit_train", "limit_test")
    }
    return Call(
        settings=settings,
        maker=maker(options["data"], settings.runs / "corpora", **limits),
        seeds=read_numbers("--seeds", options["seeds"] or experiment.seeds, int),
        results=options["results"],
        figures=options.get("figures", HERE / "figures"),
        command=command_line(sys.argv[1:]),
        only=frozenset(_split_names(options["only"])),
        peer=options.get("peer", False),
        tell=lambda message: typer.echo(f"[{time.perf_counter() - started:7.0f} s] {message}", err=True),
        **more,
    )


def _find_experiment(name: str, known: Mapping[str, Experiment], *, only: str | None) -> Experiment:
    """Look an experiment up, and check the parts that are asked for."""
    if name not in known:
        raise ValueError(f"no experiment {name!r}; there are {', '.join(known)}")
    if set(_split_names(only)).difference(known[name].parts):
        raise ValueError(f"--only {only}: {name} has {', '.join(known[name].parts)}")
    return known[name]


def _split_names(option: str | None) -> list[str]:
    """RETURNS (list[str]): What a comma-separated option names."""
    return [part.strip() for part in (option or "").split(",") if part.strip()]


def read_numbers(option: str, text: str, kind: type) -> list:
    """Read an option of distinct numbers.

    RAISES (ValueError): If there are none, or one occurs twice.
    """
    try:
        numbers = [kind(part) for part in _split_names(text)]
    except ValueError:
        numbers = []
    if not numbers or len(set(numbers)) != len(numbers):
        raise ValueError(f"{option} {text}: expected different numbers, comma-separated")
    return numbers


def choose_names(option: str, text: str, known: Collection[str]) -> list[str]:
    """Read an option that names some of the known names.

    RAISES (ValueError): If there are none, or one is unknown.
    """
    names = _split_names(text)
    if not names or not set(names).issubset(known):
        raise ValueError(f"{option} {text}: expected some of {', '.join(known)}, comma-separated")
    return names


def command_line(arguments: Sequence[str]) -> str:
    """Return the command line, without the folders of one machine."""
    words: list[str] = []
    hidden = False
    for argument in arguments:
        if not hidden and argument.partition("=")[0] not in FOLDERS:
            words.append(argument.replace(f"{ROOT}/", ""))
        hidden = not hidden and argument in FOLDERS
    return shlex.join(["python", "-m", "benchmarks", *words])
