"""Drawings, pages and reports of Docs and their triples."""
