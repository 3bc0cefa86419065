"""Raw files become a corpus: read, parse, locate, rename, annotate, write; one record at a time."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Set, Tuple, Union

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from ..annotations.triple import Record
from ..errors import Errors
from .formats.locate import OCCURRENCES
from .formats.registry import Format, get_format
from .formats.sources import Item
from .records import KNOWN_KEYS, record_to_doc
from .report import Report
from .shards import GOLD_ATTRS, Progress, ShardWriter

PathLike = Union[str, Path]
RelationMap = Mapping[str, Optional[str]]


def convert(
    format: str,
    inputs: Sequence[PathLike],
    output: PathLike,
    *,
    lang: str = "en",
    occurrences: str = "nearest",
    strict: bool = False,
    one_sentence: bool = True,
    pipeline: Optional[PathLike] = None,
    relation_map: Optional[RelationMap] = None,
    limit: int = 0,
    skip: int = 0,
    shard: int = 0,
    progress: Optional[Progress] = None,
) -> Report:
    """Convert files of one format to a corpus that spaCy trains on.

    format (str): A name in `formats.FORMATS`.
    inputs (Sequence[PathLike]): The files, in this order.
    output (PathLike): The .spacy file, or the folder if `shard` is given.
    lang (str): Language of the tokenizer; "zh" makes a token of each character.
    occurrences (str): Which places of strings that occur several times: `nearest`, `first` or `all`.
    strict (bool): Stop at the first malformed record instead of skipping and counting it.
    one_sentence (bool): Mark each record of a single-sentence format as one sentence.
    pipeline (Optional[PathLike]): A spaCy pipeline that adds annotation and brings its own tokenizer.
    relation_map (Optional[RelationMap]): Old → new label; None as new label removes the triples.
    limit (int): Most records after the skipped ones, malformed ones included; 0 for all.
    skip (int): Number of records to skip first.
    shard (int): Docs per file of a folder; 0 writes one file.
    progress (Optional[Progress]): Wraps the stream of Docs.
    RETURNS (Report): Counts of what was read, changed and left out.
    RAISES (ValueError): If an option or an input cannot be used, or, if strict, a record is malformed.
    """
    _check_options(occurrences, limit, skip)
    spec, paths, target = get_format(format), _check_inputs(inputs, Path(output)), Path(output)
    writer = ShardWriter(target, shard=shard, attrs=None if pipeline else GOLD_ATTRS)
    nlp = load_tokenizer(lang) if pipeline is None else load_pipeline(pipeline)
    report = Report(format=format)
    reading = _Reading(spec, report, occurrences=occurrences, strict=strict, relation_map=relation_map or {})
    records = reading.records(paths, skip=skip, limit=limit)
    docs: Iterable[Doc] = reading.docs(records, nlp, one_sentence=one_sentence and spec.one_sentence)
    if pipeline is not None:
        docs = nlp.pipe(docs)
    with writer:
        for doc in docs if progress is None else progress(docs):
            report.count_doc(doc)
            writer.add(doc)
    if not report.docs:
        raise ValueError(Errors.R103.format(paths=", ".join(map(str, paths)), format=format, detail=_reason(report)))
    return report


def _reason(report: Report) -> str:
    """Return why nothing was read."""
    if report.problems:
        return f"First problem: {report.problems[0]}."
    if report.pairs_left_out:
        return f"In none of {report.pairs_left_out} texts stand the two strings of its pair."
    return "There is no record to read."


@dataclass
class _Reading:
    """Reads the records of one conversion and counts them."""

    spec: Format
    report: Report
    occurrences: str
    strict: bool
    relation_map: RelationMap
    seen: Set[int] = field(default_factory=set)

    def records(self, paths: Sequence[Path], *, skip: int, limit: int) -> Iterator[Record]:
        """Read canonical records from the files."""
        number = 0
        for path in paths:
            for item in self.spec.read(path):
                number += 1
                if number <= skip:
                    continue
                if limit and number > skip + limit:
                    return
                record = self._parse(item)
                if record is not None:
                    yield record

    def docs(self, records: Iterable[Record], nlp: Language, *, one_sentence: bool) -> Iterator[Doc]:
        """Make Docs of records."""
        for record in records:
            where = self.report.where
            try:
                yield record_to_doc(nlp.make_doc, record, one_sentence=one_sentence, report=self.report)
            except ValueError as error:
                self._problem(where, str(error).replace("\n", " "))

    def _parse(self, item: Item) -> Optional[Record]:
        """Make a canonical record of an item; None if it is malformed or left out, which is counted."""
        self.report.records += 1
        self.report.where = item.where
        try:
            if item.error:
                raise ValueError(item.error)
            record = self.spec.parse(item.value)
        except ValueError as error:
            self._problem(item.where, str(error))
            return None
        if self.spec.locate is not None:
            located = self.spec.locate(record, self.report, occurrences=self.occurrences)
            if located is None:
                return None
            record = located
        if "triples" in record:
            record["triples"] = self._clean(record["triples"])
        text = hash(record["text"])
        self.report.repeated_texts += text in self.seen
        self.seen.add(text)
        self.report.other_keys.update(key for key in record if key not in KNOWN_KEYS)
        return record

    def _problem(self, where: str, what: str) -> None:
        """Stop at a malformed record, or count it."""
        self.report.count_problem(where, what)
        if self.strict:
            raise ValueError(Errors.R100.format(where=where, what=what))

    def _clean(self, triples: List[Record]) -> List[Record]:
        """Rename relations and remove triples that are then duplicates."""
        unique: Dict[Tuple[object, ...], Record] = {}
        for triple in triples:
            relation = self.relation_map.get(triple["relation"], triple["relation"])
            if relation is None:
                self.report.removed_by_map += 1
                continue
            self.report.relabelled += relation != triple["relation"]
            key = (*triple["subject"], relation, *triple["object"], triple.get("source", ""))
            self.report.duplicates += key in unique
            unique.setdefault(key, {**triple, "relation": relation})
        return list(unique.values())


def load_tokenizer(lang: str) -> Language:
    """Make a blank pipeline of a language.

    RAISES (ValueError): If spaCy does not know the language or lacks its tokenizer.
    """
    try:
        return spacy.blank(lang)
    except (ImportError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(Errors.R108.format(lang=lang, reason=reason)) from None


def load_pipeline(path: PathLike, *, message: str = Errors.R109) -> Language:
    """Load a trained pipeline.

    path (PathLike): A folder, or the name of an installed package.
    message (str): Template of the error message.
    RETURNS (Language): The pipeline.
    RAISES (ValueError): If it cannot be loaded.
    """
    try:
        return spacy.load(path)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise ValueError(message.format(path=str(path), reason=first_line(error))) from None


def first_line(error: BaseException) -> str:
    """Return the first line of an error that is not blank, without its full stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".")


def load_relation_map(path: PathLike) -> Dict[str, Optional[str]]:
    """Read a JSON object from old to new labels of relations; null removes the triples of a relation.

    path (PathLike): The file.
    RETURNS (Dict[str, Optional[str]]): The map.
    RAISES (ValueError): If the file holds anything else.
    """
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise ValueError(Errors.R110.format(path=path, what=f"cannot be read ({error})")) from None
    if not isinstance(value, dict):
        raise ValueError(Errors.R110.format(path=path, what=f"holds a {type(value).__name__}"))
    for old, new in value.items():
        if new is not None and not (isinstance(new, str) and new.strip()):
            raise ValueError(Errors.R110.format(path=path, what=f"the new label of {old!r} is {new!r}"))
    return value


def _check_options(occurrences: str, limit: int, skip: int) -> None:
    """Check the options."""
    if occurrences not in OCCURRENCES:
        expected = " or ".join(OCCURRENCES)
        raise ValueError(Errors.R107.format(option="--occurrences", found=occurrences, expected=expected))
    for option, value in (("--limit", limit), ("--skip", skip)):
        if value < 0:
            raise ValueError(Errors.R107.format(option=option, found=value, expected="0 or more records"))


def _check_inputs(inputs: Sequence[PathLike], output: Path) -> List[Path]:
    """Check that the inputs are files and that none of them would be overwritten."""
    paths = [Path(path) for path in inputs]
    for path in paths:
        if not path.is_file():
            what = "it is a folder" if path.is_dir() else "there is none"
            raise ValueError(Errors.R116.format(path=str(path), what=what))
        if path.resolve() == output.resolve():
            raise ValueError(Errors.R105.format(path=str(path)))
    return paths
