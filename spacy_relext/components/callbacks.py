"""What training does between two steps."""

from typing import Any, Callable, Dict

from spacy import registry
from spacy.language import Language
from wasabi import msg

from ..errors import Errors, check_range

Callback = Callable[[Language, Dict[str, Any]], None]


@registry.callbacks("spacy_relext.anneal_distillation.v1")
def create_anneal_distillation(component: str, steps: int, start: float = 1.0, end: float = 0.0) -> Callback:
    """Let a teacher's word count less from step to step: λ_t = λ_start + (λ_end - λ_start) t / (steps - 1).

    The paper prints a λ that rises; its code lets it fall, and so does what it argues with: a teacher's rich signal
    first, the labels later. For `[training.before_update]`.

    component (str): A `kd_classifier`.
    steps (int): T, the step after which λ stays at `end`; as many as the training has.
    start (float): λ of the first step.
    end (float): λ from step T - 1 on.
    RETURNS (Callback): Called before each step with the pipeline and `step`.
    RAISES (ValueError): Where a value is out of its range, or the pipeline has no such component.
    """
    check_range("steps", steps, 2, 1_000_000_000)
    check_range("start", start, 0.0, 1.0)
    check_range("end", end, 0.0, 1.0)

    def anneal(nlp: Language, info: Dict[str, Any]) -> None:
        pipe = _find(nlp, component, "teacher_share", problem=Errors.R403)
        pipe.teacher_share = share_at(info["step"], steps=steps, start=start, end=end)

    return anneal


@registry.callbacks("spacy_relext.recluster.v1")
def create_recluster(component: str, epochs: int = 1) -> Callback:
    """Let a `selfore_clusterer` find its clusters anew after so many epochs, with what its encoder has learned.

    The first clusters are those of `initialize`. In the first epochs of each loop, as many as the clusterer's
    `freeze_epochs` says, the encoder stays as it is. After each loop it prints how many pairs have changed their
    cluster, and what clusters tell of neighbours. For `[training.before_update]`.

    component (str): A `selfore_clusterer`.
    epochs (int): Epochs of a loop.
    RETURNS (Callback): Called before each step with the pipeline, `step` and `epoch`.
    RAISES (ValueError): Where a value is out of its range, or the pipeline has no such component.
    """
    check_range("epochs", epochs, 1, 1_000_000)
    done = {"epoch": 0}

    def recluster(nlp: Language, info: Dict[str, Any]) -> None:
        pipe = _find(nlp, component, "recluster", problem=Errors.R603)
        if info["step"] == 0:
            done["epoch"] = 0
            msg.info(pipe.loop_report())
        if info["epoch"] >= done["epoch"] + epochs:
            done["epoch"] = info["epoch"]
            if not pipe.cfg["settled"]:
                pipe.recluster()
                msg.info(pipe.loop_report())
        frozen = pipe.clustering["freeze_epochs"]
        if frozen >= epochs and pipe.clustering["loops"] > 0:
            raise ValueError(Errors.R607.format(name=component, epochs=epochs, frozen=frozen))
        pipe.freeze_encoder(info["epoch"] - done["epoch"] < frozen)

    return recluster


def share_at(step: int, *, steps: int, start: float = 1.0, end: float = 0.0) -> float:
    """λ_t, a straight line.

    step (int): t, from 0.
    steps (int): T.
    start (float): λ_0.
    end (float): λ_{T-1}, and of all later steps.
    RETURNS (float): λ_t.
    """
    return start + (end - start) * min(1.0, step / (steps - 1))


def _find(nlp: Language, component: str, attribute: str, *, problem: str) -> Any:
    """Find the component that a callback is for, by what it has."""
    pipe = dict(nlp.components).get(component)
    if not hasattr(pipe, attribute):
        raise ValueError(problem.format(component=component, found=", ".join(nlp.component_names) or "nothing"))
    return pipe
