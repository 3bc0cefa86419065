"""Write the config that trains a pipeline further, on other data or at another learning rate.

    python scripts/continue_config.py training/default/model-best training/default/continue.cfg --steps 1000 --rate 1e-3

All components are taken from the pipeline (`source`) with their weights; the rest of its config stays.
"""

import argparse
import sys
from pathlib import Path

from spacy.util import load_config


def write_config(pipeline: Path, output: Path, *, steps: int, rate: float) -> None:
    """Write the config.

    steps (int): Updates.
    rate (float): Highest learning rate, of a schedule of the kind that `spacy_relext.warmup_linear.v1` is.
    """
    config = load_config(pipeline / "config.cfg")
    config["components"] = {name: {"source": str(pipeline)} for name in config["nlp"]["pipeline"]}
    config["initialize"]["components"] = {}
    config["training"]["max_steps"] = steps
    config["training"]["optimizer"]["learn_rate"]["initial_rate"] = rate
    config.to_disk(output)


def main() -> int:
    """Run the command line.

    RETURNS (int): Exit code.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pipeline", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=1e-3)
    args = parser.parse_args()
    try:
        write_config(args.pipeline, args.output, steps=args.steps, rate=args.rate)
    except (KeyError, TypeError, ValueError, OSError) as error:
        print(f"{args.pipeline}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
