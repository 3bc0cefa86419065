"""Blocks of settings: their ranges, and what a component saves of them."""

from dataclasses import FrozenInstanceError, dataclass

import pytest

from spacy_relext.pipeline.settings import Block, one_of, plain_settings, within


@dataclass(frozen=True)
class PairSampling(Block):
    """negatives (float): Negatives per positive."""

    negatives: float = within(6.0, 0.0, 100.0)
    order: str = one_of("text", ("text", "random"))
    shuffle: bool = True


def test_values_are_checked_against_their_ranges() -> None:
    assert PairSampling(negatives=100.0).negatives == 100.0
    with pytest.raises(ValueError, match="sampling.negatives.*101"):
        PairSampling(negatives=101.0)
    with pytest.raises(ValueError, match="sampling.order.*text.*random"):
        PairSampling(order="sorted")


def test_a_block_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        PairSampling().negatives = 2.0  # type: ignore[misc]


def test_a_component_saves_a_mapping() -> None:
    plain = plain_settings({"nlp": None, "threshold": 0.5, "sampling": PairSampling(order="random")})
    assert plain == {"threshold": 0.5, "sampling": {"negatives": 6.0, "order": "random", "shuffle": True}}
    assert PairSampling.of(plain["sampling"]) == PairSampling(order="random")


@pytest.mark.parametrize("saved", [{"negatives": 1.0}, {"negatives": 1.0, "order": "text", "shuffle": True, "more": 1}])
def test_a_saved_mapping_has_all_settings_and_no_other(saved: dict) -> None:
    with pytest.raises(ValueError, match="sampling lack or have in excess: .*(shuffle|more)"):
        PairSampling.of(saved)
