"""`python -m spacy_relext COMMAND`, the same as `spacy relext COMMAND`."""

from .cli.main import relext

if __name__ == "__main__":
    relext(prog_name="python -m spacy_relext")
