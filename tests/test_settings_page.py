"""The tables of settings in docs/reference/config.md name every key of the factories and builders, with its default."""

import inspect
import json
import pathlib
import re
from typing import Any, Dict

import pytest
from spacy import registry
from spacy.language import Language

import spacy_relext.hrere.component
import spacy_relext.kd.student
import spacy_relext.nero.component
import spacy_relext.rere.extractor
import spacy_relext.selfore.component  # noqa: F401  (registers the factories)

HEADING = re.compile(r"^`(?:\[components\.)?([\w.]+)\]?`[^|\n]*:\n\n(\| key \|.*?)\n(?:\n|\Z)", re.M | re.S)
ROW = re.compile(r"^\| `(\w+)` \| `([^`]+)` \|", re.M)
BLOCKS = {"prior", "learning", "clustering", "training", "loss", "sampling", "decoding"}
NOT_LISTED = {"path", "model", "scorer", "suggester", "name", "tok2vec", "encoder", *BLOCKS}


def tables_of(page: str) -> Dict[str, Dict[str, Any]]:
    return {
        name: {key: json.loads(value) for key, value in ROW.findall(table)} for name, table in HEADING.findall(page)
    }


def defaults_of(name: str) -> Dict[str, Any]:
    if not name.startswith("spacy_relext."):
        Language()  # imports the modules of all factories
        found = dict(Language.get_factory_meta(name).default_config or {})
    else:
        kinds = (registry.misc, registry.readers, registry.architectures)
        kind = next(each for each in kinds if name in each)
        parameters = inspect.signature(kind.get(name)).parameters
        found = {key: parameter.default for key, parameter in parameters.items()}
    blocks = {key for key, value in found.items() if isinstance(value, dict) and "@misc" in value}
    return {key: value for key, value in found.items() if key not in {*NOT_LISTED, *blocks}}


@pytest.fixture(scope="module")
def tables(project_root: pathlib.Path) -> Dict[str, Dict[str, Any]]:
    page = project_root / "docs" / "reference" / "config.md"
    return tables_of(page.read_text(encoding="utf8"))


@pytest.mark.parametrize(
    "name",
    [
        "hrere_classifier",
        "kb_linker",
        "kd_classifier",
        "kd_teacher",
        "nero_grounder",
        "rere_detector",
        "rere_extractor",
        "selfore_clusterer",
        "spacy_relext.AnnotatedOrAllPairs.v1",
        "spacy_relext.BagCorpus.v1",
        "spacy_relext.DescriptionMatcher.v1",
        "spacy_relext.GraphEncoder.v1",
        "spacy_relext.HrereBagClassifier.v1",
        "spacy_relext.HrereDecoding.v1",
        "spacy_relext.HrereLoss.v1",
        "spacy_relext.KdPrior.v1",
        "spacy_relext.KdStudent.v1",
        "spacy_relext.KdStudentLearning.v1",
        "spacy_relext.KdTeacher.v1",
        "spacy_relext.KdTeacherLearning.v1",
        "spacy_relext.NeroGrounder.v1",
        "spacy_relext.PieceEncoder.v1",
        "spacy_relext.RecurrentEncoder.v1",
        "spacy_relext.RereDecoding.v1",
        "spacy_relext.RereDetector.v1",
        "spacy_relext.RereDetectorLoss.v1",
        "spacy_relext.RereExtractor.v1",
        "spacy_relext.RereExtractorLoss.v1",
        "spacy_relext.RereSampling.v1",
        "spacy_relext.RuleGrounding.v1",
        "spacy_relext.RuleLearning.v1",
        "spacy_relext.SelforeClusterer.v1",
        "spacy_relext.SelforeClustering.v1",
        "spacy_relext.SelforeTraining.v1",
        "spacy_relext.SharedEncoder.v1",
        "spacy_relext.Transformer.v1",
        "zeroshot_classifier",
    ],
)
def test_settings_and_defaults(tables: Dict[str, Dict[str, Any]], name: str) -> None:
    assert tables[name] == defaults_of(name)
