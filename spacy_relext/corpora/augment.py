"""Augmenters: changed texts for training."""

import random
import re
from typing import Callable, Dict, Iterator, List, Optional, Set, Tuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import registry

from ..annotations.entities import ENTITIES_KEY, GIVEN_PAIRS_KEY
from ..annotations.store import get_records
from ..annotations.triple import Record
from ..errors import check_range
from .records import doc_to_record, record_to_doc, set_sentence_starts

Role = Tuple[str, ...]
Bounds = Tuple[int, int]

_TRIES = 5  # draws of a string, until one is not in the text


@registry.augmenters("spacy_relext.swap_arguments.v1")
def create_argument_swapper(share: float = 0.5, seed: int = 0, pool: int = 2000) -> "ArgumentSwapper":
    """Create an augmenter that gives triples other arguments, so that a model reads the sentence and not the names.

    share (float): Part of the texts with triples that are changed, 0 to 1, drawn anew in each pass.
    seed (int): Seed of what is drawn.
    pool (int): Most strings that are kept of each role.
    """
    return ArgumentSwapper(share=share, seed=seed, pool=pool)


class ArgumentSwapper:
    """Replaces arguments by those of texts that were read before, in all places of the text.

    An argument is replaced by one of the same role: the label of the entity that it is, or else relation and side.
    Texts stay as they are if arguments overlap each other or parts of other annotation, or if tokens have heads. Links
    to a knowledge base are dropped from what is replaced.
    """

    def __init__(self, *, share: float, seed: int, pool: int) -> None:
        check_range("share", share, 0.0, 1.0)
        check_range("pool", pool, 1, float("inf"))
        self.share, self.pool = share, pool
        self._random = random.Random(seed)
        self._strings: Dict[Role, List[str]] = {}
        self._seen: Dict[Role, int] = {}

    def __call__(self, nlp: Language, example: Example) -> Iterator[Example]:
        """Yield the example, or one of a changed text in its place."""
        record = doc_to_record(example.reference)
        roles = _find_roles(record)
        is_chosen = roles and self._random.random() < self.share and not example.predicted.has_annotation("DEP")
        new = self._draw(roles) if is_chosen else {}
        for string, names in roles.items():
            for role in sorted(names):
                self._keep(role, string)
        changed = swap_strings(record, new) if new else None
        yield example if changed is None else _make_example(nlp, changed, example.predicted)

    def _keep(self, role: Role, string: str) -> None:
        """Add a string to those of a role; of very many, a random part is kept."""
        strings = self._strings.setdefault(role, [])
        self._seen[role] = self._seen.get(role, 0) + 1
        if len(strings) < self.pool:
            strings.append(string)
        elif self._random.random() < self.pool / self._seen[role]:
            strings[self._random.randrange(self.pool)] = string

    def _draw(self, roles: Dict[str, Set[Role]]) -> Dict[str, str]:
        """Draw a new string for each argument that others of its role are known of; all are different."""
        new: Dict[str, str] = {}
        for string, names in roles.items():
            strings = self._strings.get(self._random.choice(sorted(names)), [])
            for drawn in (self._random.choice(strings) for _ in range(_TRIES if strings else 0)):
                if drawn not in roles and drawn not in new.values():
                    new[string] = drawn
                    break
        return new


def _find_roles(record: Record) -> Dict[str, Set[Role]]:
    """List the roles of each argument string of a record."""
    text = record["text"]
    labels = {(each["start"], each["end"]): each["label"] for each in record.get("entities", ())}
    roles: Dict[str, Set[Role]] = {}
    for triple in record.get("triples", ()):
        for side in ("subject", "object"):
            start, end = triple[side]
            label = labels.get((start, end))
            roles.setdefault(text[start:end], set()).add((label,) if label else (triple["relation"], side))
    return roles


def swap_strings(record: Record, new: Dict[str, str]) -> Optional[Record]:
    """Replace strings in a record's text, as whole words and where they are annotated, and move all offsets.

    new (Dict[str, str]): String → what stands in its place.
    RETURNS (Optional[Record]): None if two of the places overlap, or other annotation begins or ends within one.
    """
    text = record["text"]
    spans = _list_spans(record)
    places = {span for span in spans if text[span[0] : span[1]] in new}
    for string in new:
        places.update(each.span() for each in re.finditer(rf"(?<!\w){re.escape(string)}(?!\w)", text))
    ordered = sorted(places)
    if any(first[1] > second[0] for first, second in zip(ordered, ordered[1:])):
        return None
    if any(place[0] < offset < place[1] for place in ordered for span in spans for offset in span):
        return None
    parts: List[str] = []
    at = 0
    for start, end in ordered:
        parts += [text[at:start], new[text[start:end]]]
        at = end
    growth = [(end, len(new[text[start:end]]) - (end - start)) for start, end in ordered]

    def move(span: Bounds) -> List[int]:
        # what ends where a span begins has moved its start, and what ends with it its end
        return [offset + sum(more for end, more in growth if end <= offset) for offset in span]

    changed = _map_spans({**record, "text": "".join([*parts, text[at:]])}, move)
    inside = {tuple(move(place)) for place in ordered}
    for entity in changed.get("entities", ()):
        if (entity["start"], entity["end"]) in inside:
            entity.pop("kb_id", None)
    return changed


def _list_spans(record: Record) -> List[Bounds]:
    """List the spans of all annotation of a record."""
    spans: List[Bounds] = []

    def note(span: Bounds) -> List[int]:
        spans.append((span[0], span[1]))
        return list(span)

    _map_spans(record, note)
    return spans


def _map_spans(record: Record, change: Callable[[Bounds], List[int]]) -> Record:
    """Copy a record with other spans."""
    copy = dict(record)
    for key in ("triples", "rejected", "pairs"):
        if key in record:
            sides = ("subject", "object")
            copy[key] = [{**each, **{side: change(each[side]) for side in sides}} for each in record[key]]
    if "entities" in record:
        moved = [change((each["start"], each["end"])) for each in record["entities"]]
        copy["entities"] = [{**e, "start": start, "end": end} for e, (start, end) in zip(record["entities"], moved)]
    if "sents" in record:
        copy["sents"] = [change(span) for span in record["sents"]]
    if "coref" in record:
        copy["coref"] = [[change(span) for span in cluster] for cluster in record["coref"]]
    return copy


def _make_example(nlp: Language, record: Record, like: Doc) -> Example:
    """Make an example of a record; the predicted Doc knows what another one does."""
    from .reader import copy_entities

    reference, predicted = record_to_doc(nlp.make_doc, record), nlp.make_doc(record["text"])
    if like.has_annotation("SENT_START"):
        set_sentence_starts(predicted, [start for start, _ in record.get("sents", ())])
    if like.has_annotation("ENT_IOB") or ENTITIES_KEY in like.user_data:
        copy_entities(reference, predicted, aside=not like.has_annotation("ENT_IOB"))
    if GIVEN_PAIRS_KEY in like.user_data:
        predicted.user_data[GIVEN_PAIRS_KEY] = get_records(reference, source="")
    return Example(predicted, reference)
