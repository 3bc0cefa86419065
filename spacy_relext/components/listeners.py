"""Do the token vectors that a component listens to have the width that its config says?"""

from typing import Any, Optional

from spacy.language import Language

from ..errors import Errors


def check_listener_widths(nlp: Language, name: str) -> None:
    """Compare a component's listeners with the component that they listen to.

    nlp (Language): The pipeline; what comes before the component is initialized.
    name (str): The component.
    RAISES (ValueError): Where the widths differ: the layers above would not fit.
    """
    pipes = dict(nlp.components)
    if name not in pipes:
        return
    before = nlp.component_names[: nlp.component_names.index(name)]
    for node in pipes[name].model.walk():  # type: ignore[attr-defined]
        wanted = getattr(node, "upstream_name", None)
        heard = [other for other in before if hasattr(pipes[other], "find_listeners") and wanted in ("*", other)]
        if not heard:
            continue
        found, expected = _width(pipes[heard[-1]].model), _width(node)  # type: ignore[attr-defined]
        if found is not None and expected is not None and found != expected:
            raise ValueError(Errors.R360.format(name=name, upstream=heard[-1], found=found, expected=expected))


def _width(model: Any) -> Optional[int]:
    """Size of a model's output vectors, where it is known."""
    return model.get_dim("nO") if model.has_dim("nO") else None
