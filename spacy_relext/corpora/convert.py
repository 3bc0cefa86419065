"""Raw files become a corpus: read, parse, locate, annotate, write; one record at a time."""

from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Optional, Sequence, Set, Tuple, Union

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from ..annotations.triple import Record
from ..errors import Errors
from .canonical import KNOWN_KEYS
from .damage import first_line
from .formats.registry import Format, bind_options
from .formats.sources import Item
from .records import record_to_doc
from .report import Report
from .shards import GOLD_ATTRS, Progress, ShardWriter

PathLike = Union[str, Path]


def convert(
    format: str,
    inputs: Sequence[PathLike],
    output: PathLike,
    *,
    nlp: Optional[Language] = None,
    strict: bool = False,
    part: slice = slice(None),
    shard: int = 0,
    annotator: Optional[str] = None,
    progress: Progress = iter,
    **options: object,
) -> Report:
    """Convert files of one format to a corpus that spaCy trains on, and count what is read, changed and left out.

    format (str): A name in `formats.registry.FORMATS`.
    output (PathLike): The .spacy file, or the folder if `shard` is given.
    nlp (Optional[Language]): Gives the tokenizer, and adds annotation; None: the English tokenizer alone.
    strict (bool): Stop at the first malformed record instead of skipping and counting it.
    part (slice): Which records to read, counted from 0 over all files, malformed ones included.
    shard (int): Docs per file of a folder; 0 writes one file.
    annotator (Optional[str]): Keep only what this annotator annotated.
    progress (Progress): Wraps the stream of Docs.
    options (object): Options of the format: `unit`, `pseudo_labels`; see `Format`. None and False count as not given.
    RAISES (ValueError): If an option or an input cannot be used, or, if strict, a record is malformed.
    """
    spec, target = bind_options(format, options, annotator=annotator), Path(output)
    paths = _check_inputs(inputs, target, folders=spec.folder)
    nlp = load_tokenizer("en") if nlp is None else nlp
    is_annotating = bool(nlp.pipe_names)
    writer = ShardWriter(target, shard=shard, attrs=None if is_annotating else GOLD_ATTRS)
    report = Report()
    items = islice(chain.from_iterable(map(spec.read, paths)), part.start, part.stop)
    docs: Iterable[Doc] = _Reading(spec, report, strict, annotator).docs(items, nlp)
    if is_annotating:
        docs = nlp.pipe(docs)
    with writer:
        for doc in progress(docs):
            report.count_doc(doc, found=is_annotating)
            writer.add(doc)
        if spec.check is not None:
            spec.check(report)
    if not report.docs:
        raise ValueError(Errors.R103.format(paths=", ".join(map(str, paths)), format=format, detail=_reason(report)))
    return report


def _reason(report: Report) -> str:
    if report.problems:
        return f"First problem: {report.problems[0]}."
    if report.pairs_left_out:
        return f"In none of {report.pairs_left_out} texts stand the two strings of its pair."
    if +report.losses:
        return "Left out: " + "; ".join(f"{kind} ({count})" for kind, count in report.losses.items() if count) + "."
    return "There is no record to read."


@dataclass
class _Reading:
    """Makes the Docs of one conversion and counts them."""

    spec: Format
    report: Report
    strict: bool
    annotator: Optional[str]
    seen: Set[int] = field(default_factory=set)

    def docs(self, items: Iterable[Item], nlp: Language) -> Iterator[Doc]:
        """Make Docs of items. Malformed ones are counted, or raise an error if strict."""
        for item in items:
            self.report.records += 1
            self.report.where = item.where
            try:
                record = self._parse(item)
                if record is not None:
                    one_sentence = self.spec.one_sentence
                    yield record_to_doc(nlp.make_doc, record, one_sentence=one_sentence, report=self.report)
            except ValueError as error:
                what = str(error).replace("\n", " ")
                self.report.count_problem(item.where, what)
                if self.strict:
                    raise ValueError(Errors.R100.format(where=item.where, what=what)) from None

    def _parse(self, item: Item) -> Optional[Record]:
        """Make a canonical record of an item; None if it is left out, which is counted."""
        if item.error:
            raise ValueError(item.error)
        parsed = self.spec.parse(item.value)
        record = parsed if self.spec.locate is None else self.spec.locate(parsed, self.report)
        if record is None:
            return None
        if self.annotator not in (None, record.get("annotator")):
            self.report.losses["documents of other annotators"] += 1
            return None
        for key in ("triples", "rejected"):
            if key in record:
                record[key] = self._clean(record[key])
        text = hash(record["text"])
        self.report.repeated_texts += text in self.seen
        self.seen.add(text)
        self.report.other_keys.update(record.keys() - set(KNOWN_KEYS))
        return record

    def _clean(self, triples: List[Record]) -> List[Record]:
        """Remove duplicate triples, and count them."""
        unique: Dict[Tuple[object, ...], Record] = {}
        for triple in triples:
            key = (*triple["subject"], triple["relation"], *triple["object"], triple.get("source", ""))
            self.report.duplicates += key in unique
            unique.setdefault(key, triple)
        return list(unique.values())


def load_tokenizer(lang: str) -> Language:
    """Make a blank pipeline; ValueError if spaCy does not know the language or lacks its tokenizer."""
    try:
        return spacy.blank(lang)
    except (ImportError, OSError) as error:
        raise ValueError(Errors.R108.format(lang=lang, reason=str(error).splitlines()[0])) from None


def load_pipeline(path: PathLike, *, message: str = Errors.R109) -> Language:
    """Load a trained pipeline.

    path (PathLike): A folder, or the name of an installed package.
    message (str): Template of the ValueError if it cannot be loaded.
    """
    try:
        return spacy.load(path)
    except Exception as error:  # a damaged folder can raise almost any exception
        raise ValueError(message.format(path=str(path), reason=first_line(error))) from None


def _check_inputs(inputs: Sequence[PathLike], output: Path, *, folders: bool) -> List[Path]:
    """Check that the inputs are files, or folders if the format allows them, and that none would be overwritten."""
    paths = [Path(path) for path in inputs]
    for path in paths:
        if not path.is_file() and not (folders and path.is_dir()):
            what = "it is a folder" if path.is_dir() else "there is none"
            raise ValueError(Errors.R116.format(path=str(path), what=what))
        if path.resolve() == output.resolve():
            raise ValueError(Errors.R105.format(path=str(path)))
    return paths
