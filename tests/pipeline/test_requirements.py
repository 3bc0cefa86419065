"""A pipeline that is put together wrongly says so once, and spaCy's own analysis of it agrees."""

import pathlib
import pickle
import warnings
from typing import Any, Callable, Dict, List

import pytest
import spacy
from spacy.language import Language
from spacy.training import Example
from spacy.util import load_config

import spacy_relext  # noqa: F401  (registers the factories)
from spacy_relext.cli.pipeline import open_pipeline
from spacy_relext.pipeline.requirements import lack_sentences, late_components
from tests.contract.cases import CNN, LISTENER, detector, extractor
from tests.contract.entities import FACTORY as ENTITIES
from tests.contract.entities import find_entities
from tests.contract.sentences import ENGLISH, make_english_examples
from tests.contract.tiny_ner import save_tiny_ner
from tests.rere.conftest import pipeline_of, train

CONFIGS = sorted((pathlib.Path(__file__).parents[2] / "configs").rglob("*.cfg"))
ONE = "Ada Lovelace was born in London and wrote many long letters to Charles Babbage."
TWO = "Ada Lovelace was born in London. Kari Lund lives in Bergen, which is in Norway."
OURS = ["hrere_classifier", "kd_classifier", "kd_teacher", "nero_grounder", "rere_detector", "rere_extractor"]
OURS += ["selfore_clusterer"]


def codes_of(work: Callable[[], object]) -> List[str]:
    """The warnings of one call that are about the pipeline."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        work()
    found = [str(each.message) for each in caught]
    assert all("\n" not in message for message in found)
    return [message[1:5] for message in found if message[:6] in ("[W005]", "[W006]", "[W007]")]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A detector and an extractor with encoders of their own, after one step of training."""
    nlp = pipeline_of(rere_detector=detector(CNN), rere_extractor=extractor(CNN))
    train(nlp, make_english_examples(nlp), steps=1)
    path = tmp_path_factory.mktemp("requirements") / "pipeline"
    nlp.to_disk(path)
    return path


@pytest.fixture
def nlp(alone: pathlib.Path) -> Language:
    return spacy.load(alone)


@pytest.fixture
def listening(tmp_path: pathlib.Path) -> Language:
    nlp = pipeline_of(tok2vec={"model": CNN}, rere_detector=detector(LISTENER))
    train(nlp, make_english_examples(nlp), steps=1)
    return nlp


# Sentences


def test_texts_without_sentences_warn_once_for_each_component(nlp: Language) -> None:
    nlp.remove_pipe("sentencizer")
    assert codes_of(lambda: nlp(TWO)) == ["W005", "W005"]
    assert codes_of(lambda: list(nlp.pipe([TWO, TWO]))) == []


@pytest.mark.parametrize(
    "text", ["", "Oslo.", ONE, "Yes! Ada was born in London.", "A " * 40, f'"({ONE})"', ONE[:-1] + '?!".']
)
def test_one_sentence_needs_no_boundaries(nlp: Language, text: str) -> None:
    nlp.remove_pipe("sentencizer")
    assert codes_of(lambda: nlp(text)) == []


def test_boundaries_that_the_text_has_are_enough(nlp: Language) -> None:
    nlp.remove_pipe("sentencizer")
    doc = nlp.make_doc(TWO)
    for token in doc:
        token.is_sent_start = token.i in (0, 7)
    hooked = nlp.make_doc(TWO)
    hooked.user_hooks["sents"] = lambda each: iter([each[:7], each[7:]])
    assert codes_of(lambda: list(nlp.pipe([doc, hooked]))) == []


@pytest.mark.parametrize(
    "text, several",
    [
        (TWO, True),
        ("Name: Ada Lovelace\nBorn in: London, in the year of 1815\nDied in: London too", True),
        ("阿达出生在伦敦。卡丽住在卑尔根，她在奥斯陆大学学习了很长时间", True),
        (ONE, False),
        (TWO[:44], False),
    ],
)
def test_what_looks_like_several_sentences(text: str, several: bool) -> None:
    lang = "en" if text.isascii() else "zh"
    assert lack_sentences([spacy.blank(lang).make_doc(text)]) is several


@pytest.mark.parametrize("annotating, expected", [([], ["W005"]), (["sentencizer"], [])])
def test_training_without_sentences_warns(annotating: List[str], expected: List[str]) -> None:
    nlp = pipeline_of(rere_detector=detector(CNN))
    examples = make_english_examples(nlp)
    gold = nlp.make_doc(TWO)
    gold._.triples = []
    examples.append(Example(nlp.make_doc(TWO), gold))
    optimizer = nlp.initialize(lambda: examples)
    update: Any = lambda: nlp.update(examples, sgd=optimizer, annotates=annotating)  # noqa: E731
    assert codes_of(update) == expected
    assert codes_of(update) == []


# Order


def test_sentences_that_are_set_too_late() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("rere_detector", config=detector(CNN))
    nlp.add_pipe("relext_sentencizer", name="splitter")
    message = r"\[W006\] rere_detector reads token.is_sent_start, which splitter sets only after it. Move splitter"
    with pytest.warns(UserWarning, match=message):
        nlp.initialize(lambda: make_english_examples(nlp))
    assert codes_of(lambda: nlp(TWO)) == [], "once, whether by the order or by the texts"


def test_a_second_component_for_sentences_may_come_later(nlp: Language) -> None:
    nlp.add_pipe("relext_sentencizer")
    assert late_components(nlp, "rere_detector") == late_components(nlp, "rere_extractor") == {}
    with nlp.select_pipes(disable="sentencizer"):  # as `initialize` disables what is frozen
        assert late_components(nlp, "rere_detector") == {}
    nlp.remove_pipe("sentencizer")
    assert late_components(nlp, "rere_detector") == {"token.is_sent_start": ["relext_sentencizer"]}
    with nlp.select_pipes(disable="relext_sentencizer"):
        assert late_components(nlp, "rere_detector") == {}
    assert late_components(nlp, "no such component") == {}


def test_a_detector_behind_its_extractor() -> None:
    nlp = pipeline_of()
    nlp.add_pipe("rere_extractor", name="spans", config=extractor(CNN))
    nlp.add_pipe("rere_detector", name="labels", config=detector(CNN))
    with pytest.warns(UserWarning, match=r"\[W006\] spans reads span._.relations, which labels sets only after it"):
        train(nlp, make_english_examples(nlp), steps=1)
    assert codes_of(lambda: nlp(TWO)) == []
    again = nlp.from_bytes(nlp.to_bytes())
    again.get_pipe("spans")._warned.clear()  # type: ignore[attr-defined]
    assert codes_of(lambda: again(TWO)) == ["W007"]


def test_an_extractor_without_detector(nlp: Language) -> None:
    assert codes_of(lambda: nlp(TWO)) == []
    nlp.remove_pipe("rere_detector")
    with pytest.warns(UserWarning, match=r"\[W007\] rere_extractor: no component before it detects relations"):
        nlp(TWO)
    assert codes_of(lambda: list(nlp.pipe([ONE, TWO]))) == []


def test_commands_check_the_order_when_they_load(nlp: Language, tmp_path: pathlib.Path, alone: pathlib.Path) -> None:
    assert codes_of(lambda: open_pipeline(str(alone))) == []
    nlp.remove_pipe("sentencizer")
    nlp.add_pipe("sentencizer", last=True)
    nlp.to_disk(tmp_path / "late")
    assert codes_of(lambda: open_pipeline(str(tmp_path / "late"))) == ["W006", "W006"]


def test_a_warned_component_can_be_pickled(nlp: Language) -> None:
    nlp.remove_pipe("sentencizer")
    assert len(codes_of(lambda: nlp(TWO))) == 2
    again = pickle.loads(pickle.dumps(nlp.get_pipe("rere_detector")))
    assert codes_of(lambda: again(nlp.make_doc(TWO))) == []


# Listeners


def test_a_listener_whose_upstream_is_disabled(listening: Language) -> None:
    message = r"^\[R365\] 'rere_detector' listens to 'tok2vec', which has not run on this text\. Enable 'tok2vec'"
    with listening.select_pipes(disable="tok2vec"), pytest.raises(ValueError, match=message) as caught:
        listening(TWO)
    assert "\n" not in str(caught.value)
    assert listening(TWO).has_annotation("SENT_START") and listening("") is not None
    for node in listening.get_pipe("rere_detector").model.walk():  # type: ignore[attr-defined]
        if hasattr(node, "upstream_name"):
            node.upstream_name = "*"
    with listening.select_pipes(enable="rere_detector"), pytest.raises(ValueError, match="listens to 'tok2vec'"):
        list(listening.pipe(["", TWO]))


def test_a_listener_that_is_copied_alone(listening: Language, tmp_path: pathlib.Path) -> None:
    other = pipeline_of()
    other.add_pipe("rere_detector", source=listening)
    with pytest.raises(ValueError, match="R365.*replace_listeners"):
        other(TWO)
    other.to_disk(tmp_path / "other")
    with pytest.raises(ValueError, match="R365"):
        spacy.load(tmp_path / "other")(TWO)
    other.add_pipe("tok2vec", source=listening, before="rere_detector")
    assert other(TWO)[:]._.triples == []


@pytest.mark.parametrize("late", [False, True])
def test_a_listener_without_upstream_is_not_initialized(late: bool) -> None:
    nlp = pipeline_of(rere_detector=detector(LISTENER))
    if late:
        nlp.add_pipe("tok2vec", config={"model": CNN})
    message = r"'rere_detector' listens to 'tok2vec', but there is no such component before it \(sentencizer\)"
    with pytest.raises(ValueError, match=rf"^\[R366\] {message}"):
        nlp.initialize(lambda: make_english_examples(nlp))


def test_a_listener_to_a_transformer_that_has_not_run(bert: str) -> None:
    pytest.importorskip("spacy_transformers")
    model: Dict[str, Any] = {"@architectures": "spacy-transformers.TransformerModel.v3", "name": bert}
    model |= {"get_spans": {"@span_getters": "spacy-transformers.sent_spans.v1"}, "tokenizer_config": {}}
    listener: Dict[str, Any] = {"@architectures": "spacy-transformers.TransformerListener.v1", "grad_factor": 1.0}
    listener |= {"pooling": {"@layers": "reduce_mean.v1"}, "upstream": "*"}
    nlp = pipeline_of(transformer={"model": model}, rere_detector=detector(listener))
    train(nlp, make_english_examples(nlp), steps=1)
    assert nlp(TWO).has_annotation("SENT_START")
    with nlp.select_pipes(disable="transformer"), pytest.raises(ValueError, match="R365.*listens to 'transformer'"):
        nlp(TWO)


# spaCy's own analysis


def problems_of(nlp: Language) -> Dict[str, List[str]]:
    """What `nlp.analyze_pipes` finds missing, for each component."""
    analysis = nlp.analyze_pipes()
    assert analysis is not None
    return dict(analysis["problems"])


def problems(*names: str) -> List[str]:
    """The same for the last of some components."""
    nlp = spacy.blank("en")
    for name in names:
        nlp.add_pipe(name)
    return problems_of(nlp)[names[-1]]


@pytest.mark.parametrize("name", OURS)
def test_analysis_misses_what_a_component_reads(name: str) -> None:
    meta = Language.get_factory_meta(name) if spacy.blank("en").has_factory(name) else None
    assert meta is not None and meta.retokenizes is False
    assert "token.is_sent_start" in meta.requires
    assert ("doc.ents" in meta.requires) is not name.startswith("rere_")
    assert set(meta.assigns) == (
        {"span._.relations"} if name == "rere_detector" else {"doc._.triples", "span._.triples"}
    )
    assert set(problems(name)) == set(meta.requires)


@pytest.mark.parametrize("sentences", ["sentencizer", "relext_sentencizer", "senter", "parser"])
def test_analysis_accepts_what_sets_sentences(sentences: str) -> None:
    assert problems(sentences, "rere_detector") == []
    assert problems("rere_detector", sentences, ENTITIES, "kd_classifier") == []
    assert problems(ENTITIES, "kd_teacher") == ["token.is_sent_start"]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_config_has_a_problem(path: pathlib.Path, bert: str, tmp_path: pathlib.Path) -> None:
    """Entities and links alone may be missing, where the corpus or the user gives them."""
    config = load_config(path)
    if "transformer" in config["components"]:
        pytest.importorskip("spacy_transformers")
    if "encoder" in config["paths"]:
        config["paths"]["encoder"] = bert
    if "ner" in config["paths"]:
        save_tiny_ner(tmp_path / "ner", [find_entities(spacy.blank("en").make_doc(ENGLISH[0][0]))])
        config["paths"]["ner"] = str(tmp_path / "ner")
    nlp = spacy.util.load_model_from_config(config, auto_fill=True)
    found = problems_of(nlp)
    setters = [name for name in nlp.pipe_names if "doc.ents" in nlp.get_pipe_meta(name).assigns]
    given = {"token.ent_kb_id"} if setters else {"doc.ents", "token.ent_kb_id"}
    assert {attribute for missing in found.values() for attribute in missing} <= given
    assert all(late_components(nlp, name) == {} for name in nlp.pipe_names)
