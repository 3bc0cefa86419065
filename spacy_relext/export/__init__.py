"""Docs to files."""
