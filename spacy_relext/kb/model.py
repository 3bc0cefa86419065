"""Embeddings of a knowledge base with the names of what they stand for: trained, saved, loaded, asked."""

from dataclasses import asdict
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt
import srsly
import torch

from ..errors import Errors
from .embeddings import KbEmbeddings
from .facts import Triples, TripleStore, digest_facts
from .training import KbSettings, KbState, start_training, train_passes

TABLES, FACTS, NAMES = "embeddings.npz", "facts.npy", "kb.json"

STATE, ORIGIN = "training.npz", "training.json"

QUESTIONS_AT_ONCE = 256

# Settings that may change where a training goes on.
FREE = ("passes", "patience")

COUNTED = ("facts", "entities", "relations")

ENTITY, RELATION = "entity", "relation"


class KnownAnswers:
    """All facts that are known to be true, for filtered ranks.

    triples (Triples): Shape (N, 3)
    n_relations (int): R; the number of a reciprocal relation is higher by it.
    """

    def __init__(self, triples: Triples, *, n_relations: int) -> None:
        subject, relation, obj = triples.astype(np.int64).T
        self._width = 2 * n_relations
        keys = np.concatenate([subject * self._width + relation, obj * self._width + relation + n_relations])
        order = np.argsort(keys, kind="stable")
        self._keys, self._answers = keys[order], np.concatenate([obj, subject])[order]
        self._span = int(max(subject.max(initial=0), obj.max(initial=0))) + 1
        pairs = subject * self._span + obj
        order = np.argsort(pairs, kind="stable")
        self._pairs, self._relations = pairs[order], relation[order]

    def of_questions(self, entities: Sequence[int], relations: Sequence[int]) -> List[npt.NDArray[np.int64]]:
        """Answers to (entity, relation, ?), reciprocal relations included."""
        keys = np.asarray(entities, dtype=np.int64) * self._width + np.asarray(relations, dtype=np.int64)
        return _spans(self._keys, self._answers, keys)

    def of_pairs(self, subjects: Sequence[int], objects: Sequence[int]) -> List[npt.NDArray[np.int64]]:
        """Relations between two entities."""
        keys = np.asarray(subjects, dtype=np.int64) * self._span + np.asarray(objects, dtype=np.int64)
        return _spans(self._pairs, self._relations, keys)


def _spans(keys: Any, values: Any, wanted: Any) -> List[npt.NDArray[np.int64]]:
    starts, ends = np.searchsorted(keys, wanted, side="left"), np.searchsorted(keys, wanted, side="right")
    return [values[start:end] for start, end in zip(starts.tolist(), ends.tolist())]


@torch.no_grad()
def score_links(model: KbEmbeddings, triples: Triples, known: KnownAnswers) -> Dict[str, Optional[float]]:
    """Ask for the object, the subject and the relation of facts.

    model (KbEmbeddings): The embeddings.
    triples (Triples): Facts. Shape (N, 3)
    known (KnownAnswers): What is true besides.
    RETURNS (Dict[str, Optional[float]]): Filtered, realistic `entities_mrr`, `entities_hits_1` and so on, the mean of
        both directions, and the same of `relations`.
    """
    entities: List[Any] = []
    relations: List[Any] = []
    device = model.entities.device
    for start in range(0, len(triples), QUESTIONS_AT_ONCE):
        part = triples[start : start + QUESTIONS_AT_ONCE].astype(np.int64)
        subject, relation, obj = part.T
        one, name, two = torch.from_numpy(part).to(device).unbind(1)
        scores = model.score_objects(one, name).cpu().numpy()
        entities.append(realistic_ranks(scores, obj.tolist(), known.of_questions(subject, relation)))
        scores = model.score_subjects(name, two).cpu().numpy()
        backwards = relation + model.n_relations
        entities.append(realistic_ranks(scores, subject.tolist(), known.of_questions(obj, backwards)))
        scores = model.score_relations(one, two).cpu().numpy()
        relations.append(realistic_ranks(scores, relation.tolist(), known.of_pairs(subject, obj)))
    found = {"entities": np.concatenate(entities or [np.zeros(0)]), "relations": np.concatenate(relations or [[]])}
    return {key: value for kind, ranks in found.items() for key, value in rank_scores(ranks, kind=kind).items()}


class Guess(NamedTuple):
    """An answer.

    id (str): Of the entity, or name of the relation.
    score (float): φ; of relations that have a reciprocal the mean of both readings.
    """

    id: str
    score: float


class KbModel:
    """Trained embeddings and the names of their rows.

    entities (Sequence[str]): Ids, in the order of the rows.
    relations (Sequence[str]): Names, in the order of the rows.
    embeddings (KbEmbeddings): The tables.
    settings (KbSettings): How they were trained.
    history (Sequence[Dict[str, float]]): Of each pass.
    facts (Optional[Triples]): What they were trained on, so that what they say can be explained. Shape (N, 3)
    """

    def __init__(
        self,
        entities: Sequence[str],
        relations: Sequence[str],
        embeddings: KbEmbeddings,
        settings: KbSettings,
        history: Sequence[Dict[str, float]] = (),
        facts: Optional[Triples] = None,
    ) -> None:
        self.entities, self.relations, self.embeddings = list(entities), list(relations), embeddings
        self.settings, self.history = settings, list(history)
        self.facts: Triples = np.zeros((0, 3), dtype=np.int32) if facts is None else facts
        self._numbers = {
            ENTITY: {name: number for number, name in enumerate(self.entities)},
            RELATION: {name: number for number, name in enumerate(self.relations)},
        }

    def number_of(self, name: str, *, kind: str = ENTITY) -> int:
        """Look a row up.

        name (str): Id of an entity, or name of a relation.
        kind (str): "entity" or "relation".
        RETURNS (int): Its number.
        RAISES (ValueError): Where there is none.
        """
        found = self._numbers[kind].get(name)
        if found is None:
            close = get_close_matches(name, self._numbers[kind], n=3) if kind == RELATION else []
            near = f"; near it: {', '.join(close)}" if close else ""
            raise ValueError(Errors.R727.format(kind=kind, name=name, near=near))
        return found

    @torch.no_grad()
    def answers(
        self,
        *,
        subject: Optional[str] = None,
        relation: Optional[str] = None,
        obj: Optional[str] = None,
        top: int = 10,
    ) -> Iterator[Guess]:
        """Ask (subject, relation, ?), (?, relation, object) or (subject, ?, object).

        subject (Optional[str]): Id; None where it is asked for.
        relation (Optional[str]): Its name; None where it is asked for.
        obj (Optional[str]): Id; None where it is asked for.
        top (int): Most answers.
        YIELDS (Guess): The best first.
        RAISES (ValueError): Where not exactly one of the three is asked for, or one is not known.
        """
        if [subject, relation, obj].count(None) != 1:
            found = " ".join("?" if each is None else each for each in (subject, relation, obj))
            raise ValueError(Errors.R007.format(key="question", found=found, expected="one unknown (?) of the three"))
        one = None if subject is None else torch.tensor([self.number_of(subject)])
        name = None if relation is None else torch.tensor([self.number_of(relation, kind=RELATION)])
        two = None if obj is None else torch.tensor([self.number_of(obj)])
        names = self.entities
        if one is not None and two is not None:
            names, scores = self.relations, self.embeddings.score_relations(one, two)[0]
        elif one is not None and name is not None:
            scores = self.embeddings.score_objects(one, name)[0]
        elif name is not None and two is not None:
            scores = self.embeddings.score_subjects(name, two)[0]
        best = torch.topk(scores, min(top, len(scores)))
        for score, row in zip(best.values.tolist(), best.indices.tolist()):
            yield Guess(names[row], score)

    def to_disk(self, folder: Path) -> None:
        """Save tables and names.

        folder (Path): Made where it is not there.
        """
        folder.mkdir(parents=True, exist_ok=True)
        tables: Dict[str, Any] = {
            key: value.detach().cpu().numpy() for key, value in self.embeddings.state_dict().items()
        }
        np.savez(folder / TABLES, **tables)
        np.save(folder / FACTS, self.facts)
        info = {"settings": asdict(self.settings), "history": self.history}
        srsly.write_json(folder / NAMES, {"entities": self.entities, "relations": self.relations, **info})

    @classmethod
    def from_disk(cls, folder: Path) -> "KbModel":
        """Load what `to_disk` has saved.

        folder (Path): The folder.
        RETURNS (KbModel): On the CPU.
        RAISES (ValueError): Where it holds none.
        """
        for name in (TABLES, FACTS, NAMES):
            if not (folder / name).is_file():
                raise ValueError(Errors.R726.format(path=folder, reason=f"no {name}"))
        info = srsly.read_json(folder / NAMES)
        settings = KbSettings(**info["settings"])
        sizes: Dict[str, Any] = {"n_entities": len(info["entities"]), "n_relations": len(info["relations"])}
        embeddings = start_training(settings, **sizes).model
        with np.load(folder / TABLES) as tables:
            embeddings.load_state_dict({key: torch.from_numpy(tables[key]) for key in tables.files})
        facts = np.load(folder / FACTS, allow_pickle=False)
        return cls(info["entities"], info["relations"], embeddings, settings, info["history"], facts)


def train_kb(
    store: TripleStore,
    settings: KbSettings,
    *,
    folder: Path,
    valid: Optional[Triples] = None,
    resume: bool = False,
    device: Optional[torch.device] = None,
    progress: Any = None,
    tell: Callable[[Dict[str, float]], None] = lambda entry: None,
) -> KbModel:
    """Train embeddings of a knowledge base.

    store (TripleStore): The facts.
    settings (KbSettings): How.
    folder (Path): Gets the embeddings, and after each pass what is needed to go on.
    valid (Optional[Triples]): Facts by which the best pass is chosen. Shape (V, 3)
    resume (bool): Whether to go on with what is in the folder.
    device (Optional[torch.device]): Where to compute.
    progress (Any): Wraps the batches of a pass; gets its number, too.
    tell (Callable[[Dict[str, float]], None]): Gets the entry of each pass.
    RETURNS (KbModel): Those of the best pass, saved.
    RAISES (ValueError): Where the folder's training is another one.
    """
    sizes: Dict[str, Any] = {"n_entities": len(store.entities), "n_relations": len(store.relations)}
    state = start_training(settings, **sizes, device=device)
    folder.mkdir(parents=True, exist_ok=True)
    origin = {"settings": asdict(settings), **_facts_told_apart(store, valid)}
    if resume:
        _resume(state, origin, folder)
    evaluate: Optional[Callable[[KbEmbeddings], float]] = None
    if valid is not None and len(valid):
        known = KnownAnswers(np.concatenate([store.triples, valid]), n_relations=len(store.relations))
        evaluate = partial(_mrr, triples=valid, known=known)
    triples = torch.from_numpy(store.triples.astype(np.int64)).to(state.model.entities.device)
    for entry in train_passes(state, triples, settings, evaluate=evaluate, progress=progress):
        tell(entry)
        _keep(state, origin, folder)
    found = KbModel(store.entities, store.relations, state.model.cpu(), settings, state.history, store.triples)
    found.to_disk(folder)
    return found


def _mrr(model: KbEmbeddings, *, triples: Triples, known: KnownAnswers) -> float:
    return float(score_links(model, triples, known)["entities_mrr"] or 0.0)


def _facts_told_apart(store: TripleStore, valid: Optional[Triples]) -> Dict[str, Any]:
    """Say what a training is of: counts, for a message, and what tells its facts from all others."""
    found = dict(zip(COUNTED, (len(store), len(store.entities), len(store.relations))))
    chosen = np.zeros((0, 3), dtype=np.int32) if valid is None else valid
    return {**found, "digest": store.digest(), "valid": digest_facts(chosen)}


def _keep(state: KbState, origin: Dict[str, Any], folder: Path) -> None:
    """Write down a training; under its name only when it is whole."""
    part = folder / f"part-{STATE}"
    tensors: Dict[str, Any] = {key: value.numpy() for key, value in state.tensors().items()}
    np.savez(part, **tensors)
    srsly.write_json(folder / f"part-{NAMES}", {**origin, "history": state.history})
    part.replace(folder / STATE)
    (folder / f"part-{NAMES}").replace(folder / ORIGIN)


def _resume(state: KbState, origin: Dict[str, Any], folder: Path) -> None:
    """Go on where a training was, which must be of the same facts and settings but for the number of passes."""
    if not (folder / STATE).is_file() or not (folder / ORIGIN).is_file():
        raise ValueError(Errors.R726.format(path=folder, reason=f"no {STATE} to go on from"))
    info = srsly.read_json(folder / ORIGIN)
    reason = _difference(info, origin)
    if reason:
        raise ValueError(Errors.R733.format(path=folder, reason=reason))
    with np.load(folder / STATE) as tables:
        state.load_tensors({key: torch.from_numpy(tables[key]) for key in tables.files})
    state.history = info["history"]


def _difference(kept: Dict[str, Any], origin: Dict[str, Any]) -> str:
    """Say why a training is another one; nothing where it is the same."""
    before, now = kept["settings"], origin["settings"]
    others = [key for key in now if key not in FREE and before.get(key) != now[key]]
    if others:
        return "it was begun with " + ", ".join(f"{key} {before.get(key)}, not {now[key]}" for key in others)
    counts = [key for key in COUNTED if kept.get(key) != origin[key]]
    if counts:
        return "it is of other facts: " + ", ".join(f"{kept.get(key)} {key}, not {origin[key]}" for key in counts)
    if kept.get("digest") != origin["digest"]:
        return "it is of other facts, though as many"
    if kept.get("valid") != origin["valid"]:
        return "its best pass was chosen by other facts (--valid)"
    return ""


def split_facts(store: TripleStore, share: float, *, seed: int) -> Tuple[TripleStore, Triples]:
    """Hold some facts out, none that is the only one of an entity or a relation.

    store (TripleStore): The facts.
    share (float): Of them, at most, so that it is none where the share is less than one fact.
    seed (int): Of what is drawn.
    RETURNS (Tuple[TripleStore, Triples]): The others, and those held out. Shape (V, 3)
    """
    triples = store.triples
    ends = np.bincount(triples[:, [0, 2]].ravel(), minlength=len(store.entities))
    uses = np.bincount(triples[:, 1], minlength=len(store.relations))
    out = np.zeros(len(triples), dtype=bool)
    left = int(share * len(triples))
    for number in np.random.default_rng(seed).permutation(len(triples)).tolist():
        if not left:
            break
        subject, relation, obj = triples[number]
        loop = 1 + (subject == obj)
        if ends[subject] > loop and ends[obj] > loop and uses[relation] > 1:
            out[number] = True
            ends[subject] -= 1
            ends[obj] -= 1
            uses[relation] -= 1
            left -= 1
    said: Dict[str, Any] = {"names": store.names, "report": store.report, "examples": store.examples}
    kept = TripleStore(store.entities, store.relations, triples[~out], **said)
    return kept, triples[out]


Floats = npt.NDArray[np.floating]

Ranks = npt.NDArray[np.float64]

HITS = (1, 3, 10)


def realistic_ranks(scores: Floats, gold: Sequence[int], known: Sequence[npt.ArrayLike] = ()) -> Ranks:
    """Rank the true answer of each question.

    scores (NDArray): The higher the better. Shape (B, E)
    gold (Sequence[int]): Number of the answer that is asked for. Shape (B,)
    known (Sequence[ArrayLike]): Of each question the answers that are true, the one that is asked for or others.
        Empty: nothing is left out.
    RETURNS (NDArray): From 1. Shape (B,)
    """
    asked, rows = np.asarray(gold), np.arange(len(gold))
    own = scores[rows, asked][:, None]
    better, equal = scores > own, scores == own
    if len(known):
        at = np.repeat(rows, [np.size(each) for each in known])
        others = np.concatenate([np.asarray(each, dtype=np.int64) for each in known]) if len(at) else at
        better[at, others] = equal[at, others] = False
    equal[rows, asked] = False
    found: Ranks = 1.0 + better.sum(1) + equal.sum(1) / 2.0
    return found


def rank_scores(ranks: npt.ArrayLike, *, kind: str) -> Dict[str, Optional[float]]:
    """Summarise ranks.

    ranks (ArrayLike): From `realistic_ranks`.
    kind (str): What was ranked, "entities" or "relations": part of the names.
    RETURNS (Dict[str, Optional[float]]): `KIND_mrr`, and `KIND_hits_1`, `_3` and `_10`: share of ranks up to that; None
        without ranks.
    """
    found = np.asarray(ranks, dtype=np.float64)
    names = [f"{kind}_mrr", *(f"{kind}_hits_{most}" for most in HITS)]
    if not found.size:
        return dict.fromkeys(names)
    values = [float((1.0 / found).mean()), *(float((found <= most).mean()) for most in HITS)]
    return dict(zip(names, values))
