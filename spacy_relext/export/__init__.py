"""Export of Docs and graphs to files."""
