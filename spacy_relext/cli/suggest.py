"""`spacy relext suggest`: the texts of a pool to annotate next, with the triples of a pipeline as suggestions."""

from pathlib import Path
from typing import Annotated, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Union

import typer
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import minibatch
from spacy.vocab import Vocab
from wasabi import msg

from ..annotations.triple import Record
from ..corpora.export import ExportReport, format_export_report
from ..corpora.formats.registry import WRITABLE, Format, get_format
from ..corpora.jsonl import write_jsonl
from ..corpora.records import KNOWN_KEYS, doc_to_record
from ..corpora.shards import SUFFIX, iter_docs
from ..corpora.texts import JSONL_SUFFIXES, RawText, TextReader
from ..errors import Errors, check_choice
from ..pipeline.active_learning import (
    ORDERS,
    Informativeness,
    Selection,
    Shingles,
    count_relations,
    measure,
    text_shingles,
    weight_relations,
)
from . import options
from .explain import prepare
from .pipeline import fail, input_errors, keep_vectors, open_pipeline, with_progress

# Under which key of a record its rank and the reason for it are.
SUGGESTED = "suggested"


class Candidate(NamedTuple):
    """A text of the pool."""

    informativeness: Informativeness
    shingles: Shingles
    raw: RawText
    record: Optional[Record]  # with the pipeline's triples; None if it has not run


def suggest_cli(
    pipeline: options.Pipeline,
    texts: Annotated[
        str, typer.Argument(metavar="TEXTS", help="Pool: text file (a text per line), .jsonl, .spacy, folder of .txt")
    ],
    output: Annotated[
        Path, typer.Argument(metavar="OUT", help=".jsonl of canonical records for `correct`, or as --to has it")
    ],
    to: Annotated[Optional[str], typer.Option(help=f"Format of a tool: {', '.join(WRITABLE)}")] = None,
    by: Annotated[str, typer.Option(help=f"Order: {', '.join(ORDERS)}")] = ORDERS[0],
    limit: Annotated[int, typer.Option(min=1, help="Texts to choose")] = 100,
    against: Annotated[
        Optional[str], typer.Option(metavar="PIPELINE", help="Second pipeline for disagreement, such as one of rules")
    ] = None,
    annotated: Annotated[
        Optional[Path], typer.Option(metavar="CORPUS.spacy", help="Annotated already: rare relations get more weight")
    ] = None,
    quota: Annotated[int, typer.Option(min=0, help="Most texts chosen because of one relation; 0: no limit")] = 0,
    batch_size: options.BatchSize = 64,
    seed: options.Seed = 0,
    gold_ents: options.GoldEnts = None,
    code: options.Code = None,
    gpu_id: options.Gpu = -1,
) -> None:
    """Choose the texts to annotate next, without near-duplicates, and write them with the pipeline's triples."""
    with input_errors():
        check_choice("--by", by, ORDERS)
        if against is not None and by != "disagreement":
            fail(Errors.R206.format(option="--by with --against", found=by, expected="disagreement"))
        spec = None if to is None else get_format(to, names=WRITABLE)
        if spec is None or not spec.folder:
            options.check_suffix(output, JSONL_SUFFIXES[0] if spec is None else spec.suffix)
        reader = TextReader(texts, report=lambda line: typer.echo(line, err=True))
        nlp = open_pipeline(pipeline, gpu_id, code=code)
        other = None if against is None else open_pipeline(against, gpu_id, code=code)
        reader.max_length = nlp.max_length
        selection = Selection(limit=limit, quota=quota, seed=seed)
        weights = _select(nlp, annotated, selection)
        pool = [
            candidate
            for batch in minibatch(with_progress(_read_pool(reader)), batch_size)
            for candidate in _measure_batch(nlp, batch, other=other, by=by, weights=weights, gold_ents=gold_ents)
        ]
        if not pool:
            fail(Errors.R117.format(path=texts))
        chosen = [pool[number] for number in selection.choose([(each[0], each[1]) for each in pool])]
        records = _finish(nlp, chosen, by=by, gold_ents=gold_ents)
        files = _write(records, output, spec)
    left = f"{len(pool)} texts read, {selection.duplicates} left out as near-duplicates"
    typer.echo(left + (f", {selection.over_quota} over the quota" if quota else ""))
    if len(chosen) < limit:
        msg.warn(f"Only {len(chosen)} of {limit} texts could be chosen.")
    msg.good(f"Wrote {len(chosen)} texts in the order of {by} to {', '.join(map(str, files))}")


def _write(records: List[Record], output: Path, spec: Optional[Format]) -> List[Path]:
    """Write the records as JSON lines, or in the format of a tool with a report."""
    if spec is None:
        write_jsonl(output, records)
        return [output]
    assert spec.write is not None  # WRITABLE
    count = sum(len(record.get("triples", ())) for record in records)
    report = ExportReport(docs=len(records), triples=count, suggestions=count)
    files = spec.write(iter(records), output, report.losses)
    typer.echo(format_export_report(report))
    return files


def _select(nlp: Language, annotated: Optional[Path], selection: Selection) -> Mapping[str, float]:
    """Keep texts like those that are annotated already out of a selection; return the weights of relations."""
    if annotated is None:
        return {}
    docs = list(iter_docs(annotated, nlp.vocab))
    for doc in docs:
        selection.add_annotated(doc)
    return weight_relations(count_relations(docs), {label for labels in nlp.pipe_labels.values() for label in labels})


def _read_pool(reader: TextReader) -> Iterator[RawText]:
    """Read texts; those of a corpus with their annotation but triples."""
    path = Path(reader.path)
    if path.suffix != SUFFIX:
        yield from reader
        return
    for number, doc in enumerate(iter_docs(path, Vocab()), start=1):
        record = doc_to_record(doc)
        yield RawText(record.pop("text"), f"{path}, document {number}", record)


def _measure_batch(
    nlp: Language,
    batch: Sequence[RawText],
    *,
    other: Optional[Language],
    by: str,
    weights: Mapping[str, float],
    gold_ents: Optional[bool],
) -> List[Candidate]:
    """Measure how informative some texts are; a pipeline runs on them only if its triples are needed for that."""
    docs: Sequence[Optional[Doc]]
    if by == "random":
        return [Candidate(Informativeness(0.0), text_shingles(nlp.make_doc(raw.text)), raw, None) for raw in batch]
    docs = _run(nlp, prepare(nlp, batch, gold_ents=gold_ents))
    rivals: Sequence[Optional[Doc]] = [None] * len(docs)
    if other is not None:
        rivals = _run(other, prepare(other, batch, gold_ents=gold_ents))
    return [
        Candidate(measure(nlp, doc, by=by, weights=weights, other=rival), text_shingles(doc), raw, doc_to_record(doc))
        for doc, rival, raw in zip(docs, rivals, batch)
    ]


def _run(nlp: Language, inputs: Sequence[Union[str, Doc]]) -> List[Doc]:
    """Run a pipeline, and keep what its scores are computed from."""
    with keep_vectors(nlp):
        return list(nlp.pipe(inputs))


def _finish(nlp: Language, chosen: Sequence[Candidate], *, by: str, gold_ents: Optional[bool]) -> List[Record]:
    """Make the records of the chosen texts, with other keys of the input and the rank."""
    records = [each.record for each in chosen]
    if by == "random":
        records = [
            doc_to_record(d) for d in _run(nlp, prepare(nlp, [each.raw for each in chosen], gold_ents=gold_ents))
        ]
    finished = []
    for rank, (each, record) in enumerate(zip(chosen, records), start=1):
        assert record is not None
        score, relation, reason = each.informativeness
        suggested = {"rank": rank, "by": by, "score": round(score, 4), "relation": relation, "reason": reason}
        others = {key: value for key, value in each.raw.extra.items() if key not in KNOWN_KEYS}
        finished.append({**record, **others, SUGGESTED: suggested})
    return finished
