"""What the programs of the benchmarks share: experiments, options, and the call made of them."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
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
FOLDERS = ("--runs", "--results", "--figures", "--data", "--models", "--encoder", "--peer-python")

# Options of more than one program.
DataOption = Annotated[Path, typer.Option("--data", help="Folder with the data sets.")]
ModelsOption = Annotated[Path, typer.Option("--models", help="Folder with spaCy pipelines and word vectors.")]
EncoderOption = Annotated[Path, typer.Option("--encoder", help="Folder of the encoder, for all systems.")]
SeedsOption = Annotated[
    Optional[str], typer.Option("--seeds", help="Comma-separated; for speed also the number of rounds.")
]
PassesOption = Annotated[Optional[int], typer.Option("--passes", min=1, help="Passes over the training data.")]
ThreadsOption = Annotated[int, typer.Option("--threads", min=1, help="Threads of torch and the tokenizer.")]
PrecisionOption = Annotated[str, typer.Option("--precision", help="auto, fp32 or bf16, with the encoder.")]
GpuOption = Annotated[int, typer.Option("--gpu-id", help="GPU for trainings and predictions; -1: the CPU.")]
LimitTrainOption = Annotated[
    Optional[int], typer.Option("--limit-train", min=0, help="First training sentences; 0 for all.")
]
LimitTestOption = Annotated[
    Optional[int], typer.Option("--limit-test", min=0, help="First tuning and test sentences; 0 for all.")
]
OnlyOption = Annotated[Optional[str], typer.Option("--only", help="Parts of the experiment, comma-separated.")]
RunsOption = Annotated[Path, typer.Option("--runs", help="Folder that keeps trainings.")]
ResultsOption = Annotated[Path, typer.Option("--results", help="File that gets the rows.")]
FiguresOption = Annotated[Path, typer.Option("--figures", help="Folder for drawings.")]


@dataclass(frozen=True)
class Experiment:
    """An experiment and its defaults.

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


def experiments_argument(known: Mapping[str, Experiment]) -> Any:
    """RETURNS (type): The positional argument of a program that has these experiments."""
    return Annotated[list[str], typer.Argument(metavar="EXPERIMENT...", help=f"Of {', '.join(known)}.")]


def describe_defaults(known: Mapping[str, Experiment]) -> str:
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


def run_experiments(
    known: Mapping[str, Experiment], options: Mapping[str, Any], maker: Callable[..., Maker], **more: Any
) -> None:
    """Run the experiments of a command line one after the other.

    options (Mapping[str, Any]): The program's options, `experiments` among them.
    maker (Callable[..., Maker]): Makes the maker of corpora from the data folder, the target folder and the limits.
    RAISES (ValueError): If an option is malformed, or what it names does not exist.
    """
    for experiment in [_find_experiment(name, known, only=options["only"]) for name in options["experiments"]]:
        experiment.run(_make_call(experiment, options, maker, **more))


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
