"""Benchmarks of graphs: grouping of mentions, probabilities of facts, size."""
