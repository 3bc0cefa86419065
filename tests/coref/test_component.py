"""`relext_coref`: it learns by heart, abstains, survives saving, and leaves the chains of others alone."""

import pathlib
import pickle
from typing import Any, Dict, List

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.util import fix_random_seed

from spacy_relext.annotations.store import get_coref
from spacy_relext.pipeline.tuning import tune_pipeline

from .texts import DOCUMENTS, make_example, make_examples, make_pipeline


@pytest.fixture(scope="module")
def trained() -> Language:
    fix_random_seed(0)
    nlp = make_pipeline()
    examples = make_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(150):
        nlp.update(make_examples(nlp), sgd=optimizer)
        if score(nlp)["coref_b3_f"] == 1.0:
            break
    return nlp


def annotate(nlp: Language) -> List[Example]:
    pipe = nlp.get_pipe("relext_coref")
    return [Example(pipe(example.predicted), example.reference) for example in make_examples(nlp)]


def score(nlp: Language) -> Dict[str, Any]:
    return nlp.get_pipe("relext_coref").score(annotate(nlp))  # type: ignore[attr-defined]


def clusters(nlp: Language, marked: str = DOCUMENTS[3]) -> List[List[str]]:
    doc = nlp.get_pipe("relext_coref")(make_example(nlp, marked).predicted)
    return [[doc.text[slice(*place)] for place in cluster] for cluster in get_coref(doc)]


def test_it_learns_by_heart(trained: Language) -> None:
    scores = score(trained)
    assert scores == {key: pytest.approx(1.0) for key in scores} and len(scores) == 7
    assert clusters(trained) == [["Eva Moe", "She"], ["Skog", "the firm", "its"]]
    names = [entity.name for entity in annotate(trained)[4].predicted._.entities]
    assert names == ["Liv"], "a name may follow"
    assert clusters(trained, DOCUMENTS[7]) == [], "neither the rain nor they stand for a name"


def test_it_abstains_below_its_threshold(trained: Language) -> None:
    nlp = pickle.loads(pickle.dumps(trained))
    nlp.get_pipe("relext_coref").cfg["threshold"] = 1.0
    assert clusters(nlp) == []
    with pytest.raises(ValueError, match=r"threshold.*1\.5"):
        make_pipeline(threshold=1.5)


def test_it_survives_saving(trained: Language, tmp_path: pathlib.Path) -> None:
    trained.to_disk(tmp_path / "nlp")
    loaded = spacy.load(tmp_path / "nlp")
    copies = [loaded, pickle.loads(pickle.dumps(trained)), make_pipeline().from_bytes(trained.to_bytes())]
    assert [clusters(nlp) for nlp in copies] == [clusters(trained)] * 3
    docs = [example.predicted for example in make_examples(trained)]
    one = [get_coref(doc) for doc in trained.pipe([doc.copy() for doc in docs], batch_size=1)]
    assert one == [get_coref(doc) for doc in trained.pipe([doc.copy() for doc in docs], batch_size=8)]
    assert one == [get_coref(doc) for doc in loaded.pipe([doc.copy() for doc in docs], n_process=2)]
    (kept,) = DocBin(docs=[next(iter(trained.pipe([docs[0]])))], store_user_data=True).get_docs(trained.vocab)
    assert get_coref(kept) == one[0]


@pytest.mark.parametrize(
    "text", ["", " ", "\n\u00a0", "Hm", "She", "the", "The  \u00a0old\nfirm", "THE US LEFT HIM 🙂."]
)
def test_odd_texts(trained: Language, text: str) -> None:
    doc = trained(text)
    assert doc._.entities is not None and doc._.facts == []


def test_found_white_space_changes_nothing(trained: Language) -> None:
    spaced = "Eva Moe  runs\u00a0Skog.\nShe likes the\nfirm  and its hall."
    doc = trained.get_pipe("sentencizer")(trained.make_doc(spaced))
    doc.set_ents([doc.char_span(0, 7, label="PERSON"), doc.char_span(14, 18, label="ORG")])
    assert len(doc.ents) == 2
    found = [
        [spaced[slice(*place)] for place in cluster] for cluster in get_coref(trained.get_pipe("relext_coref")(doc))
    ]
    assert found == [["Eva Moe", "She"], ["Skog", "the\nfirm", "its"]]


def test_chains_of_another_component_stay(trained: Language) -> None:
    doc = make_example(trained, DOCUMENTS[3]).predicted
    doc.spans["coref_clusters_1"] = [doc[0:2], doc[5:6]]
    assert get_coref(trained.get_pipe("relext_coref")(doc)) == []
    assert [len(entity.mentions) for entity in doc._.entities] == [2, 1]


def test_a_part_of_the_annotation_teaches_what_it_says(trained: Language) -> None:
    # GAP: of the other pronouns and names nothing is known
    nlp = make_pipeline()
    marked = "[P1 Ada] saw Bo and [P2 Eva]. [P1~ She] and her [O3 Skog] grew. The company fell."
    gold = nlp.get_pipe("relext_coref").suggest_gold([make_example(nlp, marked, is_whole=False)]).gold  # type: ignore
    assert gold.ends == [-1] * len(gold.ends)
    right = [each for each in gold.allowed if each is not None]
    assert right == [[True, False, False, False]], "the antecedents are Ada and Eva; Skog follows"
    marked = "[P1 Ada] saw [P2 Eva]. [P3~ She] ran with Ida."
    example = make_example(nlp, marked, is_whole=False)
    example.predicted.set_ents([*example.predicted.ents, example.predicted.char_span(26, 29, label="PERSON")])
    gold = nlp.get_pipe("relext_coref").suggest_gold([example]).gold  # type: ignore
    assert gold.allowed == [[False, False, True, True]], "neither Ada nor Eva, but perhaps Ida"


def test_a_doc_without_annotation_teaches_nothing(trained: Language) -> None:
    nlp = make_pipeline()
    example = make_example(nlp, DOCUMENTS[0])
    bare = Example(example.predicted, nlp.make_doc(example.text))
    gold = nlp.get_pipe("relext_coref").suggest_gold([bare]).gold  # type: ignore
    assert gold.allowed == [None, None] and gold.ends == [-1] * 4
    losses = trained.get_pipe("relext_coref").update([bare])
    assert losses["relext_coref"] == 0.0


def test_before_training() -> None:
    nlp = make_pipeline()
    with pytest.raises(ValueError, match=r"\[R004\].*relext_coref"):
        nlp("Ada left.")
    with pytest.raises(ValueError, match=r"\[R003\].*relext_coref"):
        nlp.initialize(lambda: [Example(nlp.make_doc("Ada"), Doc(nlp.vocab, ["Ada"]))])


def test_tune_fits_the_threshold(trained: Language) -> None:
    nlp = pickle.loads(pickle.dumps(trained))
    nlp.get_pipe("relext_coref").cfg["threshold"] = 1.0
    result = tune_pipeline(nlp, make_examples(nlp))["relext_coref"]
    assert result["after"] == pytest.approx(1.0) and result["before"] < 0.9 and result["writes"] == "coref"
    assert result["fitted"] == {"threshold": nlp.get_pipe("relext_coref").cfg["threshold"]} != {"threshold": 1.0}
