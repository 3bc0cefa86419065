"""Encoders of entity pairs: vectors of a text with regard to two of its entities."""
