"""One text, many pairs: marks change what is read, and neither padding nor the neighbours do."""

from typing import Any, Dict, List, Optional, Tuple

import pytest
import torch
from torch import Tensor

transformers = pytest.importorskip("transformers")

from spacy_relext.encoders.fast import FusedBert  # noqa: E402
from spacy_relext.encoders.layers import LayerStack  # noqa: E402
from spacy_relext.encoders.tokens import TokenEncoder  # noqa: E402
from spacy_relext.encoders.transformer import TransformerEncoder  # noqa: E402
from spacy_relext.pairs.encoders.states import PairStates  # noqa: E402
from spacy_relext.pairs.encoders.transformer import PairTransformer  # noqa: E402
from tests.pairs.builders import wordpiece_tokenizer  # noqa: E402

N_LAYERS = 3
SIZES: Dict[str, Any] = {"vocab_size": 80, "hidden_size": 32, "num_hidden_layers": N_LAYERS, "num_attention_heads": 4}
SIZES |= {"intermediate_size": 48, "max_position_embeddings": 40, "initializer_range": 0.1}
TOLERANCE = {"fp32": 1e-5, "bf16": 0.08}
# how the layers run: as they are trained, in training mode, and the fused copy that predicts
MODES = ["evaluation", "training", "prediction"]
Group = Tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


def build(
    marker_layer: int, *, precision: str = "fp32", mix_from: Optional[int] = 0, **options: Any
) -> PairTransformer:
    torch.manual_seed(0)
    encoder = TransformerEncoder(precision=precision, dropout=0.0, mix_from=mix_from)
    module = PairTransformer(TokenEncoder(encoder), marker_layer=marker_layer)
    config = {"model_type": "bert", **SIZES, **options}
    module.configure(hf_config=config, tokenizer=wordpiece_tokenizer().to_str())
    assert encoder.shape_table is not None and module.roles is not None
    torch.nn.init.normal_(encoder.shape_table.weight)
    if encoder.mix is not None:
        torch.nn.init.normal_(encoder.mix)
    torch.nn.init.normal_(module.roles.weight[1:])
    return module.eval()


def group(lengths: List[int], rows: List[int], *, width: int = 0, seed: int = 1) -> Group:
    """Texts of some lengths, padded, with a subject at piece 1 and an object that differs between the pairs."""
    generator = torch.Generator().manual_seed(seed)
    width = max(width, *lengths)
    ids = torch.randint(5, 80, (len(lengths), width), generator=generator)
    mask = torch.arange(width) < torch.tensor(lengths)[:, None]
    ids = ids * mask
    roles = torch.zeros(len(rows), width, dtype=torch.long)
    roles[:, 1] = 1
    for pair in range(len(rows)):
        roles[pair, 2 + pair % 2] = 2
    return ids, ids % 8, mask, torch.tensor(rows), roles


def read(
    module: PairTransformer, groups: List[Group], order: List[int], *, mode: str = "evaluation", **arrays: Tensor
) -> PairStates:
    columns: Dict[str, Any] = {
        name: [part[number] for part in groups]
        for number, name in enumerate(("ids", "shapes", "masks", "rows", "roles"))
    }
    module.train(mode == "training")
    with torch.inference_mode(mode == "prediction"):
        return module(**columns, order=torch.tensor(order, dtype=torch.long), **arrays)


def assert_same(found: PairStates, expected: PairStates, *, tolerance: float = 1e-5) -> None:
    """The same vectors, whatever the room for longer texts."""
    length = min(found.mask.shape[1], expected.mask.shape[1])
    assert not found.mask[:, length:].any() and not found.tokens[:, length:].any()
    assert torch.equal(found.mask[:, :length], expected.mask[:, :length])
    torch.testing.assert_close(found.tokens[:, :length], expected.tokens[:, :length], atol=tolerance, rtol=0.0)
    for one, other in zip(found[2:], expected[2:]):
        torch.testing.assert_close(one, other, atol=tolerance, rtol=0.0)


def without_marks(module: PairTransformer) -> PairTransformer:
    assert module.roles is not None
    torch.nn.init.zeros_(module.roles.weight)
    return module


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("mix_from", [None, 0])
@pytest.mark.parametrize("marker_layer", [0, 1, N_LAYERS])
def test_without_marks_a_pair_reads_the_text(marker_layer: int, mix_from: Optional[int], mode: str) -> None:
    module = without_marks(build(marker_layer, mix_from=mix_from))
    ids, shapes, mask, rows, roles = group([9, 5], [0, 1, 1])
    found = read(module, [(ids, shapes, mask, rows, roles)], [0, 1, 2], mode=mode)
    expected = (module.tokens.encoder(ids, shapes, mask) * mask[..., None])[rows]
    torch.testing.assert_close(found.tokens, expected, atol=1e-5, rtol=0.0)
    torch.testing.assert_close(found.sentence, expected[:, 0], atol=1e-5, rtol=0.0)
    torch.testing.assert_close(found.subject, expected[:, 1], atol=1e-5, rtol=0.0)


@pytest.mark.parametrize("marker_layer", [0, 1, N_LAYERS])
def test_half_precision_agrees(marker_layer: int) -> None:
    parts = group([9, 5], [0, 1, 1])
    expected = read(build(marker_layer), [parts], [0, 1, 2])
    module = build(marker_layer, precision="bf16")
    for mode in MODES:
        found = read(module, [parts], [0, 1, 2], mode=mode)
        assert found.tokens.dtype == torch.float32
        assert_same(found, expected, tolerance=TOLERANCE["bf16"])


FAMILY: List[Dict[str, Any]] = [
    {"model_type": "roberta", "pad_token_id": 1, "type_vocab_size": 1},
    {"model_type": "xlm-roberta", "pad_token_id": 1},
    {"model_type": "camembert", "pad_token_id": 1},
    {"model_type": "electra", "embedding_size": 32},
    {"model_type": "ernie"},
    {"model_type": "data2vec-text", "pad_token_id": 1},
    {"model_type": "bert", "position_embedding_type": "relative_key"},
    {"model_type": "bert", "hidden_act": "relu"},
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("options", FAMILY, ids=lambda options: "-".join(map(str, options.values())))
def test_encoders_built_like_bert(options: Dict[str, Any], mode: str) -> None:
    module = without_marks(build(1, **options))
    ids, shapes, mask, rows, roles = group([9, 5], [0, 1, 1])
    found = read(module, [(ids, shapes, mask, rows, roles)], [0, 1, 2], mode=mode)
    expected = (module.tokens.encoder(ids, shapes, mask) * mask[..., None])[rows]
    torch.testing.assert_close(found.tokens, expected, atol=1e-5, rtol=0.0)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("marker_layer", [0, 1, N_LAYERS])
def test_a_pair_reads_the_same_alone_and_beside_longer_ones(marker_layer: int, mode: str) -> None:
    module = build(marker_layer)
    short, long = group([5], [0, 0]), group([12], [0], seed=2)
    alone = read(module, [short], [0, 1], mode=mode)
    apart = read(module, [short, long], [0, 1, 2], mode=mode)
    assert_same(PairStates(*(part[:2] for part in apart)), alone)
    together = group([5, 12], [0, 0, 1], width=14)
    together[0][0, :5], together[0][1, :12] = short[0][0], long[0][0]
    together[1][:] = together[0] % 8
    together[4][2] = 0
    together[4][:, :5][:2], together[4][2, :12] = short[4], long[4][0]
    padded = read(module, [together], [0, 1, 2], mode=mode)
    assert_same(padded, apart)


def test_prediction_takes_the_fused_layers() -> None:
    module = build(1)
    read(module, [group([9, 5], [0, 1])], [0, 1], mode="prediction")
    assert isinstance(module.tokens.encoder._cache[0], FusedBert)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("marker_layer", [0, 1, 2])
def test_pairs_of_a_text_get_vectors_of_their_own(marker_layer: int, mode: str) -> None:
    found = read(build(marker_layer), [group([9], [0, 0])], [0, 1], mode=mode)
    assert all((one[0] - one[1]).abs().max() > 1e-3 for one in (found.sentence, found.subject, found.object))


def test_marks_after_the_last_layer_are_read_by_the_arguments_alone() -> None:
    found = read(build(N_LAYERS), [group([9], [0, 0])], [0, 1])
    torch.testing.assert_close(found.sentence[0], found.sentence[1])
    assert (found.object[0] - found.object[1]).abs().max() > 1e-3


def test_vectors_come_in_the_order_of_the_pairs() -> None:
    module, parts = build(1), [group([5], [0, 0]), group([9], [0], seed=2)]
    straight, swapped = read(module, parts, [0, 1, 2]), read(module, parts, [2, 0, 1])
    assert_same(PairStates(*(part[[2, 0, 1]] for part in swapped)), straight)


@pytest.mark.parametrize(
    ("prepare", "mode", "sizes"),
    [(None, "evaluation", [2, 4, 4]), (without_marks, "evaluation", [2, 2, 2]), (without_marks, "training", [2, 4, 4])],
)
def test_layers_without_marks_read_each_text_once(prepare: Any, mode: str, sizes: List[int]) -> None:
    """Those below the marks; those above too, if marks are zero and do not learn."""
    module, seen = prepare(build(1)) if prepare else build(1), []
    for layer in LayerStack(module.tokens.encoder.transformer).layers:
        layer.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    read(module, [group([9, 5], [0, 0, 0, 1])], [0, 1, 2, 3], mode=mode)
    assert seen == sizes


@pytest.mark.parametrize("mode", MODES)
def test_no_pairs(mode: str) -> None:
    found = read(build(1), [], [], mode=mode)
    assert found.tokens.shape == (0, 1, 32) and found.mask.shape == (0, 1) and found.mask.dtype == torch.bool
    assert found.sentence.shape == found.subject.shape == found.object.shape == (0, 32)


def test_what_is_not_marked_stays_unmarked() -> None:
    module = build(0)
    assert module.roles is not None
    ids, shapes, mask, rows, roles = group([9], [0])
    read(module, [(ids, shapes, mask, rows, roles)], [0], mode="training").tokens.sum().backward()
    gradient = module.roles.weight.grad
    assert gradient is not None and not gradient[0].any() and gradient[1].any() and gradient[2].any()
    fresh = PairTransformer(module.tokens, marker_layer=0)
    fresh._build_roles()
    assert fresh.roles is not None and not fresh.roles.weight[0].any()


@pytest.mark.parametrize(
    "options",
    [
        {"model_type": "distilbert", "dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 48},
        {"model_type": "mpnet"},  # its layers look like BERT's, but need a bias of positions
        {"model_type": "albert", "embedding_size": 32},
    ],
    ids=lambda options: options["model_type"],
)
def test_an_encoder_of_another_build_is_one_clear_line(options: Dict[str, Any]) -> None:
    module = build(1, **options)
    for check in (module.check_layers, lambda: read(module, [group([9], [0])], [0])):
        with pytest.raises(ValueError, match=rf"^\[R404\].*{options['model_type']}.*\[components") as error:
            check()
        assert "\n" not in str(error.value)


def test_marks_above_the_last_layer_are_refused() -> None:
    build(N_LAYERS).check_layers()
    with pytest.raises(ValueError, match="R007.*marker_layer.*4.*0 to 3"):
        build(N_LAYERS + 1).check_layers()
