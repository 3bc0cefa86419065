"""Dates and amounts, and what can be read in two ways."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.annotations.values import Value, parse_value


@pytest.mark.parametrize(
    "text, date",
    [
        ("4 March 1931", "1931-03-04"),
        ("4th of  March,\n1931", "1931-03-04"),
        ("March 4, 1931", "1931-03-04"),
        ("Tuesday, 4 Mar. 1931", "1931-03-04"),
        ("on 17 November 2004", "2004-11-17"),
        ("1931-03-04", "1931-03-04"),
        ("1931-03-04T12:00:00Z", "1931-03-04"),
        ("Sept 1931", "1931-09"),
        ("March of 1931", "1931-03"),
        ("1931-03", "1931-03"),
        ("in 1931", "1931"),
        ("0079", "0079"),
    ],
)
def test_dates(text: str, date: str) -> None:
    assert parse_value(text) == Value(date)


@pytest.mark.parametrize(
    "text, number, unit",
    [
        ("1,300", 1300, ""),
        ("1 300 000", 1300000, ""),
        ("44", 44, ""),
        ("−2.5 %", Decimal("-2.5"), "%"),
        ("12%", 12, "%"),
        ("$4 billion", 4 * 10**9, "$"),
        ("4.2 billion kroner", 4200 * 10**6, "kroner"),
        ("NOK 5 million", 5 * 10**6, "NOK"),
        ("€1,300.50", Decimal("1300.50"), "€"),
        ("1.300 million", 1300000, ""),
        ("12 nautical miles", 12, "nautical miles"),
        ("Two", 2, ""),
        ("three hundred sheep", 300, "sheep"),
        ("20", 20, ""),
    ],
)
def test_amounts(text: str, number: Any, unit: str) -> None:
    assert parse_value(text) == Value("", Decimal(number), unit)


@pytest.mark.parametrize(
    "text",
    [
        "3/4/2001",
        "1.300",
        "30 February 2001",
        "1931-13-01",
        "$4 billion kroner",
        "last Tuesday",
        "many",
        "",
        "1990s",
        "4 or 5",
    ]
    + ["the early 1960s", "12,34", "1931–1950", "half a million", "1e5", "٣"],
)
def test_what_is_in_doubt(text: str) -> None:
    assert parse_value(text) is None


def test_types_decide() -> None:
    assert parse_value("1931", "NUMBER") == Value("", Decimal(1931)) and parse_value("1931", "DATE") == Value("1931")
    assert parse_value("44", "TIME") is None and parse_value("4 March 1931", "CARDINAL") is None


@given(st.text())
def test_any_text(text: str) -> None:
    value = parse_value(text)
    assert value is None or bool(value.date) != (value.number is not None)
