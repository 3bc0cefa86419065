"""The base of all trainable components: labels are fixed when a component is initialized."""

from typing import Any, Dict, List, Tuple

from spacy.pipeline import TrainablePipe

from ..errors import Errors


class LabelledPipe(TrainablePipe):
    """A trainable component with the setting `labels`."""

    cfg: Dict[str, Any]

    @property
    def labels(self) -> Tuple[str, ...]:
        """RETURNS (Tuple[str, ...]): The relations or entity types that the component knows, sorted."""
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> List[str]:
        """RETURNS (List[str]): What `spacy init labels` writes and `initialize` takes as `labels`."""
        return list(self.labels)

    def add_label(self, label: str) -> int:
        """Refuse a new label.

        RETURNS (int): 0 if it is there already.
        RAISES (ValueError): If it is not.
        """
        if label in self.labels:
            return 0
        expected = "a label given to initialize(labels=[...])"
        raise ValueError(Errors.R007.format(key=f"label of {self.name}", found=label, expected=expected))
