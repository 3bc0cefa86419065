"""How `nero_grounder` learns from rules: one block of settings."""

import random
from collections import defaultdict
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from spacy import registry
from spacy.tokens import Doc

from ..errors import check_range
from ..pairs.gold import PairClass
from ..pairs.pairs import Pairs, stack_pairs
from ..pipeline.settings import plain_settings

WEIGHTS = ("w_rules", "w_clus", "w_unmatched")


@registry.misc("spacy_relext.RuleLearning.v1")
def create_rule_learning(
    w_rules: float = 1.0,
    w_clus: float = 0.2,
    w_unmatched: float = 1.0,
    margin: float = 0.7,
    sharpness: float = 10.0,
    temperature: float = 0.05,
    own_share: float = 1.0,
    mean_decay: float = 0.97,
    unmatched_from: int = 100,
    matched_batch: int = 32,
    unmatched_batch: int = 32,
    rule_batch: int = 32,
    borrow: bool = True,
    both_orders: bool = False,
    pool_size: int = 5000,
    balance: float = 0.5,
    reliability: bool = False,
    quiet_share: float = 0.0,
    seed: int = 0,
) -> Dict[str, Any]:
    """Check how a `nero_grounder` shall learn.

    w_rules (float): Weight of L_rules.
    w_clus (float): Weight of L_clus.
    w_unmatched (float): Weight of L_unmatched.
    margin (float): τ of L_clus.
    sharpness (float): σ: how much more a surer unmatched pair teaches than others of its batch.
    temperature (float): How softly rules share an unmatched pair; 0: the best rule has it, as in the paper.
    own_share (float): How much of an unmatched pair's target is the word of the module's mean over its last updates
        instead of the soft matcher's; 0: the paper's form.
    mean_decay (float): Decay of that mean.
    unmatched_from (int): Updates after which unmatched pairs are learned from.
    matched_batch (int): Matched pairs in an update.
    unmatched_batch (int): Most unmatched pairs in an update; 0: all of the batch.
    rule_batch (int): Rules whose bodies are read in an update; 0: all.
    borrow (bool): Whether these bodies are read with arguments of matched pairs of the same relation; else with a
        word that stands for any.
    both_orders (bool): Whether pairs that a data set marks in one order are learned from either side, by chance: what
        rules say of one order of a relation then teaches the other one too.
    pool_size (int): Most matched pairs that are kept.
    balance (float): 0: matched pairs are drawn as they come, 1: every relation as often as every other.
    reliability (bool): Whether rules are believed as far as the module's mean agrees with them, each on average over
        the pairs that it matches; its own word has the rest.
    quiet_share (float): Share of unmatched pairs that count as having no relation: those with the lowest probability.
    seed (int): Seed of what is drawn.
    RETURNS (Dict[str, Any]): The settings.
    RAISES (ValueError): Where one is out of its range.
    """
    settings = plain_settings(locals())
    for key in ("own_share", "balance", "quiet_share", "mean_decay"):
        check_range(f"learning.{key}", settings[key], 0.0, 1.0)
    for key in ("matched_batch", "pool_size"):
        check_range(f"learning.{key}", settings[key], 1, 1_000_000_000)
    check_range("learning.margin", margin, -1.0, 1.0)  # of cosines
    for key in ("unmatched_from", "unmatched_batch", "rule_batch", "temperature", "sharpness", *WEIGHTS):
        check_range(f"learning.{key}", settings[key], 0, 1_000_000_000)
    return settings


Said = Mapping[PairClass, float]

# The rule of a pair about which none says anything.
NO_RULE = -1


class _Entry(NamedTuple):
    """One pair, what rules say of it, and the rule that stands for them."""

    pair: Pairs
    said: Said
    rule: int


class Drawn(NamedTuple):
    """Pairs that were drawn.

    pairs (Pairs): M pairs.
    said (List[Mapping[PairClass, float]]): What rules say of each.
    rules (List[int]): The rule that stands for them; `NO_RULE` where none does.
    """

    pairs: Pairs
    said: List[Said]
    rules: List[int]


class MatchedPool:
    """A sample of all matched pairs that were seen, drawn without knowing how many will come (Vitter, 1985).

    size (int): Most pairs that are kept.
    balance (float): 0: pairs are drawn as often as they occur; 1: every answer is drawn as often as every other.
    seed (int): Seed of the sample and of all draws.
    """

    def __init__(self, *, size: int, balance: float, seed: int) -> None:
        self.size, self.balance, self.seen = size, balance, 0
        self._random = random.Random(seed)
        self._entries: List[_Entry] = []
        self._known: set = set()
        self._answers: Dict[PairClass, List[int]] = {}
        self._chances: List[float] = []

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, pairs: Pairs, said: Sequence[Said], rules: Sequence[int] = ()) -> None:
        """Show pairs to the sample; one that it has seen is not taken twice.

        pairs (Pairs): Matched pairs.
        said (Sequence[Mapping[PairClass, float]]): What rules say of each.
        rules (Sequence[int]): The rule that stands for them; none at all: none does.
        """
        for number, answers in enumerate(said):
            doc = pairs.docs[pairs.doc[number]]
            key = _key(doc, pairs, number)
            if key in self._known:
                continue
            self.seen += 1
            place = len(self._entries) if len(self._entries) < self.size else self._random.randrange(self.seen)
            if place >= self.size:
                continue
            entry = _Entry(_alone(pairs, number), answers, rules[number] if len(rules) else NO_RULE)
            if place == len(self._entries):
                self._entries.append(entry)
            else:
                self._known.discard(_key(self._entries[place].pair.docs[0], self._entries[place].pair, 0))
                self._entries[place] = entry
            self._known.add(key)
            self._answers = {}

    def draw(self, count: int) -> Drawn:
        """Draw pairs, each answer by its chance, each of its pairs with the same one.

        count (int): How many, at least one.
        RETURNS (Drawn): As many, or all there are if they are fewer.
        """
        if count >= len(self._entries):
            chosen = list(range(len(self._entries)))
        else:
            self._sort()
            groups = self._random.choices(list(self._answers.values()), weights=self._chances, k=count)
            chosen = [self._random.choice(group) for group in groups]
        entries = [self._entries[number] for number in chosen]
        pairs = stack_pairs([entry.pair for entry in entries])
        return Drawn(pairs, [entry.said for entry in entries], [entry.rule for entry in entries])

    def borrow(self, relation: str) -> Optional[Tuple[List[str], List[str]]]:
        """Draw the words of two arguments between which rules state a relation.

        relation (str): The relation, whichever way a text states it.
        RETURNS (Optional[Tuple[List[str], List[str]]]): Words of its subject and of its object; None where there are
            none.
        """
        self._sort()
        groups = [(answer, group) for answer, group in self._answers.items() if answer.relation == relation]
        if not groups:
            return None
        answer, group = self._random.choices(groups, weights=[len(group) for _, group in groups])[0]
        subject, obj = self._entries[self._random.choice(group)].pair.spans(0)[:: -1 if answer.backwards else 1]
        return [token.text for token in subject], [token.text for token in obj]

    def _sort(self) -> None:
        """Group pairs by their heaviest answer; n pairs are drawn in proportion to n ** (1 - balance)."""
        if not self._answers:
            groups: Dict[PairClass, List[int]] = defaultdict(list)
            for number, entry in enumerate(self._entries):
                groups[max(sorted(entry.said), key=lambda answer: entry.said[answer])].append(number)
            self._answers = dict(groups)
            self._chances = [len(group) ** (1.0 - self.balance) for group in groups.values()]


def _alone(pairs: Pairs, number: int) -> Pairs:
    """Take one pair with its Doc alone, and of that a copy: the batch's Docs get tensors and other annotation."""
    one = pairs.take([number])
    doc = one.docs[int(one.doc[0])]
    return Pairs([doc.copy()], one.doc * 0, one.text, one.subject, one.object, one.types, pairs.both_orders)


def _key(doc: Doc, pairs: Pairs, number: int) -> Tuple[str, Tuple[int, ...]]:
    """Text and place of a pair: training reads a corpus many times, in copies."""
    return doc.text, (*pairs.subject[number].tolist(), *pairs.object[number].tolist())
