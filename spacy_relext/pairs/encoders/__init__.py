"""Encoders of entity pairs: what a text says of two of its entities, as vectors."""
