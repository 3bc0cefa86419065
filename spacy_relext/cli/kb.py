"""`spacy relext kb …`: a knowledge base without the pairs of a test set, its embeddings, and what they answer."""

from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, Optional, Set, Tuple

import typer
from spacy.vocab import Vocab
from wasabi import msg, table

from ..annotations.entities import entity_links
from ..corpora.shards import iter_docs
from ..errors import Errors
from ..kb.facts import Triples, TripleStore, read_store
from ..kb.files import COLUMNS, FactReader, Sample
from .app import relext
from .pipeline import GPU_HELP, check_suffix, fail, input_errors, split_list, with_progress

kb_app = typer.Typer(name="kb", help="Prepare, embed and ask a knowledge base.", no_args_is_help=True)

relext.add_typer(kb_app)

KB_HELP = "File of facts, or of names: .tsv, .csv, .nt, .ttl, each also .gz; several with commas"

COLUMNS_HELP = "What the columns of .tsv and .csv are, in their order"

STRIP_HELP = "Beginnings that are cut off ids, with commas"

RECIPES = ("all", "hrere")

# What a report counts, if it counts one, and if more.
COUNTED = {
    "repeated": ("1 line repeats a fact, which counts once", "{count} lines repeat facts, which count once"),
    "self_loops": (
        "1 fact relates an entity to itself ({what}), kept; in {where}",
        "{count} facts relate an entity to itself (e.g. {what}), kept; the first in {where}",
    ),
    "ids_with_several_labels": (
        "1 id has several labels, e.g. {what}; in {where}",
        "{count} ids have several labels, e.g. {what}; the first in {where}",
    ),
    "marked_rows": (
        "1 line begins with #, but is complete, and is read: {where}",
        "{count} lines begin with #, but are complete, and are read; the first: {where}",
    ),
    "remarks": (
        "1 line that begins with # is a remark, and is left out: {where}",
        "{count} lines that begin with # are remarks, and are left out; the first: {where}",
    ),
    "blank nodes": ("1 statement with a blank node is left out", "{count} statements with a blank node are left out"),
    "names in other languages": (
        "1 name in another language is left out",
        "{count} names in other languages are left out",
    ),
    "facts about literals": ("1 fact about a literal is left out", "{count} facts about literals are left out"),
}


@kb_app.command("filter")
def filter_cli(
    kb: str = typer.Argument(..., metavar="KB", help=KB_HELP),
    output: Path = typer.Argument(..., metavar="OUT.tsv", help="Facts that are left"),
    exclude: str = typer.Option(..., "--exclude", help="Corpora whose pairs are left out: .spacy, with commas"),
    columns: str = typer.Option(",".join(COLUMNS), "--columns", help=COLUMNS_HELP),
    strip: Optional[str] = typer.Option(None, "--strip", help=STRIP_HELP),
) -> None:
    """Leave out all facts about pairs of linked entities that share a text of a corpus, in either direction."""
    check_suffix(output, ".tsv")
    with input_errors():
        store = read_kb_files(kb, columns=columns, strip=strip)
        tell_report(store)
        pairs: Set[Tuple[str, str]] = set()
        linked: Set[str] = set()
        for corpus in split_list(exclude) or ():
            for doc in with_progress(iter_docs(Path(corpus), Vocab())):
                found = sorted(set(entity_links(doc).values()))
                linked.update(found)
                pairs.update((one, two) for one in found for two in found if one < two)
        known = linked.intersection(store.entities)
        if not known:
            raise ValueError(Errors.R728.format(corpus=exclude, linked=len(linked), kb=kb))
        kept, hit = store.without_pairs(sorted(pairs))
        kept.write(output)
    rows = [
        ("facts read", len(store), ""),
        ("facts left out", len(store) - len(kept), f"{1 - len(kept) / len(store):.1%}"),
        ("linked entities of the corpora", len(linked), ""),
        ("of these in the knowledge base", len(known), f"{len(known) / len(linked):.1%}"),
        ("pairs of linked entities in a text", len(pairs), ""),
        ("of these with a fact, left out", len(hit), f"{len(hit) / max(len(pairs), 1):.1%}"),
    ]
    typer.echo(table([(what, f"{count:,}", share) for what, count, share in rows], aligns=("l", "r", "r")))
    msg.good(f"Wrote {len(kept):,} facts to {output}")


@kb_app.command("train")
def train_cli(
    kb: str = typer.Argument(..., metavar="KB", help=KB_HELP),
    output: Path = typer.Argument(..., metavar="OUT", help="Folder for the embeddings"),
    valid: Optional[str] = typer.Option(
        None, "--valid", help="Facts that choose the best pass; else some are held out"
    ),
    test: Optional[str] = typer.Option(None, "--test", help="Facts that are asked for in the end"),
    held: float = typer.Option(
        0.01, "--held", min=0.0, max=0.5, help="Share held out where there is no --valid; 0: none"
    ),
    recipe: str = typer.Option("all", "--recipe", help="all: cross-entropy over all entities; hrere: as released"),
    kind: str = typer.Option("complex", "--kind", help="complex or distmult"),
    width: Optional[int] = typer.Option(None, "--width", min=1, help="Numbers of an embedding"),
    passes: int = typer.Option(20, "--passes", min=1, help="Most passes over the facts"),
    patience: int = typer.Option(3, "--patience", min=0, help="Passes without a better score before it ends; 0: all"),
    batch_size: Optional[int] = typer.Option(None, "--batch-size", min=1, help="Facts of an update"),
    optimizer: Optional[str] = typer.Option(None, "--optimizer", help="adagrad or adam"),
    learn_rate: Optional[float] = typer.Option(None, "--learn-rate", min=0.0, help="Of the optimizer"),
    n3: Optional[float] = typer.Option(None, "--n3", min=0.0, help="Weight of the nuclear 3-norm"),
    relation_weight: Optional[float] = typer.Option(
        None, "--relation-weight", min=0.0, help="Weight of asking for the relation of two entities, too"
    ),
    seed: int = typer.Option(0, "--seed", help="Of all that is drawn"),
    resume: bool = typer.Option(False, "--resume", help="Go on with the training in OUT"),
    columns: str = typer.Option(",".join(COLUMNS), "--columns", help=COLUMNS_HELP),
    strip: Optional[str] = typer.Option(None, "--strip", help=STRIP_HELP),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", help=GPU_HELP),
) -> None:
    """Learn embeddings of entities and relations, and say how well they answer questions."""
    from ..bridge.modules import find_device
    from ..kb.model import split_facts, train_kb
    from ..kb.training import LOGISTIC_RECIPE, KbSettings

    if recipe not in RECIPES:
        fail(Errors.R206.format(option="--recipe", found=recipe, expected=", ".join(RECIPES)))
    given = {"width": width, "batch_size": batch_size, "optimizer": optimizer, "learn_rate": learn_rate}
    given.update(n3=n3, relation_weight=relation_weight)
    options: Dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    options = {**(LOGISTIC_RECIPE if recipe == "hrere" else {}), **options}
    try:
        settings = KbSettings(kind=kind, passes=passes, patience=patience, seed=seed, **options)
        device = find_device(gpu_id)
    except ValueError as error:
        fail(error)
    with input_errors():
        store = read_kb_files(kb, columns=columns, strip=strip)
        tell_report(store)
        asked = {name: _facts_of(store, files, columns, strip) for name, files in (("valid", valid), ("test", test))}
        if valid is None:
            store, asked["valid"] = split_facts(store, held, seed=seed)
        _tell_valid(len(asked["valid"]), files=valid, passes=settings.passes)
        typer.echo("pass        loss   MRR, valid")
        common: Dict[str, Any] = {"resume": resume, "device": device, "progress": _batches}
        model = train_kb(store, settings, folder=output, valid=asked["valid"], on_pass=_tell_pass(), **common)
    _tell_scores(model.embeddings, store, asked)
    msg.good(f"Wrote embeddings of {len(store.entities):,} entities to {output}")


@kb_app.command("predict")
def predict_cli(
    embeddings: Path = typer.Argument(..., metavar="EMBEDDINGS", help="Folder that `kb train` wrote"),
    subject: str = typer.Argument(..., help="Id of an entity, or ? where it is asked for"),
    relation: str = typer.Argument(..., help="Name of a relation, or ? where it is asked for"),
    obj: str = typer.Argument(..., metavar="OBJECT", help="Id of an entity, or ? where it is asked for"),
    top: int = typer.Option(10, "--top", min=1, help="Most answers"),
) -> None:
    """Answer a question with an unknown subject, relation or object."""
    from ..kb.model import KbModel

    with input_errors():
        model = KbModel.from_disk(embeddings)
        given = {"subject": subject, "relation": relation, "obj": obj}
        question = {key: value for key, value in given.items() if value != "?"}
        rows = [(each.id, f"{each.score:.3f}") for each in model.predict(top=top, **question)]
    typer.echo(table(rows, header=("answer", "score"), divider=True, aligns=("l", "r")))


def read_kb_files(files: str, *, columns: str, strip: Optional[str]) -> TripleStore:
    """Read the files of an option.

    files (str): Comma-separated.
    columns (str): Comma-separated.
    strip (Optional[str]): Comma-separated.
    RETURNS (TripleStore): What they hold.
    RAISES (ValueError): Where one is malformed.
    """
    reader = FactReader(columns=split_list(columns) or (), prefixes=split_list(strip) or ())
    return read_store(map(Path, split_list(files) or ()), reader=reader, progress=_lines)


def tell_report(store: TripleStore) -> None:
    """Say what was read, what of it is odd, with an example, and what was left out."""
    parts = (store, "fact", "facts"), (store.entities, "entity", "entities"), (store.relations, "relation", "relations")
    typer.echo(", ".join(f"{len(part):,} {one if len(part) == 1 else many}" for part, one, many in parts))
    for what, count in store.report.items():
        if what in COUNTED and count:
            example = store.examples.get(what, Sample("", ""))
            say = msg.info if what == "remarks" else msg.warn
            say(COUNTED[what][count > 1].format(count=f"{count:,}", what=example.what, where=example.where))


def _tell_valid(count: int, *, files: Optional[str], passes: int) -> None:
    """Say how many facts choose the best pass, or that none do."""
    if count:
        where = f"of {files}" if files else "held out"
        typer.echo(f"{count:,} {'fact' if count == 1 else 'facts'} {where} to choose the best pass by")
        return
    what = f"Of {files} no fact can be asked for" if files else "No fact is held out (--held)"
    msg.warn(f"{what}, so that nothing chooses a pass: all {passes:,} are run, and the last one is kept")


def _tell_scores(embeddings: Any, store: TripleStore, asked: Dict[str, Triples]) -> None:
    """Print how well facts are found again; all of them are known to be true."""
    import numpy

    from ..kb.link_prediction import KnownAnswers, evaluate_links

    true = numpy.concatenate([store.triples, *asked.values()])
    known = KnownAnswers(true, n_relations=len(store.relations))
    rows = [(name, evaluate_links(embeddings, facts, known)) for name, facts in asked.items() if len(facts)]
    if rows:
        names = list(rows[0][1])
        lines = [(name, *(f"{100 * (found[key] or 0):.1f}" for key in names)) for name, found in rows]
        header = ("facts", *(key.replace("_", " ") for key in names))
        aligns: Any = ("l", *("r" for _ in names))
        typer.echo(table(lines, header=header, divider=True, aligns=aligns))


def _facts_of(store: TripleStore, files: Optional[str], columns: str, strip: Optional[str]) -> Triples:
    """Number facts as the store does; those about others are left out and counted."""
    import numpy

    found = []
    left_out = 0
    for subject, relation, obj in read_kb_files(files, columns=columns, strip=strip).facts() if files else ():
        numbers = (store.number_of(subject), store.relation_number(relation), store.number_of(obj))
        if min(numbers) < 0:
            left_out += 1
        else:
            found.append(numbers)
    if left_out:
        msg.warn(f"{left_out:,} facts of {files} are about entities or relations that {len(store):,} facts do not name")
    facts: Triples = numpy.asarray(found, dtype="int32").reshape(-1, 3)
    return facts


def _lines(statements: Iterable[Any], name: str) -> Iterable[Any]:
    return with_progress(statements, unit="lines")


def _batches(batches: Iterator[Any], number: int) -> Iterable[Any]:
    return with_progress(batches, unit="updates")


def _tell_pass() -> Any:
    """Make what prints a line for each pass."""
    count = [0]

    def tell(entry: Dict[str, float]) -> None:
        count[0] += 1
        score = f"{100 * entry['score']:10.1f}" if "score" in entry else ""
        typer.echo(f"{count[0]:4d}  {entry['loss']:10.4f}   {score}")

    return tell
