"""Facts of documents are dropped whole."""

import spacy

from benchmarks.missing_facts import drop_facts
from spacy_relext.annotations.doc_entities import get_facts
from spacy_relext.annotations.store import set_triples


def test_a_fact_goes_with_all_of_its_triples() -> None:
    nlp = spacy.blank("en")
    docs = []
    for _ in range(50):
        doc = nlp("Ada led Skog. Ada sold Skog.")
        set_triples(doc, [((0, 3), "led", (8, 12)), ((14, 17), "led", (23, 27)), ((14, 17), "sold", (23, 27))])
        docs.append(doc)
    assert {fact.relation: len(fact.triples) for fact in get_facts(docs[0])} == {"led": 2, "sold": 1}
    thinned = list(drop_facts(docs, 0.5, seed=0))
    kept = [sorted(triple.relation for triple in doc._.triples) for doc in thinned]
    assert {tuple(each) for each in kept} == {(), ("sold",), ("led", "led"), ("led", "led", "sold")}
    assert 30 < sum(len(set(each)) for each in kept) < 70
