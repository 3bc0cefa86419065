"""A corpus labelled by a knowledge base: distant supervision, text by text, in as much memory as one file needs."""

import gc
import random
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple

from spacy.vocab import Vocab

from ..annotations.entities import ENTITIES_KEY, PAIRS_KEY
from ..annotations.store import replace_gold
from ..corpora.blocks import BlockWriter, TextBlock, iter_blocks
from ..corpora.formats.locate import ENTITY
from ..corpora.report import format_table
from ..corpora.shards import GOLD_ATTRS
from ..errors import Errors
from .alignment import Aligner, Alignment


@dataclass
class AlignReport:
    """Counts of one run.

    docs (int): Texts.
    counts (Counter[str]): Of `Alignment`, summed.
    relations (Counter[str]): Triples of each relation.
    unrelated (int): Pairs of which no fact is known.
    marked (int): Of these, those that are marked as pairs without a relation.
    entities (int): Different entities that were found.
    """

    docs: int = 0
    counts: "Counter[str]" = field(default_factory=Counter)
    relations: "Counter[str]" = field(default_factory=Counter)
    unrelated: int = 0
    marked: int = 0
    entities: int = 0


def align_corpus(
    corpus: Path,
    output: Path,
    *,
    aligner: Aligner,
    vocab: Vocab,
    unrelated: float = 1.0,
    seed: int = 0,
    shard: int = 0,
    progress: Optional[Callable[[Iterable[TextBlock]], Iterable[TextBlock]]] = None,
) -> AlignReport:
    """Write a corpus with entities, marked pairs and triples as a knowledge base has them.

    Pairs are marked, in the order of the text: those with a triple, which may be read backwards, and a share of the
    others, which then say that nothing is stated of them.

    corpus (Path): A .spacy file, or a folder of them; what triples and pairs it has are not read.
    output (Path): A .spacy file; a folder where `shard` is given.
    aligner (Aligner): Finds entities and facts.
    vocab (Vocab): Gets the strings.
    unrelated (float): Share of the pairs without a fact that are marked, drawn.
    seed (int): Of what is drawn.
    shard (int): Texts of a file; 0: one file. Files are kept in memory until they are whole.
    progress (Optional[Callable[[Iterable[TextBlock]], Iterable[TextBlock]]]): Wraps what is read,
        some hundred texts at a time.
    RETURNS (AlignReport): What was found.
    RAISES (ValueError): Where no entity of the knowledge base is in the corpus.
    """
    report, dice = AlignReport(), random.Random(seed)
    seen: set[str] = set()
    entities = _Entities(aligner, vocab)
    blocks: Iterable[TextBlock] = iter_blocks(corpus, vocab)
    with BlockWriter(output, shard=shard, attrs=GOLD_ATTRS) as writer:
        for block in blocks if progress is None else progress(blocks):
            results, counts = aligner.align_block(block)
            report.docs += len(results)
            report.counts.update(counts)
            mentions = [mention for found in results for mention in found.mentions]
            seen.update([mention.entity_id for mention in mentions])
            if not aligner.linked:
                block.set_entities([(*mention.tokens, *entities[mention.entity_id]) for mention in mentions])
            for user_data, found in zip(block.user_data, results):
                drawn = [pair for pair in found.unrelated if dice.random() < unrelated]
                report.unrelated += len(found.unrelated)
                report.marked += len(drawn)
                report.relations.update([triple["relation"] for triple in found.triples])
                if not aligner.linked:
                    user_data.pop(ENTITIES_KEY, None)
                _annotate(user_data, found, drawn)
            writer.add_block(block)
        if not seen and aligner.linked:
            links = report.counts["unknown_mentions"]
            raise ValueError(Errors.R740.format(path=corpus, docs=report.docs, links=links))
        if not seen:
            raise ValueError(Errors.R729.format(path=corpus, docs=report.docs, names=len(aligner.kb.names)))
    report.entities = len(seen)
    return report


@contextmanager
def lasting_objects() -> Iterator[None]:
    """Spare garbage collection what was made before: names and facts last as long as an alignment, and to look through
    them again and again takes a fifth of its time.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


class _Entities(Dict[str, Tuple[int, int]]):
    """Id of an entity → hashes of its type and its id."""

    def __init__(self, aligner: Aligner, vocab: Vocab) -> None:
        self.kb, self.strings = aligner.kb, vocab.strings

    def __missing__(self, entity_id: str) -> Tuple[int, int]:
        label = self.kb[entity_id].type or ENTITY
        self[entity_id] = found = (self.strings.add(label), self.strings.add(entity_id))
        return found


def _annotate(user_data: Dict[Any, Any], found: Alignment, drawn: List[Any]) -> None:
    """Write pairs and triples.

    All pairs have the order of the text and stand in it: with the knowledge base's, only pairs with a fact could have
    another one, and which come first would tell as much.
    """
    stated = {tuple(sorted((tuple(each["subject"]), tuple(each["object"])))) for each in found.triples}
    pairs = sorted(stated | {(tuple(one), tuple(two)) for one, two in drawn})
    user_data[PAIRS_KEY] = [{"subject": list(one), "object": list(two)} for one, two in pairs]
    replace_gold(user_data, found.triples)


def format_align_report(report: AlignReport, *, most: int = 20) -> str:
    """Write counts as tables.

    report (AlignReport): The counts.
    most (int): Relations that are listed, the commonest.
    RETURNS (str): Several lines.
    """
    counts = report.counts
    rows = [
        ("texts", f"{report.docs:,}"),
        ("sentences", f"{counts['sentences']:,}"),
        ("sentences with a triple", f"{counts['sentences_with_triples']:,}"),
        ("mentions", f"{counts['mentions']:,}"),
        ("of several entities", f"{counts['ambiguous_mentions']:,}"),
        ("linked to what the knowledge base lacks, left out", f"{counts['unknown_mentions']:,}"),
        ("different entities", f"{report.entities:,}"),
        ("ordered pairs with a fact", f"{counts['pairs_with_facts']:,}"),
        ("pairs without a fact", f"{report.unrelated:,}"),
        ("of these, marked", f"{report.marked:,}"),
        ("triples", f"{counts['triples']:,}"),
    ]
    listed: Dict[str, int] = dict(report.relations.most_common(most))
    others = sum(report.relations.values()) - sum(listed.values())
    tail = [("other relations", f"{others:,}")] if others else []
    return "\n\n".join(
        [format_table(rows), format_table([*((name, f"{count:,}") for name, count in listed.items()), *tail])]
    )
