"""Counts of the real files agree with what their READMEs say. Run with `-s` to read the reports."""

from pathlib import Path
from typing import Any, Dict, List, NamedTuple

import pytest
import spacy

from spacy_relext import get_records
from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.report import Report, format_report
from spacy_relext.corpora.shards import iter_docs

pytestmark = pytest.mark.real_data


class Case(NamedTuple):
    """One file, and how many documents, sentences and triples (before any is left out) it holds."""

    format: str
    file: str
    docs: int
    triples: int
    labels: int
    sentences: int = 0
    lang: str = "en"


CASES = [
    Case("nyt", "nyt24_multi/full_span/test_triples.json", 5000, 8120, 22),
    Case("cotype", "nyt24_multi/cotype_format/dev.json", 5000, 8489, 22),
    Case("nyt", "nyt10_hrl/test.json", 4006, 5859, 29),
    Case("nyt", "nyt10_hrl/dev.json", 351, 443, 18),
    Case("nyt", "nyt11_hrl/test.json", 369, 370, 12),
    Case("nyt", "webnlg/full_span/test_triples.json", 703, 1607, 149),
    Case("duie", "ske2019_duie/casrel_format_dev_data.json", 11191, 17026, 17, lang="zh"),
    Case("duie", "ske2019_duie/ske2019_postag_subset/dev_data.json", 1000, 2073, 44, lang="zh"),
    Case("spert", "conll04/conll04_train.json", 922, 1283, 5),
    Case("spert", "conll04/conll04_test.json", 288, 422, 5),
    Case("spert", "scierc/train.json", 350, 3219, 7, sentences=1861),
    Case("spert", "scierc/sentence_level/test_triples.json", 551, 974, 7),
    Case("spert", "ade/ade_full.json", 4272, 6821, 1),
    Case("semeval2010", "semeval2010_task8/TRAIN_FILE.TXT", 8000, 6590, 9),
    Case("semeval2010", "semeval2010_task8/TEST_FILE_FULL.TXT", 2717, 2263, 9),
    # The README counts NA as a relation.
    Case("nyt10", "nyt10_riedel_mid_sample/train.txt", 10230, 9928, 21),
    Case("nyt10", "nyt10_riedel_mid_sample/test.txt", 9703, 6323, 31),
    Case("opennre", "wiki80/dev.txt", 5600, 5600, 80),
]


def convert_case(data: Path, folder: Path, case: Case) -> Report:
    nlp = spacy.blank(case.lang)
    report = convert(case.format, [data / case.file], folder / "corpus.spacy", nlp=nlp, malformed="refuse")
    print(f"\n{case.file}\n{format_report(report)}")
    return report


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
def test_counts_agree_with_the_readmes(shared_data: Path, tmp_path: Path, case: Case) -> None:
    report = convert_case(shared_data, tmp_path, case)
    assert report.docs == case.docs and report.sentences == (case.sentences or case.docs)
    assert report.triples + report.duplicates + report.identical + report.not_located == case.triples
    assert len(report.labels) == case.labels
    assert report.across_sentences == 0
    assert report.not_located < 0.006 * case.triples and report.identical < 0.01 * case.triples


def test_duie_2_with_its_roles(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "ske2019_duie/duie2_train_5000.json"
    report = convert("duie", [path], tmp_path / "a.spacy", nlp=spacy.blank("zh"))
    roles = sum(count for label, count in report.labels.items() if "." in label)
    assert report.docs == 5000 and 340 < roles <= 348  # every object with n roles is n triples
    assert report.triples + report.duplicates + report.not_located == 8945 + 348
    assert len([label for label in report.labels if "." not in label]) == 46


def test_the_test_file_without_labels_is_not_annotated(shared_data: Path, tmp_path: Path) -> None:
    report = convert("semeval2010", [shared_data / "semeval2010_task8/TEST_FILE.txt"], tmp_path / "a.spacy")
    assert report.docs == report.not_annotated == 2717


def test_documents_without_relations(shared_data: Path, tmp_path: Path) -> None:
    report = convert("docred", [shared_data / "docred_unlabelled/test.json"], tmp_path / "a.spacy", malformed="refuse")
    assert (report.docs, report.not_annotated, report.sentences) == (1000, 1000, 7944)
    assert report.entities == report.entities_linked and report.entities_dropped < 0.005 * report.entities


def test_nyt24_offsets_hold_the_strings(shared_data: Path, tmp_path: Path) -> None:
    import json

    path = shared_data / "nyt24_multi/full_span/dev_triples.json"
    report = convert("nyt", [path], tmp_path / "a.spacy", part=slice(1000))
    assert 0.03 < report.ambiguous / report.strings < 0.08
    raw: List[Dict[str, Any]] = json.loads(path.read_text(encoding="utf8"))[:1000]
    different = 0
    for record, doc in zip(raw, iter_docs(tmp_path / "a.spacy", spacy.blank("en").vocab)):
        pairs = {(doc.text[slice(*t["subject"])], doc.text[slice(*t["object"])]) for t in get_records(doc) or []}
        different += pairs != {(subject, obj) for subject, _, obj in record["triple_list"]}
    assert different < 10  # accents that the text has lost
