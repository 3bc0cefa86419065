"""Print the triples that a pipeline reads out of a few sentences about invented people and firms.

python scripts/show_triples.py training/rere/tuned
"""

import argparse
import pathlib
import sys
from typing import List, Tuple

import spacy
import wasabi
from spacy.tokens import Doc

import spacy_relext  # noqa: F401  (a clear ImportError where the package is not installed)

TEXTS = (
    "Odalys Brandvold was born in Trysil and studied at the University of Tromsø before joining Nordlys Kraft.",
    "Nordlys Kraft, a subsidiary of Havgass, is run from Bodø. Havgass was founded by Ingvar Rusten and his wife, "
    "Solfrid Haaland, in 1974.",
    "Rusten never worked for the ministry in Oslo, although several papers said so.",
    "The Salt Ledger, a novel by the Kenyan writer Tomasine Achuka, was directed for the screen by Pedro Quintanilha.",
    "Achuka, who died in Mombasa last spring, had long belonged to the Coast Writers' Guild.",
    "On Tuesday Brandvold met Quintanilha in Lisbon, the capital of Portugal.",
)


def rows_of(doc: Doc) -> List[Tuple[str, str, str, str]]:
    """Lay out the triples of a text in reading order.

    doc (Doc): A document with `doc._.triples`.
    RETURNS (List[Tuple[str, str, str, str]]): Subject, relation, object, score.
    """
    found = sorted(doc._.triples, key=lambda triple: triple.key)
    return [(t.subject.text, t.relation, t.object.text, f"{t.score:.2f}") for t in found]


def main() -> int:
    """Load the pipeline, print a table per text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pipeline", help="folder or name of a trained pipeline")
    parser.add_argument("--file", type=pathlib.Path, help="a text a line, instead of the built-in ones")
    arguments = parser.parse_args()
    try:
        nlp = spacy.load(arguments.pipeline)
        texts = TEXTS if arguments.file is None else arguments.file.read_text(encoding="utf8").splitlines()
    except OSError as error:
        print(f"show_triples: {error}", file=sys.stderr)
        return 1
    header = ("subject", "relation", "object", "score")
    for doc in nlp.pipe(texts):
        rows = rows_of(doc)
        print(wasabi.wrap(doc.text, indent=0))
        print(wasabi.table(rows, header=header, divider=True) if rows else "\n    (no triple)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
