"""Every registered name stands in setup.cfg, every line of setup.cfg is registered, and each can be built or called."""

import ast
import configparser
import importlib.metadata
import pathlib
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Set

import pytest
import spacy
from spacy.tokens import DocBin
from spacy.training import Example

from spacy_relext import Triple, get_records, set_triples
from spacy_relext.annotations.entities import PAIRS_KEY
from spacy_relext.pairs.architectures import build_piece_encoder

DISTRIBUTION = "spacy-relext"
PREFIX = "spacy_relext."
COMMANDS = ("relext", "spacy_cli", "spacy_relext.cli.main")


class EntryPoint(NamedTuple):
    """A line of setup.cfg."""

    name: str
    group: str
    target: str


def registered_in(package_root: pathlib.Path) -> Iterator[EntryPoint]:
    """Read the names that decorators of the package register, as the entry points that they need."""
    for path in sorted(package_root.rglob("*.py")):
        module = ".".join(path.relative_to(package_root.parent).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            for decorator in getattr(node, "decorator_list", []):
                if isinstance(decorator, ast.Call):
                    yield from _entry_point(decorator, f"{module}:{node.name}")  # type: ignore[attr-defined]


def _entry_point(decorator: ast.Call, target: str) -> Iterator[EntryPoint]:
    """Translate `@registry.KIND("name")` and `@Language.factory("name")`."""
    owner, _, kind = ast.unparse(decorator.func).rpartition(".")
    if owner == "Language" and kind in ("factory", "component"):
        kind = "factories"
    elif owner.rpartition(".")[2] != "registry":
        return
    first = decorator.args[0] if decorator.args else None
    assert isinstance(first, ast.Constant), f"{target}: write the registered name as a literal"
    library = "thinc" if kind == "schedules" else "spacy"  # whose registry it is
    yield EntryPoint(first.value, f"{library}_{kind}", target)


@pytest.fixture(scope="module")
def installed() -> Set[EntryPoint]:
    found = importlib.metadata.distribution(DISTRIBUTION).entry_points
    return {EntryPoint(e.name, e.group, e.value) for e in found}


def test_decorators_and_entry_points_agree(package_root: pathlib.Path, installed: Set[EntryPoint]) -> None:
    registered = {*registered_in(package_root), EntryPoint(*COMMANDS)}
    assert sorted(registered - installed) == [], "in the code, not in setup.cfg (or not reinstalled since)"
    assert sorted(installed - registered) == [], "in setup.cfg, not in the code"


def test_the_installed_list_is_that_of_the_checkout(project_root: pathlib.Path, installed: Set[EntryPoint]) -> None:
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(project_root / "setup.cfg", encoding="utf8")
    listed = set()
    for group, lines in parser["options.entry_points"].items():
        for line in filter(None, lines.splitlines()):
            name, _, target = line.partition(" = ")
            listed.add(EntryPoint(name.strip(), group, target.strip()))
    assert listed == installed, "setup.cfg has changed since the package was installed: make install"


def test_names_follow_the_pattern(installed: Set[EntryPoint]) -> None:
    for name, group, _ in installed - {EntryPoint(*COMMANDS)}:
        if group == "spacy_factories":
            assert "." not in name  # spaCy refuses it
        else:
            assert name.startswith(PREFIX) and name.rpartition(".")[2].startswith("v")


def make_example() -> Example:
    nlp = spacy.blank("en")
    reference = nlp("Ada met Charles.")
    set_triples(reference, [Triple(reference[:1], "acquaintance", reference[2:3])])
    return Example(nlp("Ada met Charles."), reference)


def tok2vec() -> Any:
    return spacy.registry.architectures.get("spacy.HashEmbedCNN.v2")(
        width=8, depth=1, embed_size=50, window_size=1, maxout_pieces=2, subword_features=True, pretrained_vectors=None
    )


def check_factory(name: str, _make: Callable[..., Any], _folder: pathlib.Path) -> None:
    nlp = spacy.blank("en")
    assert nlp.add_pipe(name) is nlp.get_pipe(name)
    assert nlp.get_pipe_meta(name).factory == name


def check_scorer(_name: str, make: Callable[..., Any], _folder: pathlib.Path) -> None:
    scores = make()([make_example()])
    assert scores and all(isinstance(key, str) for key in scores)


def check_reader(name: str, make: Callable[..., Any], folder: pathlib.Path) -> None:
    if "Lexicon" in name:
        (folder / "nouns.tsv").write_text("dog\tanimal\n", encoding="utf8")
        assert make(path=folder / "nouns.tsv").to_dict() == {"dog": "animal"}
        return
    reference = make_example().reference
    (triple,) = get_records(reference) or []
    reference.user_data[PAIRS_KEY] = [{role: list(triple[role]) for role in ("subject", "object")}]
    DocBin(docs=[reference], store_user_data=True).to_disk(folder / "corpus.spacy")
    (example,) = make(path=folder / "corpus.spacy")(spacy.blank("en"))
    assert example.reference.text == "Ada met Charles."


# What the builders need besides their defaults. A name that is missing here is built from defaults alone.
ARGUMENTS: Dict[str, Callable[[], Dict[str, Any]]] = {
    # The weights of these are read at initialize, not before.
    "spacy_relext.PieceEncoder.v1": lambda: {"name": "no/such/folder"},
    "spacy_relext.Transformer.v1": lambda: {"name": "no/such/folder"},
    "spacy_relext.DocumentTransformer.v1": lambda: {"name": "no/such/folder"},
    **dict.fromkeys(
        [f"spacy_relext.{kind}.v1" for kind in ("GraphEncoder", "RecurrentEncoder", "SharedEncoder", "Words")],
        lambda: {"tok2vec": tok2vec()},
    ),
    **dict.fromkeys(
        [
            "spacy_relext.HrereBagClassifier.v1",
            "spacy_relext.KdStudent.v1",
            "spacy_relext.KdTeacher.v1",
            "spacy_relext.NeroGrounder.v1",
            "spacy_relext.RereDetector.v1",
            "spacy_relext.RereExtractor.v1",
            "spacy_relext.SelforeClusterer.v1",
        ],
        lambda: {"encoder": tok2vec()},
    ),
    **dict.fromkeys(
        ["spacy_relext.AntecedentScorer.v1", "spacy_relext.DocumentPairs.v1"], lambda: {"encoder": tok2vec()}
    ),
    "spacy_relext.DescriptionMatcher.v1": lambda: {"encoder": build_piece_encoder("no/such/folder")},
    "spacy_relext.anneal_distillation.v1": lambda: {"component": "kd_classifier", "steps": 10},
    "spacy_relext.start_from.v1": lambda: {"pipeline": "no/such/folder"},  # loaded when it is called
    "spacy_relext.recluster.v1": lambda: {"component": "selfore_clusterer"},
    "spacy_relext.warmup_linear.v1": lambda: {"initial_rate": 0.1},
}


def check_architecture(name: str, make: Callable[..., Any], _folder: pathlib.Path) -> None:
    from thinc.api import Model

    from spacy_relext.encoders.architectures import EncoderSpec

    assert isinstance(make(**ARGUMENTS.get(name, dict)()), (Model, EncoderSpec))


def check_schedule(name: str, make: Callable[..., Any], _folder: pathlib.Path) -> None:
    assert next(make(**ARGUMENTS[name]())) == 0.0


def check_callable(name: str, make: Callable[..., Any], _folder: pathlib.Path) -> None:
    from spacy_relext.pipeline.settings import Block

    made = make(**ARGUMENTS.get(name, dict)())
    assert callable(made) or isinstance(made, (dict, Block)), "a function, or a block of settings"


CHECKS: Dict[str, Callable[[str, Callable[..., Any], pathlib.Path], None]] = {
    "spacy_factories": check_factory,
    "spacy_architectures": check_architecture,
    "spacy_readers": check_reader,
    "spacy_scorers": check_scorer,
    "spacy_callbacks": check_callable,
    "spacy_misc": check_callable,
    "spacy_tokenizers": check_callable,
    "thinc_schedules": check_schedule,
}


def names_to_build() -> List[EntryPoint]:
    """Read the list at collection, so that every name is a test of its own."""
    try:
        found = importlib.metadata.distribution(DISTRIBUTION).entry_points
    except importlib.metadata.PackageNotFoundError:
        return []
    return sorted(EntryPoint(e.name, e.group, e.value) for e in found if e.group in CHECKS)


@pytest.mark.parametrize("point", names_to_build(), ids=lambda point: point.name)
def test_every_name_can_be_built(point: EntryPoint, tmp_path: pathlib.Path) -> None:
    (found,) = importlib.metadata.entry_points(group=point.group, name=point.name)
    make = found.load()
    if point.group != "spacy_factories":  # those are kept under names of their own
        assert spacy.registry.get(point.group.partition("_")[2], point.name) is make
    CHECKS[point.group](point.name, make, tmp_path)


def test_every_group_has_a_check(installed: Set[EntryPoint]) -> None:
    assert {point.group for point in installed} - {"spacy_cli"} <= set(CHECKS)


def test_the_commands_are_there(installed: Set[EntryPoint]) -> None:
    from spacy.cli._util import app
    from typer.main import get_command

    spacy.registry.cli.get_all()
    commands = get_command(app).commands  # type: ignore[attr-defined]
    expected = (
        "annotate clusters compare convert debug-data evaluate explain extract graph init-config kb pack research "
        "rules serve tune view"
    )
    assert sorted(commands["relext"].commands) == expected.split()
