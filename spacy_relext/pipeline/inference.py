"""`relext_inference`: adds the facts that follow from others by a schema."""

from typing import List

from spacy.language import Language
from spacy.tokens import Doc

from ..annotations.doc_entities import Fact, FactKey, fact_record, get_facts, set_facts
from ..annotations.inference import RULES, derive_facts
from ..annotations.triple import Record
from ..errors import Errors, check_range
from .schema_pipe import SchemaPipe


class RelextInference(SchemaPipe):
    """Derives facts from those of `doc._.facts`: they have a `rule`, and the facts that they follow from as `sources`.

    A derived fact whose entities have types that its relation does not allow is left out.
    """

    def __init__(self, name: str, *, rules: List[str], threshold: float) -> None:
        for rule in rules:
            if rule not in RULES:
                raise ValueError(Errors.R007.format(key="rules", found=rule, expected=", ".join(RULES)))
        check_range("threshold", threshold, 0.0, 1.0)
        super().__init__(name)
        self.rules, self.threshold = rules, threshold

    def __call__(self, doc: Doc) -> Doc:
        """Add what follows from the facts of a document.

        RAISES (ValueError): If the component is not initialized.
        """
        schema = self.require_schema()
        facts = [fact for fact in get_facts(doc) if not fact.rule]
        entities = list({id(each): each for fact in facts for each in (fact.subject, fact.object)}.values())
        numbers = {id(entity): number for number, entity in enumerate(entities)}
        stated = {(numbers[id(fact.subject)], fact.relation, numbers[id(fact.object)]): fact for fact in facts}

        def allows(key: FactKey) -> bool:
            subject, relation, obj = key
            return schema.type_rules.allows(relation, entities[subject].label or "", entities[obj].label or "")

        scores = {key: fact.score for key, fact in stated.items()}
        derived = derive_facts(scores, schema, allows=allows, rules=self.rules, least=self.threshold)
        if derived:
            records = {key: _record(fact) for key, fact in stated.items()}
            added = [
                fact_record(
                    entities[subject],
                    relation,
                    entities[obj],
                    score=each.score,
                    source=self.name,
                    derived={"rule": each.rule, "sources": [records[key] for key in each.sources]},
                )
                for (subject, relation, obj), each in derived.items()
            ]
            set_facts(doc, [*records.values(), *added])
        return doc


def _record(fact: Fact) -> Record:
    sentence = fact.sentences[0] if fact.sentences else None
    return fact_record(
        fact.subject, fact.relation, fact.object, score=fact.score, source=fact.source, sentence=sentence
    )


@Language.factory(
    "relext_inference",
    requires=["doc._.triples"],
    assigns=["doc._.facts"],
    default_config={"rules": list(RULES), "threshold": 0.5},
)
def make_relext_inference(nlp: Language, name: str, rules: List[str], threshold: float) -> RelextInference:
    """Create a component that derives facts by a schema.

    rules (List[str]): "inverse", "implies" and "transitive", or some of them.
    threshold (float): Lowest score of a derived fact, which is the product of the scores that it follows from.
    """
    return RelextInference(name, rules=rules, threshold=threshold)
