"""The peer of link prediction: PyKEEN's ComplEx, reciprocal relations, cross-entropy over all entities.

It reads numbered facts and writes tables and the processor seconds of each pass; it does not import spacy_relext and
runs in an environment of its own (`pip install pykeen==1.11.1`). Its own evaluator ranks the test facts, too.

    PYTHON benchmarks/peers/pykeen_links.py --facts facts.npz --entities 40943 --relations 11 --out tables.npz

`facts.npz` holds `train`, `valid` and `test`. Shapes (N, 3)
"""

from __future__ import annotations

import argparse
import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy


def _read_arguments() -> argparse.Namespace:
    """RETURNS (Namespace): The command line."""
    parser = argparse.ArgumentParser(description="Train embeddings on numbered facts.")
    parser.add_argument("--facts", type=Path, required=True)
    parser.add_argument("--entities", type=int, required=True)
    parser.add_argument("--relations", type=int, required=True)
    parser.add_argument("--width", type=int, default=100, help="complex numbers of an embedding")
    parser.add_argument("--passes", type=int, default=4)
    parser.add_argument("--batch-size", type=int, default=1000, help="questions of an update")
    parser.add_argument("--learn-rate", type=float, default=0.1)
    parser.add_argument("--scale", type=float, default=0.0, help="of what the tables begin with; 0: PyKEEN's own")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def _train(args: argparse.Namespace, factory: Any) -> tuple[Any, list[float], list[float]]:
    """Train on the CPU, without a regulariser."""
    import torch
    from pykeen.losses import CrossEntropyLoss
    from pykeen.models import ComplEx
    from pykeen.training import LCWATrainingLoop

    # None means the default of weight 0.01 here
    options: dict[str, Any] = {"regularizer_kwargs": {"weight": 0.0, "p": 2.0, "normalize": True}}
    if args.scale:
        normal = partial(torch.nn.init.normal_, std=args.scale)
        options.update(entity_initializer=normal, relation_initializer=normal)
    model = ComplEx(
        triples_factory=factory,
        embedding_dim=args.width,
        loss=CrossEntropyLoss(),
        random_seed=args.seed,
        **options,
    ).to("cpu")
    optimizer = torch.optim.Adagrad(model.parameters(), lr=args.learn_rate)
    loop = LCWATrainingLoop(model=model, triples_factory=factory, optimizer=optimizer)
    seconds, losses = [], []
    for number in range(args.passes):
        start = time.process_time()
        options = {"num_epochs": number + 1, "continue_training": number > 0, "clear_optimizer": False}
        loss = loop.train(factory, batch_size=args.batch_size, use_tqdm=False, use_tqdm_batch=False, **options)
        seconds.append(time.process_time() - start)
        losses.append(float((loss or [float("nan")])[-1]))
        print(f"pass {number + 1}: loss {losses[-1]:.4f}, {seconds[-1]:.1f} s of processor time", flush=True)
    return model, seconds, losses


def _tables_of(model: Any) -> dict[str, numpy.ndarray]:
    """Take the tables out: real parts before imaginary ones, relations before their reciprocals."""
    tables = {}
    for name, table in (
        ("entities", model.entity_representations[0]),
        ("relations", model.relation_representations[0]),
    ):
        values = table(indices=None).detach().numpy()
        tables[name] = numpy.concatenate([values.real, values.imag], axis=1)
    # there, each relation is followed by its reciprocal
    relations = tables["relations"]
    tables["relations"] = numpy.concatenate([relations[0::2], relations[1::2]])
    return tables


def main() -> None:
    """Train, rank and write."""
    args = _read_arguments()
    import torch
    from pykeen.evaluation import RankBasedEvaluator
    from pykeen.triples import CoreTriplesFactory

    torch.set_num_threads(1)
    facts = {name: torch.from_numpy(each.astype("int64")) for name, each in numpy.load(args.facts).items()}
    sizes = {"num_entities": args.entities, "num_relations": args.relations}
    factory = CoreTriplesFactory(facts["train"], **sizes, create_inverse_triples=True)
    model, seconds, losses = _train(args, factory)
    numpy.savez(args.out, **_tables_of(model))
    evaluator = RankBasedEvaluator(filtered=True)
    known = [facts["train"], facts["valid"]]
    ranks = evaluator.evaluate(
        model, facts["test"], batch_size=128, use_tqdm=False, additional_filter_triples=known, device="cpu"
    )
    names = {"mrr": "both.realistic.inverse_harmonic_mean_rank", "hits_1": "both.realistic.hits_at_1"}
    names["hits_10"] = "both.realistic.hits_at_10"
    scores = {f"entities_{key}": float(ranks.get_metric(name)) for key, name in names.items()}
    args.out.with_suffix(".json").write_text(
        json.dumps({"seconds": seconds, "losses": losses, "own_scores": scores}, indent=1)
    )


if __name__ == "__main__":
    main()
