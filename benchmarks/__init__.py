"""Benchmarks of the five methods on real data: `python -m benchmarks METHOD EXPERIMENT...`."""
