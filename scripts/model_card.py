"""Copy a pipeline into a folder from which `spacy package` makes a wheel, and add model card, meta data and licence.

    python scripts/model_card.py training/rere/tuned training/rere/described --name relext_base --version 0.1.0 \
        --scores "test=metrics/rere.json" --scores "hard test=metrics/rere-hard.json"
"""

import argparse
import pathlib
import shutil
import sys
from typing import Any, Dict, List, Optional, Sequence, Tuple

import srsly

ROOT = pathlib.Path(__file__).parents[1]

DESCRIPTION = "Finds facts that a sentence states: triples of subject, relation and object, in doc._.triples."
AUTHOR, LICENCE = "spacy-relext", "MIT"

# Column of the table of scores, key of `spacy relext evaluate`.
COLUMNS = (
    ("precision", "exact_p"),
    ("recall", "exact_r"),
    ("F1", "exact_f"),
    ("empty sentences with a triple", "empty_error_rate"),
    ("calibration error", "ece"),
)

Scores = Sequence[Tuple[str, Dict[str, Any]]]


def write_card(name: str, labels: Sequence[str], scores: Scores) -> str:
    """Write the model card.

    name (str): Name of the package, as `spacy.load` takes it.
    labels (Sequence[str]): The relations.
    scores (Scores): Name of each test corpus, and its scores, 0 to 1.
    RETURNS (str): Markdown.
    """
    head, line = " | ".join(title for title, _ in COLUMNS), "|".join(" ---: " for _ in COLUMNS)
    rows = [
        " | ".join([f"| {part}", *(format_score(values[key]) for _, key in COLUMNS)]) + " |" for part, values in scores
    ]
    return "\n".join(
        [
            f"# {name}",
            "",
            f"{DESCRIPTION} An English pipeline of spacy-relext.",
            "",
            "```python",
            "import spacy",
            "",
            f'nlp = spacy.load("{name}")',
            'for triple in nlp("Odalys Brandvold was born in Trysil.")._.triples:',
            "    print(triple.subject, triple.relation, triple.object, triple.score)",
            "```",
            "",
            "**Method.** RERE (Xie et al., ACL 2021): `rere_detector` says which relations a sentence states,",
            "`rere_extractor` finds the arguments of each. Both read one MiniLM encoder. Entities are not needed.",
            "",
            f"**Relations.** {', '.join(labels)}.",
            "",
            "**Data.** Sentences written and annotated by hand for spacy-relext, and sentences of a grammar over a",
            "small knowledge base.",
            "",
            "**Scores**, in percent, exact spans, on hand-written sentences about names that training does not know:",
            "",
            f"| test | {head} |",
            f"| --- |{line}|",
            *rows,
            "",
            "**Limits.** English prose only. Both arguments must stand in one sentence, and pronouns are not resolved.",
            "The pipeline reports what a text states, true or not. Scores are calibrated on text like the tuning data.",
            "Check a sample of its output on your own text before you rely on it.",
            "",
            f"**Licence.** {LICENCE}. The encoder is sentence-transformers/all-MiniLM-L6-v2, Apache 2.0.",
            "",
        ]
    )


def format_score(score: Optional[float]) -> str:
    """Write a score in percent; None is one that cannot be computed, such as the calibration of no triples."""
    return "–" if score is None else f"{100 * score:.1f}"


def describe_pipeline(source: pathlib.Path, target: pathlib.Path, *, name: str, version: str, scores: Scores) -> None:
    """Copy a pipeline, and write its card, meta data and licence.

    source, target (Path): Folders; an existing target is replaced.
    """
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(source, target)
    meta = srsly.read_json(target / "meta.json")
    labels: List[str] = meta["labels"][meta["pipeline"][-1]]
    meta.update(name=name, version=version, description=DESCRIPTION, author=AUTHOR, license=LICENCE)
    meta["performance"] = {f"{part} {key}": values[key] for part, values in scores for _, key in COLUMNS}
    srsly.write_json(target / "meta.json", meta)
    (target / "README.md").write_text(write_card(f"{meta['lang']}_{name}", labels, scores), encoding="utf8")
    shutil.copy(ROOT / "LICENSE", target / "LICENSE")


def main(arguments: Sequence[str]) -> None:
    """Parse the command line and describe a pipeline."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("target", type=pathlib.Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--scores", action="append", default=[], metavar="NAME=FILE")
    options = parser.parse_args(arguments)
    parts = [value.partition("=") for value in options.scores]
    scores = [(part, srsly.read_json(path)) for part, _, path in parts]
    describe_pipeline(options.source, options.target, name=options.name, version=options.version, scores=scores)
    print(f"{options.target}: described as {options.name} {options.version}")


if __name__ == "__main__":
    main(sys.argv[1:])
