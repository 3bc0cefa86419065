"""The half-trained detector and extractor that tests of tuning and settings need."""

from tests.rere.conftest import examples, nlp, saved  # noqa: F401  (fixtures)
