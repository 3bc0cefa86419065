"""Trained embeddings of a knowledge base with the names of their rows: training, saving."""

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Callable, Dict, Optional, Sequence, Tuple

import numpy
import srsly
import torch
from safetensors.torch import load_file, save_file

from ..corpora.damage import FILES, check_file_list, refuse_damage, write_file_list
from ..corpora.whole import whole_folder
from ..errors import Errors
from .embeddings import KbEmbeddings
from .facts import Triples, TripleStore
from .link_prediction import KnownAnswers, evaluate_links
from .training import KbTraining, Progress, start_training, train_epochs

TABLES, NAMES = "embeddings.safetensors", "kb.json"


class KbModel:
    """Embeddings with the names of their rows.

    history (Sequence[Dict[str, float]]): Entries of all epochs, see `TrainingState`.
    """

    def __init__(
        self,
        entities: Sequence[str],
        relations: Sequence[str],
        embeddings: KbEmbeddings,
        settings: KbTraining,
        history: Sequence[Dict[str, float]] = (),
    ) -> None:
        self.entities, self.relations, self.embeddings = list(entities), list(relations), embeddings
        self.settings, self.history = settings, list(history)

    def to_disk(self, folder: Path) -> None:
        """Save tables, names and settings into a folder, which is created."""
        with whole_folder(folder) as new:
            save_file(self.embeddings.state_dict(), new / TABLES)
            info = {"settings": asdict(self.settings), "history": self.history}
            srsly.write_json(new / NAMES, {"entities": self.entities, "relations": self.relations, **info})
            write_file_list(new, only=(TABLES, NAMES))

    @classmethod
    def from_disk(cls, folder: Path) -> "KbModel":
        """Load what `to_disk` saved, on the CPU. RAISES (ValueError): If a file is missing or damaged."""
        for name in (TABLES, NAMES, FILES):
            if not (folder / name).is_file():
                raise ValueError(Errors.R726.format(path=folder, reason=f"no {name}"))
        check_file_list(folder, name="knowledge base", only=(TABLES, NAMES))
        with refuse_damage(folder):
            info = json.loads((folder / NAMES).read_text(encoding="utf8"))
            entities, relations, settings = info["entities"], info["relations"], KbTraining(**info["settings"])
            embeddings = start_training(settings, n_entities=len(entities), n_relations=len(relations)).model
            embeddings.load_state_dict(load_file(folder / TABLES))
            return cls(entities, relations, embeddings, settings, info["history"])


def train_kb(
    store: TripleStore,
    settings: KbTraining,
    *,
    folder: Path,
    valid: Optional[Triples] = None,
    device: Optional[torch.device] = None,
    progress: Progress = iter,
    on_epoch: Optional[Callable[[Dict[str, float]], None]] = None,
) -> KbModel:
    """Train embeddings of a knowledge base.

    folder (Path): Gets the embeddings.
    valid (Optional[Triples]): Facts whose MRR chooses the best epoch. Shape (V, 3)
    device (Optional[torch.device]): None: the CPU.
    progress (Progress): Wraps the batches of an epoch.
    on_epoch (Optional[Callable[[Dict[str, float]], None]]): Gets the entry of each epoch, see `TrainingState`.
    RETURNS (KbModel): The embeddings of the best epoch, which are saved.
    """
    n_relations = len(store.relations)
    state = start_training(settings, n_entities=len(store.entities), n_relations=n_relations, device=device)
    evaluate = None
    if valid is not None and len(valid):
        known = KnownAnswers(numpy.concatenate([store.triples, valid]), n_relations=n_relations)
        evaluate = partial(_mrr, triples=valid, known=known)
    triples = torch.from_numpy(store.triples.astype(numpy.int64)).to(state.model.entities.device)
    for entry in train_epochs(state, triples, settings, evaluate=evaluate, progress=progress):
        if on_epoch is not None:
            on_epoch(entry)
    model = KbModel(store.entities, store.relations, state.model.cpu(), settings, state.history)
    model.to_disk(folder)
    return model


def _mrr(model: KbEmbeddings, *, triples: Triples, known: KnownAnswers) -> float:
    """Return the filtered MRR of entities."""
    return float(evaluate_links(model, triples, known)["entities_mrr"] or 0.0)


def split_facts(store: TripleStore, share: float, *, seed: int) -> Tuple[TripleStore, Triples]:
    """Hold out random facts, never the only one of an entity or a relation.

    share (float): Maximum share of them, rounded down to whole facts.
    RETURNS (Tuple[TripleStore, Triples]): The training facts, and the held-out ones. Shape (V, 3)
    """
    triples = store.triples
    degrees = numpy.bincount(triples[:, [0, 2]].ravel(), minlength=len(store.entities))
    uses = numpy.bincount(triples[:, 1], minlength=len(store.relations))
    held_out = numpy.zeros(len(triples), dtype=bool)
    left = int(share * len(triples))
    for number in numpy.random.default_rng(seed).permutation(len(triples)).tolist():
        if not left:
            break
        subject, relation, obj = triples[number]
        loop = 1 + (subject == obj)
        if degrees[subject] > loop and degrees[obj] > loop and uses[relation] > 1:
            held_out[number] = True
            degrees[subject] -= 1
            degrees[obj] -= 1
            uses[relation] -= 1
            left -= 1
    train = TripleStore(store.entities, store.relations, triples[~held_out], names=store.names)
    return train, triples[held_out]
