"""Class priors of the three paradigms of extraction, as compared in RERE's Table 2."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from spacy.tokens import Doc
from spacy.vocab import Vocab

from benchmarks.harness.call import Call
from spacy_relext.annotations.store import align_triples
from spacy_relext.corpora.shards import iter_docs

# Results are true cells per this many cells.
CELLS = 10_000
PARADIGMS = ("subject, object, then relation", "subject, then relation, object", "relation, then subject, object")


def priors(call: Call) -> None:
    """Training sentences of NYT24, WebNLG and SKE: the share of true cells at both steps of each paradigm."""
    for make in (call.maker.nyt24, call.maker.webnlg, call.maker.ske_casrel):
        data = make()
        for paradigm, shares in class_priors(iter_docs(data.train, Vocab())).items():
            names = ("first_step_count", "second_step_count")
            metrics = {name: CELLS * share for name, share in zip(names, shares) if share is not None}
            call.record(
                "class_priors",
                metrics,
                data=call.describe(data, precision=False),
                split=paradigm,
                system="default",
                seed=0,
            )
            call.tell(f"{data.name}, {paradigm}: {shares}")


def class_priors(docs: Iterable[Doc]) -> dict[str, tuple[float | None, float]]:
    """Compute the shares of true cells of two steps of labelling, over all cells of all sentences.

    With N tokens, m arguments and R relations, the cells of both steps are: none (not compared), then m · (m - 1) · R
    for pairs and relations; N for starts of subjects, then N · R per subject for starts of objects; R for relations,
    then 4 · N per relation for starts and ends of subjects and objects.

    docs (Iterable[Doc]): One sentence each.
    RETURNS (dict[str, tuple[float | None, float]]): π₁ and π₂ of each of PARADIGMS.
    """
    true: Counter[str] = Counter()
    cells: Counter[str] = Counter()
    relations: set[str] = set()
    for doc in docs:
        triples = set(align_triples(doc, doc))
        relations.update(relation for _, relation, _ in triples)
        subjects, stated = {s for s, _, _ in triples}, {r for _, r, _ in triples}
        arguments = subjects | {o for _, _, o in triples}
        cells.update(sentences=1, tokens=len(doc), pairs=len(arguments) * (len(arguments) - 1))
        cells.update(subject_tokens=len(subjects) * len(doc), pointers=4 * len(stated) * len(doc))
        true.update(triples=len(triples), subjects=len(subjects), relations=len(stated))
        for relation in stated:
            true["pointers"] += 2 * sum(len({t[side] for t in triples if t[1] == relation}) for side in (0, 2))
    count = len(relations)
    return {
        PARADIGMS[0]: (None, true["triples"] / (cells["pairs"] * count)),
        PARADIGMS[1]: (true["subjects"] / cells["tokens"], true["triples"] / (cells["subject_tokens"] * count)),
        PARADIGMS[2]: (true["relations"] / (cells["sentences"] * count), true["pointers"] / cells["pointers"]),
    }
