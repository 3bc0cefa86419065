"""All pairs of a corpus with their contexts, each under a key that does not depend on the Doc object."""

from collections import Counter
from hashlib import blake2b
from re import sub
from textwrap import shorten
from typing import Collection, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc, Span, Token
from spacy.training import Example
from spacy.util import minibatch

from ..annotations.entities import doc_entities
from ..pairs.component import COLLECT_BATCH, PairPipe
from ..pairs.gold import PairClass, match_gold
from ..pairs.pairs import Pairs
from .names import Cluster, Words, is_content, lexicon_of

# Maximum number of words between the arguments, and before and behind them: beyond, words say little about the pair.
MAX_GAP, MAX_AROUND = 10, 4

# Characters of each part of a sample: of both arguments, and of what is between them.
MAX_SHOWN = 16

# Languages in which every noun has a capital.
CAPITAL_NOUNS = ("de", "lb")

ELLIPSIS = "…"


class Context(NamedTuple):
    """Context of a pair in a text.

    text (int): Hash of the text, so that a text with many pairs counts once.
    words (Words): In lower case; "" for what no name may contain or span: names, numbers, dates, punctuation.
    sample (str): Both arguments and what is between them, shortened, on one line.
    """

    text: int
    words: Words
    sample: str


def read_contexts(pairs: Pairs, *, stop: Collection[str]) -> List[Context]:
    """Read the words between the arguments of each pair; without a content word there, also those behind and before.

    stop (Collection[str]): Stop words.
    """
    words = [_name_words(doc) for doc in pairs.docs]
    contexts = []
    for number in range(len(pairs)):
        index, first, end, start, last = pairs.place(number)
        doc, own, (text_start, text_end) = pairs.docs[index], words[index], pairs.text[number].tolist()
        between = [word for word in own[end:start] if word is not None]
        found = tuple(between)
        if not any(is_content(word, stop) for word in found):
            behind, ahead = (
                [word for word in part if word is not None]
                for part in (own[max(end, last) : text_end], own[text_start:first])
            )
            found = (*found, "", *behind[:MAX_AROUND], "", *ahead[-MAX_AROUND:])
        elif len(found) > MAX_GAP:
            found = ()
        sample = _sample(doc[first:end], doc[start:last], [word for word in between if is_content(word, stop)])
        contexts.append(Context(hash((doc.text, text_start)), found, sample))
    return contexts


class PairTable(NamedTuple):
    """The pairs of a corpus, each once, ordered by their keys, so that the order of the corpus has no effect.

    keys (List[bytes]): From `keys_of`.
    vectors (NDArray): h, in half precision. Shape (N, F)
    contexts (List[Context]): Their contexts, from `read_contexts`.
    types (List[Tuple[str, str]]): Entity types of subject and object; "" for none.
    gold (List[Optional[PairClass]]): Gold class of each, if gold is read.
    backwards (List[bool]): Whether the object comes before the subject.
    """

    keys: List[bytes]
    vectors: NDArray[numpy.float16]
    contexts: List[Context]
    types: List[Tuple[str, str]]
    gold: List[Optional[PairClass]]
    backwards: List[bool]


def keys_of(pairs: Pairs) -> List[bytes]:
    """Hash the text and the argument positions of each pair, not the Doc: spaCy copies Docs before every update."""
    texts = [blake2b(doc.text.encode(), digest_size=12) for doc in pairs.docs]
    keys = []
    for number in range(len(pairs)):
        name = texts[int(pairs.doc[number])].copy()
        name.update(numpy.stack([pairs.subject[number], pairs.object[number]]).astype("<i8").tobytes())
        keys.append(name.digest())
    return keys


def encode_pairs(pipe: PairPipe, examples: Iterable[Example], *, reads_gold: bool) -> PairTable:
    """Encode the pairs of a corpus with the encoder as it is, each once."""
    gold: Dict[bytes, PairClass] = {}
    rows: Dict[bytes, Tuple[int, Context, Tuple[str, str], bool]] = {}  # row, context, types, is it backwards
    stop = lexicon_of(pipe.vocab.lang).stop
    parts: List[NDArray[numpy.float16]] = []
    for batch in minibatch(examples, COLLECT_BATCH):
        pairs = pipe.suggest_pairs([example.predicted for example in batch])
        keys = keys_of(pairs)
        for key, relations in zip(keys, match_gold(pairs, batch)[0]) if reads_gold else ():
            if relations:  # over all copies of the text, the first class in order
                gold[key] = min(relations | ({gold[key]} if key in gold else set()))
        first = {key: number for number, key in reversed(list(enumerate(keys))) if key not in rows}
        new = sorted(first.values())
        if new:
            pairs = pairs.take(new).with_own_docs()
            outputs = pipe.forward(pairs)
            assert outputs is not None
            parts.append(outputs.vector.astype("float16"))
            backwards = (pairs.subject[:, 0] > pairs.object[:, 0]).tolist()
            values = zip(
                range(len(rows), len(rows) + len(new)), read_contexts(pairs, stop=stop), pairs.types, backwards
            )
            rows.update(zip((keys[number] for number in new), values))
    vectors = numpy.concatenate(parts) if parts else numpy.zeros((0, 1), dtype="float16")
    parts.clear()  # before indexing makes another copy
    keys = sorted(rows)
    found = [rows[key] for key in keys]
    order, contexts, types = [row[0] for row in found], [row[1] for row in found], [row[2] for row in found]
    return PairTable(keys, vectors[order], contexts, types, [gold.get(key) for key in keys], [row[3] for row in found])


def summarize_clusters(
    table: PairTable, labels: NDArray[numpy.int64], scores: NDArray[numpy.floating], *, count: int, least: float
) -> List[Cluster]:
    """Summarize clusters for their names: words of the texts whose pair gets a triple, and the pair that fits best.

    Words are read only from the pairs in the more frequent order of a cluster: subject first, or object first.

    labels (NDArray): Cluster of each pair. Shape (N,)
    scores (NDArray): How well each fits there. Shape (N,)
    count (int): Number of clusters.
    least (float): Minimum score of a pair that gets a triple.
    """
    summaries = []
    for cluster in range(count):
        members = numpy.flatnonzero(labels == cluster).tolist()
        object_first = 2 * sum(table.backwards[number] for number in members) > len(members)
        texts: Dict[int, List[Words]] = {}
        for number in members:
            if table.backwards[number] == object_first and scores[number] >= least:
                texts.setdefault(table.contexts[number].text, []).append(table.contexts[number].words)
        best = max(members, key=lambda number: float(scores[number]), default=None)
        sample = "" if best is None else table.contexts[best].sample
        kinds = Counter(table.types[number] for number in members)
        summaries.append(Cluster(texts, _shared_types(kinds), sample, object_first))
    return summaries


def _shared_types(kinds: "Counter[Tuple[str, str]]") -> str:
    """Return the entity types of at least half of the pairs, such as "PERSON PLACE"; "" if there are none."""
    both, most = max(kinds.items(), key=lambda item: (item[1], item[0]), default=(("", ""), 0))
    return " ".join(both) if all(both) and 2 * most >= sum(kinds.values()) else ""


def _name_words(doc: Doc) -> List[Optional[str]]:
    """Return the tokens in lower case, "" for those that a name may not contain, None for white space."""
    in_entity = {i for (start, end), _ in doc_entities(doc) for i in range(start, end)}
    words = (token.lower_ if token.i not in in_entity and _is_word(token) else "" for token in doc)
    return [None if token.is_space else word for token, word in zip(doc, words)]


def _is_word(token: Token) -> bool:
    """Return True for letters, with hyphens or apostrophes, unless they are a number or look like a name."""
    if token.like_num or not sub("['’-]", "", token.text).isalpha():
        return False
    may_be_capital = token.i == 0 or token.is_sent_start or token.lang_ in CAPITAL_NOUNS
    return token.text == token.lower_ or bool(may_be_capital)


def _sample(left: Span, right: Span, words: Sequence[str]) -> str:
    """Shorten a pair to a phrase, such as "Holm … visited … Bergen": the first of `words` stands for a long gap."""
    between = _printable(sub(r"\s+", " ", left.doc.text[left.end_char : right.start_char]))
    if not 0 < len(between) <= MAX_SHOWN:
        between = f" {ELLIPSIS} {_shorten(words[0])} {ELLIPSIS} " if words else f" {ELLIPSIS} "
    return f"{_shorten(left.text)}{between}{_shorten(right.text)}"


def _shorten(text: str) -> str:
    """Cut a text to one line of `MAX_SHOWN` characters, if possible between words."""
    text = _printable(" ".join(text.split()))
    short = shorten(text, MAX_SHOWN, placeholder=ELLIPSIS)
    return short if short != ELLIPSIS else f"{text[: MAX_SHOWN - 1]}{ELLIPSIS}"


def _printable(text: str) -> str:
    return "".join(filter(str.isprintable, text))
