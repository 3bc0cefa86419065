"""Benchmarks of HRERE."""
