"""A person at the page of `spacy relext annotate correct`: real clicks and keys in a headless browser."""

import json
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence

import spacy

from spacy_relext.annotations.triple import Record
from spacy_relext.corpora.formats.answers import AnswerFile
from spacy_relext.visuals.correction import Correction, make_correction_app
from tests.visuals.browser import serve_app

TOKENIZER = spacy.blank("en")


class Person:
    """A page with its document, and what a person does there."""

    def __init__(self, browser: Any, address: str) -> None:
        self.errors: List[str] = []
        self.page = browser.new_page(viewport={"width": 1200, "height": 900})
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: self.errors.append(line.text) if "Security" in line.text else None)
        self.page.goto(address)
        self.wait_for(0)

    def wait_for(self, number: int) -> None:
        """Wait until a document is shown and saved."""
        self.page.wait_for_selector(f"body[data-document='{number}'][data-saved='true']", timeout=20_000)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
        self.page.wait_for_selector("body[data-saved='true']", timeout=20_000)

    def select(self, words: str, *, exact: bool = False) -> None:
        """Select words by dragging the mouse over them."""
        corners = self.page.evaluate(
            """words => {
                const text = document.getElementById("text"), at = text.textContent.indexOf(words);
                const place = units => {
                    for (const piece of text.children) {
                        const node = piece.firstChild;
                        if (units <= node.length) return [node, units];
                        units -= node.length;
                    }
                };
                const range = document.createRange();
                range.setStart(...place(at)); range.setEnd(...place(at + words.length));
                const rects = [...range.getClientRects()].filter(r => r.width);
                const isRtl = getComputedStyle(text).direction === "rtl";
                const box = range.getBoundingClientRect(), y = rects[0].y + rects[0].height / 2;
                return isRtl ? [box.right, box.left, y] : [box.left, box.right, y];
            }""",
            words,
        )
        start, end, y = corners
        if exact:
            self.page.keyboard.down("Alt")
        self.page.mouse.move(start + (1 if start < end else -1), y)
        self.page.mouse.down()
        self.page.mouse.move(end - (1 if start < end else -1), y, steps=4)
        self.page.mouse.up()
        if exact:
            self.page.keyboard.up("Alt")

    def click(self, text: str) -> None:
        """Click the first button with a text."""
        self.page.get_by_role("button", name=text).first.click()
        self.page.wait_for_selector("body[data-saved='true']")

    def read(self, name: str) -> str:
        """Read what an element shows."""
        return str(self.page.inner_text(f"#{name}"))


@contextmanager
def serve(
    records: Sequence[Record], output: Path, *, annotator: str = "", relations: Sequence[str] = ()
) -> Iterator[str]:
    """Serve the page in this process. Gives its address."""
    answers = AnswerFile(output, annotator=annotator)
    correction = Correction(records, answers, make_doc=TOKENIZER.make_doc, relations=relations)
    with serve_app(lambda port: make_correction_app(correction, hosts=[f"127.0.0.1:{port}"])) as address:
        yield address


def read_lines(path: Path) -> List[Dict[str, Any]]:
    """Read all lines of a file of answers."""
    return [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()]


def suggest(text: str, *triples: Sequence[str], score: float = 0.75) -> Record:
    """Make a record whose triples, given in words, are suggestions."""
    return {
        "text": text,
        "triples": [
            {"subject": find(text, s), "relation": r, "object": find(text, o), "score": score, "source": "model"}
            for s, r, o in triples
        ],
    }


def find(text: str, words: str) -> List[int]:
    start = text.index(words)
    return [start, start + len(words)]


def in_words(record: Record, key: str = "triples") -> List[Sequence[str]]:
    """List the triples of a record in words."""
    text = record["text"]
    return [(text[slice(*t["subject"])], t["relation"], text[slice(*t["object"])]) for t in record.get(key, [])]
