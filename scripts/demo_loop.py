"""The loop of annotation in a few minutes: sample, correct in a browser, convert, retrain, compare.

    python scripts/demo_loop.py build/demo-loop

A small pipeline without pretrained weights is trained first. Then a headless browser answers its suggestions for
sentences of the corpus, with clicks and keys, as a person who knows the gold would.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import time
from typing import Any, Dict, List, Sequence, Set, Tuple

ASSETS = pathlib.Path("assets/prose")
CONFIG = pathlib.Path("benchmarks/configs/rere_recurrent.cfg")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# Files of sentences: to train on, to annotate, to tune on and to test on.
TRAIN, POOL, DEV, TEST = [f"train_{name}.txt" for name in "abcdefgh"], "train_i.txt", "dev.txt", "test_a.txt"

# Subject, relation, object.
Key = Tuple[Tuple[int, int], str, Tuple[int, int]]


def run(*arguments: object, shows: bool = False) -> None:
    """Run a Python module; if it fails, end this script with the output of the module."""
    command = [sys.executable, "-m", *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout}\nfailed: {' '.join(command)}")
    if shows:
        print(done.stdout.strip())


def read_lines(path: pathlib.Path) -> List[Dict[str, Any]]:
    """Read JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()]


def keys_of(record: Dict[str, Any]) -> Set[Key]:
    """Collect the triples of a record."""
    return {(tuple(t["subject"]), t["relation"], tuple(t["object"])) for t in record.get("triples", ())}


class Annotator:
    """Corrects documents on the page, as a person who knows the gold would.

    page (Any): A page of playwright.
    address (str): URL of the page.
    gold (Dict[str, Set[Key]]): Triples by text.
    """

    def __init__(self, page: Any, address: str, gold: Dict[str, Set[Key]]) -> None:
        self.page, self.address, self.gold = page, address, gold
        self.counts = {"accepted": 0, "rejected": 0, "added": 0}

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def show(self, number: int) -> Dict[str, Any]:
        """Wait for a document, and return it as the page got it from the server."""
        with self.page.expect_response(f"**/documents/{number}") as reply:
            if number:
                self.press("Enter")
            else:
                self.page.goto(self.address)
        self.page.wait_for_selector(f"body[data-document='{number}'][data-saved='true']")
        found: Dict[str, Any] = reply.value.json()
        return found

    def correct(self, document: Dict[str, Any]) -> None:
        """Answer each suggestion with a click, and add missing triples with keys."""
        record = document["record"]
        wanted = self.gold[record["text"]]
        for _ in range(len(record["triples"])):
            # the page has the next suggestion selected
            line = self.page.locator("#triples li.current")
            place = int(line.evaluate("line => [...line.parentNode.children].indexOf(line)"))
            triple = sorted(record["triples"], key=lambda t: (t["subject"][0], t["object"][0]))[place]
            is_right = keys_of({"triples": [triple]}) <= wanted
            line.get_by_role("button", name="Accept" if is_right else "Reject").click()
            self.counts["accepted" if is_right else "rejected"] += 1
        for subject, relation, obj in sorted(wanted - keys_of(record)):
            self.press("n")
            for key, span in (("s", subject), ("o", obj)):
                self.select(document["tokens"], span)
                self.press(key)
            self.press("l")
            self.page.keyboard.type(relation)
            self.press("Enter")
            self.counts["added"] += 1

    def select(self, tokens: Sequence[Sequence[int]], span: Tuple[int, int]) -> None:
        """Select the tokens of a span with the arrow keys."""
        inside = [place for place, (start, end) in enumerate(tokens) if start < span[1] and span[0] < end]
        self.press("Home", *["ArrowRight"] * inside[0], *["Shift+ArrowRight"] * (len(inside) - 1))


def correct(suggestions: pathlib.Path, output: pathlib.Path, gold: Dict[str, Set[Key]]) -> Dict[str, int]:
    """Serve the page, and answer all documents in a headless browser."""
    from playwright.sync_api import sync_playwright

    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser_path is None:
        sys.exit(f"no browser found; expected one of {', '.join(BROWSERS)}")
    command = [
        sys.executable,
        "-m",
        "spacy_relext",
        "annotate",
        "correct",
        suggestions,
        output,
        "--port",
        "0",
        "--annotator",
        "demo",
    ]
    server = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        address = next((line.split()[2] for line in server.stdout if "http://" in line), None)
        if address is None:
            sys.exit("spacy relext annotate correct did not start")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
            page = browser.new_page()
            annotator = Annotator(page, address, gold)
            for number in range(len(read_lines(suggestions))):
                annotator.correct(annotator.show(number))
            annotator.press("Enter")
            page.get_by_text("documents are answered").wait_for()
            browser.close()
    finally:
        server.terminate()
        server.wait()
    return annotator.counts


def main() -> int:
    """Run the loop, and print what each step has done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="for everything that is written; it is emptied first")
    parser.add_argument("--steps", type=int, default=400, help="of the first training")
    parser.add_argument("--sentences", type=int, default=30, help="to correct")
    arguments = parser.parse_args()
    folder: pathlib.Path = arguments.folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    started = time.monotonic()

    def step(title: str) -> None:
        print(f"[{time.monotonic() - started:4.0f} s] {title}", flush=True)

    step("corpora of assets/prose")
    for name, files in (("train", TRAIN), ("pool", [POOL]), ("dev", [DEV]), ("test", [TEST])):
        run("spacy_relext", "convert", "markup", *(ASSETS / each for each in files), folder / f"{name}.spacy")
    step(f"a first pipeline, {arguments.steps} steps")
    lengths = ("--training.max_epochs", 0, "--training.max_steps", arguments.steps)
    paths = ("--paths.train", folder / "train.spacy", "--paths.dev", folder / "dev.spacy")
    rare = ("--training.eval_frequency", arguments.steps)
    run("spacy", "train", CONFIG, "--output", folder / "first", *paths, *lengths, *rare)
    run("spacy_relext", "tune", folder / "first" / "model-last", folder / "dev.spacy", folder / "tuned")
    step(f"draw {arguments.sentences} sentences to correct, with suggestions of the pipeline")
    gold = write_pool(folder)
    files, sample = (folder / "pool.jsonl", folder / "suggested.jsonl"), ("--sample", arguments.sentences)
    run("spacy_relext", "annotate", "export", "jsonl", *files, "--pipeline", folder / "tuned", *sample)
    step("correct them in the browser")
    counts = correct(folder / "suggested.jsonl", folder / "corrected.jsonl", gold)
    print("         " + ", ".join(f"{count} {what}" for what, count in counts.items()))
    run("spacy_relext", "convert", "jsonl", folder / "corrected.jsonl", folder / "corrections.spacy")
    check(folder, gold, arguments.sentences)
    step("retrain, and score before and after")
    keep = ("--keep", folder / "train.spacy", "--dev", folder / "dev.spacy", "--test", folder / "test.spacy")
    files = (folder / "tuned", folder / "corrections.spacy", folder / "again")
    run("spacy_relext", "annotate", "retrain", *files, *keep, shows=True)
    step("done")
    return 0


def write_pool(folder: pathlib.Path) -> Dict[str, Set[Key]]:
    """Write the sentences to annotate without their gold. RETURNS (Dict[str, Set[Key]]): The gold by text."""
    from spacy.vocab import Vocab

    from spacy_relext.corpora.records import doc_to_record, write_jsonl
    from spacy_relext.corpora.shards import iter_docs

    records = [doc_to_record(doc) for doc in iter_docs(folder / "pool.spacy", Vocab())]
    write_jsonl(folder / "pool.jsonl", [{"text": record["text"]} for record in records])
    return {record["text"]: keys_of(record) for record in records}


def check(folder: pathlib.Path, gold: Dict[str, Set[Key]], count: int) -> None:
    """Check that the browser has written the gold of each sentence."""
    from spacy_relext.corpora.records import read_jsonl

    records = list(read_jsonl(folder / "corrected.jsonl"))
    wrong = [record["text"] for record in records if keys_of(record) != gold[record["text"]]]
    if wrong or len(records) != count:
        sys.exit(f"{len(records)} sentences are corrected, {len(wrong)} of them otherwise than meant: {wrong[:1]}")


if __name__ == "__main__":
    sys.exit(main())
