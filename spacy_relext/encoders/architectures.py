"""Registered encoders: a Hugging Face transformer, and a BiLSTM over any tok2vec."""

import functools
from typing import TYPE_CHECKING, Any, Callable, Dict, List, NamedTuple, Optional, Union

import numpy
from spacy import registry
from spacy.pipeline.tok2vec import Tok2VecListener
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..bridge.modules import ModuleInput, Prepare, init_checkpoint, module_model, module_of, move_to_device
from ..bridge.words import skip_white_space
from ..errors import Errors, check_choice, check_range, check_sizes
from .pieces import cut_docs, cut_options

if TYPE_CHECKING:
    from .tokens import TokenEncoder


Tok2Vec = Model[List[Doc], List[Floats2d]]


class EncoderSpec(NamedTuple):
    """How the torch module of an encoder is built: what builders of heads get for `[model.encoder]`.

    The head's builder makes one torch module of encoder and head. A token encoder is not a specification but a
    thinc Model from Docs to one vector per token.
    """

    build: Callable[[], Any]  # makes the empty torch module, such as a `PairEncoder`
    prepare: Prepare  # turns a batch into its arguments
    tok2vec: Optional[Tok2Vec] = None  # gives the token vectors that it reads
    path: Optional[str] = None  # checkpoint to initialize from: a folder, or a name on the Hugging Face Hub
    build_tokens: Optional[Callable[[], "TokenEncoder"]] = None  # makes its empty encoder of word pieces, if it has one
    attrs: Dict[str, int] = {}  # attributes of the model, which `prepare` reads
    lr_scales: Dict[str, float] = {}  # prefix of a parameter's name → multiple of the optimizer's learning rate

    @property
    def init(self) -> Optional[Callable[..., Model]]:
        """RETURNS (Optional[Callable[..., Model]]): Loads the checkpoint; None if there is none."""
        return None if self.path is None else functools.partial(init_checkpoint, path=self.path)


Encoder = Union[Tok2Vec, EncoderSpec]


@registry.architectures("spacy_relext.Transformer.v1")
def build_transformer(
    name: str,
    max_pieces: int = 128,
    precision: str = "auto",
    case_features: bool = True,
    freeze_layers: int = 0,
    freeze_embeddings: bool = True,
    dropout: Optional[float] = 0.0,
    lr_scale: float = 0.1,
    entity_marks: bool = False,
    adversarial_radius: float = 0.0,
) -> Tok2Vec:
    """Build a tok2vec from the mixed layers of a Hugging Face encoder; its weights are saved with the pipeline.

    name (str): A folder, or a name on the Hugging Face Hub, read when the pipeline is initialized.
    max_pieces (int): Longest sequence in word pieces; longer sentences are read in overlapping windows.
    precision (str): "fp32", "bf16" or "auto": bf16 if the processor computes it natively.
    case_features (bool): Whether to add letter-shape embeddings to the input, for uncased encoders.
    freeze_layers (int): Number of lowest layers that are frozen, along with the embeddings below them.
    freeze_embeddings (bool): Whether the word-piece embeddings are frozen.
    dropout (Optional[float]): Replaces the encoder's own dropout.
    lr_scale (float): Learning rate of the encoder as a multiple of the optimizer's.
    entity_marks (bool): Whether to add embeddings of the entities' types and first tokens to the input: for pair
        components whose entities come from a component with another encoder. Frozen if any layer is.
    adversarial_radius (float): ε of adversarial training: the input vectors of a text are perturbed along the gradient
        that they had in the last epoch. 0: no perturbation. Takes no extra time (`adversary.py`).
    """
    module = token_encoder(
        max_pieces=max_pieces,
        precision=precision,
        case_features=case_features,
        freeze_layers=freeze_layers,
        freeze_embeddings=freeze_embeddings,
        dropout=dropout,
        entity_marks=entity_marks,
        adversarial_radius=adversarial_radius,
    )
    return module_model(
        module,
        _prepare_docs,
        name="relext_encoder",
        init=functools.partial(_init_encoder, path=name),
        dims={"nO": None},
        attrs={"max_pieces": max_pieces, "entity_marks": entity_marks, "whole_docs": False},
        lr_scales=encoder_scales("", lr_scale),
    )


@registry.architectures("spacy_relext.DocumentTransformer.v1")
def build_document_transformer(
    name: str,
    max_pieces: int = 256,
    precision: str = "auto",
    dropout: Optional[float] = 0.0,
    lr_scale: float = 0.1,
    adversarial_radius: float = 0.0,
) -> Tok2Vec:
    """Build a `spacy_relext.Transformer.v1` that reads across sentences, for coreference and relations of documents.

    name (str): A folder, or a name on the Hugging Face Hub, read when the pipeline is initialized.
    max_pieces (int): Longest sequence in word pieces; longer texts are read in windows that overlap by half.
    precision (str): "fp32", "bf16" or "auto": bf16 if the processor computes it natively.
    dropout (Optional[float]): Replaces the encoder's own dropout.
    lr_scale (float): Learning rate of the encoder as a multiple of the optimizer's.
    adversarial_radius (float): As for `spacy_relext.Transformer.v1`.
    """
    model = build_transformer(
        name,
        max_pieces=max_pieces,
        precision=precision,
        dropout=dropout,
        lr_scale=lr_scale,
        adversarial_radius=adversarial_radius,
    )
    model.attrs["whole_docs"] = True
    return model


@registry.architectures("spacy_relext.BiLSTM.v1")
def build_bilstm(width: int = 256, depth: int = 1, dropout: float = 0.3) -> Model[List[Floats2d], List[Floats2d]]:
    """Build a bidirectional LSTM for the `encode` slot of `spacy.Tok2Vec.v2`; its weights are saved as safetensors.

    width (int): Size of the output vectors, both directions together; even.
    depth (int): Number of layers.
    dropout (float): Dropout on input, output and between layers.
    """
    from .tokens import BiLSTM

    check_sizes(width=width, depth=depth)
    check_range("dropout", dropout, 0.0, 1.0)
    module = BiLSTM(width=width, depth=depth, dropout=dropout)
    return module_model(module, prepare_sequences, name="relext_bilstm", init=init_sequences, dims={"nO": width})


@registry.architectures("spacy_relext.Words.v1")
def build_words(tok2vec: Model[List[Doc], List[Floats2d]]) -> Tok2Vec:
    """Build a tok2vec that reads words alone, for a component that others listen to; see `bridge/words.py`.

    Components whose own tok2vec has no word pieces wrap it so themselves.

    tok2vec (Model[List[Doc], List[Floats2d]]): Such as `spacy.Tok2Vec.v2`.
    """
    return skip_white_space(tok2vec)


@registry.architectures("spacy_relext.Listener.v1")
def build_listener(upstream: str = "*") -> Tok2Vec:
    """Build a `spacy.Tok2VecListener.v1` that takes its width from the component that it listens to.

    Only the components of this package set it, in their `initialize`.

    upstream (str): Name of the component; "*": the last one before it that can be listened to.
    """
    return Tok2VecListener(upstream, width=None)  # type: ignore[arg-type]


def _prepare_docs(model: Model, docs: List[Doc], is_train: bool) -> ModuleInput:
    """Cut Docs into word pieces; raise a ValueError if the transformer has no weights yet."""
    module = module_of(model)
    if module.sizes is None:
        raise ValueError(Errors.R004.format(name=model.name))
    options = cut_options(model, is_train)
    marks, whole_docs = model.attrs["entity_marks"], model.attrs.get("whole_docs", False)
    pieces = cut_docs(docs, module.tokenizer, entity_marks=marks, whole_docs=whole_docs, **options)
    return ModuleInput(vars(pieces), lengths=[len(doc) for doc in docs])


def prepare_sequences(model: Model, sequences: List[Floats2d], is_train: bool) -> ModuleInput:
    """Number the rows of sequences of vectors; empty sequences are left out.

    sequences (List[Floats2d]): The vectors. Shapes (T, D)
    RETURNS (ModuleInput): `index`: row of each cell among all rows, -1 on padding. Shape (B, T)
    """
    lengths = [len(sequence) for sequence in sequences]
    counts = numpy.asarray([length for length in lengths if length], dtype="int64")
    position = numpy.arange(counts.max(initial=0))
    starts = numpy.cumsum(counts) - counts
    index = numpy.where(position < counts[:, None], starts[:, None] + position, -1)
    return ModuleInput({"index": index}, sequences=sequences, lengths=lengths)


def init_sequences(model: Model, X: Optional[List[Floats2d]] = None, Y: object = None) -> Model:
    """Build a sequence encoder for the width of given vectors, with random weights."""
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
    """Return learning-rate multiples with which new parts of an encoder learn faster than pretrained ones."""
    check_range("lr_scale", lr_scale, 0.0, 1_000.0)
    tables = {f"{prefix}encoder.{name}": min(1.0, 5 * lr_scale) for name in ("shape_table", "mark_table")}
    return {f"{prefix}encoder.mix": 1.0, **tables, prefix: lr_scale}


def token_encoder(*, max_pieces: int, precision: str, **options: Any) -> "TokenEncoder":
    """Check the settings, and make an empty encoder of word pieces."""
    from ..bridge.weights import PRECISIONS
    from .tokens import TokenEncoder
    from .transformer import TransformerEncoder

    check_choice("precision", precision, PRECISIONS)
    check_range("max_pieces", max_pieces, 8, 1_000_000)
    check_range("freeze_layers", options.get("freeze_layers", 0), 0, 1_000)
    check_range("dropout", options.get("dropout") or 0.0, 0.0, 1.0)
    check_range("adversarial_radius", options.get("adversarial_radius", 0.0), 0.0, 1_000.0)
    return TokenEncoder(TransformerEncoder(precision=precision, **options))
