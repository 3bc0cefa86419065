"""The pipeline that the package carries: trained, packed, and read from the package's own folder."""

from pathlib import Path
from typing import Any, Iterable, Mapping, Union

import spacy
from spacy.language import Language
from spacy.util import SimpleFrozenDict, SimpleFrozenList
from spacy.vocab import Vocab

NAME = "default"  # where a command or a setting takes a pipeline
FOLDER = Path(__file__).parents[1] / NAME


def locate_pipeline(pipeline: Union[str, Path]) -> Union[str, Path]:
    """Return the folder of the shipped pipeline for `default`, and any other path or name as it is."""
    return FOLDER if str(pipeline) == NAME else pipeline


def load(
    *,
    vocab: Union[Vocab, bool] = True,
    disable: Union[str, Iterable[str]] = SimpleFrozenList(),
    enable: Union[str, Iterable[str]] = SimpleFrozenList(),
    exclude: Union[str, Iterable[str]] = SimpleFrozenList(),
    config: Mapping[str, Any] = SimpleFrozenDict(),
) -> Language:
    """Load the pipeline that the package carries: English, entities and relations; no download, no encoder folder.

    It takes the arguments of `spacy.load`, which takes the name of this package: `spacy.load("spacy_relext")`, and
    `source = "spacy_relext"` in the section of a component.

    vocab (Union[Vocab, bool]): The vocabulary to use; True: a new one.
    disable, enable, exclude (Union[str, Iterable[str]]): Components that do not run, that alone run, and that are
        not loaded.
    config (Mapping[str, Any]): Settings to change.
    RETURNS (Language): The pipeline. Its README.md, in `spacy_relext/default`, has its relations and its scores.
    """
    return spacy.load(FOLDER, vocab=vocab, disable=disable, enable=enable, exclude=exclude, config=dict(config))
