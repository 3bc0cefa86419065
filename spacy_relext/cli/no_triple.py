"""Why a pipeline states no triple in a text, in one line with what to do: what `spacy relext explain` says then."""

from typing import Any, List, Tuple

from spacy.language import Language
from spacy.tokens import Doc

from ..annotations.entities import doc_entities
from ..annotations.sentences import sentence_bounds
from ..annotations.store import get_relations
from ..nero.grounding import NONE
from ..nero.rulebook import RulePipe
from ..pairs.component import PairPipe
from ..pairs.diagnosis import why_left_out
from ..pairs.pairs import Pairs
from ..pairs.suggesters import AnnotatedPairs
from ..rere.extractor import RereExtractor

TRIPLES, ENTITIES = "doc._.triples", "doc.ents"

# Entities that are named.
_SHOWN = 4


def why_no_triple(nlp: Language, doc: Doc) -> str:
    """Say why a Doc has no triple.

    nlp (Language): A trained pipeline.
    doc (Doc): What it made of a text.
    RETURNS (str): A clause; where several components state relations, one for each.
    """
    stating = [name for name in nlp.pipe_names if assigns(nlp, name, TRIPLES)]
    if not stating:
        found = ", ".join(nlp.pipe_names) or "nothing"
        return (
            f"no component of the pipeline ({found}) says that it states relations; give one that was trained with "
            "nero_grounder, kd_classifier or rere_extractor"
        )
    if not len(doc):
        return "the text is empty"
    reasons = [_reason(nlp, name, doc) for name in stating]
    if len(reasons) == 1:
        return reasons[0]
    return "; ".join(f"{name}: {reason}" for name, reason in zip(stating, reasons))


def assigns(nlp: Language, name: str, attribute: str) -> bool:
    """Say whether a component sets an attribute.

    nlp (Language): The pipeline.
    name (str): The component.
    attribute (str): Such as "doc.ents".
    RETURNS (bool): Whether its factory says so.
    """
    return attribute in nlp.get_pipe_meta(name).assigns


def _reason(nlp: Language, name: str, doc: Doc) -> str:
    """Say why one component states nothing."""
    pipe: Any = nlp.get_pipe(name)
    if isinstance(pipe, RereExtractor):
        return _unasked(nlp, pipe, doc)
    if not isinstance(pipe, PairPipe):
        return f"{name} states none"
    pairs = pipe.suggest([doc])
    return _below(pipe, pairs, doc) if len(pairs) else _no_pair(nlp, pipe, doc)


def _no_pair(nlp: Language, pipe: PairPipe, doc: Doc) -> str:
    """Say why a text has no pair."""
    if isinstance(pipe.suggester, AnnotatedPairs):
        return (
            f"{pipe.name} reads only pairs that a data set marks (spacy_relext.AnnotatedPairs.v1), and this text has "
            'none; give records with "pairs" as --file FILE.jsonl'
        )
    entities = doc_entities(doc)
    finders = [name for name in nlp.pipe_names if assigns(nlp, name, ENTITIES)]
    if entities:
        named = [f"{doc[start:end].text} {kind}".strip() for (start, end), kind in entities[:_SHOWN]]
        more = ", …" if len(entities) > _SHOWN else ""
        return f"of the entities ({', '.join(named)}{more}) none make a pair: {why_left_out([doc], pipe.suggester)}"
    if finders:
        return (
            f"the text has no entities, of which {pipe.name} makes pairs: {', '.join(finders)} found none; train "
            'that on such texts, or give records with "entities" as --file FILE.jsonl, with --gold-ents'
        )
    return (
        f"the text has no entities, of which {pipe.name} makes pairs, and no component of the pipeline sets any; put "
        'an `ner` or `entity_ruler` before it, or give records with "entities" as --file FILE.jsonl'
    )


def _below(pipe: PairPipe, pairs: Pairs, doc: Doc) -> str:
    """Say which pair came nearest."""
    found = pipe.closest(pairs)
    if found["score"] > 0.0:
        return (
            f"no score reaches its threshold; nearest is {found['subject'].text} → {found['relation']} → "
            f"{found['object'].text} with {found['score']:.3f}, {pipe.name} asks for {found['threshold']:.3f} "
            f"(`spacy relext tune` fits that, or --components.{pipe.name}.threshold in training)"
        )
    fired = _fired(pipe, pairs)
    if fired:
        return fired
    kinds = sorted({" → ".join(kind or "no type" for kind in types) for types in pairs.types})
    return (
        f"between entities of these types {pipe.name} knows no relation ({', '.join(kinds[:_SHOWN])}"
        f"{', …' if len(kinds) > _SHOWN else ''}); they, or the types of its rules or training data, may be wrong"
    )


def _fired(pipe: PairPipe, pairs: Pairs) -> str:
    """Say which rule says that there is no relation; "" where none does."""
    if not isinstance(pipe, RulePipe):
        return ""
    for number, which in enumerate(pipe.votes(pairs).rule.tolist()):
        if which != NONE:
            rule, (subject, obj) = pipe.rules[which], pairs.spans(number)
            return (
                f'rule {rule.id} "{rule.pattern}" says that {subject.text} and {obj.text} have no relation; where that '
                "is wrong, correct the rule and train anew"
            )
    return ""


def _unasked(nlp: Language, pipe: RereExtractor, doc: Doc) -> str:
    """Say which relation a detector found likeliest, and whether that was asked for."""
    detectors = [name for name, other in nlp.pipeline if getattr(other, "writes", "") == "relations"]
    if not detectors:
        return f"no two stretches of the text reach the threshold of {pipe.name}, as subject and object, for a relation"
    found: List[Tuple[float, str]] = []
    for start, end in sentence_bounds(doc):
        found += [(probability, label) for label, probability in get_relations(doc[start:end]).items()]
    ask = pipe.cfg["ask_threshold"]
    if not found:
        return f"{', '.join(detectors)} finds no relation likely enough to be stored (min_probability)"
    probability, label = max(found)
    if probability < ask:
        return (
            f"{', '.join(detectors)} finds no relation likely enough; the likeliest is {label} with {probability:.3f}, "
            f"{pipe.name} reads on from {ask:.3f} (ask_threshold)"
        )
    threshold = pipe.cfg["thresholds"].get(label, pipe.cfg["threshold"])
    return (
        f"the likeliest relation is {label} with {probability:.3f}, but no subject and object of it reach the "
        f"threshold of {pipe.name}, {threshold:.3f} (`spacy relext tune` fits that)"
    )
