"""The form all methods share: suggest → features → model → decode → store, and loss on the way back."""

import copy
import warnings
from itertools import islice
from math import isclose
from pathlib import Path
from typing import (
    Any,
    Callable,
    ClassVar,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Type,
    Union,
)

import numpy
import srsly
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.util import minibatch
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer, set_dropout_rate

from ..annotations.near_miss import NearMiss, describe_miss, rank_misses, removed_triples
from ..annotations.triple import Record
from ..annotations.type_rules import TypeRules, read_type_rules
from ..bridge.modules import accept_docs, keep_vectors, loss_and_gradient, module_of, move_to_device, to_numpy
from ..corpora.damage import refuse_damage
from ..corpora.statistics import CorpusStatistics, list_shortages
from ..errors import Errors, Warnings
from .initialize import GetExamples, check_vectors, connect_listeners, counts_labels, describe_corpus
from .labels import LabelledPipe
from .requirements import SENTENCES, check_upstream, lack_sentences, late_components
from .settings import CONFIGURED, Block, Ranges, Settings, check_settings, reconcile

# A method's own types: what is classified, the model's input, its output (arrays) and what is stored on a Doc.
Instances = Any
Features = Any
Outputs = Any
Prediction = Any
Collected = Any  # from the training data

Targets = Dict[str, numpy.ndarray]
Tensors = Dict[str, Any]  # of torch, which is not imported here
Scorer = Callable[..., Settings]

# Folder, and key in bytes, of what a component knows besides settings and weights.
KNOWLEDGE = "knowledge"

# Lowest raw score of a candidate, and documents whose candidates are listed at a time.
LEAST_SCORE, _RANKED_BATCH = 0.01, 128


class RelationPipe(LabelledPipe):
    """Base of every component of this package.

    A method defines what is classified (`suggest`), as which arrays (`features`), with which loss (`loss`, `targets`)
    and how scores become triples (`decode`, `store`). Labels, initialization, prediction, the update step,
    serialization and scoring are here, once.
    """

    architectures: ClassVar[Tuple[str, ...]] = ()
    writes: str = "triples"
    needs_triples: bool = True  # of training data; a reader warns if a corpus has none
    has_converged: bool = False  # if it has, it is not updated any more
    ranks_candidates: ClassVar[bool] = False  # whether scores also read `candidates`
    ranges: ClassVar[Ranges] = {}  # of settings: lowest and highest number, or choices
    blocks: ClassVar[Mapping[str, Type[Block]]] = {}  # of settings, by their section in the config
    fitted: ClassVar[Settings] = {}  # settings that training and tuning fill in, with their initial values
    fitted_first: ClassVar[Tuple[str, ...]] = ()  # settings that `fit_settings` finds before thresholds are tuned

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str,
        *,
        scorer: Optional[Scorer] = None,
        settings: Optional[Settings] = None,
    ) -> None:
        """Create a component; it has no labels and no weights before it is initialized or loaded.

        name (str): The component's name in the pipeline, and its triples' source.
        settings (Optional[Settings]): Plain values from the config, saved with the component.
        RAISES (ValueError): If a setting is out of its range.
        """
        check_settings(settings or {}, self.ranges)
        read_type_rules((settings or {}).get("types", ()))
        self.vocab, self.model, self.name, self.scorer = vocab, model, name, scorer
        self.cfg: Settings = copy.deepcopy({"labels": [], **(settings or {}), **self.fitted})
        # Saved beside the settings in use, to distinguish later changes of the config from those made by tuning.
        self.cfg[CONFIGURED] = copy.deepcopy(settings or {})
        self._warned: set = set()
        accept_docs(model, self.read_docs)
        self.reset()

    # What a method defines

    def reset(self) -> None:
        """Create the attributes that `initialize` or loading fills in, still empty."""

    def suggest(self, docs: Sequence[Doc]) -> Instances:
        """Choose what is classified in a batch of Docs."""
        raise NotImplementedError

    def suggest_gold(self, examples: Sequence[Example]) -> Instances:
        """Choose what is classified in training, where gold is available."""
        raise NotImplementedError

    def split(self, instances: Instances) -> Iterator[Instances]:
        """Yield instances in parts that the model reads one at a time; nothing if there are none."""
        if len(instances):
            yield instances

    def join(self, parts: Sequence[Instances], outputs: Sequence[Outputs]) -> Outputs:
        """Concatenate the outputs of several parts; narrower ones are padded with 0."""
        if isinstance(outputs[0], numpy.ndarray):
            return join_arrays(outputs)
        return type(outputs[0])(*map(join_arrays, zip(*outputs)))

    def features(self, instances: Instances) -> Features:
        """Turn instances into the model's input."""
        raise NotImplementedError

    def targets(self, instances: Instances) -> Targets:
        """Turn the gold of instances into arrays for the loss."""
        raise NotImplementedError

    def loss(self, outputs: Outputs, targets: Tensors) -> Tensors:
        """Compute the named terms of the loss; see the method's `losses.py`."""
        raise NotImplementedError

    def decode(self, instances: Instances, outputs: Optional[Outputs]) -> List[Prediction]:
        """Turn scores into one prediction per Doc; without instances there are no outputs."""
        raise NotImplementedError

    def store(self, doc: Doc, prediction: Prediction) -> None:
        """Write one prediction onto its Doc."""
        raise NotImplementedError

    def candidates(self, instances: Instances, outputs: Optional[Outputs]) -> List[List[Record]]:
        """List all possible triples of each Doc with raw scores, also those below a threshold: what `exact_ap` ranks.

        RETURNS (List[List[Record]]): `subject` and `object` as character offsets, `relation`, `score`.
        """
        raise NotImplementedError

    def collect(self, examples: Iterable[Example], *, labels: Optional[List[str]], where: str) -> Collected:
        """Read the training data once, and return all that `adopt` needs from it, above all `labels`."""
        raise NotImplementedError

    def adopt(self, collected: Collected) -> None:
        """Set labels and all else that follows from what `collect` returned."""
        self.cfg["labels"] = sorted(set(collected.labels))
        if not self.labels:
            raise ValueError(Errors.R003.format(name=self.name))

    def model_sizes(self) -> Settings:
        """Name the sizes that the torch module's `configure` takes."""
        raise NotImplementedError

    def fit_settings(self, examples: Sequence[Example]) -> Settings:
        """Fit the settings `fitted_first` to held-out data."""
        return {}

    def fit_documents(self, examples: Sequence[Example], *, beta: float) -> Tuple[float, float]:
        """Fit the settings `fitted_first` of a component that writes neither triples nor relations of sentences.

        examples (Sequence[Example]): Held-out data, annotated by the components before this one.
        beta (float): Weight of recall relative to precision.
        RETURNS (Tuple[float, float]): Its score before and after, 0 to 1.
        """
        raise NotImplementedError

    def knowledge_files(self) -> Dict[str, bytes]:
        """Return what the component knows besides settings and weights: file name → content."""
        return {}

    def load_knowledge(self, files: Mapping[str, bytes]) -> None:
        """Read what `knowledge_files` returned; settings and weights are loaded before."""

    def explain_no_miss(self, doc: Doc, nlp: Language) -> str:
        """Return, as a clause, why the component has stated nothing in a Doc, not even nearly."""
        return f"{self.name} states none"

    def rejected(self, doc: Doc, instances: Instances, outputs: Optional[Outputs]) -> List[NearMiss]:
        """List possible triples of a Doc that are not stated, in no order; without instances there are no outputs."""
        return []

    # What all methods share

    def predict(self, docs: Iterable[Doc]) -> List[Prediction]:
        """Score a batch of Docs without changing them: one prediction per Doc."""
        docs = list(docs)
        self.require_initialized()
        check_upstream(self.model, docs, self.name)
        self.warn_unsplit(docs)
        instances = self.suggest(docs)
        return self.decode(instances, self.run(instances))

    def read_docs(self, docs: Sequence[Doc]) -> Features:
        """Turn Docs into the model's input."""
        return self.features(self.suggest(docs))

    def near_misses(self, doc: Doc) -> List[NearMiss]:
        """List triples that the component came near to stating, and what stopped each.

        They are recomputed: prediction does not store them.

        doc (Doc): Annotated by the components before this one, or by the whole pipeline without `doc_cleaner`.
        RETURNS (List[NearMiss]): Highest scores first.
        RAISES (ValueError): If the component is not initialized, or the vectors that it reads are not there.
        """
        self.require_initialized()
        check_upstream(self.model, [doc], self.name)
        instances = self.suggest([doc])
        return rank_misses(self.rejected(doc, instances, self.run(instances)))

    def explain_no_triple(self, doc: Doc, nlp: Language) -> str:
        """Return, as a clause, why the component has stated nothing in a Doc of a pipeline: its nearest miss."""
        misses = self.near_misses(doc)
        if not misses:
            return self.explain_no_miss(doc, nlp)
        nearest = max(misses, key=lambda miss: miss.score - miss.threshold)
        found = f"nearest is {describe_miss(doc, nearest)}"
        if nearest.score >= nearest.threshold:
            return f"{found}, but {nearest.text}"
        hint = ""
        # a relation that was not queried, or a score by text alone, has another threshold, which is not fitted
        own = self.threshold_of(nearest.relation)
        if nearest.stopped_by != "relation" and isclose(nearest.threshold, own, rel_tol=1e-6):
            hint = f" (`spacy relext tune` fits that, or --components.{self.name}.threshold in training)"
        limit = f"{self.name} asks for {nearest.threshold:.3f}{hint}"
        return f"no score reaches its threshold; {found}, {limit}; {nearest.text}"

    def threshold_of(self, relation: str) -> float:
        """Return the lowest score at which a relation is stated; 0 if the component has no threshold."""
        own: Mapping[str, float] = self.cfg.get("thresholds", {})
        return float(own.get(relation, self.cfg.get("threshold", 0.0)))

    def run(self, instances: Instances) -> Optional[Outputs]:
        """Score instances, which a method may read more than once; without instances there are no outputs."""
        return self.forward(instances)

    def forward(self, instances: Instances) -> Optional[Outputs]:
        """Run the model over instances as they are, in parts; without instances there are no outputs.

        The token vectors of each Doc are computed once for all parts.
        """
        parts = list(self.split(instances))
        with keep_vectors(self.model):
            outputs = [to_numpy(self.model.predict(self.features(part))) for part in parts]
        return outputs[0] if len(outputs) == 1 else self.join(parts, outputs) if parts else None

    def set_annotations(self, docs: Iterable[Doc], predictions: List[Prediction]) -> None:
        """Store predictions on their Docs."""
        for doc, prediction in zip(docs, predictions):
            self.store(doc, prediction)

    def initialize(
        self, get_examples: GetExamples, *, nlp: Optional[Language] = None, labels: Optional[List[str]] = None
    ) -> None:
        """Collect the labels, give the model its sizes, and load the encoder's weights.

        get_examples (GetExamples): Returns the training data; only its first 100 examples if
            `[training] max_epochs = -1`.
        labels (Optional[List[str]]): The labels, if the data does not show all of them.
        RAISES (ValueError): If there are no labels, no static vectors and the encoder reads them, or the config names a
            model of another kind, which spaCy does not check.
        """
        if self.model.name not in self.architectures:
            expected = " or ".join(self.architectures)
            raise ValueError(Errors.R005.format(name=self.name, found=self.model.name, expected=expected))
        if nlp is not None:
            connect_listeners(nlp, self.name)
            self.check_pipeline(nlp)
        check_vectors(self.model, self.vocab, self.name)
        self.cfg.update(copy.deepcopy(self.fitted), labels=[])
        where = describe_corpus(nlp)
        counts = CorpusStatistics(where) if self.needs_triples and counts_labels(nlp, self.name) else None
        examples = _checked(get_examples, f"{type(self).__name__}.initialize", counts)
        self.adopt(self.collect(examples, labels=labels, where=where))
        if counts is not None and (problems := list_shortages(counts)):
            self.warn_once("few labels", Warnings.W011.format(problems=". ".join(problems)))
        self.model.initialize(X=self.features(self.suggest_gold(list(islice(get_examples(), 10)))))
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

        drop (float): Dropout of thinc layers; torch layers have their own.
        losses (Optional[Dict[str, float]]): Gets the loss under the component's name, and each term beside it.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        if self.has_converged:
            return losses
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.update")
        self.require_initialized()
        self.warn_unsplit([example.predicted for example in examples])
        set_dropout_rate(self.model, drop)
        terms = self.learn(self.suggest_gold(examples))
        if sgd is not None:
            self.finish_update(sgd)
        for term, value in terms.items():
            key = f"{self.name}_{term}"
            losses[key] = losses.get(key, 0.0) + value
        losses[self.name] += sum(terms.values())
        return losses

    def learn(self, instances: Instances, *, share: float = 1.0) -> Dict[str, float]:
        """Run the model forward and backward; the weights wait for the optimizer.

        share (float): Factor of the loss.
        RETURNS (Dict[str, float]): Terms of the loss.
        """
        # Even a batch without instances goes through the model: a shared encoder waits for all its listeners.
        outputs, backprop = self.model.begin_update(self.features(instances))
        terms, gradients = loss_and_gradient(self.loss, outputs, self.targets(instances), share=share)
        # But it teaches nothing: with gradients of 0 the optimizer would still move the weights.
        backprop(gradients if len(instances) else tuple(None for _ in gradients))
        return terms

    def get_loss(self, examples: Iterable[Example], scores: Outputs) -> Tuple[float, Tuple[object, ...]]:
        """Compute the loss of the output for `features(suggest_gold(examples))`, and one gradient per array of it."""
        terms, gradients = loss_and_gradient(self.loss, scores, self.targets(self.suggest_gold(list(examples))))
        return sum(terms.values()), gradients

    def score(self, examples: Iterable[Example], **kwargs: object) -> Settings:
        """Evaluate predictions; the scorer also gets the settings, the component's name as `source`, and `candidates`.

        The latter are recomputed from the predicted Docs: a Doc carries no triples below a threshold.
        """
        if self.scorer is None:
            return {}
        examples = list(examples)
        settings = {**self.cfg, "source": self.name, "candidates": None}
        # a `doc_cleaner` removes what a listener reads
        if self.ranks_candidates and all(example.predicted.tensor is not None for example in examples):
            settings["candidates"] = self.list_candidates([example.predicted for example in examples])
        return self.scorer(examples, **{**settings, **kwargs})

    def list_candidates(self, docs: Sequence[Doc]) -> List[List[Record]]:
        """List the candidates of Docs that the components before this one have annotated."""
        return [each for batch in self.read(docs) for each in self.candidates(*batch)]

    def read(self, docs: Sequence[Doc]) -> Iterator[Tuple[Instances, Optional[Outputs]]]:
        """Yield the instances of each batch of Docs, and the model's outputs for them."""
        for batch in minibatch(docs, _RANKED_BATCH):
            instances = self.suggest(batch)
            yield instances, self.run(instances)

    def require_initialized(self) -> None:
        """Raise an error (ValueError) if there are no labels or no weights."""
        if not self.labels or module_of(self.model).sizes is None:
            raise ValueError(Errors.R004.format(name=self.name))

    def to_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> None:
        """Write settings, weights and knowledge into a folder.

        exclude (Iterable[str]): Parts to leave out: "cfg", "model", "vocab", "knowledge".
        """
        exclude = tuple(exclude)
        for name, content in self.knowledge_files().items() if KNOWLEDGE not in exclude else ():
            (Path(path) / KNOWLEDGE).mkdir(parents=True, exist_ok=True)
            (Path(path) / KNOWLEDGE / name).write_bytes(content)
        super().to_disk(path, exclude=exclude)  # last, since it lists the files

    def from_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> "RelationPipe":
        """Read what `to_disk` wrote; settings that were changed in the config since then take precedence.

        RAISES (ValueError): If a file is missing, damaged, or not the one that was written.
        """
        exclude, before = tuple(exclude), self._forget_config()
        super().from_disk(path, exclude=exclude)
        with refuse_damage(path, message=Errors.R021, name=self.name):
            reconcile(self.cfg, before[CONFIGURED])
            if KNOWLEDGE not in exclude:
                folder = Path(path) / KNOWLEDGE
                self._load_knowledge({each.name: each.read_bytes() for each in folder.glob("*")}, where=str(folder))
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Return settings, weights and knowledge as bytes; parts to leave out are those of `to_disk`."""
        exclude = tuple(exclude)
        parts: Dict[str, object] = {"pipe": super().to_bytes(exclude=exclude)}
        if KNOWLEDGE not in exclude:
            parts[KNOWLEDGE] = self.knowledge_files()
        return bytes(srsly.msgpack_dumps(parts))

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "RelationPipe":
        """Read what `to_bytes` returned; settings that were changed in the config since then take precedence."""
        exclude, before = tuple(exclude), self._forget_config()
        with refuse_damage("the bytes", message=Errors.R021, name=self.name):
            parts = srsly.msgpack_loads(bytes_data)
            super().from_bytes(parts["pipe"], exclude=exclude)
            reconcile(self.cfg, before[CONFIGURED])
            if KNOWLEDGE not in exclude:
                self._load_knowledge(parts.get(KNOWLEDGE, {}), where="the bytes")
        return self

    def _forget_config(self) -> Settings:
        """Copy the settings before others are loaded, and clear the values of the config that are kept among them."""
        before = dict(self.cfg)
        self.cfg[CONFIGURED] = {}
        return before

    def _load_knowledge(self, files: Mapping[str, bytes], *, where: str) -> None:
        """Load the stored knowledge files. RAISES (ValueError): If one is missing."""
        missing = [name for name in self.knowledge_files() if name not in files]
        if missing:
            raise ValueError(Errors.R012.format(name=self.name, where=where, files=", ".join(missing)))
        self.load_knowledge(files)

    def type_rules(self, known: Sequence[str] = ()) -> TypeRules:
        """Read the setting `types`; warn once about relations and types in it that the training data does not have.

        known (Sequence[str]): Entity types of the training data; empty: unknown.
        """
        rules = read_type_rules(self.cfg.get("types", ()), learned=self.cfg.get("learned_types", ()), known=known)
        for kind, found, seen in rules.unknown(self.labels, known):
            message = Warnings.W004.format(name=self.name, kind=kind, found=found, known=seen)
            self.warn_once(f"unknown {kind} {found}", message)
        return rules

    def warn_once(self, key: str, message: str) -> None:
        """Warn, but only the first time; the key names what the warning is about."""
        if key not in self._warned:
            self._warned.add(key)
            warnings.warn(message, UserWarning, stacklevel=2)

    def warn_unsplit(self, docs: Sequence[Doc]) -> None:
        """Warn once if texts of several sentences have no sentence boundaries."""
        if SENTENCES not in self._warned and lack_sentences(docs):
            self.warn_once(SENTENCES, Warnings.W005.format(name=self.name))

    def check_pipeline(self, nlp: Language) -> None:
        """Warn once about each attribute that the component reads, but only later components set."""
        for attribute, names in late_components(nlp, self.name).items():
            message = Warnings.W006.format(name=self.name, attribute=attribute, others=", ".join(names))
            self.warn_once(attribute, message)

    def warn_unannotated(self, count: int, total: int, where: str) -> None:
        """Warn once about documents without annotation, from which nothing is learned."""
        if count:
            message = Warnings.W360.format(name=self.name, count=count, total=total, where=where)
            self.warn_once("not annotated", message)


def list_near_misses(nlp: Language, doc: Doc) -> List[NearMiss]:
    """List the triples that a pipeline nearly stated in an annotated Doc, or removed, highest scores first."""
    pipes = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, RelationPipe)]
    return rank_misses([*removed_triples(doc), *(miss for pipe in pipes for miss in pipe.near_misses(doc))])


def _checked(get_examples: GetExamples, method: str, counts: Optional[CorpusStatistics]) -> Iterator[Example]:
    """Yield the training data, check and count it: spaCy's own check would read all of it once more."""
    if not callable(get_examples):
        validate_get_examples(get_examples, method)
    for example in get_examples():
        validate_examples([example], method)
        if counts is not None:
            counts.add(example.reference)
        yield example


def join_arrays(arrays: Sequence[numpy.ndarray]) -> numpy.ndarray:
    """Concatenate arrays whose second dimensions may differ; narrower ones are padded with 0."""
    width = max((array.shape[1] for array in arrays if array.ndim > 1), default=0)
    more = [[(0, width - n) if axis == 1 else (0, 0) for axis, n in enumerate(array.shape)] for array in arrays]
    return numpy.concatenate([numpy.pad(array, each) for array, each in zip(arrays, more)])
