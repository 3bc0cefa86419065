"""Encoders as thinc models: Docs to one vector per token."""

import functools
from typing import Any, Callable, Dict, List, Optional, Tuple, cast

import numpy
import torch
from spacy.tokens import Doc
from thinc.api import ArgsKwargs, Model, torch2xp, xp2torch
from thinc.types import Floats2d
from torch import Tensor, nn

from ..bridge.modules import backward, call, module_of, move_to_device, tensors, unflatten
from ..bridge.shim import wrap_module
from ..errors import Errors
from .pieces import MOST_PIECES, PIECES_PER_BATCH, cut_docs
from .tokens import TokenEncoder


def encoder_model(
    module: TokenEncoder, *, path: str, max_pieces: int, entity_marks: bool = False
) -> Model[List[Doc], List[Floats2d]]:
    """Build a tok2vec from a Hugging Face encoder.

    module (TokenEncoder): Empty until the model is initialized or loaded.
    path (str): Folder or Hub name that `initialize` reads.
    max_pieces (int): Longest sequence, special pieces included.
    entity_marks (bool): Whether pieces are marked by the entities of the Docs.
    RETURNS (Model[List[Doc], List[Floats2d]]): One vector per token.
    """
    return Model(
        "relext_encoder",
        _forward_encoder,
        init=functools.partial(_init_encoder, path=path),
        dims={"nO": None},
        attrs={"max_pieces": max_pieces, "entity_marks": entity_marks},
        shims=[wrap_module(module)],
    )


def sequence_model(module: nn.Module, *, width: int, name: str) -> Model[List[Floats2d], List[Floats2d]]:
    """Build a thinc layer that encodes sequences of vectors, for the `encode` slot of `spacy.Tok2Vec.v2`.

    module (nn.Module): Called as `module(vectors, index)`; sized by `configure(input_width=...)`.
    width (int): Size of the output vectors.
    name (str): The model's name.
    RETURNS (Model[List[Floats2d], List[Floats2d]]): One output row per input row.
    """
    return Model(name, _forward_sequences, init=_init_sequences, dims={"nO": width}, shims=[wrap_module(module)])


def load_checkpoint(module: Any, path: str) -> None:
    """Load an encoder's weights, with one clear line where they are not there."""
    try:
        module.load_checkpoint(path)
    except (OSError, ValueError) as error:
        raise ValueError(Errors.R008.format(path=path)) from error


# Functions of the module, not closures: a spawned process gets the model by pickle.


def _init_encoder(model: Model, X: Any = None, Y: Any = None, *, path: str) -> Model:
    """Load the checkpoint of an encoder, also where it has learned before: `initialize` starts anew."""
    load_checkpoint(module_of(model), path)
    move_to_device(model)
    model.set_dim("nO", module_of(model).encoder.width)
    return model


def _init_sequences(model: Model, X: Optional[List[Floats2d]] = None, Y: Any = None) -> Model:
    """Size a sequence encoder by its input, and give it new weights."""
    if X:
        module_of(model).configure(input_width=int(X[0].shape[1]))
        move_to_device(model)
    return model


def _forward_encoder(
    model: Model, docs: List[Doc], is_train: bool
) -> Tuple[List[Floats2d], Callable[[Any], List[Doc]]]:
    """Encode Docs; with nothing to encode there is nothing to differentiate."""
    module = module_of(model)
    if module.sizes is None:
        raise ValueError(Errors.R004.format(name=model.name))
    lengths = [len(doc) for doc in docs]
    if not sum(lengths):
        return [model.ops.alloc2f(0, module.encoder.width) for _ in docs], lambda gradients: []
    device = next(module.parameters()).device
    marks = bool(model.attrs.get("entity_marks"))  # absent from models of before
    pieces = cut_docs(docs, module.tokenizer, entity_marks=marks, **cut_options(model, device, is_train))
    vectors, backprop_module = call(model, ArgsKwargs((), tensors(vars(pieces), device)), is_train)

    def backprop(gradients: List[Floats2d]) -> List[Doc]:
        backward(backprop_module, (vectors,), (xp2torch(model.ops.flatten(gradients), device=device),))
        return []

    return unflatten(model, torch2xp(vectors.detach()), lengths), backprop


def _forward_sequences(
    model: Model, sequences: List[Floats2d], is_train: bool
) -> Tuple[List[Floats2d], Callable[[List[Floats2d]], List[Floats2d]]]:
    """Run the module over the sequences that have a token."""
    lengths = [len(sequence) for sequence in sequences]
    if not sum(lengths):
        return [model.ops.alloc2f(0, model.get_dim("nO")) for _ in sequences], lambda gradients: gradients
    flat = xp2torch(model.ops.flatten(sequences), requires_grad=is_train)
    counts = numpy.asarray([length for length in lengths if length])
    position = numpy.arange(counts.max())
    starts = numpy.cumsum(counts) - counts
    index = numpy.where(position < counts[:, None], starts[:, None] + position, -1)
    outputs, backprop_module = call(model, ArgsKwargs((flat,), tensors({"index": index}, flat.device)), is_train)

    def backprop(gradients: List[Floats2d]) -> List[Floats2d]:
        backward(backprop_module, (outputs,), (xp2torch(model.ops.flatten(gradients), device=flat.device),))
        return unflatten(model, torch2xp(cast(Tensor, flat.grad)), lengths)

    return unflatten(model, torch2xp(outputs.detach()), lengths), backprop


def cut_options(model: Model, device: torch.device, is_train: bool) -> Dict[str, Any]:
    """How an encoder's text is cut into word pieces."""
    small = device.type == "cpu" and not is_train
    return {"max_pieces": model.attrs["max_pieces"], "batch_pieces": PIECES_PER_BATCH if small else MOST_PIECES}
