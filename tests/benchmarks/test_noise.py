"""Noise moves the offsets of annotation with the text."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.noise import KINDS, add_noise, noisy_record

TEXT = "Odalys Brandvold was born in Trysil; she lives in Oslo 1, a 5."
RECORD = {
    "text": TEXT,
    "entities": [{"start": 0, "end": 16, "label": "PERSON"}, {"start": 29, "end": 35, "label": "PLACE"}],
    "triples": [{"subject": [0, 16], "relation": "place_of_birth", "object": [29, 35]}],
    "sents": [[0, len(TEXT)]],
}


def test_without_noise_nothing_changes() -> None:
    for kind in KINDS:
        assert noisy_record(RECORD, kind, 0.0, random.Random(0)) == RECORD


@pytest.mark.parametrize("kind", KINDS)
def test_all_characters(kind: str) -> None:
    made = noisy_record(RECORD, kind, 1.0, random.Random(0))
    if kind == "dropped":
        assert made["text"].split() == [";", ",", "."] and made["triples"] == [] == made["entities"]
    else:
        (triple,) = made["triples"]
        first, expected = (
            made["text"][slice(*triple["subject"])],
            {"swapped": "dOlasy rBnavdlodr"[:6], "misread": "0cl"},
        )
        assert first.startswith(expected[kind])


@given(st.text(max_size=30), st.sampled_from(KINDS), st.floats(0, 1), st.integers(0, 9))
def test_offsets_stay_in_order(text: str, kind: str, rate: float, seed: int) -> None:
    made, places = add_noise(text, kind, rate, random.Random(seed))
    assert places == sorted(places) and len(places) == len(text) + 1 and places[-1] == len(made)
