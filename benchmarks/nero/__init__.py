"""Benchmarks of NERO."""
