"""Corpora of the benchmark of KD4NRE, from tiny files."""

import pathlib

import pytest
from spacy.tokens import DocBin

from benchmarks.harness.corpora import PairMaker
from benchmarks.harness.pairs import read_pairs
from spacy_relext import get_records
from spacy_relext.annotations.entities import PAIRS_KEY
from spacy_relext.annotations.store import SOFT_LABELS_KEY
from tests.benchmarks.pair_files import docs_of, make_maker, texts, write_files

# Corpora are built and small models trained: minutes, which the fast tests do not have.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return write_files(tmp_path_factory.mktemp("kd"))


def test_semeval_is_tuned_on_shuffled_training_sentences(folder: pathlib.Path) -> None:
    data = make_maker(folder).semeval()
    train, dev, test = texts(data.train), texts(data.dev), texts(data.tests["test"])
    assert (len(train), len(dev), len(test)) == (36, 4, 12)
    numbers = sorted(int(text.split()[3]) for text in train + dev)
    assert numbers == list(range(1, 41)) and train != sorted(train)
    assert {int(text.split()[3]) for text in test} == set(range(8001, 8013))
    for doc in docs_of(data.train):
        assert len(list(doc.sents)) == 1 and len(doc.user_data[PAIRS_KEY]) == 1


def test_limits_and_shares_cut_and_do_not_mix(folder: pathlib.Path) -> None:
    maker = make_maker(folder)
    full, limited = maker.semeval(), make_maker(folder, limit_train=10, limit_test=3).semeval()
    assert texts(limited.train) == texts(full.train)[:10]
    assert texts(limited.dev) == texts(full.dev)[:3]
    assert texts(limited.tests["test"]) == texts(full.tests["test"])[:3]
    one, ten, half = (maker.share(full, percent, seed=0) for percent in (1, 10, 50))
    assert len(texts(one.train)) == 1 and len(texts(half.train)) == 18
    assert set(texts(one.train)) < set(texts(ten.train)) < set(texts(half.train)) < set(texts(full.train))
    assert maker.share(full, 100, seed=0) == full and half.dev == full.dev
    assert texts(maker.share(full, 50, seed=1).train) != texts(half.train)


def test_types_come_from_where_they_are_asked_for(folder: pathlib.Path) -> None:
    maker = make_maker(folder)
    known = {"town": "location"}
    for row in read_pairs(maker.semeval().train, marked=True).rows:
        place = row.text[slice(*row.object)]
        assert row.types == ("event", known.get(place, ""))
    data = maker.semeval(types="ner")
    parses = {doc.text: doc for doc in docs_of(folder / "runs" / "semeval2010_task8_TRAIN_FILE.TXT-en_ud_glove.spacy")}
    for row in read_pairs(data.train, marked=True).rows:
        parse = parses[row.text]
        expected = [parse.char_span(*span)[-1].ent_type_ for span in (row.subject, row.object)]
        assert list(row.types) == expected
    assert {row.types[0] for row in read_pairs(maker.conll04().train, marked=False).rows} == {"Peop", "Loc"}


@pytest.mark.parametrize("name", ["semeval", "conll04", "scierc"])
def test_parsed_corpora_have_a_tree_for_each_sentence(name: str, folder: pathlib.Path) -> None:
    maker = make_maker(folder)
    plain, parsed = getattr(maker, name)(), getattr(maker, name)(parsed=True)
    for path, other in zip(
        (plain.train, plain.dev, plain.tests["test"]), (parsed.train, parsed.dev, parsed.tests["test"])
    ):
        for doc, tree in zip(docs_of(path), docs_of(other)):
            assert doc.text == tree.text and get_records(doc) == get_records(tree)
            assert [(ent.text, ent.label_) for ent in doc.ents] == [(ent.text, ent.label_) for ent in tree.ents]
            assert not doc.has_annotation("DEP") and all(token.tag_ for token in tree)
            assert sum(token.head == token for token in tree) == 1 and len(list(tree.sents)) == 1


def test_missing_folders_are_named(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match=r"en_ud_glove: not found; --models"):
        PairMaker(folder / "data", tmp_path / "runs", models=tmp_path).conll04(parsed=True)


def test_crowded_sentences_are_the_same_with_one_pair_and_with_eight(folder: pathlib.Path) -> None:
    maker = make_maker(folder)
    one, eight, parsed = maker.crowded(1), maker.crowded(8), maker.crowded(8, parsed=True)
    for single, several, tree in zip(docs_of(one.train), docs_of(eight.train), docs_of(parsed.train)):
        pairs = several.user_data[PAIRS_KEY]
        assert len(pairs) == 8 and single.user_data[PAIRS_KEY] == pairs[:1] and tree.user_data[PAIRS_KEY] == pairs
        marked = {frozenset((tuple(pair["subject"]), tuple(pair["object"]))) for pair in pairs}
        assert {frozenset((r["subject"], r["object"])) for r in get_records(several) or ()} <= marked


def test_folds_are_taken_apart_put_together_and_their_labels_copied(folder: pathlib.Path) -> None:
    maker = make_maker(folder)
    plain, parsed = maker.semeval(), maker.semeval(parsed=True)
    folds = maker.folds(plain.train, 3)
    held = [texts(part) for _, part in folds]
    assert held[1] == texts(plain.train)[1::3]
    assert all(sorted(texts(train) + out) == sorted(texts(plain.train)) for (train, _), out in zip(folds, held))
    parts = []
    for number, (_, part) in enumerate(folds):
        docs = docs_of(part)
        for doc in docs:
            doc.user_data[SOFT_LABELS_KEY] = {"classes": [[f"fold {number}", False]], "pairs": []}
        parts.append(folder / f"part{number}.spacy")
        DocBin(docs=docs, store_user_data=True).to_disk(parts[-1])
    joined = maker.join(parts, folder / "joined.spacy")
    assert texts(joined) == texts(plain.train)
    copied = docs_of(maker.transfer(joined, parsed.train))
    assert [doc.text for doc in copied] == texts(parsed.train)
    assert [doc.user_data[SOFT_LABELS_KEY]["classes"][0][0] for doc in copied[:4]] == [
        f"fold {n}" for n in (0, 1, 2, 0)
    ]
    assert copied[0].has_annotation("DEP")
    with pytest.raises(ValueError, match="differ"):
        maker.transfer(joined, plain.dev)
