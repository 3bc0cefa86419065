"""Benchmarks of KD4NRE."""
