"""Clusters of entity pairs: spaces in which pairs that say the same lie together."""
