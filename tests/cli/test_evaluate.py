import json

import pytest
from spacy.tokens import DocBin

from spacy_relext.scoring import evaluation
from tests.cli.fake_pipeline import make_pipeline
from tests.scoring.builders import make_doc, save_corpus

ROWS = [
    ("Ada met Bo . Cy saw Di .", [("Ada", "met", "Bo"), ("Cy", "saw", "Di")]),
    ("Ed met Flo . Gus slept .", []),
    ("Hal knew Ida .", [("Hal", "knew", "Ida")]),
    ("Jo met Kim .", None),
]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return save_corpus(tmp_path_factory.mktemp("corpus") / "test.spacy", ROWS)


def test_table_and_json(run, pipeline, corpus, tmp_path):
    done = run("evaluate", pipeline, corpus, "--output", tmp_path / "new" / "m.json", "--batch-size", 2)
    assert done.exit_code == 0, done.output
    metrics = json.loads((tmp_path / "new" / "m.json").read_text())
    assert metrics["exact_p"] == metrics["exact_r"] == pytest.approx(2 / 3)
    assert metrics["macro_r"] == pytest.approx(2 / 3)
    assert metrics["empty_error_rate"] == 0.5
    assert metrics["direction_accuracy"] == 1.0
    assert metrics["support_per_type"] == {"knew": 1, "met": 1, "saw": 1}
    assert (metrics["n_documents"], metrics["n_annotated"]) == (4, 3)
    assert (metrics["n_gold"], metrics["n_predicted"]) == (3, 3)
    # two of score .9 with one right, one of .4 and right
    assert metrics["exact_f_low"] <= metrics["exact_f"] <= metrics["exact_f_high"]
    assert metrics["best_threshold_f"] == pytest.approx(2 / 3)
    assert metrics["relations_micro_f"] is None and "cluster_baselines" not in metrics
    assert metrics["docs_per_second"] == pytest.approx(4 / metrics["seconds"])
    assert metrics["words_per_second"] == pytest.approx(sum(len(text.split()) for text, _ in ROWS) / metrics["seconds"])
    assert "3 annotated of 4 documents, 3 gold and 3 predicted triples" in done.stdout
    lines = {line.split("  ")[0]: line.split() for line in done.stdout.splitlines()}
    assert lines["met"][1:] == ["50.00", "100.00", "66.67", "1"]
    assert lines["knew"][1:] == ["0.00", "0.00", "0.00", "1"]


def test_triples_that_training_lacks(run, pipeline, corpus, tmp_path):
    save_corpus(tmp_path / "train.spacy", [("Ada met Bo .", [("Ada", "met", "Bo")])])
    done = run("evaluate", pipeline, corpus, "--train", tmp_path / "train.spacy", "-o", tmp_path / "m.json")
    metrics = json.loads((tmp_path / "m.json").read_text())
    # of the others one is right, one wrong and one missed
    assert [metrics[f"unseen_{key}"] for key in "prf"] == [0.5, 0.5, 0.5] and metrics["n_gold_unseen"] == 2
    assert "exact text, not in --train" in done.stdout
    assert "unseen_f" not in run("evaluate", pipeline, corpus).stdout


def test_label_filter(run, fails, pipeline, corpus, tmp_path):
    run("evaluate", pipeline, corpus, "--label-filter", "saw,knew", "-o", tmp_path / "m.json")
    metrics = json.loads((tmp_path / "m.json").read_text())
    assert metrics["support_per_type"] == {"knew": 1, "saw": 1}
    assert metrics["exact_r"] == 0.5 and metrics["exact_p"] == 1.0
    assert "R210" in fails("evaluate", pipeline, corpus, "--label-filter", "shared")  # the fake one has no labels
    assert "In the corpus: knew, met, saw" in fails("evaluate", pipeline, corpus, "--label-filter", "other")


def test_sentences_of_the_pipeline_or_of_the_corpus(run, detector_pipeline, corpus, tmp_path):
    found = {}
    for option in ("--gold-sents", "--no-gold-sents"):
        run("evaluate", detector_pipeline, corpus, option, "-o", tmp_path / "m.json")
        found[option] = json.loads((tmp_path / "m.json").read_text())
    assert found["--gold-sents"]["relations_micro_r"] == pytest.approx(1 / 3)
    assert found["--gold-sents"]["relations_ap"] is not None
    assert found["--no-gold-sents"]["exact_r"] == pytest.approx(1 / 3)


def test_gold_relations_instead_of_the_detectors(run, fails, pipeline, detector_pipeline, corpus, tmp_path):
    run("evaluate", detector_pipeline, corpus, "--gold-relations", "-o", tmp_path / "m.json")
    metrics = json.loads((tmp_path / "m.json").read_text())
    assert metrics["exact_p"] == 1.0 and metrics["exact_r"] == pytest.approx(2 / 3)
    assert metrics["relations_micro_f"] is None
    assert "R220" in fails("evaluate", pipeline, corpus, "--gold-relations")


def test_errors_and_their_page(run, fails, pipeline, corpus, tmp_path):
    pytest.importorskip("matplotlib")
    files = ["--errors", tmp_path / "new" / "e.jsonl", "--html", tmp_path / "new" / "r.html", "--train", corpus]
    done = run("evaluate", pipeline, corpus, *files)
    assert done.exit_code == 0, done.output
    assert f"Saved 2 errors to {tmp_path / 'new' / 'e.jsonl'}" in done.stdout
    errors = [json.loads(line) for line in (tmp_path / "new" / "e.jsonl").read_text(encoding="utf8").splitlines()]
    assert [(each["kind"], each["class"], each["triple"]["relation"], each["document"]) for each in errors] == [
        ("false negative", "missed relation", "knew", 2),
        ("false positive", "relation not stated", "met", 1),
    ]
    assert errors[1]["triple"]["score"] == 0.9 and errors[1]["text"] == "Ed met Flo ."
    page = (tmp_path / "new" / "r.html").read_text(encoding="utf8")
    assert "3 gold and 3 predicted triples" in page and "<th>Training</th>" in page
    run("evaluate", pipeline, corpus, *files[:2], "--label-filter", "knew,saw")
    assert len((tmp_path / "new" / "e.jsonl").read_text().splitlines()) == 1


def test_options_about_errors_are_checked_first(fails, corpus, tmp_path):
    pytest.importorskip("matplotlib")
    assert "R111" in fails("evaluate", "absent", corpus, "--train", tmp_path / "absent")
    assert "R209" in fails("evaluate", "absent", corpus, "--errors", tmp_path / "e.json")
    assert "R209" in fails("evaluate", "absent", corpus, "--html", tmp_path / "r.svg")
    page = ["--html", tmp_path / "r.html", "--train", tmp_path / "absent"]
    assert "R111" in fails("evaluate", "absent", corpus, *page)


def test_a_page_needs_matplotlib(fails, corpus, tmp_path, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr("spacy_relext.errors.importlib.import_module", missing)
    assert "spacy-relext[viz]" in fails("evaluate", "absent", corpus, "--html", tmp_path / "r.html")


def test_nothing_annotated_and_no_corpus(run, pipeline, tmp_path):
    DocBin(docs=[make_doc("Ada met Bo .")], store_user_data=True).to_disk(tmp_path / "bare.spacy")
    done = run("evaluate", pipeline, tmp_path / "bare.spacy")
    assert done.exit_code == 1 and done.stderr.splitlines()[-1].startswith("[R208]")
    for path in (tmp_path / "absent.spacy", tmp_path / "text.spacy"):
        (tmp_path / "text.spacy").write_text("no corpus")
        done = run("evaluate", pipeline, path)
        assert done.exit_code == 1 and str(path) in done.stderr and isinstance(done.exception, SystemExit)


def test_evaluating_twice_gives_the_same_and_leaves_the_examples_alone(corpus):
    from spacy_relext.corpora.reader import TripleCorpus

    nlp = make_pipeline()
    examples = list(TripleCorpus(corpus)(nlp))
    first, second = (evaluation.evaluate_pipeline(nlp, examples) for _ in range(2))
    speeds = {"seconds", "docs_per_second", "words_per_second"}
    assert {k: v for k, v in first.items() if k not in speeds} == {k: v for k, v in second.items() if k not in speeds}
    assert not examples[0].predicted.user_data


def test_ranking_scores_are_printed():
    from spacy_relext.cli.evaluate import ranking_table

    keys = ("ap", "p_at_100", "p_at_recall_10", "p_at_recall_30", "p_at_recall_50", "positives", "unscored")
    values = (0.5, 0.25, 0.9, 0.8, 0.7, 12.0, 3.0)
    metrics = {f"{unit}_{key}": value for unit in ("bag", "mention") for key, value in zip(keys, values)}
    (table,) = ranking_table(metrics)
    assert "average precision" in table and "50.00" in table and "never scored" in table
    assert [line.split()[-2:] for line in table.splitlines() if line.startswith("true")] == [["12", "12"]]
    assert ranking_table({**metrics, "bag_ap": None}) == ranking_table({}) == []
