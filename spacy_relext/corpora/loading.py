"""Loads trained pipelines: apart from `convert`, whose formats a component need not import."""

from pathlib import Path
from typing import Union

import spacy
from spacy.language import Language

from ..bridge.shipped import locate_pipeline
from ..errors import Errors
from .damage import first_line


def load_pipeline(path: Union[str, Path], *, message: str = Errors.R109) -> Language:
    """Load a trained pipeline.

    path (Union[str, Path]): A folder, the name of an installed package, or `default`, the shipped pipeline.
    message (str): Template of the ValueError if it cannot be loaded.
    """
    try:
        return spacy.load(locate_pipeline(path))
    except Exception as error:  # a damaged folder can raise almost any exception
        raise ValueError(message.format(path=str(path), reason=first_line(error))) from None
