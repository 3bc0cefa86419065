"""What the config says at loading, what tuning found, what a user set on the component: which of them counts."""

import pathlib
from typing import Any

import pytest
import spacy
from spacy import registry
from spacy.language import Language

from spacy_relext.pipeline.settings import as_saved
from tests.rere.conftest import build

NAME = "rere_extractor"


def cfg_of(nlp: Language, name: str = NAME) -> Any:
    return nlp.get_pipe(name).cfg  # type: ignore[attr-defined]


def test_settings_changed_on_the_component_are_saved(nlp: Language, tmp_path: pathlib.Path) -> None:
    cfg_of(nlp).update(threshold=0.123456, thresholds={"author": 0.7})
    nlp.to_disk(tmp_path)
    loaded = cfg_of(spacy.load(tmp_path))
    assert (loaded["threshold"], loaded["thresholds"]) == (0.123456, as_saved({"author": 0.7}))


def test_a_config_given_at_loading_wins(nlp: Language, tmp_path: pathlib.Path) -> None:
    cfg_of(nlp).update(threshold=0.4, thresholds={"author": 0.7}, scale=1.5)
    nlp.to_disk(tmp_path)
    override = {f"components.{NAME}.threshold": 0.9, "components.rere_detector.min_probability": 0.2}
    loaded = spacy.load(tmp_path, config=override)
    assert cfg_of(loaded)["threshold"] == 0.9
    assert cfg_of(loaded)["thresholds"] == {}, "they would hide the threshold that was asked for"
    assert cfg_of(loaded)["scale"] == 1.5 and cfg_of(loaded)["decoding"]["query_threshold"] == 0.05
    assert cfg_of(loaded, "rere_detector")["min_probability"] == 0.2
    loaded.to_disk(tmp_path / "again")
    again = cfg_of(spacy.load(tmp_path / "again"))
    assert (again["threshold"], again["thresholds"], again["scale"]) == (0.9, {}, 1.5)


@pytest.mark.parametrize("value", [1 / 3, 0.1 + 0.2, 0.3])
def test_numbers_that_json_shortens_are_no_change(saved: pathlib.Path, tmp_path: pathlib.Path, value: float) -> None:
    nlp = spacy.load(saved, config={f"components.{NAME}.loss.pair_weight": value})
    cfg_of(nlp)["loss"]["pair_weight"] = 7.0
    nlp.to_disk(tmp_path)
    assert cfg_of(spacy.load(tmp_path))["loss"]["pair_weight"] == 7.0


def test_components_saved_before_there_was_a_record(saved: pathlib.Path, nlp: Language) -> None:
    pipe: Any = nlp.get_pipe(NAME)
    pipe.cfg["threshold"] = 0.77
    del pipe.cfg["configured"]
    data = pipe.to_bytes()
    other: Any = spacy.load(saved).get_pipe(NAME)
    other.from_bytes(data)
    assert other.cfg["threshold"] == 0.77 and other.cfg["configured"]["threshold"] == 0.5


def test_components_do_not_share_settings() -> None:
    first, second = build(), build()
    cfg_of(first)["thresholds"]["author"] = 0.9
    assert cfg_of(second)["thresholds"] == {} == cfg_of(first, "rere_detector")["thresholds"]


def test_scorers_accept_all_settings(nlp: Language, examples: Any) -> None:
    assert {"exact_f", "relations_micro_f"} <= set(nlp.evaluate(examples))


OUT_OF_RANGE = [
    *(("rere_detector", {key: value}) for key in ("threshold", "min_probability") for value in (-1.0, 1e30)),
    *(("rere_detector", {"loss": {key: -1.0}}) for key in ("gamma", "weight", "missing_rate")),
    *((NAME, {"threshold": value}) for value in (-1.0, 1e30)),
    *((NAME, {"decoding": {key: value}}) for key in ("query_threshold", "span_threshold") for value in (-1.0, 1e30)),
    *((NAME, {"decoding": {key: 0}}) for key in ("max_span_length", "top_k")),
    *((NAME, {"loss": {f"{key}_weight": -1.0}}) for key in ("pointer", "pair", "rank", "type", "assertion")),
    *((NAME, {"sampling": {key: -1}}) for key in ("negatives", "negative_weight", "hard_negatives")),
    *(("kd_teacher", {"learning": {key: -1.0}}) for key in ("tsd_weight", "sentence_penalty", "adversarial_radius")),
    ("kd_teacher", {"prior": {"@misc": "spacy_relext.KdPrior.v1", "na_constant": -0.1}}),
    *(("kd_classifier", {"learning": {key: -1.0}}) for key in ("hint_weight", "temperature", "teacher_share")),
    *((name, {"threshold": 2.0}) for name in ("kd_teacher", "kd_classifier", "nero_grounder")),
    *(("nero_grounder", {"grounding": each}) for each in ({"form": "stem"}, {"max_gap": -1}, {"match_threshold": 5.0})),
    ("nero_grounder", {"grounding": {"no_relation": "maybe"}}),
    *(("nero_grounder", {"learning": {key: -2}}) for key in ("w_rules", "margin", "teacher_share", "pool_size")),
    *(("hrere_classifier", each) for each in ({"decoding": {"mix": "no"}}, {"text_share": 1.5})),
    ("hrere_classifier", {"threshold": 1e30}),
    ("hrere_classifier", {"loss": {"kb_weight": -1.0}}),
    ("hrere_classifier", {"loss": {"agree_weight": 1e30}}),
    *(("nero_grounder", {"learning": {"seed": value}}) for value in (-1, "3")),
    ("kd_teacher", {"threshold": "0.5"}),  # the config system accepts numbers in quotes, and hands on the text
    ("selfore_clusterer", {"threshold": -1.0}),
    ("selfore_clusterer", {"n_clusters": -1}),
    ("selfore_clusterer", {"clustering": {"@misc": "spacy_relext.SelforeClustering.v1", "over": 0}}),
    ("selfore_clusterer", {"clustering": {"@misc": "spacy_relext.SelforeClustering.v1", "restarts": -1}}),
]


def setting_id(value: Any) -> str:
    return value if isinstance(value, str) else "=".join(map(str, next(iter(value.items()))))


@pytest.mark.parametrize(("factory", "config"), OUT_OF_RANGE, ids=setting_id)
def test_settings_out_of_range(factory: str, config: Any) -> None:
    with pytest.raises(ValueError, match=r"\[R007\]"):
        spacy.blank("en").add_pipe(factory, config=config)


TOK2VEC: Any = {"@architectures": "spacy.HashEmbedCNN.v2", "pretrained_vectors": None, "width": 8, "depth": 1}
TOK2VEC.update(embed_size=10, window_size=1, maxout_pieces=2, subword_features=False)
SIZES = {
    "RereDetector": ("hidden",),
    "RereExtractor": ("hidden", "pair_hidden"),
    "KdTeacher": ("hidden",),
    "KdStudent": ("hidden", "attention_hidden", "position_width", "type_width"),
    "NeroGrounder": ("hidden", "attention_hidden"),
    "HrereBagClassifier": ("hidden",),
    "SelforeClusterer": (),
    "GraphEncoder": ("width", "layers"),
    "RecurrentEncoder": ("width",),
    "SharedEncoder": ("width",),
    "BiLSTM": ("width", "depth"),
    "Transformer": ("max_pieces", "freeze_layers"),
}
WORD_ENCODERS = ("GraphEncoder", "RecurrentEncoder", "SharedEncoder")


@pytest.mark.parametrize("value", [-1, "3"])
@pytest.mark.parametrize(
    ("name", "key"), [(name, key) for name, keys in SIZES.items() for key in (*keys, "dropout")], ids=str
)
def test_sizes_out_of_range(name: str, key: str, value: object) -> None:
    """Torch says of these that they are invalid for input of size, or nothing at all."""
    block: Any = {"@architectures": f"spacy_relext.{name}.v1", key: value}
    if name == "Transformer":
        block["name"] = "none"
    elif name != "BiLSTM":
        block["tok2vec" if name in WORD_ENCODERS else "encoder"] = TOK2VEC
    with pytest.raises(ValueError, match=rf"\[R007\] {key} is {value!r}"):
        registry.resolve({"model": block})


@pytest.mark.parametrize("value", [-1, "3"])
@pytest.mark.parametrize(
    ("kind", "name", "key"),
    [
        ("readers", "TripleCorpus", "limit"),
        *(("readers", "BagCorpus", key) for key in ("limit", "most", "unrelated", "seed")),
        *(("schedules", "warmup_linear", key) for key in ("initial_rate", "warmup", "total_steps")),
        ("scorers", "relation_scorer", "threshold"),
    ],
)
def test_numbers_of_other_functions(kind: str, name: str, key: str, value: object) -> None:
    required = {"readers": {"path": "corpus.spacy"}, "schedules": {"initial_rate": 0.1}}.get(kind, {})
    with pytest.raises(ValueError, match=rf"\[R007\] {key} is {value!r}"):
        registry.resolve({"block": {f"@{kind}": f"spacy_relext.{name}.v1", **required, key: value}})
