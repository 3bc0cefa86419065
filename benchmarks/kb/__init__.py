"""Benchmarks of knowledge bases."""
