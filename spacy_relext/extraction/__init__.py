"""Extraction of triples from whole corpora: resumable shards, several processes, documents that fail."""
