"""Pairs that stand there in one order can be read from both sides; this joins what is said from each."""

from typing import Any

import numpy

# What of a model's output has a column for each class, and what is about the order that a pair has.
BY_CLASS = ("logits", "local", "auxiliary", "text", "types")
BY_ORDER = ("unit",)


def mean_of_readings(outputs: Any, turned: Any) -> Any:
    """Average what a model says of pairs and of the same pairs read from the other side.

    outputs (Any): Named tuple of arrays; the turned pairs are the second half of each. Shapes (2 P, ...)
    turned (NDArray): Class that each class is from the other side. Shape (R,)
    RETURNS (Any): The same, classes being those of the first reading. Shapes (P, ...)
    """
    columns = []
    for name, array in zip(outputs._fields, outputs):
        first, second = numpy.split(array, 2)
        if name in BY_CLASS:
            second = second[:, turned]
        columns.append(first if name in BY_ORDER else (first + second) / 2)
    return type(outputs)(*columns)
