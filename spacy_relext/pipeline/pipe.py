"""The form all methods share: suggest → features → model → decode → store, and loss on the way back."""

import copy
import warnings
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple, Union

from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from thinc.api import Model, Optimizer, set_dropout_rate

from ..annotations import extensions  # noqa: F401
from ..bridge.modules import loss_and_gradient, module_of, move_to_device, to_numpy
from ..errors import Errors
from .initialize import check_listener_widths, check_vectors
from .settings import CONFIGURED, reconcile

Gradients = Tuple[Any, ...]


class RelationPipe(TrainablePipe):
    """Base of every component of this package.

    A method says what is classified (`suggest`), as which arrays (`features`), with which loss (`loss_function`,
    `targets`) and how scores become triples (`decode`, `store`). Labels, initialization, the update step,
    serialization and scoring are here, once.
    """

    def __init__(
        self,
        vocab: Any,
        model: Model,
        name: str,
        *,
        scorer: Optional[Callable[..., Dict[str, Any]]] = None,
        settings: Optional[Dict[str, Any]] = None,
        fitted: Optional[Dict[str, Any]] = None,
    ) -> None:
        """Create a component; it has no labels and no weights before it is initialized or loaded.

        vocab (Vocab): The shared vocabulary.
        model (Model): The thinc model.
        name (str): The component's name in the pipeline, and its triples' source.
        scorer (Optional[Callable[..., Dict[str, Any]]]): The scoring function.
        settings (Optional[Dict[str, Any]]): What the config says, plain values, saved with the component.
        fitted (Optional[Dict[str, Any]]): What training and tuning fill in, as it is before; saved too.
        """
        self.vocab, self.model, self.name, self.scorer = vocab, model, name, scorer
        self._fitted = dict(fitted or {})
        self.cfg: Dict[str, Any] = copy.deepcopy({"labels": [], **(settings or {}), **self._fitted})
        # Kept beside the settings in use, so that a config changed since can be told from settings changed by tuning.
        self.cfg[CONFIGURED] = copy.deepcopy(settings or {})
        self._warned: set = set()
        self.kept_outputs: Optional[KeptOutputs] = None

    @property
    def labels(self) -> Tuple[str, ...]:
        """RETURNS (Tuple[str, ...]): The relations the component knows, sorted."""
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> List[str]:
        """RETURNS (List[str]): What `spacy init labels` writes and `initialize` takes as `labels`."""
        return list(self.labels)

    # What a method defines

    # Settings that `fit_settings` finds before thresholds are.
    fitted_first: Tuple[str, ...] = ()

    def fit_settings(self, examples: Sequence[Example]) -> Dict[str, Any]:
        """Fit what scores depend on to held-out data: values of the settings `fitted_first`."""
        return {}

    architectures: Tuple[str, ...] = ()
    writes: str = "triples"
    needs_triples: bool = True  # of training data; a reader warns where a corpus has none

    def suggest(self, docs: Sequence[Doc]) -> Any:
        """Choose what shall be classified in a batch of Docs."""
        raise NotImplementedError

    def suggest_gold(self, examples: Sequence[Example]) -> Any:
        """Choose what shall be classified in training, with the gold at hand."""
        raise NotImplementedError

    def features(self, instances: Any) -> Any:
        """Turn instances into the model's input."""
        raise NotImplementedError

    def readings(self, instances: Any) -> Any:
        """Say what is read of instances in training, where that is not each of them once."""
        return instances

    def training_features(self, instances: Any) -> Any:
        """Turn instances into the model's input in training, where that is another one."""
        return self.features(instances)

    def targets(self, instances: Any) -> Dict[str, Any]:
        """Turn the gold of instances into arrays for the loss."""
        raise NotImplementedError

    def loss(self, outputs: Any, targets: Dict[str, Any]) -> Dict[str, Any]:
        """Compute the named terms of the loss; see `models/`."""
        raise NotImplementedError

    def decode(self, instances: Any, outputs: Any) -> List[Any]:
        """Turn scores into one prediction per Doc."""
        raise NotImplementedError

    def store(self, doc: Doc, prediction: Any) -> None:
        """Write one prediction onto its Doc."""
        raise NotImplementedError

    def collect(self, examples: Iterable[Example]) -> List[str]:
        """Read labels (and whatever else the method needs) from training data."""
        raise NotImplementedError

    def without_labels(self) -> str:
        """Say why training data has shown no label."""
        return Errors.R003.format(name=self.name)

    def settle(self) -> None:
        """Take down what follows from the labels, before the model gets its sizes."""

    def model_sizes(self) -> Dict[str, Any]:
        """Name the sizes that the torch module's `configure` takes."""
        raise NotImplementedError

    # What all methods share

    def predict(self, docs: Iterable[Doc]) -> List[Any]:
        """Score a batch of Docs without changing them.

        docs (Iterable[Doc]): The batch.
        RETURNS (List[Any]): One prediction per Doc, for `set_annotations`.
        RAISES (ValueError): Where the component is not initialized.
        """
        docs = list(docs)
        self.require_initialized()
        instances = self.suggest(docs)
        if not len(instances):
            return self.decode(instances, None)
        return self.decode(instances, self.say(docs, lambda: to_numpy(self.model.predict(self.features(instances)))))

    def say(self, docs: Sequence[Doc], compute: Callable[[], Any]) -> Any:
        """RETURNS (Any): What `compute` says of a batch of Docs, or has said where outputs are kept."""
        return compute() if self.kept_outputs is None else self.kept_outputs.look_up(docs, compute)

    def set_annotations(self, docs: Iterable[Doc], predictions: List[Any]) -> None:
        """Store predictions on their Docs.

        docs (Iterable[Doc]): The batch.
        predictions (List[Any]): From `predict`.
        """
        for doc, prediction in zip(docs, predictions):
            self.store(doc, prediction)

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Optional[List[str]] = None,
    ) -> None:
        """Find the labels, give the model its sizes, and load the encoder's weights.

        get_examples (Callable[[], Iterable[Example]]): Returns the training data; only its first 100 examples where
            `[training] max_epochs = -1`.
        nlp (Optional[Language]): The pipeline.
        labels (Optional[List[str]]): The labels, where the data does not show all of them.
        RAISES (ValueError): Where there are no labels, or no static vectors and the encoder reads them.
        """
        self.check_model()
        if nlp is not None:
            check_listener_widths(nlp, self.name)
        check_vectors(self.model, self.vocab, self.name)
        self.cfg.update(copy.deepcopy(self._fitted))
        found = self.collect(_checked(get_examples, f"{type(self).__name__}.initialize"))
        self.cfg["labels"] = sorted(set(labels if labels is not None else found))
        if not self.labels:
            raise ValueError(self.without_labels())
        self.settle()
        self.model.initialize(X=self._sample(get_examples))
        module_of(self.model).configure(**self.model_sizes())
        move_to_device(self.model)

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optional[Optimizer] = None,
        losses: Optional[Dict[str, float]] = None,
    ) -> Dict[str, float]:
        """Learn from a batch.

        examples (Iterable[Example]): Predicted and gold Docs.
        drop (float): Dropout of thinc layers; torch layers have their own.
        sgd (Optional[Optimizer]): Where given, weights are updated at once.
        losses (Optional[Dict[str, float]]): Gets the loss under the component's name, and each term beside it.
        RETURNS (Dict[str, float]): The losses.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.update")
        self.require_initialized()
        set_dropout_rate(self.model, drop)
        instances = self.readings(self.suggest_gold(examples))
        terms = self.learn(instances)
        if sgd is not None:
            self.finish_update(sgd)
        for term, value in terms.items():
            key = f"{self.name}_{term}"
            losses[key] = losses.get(key, 0.0) + value
        losses[self.name] += sum(terms.values())
        return losses

    def learn(self, instances: Any, *, share: float = 1.0) -> Dict[str, float]:
        """Run the model there and back; the weights wait for the optimizer.

        instances (Any): What `suggest_gold` chose.
        share (float): What the loss is multiplied by.
        RETURNS (Dict[str, float]): Terms of the loss.
        """
        # Even a batch without instances goes through the model: a shared encoder waits for all its listeners.
        outputs, backprop = self.model.begin_update(self.training_features(instances))
        terms, gradients = loss_and_gradient(self.loss, outputs, self.targets(instances), share=share)
        # But it teaches nothing: with gradients of 0 the optimizer would still move the weights.
        backprop(gradients if len(instances) else tuple(None for _ in gradients))
        return terms

    def get_loss(self, examples: Iterable[Example], scores: Any) -> Tuple[float, Gradients]:
        """Compute the loss of a model output and its gradient.

        examples (Iterable[Example]): The batch that gave the output.
        scores (Any): The model's output for `features(suggest_gold(examples))`.
        RETURNS (Tuple[float, Gradients]): The loss and one gradient per output.
        """
        terms, gradients = loss_and_gradient(self.loss, scores, self.targets(self.suggest_gold(list(examples))))
        return sum(terms.values()), gradients

    def score(self, examples: Iterable[Example], **kwargs: Any) -> Dict[str, Any]:
        """Evaluate predictions.

        examples (Iterable[Example]): Predicted and gold Docs.
        kwargs (Any): Passed on to the scorer.
        RETURNS (Dict[str, Any]): The scores.
        """
        if self.scorer is None:
            return {}
        return self.scorer(examples, **{**self.cfg, "source": self.name, **kwargs})

    def add_label(self, label: str) -> int:
        """Refuse: relations are fixed when the component is initialized.

        label (str): The label.
        RAISES (ValueError): Unless the label is known already.
        """
        if label in self.labels:
            return 0
        raise ValueError(
            Errors.R007.format(
                key=f"label of {self.name}", found=label, expected="a label given to initialize(labels=[...])"
            )
        )

    def require_initialized(self) -> None:
        """Check that there are labels and weights.

        RAISES (ValueError): Where there are none.
        """
        if not self.labels or module_of(self.model).sizes is None:
            raise ValueError(Errors.R004.format(name=self.name))

    def check_model(self) -> None:
        """Check that the config names a model of this component's kind; spaCy does not.

        RAISES (ValueError): Where it is another.
        """
        if self.model.name not in self.architectures:
            expected = " or ".join(self.architectures)
            raise ValueError(Errors.R005.format(name=self.name, found=self.model.name, expected=expected))

    def from_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> "RelationPipe":
        """Read weights and settings from a folder; settings that the config was given since it was saved stay.

        path (Union[str, Path]): The component's folder.
        exclude (Iterable[str]): Parts to leave out.
        RETURNS (RelationPipe): The component.
        """
        configured, self.cfg[CONFIGURED] = self.cfg[CONFIGURED], {}
        super().from_disk(path, exclude=tuple(exclude))
        reconcile(self.cfg, configured)
        return self

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "RelationPipe":
        """Read weights and settings; settings that the config was given since they were saved stay.

        bytes_data (bytes): From `to_bytes`.
        exclude (Iterable[str]): Parts to leave out.
        RETURNS (RelationPipe): The component.
        """
        configured, self.cfg[CONFIGURED] = self.cfg[CONFIGURED], {}
        super().from_bytes(bytes_data, exclude=tuple(exclude))
        reconcile(self.cfg, configured)
        return self

    def warn_once(self, key: str, message: str) -> None:
        """Warn, but only the first time.

        key (str): What the warning is about.
        message (str): Its text.
        """
        if key not in self._warned:
            self._warned.add(key)
            warnings.warn(message, UserWarning, stacklevel=2)

    def _sample(self, get_examples: Callable[[], Iterable[Example]]) -> Any:
        """Make a small model input, from which thinc layers infer their sizes."""
        return self.features(self.suggest_gold(list(islice(get_examples(), 10))))


def _checked(get_examples: Callable[[], Iterable[Example]], method: str) -> Iterator[Example]:
    """Yield the training data as it is checked: spaCy's own check would read all of it once more."""
    if not callable(get_examples):
        validate_get_examples(get_examples, method)
    for example in get_examples():
        validate_examples([example], method)
        yield example


class KeptOutputs:
    """The outputs of one component's model, in the order of the batches that it reads."""

    def __init__(self) -> None:
        self._kept: List[Tuple[List[str], Any]] = []
        self._next = 0

    def rewind(self) -> None:
        """Expect the first batch again."""
        self._next = 0

    def forget(self) -> None:
        """Let all be said anew: something that the model reads has changed."""
        self._kept, self._next = [], 0

    def look_up(self, docs: Sequence[Doc], compute: Callable[[], Any]) -> Any:
        """Find what was said of a batch, or let it be said now.

        docs (Sequence[Doc]): The batch: the same as at this place since the last `rewind`.
        compute (Callable[[], Any]): Runs the model.
        RETURNS (Any): Its outputs.
        """
        texts = [doc.text for doc in docs]
        if self._next == len(self._kept):
            self._kept.append((texts, compute()))
        kept, outputs = self._kept[self._next]
        assert kept == texts, "another batch than the last time"
        self._next += 1
        return outputs


@contextmanager
def outputs_kept(pipes: Iterable[Any]) -> Iterator[None]:
    """Let models read each batch once only, however often it is predicted within this block.

    Only where data and order stay as they are. `rewind` their `kept_outputs` before the data is predicted again, and
    `forget` what they hold when something changes that comes before them.

    pipes (Iterable[RelationPipe]): The components.
    """
    pipes = list(pipes)
    for pipe in pipes:
        pipe.kept_outputs = KeptOutputs()
    try:
        yield
    finally:
        for pipe in pipes:
            pipe.kept_outputs = None
