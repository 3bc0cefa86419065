"""How fast rules are matched, and what a stream of a million sentences costs in memory."""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Iterator
from typing import Any

import numpy
import spacy
from spacy.tokens import Doc
from spacy.vocab import Vocab

from benchmarks.harness.call import Call
from spacy_relext.nero.rules.index import RuleIndex
from spacy_relext.nero.rules.rules import Rule, from_records
from spacy_relext.pairs.pairs import Pairs

RULE_COUNTS = (10, 164, 1_000, 10_000)
# Number of rules, and the most tokens that a gap in them may stand for; 0 for rules without gaps.
KINDS = [*((count, 0) for count in RULE_COUNTS), (10, 3), (10_000, 3)]
SENTENCES = 1_000_000
BATCH = 1_000
WORDS = 5_000
LENGTH = 20
MEBIBYTE = 1024  # KiB, as getrusage counts on Linux


def matching(call: Call) -> None:
    """Match random rules on random sentences with one marked pair each, as a stream."""
    total = call.maker.limit_train or SENTENCES
    for count, max_gap in KINDS:
        for seed in call.seeds:
            rules = make_rules(count, seed=seed, gaps=max_gap > 0)
            seconds, fired = match_stream(rules, total=total, seed=seed, max_gap=max_gap)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEBIBYTE
            metrics = {"sentences_per_second": total / seconds, "peak_mib": peak, "fired_per_sentence": fired / total}
            options: dict[str, Any] = {"data": f"{total:,} sentences of {LENGTH} invented words", "split": "stream"}
            call.record("matching", metrics, system=_row(count, max_gap), seed=seed, **options)
            name = f"{count} rules, gaps up to {max_gap}"
            call.tell(f"{name}: {total / seconds:,.0f} sentences/s, {fired} matches, peak {peak:.0f} MiB")


def match_stream(rules: list[Rule], *, total: int, seed: int, max_gap: int) -> tuple[float, int]:
    """Match a stream; only matching is timed, in processor time.

    max_gap (int): Most tokens that a gap stands for.
    RETURNS (tuple[float, int]): Seconds, and how often a rule matched.
    """
    index, seconds, fired = RuleIndex(rules, max_gap=max_gap), 0.0, 0
    for pairs in make_pairs(total, seed=seed):
        start = time.process_time()
        fired += len(index.match(pairs).pair)
        seconds += time.process_time() - start
    return seconds, fired


def make_rules(count: int, *, seed: int, gaps: bool = False) -> list[Rule]:
    """Make random rules of one to four words between the masks.

    gaps (bool): Whether each has a gap beside one of its words, at either end or between two.
    """
    rng, bodies = random.Random(seed), set()
    while len(bodies) < count:
        words = [_word(rng) for _ in range(rng.randint(1, 4))]
        if gaps:
            words.insert(rng.randint(0, len(words)), "*")
        bodies.add(" ".join(words))
    return from_records([{"relation": "r", "pattern": f"SUBJ-* {body} OBJ-*"} for body in sorted(bodies)])


def make_pairs(total: int, *, seed: int) -> Iterator[Pairs]:
    """Yield batches of random sentences with two marked words each, up to six words apart."""
    vocab, rng = spacy.blank("en").vocab, random.Random(seed + 1)
    for begin in range(0, total, BATCH):
        yield _batch(vocab, rng, min(BATCH, total - begin))


def _batch(vocab: Vocab, rng: random.Random, count: int) -> Pairs:
    docs = [Doc(vocab, words=[_word(rng) for _ in range(LENGTH)]) for _ in range(count)]
    left = numpy.asarray([rng.randrange(LENGTH - 7) for _ in range(count)])
    right = left + 1 + numpy.asarray([rng.randrange(6) for _ in range(count)])
    subject, obj = (numpy.stack([place, place + 1], axis=1) for place in (left, right))
    text = numpy.stack([left * 0, left * 0 + LENGTH], axis=1)
    return Pairs(docs, numpy.arange(count), text, subject, obj, [("", "")] * count, both_orders=False)


def _word(rng: random.Random) -> str:
    """Draw a word of a few letters, with frequencies as in natural language (Zipf's law)."""
    return f"w{int(WORDS ** rng.random())}"


def _row(count: int, max_gap: int) -> str:
    return "default" if count == 164 else f"ablation:{count:,} rules" + " with gaps" * bool(max_gap)
