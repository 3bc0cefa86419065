"""GPLinker in plain PyTorch and Hugging Face: a baseline of the RERE benchmarks, read, trained and scored as CasRel is.

The model is in gplinker_model.py, with its departures from the author's. The learning rate of the pointers comes from a
short trial, like CasRel's: after two epochs over 400 sentences of NYT24, 5e-3 gave 37 % F on dev, 1e-3 14 %.

    python -m benchmarks.peers.gplinker --train F --dev F --test NAME=F --out result.json
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from benchmarks.peers.gplinker_model import GpLinker
from benchmarks.peers.triple_encoder import Encoder
from benchmarks.peers.triple_program import make_parser, parse_arguments, run_peer


def build_model(encoder: Encoder, padding: int, n_relations: int, args: argparse.Namespace) -> GpLinker:
    """RETURNS (GpLinker): The encoder with fresh pointers."""
    return GpLinker(encoder, padding=padding, n_relations=n_relations)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark of the command line and write its JSON."""
    run_peer("gplinker", parse_arguments(make_parser("GPLinker", lr=3e-4, head_lr=5e-3), argv), build_model)


if __name__ == "__main__":
    main()
