"""`spacy relext teach`: a trained teacher's soft labels, written into the corpus that a student learns from."""

from pathlib import Path

import typer
from wasabi import msg

from ..components.teaching import teach_corpus
from ..errors import Errors
from .app import relext
from .pipeline import GPU_HELP, PIPELINE_HELP, fail, input_errors, load_pipeline, with_progress


@relext.command("teach")
def teach_cli(
    teacher: str = typer.Argument(..., metavar="TEACHER", help=PIPELINE_HELP),
    corpus: Path = typer.Argument(..., metavar="CORPUS.spacy", help="Annotated corpus: a file, or a folder of them"),
    output: Path = typer.Argument(..., metavar="OUT.spacy", help="The same corpus with soft labels"),
    batch_size: int = typer.Option(64, "--batch-size", min=1, help="Documents a batch"),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", help=GPU_HELP),
) -> None:
    """Let a trained kd_teacher write what it thinks of each pair into a corpus, for a kd_classifier to learn from."""
    with input_errors():
        nlp = load_pipeline(teacher, gpu_id)
        found = teach_corpus(nlp, corpus, output, batch_size=batch_size, progress=with_progress)
    if not found.pairs:
        fail(Errors.R406.format(path=str(corpus)))
    msg.good(f"Wrote {found.docs} documents with soft labels of {found.pairs} pairs to {output}")
