"""Station 1: files become Docs."""
