"""What the NERO benchmarks compare: each system as a config, what it changes there, and how it gets its labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.harness.runs import CONFIGS, VARIANTS

COMPONENT = "nero_grounder"
IN = f"components.{COMPONENT}"
RADIUS, GOLD = f"{IN}.learning.adversarial_radius", f"{IN}.learning.learn_gold"
AVERAGE = f"{IN}.grounding.average_orders"
Changes = Mapping[str, Any]


@dataclass(frozen=True)
class System:
    """One system.

    changes (Changes): Changes of the config.
    config (Path): A config; those for `RECURRENT` read word vectors.
    labels (str): How the corpus is labelled beforehand: "" (from rules in training), "pseudo" (a classifier of matched
        sentences labels all others), "rounds" (in rounds, most confident first), "cosine" (the most similar rule
        under the pretrained encoder).
    """

    changes: Changes = field(default_factory=dict)
    labels: str = ""
    config: Path = CONFIGS / "nero.cfg"


def _change(**settings: Any) -> dict[str, Any]:
    """RETURNS (dict[str, Any]): Config changes that set the component's learning."""
    return {f"{IN}.learning.{key}": value for key, value in settings.items()}


DEFAULT = "default"
SYSTEMS: dict[str, System] = {DEFAULT: System()}
# The default without two of its means; all systems but adversaries are compared without them. They change how marked
# pairs are read, not what is learned from rules and from texts that no rule matches.
PLAINLY: Changes = {**_change(both_orders=False), AVERAGE: False, RADIUS: 0.0}
ONE_ORDER = "one order, no adversary"


def _plain_system(**settings: Any) -> System:
    """RETURNS (System): The default without these means, and with changes of its learning."""
    return System({**PLAINLY, **_change(**settings)})


# A plain classifier: only cross-entropy with labels, sampled without balancing.
PLAIN = {**PLAINLY, **_change(w_rules=0.0, w_clus=0.0, w_unmatched=0.0, teacher_share=0.0, balance=0.0)}
LABELLED = {**PLAIN, GOLD: True}
SUPERVISED = {**LABELLED, f"{IN}.grounding.exact_wins": False}
MATCHED = "matched sentences only"
BASELINES: dict[str, System] = {
    MATCHED: System(PLAIN),
    "matched sentences, as many others as Other": System(
        {**PLAIN, **_change(w_unmatched=1.0, negative_share=1.0, unmatched_from=0)}
    ),
    "pseudo-labelling": System(LABELLED, labels="pseudo"),
    "self-training": System(LABELLED, labels="rounds"),
}
# The same with NERO's other means: bodies of rules as texts, and rare relations sampled more often.
BALANCED = _change(w_rules=1.0, balance=0.5)
MEAN_TEACHER = "Mean Teacher, rules and balance"
FAIR: dict[str, System] = {
    f"{name}, rules and balance": replace(BASELINES[name], changes={**BASELINES[name].changes, **BALANCED})
    for name in (MATCHED, "pseudo-labelling", "self-training")
}
FAIR[MEAN_TEACHER] = _plain_system(w_clus=0.0)
PAPER = {**PLAINLY, **_change(teacher_share=0.0, temperature=0.0, w_unmatched=0.5, balance=0.0)}
ABLATIONS: dict[str, System] = {
    ONE_ORDER: _plain_system(),
    "without L_unmatched": _plain_system(w_unmatched=0.0, teacher_share=0.0),
    "without L_rules": _plain_system(w_rules=0.0),
    "read from both sides": System({RADIUS: 0.0}),
    "as the paper, frozen matcher": System(LABELLED, labels="cosine"),
}
# Mean Teacher with adversarial training: each text is read twice, clean and with its input perturbed.
ADVERSARY: Changes = {RADIUS: 1.0}
BOTH_ORDERS: Changes = {**_change(both_orders=True), AVERAGE: True}
ADVERSARIES: dict[str, System] = {
    f"{MEAN_TEACHER}, adversary": System({**FAIR[MEAN_TEACHER].changes, **ADVERSARY}),
    f"{MEAN_TEACHER}, both orders, adversary": System({**FAIR[MEAN_TEACHER].changes, **BOTH_ORDERS, **ADVERSARY}),
}
PAPER_SYSTEMS: dict[str, System] = {"as the paper: pseudo-labels of the soft matcher": System(PAPER)}
RECURRENT: dict[str, System] = {
    "as published, BiLSTM": System(config=CONFIGS / "papers" / "nero.cfg"),
    "BiLSTM": System(config=VARIANTS / "nero_recurrent.cfg"),
}
# Systems compared with few rules, by the names that `--only` takes.
FEW_RULES: dict[str, dict[str, System]] = {
    "central": {ONE_ORDER: ABLATIONS[ONE_ORDER]},
    "matched": {f"{MATCHED}, rules and balance": FAIR[f"{MATCHED}, rules and balance"]},
    "mean-teacher": {MEAN_TEACHER: FAIR[MEAN_TEACHER]},
    "paper": PAPER_SYSTEMS,
    "paper-matched": {"as the paper, without L_unmatched": System({**PAPER, **_change(w_unmatched=0.0)})},
}
PARTS: dict[str, dict[str, System]] = {
    "central": SYSTEMS,
    "baselines": BASELINES,
    "fair": FAIR,
    "paper": PAPER_SYSTEMS,
    "recurrent": RECURRENT,
    "ablations": ABLATIONS,
    "adversary": ADVERSARIES,
}


def row_name(system: str) -> str:
    """RETURNS (str): What a system is called in the results."""
    if system == DEFAULT:
        return system
    is_peer = system.removesuffix(", adversary").removesuffix(", both orders") in {**BASELINES, **FAIR}
    return f"{'peer' if is_peer else 'ablation'}:{system}"
