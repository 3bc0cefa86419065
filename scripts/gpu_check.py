"""Train one config on a GPU for some steps, compare its outputs with those of the CPU, and measure both.

    python scripts/gpu_check.py configs/rere.cfg --gpu-id 0 --steps 50

Prints a row of a Markdown table: config, words/s of training, docs/s of prediction on the GPU and on the CPU, largest
difference of the outputs in fp32. `scripts/gpu_check.sh` does this for all configs. With --gpu-id -1 everything runs on
the CPU, to test the script itself.
"""

import argparse
import io
import itertools
import pathlib
import sys
import tempfile
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_config
from spacy.vocab import Vocab

from spacy_relext.corpora.shards import iter_docs
from spacy_relext.pipeline.pipe import RelationPipe

TOLERANCE = 1e-3
# Documents whose outputs are compared.
COMPARED = 50
# Makes the texts with a pipeline's vocabulary: its vectors are on the pipeline's device.
Texts = Callable[[Vocab], List[Doc]]
BAGS = "spacy_relext.BagCorpus.v1"
# Paths that configs leave to the command line → files of the checkout, or those that `make all` makes.
DEFAULTS = {"rules": "assets/nero/rules.jsonl", "kb": "training/hrere-kb", "facts": "corpus/linked/facts.tsv"}
# Paths that a config may leave empty, vectors where it does not read them.
OPTIONAL = ("init_tok2vec", "schema", "vectors")


def clock(times: List[Tuple[float, int]]) -> Callable[..., Any]:
    """Make a logger that records the time after each step, and the words so far if the pipeline was evaluated."""

    def setup(nlp: Language, stdout: Any = None, stderr: Any = None) -> Tuple[Callable[..., None], Callable[[], None]]:
        def log_step(info: Optional[Dict[str, Any]]) -> None:
            times.append((time.perf_counter(), info["words"] if info else 0))

        return log_step, lambda: None

    return setup


def settings(path: pathlib.Path, arguments: argparse.Namespace) -> Dict[str, Any]:
    """Fill the paths of a config, and shorten the training.

    RAISES (FileNotFoundError): If something that the config reads is not there.
    """
    config = load_config(path)
    folder = "corpus/linked" if config["corpora"]["train"]["@readers"] == BAGS else "corpus"
    paths = {"train": arguments.train or f"{folder}/train.spacy", "dev": arguments.dev or f"{folder}/dev.spacy"}
    for name, value in config["paths"].items():
        paths.setdefault(name, value or DEFAULTS.get(name))
    if arguments.encoder and "encoder" in paths:
        paths["encoder"] = arguments.encoder
    wanted = {name: value for name, value in paths.items() if name not in OPTIONAL}
    if "include_static_vectors = true" in config.to_str(interpolate=False):
        paths["vectors"] = wanted["vectors"] = arguments.vectors
    missing = [f"{name} = {value}" for name, value in wanted.items() if not value or not pathlib.Path(value).exists()]
    if missing:
        raise FileNotFoundError(f"left out, paths are not there: {', '.join(missing)}")
    steps = {"max_steps": arguments.steps, "eval_frequency": arguments.steps, "max_epochs": 0, "patience": 0}
    return {
        **{f"paths.{name}": value for name, value in paths.items()},
        **{f"training.{name}": value for name, value in steps.items()},
    }


def train_steps(config: Any, folder: pathlib.Path, *, gpu_id: int) -> float:
    """Train for some steps; return the words per second between the two evaluations."""
    times: List[Tuple[float, int]] = []
    spacy.registry.loggers.register("gpu_check.Clock.v1", func=lambda: clock(times))
    config["training"]["logger"] = {"@loggers": "gpu_check.Clock.v1"}
    train(init_nlp(config, use_gpu=gpu_id), folder, use_gpu=gpu_id, stdout=io.StringIO(), stderr=sys.stderr)
    (start, words), (end, _), (_, all_words) = times[0], times[-2], times[-1]
    steps = len(times) - 1
    return (all_words - words) * (steps - 1) / steps / (end - start)


def load_onto(path: pathlib.Path, *, gpu_id: int) -> Language:
    """Load a pipeline onto a device, where all later tensors are created, too."""
    if gpu_id >= 0:
        spacy.require_gpu(gpu_id)
    else:
        spacy.require_cpu()
    return spacy.load(path)


def in_fp32(path: pathlib.Path, *, gpu_id: int) -> Language:
    """Load a pipeline onto a device, its encoders in fp32."""
    nlp = load_onto(path, gpu_id=gpu_id)
    for _, pipe in nlp.pipeline:
        for model in pipe.model.walk() if hasattr(pipe, "model") else ():
            for shim in model.shims:
                for module in shim._model.modules():
                    if hasattr(module, "precision"):
                        module.precision = "fp32"
    return nlp


def outputs_of(path: pathlib.Path, texts: Texts, *, gpu_id: int) -> List[numpy.ndarray]:
    """List the outputs of each component's model on a device, after those before it have annotated the texts."""
    nlp, found = in_fp32(path, gpu_id=gpu_id), []
    docs = texts(nlp.vocab)[:COMPARED]
    for _, pipe in nlp.pipeline:
        if isinstance(pipe, RelationPipe):
            for _, outputs in pipe.read(docs):
                parts = [outputs] if isinstance(outputs, numpy.ndarray) else list(outputs or ())
                found += [part for part in parts if part.dtype.kind == "f"]
        docs = list(pipe.pipe(docs)) if hasattr(pipe, "pipe") else [pipe(doc) for doc in docs]
    return found


def largest_difference(path: pathlib.Path, texts: Texts, *, gpu_id: int) -> float:
    """Compare the outputs of both devices; arrays of different shapes are infinitely far apart."""
    largest = 0.0
    for mine, theirs in zip(*(outputs_of(path, texts, gpu_id=device) for device in (-1, gpu_id)), strict=True):
        if mine.shape != theirs.shape:
            return float("inf")
        finite = numpy.isfinite(mine)
        if (finite != numpy.isfinite(theirs)).any():
            return float("inf")
        largest = max(largest, float(numpy.abs(mine - theirs)[finite].max(initial=0.0)))
    return largest


def docs_per_second(path: pathlib.Path, texts: Texts, *, gpu_id: int) -> float:
    """Time predictions at the pipeline's own precision, after a first batch."""
    nlp = load_onto(path, gpu_id=gpu_id)
    docs = texts(nlp.vocab)
    list(nlp.pipe([doc.copy() for doc in docs[:32]]))
    start = time.perf_counter()
    list(nlp.pipe(docs, batch_size=256))
    return len(docs) / (time.perf_counter() - start)


def main() -> int:
    """Check one config."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=pathlib.Path, help="the config to check")
    parser.add_argument("--gpu-id", type=int, default=0, help="the GPU; -1: the CPU")
    parser.add_argument("--steps", type=int, default=50, help="training steps")
    parser.add_argument("--docs", type=int, default=500, help="documents of the dev corpus to predict")
    parser.add_argument("--train", help="training corpus; by default that of `make all`")
    parser.add_argument("--dev", help="dev corpus")
    parser.add_argument("--vectors", help="pipeline with word vectors, for configs that read them")
    parser.add_argument("--encoder", help="folder of the encoder; by default that of the config")
    arguments = parser.parse_args()
    name = arguments.config.stem
    try:
        overrides = settings(arguments.config, arguments)
    except FileNotFoundError as error:
        print(f"| {name} | {error} | | | |")
        return 0
    if arguments.gpu_id >= 0:
        spacy.require_gpu(arguments.gpu_id)
    with tempfile.TemporaryDirectory() as folder:
        config = load_config(arguments.config, overrides=overrides)
        words = train_steps(config, pathlib.Path(folder), gpu_id=arguments.gpu_id)
        path = pathlib.Path(folder) / "model-last"

        def texts(vocab: Vocab) -> List[Doc]:
            return list(itertools.islice(iter_docs(pathlib.Path(overrides["paths.dev"]), vocab), arguments.docs))

        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):  # cuDNN uses TF32 in a BiLSTM
            difference = largest_difference(path, texts, gpu_id=arguments.gpu_id)
        speeds = [docs_per_second(path, texts, gpu_id=device) for device in (arguments.gpu_id, -1)]
    print(f"| {name} | {words:,.0f} | {speeds[0]:,.0f} | {speeds[1]:,.0f} | {difference:.1e} |")
    return int(difference > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
