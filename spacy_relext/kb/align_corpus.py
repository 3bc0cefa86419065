"""A corpus labelled by distant supervision, one file of texts in memory at a time."""

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict, Iterable, List, Tuple

from spacy.vocab import Vocab

from ..annotations.entities import ENTITIES_KEY, PAIRS_KEY
from ..annotations.store import replace_gold
from ..annotations.triple import Record
from ..corpora.blocks import BlockWriter, TextBlock, iter_blocks
from ..corpora.formats.locate import ENTITY
from ..corpora.report import format_table
from ..corpora.shards import GOLD_ATTRS
from ..errors import Errors
from .alignment import Aligner, Alignment, CharOffsets

SHOWN_RELATIONS = 20

Progress = Callable[[Iterable[TextBlock]], Iterable[TextBlock]]


@dataclass
class AlignReport:
    """Counts of an alignment."""

    docs: int = 0
    counts: "Counter[str]" = field(default_factory=Counter)  # see `Aligner.align_block`
    relations: "Counter[str]" = field(default_factory=Counter)  # triples of each
    unrelated: int = 0  # pairs without a fact
    marked: int = 0  # those of them that are marked
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
    progress: Progress = iter,
) -> AlignReport:
    """Write a corpus with the entities, marked pairs and triples that a knowledge base gives.

    Marked are the pairs with a triple in either direction, and a sample of the others, which are negative examples.

    corpus (Path): A .spacy file, or a folder of them; its triples and pairs are ignored.
    output (Path): A .spacy file; a folder if `shard` is given.
    unrelated (float): Probability that a pair without a fact is marked.
    shard (int): Texts per file; 0: one file. A file is kept in memory until it is complete.
    progress (Progress): Wraps the blocks of texts.
    RAISES (ValueError): If the corpus mentions no entity of the knowledge base.
    """
    report, rng = AlignReport(), random.Random(seed)
    entities: Dict[str, Tuple[int, int]] = {}  # id → hashes of type and id
    with BlockWriter(output, shard=shard, attrs=GOLD_ATTRS) as writer:
        for block in progress(iter_blocks(corpus, vocab)):
            alignments, counts = aligner.align_block(block)
            report.docs += len(alignments)
            report.counts.update(counts)
            mentions = [mention for alignment in alignments for mention in alignment.mentions]
            for entity_id in {mention.entity_id for mention in mentions}.difference(entities):
                label = "".join(aligner.kb[entity_id].types[:1]) or ENTITY
                entities[entity_id] = (vocab.strings.add(label), vocab.strings.add(entity_id))
            if not aligner.linked:
                block.set_entities([(*mention.tokens, *entities[mention.entity_id]) for mention in mentions])
            for user_data, alignment in zip(block.user_data, alignments):
                sample = [pair for pair in alignment.unrelated if rng.random() < unrelated]
                report.unrelated += len(alignment.unrelated)
                report.marked += len(sample)
                report.relations.update([triple["relation"] for triple in alignment.triples])
                if not aligner.linked:
                    user_data.pop(ENTITIES_KEY, None)
                _annotate(user_data, alignment, sample)
            writer.add_block(block)
        if not entities and aligner.linked:
            links = report.counts["unknown_mentions"]
            raise ValueError(Errors.R740.format(path=corpus, docs=report.docs, links=links))
        if not entities:
            raise ValueError(Errors.R729.format(path=corpus, docs=report.docs, names=len(aligner.kb.names)))
    report.entities = len(entities)
    return report


def _annotate(user_data: Record, alignment: Alignment, sample: List[Tuple[CharOffsets, CharOffsets]]) -> None:
    """Write triples, and pairs in the order of the text: that of the knowledge base would reveal pairs with a fact."""
    related = {tuple(sorted((tuple(each["subject"]), tuple(each["object"])))) for each in alignment.triples}
    pairs = sorted(related | {(tuple(one), tuple(two)) for one, two in sample})
    user_data[PAIRS_KEY] = [{"subject": list(one), "object": list(two)} for one, two in pairs]
    replace_gold(user_data, alignment.triples)


def format_align_report(report: AlignReport) -> str:
    """Format counts, and triples of the most frequent relations, as tables."""
    counts = report.counts
    rows = {
        "texts": report.docs,
        "sentences": counts["sentences"],
        "sentences with a triple": counts["sentences_with_triples"],
        "mentions": counts["mentions"],
        "of several entities": counts["ambiguous_mentions"],
        "linked to what the knowledge base lacks, left out": counts["unknown_mentions"],
        "different entities": report.entities,
        "ordered pairs with a fact": counts["pairs_with_facts"],
        "pairs without a fact": report.unrelated,
        "of these, marked": report.marked,
        "triples": counts["triples"],
    }
    relations = report.relations.most_common(SHOWN_RELATIONS)
    others = sum(report.relations.values()) - sum(count for _, count in relations)
    relations += [("other relations", others)] if others else []
    return "\n\n".join(format_table([(name, f"{n:,}") for name, n in table]) for table in (rows.items(), relations))
