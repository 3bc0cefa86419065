"""The pipeline that the package carries: trained, packed, and read from the package's own folder."""

from pathlib import Path
from typing import Iterable, Union

import spacy
from spacy.language import Language
from spacy.util import SimpleFrozenList

NAME = "default"  # where a command or a setting takes a pipeline
FOLDER = Path(__file__).parents[1] / NAME


def locate_pipeline(pipeline: Union[str, Path]) -> Union[str, Path]:
    """Return the folder of the shipped pipeline for `default`, and any other path or name as it is."""
    return FOLDER if str(pipeline) == NAME else pipeline


def load(*, disable: Union[str, Iterable[str]] = SimpleFrozenList()) -> Language:
    """Load the pipeline that the package carries: English, entities and relations; no download, no encoder folder.

    disable (Union[str, Iterable[str]]): Components that are loaded but do not run, as in `spacy.load`.
    RETURNS (Language): The pipeline. Its README.md, in `spacy_relext/default`, has its relations and its scores.
    """
    return spacy.load(FOLDER, disable=disable)
