"""Choose sentences of the prose that name entities and state no relation, as negatives for trainings on few labels.

    python scripts/build_negatives.py assets spacy_relext/corpora/negatives.txt

They state none of the relations that the prose is annotated with. A few may state another one by chance.
"""

import argparse
import random
from pathlib import Path

from build_corpus import read_prose

SENTENCES = 1000
LONGEST = 115  # characters: the package carries the file
ENTITIES = 2  # at least, so that there is a pair which is not related


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("assets", type=Path)
    parser.add_argument("output", type=Path)
    args = parser.parse_args()
    folders = [args.assets / "prose", args.assets / "prose" / "more"]
    records = [record for folder in folders for record in read_prose(folder, "train*.txt")]
    texts = [
        record["text"]
        for record in records
        if not record["triples"] and len(record["entities"]) >= ENTITIES and len(record["text"]) <= LONGEST
    ]
    chosen = random.Random(0).sample(sorted(set(texts)), SENTENCES)
    args.output.write_text("".join(f"{text}\n" for text in chosen), encoding="utf8")


if __name__ == "__main__":
    main()
