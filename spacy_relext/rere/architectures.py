"""Registered model builders, side by side."""

from typing import Any, Dict, List

from spacy import registry
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..encoders.architectures import encoder_scales, token_encoder
from ..errors import check_choice


@registry.architectures("spacy_relext.SharedDetector.v1")
def build_shared_detector(
    tok2vec: Model[List[Doc], List[Floats2d]], hidden: int = 256, dropout: float = 0.1, precision: str = "fp32"
) -> Model[Any, Any]:
    """Build a relation detector over token vectors.

    tok2vec (Model[List[Doc], List[Floats2d]]): Any encoder or listener.
    hidden (int): Size of the projection.
    dropout (float): Dropout on token vectors and projection.
    precision (str): Of predictions on a CPU: "fp32", "bf16" or "auto": bf16 where the processor computes it natively.
    RETURNS (Model[TokenBatch, Tensor]): For `rere_detector`.
    """
    from ..encoders.precision import PRECISIONS
    from .model import SharedDetector
    from .models import token_model

    check_choice("precision", precision, PRECISIONS)
    module = SharedDetector(hidden=hidden, dropout=dropout, precision=precision)
    return token_model(tok2vec, module, name="relext_shared_detector")


@registry.architectures("spacy_relext.SharedExtractor.v1")
def build_shared_extractor(
    tok2vec: Model[List[Doc], List[Floats2d]],
    hidden: int = 128,
    pair_hidden: int = 256,
    dropout: float = 0.1,
    span_threshold: float = 0.05,
    max_span_length: int = 15,
    top_k: int = 6,
    span_mode: str = "soft",
    precision: str = "fp32",
) -> Model[Any, Any]:
    """Build an extractor that reads a sentence once and conditions its pointers on a relation embedding.

    tok2vec (Model[List[Doc], List[Floats2d]]): Any encoder or listener.
    hidden (int): Size of a pointer's projection.
    pair_hidden (int): Size of the pair scorer's hidden layer.
    dropout (float): Dropout on token vectors and in the pair scorer.
    span_threshold (float): Probability that both ends of a candidate span need.
    max_span_length (int): Longest candidate span, in tokens.
    top_k (int): Candidate subjects, and candidate objects, of a row.
    span_mode (str): "soft" weighs every span by the probability that no other end or start lies inside it; "mutual"
        (RERE's rule) and "nearest" decide that by the threshold, "all" does not ask.
    precision (str): Of predictions on a CPU: "fp32", "bf16" or "auto": bf16 where the processor computes it natively.
    RETURNS (Model[TokenBatch, ExtractorOutput]): For `rere_extractor`.
    """
    from ..encoders.precision import PRECISIONS
    from .model import SharedExtractor
    from .models import token_model

    proposal = _proposal(threshold=span_threshold, max_length=max_span_length, top_k=top_k, mode=span_mode)
    check_choice("precision", precision, PRECISIONS)
    options: Dict[str, Any] = {"hidden": hidden, "pair_hidden": pair_hidden, "dropout": dropout, "precision": precision}
    module = SharedExtractor(proposal=proposal, **options)
    return token_model(tok2vec, module, name="relext_shared_extractor")


@registry.architectures("spacy_relext.MarkedDetector.v1")
def build_marked_detector(
    name: str,
    max_pieces: int = 256,
    precision: str = "auto",
    case_features: bool = True,
    layer_mix: bool = True,
    freeze_layers: int = 0,
    head_dropout: float = 0.1,
    lr_scale: float = 1.0,
) -> Model[Any, Any]:
    """Build a relation detector with an encoder of its own, which reads `[CLS] sentence [SEP]`.

    name (str): A folder, or a name on the Hugging Face Hub, read when the pipeline is initialized.
    max_pieces (int): Longest sequence in word pieces.
    precision (str): "fp32", "bf16" or "auto".
    case_features (bool): Whether to add letter-shape embeddings to the input, for uncased encoders.
    layer_mix (bool): Whether token vectors are a learned mix of all layers instead of the last one.
    freeze_layers (int): How many of the lowest layers are not trained (the released code: 8 of 12).
    head_dropout (float): Dropout on the sentence vector.
    lr_scale (float): Learning rate of the encoder as a multiple of the optimizer's.
    RETURNS (Model[TokenBatch, Tensor]): For `rere_detector`.
    """
    from ..bridge.modules import set_lr_scales
    from .marked import MarkedDetector
    from .models import marked_model

    tokens = token_encoder(
        max_pieces=max_pieces,
        precision=precision,
        case_features=case_features,
        layer_mix=layer_mix,
        freeze_layers=freeze_layers,
    )
    module = MarkedDetector(tokens, dropout=head_dropout)
    set_lr_scales(module, encoder_scales("tokens.", lr_scale))
    return marked_model(module, path=name, max_pieces=max_pieces, name="relext_marked_detector")


@registry.architectures("spacy_relext.MarkedExtractor.v1")
def build_marked_extractor(
    name: str,
    max_pieces: int = 256,
    precision: str = "auto",
    case_features: bool = True,
    layer_mix: bool = True,
    freeze_layers: int = 0,
    pair_hidden: int = 256,
    head_dropout: float = 0.1,
    span_threshold: float = 0.05,
    max_span_length: int = 15,
    top_k: int = 6,
    span_mode: str = "soft",
    lr_scale: float = 1.0,
) -> Model[Any, Any]:
    """Build the paper's extractor, whose encoder reads `[CLS] relation [SEP] sentence [SEP]` for each relation asked.

    name (str): A folder, or a name on the Hugging Face Hub, read when the pipeline is initialized.
    max_pieces (int): Longest sequence in word pieces, relation included.
    precision (str): "fp32", "bf16" or "auto".
    case_features (bool): Whether to add letter-shape embeddings to the input, for uncased encoders.
    layer_mix (bool): Whether token vectors are a learned mix of all layers instead of the last one.
    freeze_layers (int): How many of the lowest layers are not trained (the released code: 3 of 12).
    pair_hidden (int): Size of the pair scorer's hidden layer.
    head_dropout (float): Dropout on token vectors and in the pair scorer.
    span_threshold (float): Probability that both ends of a candidate span need.
    max_span_length (int): Longest candidate span, in tokens.
    top_k (int): Candidate subjects, and candidate objects, of a row.
    span_mode (str): "soft", "mutual", "nearest" or "all", as for `spacy_relext.SharedExtractor.v1`.
    lr_scale (float): Learning rate of the encoder as a multiple of the optimizer's.
    RETURNS (Model[TokenBatch, ExtractorOutput]): For `rere_extractor`.
    """
    from ..bridge.modules import set_lr_scales
    from .marked import MarkedExtractor
    from .models import marked_model

    tokens = token_encoder(
        max_pieces=max_pieces,
        precision=precision,
        case_features=case_features,
        layer_mix=layer_mix,
        freeze_layers=freeze_layers,
    )
    proposal = _proposal(threshold=span_threshold, max_length=max_span_length, top_k=top_k, mode=span_mode)
    module = MarkedExtractor(tokens, proposal=proposal, pair_hidden=pair_hidden, dropout=head_dropout)
    set_lr_scales(module, encoder_scales("tokens.", lr_scale))
    return marked_model(module, path=name, max_pieces=max_pieces, name="relext_marked_extractor")


def _proposal(*, mode: str, **options: Any) -> Any:
    """Make the settings of candidate spans, checked."""
    from .model import Proposal
    from .span_pairs import SPAN_MODES

    check_choice("span_mode", mode, SPAN_MODES)
    return Proposal(mode=mode, **options)
