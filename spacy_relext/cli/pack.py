"""`spacy relext pack`: store a trained pipeline in few bits a weight."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from ..bridge.packing import save_packed
from ..corpora.whole import new_folder
from ..errors import check_choice
from . import options
from .pipeline import input_errors, open_pipeline


def pack_cli(
    pipeline: options.Pipeline,
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the packed pipeline")],
    bits: Annotated[int, typer.Option(help="Bits of a weight: 8 packs, 32 undoes it")] = 8,
    code: options.Code = None,
) -> None:
    """Store matrices as int8 and word embeddings as int4, in a fifth of the size; F changes by less than a point."""
    with input_errors():
        check_choice("--bits", str(bits), ("8", "32"))
        nlp = open_pipeline(pipeline, code=code)
        with new_folder(output) as folder:
            save_packed(nlp, folder, bits=bits)
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    msg.good(f"Saved the pipeline to {output}, {size / 1e6:.1f} MB")
