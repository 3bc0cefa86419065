"""The benchmark of KD4NRE: the pairs that all systems are asked, scores, systems, configs, command lines."""

import json
import pathlib
from dataclasses import replace
from typing import Any, Dict, List

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from benchmarks.harness import rbert as kd_peer
from benchmarks.harness.call import Call
from benchmarks.harness.pairs import (
    PairRow,
    PairSet,
    pair_scores,
    pipeline_labels,
    read_examples,
    read_pairs,
    write_pairs,
)
from benchmarks.harness.rows import SYSTEM
from benchmarks.harness.runs import Settings, Trained
from benchmarks.harness.training_config import build_config, read_config
from benchmarks.kd import systems
from benchmarks.kd.experiments import conll04
from benchmarks.kd.systems import CGCN, CROWDED_PARTS, MINILM, SEMEVAL_PARTS, STUDENT, TEACHER, Part
from benchmarks.kd.training import fit_length, teach
from benchmarks.peers import rbert
from spacy_relext import get_records, set_triples
from spacy_relext.annotations.entities import PAIRS_KEY
from spacy_relext.annotations.store import SOFT_LABELS_KEY
from spacy_relext.kd import student as kd  # noqa: F401
from tests.benchmarks.pair_files import SEMEVAL_LABELS, docs_of, make_maker, texts, write_files

# Corpora are built and small models trained: minutes, which the fast tests do not have.
pytestmark = pytest.mark.slow

ORACLE: Dict[str, List[Any]] = {}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return write_files(tmp_path_factory.mktemp("kd"))


@pytest.mark.parametrize("name, marked", [("semeval", True), ("conll04", False), ("scierc", False)])
def test_the_peer_gets_the_pairs_that_the_component_sees(name: str, marked: bool, folder: pathlib.Path) -> None:
    data = getattr(make_maker(folder), name)()
    pairs = read_pairs(data.train, marked=marked)
    lines = [json.loads(line) for line in write_pairs(pairs, folder / "pairs.jsonl").read_text("utf8").splitlines()]
    nlp = spacy.blank("en")
    suggester = {"@misc": "spacy_relext.AnnotatedPairs.v1"} if marked else {"@misc": "spacy_relext.EntityPairs.v1"}
    pipe: Any = nlp.add_pipe("kd_classifier", config={"suggester": suggester})
    examples = read_examples(nlp, data.train)
    nlp.initialize(lambda: examples)
    gold = pipe.suggest_gold(examples)
    classes = [None, *pipe.classes]
    seen = []
    for number, chosen in enumerate(gold.classes(pipe.classes).tolist()):
        subject, obj = gold.pairs.spans(number)
        label = "Other" if classes[chosen] is None else classes[chosen].relation
        if marked and chosen:
            label += "(e2,e1)" if classes[chosen].backwards else "(e1,e2)"
        line = {"text": subject.doc.text, "label": label}
        for role, span, kind in zip(("subject", "object"), (subject, obj), gold.pairs.types[number]):
            line.update({role: [span.start_char, span.end_char], f"{role}_type": kind})
        seen.append(line)
    assert lines == seen and len(lines) > 30
    assert pairs.lost == []


@Language.component("kd_test_oracle")
def oracle(doc: Doc) -> Doc:
    set_triples(doc, ORACLE.get(doc.text, []), source="kd_test_oracle")
    return doc


@pytest.mark.parametrize("name, marked", [("semeval", True), ("conll04", False)])
def test_answers_of_a_pipeline_in_the_order_of_the_pairs(name: str, marked: bool, folder: pathlib.Path) -> None:
    data = getattr(make_maker(folder), name)()
    path = data.tests["test"]
    ORACLE.update({doc.text: get_records(doc, source="")[:1] for doc in docs_of(path)})  # type: ignore[index]
    nlp = spacy.blank("en")
    nlp.add_pipe("kd_test_oracle")
    pairs = read_pairs(path, marked=marked)
    labels = pipeline_labels(nlp, path, name="kd_test_oracle", marked=marked)
    assert len(labels) == len(pairs.rows)
    assert all(label in (row.labels or ["Other"]) for row, label in zip(pairs.rows, labels))
    scores = pair_scores(pairs, labels, task=data.task)
    assert scores["micro_p"] == 1.0
    if marked:
        assert {label for row in pairs.rows for label in row.labels} == set(SEMEVAL_LABELS) - {"Other"}
        assert scores["semeval_macro_f"] == scores["micro_r"] == 1.0
    else:
        assert scores["micro_r"] == pytest.approx(2 / 3)  # two sentences with gold; one pair has two relations
        assert "semeval_macro_f" not in scores
    silent = pair_scores(pairs, ["Other"] * len(labels), task=data.task)
    assert silent["micro_r"] == silent["micro_f"] == 0.0


def test_scores_count_every_gold_triple() -> None:
    def row(*labels: str) -> Any:
        return PairRow("a b", [0, 1], [2, 3], list(labels), ("", ""))

    pairs = PairSet([row("r"), row("q", "r"), row(), row(), row("q")], lost=["q"])
    scores = pair_scores(pairs, ["r", "r", "q", "Other", "r"], task="micro")
    # right: r, r; predicted: r, r, q, r; gold: r, q, r, q and the lost q
    assert scores["micro_p"] == pytest.approx(2 / 4)
    assert scores["micro_r"] == pytest.approx(2 / 5)
    with pytest.raises(ValueError):
        pair_scores(pairs, ["r"], task="micro")


def test_every_system_names_keys_that_its_config_has() -> None:
    grouped = (systems.CROWDED_PARTS, systems.SEMEVAL_PARTS, systems.FEW_PARTS, systems.PRIVILEGED_PARTS)
    parts = [part for each in grouped for part in each.values()]
    for part in [*parts, Part(systems.EFFICIENCY), Part(systems.FIXED_EFFICIENCY)]:
        for name, system in part.systems.items():
            for component, changes in ((TEACHER, system.teacher), (STUDENT, system.student)):
                if changes is None:
                    continue
                family = part.elders if part.elders and component == TEACHER else part.family
                config = read_config(family.config(component))
                for key, value in changes.items():
                    *path, last = key.split(".")
                    assert path[:2] in (["components", component], ["training", "before_update"])
                    section: Any = config
                    for step in path:
                        section = section[step]
                    defaults = Language.get_factory_meta(component).default_config if len(path) == 2 else {}
                    assert last in section or last in defaults, f"{name}: {key}"
                    assert section.get(last, defaults.get(last)) != value, f"{name}: {key} changes nothing"


def test_every_system_has_a_row_of_its_own() -> None:
    for parts in (CROWDED_PARTS, SEMEVAL_PARTS):
        rows: Dict[str, Any] = {}
        for part in parts.values():
            for name, system in part.systems.items():
                known = rows.setdefault(part.row_name(name), (system, part.family, part.types, part.elders))
                assert known == (system, part.family, part.types, part.elders), name
        assert "default" in rows and all(SYSTEM.fullmatch(name) for name in rows)


def test_annealing_follows_the_number_of_updates(folder: pathlib.Path) -> None:
    data = make_maker(folder).conll04()
    for family in (MINILM, CGCN):
        options: Dict[str, Any] = {"component": STUDENT, "passes": 10}
        found = fit_length(family.config(STUDENT), data.train, {"training.batcher.size": 16}, **options)
        assert found == {"training.before_update.steps": 60}
        assert fit_length(family.config(TEACHER), data.train, {}, component=TEACHER, passes=10) == {}


def test_with_few_labels_as_many_evaluations(folder: pathlib.Path, project_root: pathlib.Path) -> None:
    data = make_maker(folder).conll04()
    options: Dict[str, Any] = {"train": data.train, "dev": data.dev, "seed": 0, "passes": 50, "lang": "en"}
    options.update(encoder=folder, precision="fp32", changes={"training.batcher.size": 16})
    config = project_root / "configs" / "kd_student.cfg"
    often, counts = build_config(config, **options)
    seldom, _ = build_config(config, **options, evaluate_every=10)
    last = 50 * counts["steps_per_pass"]
    for found, evaluations in ((often, 50), (seldom, 5)):
        assert evaluations <= last // found["training"]["eval_frequency"] <= 1.2 * evaluations


def test_a_teacher_teaches_the_whole_training_corpus(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    data = make_maker(folder).semeval()
    teacher = Trained(tmp_path, 0.0, 0.0, 1, 1, 1, 1)
    save_teacher(data.train, teacher.pipeline)
    labelled = docs_of(teach(make_call(folder, tmp_path), teacher, data.train))
    assert [doc.text for doc in labelled] == texts(data.train)
    for doc in labelled:
        (record,) = doc.user_data[SOFT_LABELS_KEY]["pairs"]
        assert len(record["teacher"]) == 1 + len(doc.user_data[SOFT_LABELS_KEY]["classes"])
        assert record["subject"] == doc.user_data[PAIRS_KEY][0]["subject"]


def save_teacher(corpus: pathlib.Path, target: pathlib.Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("kd_teacher", config={"suggester": {"@misc": "spacy_relext.AnnotatedPairs.v1"}})
    examples = read_examples(nlp, corpus)
    nlp.initialize(lambda: examples)
    target.parent.mkdir()
    nlp.to_disk(target)


def make_call(folder: pathlib.Path, target: pathlib.Path, **options: Any) -> Any:
    settings = Settings(runs=folder / "runs", encoder=folder / "encoder", passes=1, threads=1, precision="fp32")
    where: Dict[str, Any] = {"results": target / "kd.json", "figures": target, "command": "python kd.py"}
    return Call(settings=settings, maker=make_maker(folder), seeds=[0], **where, **options)


@pytest.mark.parametrize("name, types", [("semeval", False), ("conll04", True)])
def test_the_peer_understands_its_command_line(
    name: str, types: bool, folder: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: List[List[str]] = []

    def note(command: List[str], log: pathlib.Path, *, threads: int) -> None:
        calls.append(command)
        pathlib.Path(command[-1]).write_text('{"train_seconds": 1.5}', "utf8")

    monkeypatch.setattr(kd_peer, "run_logged", note)
    call = make_call(folder, tmp_path)
    settings = replace(call.settings, runs=tmp_path)
    data = getattr(call.maker, name)()
    options: Dict[str, Any] = {"seed": 0, "settings": settings, "options": ["--types"] * types}
    trained = kd_peer.run_rbert(data, **options)
    assert trained.seconds == kd_peer.run_rbert(data, **options).seconds == 1.5
    (command,) = calls

    args = rbert.parse_arguments(command[3:])
    assert len(rbert.read_records(args.train)) > 30 and args.types == types


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_from_files_to_rows(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Students of both encoders on tiny data; `spacy train` runs in processes of its own."""
    conll04(make_call(folder, tmp_path, only=frozenset({"central", "cgcn-elders"})))
    rows = json.loads((tmp_path / "kd.json").read_text(encoding="utf8"))
    found = {(row["split"], row["system"]): row["mean"] for row in rows if row["metric"] == "micro_f"}
    systems = {"default", "ablation:base", "ablation:C-GCN, student-V, folds, taught by MiniLM, no adversary"}
    assert set(found) == {(split, system) for split in ("dev", "test") for system in systems}
    assert all(0 <= mean <= 1 for mean in found.values())
