"""Weights that training starts from: those of a trained pipeline, or the mean of those of several.

Models that start from one checkpoint and see other data, or the same in another order, lie in one basin: the mean of
their weights scores like their ensemble at the cost of one (Wortsman et al., "Model soups", ICML 2022).
"""

from pathlib import Path
from typing import Any, Dict, List, Sequence, Type

import spacy
import torch
from torch import Tensor, nn

from ..bridge import module_of
from ..errors import Errors


def start_from(module: nn.Module, paths: Sequence[Path], *, kind: Type[Any], classes: Sequence[Any], name: str) -> int:
    """Copy the mean of trained weights into a module: all of its encoder's, and of its head what theirs has too.

    module (nn.Module): Gets the weights.
    paths (Sequence[Path]): Folders of pipelines with one component of the kind each.
    kind (Type[Any]): Class of the components, teacher or student.
    classes (Sequence[Any]): What the module's classes mean.
    name (str): Of the component that starts, for messages.
    RETURNS (int): How many tensors were copied.
    RAISES (ValueError): Where a pipeline cannot be loaded, has no such component, other classes, or nothing that fits.
    """
    states = [_weights(path, kind, classes, name) for path in paths]
    found: Dict[str, Tensor] = {}
    for key, own in module.state_dict().items():
        same = [state[key] for state in states if key in state and state[key].shape == own.shape]
        if len(same) == len(states):
            found[key] = torch.stack([weight.to(own.device, torch.float32) for weight in same]).mean(0).to(own.dtype)
    missing = [key for key in module.state_dict() if key.startswith("encoder.") and key not in found]
    if missing:
        detail = f"their encoder has no {missing[0]} of that shape"
        raise ValueError(Errors.R413.format(name=name, paths=", ".join(map(str, paths)), detail=detail))
    module.load_state_dict(found, strict=False)
    return len(found)


def _weights(path: Path, kind: Type[Any], classes: Sequence[Any], name: str) -> Dict[str, Tensor]:
    """Read the weights of a pipeline's component."""
    try:
        nlp = spacy.load(path)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise ValueError(Errors.R413.format(name=name, paths=path, detail=str(error).splitlines()[0])) from None
    pipes: List[Any] = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, kind)]
    if len(pipes) != 1:
        detail = f"{len(pipes)} components of that kind ({', '.join(nlp.pipe_names)})"
        raise ValueError(Errors.R413.format(name=name, paths=path, detail=detail))
    if pipes[0].classes != list(classes):
        detail = f"other relations: {', '.join(sorted({each.relation for each in pipes[0].classes}))}"
        raise ValueError(Errors.R413.format(name=name, paths=path, detail=detail))
    weights: Dict[str, Tensor] = module_of(pipes[0].model).state_dict()
    return weights
