"""Benchmarks of whole corpora: runs that are killed, speed, memory."""
