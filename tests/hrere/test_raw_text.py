"""A pipeline that learns from linked entities and marked pairs, and reads raw text."""

from pathlib import Path
from typing import Any, List, Sequence

import pytest
from spacy.language import Language
from spacy.training import Example
from spacy.util import fix_random_seed

from spacy_relext import set_triples
from spacy_relext.annotations.entities import PAIRS_KEY
from tests.hrere.pipes import NAMES, build

SUGGESTER = {"@misc": "spacy_relext.AnnotatedOrAllPairs.v1", "order": "id"}
TEXTS = ("{} is older than {}.", "{} was seen with {}.")


def marked_examples(nlp: Language) -> List[Example]:
    """Texts in which the entity with the smaller id is the subject; the first text states a relation."""
    examples = []
    for one, two in (("Q0", "Q2"), ("Q3", "Q1"), ("Q5", "Q4"), ("Q6", "Q7")):
        for text in TEXTS:
            doc = nlp.make_doc(text.format(NAMES[one], NAMES[two]))
            ends = [(0, len(NAMES[one])), (len(doc.text) - 1 - len(NAMES[two]), len(doc.text) - 1)]
            spans: List[Any] = [
                doc.char_span(*place, label="PERSON", kb_id=link) for place, link in zip(ends, (one, two))
            ]
            doc.set_ents(spans)
            places = [ends[number] for number in ((0, 1) if one < two else (1, 0))]
            doc.user_data[PAIRS_KEY] = [{"subject": list(places[0]), "object": list(places[1])}]
            reference = doc.copy()
            set_triples(reference, [(ends[0], "older", ends[1])] if text == TEXTS[0] else [])
            examples.append(Example(doc, reference))
    return examples


@pytest.fixture(scope="module")
def nlp(tmp_path_factory: Any) -> Language:
    names: Path = tmp_path_factory.mktemp("kb") / "names.tsv"
    rows = [f"{link}\t{name}\tPERSON" for link, name in NAMES.items()]
    names.write_text("\n".join(["id\tlabel\ttype", *rows]), encoding="utf8")
    nlp = build({"suggester": SUGGESTER, "loss": {"agree_weight": 0.0}})
    nlp.add_pipe("relext_sentencizer", first=True)
    nlp.add_pipe("kb_linker", before="hrere_classifier", config={"ents": "names"})
    nlp.config["initialize"]["components"]["kb_linker"] = {"names": str(names)}
    examples = marked_examples(nlp)
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(60):
        nlp.update([Example(each.predicted.copy(), each.reference) for each in examples], sgd=optimizer)
    return nlp


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ada is older than Cleo.", [("Ada", "older", "Cleo")]),
        ("Ada was seen with Cleo.", []),
        ("Dan is older than Bob. Bob was seen with Finn.", [("Dan", "older", "Bob")]),
        ("Ada is older than Ada.", []),  # one entity
        ("Nobody is older than Ada.", []),
    ],
)
def test_raw_text_gives_triples(nlp: Language, text: str, expected: Sequence[Any]) -> None:
    doc = nlp(text)
    assert [(each.subject.text, each.relation, each.object.text) for each in doc._.triples] == expected
    assert all(triple.evidence["ids"][0] in NAMES for triple in doc._.triples)


def test_training_does_not_change_gold(nlp: Language) -> None:
    """The linker annotates no training text, and where it runs, ids that are there stay."""
    example = marked_examples(nlp)[0]
    example.predicted.ents[0][0].ent_kb_id_ = "gold"
    nlp.update([example])
    assert [ent.kb_id_ for ent in example.predicted.ents] == ["gold", "Q2"]
    assert [ent.kb_id_ for ent in nlp(example.predicted.copy()).ents] == ["gold", "Q2"]
