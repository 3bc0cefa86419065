"""What clusters are called."""

import math
from typing import Dict, List, Sequence

import numpy
import pytest

from spacy_relext.selfore.names import (
    MAX_CHARACTERS,
    Cluster,
    Lexicon,
    Words,
    count_phrases,
    keyness,
    lexicon_of,
    name_clusters,
    rank_phrases,
)
from spacy_relext.selfore.table import Context, PairTable, summarize_clusters

ENGLISH = lexicon_of("en")


def make_cluster(*texts: str, types: str = "PERSON PLACE", sample: str = "Holm … Bergen") -> Cluster:
    """Make a cluster of texts with one pair each; "|" is what no name may cross."""
    words = [tuple("" if word == "|" else word for word in text.split()) for text in texts]
    return Cluster({number: [each] for number, each in enumerate(words)}, types, sample)


def name(*clusters: Cluster, lexicon: Lexicon = ENGLISH, taken: Sequence[str] = ()) -> List[str]:
    return name_clusters(clusters, rank_phrases(clusters, lexicon), lexicon, taken=taken)


def test_the_worked_example() -> None:
    """30 of 40 texts have a phrase, and 10 of 160 in other clusters: a fifth of all, so that 8 and 32 are expected."""
    g2 = 2 * (30 * math.log(30 / 8) + 10 * math.log(10 / 32) + 10 * math.log(10 / 32) + 150 * math.log(150 / 128))
    assert keyness(30, 40, 40, 200) == pytest.approx(math.sqrt(g2)) == pytest.approx(8.9644, abs=1e-3)
    assert keyness(8, 40, 40, 200) == pytest.approx(0.0, abs=1e-6), "as often as in others"
    assert keyness(0, 40, 40, 200) == pytest.approx(-4.4960, abs=1e-3), "rarer"
    assert keyness(5, 5, 5, 5) == 0.0, "there is no other text"


def test_phrases() -> None:
    counts = count_phrases([[("was", "born", "in", "", "old", "the")], [("born", "in"), ("born",)]], ENGLISH)
    assert counts == {("born",): 2, ("born", "in"): 2, ("old",): 1}, "each text counts once; nothing ends in 'the'"
    long = count_phrases([[("a", "gave", "away", "the", "last", "keys", "of")]], lexicon_of(""))
    assert max(map(len, long)) == 4 and ("a", "gave", "away", "the") in long


def test_words_of_the_texts_name_clusters() -> None:
    born = make_cluster(*["was born in"] * 8, *["was born near"] * 2, *["is the mayor of"] * 2)
    capital = make_cluster(*["is the capital of"] * 8, *["the capital"] * 2, types="PLACE PLACE")
    assert name(born, capital) == ["born in", "capital of"]


def test_function_words_are_added_unless_they_cost_texts() -> None:
    other = make_cluster(*["left"] * 20)
    assert name(make_cluster(*["born in the town of"] * 10), other)[0] == "born in"
    assert name(make_cluster(*["wife of"] * 6, *["wife"] * 4), other)[0] == "wife of"
    assert name(make_cluster(*["wife of"] * 5, *["wife"] * 5), other)[0] == "wife"


def test_mixed_clusters_have_several_words() -> None:
    mixed = make_cluster(*["married"] * 6, *["is the widow of"] * 5, *["wife"] * 4, *["met"] * 3)
    other = make_cluster(*["founded"] * 18)
    assert name(mixed, other) == ["married / widow of", "founded"], "until half of the texts have one"
    long = make_cluster(*["commissioned extraordinarily"] * 4, *["reconstructed magnificently"] * 4, *["met"] * 12)
    assert len(name(long, other)[0]) <= MAX_CHARACTERS


def test_words_that_name_another_cluster() -> None:
    """The cluster of which a word is most characteristic has it; another one other words, or its types beside it."""
    first, second = make_cluster(*["born in"] * 30), make_cluster(*["born in"] * 12, *["raised in"] * 4)
    rest = make_cluster(*["left"] * 60)
    assert name(first, second, rest) == ["born in", "raised in", "left"]
    dates = second._replace(types="PERSON DATE")
    assert name(first, dates, rest) == ["born in", "born in (PERSON DATE)", "left"]


def test_a_sample_if_no_word_is_characteristic() -> None:
    vague = make_cluster("once", "", "then", "now", "gladly", "late", sample="Holm … visited … Bergen")
    other = make_cluster(*["founded"] * 6)
    assert name(vague, other) == ["like Holm … visited … Bergen", "founded"]
    other = make_cluster(*["founded"] * 60)
    rare = make_cluster(*["born in"] * 3, *[""] * 28)
    assert name(rare, other)[0] == "like Holm … Bergen", "too few of the cluster's texts have the words"
    assert name(rare._replace(texts=dict(list(rare.texts.items())[:30])), other)[0] == "born in"


def test_names_are_unique_and_a_cluster_without_pairs_has_none() -> None:
    same, empty = make_cluster("", ""), make_cluster(sample="", types="")
    assert name(same, same, empty) == ["like Holm … Bergen", "like Holm … Bergen #1", ""]
    born = make_cluster(*["born in"] * 5)
    assert name(born, same, taken=["born in"])[0] == "born in #0"


def test_names_do_not_depend_on_the_order_of_texts() -> None:
    texts = ["married"] * 4 + ["left"] * 4 + ["met"] * 4 + ["wrote"] * 4 + ["sang"] * 4
    clusters = [make_cluster(*texts), make_cluster(*["founded"] * 20)]
    swapped = [make_cluster(*reversed(texts)), clusters[1]]
    assert name(*clusters) == name(*swapped) == ["left / married / met", "founded"]


def test_other_languages() -> None:
    german = lexicon_of("de")
    names = name(make_cluster(*["wurde geboren in"] * 5), make_cluster(*["starb"] * 5), lexicon=german)
    assert names == ["geboren in", "starb"]
    assert name(make_cluster(*["ba bu"] * 5), make_cluster(*["bo"] * 5), lexicon=lexicon_of("")) == ["ba", "bo"]


def test_the_object_may_come_first() -> None:
    swapped = make_cluster(*["was bought by"] * 5)._replace(object_first=True)
    assert name(swapped, make_cluster(*["left"] * 5))[0] == "bought by (object first)"


def test_phrases_share_no_word() -> None:
    (ranked, _) = rank_phrases(
        [make_cluster(*["native son of"] * 4, *["the native of"] * 4, *["a son of"] * 4), make_cluster(*["left"] * 20)],
        ENGLISH,
    )
    words = [word for phrase in ranked for word in phrase.words if word != "of"]
    assert len(words) == len(set(words)) and all(phrase.keyness >= 2 for phrase in ranked)


# What clusters are summarized by


def make_table(words: Sequence[Words], types: Sequence[str], backwards: Sequence[bool]) -> PairTable:
    contexts = [Context(number // 2, each, f"sample {number}") for number, each in enumerate(words)]
    kinds = [tuple(each.split()) if each else ("", "") for each in types]
    count = len(contexts)
    vectors = numpy.zeros((count, 1), dtype="float16")
    return PairTable([b""] * count, vectors, contexts, kinds, [None] * count, list(backwards))  # type: ignore[arg-type]


def test_summaries() -> None:
    words: List[Words] = [("a",), ("b",), ("c",), ("d",), ("e",), ("f",)]
    table = make_table(words, ["A B", "A B", "B A", "B A", "A B", ""], [False, False, True, False, True, True])
    labels, scores = numpy.array([0, 0, 0, 1, 1, 1]), numpy.array([0.2, 0.9, 0.5, 0.7, 0.1, 0.4])
    first, second, empty = summarize_clusters(table, labels, scores, count=3, least=0.3)
    texts: Dict[int, List[Words]] = {0: [("b",)]}
    assert first == Cluster(texts, "A B", "sample 1", False), "without what scores less, or is swapped"
    assert second == Cluster({2: [("f",)]}, "", "sample 3", True), "no types of half of the pairs"
    assert empty == Cluster({}, "", "", False)
    (all_texts, _) = summarize_clusters(table, labels, scores, count=2, least=0.0)
    assert all_texts.texts == {0: [("a",), ("b",)]}
