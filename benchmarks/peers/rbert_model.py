"""R-BERT in PyTorch: the sentence's vector and those of both marked arguments, classified together.

Wu and He, Enriching Pre-trained Language Model with Entity Information for Relation Classification, CIKM 2019:

    h_0 = W_0 tanh(x_[CLS]) + b_0
    h_k = W_1 tanh(mean of x_i over argument k) + b_1,   k = 1, 2; one layer for both
    p   = softmax(W_3 [h_0; h_1; h_2] + b_3)

x_i is the encoder's output for piece i. Departures: tanh follows the layers instead of preceding them; the markers are
four ids of their own, by role, where the paper writes "$" and "#" around the first and second argument of the text, so
that the order of subject and object is known; with types, "* person *" stands after the subject's first marker and
"^ city ^" after the object's, as in Zhou and Chen, An Improved Baseline for Sentence-level Relation Extraction, 2022.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers
from safetensors.torch import load_model, save_model
from torch import Tensor, nn

from benchmarks.peers.rbert_data import MARKERS, Example, Layout, Record, encode_records
from benchmarks.peers.training import autocast, mean_weights, pad

DROPOUT = 0.1  # before each layer of the head
SETTINGS, WEIGHTS = "rbert.json", "rbert.safetensors"


class Batch(NamedTuple):
    """Tensors of B pairs: ids and mask (B, T); weights (B, 2, T) average the pieces of subject and object."""

    ids: Tensor
    mask: Tensor
    weights: Tensor


class RBert(nn.Module):
    """Classifier of marked pairs on top of a Hugging Face encoder.

    encoder (PreTrainedModel): gives one vector per piece.
    n_labels (int): R.
    """

    def __init__(self, encoder: Any, *, n_labels: int) -> None:
        super().__init__()
        if getattr(encoder, "pooler", None) is not None:
            encoder.pooler = None  # not used here: no time, no weight decay for it
        self.encoder = encoder
        width = encoder.config.hidden_size
        self.dropout = nn.Dropout(DROPOUT)
        self.sentence = nn.Linear(width, width)
        self.argument = nn.Linear(width, width)
        self.output = nn.Linear(3 * width, n_labels)

    def forward(self, batch: Batch) -> Tensor:
        """Compute the logits of the labels. RETURNS (Tensor): Shape (B, R)"""
        vectors = self.encoder(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state  # (B, T, D)
        means = torch.bmm(batch.weights.to(vectors.dtype), vectors)  # (B, 2, D)
        sentence = torch.tanh(self.sentence(self.dropout(vectors[:, :1])))  # (B, 1, D)
        arguments = torch.tanh(self.argument(self.dropout(means)))  # (B, 2, D)
        features = torch.cat((sentence, arguments), 1).flatten(1)  # (B, 3D)
        logits: Tensor = self.output(self.dropout(features))
        return logits


def collate(examples: Sequence[Example], *, padding: int) -> Batch:
    """Make the tensors of one batch."""
    ids, mask = pad([e.ids for e in examples], value=padding)
    spans = [span for e in examples for span in (e.subject, e.object)]
    weights = mean_weights(spans, length=ids.shape[1])  # (2B, T)
    return Batch(ids, mask, weights.unflatten(0, (len(examples), 2)))  # (B, 2, T)


@dataclass
class Peer:
    """A classifier with all it needs to read text.

    model (RBert): the network.
    tokenizer (PreTrainedTokenizerFast): the encoder's.
    labels (list[str]): in the order of the logits.
    layout (Layout): how pairs become pieces.
    precision (str): fp32 or bf16.
    """

    model: RBert
    tokenizer: Any
    labels: list[str]
    layout: Layout
    precision: str

    def encode(self, records: Sequence[Record]) -> list[Example]:
        """Turn pairs into pieces.

        records (Sequence[Record]): pairs; their labels are not read.
        """
        return encode_records(records, tokenizer=self.tokenizer, layout=self.layout)

    def classify(self, examples: Sequence[Example], *, batch_size: int = 32) -> list[str]:
        """Predict the labels of pairs in pieces, in batches of similar length."""
        self.model.eval()
        order = sorted(range(len(examples)), key=lambda i: len(examples[i].ids))
        labels = [""] * len(examples)
        with autocast(self.precision), torch.inference_mode():
            for at in range(0, len(order), batch_size):
                chosen = order[at : at + batch_size]
                batch = collate([examples[i] for i in chosen], padding=self.tokenizer.pad_token_id)
                for i, best in zip(chosen, self.model(batch).argmax(1).tolist(), strict=True):
                    labels[i] = self.labels[best]
        return labels

    def predict(self, records: Sequence[Record], *, batch_size: int = 32) -> list[str]:
        """Predict the labels of pairs, tokenising included.

        records (Sequence[Record]): pairs; their labels are not read.
        """
        return self.classify(self.encode(records), batch_size=batch_size)

    def finish(self) -> None:
        """End training: with bf16, convert the weights that autocast would convert again in every batch.

        Autocast caches no converted weights in inference mode. The predictions do not change; save before this.
        """
        self.model.eval()
        if self.precision == "bf16":
            for layer in self.model.modules():
                if isinstance(layer, nn.Linear):
                    layer.bfloat16()

    def save(self, folder: Path) -> None:
        """Write weights (safetensors), settings, the encoder's config and the tokenizer (JSON).

        folder (Path): made if it is not there.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.model.encoder.config.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        save_model(self.model, str(folder / WEIGHTS))
        settings = {
            "labels": self.labels,
            "layout": asdict(self.layout),
            "precision": self.precision,
        }
        (folder / SETTINGS).write_text(json.dumps(settings, indent=1, ensure_ascii=False) + "\n", "utf8")


def load_peer(folder: Path) -> Peer:
    """Read what `Peer.save` wrote; needs no network."""
    settings = json.loads((folder / SETTINGS).read_text("utf8"))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, use_fast=True)
    encoder = transformers.AutoModel.from_config(transformers.AutoConfig.from_pretrained(folder)).float()
    model = RBert(encoder, n_labels=len(settings["labels"]))
    load_model(model, folder / WEIGHTS)
    layout = Layout(**{**settings["layout"], "markers": tuple(settings["layout"]["markers"])})
    peer = Peer(model, tokenizer, settings["labels"], layout, settings["precision"])
    peer.finish()
    return peer


def make_layout(tokenizer: Any, *, encoder: Any, types: bool, max_pieces: int) -> Layout:
    """Find the ids of special pieces and markers; markers that the vocabulary lacks are added to it.

    tokenizer (PreTrainedTokenizerFast): the encoder's tokenizer; may be changed.
    encoder (PreTrainedModel): gets rows for markers that are new.
    types (bool): whether types are written into the text.
    max_pieces (int): longest text with special pieces and markers.
    RETURNS (Layout): for `encode_records`.
    """
    known = tokenizer.get_vocab()
    new = [marker for marker in MARKERS if marker not in known]
    if new:
        tokenizer.add_tokens(new, special_tokens=True)
        if len(tokenizer) > encoder.get_input_embeddings().num_embeddings:
            encoder.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    markers = tuple(tokenizer.convert_tokens_to_ids(list(MARKERS)))
    special = tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.unk_token_id
    return Layout(*special, markers, types=types, max_pieces=max_pieces)
