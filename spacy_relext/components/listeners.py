"""Do the vectors that a component's encoder reads exist, and have the width that its config says?"""

from typing import Any, Optional

from spacy.language import Language
from spacy.vocab import Vocab
from thinc.api import Model

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


def check_vectors(model: Model, vocab: Vocab, name: str) -> None:
    """Make sure that there are static vectors where an encoder reads them: else it would end in an index error.

    model (Model): The component's model.
    vocab (Vocab): The vocabulary, whose vectors [initialize] has filled by now.
    name (str): The component.
    RAISES (ValueError): Where there are none.
    """
    if not vocab.vectors_length and any(node.name == "static_vectors" for node in model.walk()):
        raise ValueError(Errors.R514.format(name=name))


def _width(model: Any) -> Optional[int]:
    """Size of a model's output vectors, where it is known."""
    return model.get_dim("nO") if model.has_dim("nO") else None
