"""Triples of whole corpora: shards that a run resumes from, several processes, documents that fail."""
