"""`spacy relext rules …`: check and mine labelling rules."""

from pathlib import Path
from typing import Annotated, Callable, Iterator, List

import typer
from spacy.lang.lex_attrs import LEX_ATTRS
from spacy.pipeline import Sentencizer
from spacy.tokens import Doc
from spacy.vocab import Vocab
from wasabi import msg

from ..corpora.convert import load_tokenizer
from ..corpora.shards import iter_docs
from ..errors import Errors
from ..nero.rules.analysis import analyze_rules, format_check, format_idle, unknown_labels
from ..nero.rules.index import FORMS, MAX_GAP
from ..nero.rules.mining import mine_patterns, write_patterns
from ..nero.rules.rules import SHOWN, TABLE, read_rules, usable_rules
from ..pairs.suggesters import AnnotatedPairs, EntityPairs, Suggester
from . import options
from .pipeline import fail, input_errors, with_progress

Marked = Annotated[
    bool, typer.Option("--marked", help="Use the pairs that the data set marks, not all pairs of entities")
]


def check_cli(
    rules: Annotated[
        Path, typer.Argument(metavar="RULES", help="JSON lines, JSON list, .tsv table, or a folder of them")
    ],
    corpus: options.Corpus,
    lang: options.Lang = "en",
    form: Annotated[str, typer.Option(help=f"What of a token is compared: {', '.join(FORMS)}")] = "text",
    max_gap: Annotated[
        int, typer.Option(min=0, max=MAX_GAP, help="Maximum number of tokens that * matches; 0: no gaps")
    ] = 0,
    marked: Marked = False,
) -> None:
    """Report where rules match, which are invalid or contradict others, and their near misses."""
    if form not in FORMS:
        fail(Errors.R206.format(option="--form", found=form, expected=", ".join(FORMS)))
    suggester: Suggester = AnnotatedPairs() if marked else EntityPairs()
    with input_errors():
        rule_set = read_rules(rules, tokenize=tokenizer_of(lang), max_gap=max_gap, lower=form == "lower")
        for problem in rule_set.problems if sum(each.fatal for each in rule_set.problems) > SHOWN else ():
            msg.warn(f"{problem.where}: {problem.message}")
        usable = usable_rules(rule_set, rules)
        docs = with_progress(read_sentences(corpus))
        report = analyze_rules(usable, docs, suggester=suggester, form=form, max_gap=max_gap)
        if form == "lemma" and not report.lemmatized:
            fail(Errors.R519.format(path=str(corpus)))
        if not report.pairs:
            fail(Errors.R501.format(path=str(corpus)))
    typer.echo(format_check(report))
    typer.echo(format_idle(report.rules))
    problems = [f"{each.where}: {each.message}" for each in rule_set.problems]
    for message in (*problems, *unknown_labels(report)):
        msg.warn(message)


def mine_cli(
    corpus: options.Corpus,
    output: Annotated[Path, typer.Argument(metavar="OUT.tsv", help="Table of patterns, to be given relations by hand")],
    min_count: options.MinCount = 3,
    longest: Annotated[int, typer.Option(min=1, help="Maximum number of words between two entities")] = 6,
    top: options.Top = 500,
    examples: options.Examples = 2,
    marked: Marked = False,
) -> None:
    """List frequent texts between two entities; with relations filled in, the table is a file of rules."""
    suggester: Suggester = AnnotatedPairs() if marked else EntityPairs()
    options.check_suffix(output, TABLE)
    with input_errors():
        docs = with_progress(read_sentences(corpus))
        mined = mine_patterns(docs, suggester=suggester, longest=longest, least=min_count, top=top, examples=examples)
        if not mined:
            fail(Errors.R502.format(path=str(corpus), least=min_count, longest=longest))
        write_patterns(mined, output)
    msg.good(f"Wrote {len(mined)} patterns to {output}")
    msg.info("Fill in `relation` (left to right) or `reversed` (right to left); lines without either are no rules.")


def read_sentences(corpus: Path) -> Iterator[Doc]:
    """Read a corpus; texts without sentences are split by a `sentencizer`."""
    split = Sentencizer()
    # a bare Vocab knows no lower-case forms
    for doc in iter_docs(corpus, Vocab(lex_attr_getters=LEX_ATTRS)):
        yield doc if doc.has_annotation("SENT_START") else split(doc)


def tokenizer_of(lang: str) -> Callable[[str], List[str]]:
    """Return a function that tokenizes words of rules as texts of a language. RAISES (ValueError): See R108."""
    tokenizer = load_tokenizer(lang).tokenizer
    return lambda word: [token.text for token in tokenizer(word)]
