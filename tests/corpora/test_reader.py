import warnings
from pathlib import Path
from typing import Any, Dict, Iterable, List, Tuple

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example

from spacy_relext import get_records, has_triples, set_triples
from spacy_relext.annotations.entities import PAIRS_KEY, doc_entities
from spacy_relext.annotations.store import SOFT_LABELS_KEY, set_rejected
from spacy_relext.corpora.formats.spacy_rel import REL_KEY
from spacy_relext.corpora.reader import TripleCorpus
from spacy_relext.corpora.records import record_to_doc
from spacy_relext.corpora.shards import ShardWriter

NLP, WORDS_NLP = spacy.blank("en"), spacy.blank("en")
WORDS_NLP.tokenizer = spacy.tokenizer.Tokenizer(WORDS_NLP.vocab)  # splits at spaces only


def record(number: int) -> Dict[str, Any]:
    text = f"Ada{number} met Bo. Cy slept."
    first = len(f"Ada{number}")
    return {
        "text": text,
        "entities": [{"start": 0, "end": first, "label": "PER", "kb_id": f"Q{number}"}],
        "triples": [{"subject": [0, first], "relation": "knows", "object": [first + 5, first + 7]}],
        "pairs": [{"subject": [0, first], "object": [first + 5, first + 7], "label": "knows"}],
        "sents": [[0, first + 8], [first + 9, len(text)]],
    }


def write(path: Path, docs: Iterable[Doc], *, shard: int = 0) -> Path:
    with ShardWriter(path, shard=shard) as writer:
        for doc in docs:
            writer.add(doc)
    return path


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write(tmp_path / "corpus.spacy", [record_to_doc(NLP.make_doc, record(n)) for n in range(20)])


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    return write(tmp_path / "shards", [record_to_doc(NLP.make_doc, record(n)) for n in range(20)], shard=6)


def texts(examples: Iterable[Example]) -> List[str]:
    return [example.reference.text for example in examples]


ALL = [record(n)["text"] for n in range(20)]


def test_predicted_is_fresh_and_reference_keeps_everything(corpus: Path) -> None:
    examples = list(TripleCorpus(corpus)(NLP))
    assert texts(examples) == ALL
    for example in examples:
        assert not has_triples(example.predicted) and example.predicted.ents == ()
        assert len(get_records(example.reference) or []) == 1 and len(example.reference.ents) == 1
        assert [sent.text for sent in example.predicted.sents] == [sent.text for sent in example.reference.sents]


def test_predicted_is_tokenized_as_in_running(tmp_path: Path) -> None:
    words = ["Ada", "-", "Lou", "met", "Bo", ".", "Cy", "slept", "."]
    reference = Doc(NLP.vocab, words=words, spaces=[False, False, True, True, False, True, True, False, False])
    for token in reference:
        token.is_sent_start = token.i in (0, 6)
    set_triples(reference, [])
    path = write(tmp_path / "a.spacy", [reference])
    (example,) = TripleCorpus(path)(NLP)
    assert [t.text for t in example.predicted] == [t.text for t in NLP.make_doc(reference.text)]
    assert [sent.text for sent in example.predicted.sents] == ["Ada-Lou met Bo.", "Cy slept."]
    (example,) = TripleCorpus(path)(spacy.blank("zh"))  # a token of each character
    assert len(example.predicted) > len(example.reference)
    assert [sent.text.strip() for sent in example.predicted.sents] == ["Ada-Lou met Bo.", "Cy slept."]


def test_gold_sents_can_be_left_out(corpus: Path) -> None:
    for example in TripleCorpus(corpus, gold_sents=False)(NLP):
        assert not example.predicted.has_annotation("SENT_START")


def test_gold_ents_and_pairs_without_labels(corpus: Path) -> None:
    for example in TripleCorpus(corpus, gold_ents=True)(NLP):
        predicted, reference = example.predicted, example.reference
        assert [(e.text, e.label_, e.kb_id_) for e in predicted.ents] == [
            (e.text, e.label_, e.kb_id_) for e in reference.ents
        ]
        assert predicted.user_data[PAIRS_KEY][0]["label"] is None
        assert tuple(predicted.user_data[PAIRS_KEY][0]["subject"]) == tuple(get_records(reference)[0]["subject"])  # type: ignore[index]
        assert not has_triples(predicted)


def test_gold_ents_aside_leave_ents_to_an_ner(corpus: Path) -> None:
    for example in TripleCorpus(corpus, gold_ents_aside=True)(NLP):
        predicted, reference = example.predicted, example.reference
        assert not predicted.ents and not predicted.has_annotation("ENT_IOB")
        entities = [(kind, doc_text(predicted, bounds)) for bounds, kind in doc_entities(predicted)]
        assert entities and entities == [(ent.label_, ent.text) for ent in reference.ents]
        assert PAIRS_KEY in predicted.user_data


def doc_text(doc: Doc, bounds: Tuple[int, int]) -> str:
    return doc[slice(*bounds)].text


def test_overlapping_entities_after_alignment(tmp_path: Path) -> None:
    reference = Doc(NLP.vocab, words=["Oslo", "-", "based", "choir"], spaces=[False, False, True, False])
    reference.set_ents([spacy.tokens.Span(reference, 0, 1, "PLACE"), spacy.tokens.Span(reference, 2, 4, "GROUP")])
    set_triples(reference, [])
    path = write(tmp_path / "a.spacy", [reference])
    (example,) = TripleCorpus(path, gold_ents=True)(WORDS_NLP)
    assert [ent.text for ent in example.predicted.ents] == ["Oslo-based choir"]


def test_heads_that_run_in_a_circle_are_refused(tmp_path: Path) -> None:
    doc = Doc(NLP.vocab, words=["a", "b", "c"], heads=[1, 0, 2], deps=["x"] * 3)
    set_triples(doc, [])
    path = write(tmp_path / "a.spacy", [doc])
    with pytest.raises(ValueError, match=r"\[R411\].*'a b c ' in .*a\.spacy.*token 0"):
        list(TripleCorpus(path, gold_parse=True)(NLP))


def test_folders_are_read_file_by_file(shards: Path) -> None:
    assert texts(TripleCorpus(shards)(NLP)) == ALL
    assert texts(TripleCorpus(shards, limit=8)(NLP)) == ALL[:8]


@pytest.mark.parametrize("limit", [0, 8])
def test_shuffling(corpus: Path, shards: Path, limit: int) -> None:
    for path in (corpus, shards):
        reader, twin = (TripleCorpus(path, shuffle=True, limit=limit) for _ in range(2))
        first, second = texts(reader(NLP)), texts(reader(NLP))
        assert first != ALL[: limit or None] and first != second
        assert sorted(first) == sorted(second) == sorted(ALL[: limit or None])
        assert texts(twin(NLP)) == first and texts(twin(NLP)) == second
    for example in TripleCorpus(shards, shuffle=True)(NLP):  # each Doc keeps its own annotation
        (triple,) = example.reference._.triples
        assert (
            triple.subject.text == example.reference[0].text and example.reference.ents[0].text == triple.subject.text
        )


def test_empty_docs_are_counted(tmp_path: Path) -> None:
    doc = record_to_doc(NLP.make_doc, {"text": "a b c", "triples": []})
    path = write(tmp_path / "a.spacy", [doc, NLP.make_doc("")])
    with pytest.warns(UserWarning, match="W101.*1 of 2 documents"):
        assert texts(TripleCorpus(path)(NLP)) == ["a b c"]


def test_no_warning_where_refused_triples_or_a_teacher_can_be_learned_from(tmp_path: Path) -> None:
    refused, taught = NLP.make_doc("Ada met Bo."), NLP.make_doc("Ada met Bo.")
    set_rejected(refused, [(refused[0:1], "met", refused[2:3])])
    taught.user_data[SOFT_LABELS_KEY] = {"classes": [["met", False]], "pairs": []}
    for doc in (refused, taught):
        path = write(tmp_path / "a.spacy", [NLP.make_doc("Ada slept."), doc])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert len(texts(TripleCorpus(path)(NLP))) == 2


def test_a_corpus_without_annotation_warns_where_something_needs_triples(tmp_path: Path) -> None:
    path = write(tmp_path / "a.spacy", [NLP.make_doc("Ada slept.")])

    def messages(*factories: str, **settings: Dict[str, bool]) -> List[str]:
        nlp = spacy.blank("en")
        for factory in factories:
            nlp.add_pipe(factory, config=settings if factory == "nero_grounder" else {})
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            list(TripleCorpus(path)(nlp))
        return [str(warning.message)[:6] for warning in caught]

    assert messages("sentencizer", "nero_grounder") == [], "rules are enough"
    assert (
        messages("nero_grounder", learning={"learn_gold": True})
        == messages("nero_grounder", "rere_extractor")
        == ["[W102]"]
    )
    assert messages("sentencizer") == ["[W102]"]
    with pytest.warns(UserWarning, match="W102"):
        list(TripleCorpus(path)(NLP))


def test_relations_of_the_tutorial_are_named(tmp_path: Path) -> None:
    doc = NLP.make_doc("Ada slept.")
    doc.user_data[REL_KEY] = {}
    with pytest.warns(UserWarning) as caught:
        list(TripleCorpus(write(tmp_path / "a.spacy", [doc, NLP.make_doc("Bo woke.")]))(NLP))
    (message,) = (str(each.message) for each in caught)
    assert message.startswith("[W104]") and "1 of 2 documents" in message and "convert spacy-rel" in message


def test_nothing_is_read_before_it_is_asked_for(shards: Path) -> None:
    (shards / "part-00003.spacy").write_bytes(b"broken")
    examples = TripleCorpus(shards)(NLP)
    assert [next(examples).reference.text for _ in range(18)] == ALL[:18]
    with pytest.raises(ValueError, match=r"R112.*part-00003\.spacy"):
        next(examples)


def test_bad_paths_and_settings(tmp_path: Path, corpus: Path) -> None:
    for none in (None, ""):  # not the working directory
        with pytest.raises(ValueError, match="R113"):
            TripleCorpus(none)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="R007"):
        TripleCorpus(corpus, limit=-1)
    for path in (tmp_path / "none.spacy", tmp_path / "empty"):
        with pytest.raises(ValueError, match="R111"):
            next(TripleCorpus(path)(NLP))
    (tmp_path / "a.spacy").write_bytes(b"text")
    with pytest.raises(ValueError, match="R112"):
        next(TripleCorpus(tmp_path / "a.spacy")(NLP))


def parsed(words: List[str], spaces: List[bool], heads: List[int]) -> Doc:
    """A parsed and tagged Doc whose tags and labels are the words'."""
    deps = ["ROOT" if head == at else f"d-{word}" for at, (word, head) in enumerate(zip(words, heads))]
    doc = Doc(NLP.vocab, words=words, spaces=spaces, heads=heads, deps=deps, tags=[f"t-{word}" for word in words])
    set_triples(doc, [])
    return doc


def test_gold_parse_where_tokens_agree(tmp_path: Path) -> None:
    reference = parsed(["Ada", "met", "Bo", ".", "Cy", "slept", "."], [True, True, False, True, True, False, False],
                       [1, 1, 1, 1, 5, 5, 5])  # fmt: skip
    path = write(tmp_path / "a.spacy", [reference])
    (example,) = TripleCorpus(path, gold_parse=True, gold_sents=False)(NLP)
    assert [token.head.i for token in example.predicted] == [1, 1, 1, 1, 5, 5, 5]
    assert [token.dep_ for token in example.predicted] == [token.dep_ for token in reference]
    assert [token.tag_ for token in example.predicted] == [token.tag_ for token in reference]
    assert [sent.text for sent in example.predicted.sents] == ["Ada met Bo.", "Cy slept."]
    (example,) = TripleCorpus(path)(NLP)
    assert not example.predicted.has_annotation("DEP") and not example.predicted.has_annotation("TAG")


def test_gold_parse_where_tokens_differ(tmp_path: Path) -> None:
    reference = parsed(["Ada", "-", "Lou", "met", "Boyd"], [False, False, True, True, False], [2, 2, 3, 3, 3])
    path = write(tmp_path / "a.spacy", [reference])
    (example,) = TripleCorpus(path, gold_parse=True)(WORDS_NLP)
    assert [(t.text, t.head.i, t.dep_, t.tag_) for t in example.predicted] == [
        ("Ada-Lou", 1, "d-Lou", "t-Lou"),
        ("met", 1, "ROOT", "t-met"),
        ("Boyd", 1, "d-Boyd", "t-Boyd"),
    ]
    (example,) = TripleCorpus(path, gold_parse=True)(spacy.blank("zh"))  # a token of each character
    predicted = example.predicted
    assert [t.text for t in predicted][:4] == ["A", "d", "a", "-"] and len(list(predicted.sents)) == 1
    assert [t.head.i for t in predicted[:3]] == [4, 0, 1]
    assert {t.dep_ for t in predicted[1:3]} == {"dep"} and predicted[0].dep_ == "d-Ada"
    roots = [token.text for token in predicted if token.head is token or token.head == token]
    assert roots == ["m"]


def test_gold_parse_takes_what_there_is(corpus: Path, tmp_path: Path) -> None:
    for example in TripleCorpus(corpus, gold_parse=True)(NLP):  # no parse, but sentences
        assert not example.predicted.has_annotation("DEP") and len(list(example.predicted.sents)) == 2
    tagged = Doc(NLP.vocab, words=["Ada", "slept"], tags=["NNP", "VBD"])
    set_triples(tagged, [])
    (example,) = TripleCorpus(write(tmp_path / "a.spacy", [tagged]), gold_parse=True)(NLP)
    assert [token.tag_ for token in example.predicted] == ["NNP", "VBD"]
    assert not example.predicted.has_annotation("DEP")


def test_triples_of_a_pipeline_are_no_gold(tmp_path: Path) -> None:
    found, gold = NLP.make_doc("Ada met Bo."), NLP.make_doc("Ada saw Bo.")
    set_triples(found, [(found[0:1], "met", found[2:3])], source="rere_extractor")
    set_triples(gold, [(gold[0:1], "saw", gold[2:3])])
    with pytest.warns(UserWarning, match="W103.*1 of 1 documents.*pseudo-labels"):
        list(TripleCorpus(write(tmp_path / "a.spacy", [found]))(NLP))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(TripleCorpus(write(tmp_path / "a.spacy", [found, gold]))(NLP))


def test_negatives_are_drawn_anew_and_annotated(corpus: Path) -> None:
    reader = TripleCorpus(corpus, negatives=1.5)
    first, second = (list(reader(NLP)) for _ in range(2))
    assert texts(first)[:20] == ALL and len(first) == len(second) == 50
    drawn = texts(first)[20:]
    assert len(set(drawn)) == 30 and drawn != texts(second)[20:]
    assert all(has_triples(each.reference) and get_records(each.reference) == [] for each in first[20:])
    assert len(list(TripleCorpus(corpus, negatives=1000)(NLP))) == 20 + 1000, "each once"
