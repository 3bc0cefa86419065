"""The benchmarks of RERE on real data.

    python benchmarks/rere.py nyt24 --peer
    python benchmarks/rere.py ablations --only loss,pairing

Rows go to benchmarks/results/rere.json after every training; `benchmarks/render.py` makes the tables of them. What
was finished is found again in benchmarks/runs/ and not repeated. benchmarks/README.md says what each experiment is.
"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Optional

import typer
from call import Call
from corpora import Maker
from experiments import LOSSES, ablations, duie, false_negatives, headline, nyt24, webnlg
from runs import DEFAULT_CONFIG, ROOT, Settings, resolve_precision
from speed import speed

from spacy_relext.corpora.drop import MODES

HERE = Path(__file__).resolve().parent
PRECISIONS = ("auto", "fp32", "bf16")
# Options that name folders of one machine; what they say does not change the figures.
FOLDERS = ("--runs", "--results", "--figures", "--data", "--models", "--encoder")


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


EXPERIMENTS = {
    "headline": Experiment(headline, ("ours",), passes=0),
    "nyt24": Experiment(nyt24, ("ours", "peer")),
    "webnlg": Experiment(webnlg, ("ours", "peer")),
    "ablations": Experiment(
        ablations,
        ("loss", "pairing", "absent-rows", "marked", "recurrent", "case", "precision"),
        seeds="0",
        limit_train=1500,
    ),
    "false-negatives": Experiment(false_negatives, MODES, seeds="0", limit_train=1500),
    "duie": Experiment(duie, ("casrel", "postag"), seeds="0", passes=15),
    "speed": Experiment(
        speed, ("training", "extraction", "memory", "relations"), passes=3, limit_train=1000, limit_test=300
    ),
}
_DEFAULTS = "; ".join(
    f"{name}: seeds {e.seeds}, passes {e.passes or 'as configured'}, sentences {e.limit_train or 'all'}, parts "
    + ", ".join(e.parts)
    for name, e in EXPERIMENTS.items()
)
app = typer.Typer(add_completion=False)


@app.command(help="Run experiments on real data and write their rows.", epilog=f"Unless told otherwise: {_DEFAULTS}.")
def main(
    experiments: Annotated[list[str], typer.Argument(metavar="EXPERIMENT...", help=f"Of {', '.join(EXPERIMENTS)}.")],
    data: Annotated[Path, typer.Option(help="Folder with the data sets.")] = Path("../shared/data"),
    encoder: Annotated[Path, typer.Option(help="Folder of the encoder, for all systems.")] = Path(
        "assets/encoder/all-MiniLM-L6-v2"
    ),
    config: Annotated[Path, typer.Option(help="Config of the headline system.")] = DEFAULT_CONFIG,
    seeds: Annotated[Optional[str], typer.Option(help="Comma-separated; for speed also the number of rounds.")] = None,
    passes: Annotated[Optional[int], typer.Option(min=1, help="Passes over the training data.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch and the tokenizer.")] = 1,
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16, for all systems.")] = "auto",
    limit_train: Annotated[Optional[int], typer.Option(min=0, help="First training sentences; 0 for all.")] = None,
    limit_test: Annotated[Optional[int], typer.Option(min=0, help="First tuning and test sentences.")] = None,
    peer: Annotated[bool, typer.Option("--peer", help="Train CasRel beside each training (nyt24, webnlg).")] = False,
    only: Annotated[Optional[str], typer.Option(help="Parts of the experiment, comma-separated.")] = None,
    rates: Annotated[str, typer.Option(help="Rates of dropped triples (false-negatives).")] = "0,0.1,0.3,0.5",
    losses: Annotated[str, typer.Option(help="Losses (false-negatives).")] = ",".join(LOSSES),
    runs: Annotated[Path, typer.Option(help="Folder that keeps trainings.")] = HERE / "runs",
    results: Annotated[Path, typer.Option(help="File that gets the rows.")] = HERE / "results" / "rere.json",
    figures: Annotated[Path, typer.Option(help="Folder for drawings.")] = HERE / "figures",
) -> None:
    options = dict(locals())
    try:
        options["chosen"] = [find_experiment(name, EXPERIMENTS, only=only) for name in experiments]
        for experiment in options["chosen"]:
            experiment.run(_make_call(experiment, options))
    except ValueError as error:
        typer.echo(" ".join(str(error).split()), err=True)
        raise typer.Exit(1) from None


def _make_call(experiment: Experiment, options: dict[str, Any]) -> Call:
    """Fill what the command line leaves open with what the experiment does unless told otherwise."""
    started = time.perf_counter()
    if options["precision"] not in PRECISIONS:
        raise ValueError(f"--precision {options['precision']}: expected {', '.join(PRECISIONS)}")
    for option, found in (("--encoder", options["encoder"].is_dir()), ("--config", options["config"].is_file())):
        if not found:
            raise ValueError(
                f"{option} {options[option[2:]]}: not found (python scripts/get_encoder.py gets the encoder)"
            )
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
        maker=Maker(options["data"], settings.runs / "corpora", **limits),
        seeds=_numbers("--seeds", options["seeds"] or experiment.seeds, int),
        results=options["results"],
        figures=options["figures"],
        command=command_line(sys.argv[1:]),
        only=frozenset(_split(options["only"])),
        config=options["config"],
        peer=options["peer"],
        rates=_numbers("--rates", options["rates"], float),
        losses=_names("--losses", options["losses"], LOSSES),
        tell=lambda message: typer.echo(f"[{time.perf_counter() - started:7.0f} s] {message}", err=True),
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
    if set(_split(only)).difference(known[name].parts):
        raise ValueError(f"--only {only}: {name} has {', '.join(known[name].parts)}")
    return known[name]


def _split(option: str | None) -> list[str]:
    return [part.strip() for part in (option or "").split(",") if part.strip()]


def _numbers(option: str, text: str, kind: type) -> list:
    try:
        numbers = [kind(part) for part in _split(text)]
    except ValueError:
        numbers = []
    if not numbers or len(set(numbers)) != len(numbers):
        raise ValueError(f"{option} {text}: expected different numbers, comma-separated")
    return numbers


def _names(option: str, text: str, known: Collection[str]) -> list[str]:
    names = _split(text)
    if not names or not set(names).issubset(known):
        raise ValueError(f"{option} {text}: expected some of {', '.join(known)}, comma-separated")
    return names


def command_line(arguments: Sequence[str], *, program: str = "rere.py") -> str:
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


if __name__ == "__main__":
    app()
