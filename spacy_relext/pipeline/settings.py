"""Settings of a component: those of its config, those that tuning changed, and which take precedence after loading."""

import copy
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Callable, Dict, Mapping, Sequence, Tuple, Type, TypeVar, Union

import srsly
from spacy.language import Language

from ..errors import check_choice, check_range

Settings = Dict[str, Any]

# For each setting its lowest and highest number, or its choices.
Ranges = Mapping[str, Union[Tuple[float, float], Sequence[str]]]

Callback = Callable[[Language, Settings], None]

CONFIGURED = "configured"

MAX_SEED = 2**32 - 1  # of NumPy

Value = TypeVar("Value")
BlockType = TypeVar("BlockType", bound="Block")


@dataclass(frozen=True)
class Block:
    """Base of the settings in one section of a component's config, such as `[components.X.loss]`.

    A block is a frozen dataclass, registered under `misc`; each field has a default, the published one, and a range
    where it is a number (`within`) or a choice (`one_of`). A component saves it as a mapping (`plain_settings`).

    RAISES (ValueError): If a value is out of its range.
    """

    def __post_init__(self) -> None:
        """Check the values against their ranges."""
        ranges = {each.name: each.metadata["range"] for each in fields(self) if "range" in each.metadata}
        check_settings(vars(self), ranges, section=self.section())

    @classmethod
    def section(cls) -> str:
        """Return the prefix of the fields in messages, such as "loss." for `RereLoss`."""
        words = "".join(f" {char.lower()}" if char.isupper() else char for char in cls.__name__).split()
        return f"{words[-1]}."

    @classmethod
    def of(cls: Type[BlockType], saved: Settings) -> BlockType:
        """Create a block from the mapping that a component saves.

        RAISES (ValueError): If a value is out of its range, or a setting is missing or unknown.
        """
        names = {each.name for each in fields(cls)}
        if saved.keys() != names:
            found = ", ".join(sorted(names.symmetric_difference(saved)))
            raise ValueError(f"its settings {cls.section()[:-1]} lack or have in excess: {found}")
        return cls(**saved)


def within(default: Value, lowest: float, highest: float) -> Value:
    """Return a field of a `Block` whose value, if it is not None, lies in a range, both ends included."""
    return field(default=default, metadata={"range": (lowest, highest)})


def one_of(default: str, choices: Sequence[str]) -> str:
    """Return a field of a `Block` that takes one of several words."""
    return field(default=default, metadata={"range": tuple(choices)})


def check_settings(settings: Settings, ranges: Ranges, *, section: str = "") -> None:
    """Check settings against their ranges; None is not checked.

    section (str): Prefix of the keys in messages, such as "learning.".
    RAISES (ValueError): If a value is out of its range.
    """
    for key, allowed in ranges.items():
        value, first = settings.get(key), allowed[0]
        if value is not None and isinstance(first, str):
            check_choice(section + key, value, allowed)  # type: ignore[arg-type]
        elif value is not None:
            check_range(section + key, value, *allowed)


def plain_settings(arguments: Settings) -> Settings:
    """Select from the arguments of a factory those that its component saves; a block becomes a mapping."""
    objects = ("nlp", "name", "model", "scorer", "suggester")
    plain = {key: value for key, value in arguments.items() if key not in objects}
    return {key: asdict(value) if isinstance(value, Block) else value for key, value in plain.items()}


def reconcile(cfg: Settings, configured: Settings) -> None:
    """Let the config override loaded settings if it has changed since they were saved.

    cfg (Settings): Loaded settings, with the config of that time under `configured`; changed in place.
    configured (Settings): The values of the config now.
    """
    saved = cfg.get(CONFIGURED, {})
    plain = as_saved(configured)
    changed = {key: configured[key] for key in saved if key in plain and plain[key] != saved[key]}
    if "threshold" in changed:
        changed["thresholds"] = {}
    cfg.update(copy.deepcopy(changed))  # apart from the record: one copy of both would share the blocks
    cfg[CONFIGURED] = copy.deepcopy(configured)


def as_saved(value: Any) -> Any:
    """Convert a setting to what spaCy loads after saving it: JSON keeps ten decimals and reads 0.7 as slightly more."""
    return srsly.json_loads(srsly.json_dumps(value))


def keep_settings(nlp: Language, name: str, values: Settings) -> None:
    """Change a component's settings, also in the pipeline's config if they are there."""
    cfg, config = nlp.get_pipe(name).cfg, nlp.get_pipe_config(name)  # type: ignore[attr-defined]
    cfg.update(copy.deepcopy(values))
    for key in set(values).intersection(cfg[CONFIGURED]):
        cfg[CONFIGURED][key] = config[key] = copy.deepcopy(values[key])


def find_pipe(nlp: Language, component: str, attribute: str, *, problem: str) -> Any:
    """Get the component that a callback names. RAISES (ValueError): If it is missing or lacks the attribute."""
    pipe = dict(nlp.components).get(component)
    if not hasattr(pipe, attribute):
        raise ValueError(problem.format(component=component, found=", ".join(nlp.component_names) or "nothing"))
    return pipe


TOK2VEC = """
@architectures = "spacy.HashEmbedCNN.v2"
pretrained_vectors = null
width = 96
depth = 4
embed_size = 2000
window_size = 1
maxout_pieces = 3
subword_features = true
"""
