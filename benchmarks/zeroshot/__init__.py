"""Benchmarks of `zeroshot_classifier`."""
