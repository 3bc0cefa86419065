"""How an encoder is added: one torch module, one builder; the heads of all methods take it and learn."""

from typing import Any, Dict, List

import numpy
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d
from torch import Tensor, nn

from spacy_relext import get_records
from spacy_relext.encoders.architectures import EncoderSpec
from spacy_relext.pairs.encoders.features import prepare_tokens
from spacy_relext.pairs.encoders.states import PairStates, TokenPairs, masked_mean
from tests.contract.cases import CASES, CNN, MethodCase

WIDTH = 8


@spacy.registry.architectures("tests.Lengths.v1")
def build_lengths() -> Model[List[Doc], List[Floats2d]]:
    """An encoder of tokens: the same numbers for all words of a length."""
    return Model("lengths", encode_lengths, dims={"nO": WIDTH})


def encode_lengths(model: Model, docs: List[Doc], is_train: bool) -> Any:
    vectors = [numpy.asarray([[len(t) % (1 + n) for n in range(WIDTH)] for t in doc], dtype="float32") for doc in docs]
    return [each.reshape(-1, WIDTH) for each in vectors], lambda gradients: []


class Projected(TokenPairs):
    """An encoder of pairs: means of projected token vectors."""

    output_width = WIDTH  # type: ignore[assignment]

    def configure(self, *, width: int, n_tags: int, n_types: int) -> None:
        super().configure(width=width, n_tags=n_tags, n_types=n_types)
        self.project = nn.Linear(width, WIDTH)

    def forward(self, vectors: Tensor, index: Tensor, roles: Tensor, **_: Any) -> PairStates:
        mask = index >= 0
        states = self.project(nn.functional.embedding(index.clamp(min=0), vectors)) * mask[..., None]
        subject, obj = (masked_mean(states, (roles & role) > 0) for role in (1, 2))
        return PairStates(states, mask, masked_mean(states, mask), subject, obj)


@spacy.registry.architectures("tests.ProjectedEncoder.v1")
def build_projected_encoder(tok2vec: Model[List[Doc], List[Floats2d]]) -> EncoderSpec:
    """An encoder of pairs over any tok2vec."""
    return EncoderSpec(Projected, prepare_tokens, tok2vec=tok2vec)


TOKENS = {"@architectures": "tests.Lengths.v1"}
PAIRS = {"@architectures": "tests.ProjectedEncoder.v1", "tok2vec": CNN}
PAIR_HEADS = ("graph student", "piece teacher", "piece grounder", "shared clusterer", "shared bags")


def build(case: MethodCase, encoder: Dict[str, Any]) -> Language:
    nlp = spacy.blank(case.lang)
    for factory, config in case.before:
        nlp.add_pipe(factory, config=config)
    model = {**case.config["model"], "encoder": encoder}
    nlp.add_pipe(case.factory, config={**case.config, "model": model})
    return nlp


def find_case(name: str) -> MethodCase:
    return next(case for case in CASES if case.id == name)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    ("head", "encoder"),
    [*((head, TOKENS) for head in ("detector", "extractor", *PAIR_HEADS)), *((head, PAIRS) for head in PAIR_HEADS)],
)
def test_a_new_encoder_serves_all_heads(head: str, encoder: Dict[str, Any]) -> None:
    case = find_case(head)
    nlp = build(case, encoder)
    examples = case.make_examples(nlp)
    spacy.util.fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples)
    losses: Dict[str, float] = {}
    nlp.update(examples, sgd=optimizer, losses=losses, annotates=case.annotating)
    assert losses[case.factory] > 0.0
    again = build(case, encoder).from_bytes(nlp.to_bytes())
    one, other = (each(examples[0].predicted.copy()) for each in (nlp, again))
    assert [(r["subject"], r["relation"], r["object"]) for r in get_records(one) or []] == [
        (r["subject"], r["relation"], r["object"]) for r in get_records(other) or []
    ]


def test_an_encoder_that_does_not_fit_is_one_clear_line() -> None:
    with pytest.raises(ValueError, match=r"R364.*encodes pairs only. Use a tok2vec or .*PieceEncoder"):
        build(find_case("detector"), PAIRS)
