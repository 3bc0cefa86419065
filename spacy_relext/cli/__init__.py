"""`spacy relext …`: one thin file per command."""
