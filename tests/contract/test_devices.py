"""Modules, losses and components compute on the device of their weights: the contract's cases on a simulated GPU."""

import configparser
import dataclasses
import importlib
import inspect
import pathlib
import re
from types import SimpleNamespace
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import pytest
import torch
from spacy.language import Language
from spacy.util import fix_random_seed
from torch import Tensor
from torch.nn.functional import normalize
from torch.utils._pytree import tree_leaves

from spacy_relext.coref.model import CorefOutput
from spacy_relext.documents.settings import DocumentsLoss
from spacy_relext.hrere.model import HrereOutput
from spacy_relext.kb.model import train_kb
from spacy_relext.kb.training import KbTraining
from spacy_relext.kd.model import StudentOutput, TeacherOutput
from spacy_relext.nero.model import GrounderOutput
from spacy_relext.rere.model import ExtractorOutput
from spacy_relext.rere.settings import RereDetectorLoss, RereExtractorLoss
from spacy_relext.selfore.clustering.adaptive import CodeSpace, adaptive_clusters
from spacy_relext.selfore.model import ClusterOutput
from spacy_relext.zeroshot.model import MatchOutput
from tests.contract.cases import CASES, MethodCase, Setting
from tests.contract.conftest import BATCH_TOLERANCE, NAME, assert_close, outcome
from tests.contract.simulated_gpu import DEVICE, GpuTensor, simulated_gpu, to_gpu
from tests.coref import texts as coref_texts
from tests.documents import test_component as documents
from tests.hrere.pipes import make_examples, make_kb, make_store, train
from tests.kd import pipes
from tests.selfore.clustering.test_methods import apart, quick

pytestmark = pytest.mark.filterwarnings("ignore:PyTorch was compiled without cuDNN", "ignore:.*nested tensors")


def merged(setting: Setting, changes: Setting) -> Setting:
    """Copy a setting with changes at any depth."""
    result = dict(setting)
    for key, value in changes.items():
        is_block = isinstance(value, dict) and isinstance(setting.get(key), dict)
        result[key] = merged(setting[key], value) if is_block else value
    return result


def variant(of: str, name: str, **changes: Any) -> MethodCase:
    """Change the settings of a case."""
    (case,) = [case for case in CASES if case.id == of]
    return dataclasses.replace(case, id=f"{of}, {name}", config=merged(case.config, changes))


ROBUST = {"@misc": "spacy_relext.RereDetectorLoss.v1", "missing_rate": 0.2}
COLLECTIVE_POINTERS = {"@misc": "spacy_relext.RereExtractorLoss.v1", "pointers": "collective"}
# They state no triples: they have tests of their own.
OF_DOCUMENTS = {f"spacy_relext.{name}.v1" for name in ("AntecedentScorer", "DocumentPairs", "DocumentTransformer")}
# It computes with thinc.
WITHOUT_TORCH = {"spacy_relext.TunedVectors.v1"}
UNMATCHED = {"unmatched_from": 0, "negative_share": 0.5, "both_orders": True}

# What has code of its own in torch.
VARIANTS = [
    variant("detector", "collective", loss={**ROBUST, "kind": "collective"}),
    variant("detector", "collective, the paper's rate", loss={**ROBUST, "kind": "collective", "mu": "paper"}),
    variant("detector", "ssr_pu", loss={**ROBUST, "kind": "ssr_pu"}),
    variant("extractor", "collective pointers", loss=COLLECTIVE_POINTERS, model={"between": True}),
    variant("transformer", "marked entities", model={"encoder": {"entity_marks": True, "freeze_layers": 1}}),
    variant("transformer", "windows", model={"encoder": {"max_pieces": 8}}),
    variant("transformer", "adversary", model={"encoder": {"adversarial_radius": 0.1}}),
    variant("graph student", "offsets", model={"encoder": {"offset_width": 8, "word_dropout": 0.5}}),
    variant("shared student", "context", model={"encoder": {"context": True}}),
    variant("shared student", "means", model={"encoder": {"width": 0}, "attention": False}),
    variant("piece teacher", "adversary", learning={"adversarial_radius": 0.1, "adversarial_reuse": False}),
    variant("piece teacher", "reused adversary", learning={"adversarial_radius": 0.1}),
    variant("piece teacher", "scalar", model={"fusion": "scalar"}),
    variant("piece grounder", "unmatched", learning=UNMATCHED),
    variant("piece grounder", "adversary", learning={**UNMATCHED, "adversarial_radius": 0.1}),
    variant("piece grounder", "best rule", learning={**UNMATCHED, "temperature": 0.0, "teacher_share": 0.0}),
]


def learn_and_predict(case: MethodCase, bert: str) -> Tuple[Language, List[float], List[Any]]:
    """Initialize, update twice, and predict; return the pipeline, its losses and what it wrote."""
    fix_random_seed(1)
    nlp = case.build(pathlib.Path(bert), name=NAME)
    examples = case.make_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    losses = [nlp.update(examples, sgd=optimizer, losses={}, annotates=case.annotating)[NAME] for _ in range(2)]
    return nlp, losses, [outcome(doc) for doc in nlp.pipe([example.text for example in examples])]


@pytest.mark.parametrize("case", [*CASES, *VARIANTS], ids=lambda case: case.id.replace(" ", "_"))
def test_a_gpu_computes_what_the_cpu_does(case: MethodCase, bert: str) -> None:
    _, losses, found = learn_and_predict(case, bert)
    with simulated_gpu():
        nlp, gpu_losses, gpu_found = learn_and_predict(case, bert)
        modules = [shim._model for node in nlp.get_pipe(NAME).model.walk() for shim in node.shims]
        assert all(isinstance(weight, GpuTensor) for module in modules for weight in module.state_dict().values())
        copy = case.build(pathlib.Path(bert), name=NAME).from_bytes(nlp.to_bytes())
        again = [outcome(doc) for doc in copy.pipe([example.text for example in case.make_examples(copy)])]
    assert modules and gpu_losses == pytest.approx(losses, rel=1e-3)
    assert_close(gpu_found, found, BATCH_TOLERANCE)
    assert_close(again, gpu_found)


def test_every_architecture_has_a_case(project_root: pathlib.Path) -> None:
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(project_root / "setup.cfg", encoding="utf8")
    lines = parser["options.entry_points"]["spacy_architectures"].split("\n")
    names = {line.partition(" = ")[0] for line in lines if line}
    assert names and {name for name in names if name not in repr(CASES)} == OF_DOCUMENTS | WITHOUT_TORCH


@pytest.mark.parametrize("reads", ["coref", "documents"])
def test_documents_are_read_on_a_gpu_as_on_the_cpu(reads: str, bert: str) -> None:
    module: Any = {"coref": coref_texts, "documents": documents}[reads]

    def learn(_: object) -> List[float]:
        fix_random_seed(1)
        model = dict(module.MODEL, encoder={"@architectures": "spacy_relext.DocumentTransformer.v1", "name": bert})
        nlp = module.make_pipeline(model=model)
        examples = module.make_examples(nlp)
        optimizer = nlp.initialize(lambda: examples)
        losses = [nlp.update(examples, sgd=optimizer, losses={})[f"relext_{reads}"] for _ in range(2)]
        list(nlp.pipe([example.predicted for example in examples]))
        return losses

    cpu, gpu = on_both_devices(learn)
    assert gpu == pytest.approx(cpu, rel=1e-3)


def on_both_devices(run: Callable[[Optional[torch.device]], Any]) -> Tuple[Any, Any]:
    """Run something on the CPU and on the simulated GPU."""
    on_cpu = run(None)
    with simulated_gpu():
        return on_cpu, run(DEVICE)


def test_a_student_learns_from_soft_labels() -> None:
    def distil(_: object) -> List[float]:
        examples = pipes.taught_examples(pipes.teacher())
        return pipes.train(pipes.student(), examples, steps=2)

    cpu, gpu = on_both_devices(distil)
    assert gpu == pytest.approx(cpu, rel=1e-3)


def test_an_autoencoder_clusters_on_a_gpu() -> None:
    vectors, gold = apart()
    settings = quick(restarts=2)
    with simulated_gpu():
        found = adaptive_clusters(vectors, 4, settings=settings, device=DEVICE)
        scores, products = CodeSpace(found.network, DEVICE).scores(vectors)
        assert all(isinstance(tensor, GpuTensor) for tensor in found.network.state_dict().values())
    assert (scores.argmax(1) == found.labels).mean() > 0.99 and products.shape == (240, 4)
    on_cpu = adaptive_clusters(vectors, 4, settings=settings).labels
    pairs = {(one, other) for one, other in zip(found.labels.tolist(), on_cpu.tolist())}
    assert len(pairs) == 4, "the same clusters, with other numbers"


@pytest.mark.parametrize("loss", ["all", "drawn"])
def test_embeddings_of_a_knowledge_base_are_trained(loss: str, tmp_path: pathlib.Path) -> None:
    store, settings = make_store(), KbTraining(width=8, epochs=2, batch_size=16, loss=loss)

    def train(device: Optional[torch.device]) -> List[Dict[str, float]]:
        folder = tmp_path / str(device)
        return train_kb(store, settings, folder=folder, valid=store.triples[:8], device=device).history

    cpu, gpu = on_both_devices(train)
    assert len(cpu) == 2 and gpu == [pytest.approx(entry, rel=1e-3) for entry in cpu]


def test_a_knowledge_base_is_read(tmp_path: pathlib.Path) -> None:
    make_kb(tmp_path, passes=2)

    def learn(_: object) -> List[Any]:
        nlp = train(tmp_path, {}, steps=2)
        return [outcome(nlp(example.predicted)) for example in make_examples(nlp)]

    cpu, gpu = on_both_devices(learn)
    assert_close(gpu, cpu, BATCH_TOLERANCE)


class Numbers(NamedTuple):
    """Arguments of losses, for four pairs and three classes."""

    logits: Tensor  # (4, 3)
    others: Tensor  # logits of another model (4, 3)
    vectors: Tensor  # (4, 5)
    square: Tensor  # (4, 4)
    observed: Tensor  # 0 or 1 (4, 3)
    mask: Tensor  # (4, 3)
    classes: Tensor  # (4,)
    weights: Tensor  # (4,)
    rates: Tensor  # (3,)
    linked: Tensor  # (4,)
    shared: Tensor  # (3,)
    rows: Tensor  # row, subject and object as in `ExtractorOutput.pairs` (4, 5)
    pointers: Tensor  # (2, 3, 4)
    ends: Tensor  # 0 or 1 (2, 3, 4)
    tokens: Tensor  # (2, 3)


def make_numbers() -> Numbers:
    """Draw numbers; those of models get a gradient."""
    draw = torch.Generator().manual_seed(0)
    logits, others = torch.randn(2, 4, 3, generator=draw)
    vectors, square = torch.randn(4, 5, generator=draw), torch.randn(4, 4, generator=draw)
    observed = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 0], [1, 1, 0]])
    rows = torch.tensor([[0, 0, 0, 1, 1], [0, 0, 0, 2, 2], [1, 0, 1, 2, 2], [1, 2, 2, 0, 1]])
    pointers = torch.randn(2, 3, 4, generator=draw)
    return Numbers(
        logits,
        others,
        vectors,
        square,
        observed,
        torch.ones(4, 3, dtype=torch.bool),
        torch.tensor([0, 1, 2, 1]),
        torch.tensor([1.0, 0.5, 1.0, 0.0]),
        torch.tensor([0.2, 0.3, 0.1]),
        torch.tensor([True, False, True, True]),
        torch.tensor([True, True, False]),
        rows,
        pointers,
        (pointers > 1).float(),
        torch.tensor([[True, True, True], [True, True, False]]),
    )


def soft(n: Numbers) -> Dict[str, Tensor]:
    logits = {f"teacher{part}": n.others.detach() for part in ("", "_text", "_types")}
    return {"classes": n.classes, "soft_mask": n.weights, **logits}


def nero_targets(n: Numbers) -> Dict[str, Tensor]:
    """Targets of four matched pairs, four others and four rules."""
    grid, rules, probs = n.classes[None].expand(4, 4), n.vectors.detach(), n.others.detach().softmax(1)
    targets = {"grid": grid, "rules": rules, "relations": n.classes, "teacher": probs, "matched": probs}
    return {**targets, "low_confidence": n.linked, "unmatched": n.linked[0]}


RULE_WEIGHTS = dict.fromkeys(("w_rules", "w_clus", "w_unmatched", "margin", "sharpness"), 1.0)

# Public function of a module of losses → a call of it.
LOSSES: Dict[str, Callable[[Callable[..., Any], Numbers], Any]] = {
    "hrere.agreement": lambda f, n: f(n.logits.log_softmax(1), n.others.log_softmax(1)),
    "hrere.hrere_loss": lambda f, n: f(
        HrereOutput(n.logits, n.others, n.weights[:, None], n.logits),
        {"gold": n.observed, "linked": n.linked, "shared": n.shared},
        **{"kb_weight": 1.0, "agree_weight": 1.0},
    ),
    "hrere.masked_logs": lambda f, n: f(n.logits, n.shared)[:, :2],
    "kd.add_assertions": lambda f, n: f(
        {}, SimpleNamespace(assertions=n.logits), {"assertions": n.classes}, weight=2.0
    ),
    "kd.divergence": lambda f, n: f(n.others, n.logits, temperature=2.0, weights=n.weights),
    "kd.sentence_penalty": lambda f, n: f(n.vectors),
    "coref.coref_loss": lambda f, n: f(
        CorefOutput(n.logits, n.others), {"allowed": n.observed > 0.5, "ends": n.classes}
    ),
    "documents.adaptive_loss": lambda f, n: f(n.logits, n.observed, mask=n.observed > -1),
    "documents.documents_loss": lambda f, n: f(
        n.logits,
        {"facts": n.observed, "judged": n.observed > -1, "prior": 0.4 * n.rates + 0.1},
        DocumentsLoss(kind="ssr_pu"),
    ),
    "pairs.masked_bce": lambda f, n: f(n.logits, n.observed, mask=n.mask, weights=n.weights[:, None]),
    "pairs.shifted_ranking_loss": lambda f, n: f(
        n.logits, n.observed, mask=n.observed > -1, prior=0.4 * n.rates + 0.1, missing=0.5 * n.rates
    ),
    "kd.smoothed_cross_entropy": lambda f, n: f(n.logits, n.classes, smoothing=0.1, weights=n.weights),
    "kd.student_loss": lambda f, n: f(
        StudentOutput(n.logits, n.logits, n.others, n.others, n.vectors),
        soft(n),
        share=0.5,
        hint_weight=1.0,
        temperature=2.0,
        smoothing=0.1,
        penalty=0.1,
    ),
    "kd.teacher_loss": lambda f, n: f(
        TeacherOutput(n.logits, n.logits, n.others, n.vectors),
        {"classes": n.classes},
        tsd_weight=1.0,
        tsd_k=3,
        penalty=0.1,
    ),
    "kd.top_softmax_difference": lambda f, n: f(n.logits, k=2),
    "nero.batch_weights": lambda f, n: f(n.weights, sharpness=2.0),
    "nero.clustering_loss": lambda f, n: f(n.square, n.classes, margin=0.5, weights=n.weights),
    "nero.nero_loss": lambda f, n: f(
        GrounderOutput(n.logits.repeat(3, 1), normalize(n.vectors, dim=1).repeat(3, 1), n.others),
        nero_targets(n),
        temperature=0.1,
        teacher_share=0.5,
        **RULE_WEIGHTS,
    ),
    "nero.rule_targets": lambda f, n: f(n.square, n.classes[None].expand(4, 4), n_classes=3, temperature=0.0),
    "nero.target_cross_entropy": lambda f, n: f(n.logits, n.classes, weights=n.weights),
    "rere.collective_loss": lambda f, n: f(
        n.logits, n.observed, mask=n.mask, mu=n.rates[0], gamma=0.5, weights=n.weights
    ),
    "rere.detector_loss": lambda f, n: f(
        n.logits,
        {"relations": n.observed, "label_prior": n.rates, "missing_rates": n.rates},
        RereDetectorLoss(kind="collective"),
    ),
    "rere.expected_rate": lambda f, n: f(n.rates, n.rates, form="hidden"),
    "rere.extractor_loss": lambda f, n: f(
        ExtractorOutput(
            n.pointers, n.tokens, n.rows, n.logits[:, 0], n.others[:, :2].sigmoid(), n.rows[:, :3], n.others
        ),
        {"pointers": n.ends, "weights": n.weights[:2], "gold_pairs": n.rows[:2], "entities": n.rows[1:, :4]},
        RereExtractorLoss(pointers="collective"),
    ),
    "rere.positive_weight": lambda f, n: f(n.rates),
    "rere.rank_loss": lambda f, n: f(n.logits[:, 0], n.rows, n.observed[:, 0]),
    "selfore.selfore_loss": lambda f, n: f(
        ClusterOutput(n.logits, n.vectors, n.logits, n.logits),
        {"clusters": n.classes, "weights": n.rates},
        smoothing=0.1,
    ),
    "zeroshot.matching_loss": lambda f, n: f(
        MatchOutput(n.logits, n.others), {"classes": n.classes, "other_order": n.classes.flip(0)}
    ),
}
FOLDERS = ("coref", "documents", "hrere", "kd", "nero", "pairs", "rere", "selfore", "zeroshot")
MODULES = {folder: f"spacy_relext.{folder}.losses" for folder in FOLDERS}


def test_every_loss_has_a_call(package_root: pathlib.Path) -> None:
    files = package_root.glob("*/losses.py")
    assert {f"spacy_relext.{file.parent.name}.losses" for file in files} == set(MODULES.values())
    public = {
        f"{short}.{name}"
        for short, module in MODULES.items()
        for name, each in inspect.getmembers(importlib.import_module(module), inspect.isfunction)
        if each.__module__ == module and not name.startswith("_")
    }
    assert public == set(LOSSES)


@pytest.mark.parametrize("name", LOSSES)
def test_losses_and_their_gradients(name: str) -> None:
    short, _, function = name.rpartition(".")
    loss = getattr(importlib.import_module(MODULES[short]), function)

    def evaluate(device: Optional[torch.device]) -> List[Any]:
        numbers = make_numbers()
        numbers = to_gpu(numbers) if device else numbers
        leaves = [each.requires_grad_() for each in (numbers.logits, numbers.vectors, numbers.square, numbers.pointers)]
        results = tree_leaves(LOSSES[name](loss, numbers))
        assert all(isinstance(result, GpuTensor) for result in results) or device is None
        total = torch.stack([result.sum() for result in results]).sum()
        if total.requires_grad:
            total.backward()
        return [total.tolist(), *(leaf.grad.tolist() for leaf in leaves if leaf.grad is not None)]

    cpu, gpu = on_both_devices(evaluate)
    assert gpu == cpu


def test_no_code_asks_for_a_gpu_by_itself(package_root: pathlib.Path) -> None:
    for path in package_root.rglob("*.py"):
        assert not re.search(r"\.cuda\(|device=[\"']cuda|\.to\([\"']cuda", path.read_text(encoding="utf8")), path


def test_the_simulated_gpu_refuses_what_a_gpu_does() -> None:
    with simulated_gpu():
        weight = torch.ones(3, device=DEVICE, requires_grad=True)
        assert weight.device == DEVICE and (weight * 2.0).sum().item() == 6.0
        assert weight.detach().cpu().numpy().tolist() == [1.0, 1.0, 1.0]
        for fault in (
            lambda: weight + torch.ones(3),
            lambda: torch.cat([weight, torch.ones(3)]),
            lambda: torch.stack([weight.sum(), torch.ones(())]),
            lambda: torch.ones(3)[weight > 0],
            lambda: weight.masked_fill(torch.ones(3) > 0, 0.0),
            lambda: torch.nn.functional.embedding(torch.tensor([0]), weight[:, None]),
            lambda: torch.rand(3, device=DEVICE, generator=torch.Generator()),
            lambda: torch.from_numpy(weight.detach().numpy()),
        ):
            with pytest.raises((RuntimeError, TypeError), match="main memory|on the GPU to numpy"):
                fault()
