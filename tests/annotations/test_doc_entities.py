"""The entities of a document and its facts, and that they survive what triples survive."""

import pickle
from typing import List, Tuple

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from spacy_relext.annotations.store import set_coref, set_triples

TEXT = (
    "Ada Holm, a Norwegian composer, was born in  Skien. She\u00a0taught at Nordlys\u00a0Academy.\n"
    "Holm\nleft the school in 1920. The Academy of Skien was not founded by her. Its head is said to like music."
)


def place(text: str, part: str, at: int = 0) -> Tuple[int, int]:
    start = text.index(part, at)
    return start, start + len(part)


@pytest.fixture
def doc() -> Doc:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    doc = nlp(TEXT)
    names = {
        "Ada Holm": "PERSON",
        "Norwegian": "PLACE",
        "Skien": "PLACE",
        "Nordlys\u00a0Academy": "ORG",
        "1920": "TIME",
        "Academy of Skien": "ORG",
    }
    spans = [doc.char_span(*place(TEXT, name), label=label) for name, label in names.items()]
    doc.set_ents([*filter(None, spans), doc.char_span(*place(TEXT, "Holm", 50), label="PERSON")])
    she, school, her = place(TEXT, "She"), place(TEXT, "the school"), place(TEXT, "her", 100)
    set_coref(doc, [[place(TEXT, "Ada Holm"), she, her], [place(TEXT, "Nordlys\u00a0Academy"), school]])
    denied = {"attributes": {"assertion": "denied"}}
    skien, holm = place(TEXT, "Skien"), place(TEXT, "Holm", 50)
    triples = [
        {"subject": place(TEXT, "Ada Holm"), "relation": "place_of_birth", "object": skien, "score": 0.9},
        {"subject": she, "relation": "employer", "object": place(TEXT, "Nordlys\u00a0Academy"), "score": 0.6},
        {"subject": holm, "relation": "employer", "object": school, "score": 0.8},
        {"subject": place(TEXT, "Academy of Skien"), "relation": "founded_by", "object": her, **denied},
        {"subject": place(TEXT, "Its"), "relation": "headquarters_location", "object": skien, "score": 0.7},
    ]
    set_triples(doc, triples)
    return doc


def facts_of(doc: Doc) -> List[Tuple[str, str, str, float, int, int]]:
    return [
        (each.subject.name, each.relation, each.object.name, each.score, len(each.triples), len(each.sentences))
        for each in doc._.facts
    ]


FACTS = [
    ("Ada Holm", "place_of_birth", "Skien", 0.9, 1, 1),
    ("Ada Holm", "employer", "Nordlys Academy", 0.8, 2, 2),
]


def test_each_fact_once_under_names(doc: Doc) -> None:
    # The denied triple states no fact, and whose head it is is unknown
    assert facts_of(doc) == FACTS


def test_entities_and_their_mentions(doc: Doc) -> None:
    found = {each.name: each for each in doc._.entities}
    assert list(found) == ["Ada Holm", "Norwegian", "Skien", "Nordlys Academy", "1920", "Academy of Skien", ""]
    ada, school = found["Ada Holm"], found["Nordlys Academy"]
    assert ada.names == ["Ada Holm", "Holm"] and found[""].names == []
    assert (ada.label, ada.kb_id, school.label) == ("PERSON", None, "ORG")
    mentions = [(each.span.text, each.kind) for each in ada.mentions]
    assert mentions == [("Ada Holm", "name"), ("She", "pronoun"), ("Holm", "name"), ("her", "pronoun")]
    assert [each.kind for each in school.mentions] == ["name", "nominal"]
    assert [each.span.text for each in found[""].mentions] == ["Its"], "no name comes from a pronoun"


def test_they_survive_what_triples_survive(doc: Doc) -> None:
    vocab = doc.vocab
    (binned,) = DocBin(docs=[doc], store_user_data=True).get_docs(vocab)
    copies = [Doc(vocab).from_bytes(doc.to_bytes()), pickle.loads(pickle.dumps(doc)), doc.copy(), binned]
    assert [facts_of(copy) for copy in copies] == [FACTS] * 4
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2])
    assert facts_of(doc) == FACTS


def test_links_and_chains_of_other_components() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    doc = nlp("The Hague grew. Den Haag is old. It has a port.")
    hague, den_haag = Span(doc, 0, 2, "GPE", kb_id="Q36600"), Span(doc, 4, 6, "GPE", kb_id="wd:Q36600")
    doc.set_ents([hague, den_haag])
    doc.spans["coref_clusters_1"] = [doc[4:6], doc[9:10]]
    (entity,) = doc._.entities
    assert entity.kb_id == "Q36600" and [each.span.text for each in entity.mentions] == ["The Hague", "Den Haag", "It"]
    assert repr(entity) == f"DocEntity({entity.name!r}, GPE, 3 mentions)"


def test_a_doc_without_anything() -> None:
    nlp = spacy.blank("en")
    for text in ("", " ", "\u00a0\n", "No names here."):
        assert nlp(text)._.entities == [] and nlp(text)._.facts == []
