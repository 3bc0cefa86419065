"""A Hugging Face encoder of word pieces, whose layers and weights are set after construction."""

import contextlib
from typing import TYPE_CHECKING, Any, ContextManager, Dict, Iterator, List, Optional, Sequence, Tuple, cast

import torch
from torch import Tensor, nn

from ..bridge.weights import CachesWeights, autocast
from .adversary import AdversarialPerturber, PerturbationCache
from .fast import prediction_copy
from .layers import LayerStack, layers_of
from .pieces import N_MARKS, N_SHAPES

if TYPE_CHECKING:
    from transformers import PretrainedConfig

# Fused attention has a slow backward pass on CPUs: 0.75 s against 0.50 s for 32 sentences of 38 tokens (MiniLM, bf16).
ATTENTION = "eager"

# Initial weight, before the softmax, of the layers that a mix of layers leaves out at first.
LEFT_OUT = -5.0


class TransformerEncoder(CachesWeights):
    """Encode batches of word pieces with a pretrained transformer.

    The module is empty until `configure` gives it the architecture; weights then come from a checkpoint folder (when a
    pipeline is initialized) or from the saved pipeline. Nothing is looked up on the network after that.

    The last layer of a sentence encoder is trained to be averaged: it represents the meaning of a sentence better than
    the boundaries of a name. Unless `mix_from` is None, Σ_l softmax(w)_l h_l over all layers and the input
    embeddings is returned (Peters et al., NAACL 2018); initially nearly all weight is on layers from `mix_from` on, 0
    being the input embeddings.

    Uncased checkpoints lose letter case, which marks names: `case_features` adds a learned embedding of each piece's
    letter shape to its input embedding. It is initialized to 0, so that training starts from the checkpoint.
    `entity_marks` does the same for entities that are known beforehand: all layers then see where they are and of
    which type, once for all pairs (Zhong & Chen, NAACL 2021, mark each pair in its own copy of the text).

    Other arguments are those of `spacy_relext.Transformer.v1`.
    """

    def __init__(
        self,
        *,
        precision: str = "auto",
        case_features: bool = True,
        freeze_layers: int = 0,
        freeze_embeddings: bool = False,
        dropout: Optional[float] = None,
        entity_marks: bool = False,
        mix_from: Optional[int] = 0,
        adversarial_radius: float = 0.0,
    ) -> None:
        super().__init__()
        self.precision, self.dropout = precision, dropout
        self.case_features, self.entity_marks = case_features, entity_marks
        self.mix_from = mix_from
        self.freeze_layers, self.freeze_embeddings = freeze_layers, freeze_embeddings
        self.adversarial_radius = adversarial_radius
        self.perturbations = PerturbationCache()
        self.hf_config: Optional[Dict[str, object]] = None
        self.transformer: Optional[nn.Module] = None
        self.shape_table: Optional[nn.Embedding] = None
        self.mark_table: Optional[nn.Embedding] = None
        self.mix: Optional[nn.Parameter] = None
        # Word pieces and mask of the last batch; adversarial training reads them.
        self.last_read: Optional[Tuple[Tensor, Tensor]] = None

    @property
    def width(self) -> int:
        """RETURNS (int): Size of the output vectors, D."""
        assert self.transformer is not None
        return int(self.transformer.config.hidden_size)  # type: ignore[union-attr, arg-type]

    @property
    def input_module(self) -> nn.Module:
        """RETURNS (nn.Module): The part whose output the first layer reads; adversarial training perturbs it."""
        assert self.transformer is not None
        return cast(nn.Module, self.transformer.embeddings)

    def configure(self, *, hf_config: Dict[str, object]) -> None:
        """Build the layers with random weights, from the checkpoint's `config.json`."""
        from transformers import MODEL_MAPPING, AutoConfig

        options = {**hf_config, "attn_implementation": ATTENTION}
        if self.dropout is not None:
            options.update(hidden_dropout_prob=self.dropout, attention_probs_dropout_prob=self.dropout)
        config = AutoConfig.for_model(**options)  # type: ignore[arg-type]
        self.hf_config = hf_config
        # AutoModel.from_config would import the configurations of all architectures, for half of the loading time
        model: Any = MODEL_MAPPING[type(config)]
        self._adopt(model(config, **_without_pooler(config)))

    def load_checkpoint(self, path: str) -> None:
        """Build the layers with the weights of a checkpoint.

        path (str): A folder with config.json and model.safetensors, or a name on the Hugging Face Hub.
        """
        from transformers import AutoConfig, AutoModel

        config = AutoConfig.from_pretrained(path, trust_remote_code=False)
        self.hf_config = {key: value for key, value in config.to_dict().items() if key != "_name_or_path"}
        if self.dropout is not None:
            config.hidden_dropout_prob = config.attention_probs_dropout_prob = self.dropout
        options = {"attn_implementation": ATTENTION, "trust_remote_code": False, **_without_pooler(config)}
        with _silenced():
            self._adopt(AutoModel.from_pretrained(path, config=config, use_safetensors=True, **options))

    def forward(
        self,
        piece_ids: Tensor,
        shape_ids: Tensor,
        mask: Tensor,
        segments: Optional[Tensor] = None,
        *,
        recompute: bool = False,
    ) -> Tensor:
        """Encode padded word pieces.

        piece_ids (Tensor): Vocabulary ids. Shape (B, L)
        shape_ids (Tensor): Letter shape + N_SHAPES · entity mark, see `pieces.py`. Shape (B, L)
        mask (Tensor): True on pieces, False on padding. Shape (B, L)
        segments (Optional[Tensor]): 0 on the first, 1 on the second text of a sequence; ignored by encoders that know
            one segment only. Shape (B, L)
        recompute (bool): See `LayerStack.run`.
        RETURNS (Tensor): Last hidden layer or mix of all layers, in fp32. Shape (B, L, D)
        """
        assert self.transformer is not None, "configure() or load_checkpoint() comes first"
        self.last_read = (piece_ids, mask)
        with autocast(self.precision, piece_ids.device), self._perturbing(), self._recomputing(recompute):
            options = {"inputs_embeds": self._embed(piece_ids, shape_ids), "attention_mask": mask.to(torch.long)}
            if segments is not None and getattr(self.transformer.config, "type_vocab_size", 0) > 1:
                options["token_type_ids"] = segments
            output = self._fastest(piece_ids.device)(**options, output_hidden_states=self.mix is not None)
        if self.mix is None:
            return output.last_hidden_state.float()
        return mix_layers(self.mix.softmax(0), output.hidden_states)

    def forward_marked(
        self,
        piece_ids: Tensor,
        shape_ids: Tensor,
        mask: Tensor,
        *,
        rows: Tensor,
        marks: Tensor,
        layer: int,
        markers: Optional[Tuple[Tensor, Tensor]] = None,
        recompute: bool = False,
    ) -> Tensor:
        """Encode each text for several readers, each of which marks pieces before one of the layers.

        piece_ids, shape_ids, mask (Tensor): As for `forward`. Shapes (B, L)
        rows (Tensor): Text of each reader. Shape (P,)
        marks (Tensor): Vectors that are added to its pieces. Shape (P, L, D)
        layer (int): Layer before which they are added, from 0; those below read each text once.
        markers (Optional[Tuple[Tensor, Tensor]]): True on cells that hold a marker instead of a piece of the
            vocabulary, and the markers' vectors. Shapes (B, L), (B, L, E)
        recompute (bool): See `LayerStack.run`.
        RETURNS (Tensor): Last hidden layer or mix of all layers, in fp32. Shape (P, L, D)
        """
        self.last_read = (piece_ids, mask)
        with autocast(self.precision, piece_ids.device):
            stack, below = self._run_below(
                piece_ids, shape_ids, mask, rows=rows, layer=layer, markers=markers, recompute=recompute
            )
            marked = below[-1] + marks.to(below[-1].dtype)
            states = below[:-1] + stack.run(marked, mask[rows], layer, len(stack), recompute=recompute)
        return states[-1].float() if self.mix is None else mix_layers(self.mix.softmax(0), states)

    def _run_below(
        self,
        piece_ids: Tensor,
        shape_ids: Tensor,
        mask: Tensor,
        *,
        rows: Tensor,
        layer: int,
        markers: Optional[Tuple[Tensor, Tensor]],
        recompute: bool,
    ) -> Tuple[LayerStack, List[Tensor]]:
        """Run the layers below `layer`; return all layers, and the states of each reader's text. Shapes (P, L, D)"""
        assert self.transformer is not None, "configure() or load_checkpoint() comes first"
        embedded = self._embed(piece_ids, shape_ids)
        if markers is not None:
            embedded = torch.where(markers[0][..., None], markers[1].to(embedded.dtype), embedded)
        stack = LayerStack(self._fastest(piece_ids.device))
        states = stack.run(stack.embed(embedded), mask, 0, layer, recompute=recompute)
        return stack, [state[rows] for state in states]

    def _perturbing(self) -> ContextManager[None]:
        """In training, perturb the input vectors of a text by the gradient that they had in the last epoch."""
        if not (self.adversarial_radius and self.training):
            return contextlib.nullcontext()
        return AdversarialPerturber(self).reusing(self.perturbations, self.adversarial_radius)

    @contextlib.contextmanager
    def _recomputing(self, recompute: bool) -> Iterator[None]:
        """Let Hugging Face's layers recompute their activations in the backward pass, if they support it."""
        transformer: Any = self.transformer
        if not (recompute and transformer.supports_gradient_checkpointing):
            yield
            return
        transformer.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        try:
            yield
        finally:
            transformer.gradient_checkpointing_disable()

    def _embed(self, piece_ids: Tensor, shape_ids: Tensor) -> Tensor:
        """Look up pieces, and add the embeddings of their letter shapes and entity marks. Shape (B, L, D)"""
        assert self.transformer is not None
        embedded: Tensor = self.transformer.get_input_embeddings()(piece_ids)  # type: ignore[operator]
        if self.shape_table is not None:
            embedded = embedded + self.shape_table(shape_ids % N_SHAPES)
        if self.mark_table is not None:
            embedded = embedded + self.mark_table(shape_ids // N_SHAPES)
        return embedded

    def _fastest(self, device: torch.device) -> nn.Module:
        """Choose the layers to run: for prediction on a CPU, a copy made for that."""
        assert self.transformer is not None
        transformer = self.transformer
        if not self.can_use_cache(device):
            return transformer
        dtype = torch.bfloat16 if torch.is_autocast_enabled("cpu") else torch.float32
        return self.cached(lambda: prediction_copy(transformer, dtype))

    def _adopt(self, transformer: nn.Module) -> None:
        """Take a new transformer, add tables and mix, and freeze what is not trained."""
        self.transformer, self.perturbations = transformer, PerturbationCache()
        self.clear_cache()
        if self.case_features:
            self.shape_table = nn.Embedding(N_SHAPES, self.width)
            nn.init.zeros_(self.shape_table.weight)
        if self.entity_marks:
            self.mark_table = nn.Embedding(N_MARKS, self.width)
            nn.init.zeros_(self.mark_table.weight)
        if self.mix_from is not None:
            n_layers = int(transformer.config.num_hidden_layers)  # type: ignore[union-attr, arg-type]
            weights = torch.zeros(n_layers + 1)
            weights[: min(self.mix_from, n_layers)] = LEFT_OUT
            self.mix = nn.Parameter(weights)
        if self.freeze_embeddings:
            transformer.get_input_embeddings().weight.requires_grad_(False)  # type: ignore[operator]
        if self.freeze_layers:
            # Shapes and marks lie below them: a gradient for these tables alone would go through all frozen layers.
            tables = [getattr(transformer, "embeddings", None), self.shape_table, self.mark_table]
            for module in [*tables, *layers_of(transformer)[: self.freeze_layers]]:
                if module is not None:
                    module.requires_grad_(False)


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Keep Hugging Face from warning that the pooler is left out, and from showing a progress bar."""
    from transformers.utils import logging

    level, has_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if has_bars:
            logging.enable_progress_bar()


def _without_pooler(config: "PretrainedConfig") -> Dict[str, bool]:
    """Return the option that leaves out the pooler, which nothing here reads, if the architecture has it."""
    return {"add_pooling_layer": False} if config.model_type in ("bert", "roberta", "xlm-roberta", "camembert") else {}


def mix_layers(weights: Tensor, layers: Sequence[Tensor]) -> Tensor:
    """Compute Σ_l w_l h_l in fp32; layers may have any precision. Shapes (n,), n times (B, L, D) → (B, L, D)"""
    mixed = weights[0] * layers[0].float()
    for weight, layer in zip(weights[1:], layers[1:]):
        mixed = mixed + weight * layer.float()
    return mixed
