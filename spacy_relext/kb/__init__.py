"""A knowledge base and its embeddings."""
