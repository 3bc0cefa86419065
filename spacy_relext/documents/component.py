"""The component behind `relext_documents`: relations between the entities of a document, in whatever sentences."""

from bisect import bisect_right
from collections import Counter
from functools import cache
from typing import Any, ClassVar, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Config, Model

from ..annotations.doc_entities import DocEntity, FactKey, fact_record, set_facts, stated_facts
from ..annotations.judged import get_judged
from ..annotations.sentences import sentence_bounds
from ..annotations.store import has_triples
from ..annotations.triple import CharSpan, Record, Triple
from ..annotations.type_rules import LEARNED, learn_type_rules
from ..errors import Errors
from ..pipeline.pipe import Outputs, RelationPipe, Scorer, Targets, Tensors
from ..pipeline.settings import TOK2VEC, Ranges, Settings, plain_settings
from ..scoring.facts import FACT_WEIGHTS
from ..scoring.probabilities import Floats, fit_logistic, logit, sigmoid
from ..scoring.thresholds import best_threshold, f_score
from .losses import documents_loss
from .model import DocumentOutput
from .segments import DocumentBatch, DocumentGold, DocumentInstances, pair_arrays, suggest_pairs
from .settings import DocumentsLoss

# Score of a relation of a pair that the classifier does not read, and limits of logits that are combined.
ABSENT, FARTHEST = -6.0, 10.0

# Probability below which a relation is not kept for thresholds to choose from.
LEAST = 0.05

# Weights of the classifier's logit, of the best triple's logit, of whether there is a triple, and a constant.
Combination = List[float]


class Collected(NamedTuple):
    """What the training data has: relations, entity types, rows of types, and how often a pair has each relation."""

    labels: List[str]
    types: List[str]
    rows: List[List[str]]
    prior: Dict[str, float]


class Candidate(NamedTuple):
    """A possible fact: entities by number and relation, both logits, and the token that supports it."""

    key: FactKey
    logit: float
    triple: Optional[float]
    token: int


class RelextDocuments(RelationPipe):
    """Finds facts of a document, and stores them: `doc._.facts` reads them.

    It scores pairs of `doc._.entities`, whose mentions are names and what coreference adds to them. With the scores of
    the triples of earlier components, that becomes one probability: σ(a z + b logit(p) + c + d) with weights that
    `tune` fits, before that the higher of both.
    """

    architectures = ("relext_document_pairs",)
    writes = "facts"
    blocks = {"loss": DocumentsLoss}
    ranges: ClassVar[Ranges] = {"threshold": (0.0, 1.0), "length": (16, 100_000)}
    fitted: ClassVar[Settings] = {"combination": None, "entity_types": [], "learned_types": [], "prior": {}}
    fitted_first = ("combination", "threshold")

    def collect(self, examples: Iterable[Example], *, labels: Optional[List[str]], where: str) -> Collected:
        """Count relations, their entity types, and pairs."""
        rows: Counter[Tuple[str, str, str]] = Counter()
        types: set = set()
        totals: Counter[str] = Counter()
        pairs = 0
        for example in examples:
            if not has_triples(example.reference):
                continue
            entities, stated, _ = stated_facts(example.reference)
            types.update(entity.label for entity in entities if entity.label)
            pairs += len(entities) * (len(entities) - 1)
            for subject, relation, obj in stated:
                totals[relation] += 1
                rows[entities[subject].label or "", relation, entities[obj].label or ""] += 1
        prior = {relation: count / max(1, pairs) for relation, count in totals.items()}
        learned = learn_type_rules(rows)
        return Collected(sorted({*totals, *(labels or ())}), sorted(types), learned, prior)

    def adopt(self, collected: Collected) -> None:
        """Set labels, entity types, type rules and priors."""
        super().adopt(collected)
        self.cfg.update(entity_types=collected.types, learned_types=collected.rows, prior=collected.prior)

    def model_sizes(self) -> Dict[str, Any]:
        """Return the size of the token vectors, and the numbers of relations and entity types."""
        width = self.model.layers[0].get_dim("nO")
        return {"width": width, "n_relations": len(self.labels), "n_types": len(self.cfg["entity_types"])}

    def suggest(self, docs: Sequence[Doc]) -> DocumentInstances:
        """List the pairs of entities between whose types some relation may hold."""
        rules = self.type_rules()

        @cache
        def allows(subject: str, obj: str) -> bool:
            return any(rules.allows(label, subject, obj) for label in self.labels)

        return suggest_pairs(docs, length=self.cfg["length"], allows=allows)

    def suggest_gold(self, examples: Sequence[Example]) -> DocumentInstances:
        """List them for annotated documents, with the facts that hold."""
        is_annotated = [has_triples(example.reference) for example in examples]
        self.warn_unannotated(is_annotated.count(False), len(examples), "a batch")
        instances = self.suggest([example.predicted for example in examples])
        # the Docs stay, since a listener gets the vectors of the whole batch
        instances.segments = [segment for segment in instances.segments if is_annotated[segment.doc]]
        instances.gold = self._read_gold(instances, [example.reference for example in examples])
        return instances

    def split(self, instances: DocumentInstances) -> Iterator[DocumentInstances]:
        """Yield segments in parts of limited size."""
        return instances.parts()

    def features(self, instances: DocumentInstances) -> DocumentBatch:
        """Lay entities and pairs out as arrays."""
        return DocumentBatch(instances.docs, pair_arrays(instances, self.cfg["entity_types"]))

    def targets(self, instances: DocumentInstances) -> Targets:
        """Return the facts of each pair, and the rate of each relation."""
        assert instances.gold is not None
        prior = [min(0.5, max(1e-6, self.cfg["prior"].get(label, 0.0))) for label in self.labels]
        return {
            "facts": instances.gold.facts,
            "judged": instances.gold.judged,
            "prior": numpy.asarray(prior, dtype="float32"),
        }

    def loss(self, outputs: DocumentOutput, targets: Tensors) -> Tensors:
        """Compute the loss of pairs."""
        return documents_loss(outputs.logits, targets, DocumentsLoss.of(self.cfg["loss"]))

    def decode(self, instances: DocumentInstances, outputs: Optional[Outputs]) -> List[List[Record]]:
        """Combine scores with triples, and keep what reaches the threshold."""
        found = self.list_facts(instances, outputs)
        return [self._records(*each) for each in zip(instances.docs, instances.entities, found)]

    def list_facts(self, instances: DocumentInstances, outputs: Optional[Outputs]) -> List[List[Candidate]]:
        """List the possible facts of each Doc: what triples state, and what has a probability of at least LEAST."""
        rules, least = self.type_rules(), float(logit(numpy.asarray([LEAST]))[0])
        best: List[Dict[FactKey, Tuple[float, int]]] = [{} for _ in instances.docs]
        row = 0
        for segment in instances.segments:
            entities = instances.entities[segment.doc]
            for one, other in segment.pairs:
                subject, obj = segment.entities[one][0], segment.entities[other][0]
                types = entities[subject].label or "", entities[obj].label or ""
                assert outputs is not None
                for at in numpy.flatnonzero(outputs.logits[row] >= least).tolist():
                    relation, z = self.labels[at], float(outputs.logits[row, at])
                    key = (subject, relation, obj)
                    if rules.allows(relation, *types) and z > best[segment.doc].get(key, (-numpy.inf, 0))[0]:
                        best[segment.doc][key] = (z, segment.start + int(outputs.evidence[row]))
                row += 1
        return [_join(of_doc, stated) for of_doc, stated in zip(best, instances.stated)]

    def fit_documents(self, examples: Sequence[Example], *, beta: float) -> Tuple[float, float]:
        """Fit the combination of scores by maximum likelihood, then the threshold with the highest F_β."""
        annotated = [example for example in examples if has_triples(example.reference)]
        instances = self.suggest([example.predicted for example in annotated])
        found = self.list_facts(instances, self.run(instances))
        candidates, stated, n_gold = self._judge(instances, found, [example.reference for example in annotated])
        if not n_gold:
            raise ValueError(Errors.R011.format(count=len(annotated)))
        if not any(stated):  # nothing to fit to
            return 0.0, 0.0
        is_right = numpy.asarray([key is not None for key in stated])

        def counted() -> Tuple[Floats, NDArray[numpy.bool_]]:
            scores = self._combine(candidates)
            is_first = best_of_each(scores, stated)
            return scores[is_first], is_right[is_first]

        scores, right = counted()
        accepted = scores >= self.cfg["threshold"]
        sizes = numpy.asarray((accepted & right).sum()), numpy.asarray(accepted.sum())
        before = float(f_score(*sizes, n_gold, beta=beta))
        weights = fit_logistic(combination_inputs(candidates), is_right, start=numpy.asarray([1.0, 1.0, 0.0, 0.0]))
        self.cfg["combination"] = [round(float(weight), 6) for weight in weights]
        threshold, after = best_threshold(*counted(), n_gold=n_gold, beta=beta)
        self.cfg["threshold"] = round(threshold, 6)
        return before, after

    def store(self, doc: Doc, prediction: List[Record]) -> None:
        """Store the facts."""
        set_facts(doc, prediction)

    def _records(self, doc: Doc, entities: Sequence[DocEntity], candidates: Sequence[Candidate]) -> List[Record]:
        """Make records of the facts of a Doc; of sentences that mention both entities, one supports the fact if there
        are any, else the one that the classifier read most."""
        bounds = sentence_bounds(doc)
        starts = [start for start, _ in bounds]

        @cache
        def sentences_of(number: int) -> Set[int]:
            return {bisect_right(starts, mention.span.start) - 1 for mention in entities[number].mentions}

        records = []
        for candidate, score in zip(candidates, self._combine(candidates).tolist()):
            if score >= self.cfg["threshold"]:
                subject, relation, obj = candidate.key
                read, both = bisect_right(starts, candidate.token) - 1, sentences_of(subject) & sentences_of(obj)
                sentence = doc[slice(*bounds[read if read in both or not both else min(both)])]
                ends = entities[subject], relation, entities[obj]
                records.append(fact_record(*ends, score=score, source=self.name, sentence=sentence))
        return records

    def _combine(self, candidates: Sequence[Candidate]) -> Floats:
        """Compute the probabilities of possible facts. Shape (F,)"""
        if not candidates:
            return numpy.zeros(0)
        inputs = combination_inputs(candidates)
        if self.cfg["combination"] is None:
            triple = numpy.asarray([candidate.triple or 0.0 for candidate in candidates])
            return numpy.maximum(sigmoid(inputs[:, 0]), triple)
        return numpy.asarray(sigmoid(inputs @ numpy.asarray(self.cfg["combination"])))

    def _judge(
        self, instances: DocumentInstances, found: Sequence[Sequence[Candidate]], references: Sequence[Doc]
    ) -> Tuple[List[Candidate], List[Optional[Tuple[int, FactKey]]], int]:
        """Choose the possible facts that the annotation covers, look up the annotated fact that each one is, if any,
        and count the annotated ones."""
        candidates: List[Candidate] = []
        matched: List[Optional[Tuple[int, FactKey]]] = []
        n_gold = 0
        for at, (entities, of_doc, reference) in enumerate(zip(instances.entities, found, references)):
            _, stated, places = stated_facts(reference)
            n_gold += len(stated)
            of = {own: number for number, same in match_entities(entities, places).items() for own in same}
            judged = get_judged(reference)
            for candidate in of_doc:
                subject, relation, obj = candidate.key
                key = of.get(subject, -1), relation, of.get(obj, -1)
                if key in stated or judged is None or relation in judged:
                    candidates.append(candidate)
                    matched.append((at, key) if key in stated else None)
        return candidates, matched, n_gold

    def _read_gold(self, instances: DocumentInstances, references: Sequence[Doc]) -> DocumentGold:
        """Read which facts hold between the entities of predicted Docs."""
        numbers = {label: number for number, label in enumerate(self.labels)}
        facts = numpy.zeros((len(instances), len(self.labels)), dtype="float32")
        judged = numpy.ones(facts.shape, dtype=bool)
        by_doc: List[Dict[Tuple[int, int], List[int]]] = []
        covered = []
        for entities, reference in zip(instances.entities, references):
            _, stated, places = stated_facts(reference)
            of = match_entities(entities, places)
            known: Dict[Tuple[int, int], List[int]] = {}
            for subject, relation, obj in stated:
                if relation in numbers:
                    for one in of.get(subject, ()):
                        for other in of.get(obj, ()):
                            known.setdefault((one, other), []).append(numbers[relation])
            by_doc.append(known)
            labels = get_judged(reference)
            covered.append(None if labels is None else numpy.asarray([label in labels for label in self.labels]))
        row = 0
        for segment in instances.segments:
            cover = covered[segment.doc]
            for one, other in segment.pairs:
                held = by_doc[segment.doc].get((segment.entities[one][0], segment.entities[other][0]), [])
                facts[row, held] = 1.0
                if cover is not None:
                    judged[row] = cover
                    judged[row, held] = True
                row += 1
        return DocumentGold(facts, judged)


def _join(read: Dict[FactKey, Tuple[float, int]], stated: Dict[FactKey, List[Triple]]) -> List[Candidate]:
    """List the facts of a document that the classifier has read, with logit and token, or that triples state."""
    found = []
    for key in {**dict.fromkeys(read), **dict.fromkeys(stated)}:
        triples = stated.get(key, [])
        score = max((triple.score for triple in triples), default=None)
        z, token = read.get(key, (ABSENT, triples[0].subject.start if triples else 0))
        found.append(Candidate(key, z, score, token))
    return found


def match_entities(entities: Sequence[DocEntity], places: Dict[CharSpan, int]) -> Dict[int, List[int]]:
    """Map annotated entities to those of a prediction that have most of their mentions in common with them.

    places (Dict[CharSpan, int]): Annotated entity of each mention.
    """
    matched: Dict[int, List[int]] = {}
    for number, entity in enumerate(entities):
        counts = Counter(places[mention.place] for mention in entity.mentions if mention.place in places)
        if counts:
            matched.setdefault(counts.most_common(1)[0][0], []).append(number)
    return matched


def best_of_each(scores: Floats, stated: Sequence[Optional[Tuple[int, FactKey]]]) -> NDArray[numpy.bool_]:
    """Mark the possible facts that count: all wrong ones, and the best one of those that are one annotated fact, as
    where a prediction has two entities for one. Shape (F,)"""
    is_first = numpy.ones(len(scores), dtype=bool)
    seen: Set[Tuple[int, FactKey]] = set()
    for at in numpy.argsort(-scores, kind="stable").tolist():
        key = stated[at]
        if key is not None:
            is_first[at] = key not in seen
            seen.add(key)
    return is_first


def combination_inputs(candidates: Sequence[Candidate]) -> Floats:
    """Lay the parts of the combined score out as columns, see `Combination`. Shape (F, 4)"""
    z = numpy.clip([candidate.logit for candidate in candidates], -FARTHEST, FARTHEST)
    stated = numpy.asarray([candidate.triple is not None for candidate in candidates], dtype=float)
    scores = numpy.asarray([0.5 if candidate.triple is None else candidate.triple for candidate in candidates])
    triple = numpy.clip(logit(numpy.clip(scores, 1e-6, 1 - 1e-6)), -FARTHEST, FARTHEST)
    return numpy.stack([z, triple * stated, stated, numpy.ones(len(z))], axis=1)


CONFIG = f"""
[component]
types = "{LEARNED}"
threshold = 0.5
length = 400

[component.loss]
@misc = "spacy_relext.DocumentsLoss.v1"

[component.model]
@architectures = "spacy_relext.DocumentPairs.v1"

[component.model.encoder]
{TOK2VEC}
[component.scorer]
@scorers = "spacy_relext.fact_scorer.v1"
"""


@Language.factory(
    "relext_documents",
    requires=["token.is_sent_start", "doc.ents"],
    assigns=["doc._.facts"],
    default_config=Config().from_str(CONFIG)["component"],
    default_score_weights=FACT_WEIGHTS,
)
def make_relext_documents(
    nlp: Language,
    name: str,
    model: Model,
    loss: DocumentsLoss,
    types: Any,
    threshold: float,
    length: int,
    scorer: Optional[Scorer],
) -> RelextDocuments:
    """Create a classifier of the pairs of entities of a document.

    loss (DocumentsLoss): Kind of the loss.
    types (TypeSetting): Entity types between which each relation may hold: "learned", or rows.
    threshold (float): Lowest probability of a fact; `spacy relext tune` fits it.
    length (int): Maximum number of tokens that are read at a time; longer texts are read in segments that overlap.
    """
    return RelextDocuments(nlp.vocab, model, name, scorer=scorer, settings=plain_settings(locals()))
