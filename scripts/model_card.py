"""Copy a pipeline into a folder to be packaged, and add model card, meta data, licence and digests.

    python scripts/model_card.py training/rere/packed training/rere/described --name relext_base --version 0.1.0 \
        --scores "test=metrics/rere.json" --scores "hard test=metrics/rere-hard.json"
    python scripts/model_card.py training/default/packed spacy_relext/default --shipped --version 0.1.0 --scores ...
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

DESCRIPTION = "Finds facts that a text states: triples of subject, relation and object, in doc._.triples."
AUTHOR, LICENCE = "spacy-relext", "MIT"

# Column of the table of scores, key of `spacy relext evaluate`.
COLUMNS = (
    ("precision", "exact_p"),
    ("recall", "exact_r"),
    ("F1", "exact_f"),
    ("empty sentences with a triple", "empty_error_rate"),
    ("calibration error", "ece"),
)

FACT_COLUMNS = (
    ("precision", "facts_p"),
    ("recall", "facts_r"),
    ("F1", "facts_f"),
    ("recall, no sentence", "facts_across_r"),
    ("calibration error", "facts_ece"),
    ("right pronouns", "coref_pronouns"),
)

DIGESTS = "sha256.txt"


class Origin(NamedTuple):
    """What a card says of a pipeline's making.

    load (str): Python that loads it; NAME stands for its name.
    data (str): What it learned from.
    test (str): What its scores are measured on.
    method (str): How it finds more than the triples of a sentence.
    limits (str): What it does not find.
    licence (str): Of what it learned from.
    """

    load: str
    data: str
    test: str
    method: str
    limits: str
    licence: str


ENCODER = "The encoder is sentence-transformers/all-MiniLM-L6-v2, Apache 2.0."
TRAINED = Origin(
    'import spacy\n\nnlp = spacy.load("NAME")',
    "Sentences written and annotated by hand for spacy-relext, and sentences of a grammar over a small knowledge base.",
    "hand-written sentences about names that training does not know",
    "",
    "Both arguments must stand in one sentence, and pronouns are not resolved.",
    ENCODER,
)
SHIPPED = Origin(
    "import spacy_relext\n\nnlp = spacy_relext.load()",
    "400 documents of Re-DocRED (Tan et al., EMNLP 2022; MIT) and, for coreference, 2,000 passages of GAP (Webster et "
    "al., TACL 2018; Apache 2.0) and documents of DocRED's unlabelled part (Yao et al., ACL 2019; MIT), whose text is "
    "Wikipedia's (CC BY-SA); and 15,900 sentences and 400 documents written and annotated by hand for spacy-relext. No "
    "text of Wikipedia is in the package.",
    "60 other documents of Re-DocRED, and hand-written text about names that training does not know",
    " `relext_coref` finds what pronouns stand for, `relext_documents` relations between sentences, `relext_inference` "
    "what follows.",
    "Both arguments of a triple stand in one sentence; `doc._.facts` has more, which is less often right.",
    f"Labels of Re-DocRED and DocRED: MIT, of GAP: Apache 2.0. {ENCODER}",
)

Scores = Sequence[Tuple[str, Dict[str, Any]]]


def write_table(scores: Scores, columns: Sequence[Tuple[str, str]]) -> List[str]:
    """Write the lines of a table of scores."""
    rows = [
        " | ".join([f"| {part}", *(format_score(values[key]) for _, key in columns)]) + " |" for part, values in scores
    ]
    head, line = " | ".join(title for title, _ in columns), "|".join(" ---: " for _ in columns)
    return [f"| test | {head} |", f"| --- |{line}|", *rows]


def write_card(name: str, labels: Sequence[str], scores: Scores, *, origin: Origin, facts: Scores = ()) -> str:
    """Write the model card.

    name (str): Name of the package, as `spacy.load` takes it.
    labels (Sequence[str]): The relations.
    scores (Scores): Name of each test corpus, and its scores, 0 to 1.
    facts (Scores): Likewise, of corpora of whole documents.
    RETURNS (str): Markdown.
    """
    of_facts = ["**Facts** of whole documents likewise:", "", *write_table(facts, FACT_COLUMNS), ""] if facts else []
    return "\n".join(
        [
            f"# {name}",
            "",
            f"{DESCRIPTION} An English pipeline of spacy-relext.",
            "",
            "```python",
            origin.load.replace("NAME", name),
            'for triple in nlp("Odalys Brandvold was born in Trysil.")._.triples:',
            "    print(triple.subject, triple.relation, triple.object, triple.score)",
            "```",
            "",
            "**Method.** RERE (Xie et al., ACL 2021): `rere_detector` says which relations a sentence states,",
            f"`rere_extractor` finds the arguments of each.{origin.method} All components read one MiniLM encoder.",
            "",
            f"**Relations.** {', '.join(labels)}.",
            "",
            f"**Data.** {origin.data}",
            "",
            f"**Scores**, in percent, exact spans, on {origin.test}:",
            "",
            *write_table(scores, COLUMNS),
            "",
            *of_facts,
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
    facts: Scores = (),
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
    meta.update(name=name, version=version, description=DESCRIPTION, author=AUTHOR, license=LICENCE)
    measured = [(scores, COLUMNS), (facts, FACT_COLUMNS)]
    meta["performance"] = {
        f"{part} {key}": values[key] for parts, columns in measured for part, values in parts for _, key in columns
    }
    srsly.write_json(target / "meta.json", meta)
    config = Config().from_disk(target / "config.cfg", interpolate=False)
    paths = config.get("paths", {})
    paths.update({name: None for name in ("train", "dev", "pipeline") if name in paths})  # of the machine that trained
    config.to_disk(target / "config.cfg")
    (target / "README.md").write_text(
        write_card(f"{meta['lang']}_{name}", labels, scores, origin=origin, facts=facts), encoding="utf8"
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
    parser.add_argument("--facts", action="append", default=[], metavar="NAME=FILE", help="scores of whole documents")
    options = parser.parse_args(arguments)
    scores, facts = (
        [(part, srsly.read_json(path)) for part, _, path in (value.partition("=") for value in given)]
        for given in (options.scores, options.facts)
    )
    origin = SHIPPED if options.shipped else TRAINED
    describe_pipeline(
        options.source,
        options.target,
        name=options.name,
        version=options.version,
        scores=scores,
        facts=facts,
        origin=origin,
    )
    print(f"{options.target}: described as {options.name} {options.version}")


if __name__ == "__main__":
    main(sys.argv[1:])
