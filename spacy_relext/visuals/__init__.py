"""Station 7: triples as pictures."""
