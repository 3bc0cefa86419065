"""Packages that only some users need: imported where they are used, and missed in one line."""

import importlib
from typing import Any

from .errors import Errors


def require(module: str, *, purpose: str, extra: str) -> Any:
    """Import a module of an optional package.

    module (str): Such as "sklearn.cluster".
    purpose (str): What it is needed for, for the message.
    extra (str): The extra of this package that installs it.
    RETURNS (Any): The module.
    RAISES (ImportError): Where it is not installed; the message says how to.
    """
    try:
        importlib.import_module(module.split(".")[0])
        return importlib.import_module(module)
    except ImportError:
        package = module.split(".")[0].replace("sklearn", "scikit-learn")
        raise ImportError(Errors.R006.format(package=package, purpose=purpose, extra=extra)) from None
