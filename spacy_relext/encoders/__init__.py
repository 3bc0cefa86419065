"""Encoders: ids to vectors, torch only."""
