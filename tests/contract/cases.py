"""What the contract suite runs over: one `MethodCase` for each factory and kind of encoder.

A new method joins with a line in `CASES`; `test_contract.py` fails for a factory without one.
"""

import pathlib
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Tuple

from spacy.language import Language
from spacy.training import Example

from tests.contract.entities import FACTORY as ENTITIES
from tests.contract.sentences import (
    RULES,
    make_asserted_examples,
    make_chinese_examples,
    make_cluster_examples,
    make_english_examples,
    make_rule_examples,
)

Setting = Dict[str, Any]


@dataclass(frozen=True)
class MethodCase:
    """A component in a pipeline, with data that it must be able to learn by heart.

    id (str): Name of the case.
    factory (str): The factory under test; it comes last in the pipeline.
    config (Setting): Its settings. The string "{encoder}" stands for the folder of a tiny random BERT.
    before (Tuple[Tuple[str, Setting], ...]): Factories that come before it, with their settings.
    make_examples (Callable[[Language], List[Example]]): Eight sentences with gold.
    overfit_key (str): The score that must reach 1 on them.
    silencing (Setting): Entries of `cfg`, or of its blocks, under which the trained component finds nothing.
    lang (str): Language of the pipeline.
    steps (int): Updates after which the case has failed.
    learn_rate (float): Of Adam.
    reads_gold (bool): Whether it learns from gold triples, and so from which relations there are.
    finds_relations (bool): Whether its relations are clusters, which nobody can give it.
    spawn (bool): Whether to start new processes with it too, which is slow; some cases.
    """

    id: str
    factory: str
    config: Setting
    before: Tuple[Tuple[str, Setting], ...]
    make_examples: Callable[[Language], List[Example]]
    overfit_key: str
    silencing: Setting
    lang: str = "en"
    steps: int = 150
    learn_rate: float = 0.005
    reads_gold: bool = True
    finds_relations: bool = False
    spawn: bool = False

    @property
    def no_labels(self) -> str:
        """Code of the error where training data has no relation: where it reads pairs of entities, no entity either."""
        return "R515" if ENTITIES in self.annotating else "R003"

    @property
    def annotating(self) -> List[str]:
        """Components whose annotation training needs."""
        return [factory for factory, _ in self.before if factory in ("sentencizer", ENTITIES)]

    @property
    def needs_encoder(self) -> bool:
        """Whether a checkpoint is read at initialize."""
        return "{encoder}" in repr((self.config, self.before))

    @property
    def silences_queries(self) -> bool:
        """Whether silencing stops relations before arguments are looked for."""
        return "decoding" in self.silencing

    def silence(self, cfg: Setting) -> None:
        """Change settings so that the trained component finds nothing."""
        for key, value in self.silencing.items():
            cfg[key] = {**cfg[key], **value} if isinstance(value, dict) else value

    def build(self, encoder: pathlib.Path, *, name: str) -> Language:
        """Make the untrained pipeline."""
        import spacy

        nlp = spacy.blank(self.lang)
        for factory, config in self.before:
            nlp.add_pipe(factory, config=_filled(config, str(encoder)))
        nlp.add_pipe(self.factory, name=name, config=_filled(self.config, str(encoder)))
        return nlp


def _filled(value: Any, encoder: str) -> Any:
    """Copy a setting with the encoder's folder in place."""
    if isinstance(value, dict):
        return {key: _filled(part, encoder) for key, part in value.items()}
    return encoder if value == "{encoder}" else value


WIDTH = 48
CNN = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    "pretrained_vectors": None,
    "width": WIDTH,
    "depth": 3,
    "embed_size": 300,
    "window_size": 1,
    "maxout_pieces": 2,
    "subword_features": True,
}
WORDS = {"@architectures": "spacy_relext.Words.v1", "tok2vec": CNN}
EMBED = {
    "@architectures": "spacy.MultiHashEmbed.v2",
    "width": WIDTH,
    "attrs": ["NORM", "SHAPE"],
    "rows": [300, 100],
    "include_static_vectors": False,
}
LSTM = {"@architectures": "spacy_relext.BiLSTM.v1", "width": WIDTH, "depth": 1, "dropout": 0.0}
RECURRENT = {"@architectures": "spacy.Tok2Vec.v2", "embed": EMBED, "encode": LSTM}
LISTENER = {"@architectures": "spacy_relext.Listener.v1", "upstream": "tok2vec"}
# A random encoder learns with all its weights, unlike a pretrained one.
RANDOM = {"name": "{encoder}", "precision": "fp32", "freeze_embeddings": False, "lr_scale": 1.0}
BERT = {"@architectures": "spacy_relext.Transformer.v1", "max_pieces": 32, "dropout": None, **RANDOM}
PIECES = {"@architectures": "spacy_relext.PieceEncoder.v1", "max_pieces": 48, **RANDOM}
MARKED_DETECTOR = {"@architectures": "spacy_relext.RereDetector.v1", "encoder": PIECES, "dropout": 0.0}
MEAN_DETECTOR = {**MARKED_DETECTOR, "pooling": "mean"}
MARKED_EXTRACTOR = {"@architectures": "spacy_relext.RereExtractor.v1", "encoder": PIECES, "dropout": 0.0}
MARKED_EXTRACTOR |= {"pair_hidden": 64}


def detector(encoder: Setting) -> Setting:
    """Settings of a detector over token vectors."""
    head = {"@architectures": "spacy_relext.RereDetector.v1", "hidden": 64, "dropout": 0.0}
    return {"model": {**head, "encoder": encoder}}


def extractor(encoder: Setting) -> Setting:
    """Settings of an extractor over token vectors."""
    head = {"@architectures": "spacy_relext.RereExtractor.v1", "hidden": 64, "pair_hidden": 64, "between": False}
    return {"model": {**head, "dropout": 0.0, "encoder": encoder}}


NO_DROPOUT = {"width": 32, "input_dropout": 0.0, "dropout": 0.0, "word_dropout": 0.0}
GRAPH = {"@architectures": "spacy_relext.GraphEncoder.v1", **NO_DROPOUT, "tok2vec": CNN}
LSTM_PAIRS = {"@architectures": "spacy_relext.RecurrentEncoder.v1", **NO_DROPOUT, "tok2vec": CNN}
# as HRERE reads words: none is replaced or dropped, and the distances to both arguments count
LSTM_DISTANCES = {**LSTM_PAIRS, "mask_entities": False, "offset_width": 25}
SHARED = {"@architectures": "spacy_relext.SharedEncoder.v1", "width": 32, "dropout": 0.0}
# what learns nothing must not begin with random weights
AS_IT_IS = {**PIECES, "case_features": False, "freeze_embeddings": True}
# The longest sentence has some hundred names, and their square as many pairs.
NEAR = {"@misc": "spacy_relext.EntityPairs.v1", "max_distance": 8}


def pairs(head: str, encoder: Setting) -> Setting:
    """Settings of a classifier of pairs."""
    model = {"@architectures": f"spacy_relext.{head}.v1", "hidden": 32, "dropout": 0.0, "encoder": encoder}
    return {"model": model, "suggester": NEAR}


def distilled(head: str, encoder: Setting) -> Setting:
    """Settings of a teacher or student, without adversarial training, which a listener has no input for."""
    learning = {"@misc": f"spacy_relext.{head}Learning.v1", "adversarial_radius": 0.0}
    return {**pairs(head, encoder), "learning": learning}


UNMIXED = {**PIECES, "mix_from": None}
PUNCT = {**UNMIXED, "form": "punct"}
READ_ALL = {"@misc": "spacy_relext.RuleLearning.v1", "rule_batch": 0, "unmatched_from": 100, "both_orders": False}
NO_LOOKUP = {"@misc": "spacy_relext.RuleGrounding.v1", "exact_wins": False, "average_orders": False}


def grounder(encoder: Setting) -> Setting:
    """Settings of a classifier of pairs that learns from rules; it must learn what they say, not look it up."""
    rules = [{"relation": relation, "pattern": pattern} for relation, pattern in RULES]
    return {**pairs("NeroGrounder", encoder), "rules": rules, "grounding": NO_LOOKUP, "learning": READ_ALL}


def clusterer(encoder: Setting, **options: str) -> Setting:
    """Settings of a finder of relations."""
    model = {"@architectures": "spacy_relext.SelforeClusterer.v1", "dropout": 0.0, "encoder": encoder, **options}
    training = {"@misc": "spacy_relext.SelforeTraining.v1", "loops": 1}
    return {"model": model, "suggester": NEAR, "n_clusters": 2, "training": training}


def bags(encoder: Setting) -> Setting:
    """Settings of a classifier of bags; without a knowledge base, and so without links, each mention is one."""
    return pairs("HrereBagClassifier", encoder)


def matcher(encoder: Setting) -> Setting:
    """Settings of a matcher of pairs and descriptions, which learns all relations in each step."""
    head = {"@architectures": "spacy_relext.DescriptionMatcher.v1", "dropout": 0.0, "relation_dropout": 0.0}
    return {"model": {**head, "encoder": encoder}, "suggester": NEAR}


SENTS = ("sentencizer", {})
NAMED = (SENTS, (ENTITIES, {}))
NAMED_CNN = (*NAMED, ("tok2vec", {"model": WORDS}))
ENGLISH_RELATIONS = (make_english_examples, "relations_micro_f", {"min_probability": 1.01})
ENGLISH = (make_english_examples, "exact_f", {"threshold": 1.01})
ASSERTED = (make_asserted_examples, "exact_f", {"threshold": 1.01})
BY_RULES = (make_rule_examples, "exact_f", {"threshold": 1.01})
RULED: Setting = {"reads_gold": False}
SHARED_LISTENER, SHARED_CNN_PAIRS = {**SHARED, "tok2vec": LISTENER}, {**SHARED, "tok2vec": CNN}
BY_CLUSTERS = (make_cluster_examples, "ari", {"threshold": 1.01})
BY_CHANCE = (make_cluster_examples, "clusters_coverage", {"threshold": 1.01})
FOUND: Setting = {"reads_gold": False, "finds_relations": True, "learn_rate": 1e-4}
DETECTED = (make_english_examples, "exact_f", {"decoding": {"query_threshold": 1.0}})
CHINESE = (make_chinese_examples, "span_f", {"decoding": {"query_threshold": 1.0}})
SHARED_CNN = (SENTS, ("tok2vec", {"model": WORDS}), ("rere_detector", detector(LISTENER)))
BEFORE_MARKED = (SENTS, ("rere_detector", {"model": MARKED_DETECTOR}))

CASES = [
    MethodCase("detector", "rere_detector", detector(CNN), (SENTS,), *ENGLISH_RELATIONS),
    MethodCase("extractor", "rere_extractor", extractor(CNN), (SENTS,), *ENGLISH),
    MethodCase("listener", "rere_extractor", extractor(LISTENER), SHARED_CNN, *DETECTED, spawn=True),
    MethodCase("chinese", "rere_extractor", extractor(LISTENER), SHARED_CNN, *CHINESE, lang="zh"),
    MethodCase("recurrent", "rere_extractor", extractor(RECURRENT), (SENTS,), *ENGLISH),
    MethodCase("transformer", "rere_extractor", extractor(BERT), (SENTS,), *ENGLISH, spawn=True),
    MethodCase("asserting extractor", "rere_extractor", extractor(CNN), (SENTS,), *ASSERTED),
    MethodCase(
        "asserting student", "kd_classifier", distilled("KdStudent", {**SHARED, "tok2vec": CNN}), NAMED, *ASSERTED
    ),
    MethodCase("marked detector", "rere_detector", {"model": MARKED_DETECTOR}, (SENTS,), *ENGLISH_RELATIONS),
    MethodCase("marked detector, mean", "rere_detector", {"model": MEAN_DETECTOR}, (SENTS,), *ENGLISH_RELATIONS),
    MethodCase("graph student", "kd_classifier", distilled("KdStudent", GRAPH), NAMED, *ENGLISH),
    # Teacher and student differ in their heads only, so each encoder stands here once.
    MethodCase("shared student", "kd_classifier", distilled("KdStudent", SHARED_LISTENER), NAMED_CNN, *ENGLISH),
    MethodCase("piece teacher", "kd_teacher", distilled("KdTeacher", {**PIECES, "marker_layer": 1}), NAMED, *ENGLISH),
    MethodCase(
        "shared grounder",
        "nero_grounder",
        grounder({**SHARED, "tok2vec": CNN}),
        NAMED,
        *BY_RULES,
        **RULED,
        spawn=True,
    ),
    MethodCase("recurrent grounder", "nero_grounder", grounder(LSTM_PAIRS), NAMED, *BY_RULES, **RULED),
    MethodCase("piece grounder", "nero_grounder", grounder(PIECES), NAMED, *BY_RULES, **RULED),
    MethodCase("shared clusterer", "selfore_clusterer", clusterer(CNN), NAMED, *BY_CLUSTERS, **FOUND),
    # in what a random encoder reads there is nothing to find
    MethodCase("piece clusterer", "selfore_clusterer", clusterer(AS_IT_IS), NAMED, *BY_CHANCE, **FOUND),
    MethodCase(
        "sentence clusterer",
        "selfore_clusterer",
        # a mix with which no score of these few random vectors depends on the last digit of half precision
        clusterer({**AS_IT_IS, "mix_from": 1}, context="sentence"),
        NAMED,
        *BY_CHANCE,
        **FOUND,
    ),
    MethodCase(
        "marker clusterer",
        "selfore_clusterer",
        clusterer({**AS_IT_IS, "form": "markers"}),
        NAMED,
        *BY_CHANCE,
        **FOUND,
    ),
    MethodCase("shared bags", "hrere_classifier", bags(SHARED_LISTENER), NAMED_CNN, *ENGLISH),
    MethodCase("recurrent bags", "hrere_classifier", bags(LSTM_DISTANCES), NAMED, *ENGLISH),
    MethodCase("piece bags", "hrere_classifier", bags(PIECES), NAMED, *ENGLISH),
    MethodCase("zero-shot", "zeroshot_classifier", matcher(PUNCT), NAMED, *ENGLISH),
    MethodCase("marked", "rere_extractor", {"model": MARKED_EXTRACTOR}, BEFORE_MARKED, *DETECTED),
]
