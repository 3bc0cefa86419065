import pathlib
from typing import Any, Dict

import pytest

from benchmarks.harness.datasets import Maker
from benchmarks.rere.peer import peer_scores
from benchmarks.rere.unseen import Judged, score_by_training
from spacy_relext.scoring.evaluation import TrainingFacts
from tests.benchmarks.harness.test_datasets import data  # noqa: F401  (a fixture)

OLD, NEW, WRONG = ("born_in", "Ada", "Oslo"), ("born_in", "Bela", "Porto"), ("born_in", "Bela", "Oslo")


def test_training_sentences_are_left_out_in_a_split_of_their_own() -> None:
    training = TrainingFacts({OLD}, {"old"}, {})
    sentences = [Judged("old", {OLD}, {OLD}), Judged("new", {OLD, NEW}, {OLD, WRONG}), Judged("other", {NEW}, {NEW})]
    found = score_by_training(sentences, training)
    assert found[""] == pytest.approx({"unseen_p": 1 / 2, "unseen_r": 1 / 2, "unseen_f": 1 / 2})
    left = found[", 1 training sentences left out"]
    # OLD and NEW right, WRONG wrong, one NEW missed
    assert [left[f"exact_{key}"] for key in "prf"] == pytest.approx([2 / 3, 2 / 3, 2 / 3])
    assert left["unseen_f"] == pytest.approx(1 / 2)
    assert list(score_by_training(sentences[1:], training)) == [""]
    assert list(score_by_training(sentences[:1], training)) == [""]


def test_scores_of_a_baseline(data: pathlib.Path, tmp_path: pathlib.Path) -> None:  # noqa: F811
    made = Maker(data, tmp_path / "runs").nyt24()
    # the fixture's first twelve test sentences are training sentences too: (0) and (3), for example
    found: Dict[str, Any] = {"tests": {}}
    for split, count in (("test", 12), ("nyt10_hrl/test", 7)):
        said = [[["Ada Brook", "born_in", "Oslo"], ["Ada", "died_in", "Oslo"]]] + [[]] * (count - 1)
        found["tests"][split] = {"tuned": said, "fixed": [[["Ada Brook", "owns", "Oslo"]]] + [[]] * (count - 1)}
    scores = peer_scores(found, made, system="peer:toy")
    tuned, fixed = scores["test"]["peer:toy"], scores["test"]["peer:toy at 0.5"]
    # sixteen gold triples, of which (0) has both; "Ada" is the first word of "Ada Brook"
    assert [tuned[f"exact_{key}"] for key in "prf"] == pytest.approx([1 / 2, 1 / 16, 2 / 18])
    assert tuned["partial_f"] == pytest.approx(4 / 18) and fixed["exact_f"] == fixed["partial_f"] == 0.0
    # all gold triples of test are known, and the one new prediction is wrong
    assert tuned["unseen_f"] == 0.0
    # on the foreign split only relations of training count, and those of its gold; its first sentence is new
    foreign = scores["nyt10_hrl/test"]
    assert foreign["peer:toy"]["exact_p"] == 0.0 and "exact_f" in foreign["peer:toy at 0.5"]
    left = scores["nyt10_hrl/test, 6 training sentences left out"]["peer:toy at 0.5"]
    assert left["exact_p"] == left["exact_r"] == left["exact_f"] == 0.0
