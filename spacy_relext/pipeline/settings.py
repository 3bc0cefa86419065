"""Settings of a component: what its config says, what tuning made of it, and which of the two counts after loading."""

import copy
from typing import Any, Callable, Dict, Mapping, Sequence, Tuple, Union

import srsly
from spacy.language import Language

from ..errors import check_choice, check_range

Settings = Dict[str, Any]

# For each setting its lowest and highest number, or its choices.
Ranges = Mapping[str, Union[Tuple[float, float], Sequence[str]]]

CONFIGURED = "configured"


def check_settings(settings: Mapping[str, Any], ranges: Ranges, *, section: str = "") -> None:
    """Check settings against a table of ranges; None is not checked.

    settings (Mapping[str, Any]): Values from the config.
    ranges (Ranges): (lowest, highest) or the choices, for each setting that has any.
    section (str): What comes before the keys in messages, such as "learning.".
    RAISES (ValueError): If a value is not among them.
    """
    for key, allowed in ranges.items():
        value, first = settings.get(key), allowed[0]
        if value is not None and isinstance(first, str):
            check_choice(section + key, value, allowed)  # type: ignore[arg-type]
        elif value is not None:
            check_range(section + key, value, *allowed)


def plain_settings(arguments: Settings) -> Settings:
    """Pick what a component saves from the arguments of its factory.

    arguments (Settings): The factory's arguments.
    RETURNS (Settings): Plain values.
    """
    return {
        key: value for key, value in arguments.items() if key not in ("nlp", "name", "model", "scorer", "suggester")
    }


def reconcile(cfg: Settings, configured: Settings) -> None:
    """Let the config win over loaded settings where it says something else than when they were saved.

    cfg (Settings): Loaded settings, with the config of that time under `configured`; changed in place.
    configured (Settings): What the config says now.
    """
    saved = cfg.get(CONFIGURED, {})
    plain = as_saved(configured)
    changed = {key: configured[key] for key in saved if key in plain and plain[key] != saved[key]}
    if "threshold" in changed:
        changed["thresholds"] = {}
    cfg.update(copy.deepcopy({**changed, CONFIGURED: configured}))


def as_saved(value: Any) -> Any:
    """Turn a setting into what comes back when spaCy has written it: JSON keeps ten digits, and reads 0.7 as more.

    value (Any): A plain value.
    RETURNS (Any): The value after loading; the same again when given to this function.
    """
    return srsly.json_loads(srsly.json_dumps(value))


def keep_settings(nlp: Language, name: str, values: Settings) -> None:
    """Change a component's settings for good: also in the pipeline's config, as far as they stand there.

    nlp (Language): The pipeline.
    name (str): The component.
    values (Settings): The settings.
    """
    cfg, config = nlp.get_pipe(name).cfg, nlp.get_pipe_config(name)  # type: ignore[attr-defined]
    cfg.update(copy.deepcopy(values))
    for key in set(values).intersection(cfg[CONFIGURED]):
        cfg[CONFIGURED][key] = config[key] = copy.deepcopy(values[key])


Callback = Callable[[Language, Settings], None]


def find_pipe(nlp: Language, component: str, attribute: str, *, problem: str) -> Any:
    """Find the component that a callback is for, by what it has."""
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
