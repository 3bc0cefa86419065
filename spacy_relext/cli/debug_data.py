"""`spacy relext debug-data`: what corpora contain, what is suspicious in them, and what a config would miss."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Annotated, Callable, Dict, Iterator, List, Literal, NamedTuple, Sequence, Tuple

import spacy
import typer
import wasabi
from spacy import registry
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import load_config, minibatch
from spacy.vocab import Vocab
from thinc.api import Config

from ..corpora.damage import first_line
from ..corpora.overlap import Overlap
from ..corpora.shards import list_shards
from ..corpora.statistics import CorpusStatistics, count_corpus
from ..errors import Errors
from ..pairs.suggesters import Suggester, missed_by_pairs
from ..rere.settings import RereDecoding
from ..rere.windows import missed_by_windows
from ..visuals.data_report import Compared, Missed, Table, data_tables, list_problems
from . import options
from .pipeline import fail, input_errors, load_code, with_progress

TRAIN, CONFIG = "train", ".cfg"

_BATCH = 256


# For some Docs the reason and relation of each gold triple that a component misses.
Check = Callable[[Sequence[Doc]], Iterator[Tuple[str, str]]]


class Source(NamedTuple):
    """A corpus to read, by the name that tables give it."""

    name: str
    path: Path


def debug_data_cli(
    inputs: Annotated[
        List[Path],
        typer.Argument(
            metavar="[CONFIG] [CORPUS]...",
            help="A config, and corpora, the training corpus first; without corpora, the config's own",
        ),
    ],
    code: options.Code = None,
) -> None:
    """Count what annotated corpora contain, compare them, and list possible problems."""
    with input_errors():
        load_code(code)
        configs = [path for path in inputs if path.suffix == CONFIG]
        if len(configs) > 1:
            fail(Errors.R209.format(what="debug-data", found=f"{len(configs)} configs", expected="at most one"))
        config = read_config(configs[0]) if configs else None
        corpora = [Source(path.stem, path) for path in inputs if path.suffix != CONFIG]
        sources = corpora or config_corpora(config or Config(), configs[0])
        checks = {} if config is None else component_checks(config)
        for source in sources:
            list_shards(source.path)
        compared = compare(sources, checks)
        tables, problems = data_tables(compared), list_problems(compared)
        for table in tables:
            typer.echo(f"\n{table.title}{format_table(table)}")
        for problem in problems:
            wasabi.msg.warn(problem)


def read_config(path: Path) -> Config:
    """Read a config with its variables filled in. RAISES (ValueError): If there is none, or it cannot be read."""
    try:
        return load_config(path, interpolate=True)
    except (OSError, ValueError) as error:  # spaCy's errors of configs are ValueErrors
        raise ValueError(Errors.R224.format(path=str(path), reason=first_line(error))) from None


def config_corpora(config: Config, path: Path) -> List[Source]:
    """List the corpora of a config that have a path, the training corpus first."""
    blocks = {name: block for name, block in config.get("corpora", {}).items() if block.get("path")}
    if not blocks:
        raise ValueError(Errors.R225.format(path=str(path)))
    return [Source(name, Path(blocks[name]["path"])) for name in sorted(blocks, key=lambda name: name != TRAIN)]


def compare(sources: Sequence[Source], checks: Dict[str, Check]) -> List[Compared]:
    """Count corpora, the training corpus last, since the others are compared with it as it is read."""
    vocab = spacy.blank("en").vocab
    held_out: List[Compared] = []
    for source in sources[1:]:
        overlap = Overlap()
        statistics, missed = _read(source, vocab=vocab, checks=checks, visit=overlap.add_held_out)
        held_out.append(Compared(statistics, overlap, missed))

    def visit(doc: Doc) -> None:
        for each in held_out:
            if each.overlap is not None:
                each.overlap.add_training(doc)

    statistics, missed = _read(sources[0], vocab=vocab, checks=checks, visit=visit)
    return [Compared(statistics, None, missed), *held_out]


def _read(
    source: Source,
    *,
    vocab: Vocab,
    checks: Dict[str, Check],
    visit: Callable[[Doc], None],
) -> Tuple[CorpusStatistics, List[Missed]]:
    """Read a corpus once, and count it."""
    statistics, docs = count_corpus(source.path, vocab, name=source.name)
    counts: Dict[str, Counter[Tuple[str, str]]] = {name: Counter() for name in checks}
    for batch in minibatch(with_progress(docs), _BATCH):
        for doc in batch:
            visit(doc)
        for name, check in checks.items():
            counts[name].update(check(batch))
    return statistics, [Missed(name, counts[name], statistics.triples) for name in checks]


def component_checks(config: Config) -> Dict[str, Check]:
    """Make a check for each component of a config that chooses pairs of entities or windows of sentences."""
    checks: Dict[str, Check] = {}
    spacy.blank("en")  # registers the factories of all packages
    for name in config["nlp"]["pipeline"]:
        block = config["components"].get(name, {})
        factory = block.get("factory")
        if factory is None or not Language.has_factory(factory):  # a component of another pipeline
            continue
        settings = {**(Language.get_factory_meta(factory).default_config or {}), **block}
        if "suggester" in settings:
            suggester: Suggester = registry.resolve({"suggester": settings["suggester"]})["suggester"]
            checks[name] = partial(missed_by_pairs, suggester=suggester)
        elif factory == "rere_extractor":
            decoding: RereDecoding = registry.resolve({"decoding": settings["decoding"]})["decoding"]
            checks[name] = partial(missed_by_windows, most=decoding.max_span_length)
    return checks


def format_table(table: Table) -> str:
    """Format a table for a terminal, numbers on the right."""
    aligns: List[Literal["l", "r", "c"]] = ["r" if is_number else "l" for is_number in table.numbers()]
    text: str = wasabi.table(table.rows, header=table.header, divider=True, aligns=aligns, max_col=100)
    return text
