"""The test prose as it is found: with other white space, and wrapped, RERE and KD4NRE find the triples of the text."""

import pathlib
import textwrap
from collections import Counter
from typing import Any, Callable, Dict, List

import pytest
import spacy
from spacy.language import Language
from spacy.training import Example
from spacy.util import fix_random_seed, load_config, load_model_from_config, minibatch

from spacy_relext.annotations.store import get_records
from spacy_relext.corpora.formats.text import parse_markup_line
from spacy_relext.corpora.reader import copy_entities
from spacy_relext.corpora.records import record_to_doc

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

FORMS: Dict[str, Callable[[str], str]] = {
    "two spaces": lambda text: text.replace(" ", "  "),
    "tabs": lambda text: text.replace(" ", "\t"),
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    **{f"wrapped at {width}": lambda text, width=width: textwrap.fill(text, width) for width in (40, 60, 72, 80)},  # type: ignore[misc]
}
SENTENCES, EPOCHS, LEARN_RATE = 60, 25, 2e-3
SCORE = 0.2  # of the triples that are compared: a short training makes most scores low


@pytest.fixture(scope="module")
def records(project_root: pathlib.Path) -> List[Dict[str, Any]]:
    lines = (project_root / "assets" / "prose" / "test_a.txt").read_text(encoding="utf8").splitlines()
    parsed = [parse_markup_line(line) for line in lines if line.strip() and not line.startswith("#")]
    return [record for record in parsed if record["triples"]][:SENTENCES]


def build_rere(root: pathlib.Path, encoder: str) -> Language:
    return load_model_from_config(
        load_config(root / "configs" / "rere.cfg", overrides={"paths.encoder": encoder}), auto_fill=True
    )


def build_kd(root: pathlib.Path, encoder: str) -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("relext_sentencizer", name="sentencizer")
    nlp.add_pipe("tok2vec", config={"model": {"@architectures": "spacy_relext.Transformer.v1", "name": encoder}})
    listener = {"@architectures": "spacy_relext.Listener.v1"}
    nlp.add_pipe("relext_ner", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": listener}})
    model = {"@architectures": "spacy_relext.KdStudent.v1"}
    model["encoder"] = {"@architectures": "spacy_relext.SharedEncoder.v1", "tok2vec": listener}  # type: ignore[assignment]
    learning = {"@misc": "spacy_relext.KdStudentLearning.v1", "adversarial_radius": 0.0}
    nlp.add_pipe("kd_classifier", config={"model": model, "learning": learning})
    return nlp


def train(nlp: Language, records: List[Dict[str, Any]], annotates: List[str]) -> None:
    fix_random_seed(0)
    examples = []
    for record in records:
        reference = record_to_doc(nlp.make_doc, record)
        predicted = nlp.make_doc(reference.text)
        copy_entities(reference, predicted, aside=True)  # pairs of gold entities, which the ner does not see
        examples.append(Example(predicted, reference))
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = LEARN_RATE
    for _ in range(EPOCHS):
        for batch in minibatch(examples, 20):
            nlp.update(list(batch), sgd=optimizer, annotates=annotates)


def triples(nlp: Language, texts: List[str]) -> "Counter[Any]":
    found: Counter[Any] = Counter()
    for number, doc in enumerate(nlp.pipe(texts)):
        for record in get_records(doc) or []:
            subject, obj = (doc.text[slice(*record[role])] for role in ("subject", "object"))
            assert (subject, obj) == (subject.strip(), obj.strip())
            found[number, " ".join(subject.split()), record["relation"], " ".join(obj.split())] += 1
    return found


@pytest.mark.parametrize(
    ("build", "annotates"), [(build_rere, ["sentencizer"]), (build_kd, ["sentencizer", "tok2vec", "relext_ner"])]
)
def test_found_text_has_the_triples_of_clean_text(
    build: Callable[..., Language],
    annotates: List[str],
    records: List[Dict[str, Any]],
    project_root: pathlib.Path,
    encoder_path: pathlib.Path,
) -> None:
    nlp = build(project_root, str(encoder_path))
    train(nlp, records, annotates)
    for _, pipe in nlp.pipeline:
        if "threshold" in getattr(pipe, "cfg", {}):
            pipe.cfg["threshold"] = SCORE  # type: ignore[attr-defined]
    texts = [record["text"] for record in records]
    clean = triples(nlp, texts)
    assert clean.total() > 30
    for name, form in FORMS.items():
        kept = (clean & triples(nlp, list(map(form, texts)))).total() / clean.total()
        print(f"{name}: {kept:.1%} of {clean.total()} triples")
        assert kept >= 0.97, name
