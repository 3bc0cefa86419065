"""Let the encoder of a pipeline read whole documents, not single sentences, before configs/documents.cfg trains it.

    python scripts/whole_documents.py training/default/model-best training/default/whole

The encoder is a component `tok2vec` with a `spacy_relext.Transformer.v1`, which becomes a
`spacy_relext.DocumentTransformer.v1` with the same weights.
"""

import argparse
import sys
from pathlib import Path

import spacy
from spacy.util import load_config

NAME = "tok2vec"
KEPT = ("name", "precision", "dropout", "lr_scale", "adversarial_radius")
FROM, TO = "spacy_relext.Transformer.v1", "spacy_relext.DocumentTransformer.v1"


def convert(source: str, target: Path, *, max_pieces: int) -> None:
    """Write the pipeline.

    max_pieces (int): Longest sequence in word pieces; longer texts are read in windows.
    RAISES (ValueError): If its encoder is of another kind.
    """
    nlp = spacy.load(source)
    config = nlp.config.interpolate()["components"].get(NAME, {}).get("model", {})
    if config.get("@architectures") != FROM:
        raise ValueError(f"{source}: {NAME} is {config.get('@architectures', 'not there')!r}; expected {FROM!r}")
    for node in nlp.get_pipe(NAME).model.walk():  # type: ignore[attr-defined]
        if "whole_docs" in node.attrs:
            node.attrs.update(whole_docs=True, max_pieces=max_pieces)
    nlp.to_disk(target)
    written = load_config(target / "config.cfg", interpolate=False)
    kept = {key: value for key, value in written["components"][NAME]["model"].items() if key in KEPT}
    written["components"][NAME]["model"] = {"@architectures": TO, "max_pieces": max_pieces, **kept}
    written.to_disk(target / "config.cfg")


def main() -> int:
    """Run the command line.

    RETURNS (int): Exit code.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="folder or package")
    parser.add_argument("target", type=Path)
    parser.add_argument("--max-pieces", type=int, default=512)
    args = parser.parse_args()
    try:
        convert(args.source, args.target, max_pieces=args.max_pieces)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
