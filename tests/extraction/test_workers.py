"""Batches through one or several processes."""

import os
import signal
import threading
import time
from typing import Any, List

import pytest
import spacy

from spacy_relext.corpora.raw_text import RawText
from spacy_relext.extraction.workers import Extractor, Failure, Job, cut_text, process_long
from tests.cli.fake_pipeline import make_pipeline
from tests.extraction.conftest import CODE


def numbered(*texts: str) -> List[RawText]:
    return [RawText(text, f"line {number}", number=number) for number, text in enumerate(texts, start=1)]


def test_results_come_in_order_though_texts_are_sorted(pipeline: str) -> None:
    texts = [f"Ada{number} met Bo." + " Rain fell." * (7 * number % 5) for number in range(100)]
    with Extractor(Job(pipeline, batch_size=3), make_pipeline()) as extractor:
        windows = [numbered(*texts)[start : start + extractor.window] for start in range(0, 100, extractor.window)]
        results: List[Any] = list(extractor.extract_windows(windows))
    assert [each["text"] for each in results] == texts
    assert all(len(each["triples"]) == 1 for each in results)


def test_a_text_that_fails_is_named_and_the_others_go_on(failing: str) -> None:
    nlp = spacy.load(failing)
    with Extractor(Job(failing, CODE), nlp) as extractor:
        first, second, third = extractor.extract(numbered("Ada met Bo.", "fail", "Cy met Di."))
    assert second == Failure("line 2", "RuntimeError: this text is")
    assert first["text"] == "Ada met Bo." and third["triples"][0]["subject_text"] == "Cy"  # type: ignore[call-overload]


@pytest.mark.slow
def test_a_text_that_ends_its_process_is_named(failing: str) -> None:
    texts = [f"Ada met Bo {number}." for number in range(12)]
    texts[5] = "You die now"
    with Extractor(Job(failing, CODE, batch_size=2), n_process=2) as extractor:
        results: List[Any] = list(extractor.extract(numbered(*texts)))
    assert isinstance(results[5], Failure) and "has ended three times" in results[5].reason
    assert [each["text"] for number, each in enumerate(results) if number != 5] == texts[:5] + texts[6:]


@pytest.mark.long
def test_a_worker_that_is_killed_is_replaced(pipeline: str) -> None:
    """Its documents are read again, and the run ends."""
    texts = [f"Ada{number} met Bo." for number in range(3000)]
    results: List[Any] = []
    started = time.monotonic()
    with Extractor(Job(pipeline, CODE, batch_size=5), n_process=2) as extractor:
        for result in extractor.extract(numbered(*texts)):
            results.append(result)
            if len(results) == 100:
                assert extractor._pool is not None
                os.kill(next(iter(extractor._pool._processes)), signal.SIGKILL)
    assert [each["text"] for each in results] == texts
    assert time.monotonic() - started < 120


def test_workers_end_with_their_parent(pipeline: str) -> None:
    from spacy_relext.extraction import workers

    ended = threading.Event()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers.os, "_exit", lambda code: ended.set())
        patch.setattr(workers, "_CHECK_SECONDS", 0.01)
        patch.setattr(workers.os, "getppid", lambda: 1)
        workers._end_with(os.getpid())
    assert ended.is_set()


@pytest.mark.parametrize("longest", [1, 2, 7, 20, 33, 1000])
def test_pieces_make_up_the_text(longest: int) -> None:
    text = "Ada met Bo. Cy saw Di!  “No?” Ed\nmet\n\nFlo. " * 3 + "x" * 50 + "終わり。次"
    pieces = cut_text(text, longest)
    assert "".join(pieces) == text and all(0 < len(piece) <= longest for piece in pieces)


def test_texts_are_cut_at_sentences() -> None:
    assert cut_text("Ada met Bo. Cy saw Di. Ed met Flo.", 26) == ["Ada met Bo. Cy saw Di. ", "Ed met Flo."]
    assert cut_text("one\n\ntwo three. four", 16) == ["one\n\ntwo three. ", "four"]
    assert cut_text("", 5) == [""]


def test_offsets_of_a_long_text_are_those_of_the_whole() -> None:
    nlp = make_pipeline()
    nlp.max_length = 30
    text = "Ada met Bo. Cy saw Di. " * 5 + "Ed met Flo."
    doc = process_long(nlp, text)
    assert doc.text == text and len(doc._.triples) == 11
    last = doc._.triples[-1]
    assert (last.subject.text, last.object.text, last.subject.start_char) == ("Ed", "Flo", len(text) - 11)
