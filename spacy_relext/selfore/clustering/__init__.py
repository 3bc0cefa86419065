"""Clustering of entity pairs."""
