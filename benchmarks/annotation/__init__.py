"""Benchmarks of annotation: which sentences to annotate next."""
