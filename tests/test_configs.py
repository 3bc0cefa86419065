"""Every config is short, valid, and trains for a few steps as `spacy train` would."""

import pathlib
import re
from typing import Any, Dict, List

import numpy
import pytest
import spacy
import srsly
from spacy.cli.debug_config import debug_config
from spacy.cli.debug_data import debug_data
from spacy.cli.debug_model import debug_model
from spacy.schemas import ConfigSchemaTraining
from spacy.tokens import DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_config, load_model_from_config, registry

from spacy_relext import get_records, set_triples
from spacy_relext.annotations.entities import PAIRS_KEY
from tests.contract.entities import find_entities
from tests.contract.sentences import ENGLISH, RULES
from tests.contract.tiny_bert import save_tiny_bert
from tests.contract.tiny_ner import save_tiny_ner

ROOT = pathlib.Path(__file__).parent.parent
CONFIGS = sorted([*(ROOT / "configs").rglob("*.cfg"), *(ROOT / "benchmarks" / "configs").glob("*.cfg")])
# What spaCy itself requires are 40 keys. Forms that differ from the defaults in many settings have more.
MAX_KEYS, MAX_OF_VARIANTS = 60, 80
WIDTH = 48
SOURCES = {"rere_extractor", "kd_teacher", "kd_classifier", "nero_grounder", "selfore_clusterer", "hrere_classifier"}
SOURCES |= {"zeroshot_classifier"}
BAGS, TUNED = "spacy_relext.BagCorpus.v1", "spacy_relext.TunedVectors.v1"
if not CONFIGS:
    pytest.skip("no configs: the tests run outside a checkout", allow_module_level=True)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, str]:
    folder = tmp_path_factory.mktemp("configs")
    save_tiny_bert(folder / "encoder", width=WIDTH)
    nlp = spacy.blank("en")
    docs: List[Any] = []
    for text, triples in ENGLISH:
        doc = nlp.make_doc(text)
        found = [
            ((text.find(s), text.find(s) + len(s)), r, (text.find(o), text.find(o) + len(o))) for s, r, o in triples
        ]
        set_triples(doc, found)
        docs.append(find_entities(doc))
    DocBin(docs=docs, store_user_data=True).to_disk(folder / "corpus.spacy")
    save_tiny_ner(folder / "ner", docs)
    save_vectors(folder / "vectors", docs)
    for doc in docs:
        marked = [{"subject": list(t["subject"]), "object": list(t["object"])} for t in get_records(doc) or []]
        doc.user_data[PAIRS_KEY] = marked
    DocBin(docs=docs, store_user_data=True).to_disk(folder / "pairs.spacy")
    srsly.write_json(folder / "rules.json", [list(rule) for rule in RULES])
    for name in ("corpus.spacy", "pairs.spacy"):  # `spacy debug data` wants a hundred
        data = DocBin(store_user_data=True).from_disk(folder / name)
        docs = list(data.get_docs(nlp.vocab))
        DocBin(docs=docs * (100 // len(docs) + 1), store_user_data=True).to_disk(folder / f"{name}.many")
    names = ("encoder", "corpus.spacy", "pairs.spacy", "rules.json", "ner", "vectors")
    return {name: str(folder / name) for name in names}


def save_vectors(folder: pathlib.Path, docs: List[Any]) -> None:
    """Save a pipeline with random vectors of the words of texts, but not of the first word."""
    nlp = spacy.blank("en")
    random = numpy.random.default_rng(0)
    for word in sorted({token.text for doc in docs for token in doc} - {docs[0][0].text}):
        nlp.vocab.set_vector(word, random.normal(size=8).astype("float32"))
    nlp.to_disk(folder)


def corpus_of(config: Any, inputs: Dict[str, str]) -> Dict[str, Any]:
    """Name the corpus that a config can read: bags are made of marked pairs."""
    path = inputs["pairs.spacy" if config["corpora"]["train"]["@readers"] == BAGS else "corpus.spacy"]
    return {"paths.train": path, "paths.dev": path}


def settings_of(path: pathlib.Path, inputs: Dict[str, str]) -> Dict[str, Any]:
    """Name the small inputs of a config, and fit it to them; skip the test if the config needs what is not there."""
    config = load_config(path)
    if "transformer" in config["components"]:
        pytest.importorskip("spacy_transformers")
    overrides = {**corpus_of(config, inputs), "training.max_steps": 3, "training.eval_frequency": 2}
    if "encoder" in config["paths"]:
        overrides["paths.encoder"] = inputs["encoder"]
    if "rules" in config["paths"]:
        overrides["paths.rules"] = inputs["rules.json"]
    if "pipeline" in config["paths"]:
        overrides["paths.pipeline"] = "spacy_relext"
        if "schema" in config["paths"]:
            overrides["paths.schema"] = str(ROOT / "assets/schema.yaml")
    if "ner" in config["paths"]:
        overrides["paths.ner"] = inputs["ner"]
    if "entities" in config["paths"]:
        overrides["paths.entities"] = "spacy_relext"
    if "teacher" in config["paths"]:  # whose weights a student begins with
        overrides["initialize.components.kd_classifier.start"] = None
    for name, component in config["components"].items():
        for block in ("model", "model.encoder", "model.tok2vec", "model.encoder.tok2vec"):
            section = component
            for key in block.split("."):
                section = section.get(key, {})
            place = f"components.{name}.{block}"
            if section.get("marker_layer"):  # which the tiny encoder does not have
                overrides[f"{place}.marker_layer"] = 1
            if section.get("@architectures") == TUNED:
                overrides["paths.vectors"] = inputs["vectors"]
            if section.get("embed", {}).get("include_static_vectors"):  # which the config leaves to the user
                overrides[f"{place}.embed.include_static_vectors"] = False
        if "n_clusters" in component:  # there are few pairs
            overrides[f"components.{name}.n_clusters"] = 2
    return overrides


def name_of(path: pathlib.Path) -> str:
    return f"{path.parent.name}-{path.stem}"


each_config = pytest.mark.parametrize("path", CONFIGS, ids=name_of)
# The others have the same components.
smoke_first = [pytest.param(p, marks=[] if p.parent.name == "smoke" else [pytest.mark.slow]) for p in CONFIGS]


@each_config
def test_config_trains(path: pathlib.Path, inputs: Dict[str, str], tmp_path: pathlib.Path) -> None:
    nlp = init_nlp(load_config(path, overrides=settings_of(path, inputs)))
    (tmp_path / "model").mkdir()
    with open(tmp_path / "out", "w") as out, open(tmp_path / "err", "w") as err:
        best, _ = train(nlp, tmp_path / "model", stdout=out, stderr=err)
    assert best is nlp and (tmp_path / "model" / "model-last" / "config.cfg").exists()
    (doc,) = spacy.load(tmp_path / "model" / "model-last").pipe([ENGLISH[0][0]])
    assert {triple.source for triple in doc._.triples} <= SOURCES
    if "pipeline" not in load_config(path)["paths"]:  # which begins with a pipeline that knows other relations
        assert list(doc.sents)[0]._.relations.keys() <= {"place_of_birth", "correspondent", "author", "located_in"}


@pytest.mark.parametrize(
    "name",
    [
        "nero_recurrent",
        "papers-nero",
        "kd_cgcn_teacher",
        "kd_cgcn_student",
        "kd_fast_student",
        "rere_fast",
        "selfore_vectors",
        "hrere_recurrent",
        "papers-hrere",
    ],
)
def test_configs_that_need_vectors_say_so(name: str, inputs: Dict[str, str]) -> None:
    (path,) = [path for path in CONFIGS if name in (path.stem, name_of(path))]
    overrides = corpus_of(load_config(path), inputs)
    if "rules" in load_config(path)["paths"]:
        overrides["paths.rules"] = inputs["rules.json"]
    with pytest.raises(ValueError, match=r"^\[R514\].*--paths\.vectors en_core_web_md"):
        init_nlp(load_config(path, overrides=overrides))


@each_config
def test_config_is_short(path: pathlib.Path) -> None:
    """spaCy fills what a config leaves out with the defaults of the factories, which are the published ones."""
    keys = [line for line in path.read_text(encoding="utf8").splitlines() if re.match(r"[@\w*]+ *=", line)]
    is_default = path.parent == ROOT / "configs" and path.stem not in ("default", "documents", "rere_fast", "shared")
    assert len(keys) <= (MAX_KEYS if is_default else MAX_OF_VARIANTS)


def test_the_configs_that_a_user_takes() -> None:
    names = {path.stem for path in CONFIGS if path.parent == ROOT / "configs"}
    assert names == {
        "default",
        "rere",
        "rere_fast",
        "kd_teacher",
        "kd_student",
        "nero",
        "selfore",
        "hrere",
        "zeroshot",
        "ner",
        "coref",
        "documents",
        "shared",
    }


@pytest.mark.parametrize("path", smoke_first, ids=name_of)
@pytest.mark.filterwarnings("ignore")
def test_spacy_debugs_the_config(
    path: pathlib.Path, inputs: Dict[str, str], tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    overrides = settings_of(path, inputs)
    debug_config(path, overrides=overrides)
    if {"paths.pipeline", "paths.entities"} & set(overrides):
        pytest.skip("spacy debug data initializes components anew that a config takes from a pipeline")
    many = {**overrides, "paths.train": f"{overrides['paths.train']}.many"}
    debug_data(path, config_overrides=many)
    config = load_config(path, overrides=overrides, interpolate=False)
    nlp = load_model_from_config(config)
    training = registry.resolve(nlp.config.interpolate()["training"], schema=ConfigSchemaTraining)
    for name, pipe in nlp.pipeline:
        if hasattr(pipe, "model"):
            debug_model(nlp.config.interpolate(), training, nlp, pipe)
            assert "model looks good" in capsys.readouterr().out, name
