"""Raw files become a corpus: read, parse, locate, annotate, write; one record at a time."""

from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Optional, Sequence, Set, Tuple, Union

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from ..annotations.triple import Record
from ..errors import Errors
from .canonical import KNOWN_KEYS, trim_record
from .formats.annotation import LOSSES, Losses
from .formats.evidence import OffsetConvention
from .formats.other_keys import rows_of_record, split_others
from .formats.recognition import describe_likeness
from .formats.registry import FORMATS, Format, bind_options
from .formats.sources import Item
from .records import record_to_doc
from .report import Report
from .shards import GOLD_ATTRS, Progress
from .split import Split, SplitWriter, name_parts, open_writer

PathLike = Union[str, Path]

# What becomes of malformed records: stop at the first, skip up to a tenth, skip all.
MALFORMED = ("refuse", "few", "any")
_TOLERANCE = 0.1


def convert(
    format: str,
    inputs: Sequence[PathLike],
    output: PathLike,
    *,
    nlp: Optional[Language] = None,
    malformed: str = "few",
    part: slice = slice(None),
    shard: int = 0,
    annotator: Optional[str] = None,
    split: Optional[Split] = None,
    progress: Progress = iter,
    **options: object,
) -> Report:
    """Convert files of one format to a corpus that spaCy trains on, and count what is read, changed and left out.

    format (str): A name in `formats.registry.FORMATS`.
    output (PathLike): The .spacy file, or the folder if `shard` is given.
    nlp (Optional[Language]): Gives the tokenizer, and adds annotation; None: the English tokenizer alone.
    malformed (str): "refuse": stop at the first malformed record. "few": skip and count up to a tenth of the records,
        and expect annotation unless the format is one of texts. "any": skip and count all, and expect no annotation.
    part (slice): Which records to read, counted from 0 over all files, malformed ones included.
    shard (int): Docs per file of a folder; 0 writes one file.
    annotator (Optional[str]): Keep only what this annotator annotated.
    split (Optional[Split]): Write a corpus for each part; its name is added to the name of the output.
    progress (Progress): Wraps the stream of Docs.
    options (object): Options of the format: `unit`, `pseudo_labels`, `offsets`, `discontinuous`; see `Format`. None
        and False count as not given.
    RAISES (ValueError): If an option or an input cannot be used, too many records are malformed, or none is annotated.
    """
    if malformed not in MALFORMED:
        raise ValueError(Errors.R206.format(option="--malformed", found=malformed, expected=", ".join(MALFORMED)))
    spec, target = bind_options(format, options, annotator=annotator), Path(output)
    paths = _check_inputs(inputs, [target, *name_parts(target, split)], folders=spec.folder)
    nlp = load_tokenizer("en") if nlp is None else nlp
    is_annotating = bool(nlp.pipe_names)
    writer = open_writer(target, split, shard=shard, attrs=None if is_annotating else GOLD_ATTRS)
    report = Report(parts=writer.parts if isinstance(writer, SplitWriter) else [])
    items = islice(chain.from_iterable(_read(path, spec, format) for path in paths), part.start, part.stop)
    docs: Iterable[Doc] = _Conversion(spec, format, report, malformed == "refuse", annotator).docs(items, nlp)
    if is_annotating:
        docs = nlp.pipe(docs)
    with writer:
        for doc in progress(docs):
            report.count_doc(doc, found=is_annotating)
            writer.add(doc)
        if not report.docs:
            named = ", ".join(map(str, paths))
            raise ValueError(Errors.R103.format(paths=named, format=format, detail=_reason(report)))
        if malformed != "any":
            if report.skipped > _TOLERANCE * report.records:
                problem, counts = report.problems[0].rstrip("."), (report.skipped, report.records)
                raise ValueError(Errors.R128.format(skipped=counts[0], records=counts[1], problem=problem))
            _check_annotated(report, spec, format, paths)
        report.is_bare = spec.is_annotated is not False and report.not_annotated == report.docs
        if spec.check is not None:
            spec.check(report)
    return report


def _read(path: Path, spec: Format, name: str) -> Iterator[Item]:
    """Read a file. RAISES (ValueError): If it cannot be read: why, and what else it looks like."""
    try:
        convention = OffsetConvention({})
        if spec.decide is not None:
            convention = spec.decide(item.value for item in spec.read(path))
        yield from (replace(item, convention=convention) for item in spec.read(path))
    except ValueError as error:
        raise ValueError(f"{error} {describe_likeness(path, but=name, known=FORMATS)}".rstrip()) from None


def _check_annotated(report: Report, spec: Format, name: str, paths: Sequence[Path]) -> None:
    """RAISES (ValueError): If annotation is expected and there is none, which happens if a file has another format."""
    expected = report.lists_kept > 0 if spec.is_annotated is None else spec.is_annotated
    if (
        expected
        and report.not_annotated == report.docs
        and not (report.entities or report.incomplete or report.rejected or report.clusters)
    ):
        found = f" (other keys: {', '.join(sorted(report.other_keys))})" if report.other_keys else ""
        likeness = describe_likeness(paths[0], but=name, known=FORMATS)
        raise ValueError(Errors.R129.format(count=report.docs, found=found, likeness=likeness).rstrip())


def _reason(report: Report) -> str:
    if report.problems:
        return f"First problem: {report.problems[0].rstrip('.')}."
    if report.pairs_left_out:
        return f"In none of {report.pairs_left_out} texts stand the two strings of its pair."
    if +report.losses:
        return "Left out: " + "; ".join(f"{kind} ({count})" for kind, count in report.losses.items() if count) + "."
    return "There is no record to read."


@dataclass
class _Repeats:
    """What was seen of the records of a conversion, as hashes.

    texts, copies (Set[int]): Texts, and texts with their annotation.
    pairs (Dict[int, Set[bool]]): Of each marked pair of a text, whether it was related.
    """

    texts: Set[int] = field(default_factory=set)
    copies: Set[int] = field(default_factory=set)
    pairs: Dict[int, Set[bool]] = field(default_factory=dict)

    def count(self, record: Record, report: Report) -> None:
        """Count what a record repeats of earlier ones, and which of its pairs it contradicts."""
        text = hash(record["text"])
        report.repeated_texts += text in self.texts
        self.texts.add(text)
        copy = hash((text, repr([record.get(key) for key in ("entities", "triples", "pairs")])))
        report.copies += copy in self.copies
        self.copies.add(copy)
        if "triples" not in record:
            return
        related = {frozenset((tuple(each["subject"]), tuple(each["object"]))) for each in record["triples"]}
        for pair in record.get("pairs", ()):
            ends = tuple(pair["subject"]), tuple(pair["object"])
            states = self.pairs.setdefault(hash((text, ends)), set())
            before = len(states)
            states.add(frozenset(ends) in related)
            report.contradictions += before == 1 and len(states) == 2


@dataclass
class _Conversion:
    """Makes the Docs of one conversion and counts them."""

    spec: Format
    name: str
    report: Report
    strict: bool
    annotator: Optional[str]
    repeats: _Repeats = field(default_factory=_Repeats)

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
                if not self.report.problems:
                    value = () if item.value is None else item.value
                    likeness = describe_likeness(Path(item.path), but=self.name, known=FORMATS, value=value)
                    what = f"{what.rstrip('.')}. {likeness.rstrip('.')}" if likeness else what
                self.report.count_problem(item.where, what)
                if self.strict:
                    raise ValueError(Errors.R100.format(where=item.where, what=what)) from None

    def _parse(self, item: Item) -> Optional[Record]:
        """Make a canonical record of an item; None if it is left out, which is counted."""
        if item.error:
            raise ValueError(item.error)
        value, losses = rows_of_record(item.value, self.spec.objects)
        parsed = self.spec.parse(value, **item.convention.options)
        others, unread = split_others(value, self.spec.keys, self.spec.objects)
        self.report.losses += losses + unread + parsed.pop(LOSSES, Losses())
        self.report.conventions.update([item.convention.note] if item.convention.note else ())
        record = parsed if self.spec.locate is None else self.spec.locate(parsed, self.report)
        if record is None:
            return None
        if self.annotator not in (None, record.get("annotator")):
            self.report.losses["documents of other annotators"] += 1
            return None
        record = {**others, **trim_record(record, self.report.losses)}
        for key in ("triples", "rejected"):
            if key in record:
                record[key] = self._clean(record[key])
        self.repeats.count(record, self.report)
        others = {key: each for key, each in record.items() if key not in KNOWN_KEYS}
        self.report.other_keys.update(others.keys())
        self.report.lists_kept += any(each and isinstance(each, (list, dict)) for each in others.values())
        return record

    def _clean(self, triples: List[Record]) -> List[Record]:
        """Remove duplicate triples, and count them."""
        unique: Dict[Tuple[object, ...], Record] = {}
        for triple in triples:
            key = (*triple["subject"], triple["relation"], *triple["object"], triple.get("source", ""))
            self.report.duplicates += key in unique
            unique.setdefault(key, triple)
        return list(unique.values())


SPACES = {"@tokenizers": "spacy.Tokenizer.v1"}  # spaCy's tokenizer of most languages


def load_tokenizer(lang: str) -> Language:
    """Make a blank pipeline with the tokenizer of the configs, or a language's own if it does not split at spaces.

    RAISES (ValueError): If spaCy does not know the language or lacks its tokenizer.
    """
    try:
        usual = spacy.util.get_lang_class(lang).default_config["nlp"]["tokenizer"]
        tokenizer = {"@tokenizers": "spacy_relext.Tokenizer.v1"} if usual == SPACES else usual
        return spacy.blank(lang, config={"nlp": {"tokenizer": tokenizer}})
    except (ImportError, OSError) as error:
        raise ValueError(Errors.R108.format(lang=lang, reason=str(error).splitlines()[0])) from None


def _check_inputs(inputs: Sequence[PathLike], outputs: Sequence[Path], *, folders: bool) -> List[Path]:
    """Check that the inputs are files, or folders if the format allows them, and that none would be overwritten."""
    paths = [Path(path) for path in inputs]
    for path in paths:
        if not path.is_file() and not (folders and path.is_dir()):
            what = "it is a folder" if path.is_dir() else "there is none"
            raise ValueError(Errors.R116.format(path=str(path), what=what))
        if path.resolve() in [output.resolve() for output in outputs]:
            raise ValueError(Errors.R105.format(path=str(path)))
    return paths
