"""The base of all trainable components: labels are fixed when a component is initialized."""

from pathlib import Path
from typing import Any, Dict, Iterable, List, Tuple, Union

from spacy.pipeline import TrainablePipe
from thinc.api import Model

from ..corpora.damage import check_file_list, refuse_damage, write_file_list
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

    def to_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> None:
        """Write the component into a folder, with a list of its files and those of the encoder that it listens to.

        exclude (Iterable[str]): Parts to leave out: "cfg", "model", "vocab".
        """
        super().to_disk(path, exclude=tuple(exclude))
        write_file_list(Path(path), besides=_encoders(self.model))

    def from_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> "LabelledPipe":
        """Read what `to_disk` wrote.

        RAISES (ValueError): If a file is missing, damaged, or not the one that was written.
        """
        exclude = tuple(exclude)
        check_file_list(Path(path), name=self.name, exclude=exclude)
        with refuse_damage(path, message=Errors.R021, name=self.name):
            super().from_disk(path, exclude=exclude)
        return self

    def add_label(self, label: str) -> int:
        """Refuse a new label.

        RETURNS (int): 0 if it is there already.
        RAISES (ValueError): If it is not.
        """
        if label in self.labels:
            return 0
        expected = "a label given to initialize(labels=[...])"
        raise ValueError(Errors.R007.format(key=f"label of {self.name}", found=label, expected=expected))


def _encoders(model: Model) -> List[str]:
    """List the folders, beside a component's own, of the encoders that a model listens to."""
    upstream = {getattr(node, "upstream_name", "") for node in model.walk()} - {""}
    named = {name for name in upstream if isinstance(name, str)}
    return sorted(named - {"*"} | ({"tok2vec", "transformer"} if "*" in named else set()))
