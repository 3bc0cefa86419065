"""The command line: `spacy relext`."""
