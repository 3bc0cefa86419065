import random
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List

import pytest
import spacy

from spacy_relext.annotations.entities import PAIRS_KEY
from spacy_relext.corpora.drop import DropReport, drop_triples, expected_missing, format_drop_report
from spacy_relext.corpora.records import doc_to_record, record_to_doc
from spacy_relext.corpora.shards import ShardWriter, iter_docs

NLP = spacy.blank("en")
TEXT = "a b c d e f. g h i j k l."


@pytest.mark.parametrize(
    "rate, triples, fraction",
    [(0.5, 1, 0), (0.5, 2, 1 / 3), (0.5, 3, 0.428571), (0.5, 5, 0.483871), (0.3, 2, 0.230769), (0.1, 2, 0.090909)],
)
def test_expected_missing_as_the_specification_has_it(rate: float, triples: int, fraction: float) -> None:
    assert expected_missing(rate, triples) == pytest.approx(fraction, abs=1e-6)


def test_expected_missing_at_the_ends() -> None:
    assert expected_missing(0, 3) == 0 and expected_missing(1, 4) == 0.75
    assert expected_missing(1 - 1e-9, 4) == pytest.approx(0.75, abs=1e-6)
    for rate, triples in ((-0.1, 2), (1.1, 2), (0.5, 0)):
        with pytest.raises(ValueError, match="R114"):
            expected_missing(rate, triples)


def record(count: int) -> Dict[str, Any]:
    """A document of two sentences with `count` triples, the even ones in the first."""
    triples = []
    for number in range(count):
        start = (number % 2) * 13 + (number // 2 % 3) * 2
        triples.append({"subject": [start, start + 1], "relation": f"r{number % 3}", "object": [start + 4, start + 5]})
    return {"text": TEXT, "triples": triples, "sents": [[0, 12], [13, 25]], "id": count}


def write(path: Path, made: Iterable[Dict[str, Any]]) -> Path:
    with ShardWriter(path) as writer:
        for each in made:
            writer.add(record_to_doc(NLP.make_doc, each))
    return path


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = random.Random(1)
    first = [{"text": "not annotated"}, {"text": "annotated and empty", "triples": []}]
    made = [*first, *(record(rng.choice([1, 2, 3, 5])) for _ in range(400))]
    return write(tmp_path_factory.mktemp("drop") / "corpus.spacy", made)


def records(path: Path) -> List[Dict[str, Any]]:
    return [doc_to_record(doc) for doc in iter_docs(path, NLP.vocab)]


def test_keep_empty(corpus: Path, tmp_path: Path) -> None:
    report = drop_triples(corpus, tmp_path / "out.spacy", rate=0.5, seed=2)
    before, after = records(corpus), records(tmp_path / "out.spacy")
    assert len(before) == len(after) == 402 and before[:2] == after[:2] and report.not_annotated == 1
    assert 0.45 < report.missing < 0.55 and report.expected_missing == 0.5
    assert report.emptied > 50 and report.docs_deleted == 0
    for old, new in zip(before[2:], after[2:]):
        assert {**old, "triples": new["triples"]} == new
        assert [triple for triple in old["triples"] if triple in new["triples"]] == new["triples"]
    gone = sum(len(old.get("triples", ())) - len(new.get("triples", ())) for old, new in zip(before, after))
    assert gone == report.triples_before - report.triples_after == sum(report.dropped.values())


def test_drop_empty(corpus: Path, tmp_path: Path) -> None:
    report = drop_triples(corpus, tmp_path / "out.spacy", rate=0.5, mode="drop_empty", seed=2)
    after = records(tmp_path / "out.spacy")
    assert len(after) == 402 - report.docs_deleted and report.docs_deleted == report.emptied > 50
    assert [len(r["triples"]) for r in after if r.get("id") == 1] == [1] * len([r for r in after if r.get("id") == 1])
    assert after[1] == {"text": "annotated and empty", "triples": []}  # empty from the start: kept
    assert report.missing == pytest.approx(report.expected_missing, abs=0.04) and report.expected_missing < 0.45


def groups(record: Dict[str, Any]) -> Iterator[Any]:
    for triple in record["triples"]:
        yield triple["subject"][0] >= 13, triple["relation"]


def test_relation_drops_a_relation_of_a_sentence_together(corpus: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "in.spacy", [record(12)] * 120)
    report = drop_triples(path, tmp_path / "out.spacy", rate=0.4, mode="relation", seed=5)
    split = 0
    for old, new in zip(records(path), records(tmp_path / "out.spacy")):
        assert set(groups(new)).isdisjoint(groups({"triples": [t for t in old["triples"] if t not in new["triples"]]}))
        split += len({relation for _, relation in groups(new)}) * 2 != len(set(groups(new)))
    assert split > 30  # a relation may stay in one sentence and go from the other
    assert 0.35 < report.missing < 0.45


def test_the_seed_decides(corpus: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        drop_triples(corpus, tmp_path / f"{name}.spacy", rate=0.3, seed=seed)
    a, b, c = (records(tmp_path / f"{name}.spacy") for name in "abc")
    assert a == b != c


def test_rate_one(tmp_path: Path) -> None:
    path = write(tmp_path / "in.spacy", [record(3)])
    drop_triples(path, tmp_path / "out.spacy", rate=1)
    assert records(tmp_path / "out.spacy")[0]["triples"] == []
    with pytest.raises(ValueError, match="R117"):
        drop_triples(path, tmp_path / "gone.spacy", rate=1, mode="drop_empty")
    assert not (tmp_path / "gone.spacy").exists()


def test_the_expectation_counts_a_triple_from_two_sources_once(tmp_path: Path) -> None:
    made = record(2)
    made["triples"] += [{**triple, "source": "rules"} for triple in made["triples"]]
    path = write(tmp_path / "in.spacy", [made] * 400)
    report = drop_triples(path, tmp_path / "out.spacy", rate=0.5, mode="drop_empty")
    assert report.expected_missing == pytest.approx(expected_missing(0.5, 2)) == pytest.approx(1 / 3)
    assert report.missing == pytest.approx(1 / 3, abs=0.06)


def test_a_marked_pair_does_not_give_the_dropped_triple_away(tmp_path: Path) -> None:
    pairs = [
        {"subject": [4, 5], "object": [0, 1], "label": "r0(e2,e1)"},
        {"subject": [0, 1], "object": [6, 7], "label": "Other"},
    ]
    drop_triples(write(tmp_path / "in.spacy", [{**record(1), "pairs": pairs}]), tmp_path / "out.spacy", rate=1)
    (doc,) = iter_docs(tmp_path / "out.spacy", NLP.vocab)
    assert [pair["label"] for pair in doc.user_data[PAIRS_KEY]] == [None, "Other"]


def test_folders(corpus: Path, tmp_path: Path) -> None:
    source, output = tmp_path / "shards", tmp_path / "out"
    with ShardWriter(source, shard=120) as writer:
        for doc in iter_docs(corpus, NLP.vocab):
            writer.add(doc)
    drop_triples(source, output, rate=0.5, seed=2)
    drop_triples(corpus, tmp_path / "one.spacy", rate=0.5, seed=2)
    assert len(list(output.iterdir())) == 4 and records(output) == records(tmp_path / "one.spacy")
    (output / "old.spacy").write_bytes(b"")
    with pytest.raises(ValueError, match=r"R106.*old\.spacy"):
        drop_triples(source, output, rate=0.5)
    with pytest.raises(ValueError, match="R105"):
        drop_triples(source, source / "inside", rate=0.5)


def test_bad_options(corpus: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.spacy"
    for options, message in (
        ({"rate": 1.5}, "--rate"),
        ({"rate": 0.5, "mode": "some"}, "--mode"),
        ({"rate": -1}, "rate"),
    ):
        with pytest.raises(ValueError, match=f"R107.*{message}"):
            drop_triples(corpus, output, **options)
    with pytest.raises(ValueError, match="R105"):
        drop_triples(corpus, corpus, rate=0.5)
    with pytest.raises(ValueError, match="R111"):
        drop_triples(tmp_path / "none.spacy", output, rate=0.5)


def test_the_report_is_readable(corpus: Path, tmp_path: Path) -> None:
    report = drop_triples(corpus, tmp_path / "out.spacy", rate=0.5, mode="drop_empty")
    table = format_drop_report(report)
    assert f"{report.docs_deleted}" in table and "expected to be missing" in table and "r0" in table
    assert format_drop_report(DropReport(mode="keep_empty", rate=0.5))
