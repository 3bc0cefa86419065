"""Copy a pipeline into a folder to be packaged, and add model card, meta data, licence and digests.

    python scripts/model_card.py training/rere/packed training/rere/described --name relext_base --version 0.1.0 \
        --scores "test=metrics/rere.json" --scores "hard test=metrics/rere-hard.json"
    python scripts/model_card.py training/default/packed spacy_relext/default --shipped --version 0.1.0 --scores ... \
        --documents "Re-DocRED=metrics/default-redocred-test.json"
"""

import argparse
import pathlib
import shutil
import sys
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import srsly
from thinc.api import Config

from spacy_relext.corpora.damage import hash_file

ROOT = pathlib.Path(__file__).parents[1]

DESCRIPTION = "Finds facts that a sentence states: triples of subject, relation and object, in doc._.triples."
OF_DOCUMENTS = "It also finds the entities and the facts of whole documents, in doc._.entities and doc._.facts."
AUTHOR, LICENCE = "spacy-relext", "MIT"

# Column of the table of scores, key of `spacy relext evaluate`.
COLUMNS = (
    ("precision", "exact_p"),
    ("recall", "exact_r"),
    ("F1", "exact_f"),
    ("empty sentences with a triple", "empty_error_rate"),
    ("calibration error", "ece"),
)

# The same for whole documents.
DOCUMENT_COLUMNS = (
    ("facts: precision", "facts_p"),
    ("recall", "facts_r"),
    ("F1", "facts_f"),
    ("recall across sentences", "facts_across_r"),
    ("calibration error", "facts_ece"),
    ("pronouns", "coref_pronouns"),
    ("B³", "coref_b3_f"),
)

DIGESTS = "sha256.txt"


class Origin(NamedTuple):
    """What a card says of a pipeline's making.

    load (str): Python that loads it; NAME stands for its name.
    data (str): What it learned from.
    test (str): What its scores are measured on.
    licence (str): Of what it learned from.
    finds (str): What it finds.
    method (str): Components beside those of RERE, as sentences.
    limits (str): What it does not find.
    """

    load: str
    data: str
    test: str
    licence: str
    finds: str = DESCRIPTION
    method: str = ""
    limits: str = "Both arguments must stand in one sentence, and pronouns are not resolved."


ENCODER = "The encoder is sentence-transformers/all-MiniLM-L6-v2, Apache 2.0."
TRAINED = Origin(
    'import spacy\n\nnlp = spacy.load("NAME")',
    "Sentences written and annotated by hand for spacy-relext, and sentences of a grammar over a small knowledge base.",
    "hand-written sentences about names that training does not know",
    ENCODER,
)
SHIPPED = Origin(
    "import spacy_relext\n\nnlp = spacy_relext.load()",
    "400 documents of Re-DocRED (Tan et al., EMNLP 2022; MIT); for coreference 2,000 passages of GAP (Webster et al., "
    "TACL 2018; Apache 2.0) and documents of DocRED without labels (Yao et al., ACL 2019; MIT). All this text is "
    "Wikipedia's (CC BY-SA). 15,900 sentences and 400 short documents were written and annotated by hand for "
    "spacy-relext. No text of Wikipedia is in the package.",
    "60 other documents of Re-DocRED, and hand-written sentences about names that training does not know",
    f"Labels of Re-DocRED and DocRED: MIT; of GAP: Apache 2.0. {ENCODER}",
    f"{DESCRIPTION} {OF_DOCUMENTS}",
    "`relext_coref` says what pronouns and phrases stand for, `relext_documents` finds facts across sentences.",
    "A third of all pronouns is resolved wrongly, and facts that no sentence states are often guesses.",
)

Scores = Sequence[Tuple[str, Dict[str, Any]]]


def write_table(columns: Sequence[Tuple[str, str]], scores: Scores) -> List[str]:
    """Write the lines of a table of scores."""
    head, line = " | ".join(title for title, _ in columns), "|".join(" ---: " for _ in columns)
    rows = [
        " | ".join([f"| {part}", *(format_score(values[key]) for _, key in columns)]) + " |" for part, values in scores
    ]
    return [f"| test | {head} |", f"| --- |{line}|", *rows]


def write_card(name: str, labels: Sequence[str], scores: Scores, *, origin: Origin, documents: Scores = ()) -> str:
    """Write the model card.

    name (str): Name of the package, as `spacy.load` takes it.
    labels (Sequence[str]): The relations.
    scores (Scores): Name of each test corpus, and its scores, 0 to 1.
    documents (Scores): The same for corpora of whole documents.
    RETURNS (str): Markdown.
    """
    whole = ["**Whole documents**, from raw text:", "", *write_table(DOCUMENT_COLUMNS, documents), ""]
    return "\n".join(
        [
            f"# {name}",
            "",
            f"{origin.finds} An English pipeline of spacy-relext.",
            "",
            "```python",
            origin.load.replace("NAME", name),
            'for triple in nlp("Odalys Brandvold was born in Trysil.")._.triples:',
            "    print(triple.subject, triple.relation, triple.object, triple.score)",
            "```",
            "",
            "**Method.** RERE (Xie et al., ACL 2021): `rere_detector` says which relations a sentence states,",
            "`rere_extractor` finds the arguments of each. All components read one MiniLM encoder.",
            *([origin.method] if origin.method else []),
            "",
            f"**Relations.** {', '.join(labels)}.",
            "",
            f"**Data.** {origin.data}",
            "",
            f"**Scores**, in percent, exact spans, on {origin.test}:",
            "",
            *write_table(COLUMNS, scores),
            "",
            *(whole if documents else []),
            f"**Limits.** English prose only. {origin.limits}",
            "The pipeline reports what a text states, true or not. Scores are calibrated on text like the tuning data.",
            "Check a sample of its output on your own text before you rely on it.",
            "",
            f"**Licence.** {LICENCE}. {origin.licence}",
            "",
        ]
    )


def format_score(score: Optional[float]) -> str:
    """Write a score in percent; None is one that cannot be computed, such as the calibration of no triples."""
    return "–" if score is None else f"{100 * score:.1f}"


def hash_files(folder: pathlib.Path) -> str:
    """Hash the files of a pipeline, its card aside, as `sha256sum` writes it."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in ("README.md", DIGESTS)]
    return "".join(f"{hash_file(path)}  {path.relative_to(folder).as_posix()}\n" for path in files)


def describe_pipeline(
    source: pathlib.Path,
    target: pathlib.Path,
    *,
    name: str,
    version: str,
    scores: Scores,
    documents: Scores = (),
    origin: Origin = TRAINED,
) -> None:
    """Copy a pipeline, and write its card, meta data, licence and digests.

    source, target (Path): Folders; an existing target is replaced.
    """
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(source, target)
    meta = srsly.read_json(target / "meta.json")
    labels: List[str] = [meta["labels"][name] for name in meta["pipeline"] if meta["labels"].get(name)][-1]
    meta.update(name=name, version=version, description=origin.finds, author=AUTHOR, license=LICENCE)
    tables = ((COLUMNS, scores), (DOCUMENT_COLUMNS, documents))
    meta["performance"] = {
        f"{part} {key}": values[key] for columns, rows in tables for part, values in rows for _, key in columns
    }
    srsly.write_json(target / "meta.json", meta)
    config = Config().from_disk(target / "config.cfg", interpolate=False)
    paths = config.get("paths", {})
    paths.update({key: None for key in paths.keys() & {"train", "dev", "pipeline"}})  # of the machine that trained it
    config.to_disk(target / "config.cfg")
    (target / "README.md").write_text(
        write_card(f"{meta['lang']}_{name}", labels, scores, origin=origin, documents=documents), encoding="utf8"
    )
    shutil.copy(ROOT / "LICENSE", target / "LICENSE")
    (target / DIGESTS).write_text(hash_files(target), encoding="utf8")


def main(arguments: Sequence[str]) -> None:
    """Parse the command line and describe a pipeline."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("target", type=pathlib.Path)
    parser.add_argument("--name", default="relext_default")
    parser.add_argument("--shipped", action="store_true", help="the pipeline that the package carries")
    parser.add_argument("--version", required=True)
    parser.add_argument("--scores", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--documents", action="append", default=[], metavar="NAME=FILE", help="of whole documents")
    options = parser.parse_args(arguments)
    scores, documents = (
        [(part, srsly.read_json(path)) for part, _, path in (value.partition("=") for value in values)]
        for values in (options.scores, options.documents)
    )
    describe_pipeline(
        options.source,
        options.target,
        name=options.name,
        version=options.version,
        scores=scores,
        documents=documents,
        origin=SHIPPED if options.shipped else TRAINED,
    )
    print(f"{options.target}: described as {options.name} {options.version}")


if __name__ == "__main__":
    main(sys.argv[1:])
