"""Complete incomplete annotation: each document gets triples from a model that was not trained on it.

Class-adaptive self-training (CAST; Tan et al., Findings of ACL 2023, arXiv 2306.09697): of the new triples of each
relation j, a share μ_j = (P_j (1 - R_j))^β is kept: most for relations with high precision P_j and low recall R_j.
"""

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from ..annotations.store import get_records, get_rejected, store_triples
from ..annotations.triple import Record
from ..corpora.reader import TripleCorpus
from ..corpora.shards import HELD, ShardWriter, iter_docs
from ..errors import Errors, check_range
from ..scoring.triples import TextKey, compare_documents, text_key

Progress = Callable[[Iterable[Any]], Iterable[Any]]

# Triples found in each document of a fold, by what exact match compares.
Found = List[Dict[TextKey, Record]]


@dataclass
class RelabelReport:
    """Counts of documents, and by relation: what the models find in judged documents, and what is added.

    right, predicted, gold (Counter[str]): Triples of dev, or of the held-out documents, for P_j and R_j.
    candidates, added (Counter[str]): Found triples that the corpus does not have, and those of them that were drawn.
    """

    beta: float
    docs: int = 0
    not_annotated: int = 0
    right: "Counter[str]" = field(default_factory=Counter)
    predicted: "Counter[str]" = field(default_factory=Counter)
    gold: "Counter[str]" = field(default_factory=Counter)
    candidates: "Counter[str]" = field(default_factory=Counter)
    added: "Counter[str]" = field(default_factory=Counter)

    def precision(self, relation: str) -> float:
        """Compute P_j; 0 if the relation is never found."""
        return self.right[relation] / max(1, self.predicted[relation])

    def recall(self, relation: str) -> float:
        """Compute R_j; 0 if no judged document has the relation."""
        return self.right[relation] / max(1, self.gold[relation])

    def share(self, relation: str) -> float:
        """Compute μ_j = (P_j (1 - R_j))^β."""
        return float((self.precision(relation) * (1.0 - self.recall(relation))) ** self.beta)

    def count(self, examples: Sequence[Example]) -> None:
        """Count right, found and annotated triples by relation."""
        for document in compare_documents(examples):
            self.right.update(key[0] for key in document.gold_keys & document.scores.keys())
            self.predicted.update(key[0] for key in document.scores)
            self.gold.update(key[0] for key in document.gold_keys)


def relabel(
    folder: Path,
    pipelines: Iterable[Language],
    output: Path,
    *,
    dev: Optional[Path] = None,
    beta: float = 1.0,
    gold_ents: Callable[[Language], bool] = lambda nlp: False,
    seed: int = 0,
    batch_size: int = 64,
    progress: Progress = iter,
) -> RelabelReport:
    """Write the documents of all folds, in the order of the corpus, with a random sample of the triples found in them.

    A drawn triple becomes gold, keeps its score, and has `evidence` {"relabelled": True}. Triples of the corpus stay;
    rejected ones are not added. Documents that are not annotated stay as they are.

    folder (Path): As `spacy relext folds` writes it.
    pipelines (Iterable[Language]): Pipeline i was trained on `train{i}.spacy`. One per fold is taken, and a generator
        holds only one at a time in memory.
    dev (Optional[Path]): Completely annotated corpus for P_j and R_j; None: the held-out documents, where missing
        triples make both too low.
    beta (float): β, at least 0; 0 adds all that is found.
    gold_ents (Callable[[Language], bool]): Whether a pipeline gets the entities of the corpus.
    RAISES (ValueError): If the folder has no folds, there are fewer pipelines, or a number is out of range.
    """
    check_range("beta", beta, 0.0, 100.0)
    folds = _find_folds(folder)
    report, found = RelabelReport(beta), []
    for path, nlp in zip(folds, pipelines):
        given = gold_ents(nlp)
        held = _predict(nlp, path, gold_ents=given, batch_size=batch_size, progress=progress)
        report.count(_predict(nlp, dev, gold_ents=given, batch_size=batch_size, progress=progress) if dev else held)
        found.append(_candidates(held))
    if len(found) < len(folds):
        raise ValueError(
            Errors.R107.format(option="pipelines", found=len(found), expected=f"{len(folds)}, one per fold")
        )
    rng = random.Random(seed)
    with ShardWriter(output) as writer:
        for doc, candidates in _in_order(folds, found):
            report.docs += 1
            _complete(doc, candidates, report, rng)
            writer.add(doc)
    return report


def _find_folds(folder: Path) -> List[Path]:
    """List held0.spacy, held1.spacy and so on. RAISES (ValueError): If there are fewer than two."""
    folds: List[Path] = []
    while (path := folder / HELD.format(len(folds))).exists():
        folds.append(path)
    if len(folds) < 2:
        raise ValueError(Errors.R259.format(path=str(folder)))
    return folds


def _predict(nlp: Language, corpus: Path, *, gold_ents: bool, batch_size: int, progress: Progress) -> List[Example]:
    """Run a pipeline on the documents of a corpus, without their triples."""
    examples = list(TripleCorpus(corpus, gold_sents=True, gold_ents=gold_ents)(nlp))
    docs = nlp.pipe((example.predicted for example in progress(examples)), batch_size=batch_size)
    return [Example(doc, example.reference) for doc, example in zip(docs, examples)]


def _candidates(examples: Sequence[Example]) -> Found:
    """Collect the found triples that are neither annotated nor rejected: the most probable mention of each."""
    found: Found = [{} for _ in examples]
    for document in compare_documents(examples):
        text = document.example.reference.text
        known = document.gold_keys | {text_key(record, text) for record in get_rejected(document.example.reference)}
        for record in sorted(document.predicted, key=lambda record: -record["score"]):
            key = text_key(record, text)
            if key not in known:
                found[document.number].setdefault(key, record)
    return found


def _in_order(folds: Sequence[Path], found: Sequence[Found]) -> Iterator[Tuple[Doc, Dict[TextKey, Record]]]:
    """Yield the documents in their order before `split_folds`, which dealt them to the folds in turn."""
    vocab = Vocab()
    streams = [zip(iter_docs(path, vocab), candidates) for path, candidates in zip(folds, found)]
    while True:
        for stream in streams:
            following = next(stream, None)
            if following is None:
                return
            yield following


def _complete(doc: Doc, candidates: Dict[TextKey, Record], report: RelabelReport, rng: random.Random) -> None:
    """Add each candidate to a Doc with the probability μ_j of its relation."""
    records = get_records(doc)
    if records is None:
        report.not_annotated += 1
        return
    report.candidates.update(key[0] for key in candidates)
    drawn = [record for key, record in candidates.items() if rng.random() < report.share(key[0])]
    report.added.update(record["relation"] for record in drawn)
    gold = [{**record, "source": "", "evidence": {"relabelled": True}} for record in drawn]
    store_triples(doc, [*records, *gold])
