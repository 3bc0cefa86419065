"""Snorkel's LabelModel on the votes of rules: the peer that weighs rules against each other instead of counting them.

It reads a matrix of votes and writes probabilities; it does not import spacy_relext and runs in an environment of its
own (`pip install snorkel==0.10.0`).

    PYTHON benchmarks/peers/label_model.py --votes votes.npy --classes 18 --seed 0 --out probs.npy
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy


def main() -> None:
    """Fit the model to the votes and write its probabilities."""
    parser = argparse.ArgumentParser(description="Votes of rules to probabilities of classes.")
    parser.add_argument("--votes", type=Path, required=True, help="class of each rule at each pair, -1 for none")
    parser.add_argument("--classes", type=int, required=True)
    parser.add_argument("--epochs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    from snorkel.labeling.model import LabelModel

    votes = numpy.load(args.votes)
    model = LabelModel(cardinality=args.classes, verbose=False)
    model.fit(votes, n_epochs=args.epochs, seed=args.seed)
    numpy.save(args.out, model.predict_proba(votes))


if __name__ == "__main__":
    main()
