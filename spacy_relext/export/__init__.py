"""Station 7: triples leave as files."""
