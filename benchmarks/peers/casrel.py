"""CasRel in plain PyTorch and Hugging Face: a baseline of the RERE benchmarks.

The model is in casrel_model.py, with its departures from the paper. Of spacy_relext it uses the encoder, with
`--additions`. The learning rate of the taggers comes from short trials (1,000 sentences, 4 epochs, MiniLM): at 1e-3 the
rare relations of WebNLG were hardly learned. In those trials one random subject per sentence and step was better than
all of them, and 3e-4 better than 1e-4 for the encoder: the rows `nyt24` and `webnlg` were made with `--no-all-subjects`
and the default rate.

    python -m benchmarks.peers.casrel --train F --dev F --test NAME=F --out result.json
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from benchmarks.peers.casrel_model import CasRel
from benchmarks.peers.triple_encoder import Encoder
from benchmarks.peers.triple_program import make_parser, parse_arguments, run_peer


def read_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line, that of the process if None is given, and check its values."""
    parser = make_parser("CasRel", lr=3e-4, head_lr=5e-3)
    parser.add_argument(
        "--all-subjects",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="train the objects of all gold subjects, not of one drawn per sentence and step",
    )
    return parse_arguments(parser, argv)


def build_model(encoder: Encoder, padding: int, n_relations: int, args: argparse.Namespace) -> CasRel:
    """RETURNS (CasRel): The encoder with fresh taggers."""
    return CasRel(encoder, padding=padding, n_relations=n_relations, all_subjects=args.all_subjects)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark of the command line and write its JSON."""
    run_peer("casrel", read_arguments(argv), build_model)


if __name__ == "__main__":
    main()
