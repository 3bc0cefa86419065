"""A training that starts from a trained pipeline with other relations."""

import pathlib
from typing import Any, List

import pytest
import spacy
import torch
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.training import Example

from spacy_relext import get_records, set_triples
from spacy_relext.bridge.modules import module_of
from spacy_relext.bridge.packing import save_packed
from spacy_relext.pipeline.starting import create_start_from, find_similar
from tests.contract.cases import LISTENER, RECURRENT, detector, extractor
from tests.contract.sentences import make_english_examples
from tests.rere.conftest import pipeline_of

# Weights that depend on no relation, and a table with a row for each, by component.
SHARED = {"rere_detector": "project.1.weight", "rere_extractor": "pair_scorer.ends.weight"}
TABLES = {"rere_detector": "value.weight", "rere_extractor": "query"}
KNOWN, NEW = "place_of_birth", "native_of"


def begin(saved: pathlib.Path, **changes: Any) -> Language:
    """A pipeline with the encoder of a saved one, initialized for one of its relations and a new one."""
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("tok2vec", source=spacy.load(saved))
    configs = {"rere_detector": detector(LISTENER), "rere_extractor": extractor(LISTENER), **changes}
    for factory, config in configs.items():
        nlp.add_pipe(factory, config=config)
    with nlp.select_pipes(disable="tok2vec"):
        nlp.initialize(lambda: relabelled(nlp))
    return nlp


def relabelled(nlp: Language) -> List[Example]:
    """Examples in which all relations but one have another name."""
    examples = make_english_examples(nlp)
    for example in examples:
        records = get_records(example.reference) or []
        set_triples(example.reference, [{**r, "relation": KNOWN if r["relation"] == KNOWN else NEW} for r in records])
    return examples


def weight(nlp: Language, component: str, name: str) -> torch.Tensor:
    return module_of(nlp.get_pipe(component).model).state_dict()[name]  # type: ignore[attr-defined]


@pytest.mark.parametrize("component", SHARED)
def test_weights_without_relations_are_copied_and_rows_by_name(saved: pathlib.Path, component: str) -> None:
    trained, nlp = spacy.load(saved), begin(saved)
    assert not torch.equal(weight(nlp, component, SHARED[component]), weight(trained, component, SHARED[component]))
    assert create_start_from(str(saved))(nlp) is nlp
    assert torch.equal(weight(nlp, component, SHARED[component]), weight(trained, component, SHARED[component]))
    rows, trained_rows = (weight(each, component, TABLES[component]) for each in (nlp, trained))
    labels = [getattr(each.get_pipe(component), "labels") for each in (nlp, trained)]  # noqa: B009
    assert labels[0] == (NEW, KNOWN)
    assert torch.equal(rows[1], trained_rows[labels[1].index(KNOWN)])
    assert torch.allclose(rows[0], trained_rows.mean(0))


def test_a_new_relation_starts_from_the_one_found_between_its_arguments(
    saved: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    trained, nlp = spacy.load(saved), begin(saved)
    references = [example.reference for example in relabelled(nlp)]
    similar = find_similar(trained, references)
    assert similar[NEW] in {"author", "correspondent", "located_in"}
    DocBin(docs=references, store_user_data=True).to_disk(tmp_path / "train.spacy")
    corpus = {"@readers": "spacy_relext.TripleCorpus.v1", "path": str(tmp_path / "train.spacy")}
    nlp.config["paths"]["train"] = corpus["path"]
    nlp.config["corpora"] = {"train": corpus, "dev": corpus}
    create_start_from(str(saved))(nlp)
    row = trained.get_pipe("rere_extractor").labels.index(similar[NEW])  # type: ignore[attr-defined]
    tables = [weight(each, "rere_extractor", "query") for each in (nlp, trained)]
    assert torch.equal(tables[0][0], tables[1][row])


def test_it_learns_in_fewer_steps_and_saves_exact_weights(saved: pathlib.Path, tmp_path: pathlib.Path) -> None:
    save_packed(spacy.load(saved), tmp_path / "packed")
    nlp = create_start_from(str(tmp_path / "packed"))(begin(tmp_path / "packed"))
    examples, optimizer = relabelled(nlp), nlp.resume_training()
    optimizer.learn_rate = 0.005
    for _ in range(30):
        nlp.update(examples, sgd=optimizer, annotates=["sentencizer"])
    assert nlp.evaluate(examples)["exact_f"] == 1.0
    nlp.to_disk(tmp_path / "new")
    again = spacy.load(tmp_path / "new")
    assert torch.equal(weight(again, "rere_extractor", "query"), weight(nlp, "rere_extractor", "query"))


WIDE = {"model": {**detector(LISTENER)["model"], "hidden": 32}}


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({"rere_detector": WIDE}, "R419.*rere_detector.*no project.1.weight of that shape"),
        ({"rere_detector": detector(RECURRENT)}, "R419.*rere_detector.*encoder is built in another way"),
    ],
)
def test_another_architecture(saved: pathlib.Path, changes: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        create_start_from(str(saved))(begin(saved, **changes))


def test_no_such_pipeline(saved: pathlib.Path, tmp_path: pathlib.Path) -> None:
    nlp = begin(saved)
    with pytest.raises(ValueError, match="R420"):
        create_start_from(str(tmp_path / "none"))(nlp)
    pipeline_of().to_disk(tmp_path / "empty")
    with pytest.raises(ValueError, match="R419.*no such component"):
        create_start_from(str(tmp_path / "empty"))(nlp)
