"""KD4NRE (Zhang et al., AAAI 2020): a teacher that knows entity types, and a student distilled from it."""
