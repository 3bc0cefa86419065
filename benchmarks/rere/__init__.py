"""Benchmarks of RERE."""
