from typing import Any, Dict, List, Set

import pytest
import spacy
from spacy.training import Example

from spacy_relext.annotations.store import set_triples
from spacy_relext.scoring.triples import TextKey, compare_documents
from spacy_relext.scoring.unseen import TrainingFacts, read_training, score_sets, score_unseen

# Training states born_in(Ada, London); the test repeats it, states two new triples, and has one other prediction.
OLD = ("born_in", "Ada", "London")
NEW = ("born_in", "Ada", "Oslo")
LIVES = ("lives_in", "Ada", "London")  # another relation of a known pair
TURNED = ("born_in", "London", "Ada")


def test_known_triples_are_left_out_of_both_sides() -> None:
    gold: List[Set[TextKey]] = [{OLD, NEW}, {LIVES}, set()]
    predicted: List[Set[TextKey]] = [{OLD, NEW, TURNED}, {OLD}, {OLD}]
    everything = score_sets(gold, predicted)
    assert (everything.tp, everything.fp, everything.fn) == (2, 3, 1)
    unseen = score_sets(gold, predicted, known={OLD})
    # NEW is right and TURNED wrong; LIVES is missed; the two wrong predictions of OLD do not count
    assert (unseen.tp, unseen.fp, unseen.fn) == (1, 1, 1)
    assert unseen.fscore == pytest.approx(0.5) and everything.fscore == pytest.approx(4 / 8)
    assert score_sets(gold, predicted, known={OLD, NEW, LIVES, TURNED}).fscore == 0.0


def test_scores_of_documents_and_what_training_holds() -> None:
    nlp = spacy.blank("en")

    def doc(text: str, *triples: Any, source: str = "") -> Any:
        made = nlp(text)
        set_triples(made, [(made[s : s + 1], label, made[o : o + 1]) for s, label, o in triples], source=source)
        return made

    training = read_training([doc("Ada of London", (0, "born_in", 2)), nlp("Nothing annotated")])
    assert training == TrainingFacts({OLD}, {"Ada of London", "Nothing annotated"})
    gold = doc("Ada of London and Oslo", (0, "born_in", 2), (0, "born_in", 4))
    found = doc("Ada of London and Oslo", (0, "born_in", 2), (0, "lives_in", 2), source="extractor")
    documents = list(compare_documents([Example(found, gold)]))
    scores: Dict[str, Any] = score_unseen(documents, training)
    assert scores == {"unseen_p": 0.0, "unseen_r": 0.0, "unseen_f": 0.0, "n_gold_unseen": 1}
    assert score_unseen(documents, None) == {}
