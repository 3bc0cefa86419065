"""Average the weights of two pipelines that were trained from the same one (Wortsman et al., ICML 2022).

    python scripts/average.py training/sentences/model-last training/documents/model-last training/averaged \
        --second coref,documents

Two trainings that lean to different texts are both kept: what they have learned from a common start averages well. The
components named with --second are taken from the second pipeline, since components that began at random do not.
"""

import argparse
import sys
from pathlib import Path
from typing import Iterator, List, Tuple

import spacy
import torch
from spacy.language import Language
from thinc.api import Model

import spacy_relext  # noqa: F401  (registers its components)


def list_weights(nlp: Language) -> Iterator[Tuple[str, str, torch.Tensor]]:
    """Yield the weights of a pipeline, of torch and of thinc, with their component and their name."""
    for component, pipe in nlp.components:
        model = getattr(pipe, "model", None)
        for number, layer in enumerate(model.walk() if isinstance(model, Model) else ()):
            for shim in layer.shims:
                yield from ((component, f"{number} {key}", weight) for key, weight in shim._model.state_dict().items())
            for key in layer.param_names:
                if layer.has_param(key):
                    yield component, f"{number} {key}", torch.from_numpy(layer.get_param(key))


def average(first: Language, second: Language, *, of_second: List[str]) -> None:
    """Put the mean of the weights of two pipelines into the first.

    of_second (List[str]): Components whose weights are taken from the second.
    RAISES (ValueError): If their weights have other names or shapes.
    """
    mine, theirs = ({(name, key): weight for name, key, weight in list_weights(nlp)} for nlp in (first, second))
    if {key: weight.shape for key, weight in mine.items()} != {key: weight.shape for key, weight in theirs.items()}:
        raise ValueError("the two pipelines have weights of other names or shapes")
    with torch.no_grad():
        for (name, key), weight in mine.items():
            if weight.is_floating_point():
                weight.lerp_(theirs[name, key], 1.0 if name in of_second else 0.5)


def main() -> int:
    """Run the command line.

    RETURNS (int): Exit code.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--second", dest="of_second", default="", help="components of the second, with commas between")
    args = parser.parse_args()
    try:
        nlp = spacy.load(args.first)
        average(nlp, spacy.load(args.second), of_second=args.of_second.split(","))
        nlp.to_disk(args.output)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
