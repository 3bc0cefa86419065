"""Benchmarks of SelfORE."""
