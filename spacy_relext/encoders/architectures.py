"""Registered encoders: a Hugging Face transformer, and a BiLSTM over any tok2vec."""

import functools
from typing import TYPE_CHECKING, Any, Callable, Dict, List, NamedTuple, Optional, Union

import numpy
from spacy import registry
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..bridge.modules import ModuleInput, Prepare, init_checkpoint, module_model, module_of, move_to_device
from ..errors import Errors, check_choice, check_range
from .pieces import cut_docs, cut_options

if TYPE_CHECKING:
    from .tokens import TokenEncoder


class EncoderSpec(NamedTuple):
    """How the torch module of an encoder is built: what builders of heads get for `[model.encoder]`.

    The head's builder makes one torch module of encoder and head. A token encoder is no specification, but a thinc
    Model from Docs to one vector per token.

    build (Callable[[], Any]): Makes the empty torch module, such as a `PairEncoder`.
    prepare (Prepare): Turns a batch into its arguments.
    tok2vec (Optional[Model[List[Doc], List[Floats2d]]]): Gives the token vectors that it reads.
    path (Optional[str]): Checkpoint that `initialize` loads it from: a folder, or a name on the Hugging Face Hub.
    build_tokens (Optional[Callable[[], TokenEncoder]]): Makes its empty encoder of word pieces, for heads that cut
        texts themselves; None if it has none.
    attrs (Dict[str, int]): Attributes of the model, which `prepare` reads.
    lr_scales (Dict[str, float]): Prefix of a parameter's name in the module → multiple of the optimizer's rate.
    """

    build: Callable[[], Any]
    prepare: Prepare
    tok2vec: Optional[Model[List[Doc], List[Floats2d]]] = None
    path: Optional[str] = None
    build_tokens: Optional[Callable[[], "TokenEncoder"]] = None
    attrs: Dict[str, int] = {}
    lr_scales: Dict[str, float] = {}

    @property
    def init(self) -> Optional[Callable[..., Model]]:
        """RETURNS (Optional[Callable[..., Model]]): Loads the checkpoint; None if there is none."""
        return None if self.path is None else functools.partial(init_checkpoint, path=self.path)


Encoder = Union[Model[List[Doc], List[Floats2d]], EncoderSpec]


@registry.architectures("spacy_relext.Transformer.v1")
def build_transformer(
    name: str,
    max_pieces: int = 128,
    precision: str = "auto",
    case_features: bool = True,
    layer_mix: bool = True,
    freeze_layers: int = 0,
    freeze_embeddings: bool = False,
    dropout: Optional[float] = None,
    lr_scale: float = 1.0,
    entity_marks: bool = False,
) -> Model[List[Doc], List[Floats2d]]:
    """Build a tok2vec from a Hugging Face encoder; its weights are saved with the pipeline.

    name (str): A folder, or a name on the Hugging Face Hub, read when the pipeline is initialized.
    max_pieces (int): Longest sequence in word pieces; longer sentences are read in overlapping windows.
    precision (str): "fp32", "bf16" or "auto": bf16 where the processor computes it natively.
    case_features (bool): Whether to add letter-shape embeddings to the input, for uncased encoders.
    layer_mix (bool): Whether token vectors are a learned mix of all layers instead of the last one.
    freeze_layers (int): How many of the lowest layers (and the embeddings below them) are not trained.
    freeze_embeddings (bool): Whether the table of word pieces is not trained.
    dropout (Optional[float]): Replaces the encoder's own dropout.
    lr_scale (float): Learning rate of the encoder as a multiple of the optimizer's.
    entity_marks (bool): Whether to add embeddings of the entities' types and first tokens to the input: for pair
        components whose entities are found before, by a component with another encoder. Frozen under frozen layers.
    RETURNS (Model[List[Doc], List[Floats2d]]): One vector per token.
    """
    module = token_encoder(
        max_pieces=max_pieces,
        precision=precision,
        case_features=case_features,
        layer_mix=layer_mix,
        freeze_layers=freeze_layers,
        freeze_embeddings=freeze_embeddings,
        dropout=dropout,
        entity_marks=entity_marks,
    )
    return module_model(
        module,
        prepare_docs,
        name="relext_encoder",
        init=functools.partial(_init_encoder, path=name),
        dims={"nO": None},
        attrs={"max_pieces": max_pieces, "entity_marks": entity_marks},
        lr_scales=encoder_scales("", lr_scale),
    )


@registry.architectures("spacy_relext.BiLSTM.v1")
def build_bilstm(width: int = 256, depth: int = 1, dropout: float = 0.3) -> Model[List[Floats2d], List[Floats2d]]:
    """Build a bidirectional LSTM for the `encode` slot of `spacy.Tok2Vec.v2`; its weights are saved as safetensors.

    width (int): Size of the output vectors, both directions together; even.
    depth (int): Number of layers.
    dropout (float): Dropout on input, output and between layers.
    RETURNS (Model[List[Floats2d], List[Floats2d]]): One vector per token.
    """
    from .recurrent import BiLSTM

    module = BiLSTM(width=width, depth=depth, dropout=dropout)
    return module_model(module, prepare_sequences, name="relext_bilstm", init=init_sequences, dims={"nO": width})


def prepare_docs(model: Model, docs: List[Doc], is_train: bool) -> ModuleInput:
    """Cut Docs into word pieces.

    model (Model): A transformer.
    docs (List[Doc]): The batch.
    is_train (bool): Whether it is trained.
    RETURNS (ModuleInput): Pieces, and the number of tokens of each Doc.
    RAISES (ValueError): If the model has no weights yet.
    """
    module = module_of(model)
    if module.sizes is None:
        raise ValueError(Errors.R004.format(name=model.name))
    options = cut_options(model, is_train)
    pieces = cut_docs(docs, module.tokenizer, entity_marks=model.attrs["entity_marks"], **options)
    return ModuleInput(vars(pieces), lengths=[len(doc) for doc in docs])


def prepare_sequences(model: Model, sequences: List[Floats2d], is_train: bool) -> ModuleInput:
    """Lay sequences of vectors out by row; sequences without a token are left out.

    model (Model): A sequence encoder.
    sequences (List[Floats2d]): The vectors. Shapes (T, D)
    is_train (bool): Not read.
    RETURNS (ModuleInput): `index`: row of each cell among all rows, -1 on padding. Shape (B, T)
    """
    lengths = [len(sequence) for sequence in sequences]
    counts = numpy.asarray([length for length in lengths if length], dtype="int64")
    position = numpy.arange(counts.max(initial=0))
    starts = numpy.cumsum(counts) - counts
    index = numpy.where(position < counts[:, None], starts[:, None] + position, -1)
    return ModuleInput({"index": index}, sequences=sequences, lengths=lengths)


def init_sequences(model: Model, X: Optional[List[Floats2d]] = None, Y: object = None) -> Model:
    """Size a sequence encoder by its input, with new weights.

    model (Model): A sequence encoder.
    X (Optional[List[Floats2d]]): Sequences of vectors.
    RETURNS (Model): The model.
    """
    if X:
        module_of(model).configure(input_width=int(X[0].shape[1]))
        move_to_device(model)
    return model


def _init_encoder(model: Model, X: object = None, Y: object = None, *, path: str) -> Model:
    """Load the checkpoint of a transformer, and set the size of its vectors."""
    init_checkpoint(model, path=path)
    model.set_dim("nO", module_of(model).width)
    return model


def encoder_scales(prefix: str, lr_scale: float) -> Dict[str, float]:
    """Let what is new in an encoder learn faster than what is pretrained."""
    tables = {f"{prefix}encoder.{name}": min(1.0, 5 * lr_scale) for name in ("shape_table", "mark_table")}
    return {f"{prefix}encoder.mix": 1.0, **tables, prefix: lr_scale}


def token_encoder(*, max_pieces: int, precision: str, **options: Any) -> "TokenEncoder":
    """Make an empty encoder of word pieces from checked settings."""
    from .fast import PRECISIONS
    from .tokens import TokenEncoder
    from .transformer import TransformerEncoder

    check_choice("precision", precision, PRECISIONS)
    check_range("max_pieces", max_pieces, 8, 1_000_000)
    return TokenEncoder(TransformerEncoder(precision=precision, **options))
