"""Sentences of the New York Times, annotated manually: do they state a relation? (Hoffmann et al., ACL 2011)"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import spacy
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_relext.annotations.entities import PAIRS_KEY
from spacy_relext.corpora.records import set_entities
from spacy_relext.corpora.shards import iter_docs
from spacy_relext.hrere.mixture import Mixture
from spacy_relext.scoring.ranking import Cell, rank_cells, score_ranking

FILE = Path("nyt_hoffmann_sentential") / "sentential.txt"
# Digits of a Freebase id, and the common prefix of these guids.
DIGITS = "0123456789bcdfghjklmnpqrstvwxyz_"
PREFIX = "9202a8c04000641f8"
STATED, NOT_STATED = "y", ("n", "indirect")
_MARKED = re.compile(r"\[([^\[\]]+)\]([12])")


class Annotation(NamedTuple):
    """The annotation of one sentence, pair and relation.

    text (str): The sentence, lower-cased, as in NYT10.
    subject (tuple[int, int]): Characters.
    object (tuple[int, int]): Characters.
    ids (tuple[str, str]): Freebase ids.
    relation (str): The relation.
    stated (bool): Whether the sentence states it.
    """

    text: str
    subject: tuple[int, int]
    object: tuple[int, int]
    ids: tuple[str, str]
    relation: str
    stated: bool


def read_annotations(path: Path) -> Iterator[Annotation]:
    """Read the annotations; lines left blank or without a marked argument are skipped.

    YIELDS (Annotation): In the order of the file.
    """
    for line in path.read_text(encoding="utf8").splitlines():
        columns = line.split("\t")
        if columns[4] != STATED and columns[4] not in NOT_STATED:
            continue
        text, places = _unmark(columns[5].strip('"').strip())
        if set(places) == {"1", "2"}:
            ids = (freebase_id(columns[0]), freebase_id(columns[1]))
            yield Annotation(text.lower(), places["1"], places["2"], ids, columns[3], columns[4] == STATED)


def _unmark(marked: str) -> tuple[str, dict[str, tuple[int, int]]]:
    """Take the brackets off both arguments."""
    parts, places, end, length = [], {}, 0, 0
    for match in _MARKED.finditer(marked):
        before = marked[end : match.start()]
        start = length + len(before)
        parts += [before, match.group(1)]
        length = start + len(match.group(1))
        places[match.group(2)] = (start, length)
        end = match.end()
    return "".join([*parts, marked[end:]]), places


def freebase_id(guid: str) -> str:
    """Turn a guid into an id: its last digits in base 32."""
    number = int(guid.rsplit("/", 1)[-1].removeprefix(PREFIX), 16)
    digits = ""
    while number:
        number, digit = divmod(number, 32)
        digits = DIGITS[digit] + digits
    return f"m.0{digits}"


def leave_out(annotations: list[Annotation], corpora: Mapping[str, Path]) -> tuple[list[Annotation], dict[str, float]]:
    """Leave out annotations of sentences that were used in training.

    corpora (Mapping[str, Path]): "train", and "dev", which chose the epoch and the mixture.
    RETURNS (tuple[list[Annotation], dict[str, float]]): The others; and how many were left out for each corpus,
        `in_train_found` and so on, each for the first corpus that has the sentence.
    """
    counts: dict[str, float] = {}
    for name, corpus in corpora.items():
        texts = {words_of(doc.text) for doc in iter_docs(corpus, Vocab())}
        rest = [each for each in annotations if words_of(each.text) not in texts]
        counts[f"in_{name}_found"] = float(len(annotations) - len(rest))
        annotations = rest
    return annotations, counts


def score_annotations(pipeline: Path, annotations: list[Annotation], *, mixture: Mixture) -> dict[str, float]:
    """Rank the annotated (sentence, relation) cells by a pipeline's probabilities, and score the triples that it finds.

    annotations (list[Annotation]): Annotations of sentences that were not used in training.
    mixture (Mixture): How text and knowledge base are mixed.
    RETURNS (dict[str, float]): `sentence_ap` (of annotated cells), `sentence_p` and `sentence_r` of the
        triples found, and `judged_found` (number of annotations).
    """
    nlp = spacy.load(pipeline)
    pipe: Any = nlp.get_pipe("hrere_classifier")
    pipe.cfg.update(zip((*pipe.fitted_first, "mix"), mixture))
    cells, correct, predicted, true = [], 0, 0, 0
    for number, each in enumerate(annotations):
        doc = _doc(nlp, each)
        (bag,) = pipe.predict_bags([doc])
        cells.append(Cell(number, each.relation, bag.scores.get(each.relation, 0.0), each.stated))
        stated = each.relation in {triple.relation for triple in nlp(doc)._.triples}
        correct, predicted, true = correct + (stated and each.stated), predicted + stated, true + each.stated
    ranking = score_ranking(rank_cells(cells, unit="mention"))
    scores = {"sentence_ap": float(ranking["mention_ap"] or 0.0), "sentence_p": correct / max(predicted, 1)}
    return {**scores, "sentence_r": correct / max(true, 1), "judged_found": float(len(annotations))}


def words_of(text: str) -> str:
    """RETURNS (str): The words of a text, whatever its case, spacing and punctuation."""
    return " ".join(re.findall(r"\w+", text.lower()))


def _doc(nlp: Any, annotation: Annotation) -> Doc:
    """Make a Doc with the linked and marked pair."""
    doc: Doc = nlp.make_doc(annotation.text)
    ends = zip((annotation.subject, annotation.object), annotation.ids)
    set_entities(doc, [{"start": s, "end": e, "label": "ENTITY", "kb_id": link} for (s, e), link in ends])
    doc.user_data[PAIRS_KEY] = [{"subject": list(annotation.subject), "object": list(annotation.object)}]
    doc[0].is_sent_start = True
    for token in doc[1:]:
        token.is_sent_start = False
    return doc
