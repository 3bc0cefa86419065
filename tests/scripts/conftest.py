"""The scripts are no package: they are imported the way Python runs them, with their folder on the path."""

import pathlib
import sys

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"
if SCRIPTS.is_dir():
    sys.path.insert(0, str(SCRIPTS))
else:  # only the installed package is there
    collect_ignore_glob = ["test_*.py"]
