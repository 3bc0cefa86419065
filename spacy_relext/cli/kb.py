"""`spacy relext kb …`: remove the pairs of a test set from a knowledge base, train embeddings."""

from dataclasses import asdict, replace
from functools import partial
from itertools import combinations
from itertools import count as count_up
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Dict, Iterator, List, Optional, Sequence, Set, Tuple

import numpy
import typer
from spacy.vocab import Vocab
from wasabi import msg, table

from ..annotations.entities import entity_links
from ..corpora.shards import iter_docs
from ..errors import Errors
from ..kb.facts import Triples, TripleStore, read_store
from ..kb.files import FactReader
from . import options
from .pipeline import fail, input_errors, number_table, with_progress

if TYPE_CHECKING:
    from ..kb.embeddings import KbEmbeddings
    from ..kb.training import KbTraining

RECIPES = ("all", "hrere")

# Settings of a training that have options of their own; and values of others that are true or false.
OWN_OPTIONS = ("epochs", "patience", "seed")
BOOLEANS = {"true": True, "false": False}

# Keys of `TripleStore.report`, and what they count.
COUNTED = {
    "repeated": "Lines that repeat a fact, which counts once",
    "self_loops": "Facts that relate an entity to itself, kept",
    "ids_with_several_labels": "Ids with several labels: the first counts, the others are aliases",
    "remarks": "Lines that begin with # and are no complete row, left out",
    "blank nodes": "Statements with a blank node, left out",
    "names in other languages": "Names in other languages, left out",
    "facts about literals": "Facts about literals, left out",
}


def filter_cli(
    kb: options.Kb,
    output: Annotated[Path, typer.Argument(metavar="OUT.tsv", help="Facts that are left")],
    exclude: Annotated[str, typer.Option(help="Corpora whose pairs are left out: .spacy, comma-separated")],
    columns: options.Columns = options.DEFAULT_COLUMNS,
    strip: options.Strip = None,
) -> None:
    """Leave out all facts about pairs of linked entities that share a text of a corpus, in either direction."""
    options.check_suffix(output, ".tsv")
    with input_errors():
        store = read_kb_files(kb, columns=columns, strip=strip)
        print_report(store)
        pairs: Set[Tuple[str, str]] = set()
        linked: Set[str] = set()
        for corpus in options.split_list(exclude) or ():
            for doc in with_progress(iter_docs(Path(corpus), Vocab())):
                ids = sorted(set(entity_links(doc).values()))
                linked.update(ids)
                pairs.update(combinations(ids, 2))
        known = linked.intersection(store.entities)
        if not known:
            raise ValueError(Errors.R728.format(corpus=exclude, linked=len(linked), kb=kb))
        remaining, hit = store.without_pairs(sorted(pairs))
        remaining.write(output)
    rows = [
        ("facts read", len(store), ""),
        ("facts left out", len(store) - len(remaining), f"{1 - len(remaining) / len(store):.1%}"),
        ("linked entities of the corpora", len(linked), ""),
        ("of these in the knowledge base", len(known), f"{len(known) / len(linked):.1%}"),
        ("pairs of linked entities in a text", len(pairs), ""),
        ("of these with a fact, left out", len(hit), f"{len(hit) / max(len(pairs), 1):.1%}"),
    ]
    typer.echo(table([(what, f"{count:,}", share) for what, count, share in rows], aligns=("l", "r", "r")))
    msg.good(f"Wrote {len(remaining):,} facts to {output}")


def train_cli(
    kb: options.Kb,
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the embeddings")],
    valid: Annotated[Optional[str], typer.Option(help="Facts to choose the best epoch by; else held-out ones")] = None,
    test: Annotated[Optional[str], typer.Option(help="Facts to evaluate at the end")] = None,
    held_out: Annotated[
        float, typer.Option("--held", min=0.0, max=0.5, help="Fraction held out without --valid")
    ] = 0.01,
    recipe: Annotated[str, typer.Option(help="all: cross-entropy over all entities; hrere: as released")] = "all",
    epochs: Annotated[int, typer.Option(min=1, help="Maximum number of epochs over the facts")] = 20,
    patience: Annotated[int, typer.Option(min=0, help="Epochs without a better score before it stops; 0: all")] = 3,
    setting: Annotated[
        Optional[List[str]],
        typer.Option(metavar="KEY=VALUE", help="Setting of embeddings or loss, one each, such as width=50 or n3=0.01"),
    ] = None,
    seed: options.Seed = 0,
    columns: options.Columns = options.DEFAULT_COLUMNS,
    strip: options.Strip = None,
    gpu_id: options.Gpu = -1,
) -> None:
    """Train embeddings of entities and relations, and evaluate link prediction."""
    from ..bridge.modules import find_device
    from ..kb.model import split_facts, train_kb

    try:
        settings = replace(_settings(recipe, setting or ()), epochs=epochs, patience=patience, seed=seed)
        device = find_device(gpu_id)
    except ValueError as error:
        fail(error)
    with input_errors():
        store = read_kb_files(kb, columns=columns, strip=strip)
        print_report(store)
        queries = {name: _facts_of(store, files, columns, strip) for name, files in (("valid", valid), ("test", test))}
        if valid is None:
            store, queries["valid"] = split_facts(store, held_out, seed=seed)
        _print_valid(len(queries["valid"]), files=valid, epochs=epochs)
        typer.echo("epoch       loss   MRR, valid")
        model = train_kb(
            store,
            settings,
            folder=output,
            valid=queries["valid"],
            device=device,
            progress=partial(with_progress, unit="updates"),
            on_epoch=partial(_print_epoch, count_up(1)),
        )
    _print_scores(model.embeddings, store, queries)
    msg.good(f"Wrote embeddings of {len(store.entities):,} entities to {output}")


def read_kb_files(files: str, *, columns: str, strip: Optional[str]) -> TripleStore:
    """Read the files of comma-separated options. RAISES (ValueError): If a file is malformed."""
    reader = FactReader(columns=options.split_list(columns) or (), prefixes=options.split_list(strip) or ())
    return read_store(
        map(Path, options.split_list(files) or ()), reader=reader, progress=partial(with_progress, unit="lines")
    )


def print_report(store: TripleStore) -> None:
    """Print counts of what was read, what was skipped, and what is unusual."""
    parts = (store, "fact", "facts"), (store.entities, "entity", "entities"), (store.relations, "relation", "relations")
    typer.echo(", ".join(f"{len(part):,} {one if len(part) == 1 else many}" for part, one, many in parts))
    for what, counted in COUNTED.items():
        if count := store.report.get(what):
            msg.warn(f"{counted}: {count:,}")


def _settings(recipe: str, given: Sequence[str]) -> "KbTraining":
    """Combine a recipe with settings that are given as "key=value"."""
    from ..kb.training import LOGISTIC_RECIPE, KbTraining

    if recipe not in RECIPES:
        fail(Errors.R206.format(option="--recipe", found=recipe, expected=", ".join(RECIPES)))
    settings: Dict[str, object] = dict(LOGISTIC_RECIPE) if recipe == "hrere" else {}
    defaults = {key: value for key, value in asdict(KbTraining()).items() if key not in OWN_OPTIONS}
    for each in given:
        key, _, value = each.partition("=")
        if key not in defaults:
            fail(Errors.R206.format(option="--setting", found=each, expected=", ".join(defaults)))
        try:
            settings[key] = BOOLEANS[value] if isinstance(defaults[key], bool) else type(defaults[key])(value)
        except (KeyError, ValueError):
            fail(Errors.R206.format(option="--setting", found=each, expected=f"a value such as {key}={defaults[key]}"))
    return KbTraining(**settings)  # type: ignore[arg-type]


def _print_valid(count: int, *, files: Optional[str], epochs: int) -> None:
    """Print how many facts choose the best epoch."""
    if count:
        where = f"of {files}" if files else "held out"
        typer.echo(f"{count:,} {'fact' if count == 1 else 'facts'} {where} to choose the best epoch by")
        return
    what = f"Of {files} no fact can be asked for" if files else "No fact is held out (--held)"
    msg.warn(f"{what}, so that nothing chooses an epoch: all {epochs:,} are run, and the last one is kept")


def _print_scores(embeddings: "KbEmbeddings", store: TripleStore, queries: Dict[str, Triples]) -> None:
    """Print filtered metrics of link prediction."""
    from ..kb.link_prediction import KnownAnswers, evaluate_links

    true = numpy.concatenate([store.triples, *queries.values()])
    known = KnownAnswers(true, n_relations=len(store.relations))
    rows = [(name, evaluate_links(embeddings, facts, known)) for name, facts in queries.items() if len(facts)]
    if rows:
        names = list(rows[0][1])
        lines = [(name, *(f"{100 * (scores[key] or 0):.1f}" for key in names)) for name, scores in rows]
        header = ("facts", *(key.replace("_", " ") for key in names))
        typer.echo(number_table(lines, header))


def _facts_of(store: TripleStore, files: Optional[str], columns: str, strip: Optional[str]) -> Triples:
    """Index facts as the store does; facts about unknown entities or relations are skipped and counted."""
    facts = list(read_kb_files(files, columns=columns, strip=strip).facts()) if files else []
    numbers = [(store.number_of(one), store.relation_number(name), store.number_of(two)) for one, name, two in facts]
    known = [each for each in numbers if min(each) >= 0]
    unknown = len(facts) - len(known)
    if unknown:
        msg.warn(f"{unknown:,} facts of {files} are about entities or relations that {len(store):,} facts do not name")
    return numpy.asarray(known, dtype=numpy.int32).reshape(-1, 3)


def _print_epoch(number: Iterator[int], entry: Dict[str, float]) -> None:
    """Print a line for an epoch."""
    score = f"{100 * entry['score']:10.1f}" if "score" in entry else ""
    typer.echo(f"{next(number):4d}  {entry['loss']:10.4f}   {score}")
