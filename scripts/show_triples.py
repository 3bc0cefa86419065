"""Print the triples that a pipeline finds in a few sentences about invented people and firms.

    python scripts/show_triples.py training/rere/tuned
    python scripts/show_triples.py training/hrere/tuned --corpus corpus/linked/test.spacy

With a corpus it reads the first of its texts that have triples, as raw text.
"""

import argparse
import pathlib
import sys
from itertools import islice
from typing import Iterable, List, Tuple

import wasabi
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_relext.corpora.loading import load_pipeline
from spacy_relext.corpora.shards import iter_docs

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


def read_texts(corpus: pathlib.Path, *, count: int) -> List[str]:
    """Read texts of a corpus that have triples.

    corpus (pathlib.Path): A .spacy file.
    count (int): Number of texts.
    RETURNS (List[str]): The first ones, without annotation.
    """
    return [doc.text for doc in islice((doc for doc in iter_docs(corpus, Vocab()) if doc._.triples), count)]


def main() -> int:
    """Load the pipeline, print a table per text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pipeline", help="folder or name of a trained pipeline, or default")
    parser.add_argument("--files", type=pathlib.Path, nargs="+", help="a text a line, instead of the built-in ones")
    parser.add_argument("--corpus", type=pathlib.Path, help="a .spacy file whose texts to take instead")
    parser.add_argument("--title", help="a heading: what the pipeline is for")
    parser.add_argument("--count", type=int, default=len(TEXTS), help="how many texts of a corpus")
    arguments = parser.parse_args()
    try:
        nlp = load_pipeline(arguments.pipeline)
        texts: Iterable[str] = TEXTS
        if arguments.corpus is not None:
            texts = read_texts(arguments.corpus, count=arguments.count)
        elif arguments.files:
            lines = [line for path in arguments.files for line in path.read_text(encoding="utf8").splitlines()]
            texts = [line for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        print(f"show_triples: {error}", file=sys.stderr)
        return 1
    if arguments.title:
        print(wasabi.Printer(no_print=True).divider(arguments.title))
    header = ("subject", "relation", "object", "score")
    for doc in nlp.pipe(texts):
        rows = rows_of(doc)
        print(wasabi.wrap(doc.text, indent=0))
        print(wasabi.table(rows, header=header, divider=True) if rows else "\n    (no triple)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
