"""Labelling rules: parsing, matching, checking, mining and suggesting them."""
