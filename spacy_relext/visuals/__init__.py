"""Docs to pictures."""
