"""`spacy relext explain`: what each triple of a text is based on."""

from typing import Annotated, List, Optional, Sequence, Union

import typer
from spacy.language import Language
from spacy.tokens import Doc

from ..annotations.constraints import get_removed
from ..annotations.store import get_records
from ..corpora.canonical import KNOWN_KEYS, check_record
from ..corpora.raw_text import RawText
from ..corpora.reader import predicted_doc
from ..errors import Errors
from ..pipeline.pipe import RelationPipe, list_near_misses
from ..pipeline.requirements import assigning_components, assigning_factories
from ..visuals.explanation import explain_doc
from ..visuals.page import render_page
from . import options
from .pipeline import fail, input_errors, keep_vectors, open_pipeline, use_gold_ents
from .view import read_docs, read_file, read_texts, save

TRIPLES = "doc._.triples"


def explain_cli(
    pipeline: options.Pipeline,
    text: Annotated[Optional[str], typer.Argument(metavar="TEXT", help="A text, or a file as for --file")] = None,
    file: Annotated[
        Optional[str], typer.Option(help="Text file, or .jsonl file of texts, optionally with entities, sents, pairs")
    ] = None,
    html: options.Html = None,
    near_misses: Annotated[
        int, typer.Option(min=0, help="Also list near misses, at most so many of a document, and what stopped each")
    ] = 0,
    gold_ents: options.GoldEnts = None,
    code: options.Code = None,
    gpu_id: options.Gpu = -1,
) -> None:
    """Explain each triple of a text by a rule that matches or is similar, attended words, or parts of the score."""
    with input_errors():
        if text is not None and file is not None:
            fail(Errors.R513.format(found="A TEXT and a --file"))
        options.check_suffix(html, ".html")
        if file is not None:
            texts = read_file(file)
        elif text is not None:
            texts = read_texts(text)
        else:
            fail(Errors.R513.format(found="No text"))
        nlp = open_pipeline(pipeline, gpu_id, code=code)
        with keep_vectors(nlp):
            docs = read_docs(nlp, prepare(nlp, texts, gold_ents=gold_ents))
        reasons = ["" if get_records(doc) else why_no_triple(nlp, doc) for doc in docs]
        found = [list_near_misses(nlp, doc) if near_misses else None for doc in docs]
        shown = [None if misses is None else misses[:near_misses] for misses in found]
        for number, (doc, reason, misses) in enumerate(zip(docs, reasons, shown), start=1):
            if len(docs) > 1:
                typer.echo(f"Document {number}")
            hidden = len(found[number - 1] or ()) - len(misses or ())
            typer.echo("\n".join(explain_doc(doc, reason=reason, misses=misses, hidden=hidden)))
        if html is not None:
            save(render_page(docs, reasons=reasons, misses=shown), html)


def why_no_triple(nlp: Language, doc: Doc) -> str:
    """Explain why an annotated Doc has no triple, by a clause of each component that states relations."""
    if removed := get_removed(doc):
        count = "the only triple" if len(removed) == 1 else f"all {len(removed)} triples"
        return f"{', '.join(sorted({each['removed']['by'] for each in removed}))} removed {count}"
    pipes = {name: pipe for name, pipe in nlp.pipeline if isinstance(pipe, RelationPipe)}
    names = assigning_components(nlp, TRIPLES) or list(pipes)
    if not names:
        return (
            f"no component of the pipeline ({', '.join(nlp.pipe_names) or 'nothing'}) says that it states relations; "
            f"give one that was trained with {' or '.join(assigning_factories(TRIPLES))}"
        )
    if not len(doc):
        return "the text is empty"
    reasons = [pipes[name].explain_no_triple(doc, nlp) if name in pipes else f"{name} states none" for name in names]
    if len(reasons) == 1:
        return reasons[0]
    return "; ".join(f"{name}: {reason}" for name, reason in zip(names, reasons))


def prepare(nlp: Language, texts: Sequence[RawText], *, gold_ents: Optional[bool]) -> List[Union[str, Doc]]:
    """Make Docs with the sentences, marked pairs and entities (see `use_gold_ents`) of records, but without triples.

    RAISES (ValueError): If a record is malformed.
    """
    with_ents = use_gold_ents(nlp, gold_ents)
    inputs: List[Union[str, Doc]] = []
    for raw in texts:
        if not any(key in raw.extra for key in KNOWN_KEYS) or len(raw.text) > nlp.max_length:
            inputs.append(raw.text)
            continue
        try:
            record = check_record({**raw.extra, "text": raw.text})
        except ValueError as error:
            raise ValueError(Errors.R100.format(where=raw.where, what=error)) from None
        inputs.append(predicted_doc(nlp, record, gold_ents=with_ents))
    return inputs
