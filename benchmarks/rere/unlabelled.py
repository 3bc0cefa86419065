"""Texts of the New York Times without labels, for a teacher to label.

They are the training sentences of NYT24 that a training does not use, and those of Riedel's training file. Those are
lower-cased, and the words of a name are joined by underscores: capitals are restored by the names that the file marks,
and by the usual form of a word in the training sentences of NYT24. Sentences of a test or tuning corpus are left out,
whatever their case and punctuation.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

from spacy.tokens import DocBin

from benchmarks.harness.datasets import DataSet, read_docs
from benchmarks.harness.runs import digest, run_module
from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.records import write_jsonl

RIEDEL = "nyt10_riedel_mid_sample/train.txt"
# Columns of a line: its two entities, and its sentence; END follows the sentence.
ENTITIES, SENTENCE, END = slice(2, 4), 5, "###END###"
BRACKETS = {"-lrb-": "-LRB-", "-rrb-": "-RRB-"}
SMALL = frozenset("a and at by de for in of on the to".split())  # in names
LONGEST_NAME, MOST_WORDS = 4, 150


def collect_texts(data: DataSet, further: Iterable[Path], riedel: Path) -> list[str]:
    """Collect texts that are neither in the data set nor like one of its sentences.

    data (DataSet): Its training, tuning and test sentences are left out.
    further (Iterable[Path]): Corpora whose texts are taken, in this order; their labels are not read.
    riedel (Path): Riedel's file.
    RETURNS (list[str]): No text twice.
    """
    known = {letters(doc.text) for path in (data.train, data.dev, *data.tests.values()) for doc in read_docs(path)}
    cased = [doc.text for path in further for doc in read_docs(path)]
    chosen: dict[str, str] = {}
    for text in [*cased, *_restore_case(riedel.read_text(encoding="utf8").splitlines(), cased)]:
        if (key := letters(text)) not in known and len(text.split()) <= MOST_WORDS:
            chosen.setdefault(key, text)
    return list(chosen.values())


def label_texts(pipeline: Path | str, texts: Iterable[str], target: Path, *, threads: int) -> None:
    """Let a tuned pipeline label texts of one sentence each, as `spacy relext extract` and `convert` do."""
    pool, found = (target.with_name(f"{target.stem}-{part}.jsonl") for part in ("pool", "found"))
    write_jsonl(pool, [{"text": text, "sents": [[0, len(text)]]} for text in texts])
    run_module("spacy_relext", "extract", pipeline, pool, found, "--force", threads=threads)
    convert("jsonl", [found], target, pseudo_labels=True)


def join_corpora(*corpora: Path) -> Path:
    """Concatenate corpora; RETURNS (Path): The new one, beside the last."""
    target = corpora[-1].with_name(f"joined-{'-'.join(map(digest, corpora))}.spacy")
    if not target.exists():
        joined = DocBin(store_user_data=True).from_disk(corpora[0])
        for corpus in corpora[1:]:
            joined.merge(DocBin(store_user_data=True).from_disk(corpus))
        joined.to_disk(target)
    return target


def letters(text: str) -> str:
    """Return the letters and digits of a text, lower-cased: equal for texts that differ in case and punctuation."""
    return "".join(filter(str.isalnum, text.lower()))


def _restore_case(lines: Iterable[str], cased: Iterable[str]) -> Iterator[str]:
    """Write the sentences of Riedel's lines with capitals, and names as words."""
    rows = [line.split("\t") for line in lines]
    split = [row[SENTENCE].replace(END, "").split() for row in rows]
    joined = [word for words in split for word in words if "_" in word]
    names = {tuple(name.split("_")) for name in chain(joined, *(row[ENTITIES] for row in rows))}
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for text in cased:
        for word in text.split()[1:]:  # the first word is capitalised anyway
            counts[word.lower()][word] += 1
    usual = {word: forms.most_common(1)[0][0] for word, forms in counts.items()} | BRACKETS
    for words in split:
        text = " ".join(_with_capitals([part for word in words for part in word.split("_") if part], names, usual))
        yield text[:1].upper() + text[1:]


def _with_capitals(words: list[str], names: set[tuple[str, ...]], usual: Mapping[str, str]) -> Iterator[str]:
    """Yield words: the longest name at each place with capitals, other words in their usual form."""
    at = 0
    while at < len(words):
        sizes = range(min(LONGEST_NAME, len(words) - at), 0, -1)
        size = next((n for n in sizes if tuple(words[at : at + n]) in names), 0)
        for word in words[at : at + max(1, size)]:
            capital = word if word in SMALL or not size else word[:1].upper() + word[1:]
            yield capital if size > 1 else usual.get(word, capital)
        at += max(1, size)
