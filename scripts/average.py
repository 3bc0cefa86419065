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
from torch import nn

import spacy_relext  # noqa: F401  (registers its components)


def list_modules(nlp: Language) -> Iterator[Tuple[str, nn.Module]]:
    """Yield the torch modules of a pipeline, with the name of their component."""
    for name, component in nlp.components:
        model = getattr(component, "model", None)
        layers = model.walk() if isinstance(model, Model) else ()
        yield from ((name, shim._model) for layer in layers for shim in layer.shims)


def average(first: Language, second: Language, *, of_second: List[str]) -> None:
    """Put the mean of the weights of two pipelines into the first.

    of_second (List[str]): Components whose weights are those of the second.
    RAISES (ValueError): If their weights have other names or shapes.
    """
    pairs = list(zip(list_modules(first), list_modules(second)))
    with torch.no_grad():
        for (name, one), (other_name, other) in pairs:
            mine, theirs = one.state_dict(), other.state_dict()
            shapes = [{key: weight.shape for key, weight in each.items()} for each in (mine, theirs)]
            if name != other_name or shapes[0] != shapes[1]:
                raise ValueError(f"{name}: the two pipelines have other weights")
            share = 1.0 if name in of_second else 0.5
            for key, weight in mine.items():
                if weight.is_floating_point():
                    weight.lerp_(theirs[key], share)


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
