"""`relext_sentencizer`: sentence boundaries by rules that know abbreviations, headings and lists."""

import re
from itertools import groupby
from pathlib import Path
from typing import Collection, Iterable, List, Optional, Sequence, Set, Union

import srsly
from spacy.language import Language
from spacy.pipeline import Sentencizer
from spacy.tokens import Doc

from ..errors import check_range
from .pipe import Scorer

# Abbreviations that precede a name, number or word, and so never end a sentence; without the final full stop.
ABBREVIATIONS = {
    "": "b c ca cf d dr e.g ed eds fig fl i.e mr mrs no nos nr p pp prof r resp s st v vol vols vs",
    "en": "adm approx apr aug brig capt cmdr col cpl dec dept est feb fr ft gen gov hon jan lt maj messrs ms mt mts "
    "nov oct pres rep rev sen sept sgt ste supt",
    "de": "abb abs art bd bde bzw fam frl geb gest hl hrsg ing kap mio mrd nr sog str tel u.a usw vgl z.b",
    "fr": "av bd chap env etc éd m me mgr mlle mme mm p.ex tél",
    "es": "av avda cap dña ee gral lic núm pág srta sr sra ud uds",
    "it": "avv cap dott dott.ssa ecc geom ing on pag sig sig.ra ss",
    "nl": "afb blz bijv dhr drs ir jr mevr mr o.a t.a.v",
    "pt": "av cap dra eng exmo núm pág sr sra",
}

BULLETS = frozenset("-–—*•·▪◦‣●○■")
OPENING = frozenset("([{«„“‘‹¿¡")
HEADING_LENGTH = 60

# A line drawn with characters: it ends a sentence.
RULE = r"[-=_*~#]{5,}"
_IS_RULE = re.compile(RULE).fullmatch

# Narrower paragraphs are lists, whatever their lines end with.
LEAST_WIDTH = 30
FINAL = frozenset(".!?…\"'”’»)]")


class RelextSentencizer(Sentencizer):
    """Ends sentences at final punctuation, blank lines, headings, list items and rules of hyphens.

    A full stop does not end a sentence before a lower-case word, nor after an abbreviation or an initial (`openers` are
    the exception). A single line break ends one only below a short line without final punctuation (a heading) or above
    a list item, and not where a paragraph is wrapped (`wrapped_breaks`). White space belongs to the sentence before it.
    """

    def __init__(
        self,
        name: str,
        *,
        punct_chars: Optional[List[str]],
        overwrite: bool,
        abbreviations: Collection[str],
        openers: Collection[str],
        heading_length: int,
        scorer: Optional[Scorer],
    ) -> None:
        super().__init__(name, punct_chars=punct_chars, overwrite=overwrite, scorer=scorer)
        self.abbreviations, self.openers = frozenset(abbreviations), frozenset(openers)
        self.heading_length = heading_length

    def to_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> None:
        """Write the settings as spaCy does, but in an order that does not change from process to process."""
        settings = {"punct_chars": sorted(self.punct_chars), "overwrite": self.overwrite}
        srsly.write_json(Path(path).with_suffix(".json"), settings)

    def predict(self, docs: Iterable[Doc]) -> List[List[bool]]:
        """Return, for each token of each Doc, whether it starts a sentence."""
        return [self.find_starts(doc) for doc in docs]

    def find_starts(self, doc: Doc) -> List[bool]:
        """Return whether each token starts a sentence."""
        words = [token.text for token in doc]
        spaced = [bool(token.whitespace_) for token in doc]
        wrapped = wrapped_breaks(doc.text)
        starts = [False] * len(words)
        if words:
            starts[0] = True
        line = 0  # first token of the line
        end = -1  # last token that may end a sentence; -1: none since the last start
        quoted = ruled = False
        for i, word in enumerate(words):
            if word.isspace():
                if "\n" in word and i + 1 < len(words):
                    is_wrapped = doc[i].idx + word.index("\n") in wrapped
                    starts[i + 1] = word.count("\n") > 1 or self._is_item(words, line, i, is_wrapped=is_wrapped)
                    line, quoted = i + 1, quoted and word.count("\n") < 2
                    end = -1 if starts[i + 1] else end
                continue
            if _IS_RULE(word):
                ruled = True
                continue
            if ruled:
                starts[i], ruled, end = True, False, -1
            if end >= 0 and i > end and not starts[i]:
                if self._closes(words, spaced, i, quoted):
                    quoted ^= word == '"'
                    continue
                starts[i] = self._ends(words, spaced, end, i, line if starts[line] else -1)
                end = -1
            quoted ^= word == '"'
            if word in self.punct_chars or (word[-1] == "." and len(word) > 1):
                end = i
        return starts

    def _closes(self, words: Sequence[str], spaced: Sequence[bool], i: int, quoted: bool) -> bool:
        """Return True if a token belongs to the sentence before it: a closing quote or bracket, or more punctuation."""
        word, is_apart = words[i], spaced[i - 1] or words[i - 1].isspace()
        if word in self.punct_chars:
            return True
        if word[0].isalnum() or word[0] in OPENING or word in BULLETS:
            return False
        is_last = i + 1 == len(words) or words[i + 1].isspace()
        if word == '"' and is_apart == (spaced[i] or is_last):
            return quoted  # spaces on both sides or on neither do not tell
        return not is_apart

    def _ends(self, words: Sequence[str], spaced: Sequence[bool], end: int, following: int, line: int) -> bool:
        """Return True if the punctuation at `end` ends a sentence, and `following` starts the next one."""
        mark, first = words[end], words[following].lstrip("".join(OPENING) + "\"'")[:1]
        if not first and following + 1 < len(words):
            first = words[following + 1][:1]
        if mark.isascii() and not any(spaced[end:following]) and not any(w.isspace() for w in words[end:following]):
            return False
        if first.islower():
            return False
        if mark[-1] != ".":
            return True
        if mark == ".":
            before = words[end - 1] if end and not spaced[end - 1] else ""
            if line == end - 1 and (before.isdigit() or len(before) == 1):
                return False  # the number of a list item
            return before not in self.abbreviations and (len(before) < 2 or before.lower() not in self.abbreviations)
        if mark[:-1] in self.abbreviations or (len(mark) > 2 and mark[:-1].lower() in self.abbreviations):
            return False
        return words[following].istitle() and words[following].lower() in self.openers

    def _is_item(self, words: Sequence[str], line: int, line_break: int, *, is_wrapped: bool) -> bool:
        """Return True if a line break follows a heading or an item, or precedes an item."""
        following = words[line_break + 1]
        if following in BULLETS:
            return True
        if is_wrapped or not (following[0].isupper() or following[0].isdigit()):
            return False
        if following.isdigit() and line_break + 2 < len(words) and words[line_break + 2] in (".", ")"):
            return True
        before = words[line:line_break]
        length = sum(map(len, before)) + len(before) - 1
        return bool(before) and length <= self.heading_length and (before[-1][-1].isalnum() or before[-1] in (":", ")"))


def wrapped_breaks(text: str) -> Set[int]:
    """Find the line breaks inside a sentence of a wrapped paragraph: the next word had no room on the line.

    The width is the longest line of the paragraph. Its lines are wrapped if one starts with a small letter or the last
    one ends with punctuation; otherwise they may be headings or the lines of a list.

    RETURNS (Set[int]): The character of each line break.
    """
    breaks: Set[int] = set()
    start = 0
    for is_blank, group in groupby(text.split("\n"), key=lambda line: not line.strip()):
        lines = list(group)
        words = [line.split() for line in lines]
        lengths = [len(line.strip()) for line in lines]
        width = max(lengths)
        if not is_blank and width >= LEAST_WIDTH:
            is_prose = lines[-1].rstrip()[-1] in FINAL or any(first[0].islower() for first, *_ in words[1:])
            end = start
            for number, line in enumerate(lines[:-1]):
                end += len(line)
                if is_prose and lengths[number] + 1 + len(words[number + 1][0]) > width:
                    breaks.add(end)
                end += 1
        start += sum(map(len, lines)) + len(lines)
    return breaks


@Language.factory(
    "relext_sentencizer",
    assigns=["token.is_sent_start", "doc.sents"],
    default_config={
        "punct_chars": None,
        "overwrite": False,
        "abbreviations": [],
        "heading_length": HEADING_LENGTH,
        "scorer": {"@scorers": "spacy.senter_scorer.v1"},
    },
    default_score_weights={"sents_f": None, "sents_p": None, "sents_r": None},  # it is not trained
)
def make_relext_sentencizer(
    nlp: Language,
    name: str,
    punct_chars: Optional[List[str]],
    overwrite: bool,
    abbreviations: List[str],
    heading_length: int,
    scorer: Optional[Scorer],
) -> RelextSentencizer:
    """Create a sentencizer with the abbreviations and stop words of the pipeline's language.

    punct_chars (Optional[List[str]]): Characters that end a sentence; None: those of spaCy's `sentencizer`.
    overwrite (bool): Whether existing boundaries are replaced.
    abbreviations (List[str]): Further abbreviations that never end a sentence, without the final full stop.
    heading_length (int): Most characters of a line that is taken for a heading or a list item; 0: no line is.
    """
    check_range("heading_length", heading_length, 0, 1_000)
    known = f"{ABBREVIATIONS['']} {ABBREVIATIONS.get(nlp.lang or '', '')}".split()
    return RelextSentencizer(
        name,
        punct_chars=punct_chars,
        overwrite=overwrite,
        abbreviations={*known, *(each.lower().removesuffix(".") for each in abbreviations)},
        openers={word for word in nlp.Defaults.stop_words if word.isalpha()},
        heading_length=heading_length,
        scorer=scorer,
    )
