import pytest

from spacy_relext.kb.label_noise import measure_label_noise

BORN = {"subject": [0, 3], "relation": "place_of_birth", "object": [10, 14]}
DIED = {"subject": [0, 3], "relation": "place_of_death", "object": [10, 14]}


def test_rates() -> None:
    noise = measure_label_noise([([BORN], [BORN, DIED]), ([DIED], []), ([], [])])
    assert noise["all"] == {
        "true": 2, "distant": 2, "both": 1, "false_negative_rate": 0.5, "false_positive_rate": 0.5,
    }  # fmt: skip
    assert noise["place_of_birth"]["false_negative_rate"] == pytest.approx(0.0)
    assert noise["place_of_death"]["false_positive_rate"] == pytest.approx(1.0)


def test_nothing_to_divide_by() -> None:
    assert measure_label_noise([])["all"]["false_negative_rate"] is None
