"""Station 6: scores become triples on the Doc."""
