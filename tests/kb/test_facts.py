"""Knowledge bases as arrays, and the files that they come from."""

import codecs
import gzip
import re
from itertools import product
from pathlib import Path
from typing import Any, List

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_relext.kb.facts import FactIndex, Names, TripleStore, read_store
from spacy_relext.kb.files import FactReader

FACTS = ["Q2\tmayor_of\tQ9", "Q1\tborn_in\tQ9", "Q1\tborn_in\tQ9", "Q9\tpart_of\tQ9"]
RDF = """
<http://e/Q1> <http://e/born_in> <http://e/Q9> .
<http://e/Q1> <http://www.w3.org/2000/01/rdf-schema#label> "Una Brekk"@en .
<http://e/Q1> <http://www.w3.org/2000/01/rdf-schema#label> "Una Brekk (de)"@de .
<http://e/Q1> <http://www.w3.org/2004/02/skos/core#altLabel> "U. Brekk" .
<http://e/Q1> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://e/Person> .
<http://e/Q1> <http://e/height> "1.7" .
_:b <http://e/knows> <http://e/Q1> .
"""


def write(path: Path, lines: List[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf8")
    return path


def test_tables(tmp_path: Path) -> None:
    store = read_store([write(tmp_path / "a.tsv", FACTS)])
    assert store.entities == ["Q1", "Q2", "Q9"] and store.relations == ["born_in", "mayor_of", "part_of"]
    assert list(store.facts()) == [("Q1", "born_in", "Q9"), ("Q2", "mayor_of", "Q9"), ("Q9", "part_of", "Q9")]
    assert store.report == {"facts": 3, "repeated": 1, "self_loops": 1, "ids_with_several_labels": 0}
    assert "Q2" in store and "Q3" not in store and len(store) == 3
    between = FactIndex(store).relations_between
    assert between("Q1", "Q9") == ["born_in"] and between("Q9", "Q1") == [] and between("Q1", "?") == []
    shuffled = read_store([write(tmp_path / "b.tsv", ["head\trelation\ttail", "# a remark", "", *FACTS[::-1]])])
    assert shuffled.triples.tolist() == store.triples.tolist() and shuffled.entities == store.entities
    written = tmp_path / "c" / "d.tsv"
    store.write(written)
    assert list(read_store([written]).facts()) == list(store.facts())
    quoted = write(tmp_path / "e.csv", ['"Q2","mayor_of","Q,9"'])
    assert list(read_store([quoted]).facts()) == [("Q2", "mayor_of", "Q,9")]
    with gzip.open(tmp_path / "f.tsv.gz", "wt") as stream:
        stream.write("\n".join(FACTS))
    assert list(read_store([tmp_path / "f.tsv.gz"]).facts()) == list(store.facts())


@given(st.sets(st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 4)), min_size=1))
def test_relations_of_a_pair(facts: Any) -> None:
    ids, relations = [f"Q{n}" for n in range(5)], [f"r{n}" for n in range(4)]
    store = TripleStore(ids, relations, numpy.asarray(sorted(facts), dtype=numpy.int32))
    between = FactIndex(store).relations_between
    for one, two in product(range(5), repeat=2):
        assert between(ids[one], ids[two]) == [f"r{r}" for r in range(4) if (one, r, two) in facts]


def test_columns_in_another_order(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", ["Q1\tQ9\tborn_in"])
    order = ("subject", "object", "relation")
    assert list(read_store([path], reader=FactReader(columns=order)).facts()) == [("Q1", "born_in", "Q9")]
    named = write(tmp_path / "b.tsv", ["head\ttail\trelation", "Q1\tQ9\tborn_in"])
    with pytest.raises(ValueError, match=r"R723.*--columns subject,object,relation"):
        read_store([named])
    assert len(read_store([named], reader=FactReader(columns=order))) == 1
    with pytest.raises(ValueError, match="R007.*columns.*head,tail"):
        FactReader(columns=("head", "tail"))


def test_names(tmp_path: Path) -> None:
    facts = write(tmp_path / "facts.tsv", FACTS)
    lines = ["id\tlabel\ttype\taliases", "Q1\tUna Brekk\tPERSON\tBrekk| U. Brekk", "Q7\tNobody", "Q1\tAna Brekk\t\t"]
    store = read_store([facts, write(tmp_path / "entities.tsv", lines)])
    assert store.names["Q1"] == Names("Ana Brekk", ("Brekk", "U. Brekk", "Una Brekk"), ("PERSON",))
    assert store.names["Q7"] == Names("Nobody") and "Q7" not in store
    assert store.report["ids_with_several_labels"] == 1
    with pytest.raises(ValueError, match=r"entities.tsv:1: found id, colour; expected id and some of label"):
        read_store([facts, write(tmp_path / "entities.tsv", ["id\tcolour"])])
    with pytest.raises(ValueError, match=r"entities.tsv:2: found 3 values; expected id, label"):
        read_store([facts, write(tmp_path / "entities.tsv", ["id\tlabel", "a\tb\tc"])])


def test_ids_may_begin_as_remarks_do(tmp_path: Path) -> None:
    lines = ["# a remark", "#head\trelation\ttail", "#1\tr\t#2", "# another\tone", "Q1\tr\t#1"]
    names = ["# of people", "#id\tlabel\ttype", "#1\tOne\t", "# 2\tno", "#2\tTwo\tPERSON"]
    store = read_store([write(tmp_path / "a.tsv", lines), write(tmp_path / "names.tsv", names)])
    assert list(store.facts()) == [("#1", "r", "#2"), ("Q1", "r", "#1")]
    assert store.names == {"#1": Names("One"), "#2": Names("Two", (), ("PERSON",))}
    assert store.report["remarks"] == 4
    store.write(tmp_path / "b.tsv")
    again = read_store([tmp_path / "b.tsv"])
    assert list(again.facts()) == list(store.facts()) and "remarks" not in again.report
    swapped = write(tmp_path / "c.tsv", ["#head\ttail\trelation", "Q1\tQ9\tr"])
    with pytest.raises(ValueError, match=r"R723.*--columns subject,object,relation"):
        read_store([swapped])


def test_a_quote_that_stays_open(tmp_path: Path) -> None:
    for lines in (["a,r,b", 'a,r,"b', "c,r,d"], ["a,r,b", 'a,r,"b\tc"', "c,r,d"]):
        with pytest.raises(ValueError, match=r"R722.*a.csv:2: found a tab or a line break between quotes"):
            read_store([write(tmp_path / "a.csv", lines)])


@pytest.mark.parametrize("packed", [False, True])
def test_a_byte_order_mark_is_no_part_of_a_table(packed: bool, tmp_path: Path) -> None:
    def mark(name: str, lines: List[str]) -> Path:
        path = tmp_path / (f"{name}.gz" if packed else name)
        with gzip.open(path, "wb") if packed else path.open("wb") as stream:
            stream.write(codecs.BOM_UTF8 + "\r\n".join([*lines, ""]).encode("utf8"))
        return path

    table = mark("facts.csv", ["subject,relation,object", *(line.replace("\t", ",") for line in FACTS)])
    names = mark("names.csv", ["id,label", "Q1,Una Brækk"])
    store = read_store([table, names])
    assert list(store.facts()) == list(read_store([mark("plain.tsv", FACTS)]).facts())
    assert store.entities == ["Q1", "Q2", "Q9"] and store.names == {"Q1": Names("Una Brækk")}


@pytest.mark.parametrize("suffix", [".nt", ".ttl"])
def test_rdf(suffix: str, tmp_path: Path) -> None:
    pytest.importorskip("rdflib")
    path = tmp_path / f"kb{suffix}"
    path.write_text(RDF, encoding="utf8")
    store = read_store([path], reader=FactReader(prefixes=["http://e/"]))
    assert list(store.facts()) == [("Q1", "born_in", "Q9")]
    assert store.names == {"Q1": Names("Una Brekk", ("U. Brekk",), ("Person",))}
    left_out = {"blank nodes": 1, "names in other languages": 1, "facts about literals": 1}
    assert left_out.items() <= store.report.items()
    path.write_text("<http://e/Q1> <http://e/r> <http://e/Q2> .\n<http://e/Q1> what .\n", encoding="utf8")
    with pytest.raises(ValueError, match=rf"R724.*kb\{suffix}:2: "):
        read_store([path])


@pytest.mark.parametrize(
    ("name", "lines", "problem"),
    [
        ("a.tsv", ["Q1\tr\tQ2", "Q1\tr"], r"R722.*a.tsv:2: found 2 values; expected three: subject, relation, object"),
        ("a.tsv", ["Q1\t\tQ2"], r"a.tsv:1: found an empty value"),
        ("a.tsv", ["# nothing"], r"R725.*a.tsv: no facts"),
        ("a.xml", ["<a/>"], r"R720.*a.xml.*\.tsv, \.txt, \.csv, \.nt, \.ttl"),
    ],
)
def test_bad_files(name: str, lines: List[str], problem: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=problem):
        read_store([write(tmp_path / name, lines)])
    with pytest.raises(FileNotFoundError, match=r"R721.*b\.tsv: not found"):
        read_store([tmp_path / "b.tsv"])


LINES = b"".join(b"Q%d\tr\tQ0\n" % number for number in range(1, 20_001))
PACKED = gzip.compress(LINES, mtime=0)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.tsv", b"Q1\tr\tQ2\nQ1\t\xff\tQ2\n", r"2: not UTF-8 text \(byte 4 of the line: invalid start byte\)"),
        ("a.tsv", LINES + b"Q1\tr\t\xc3", r"20001: not UTF-8 text \(byte 6 of the line: unexpected end of data\)"),
        ("a.tsv.gz", gzip.compress(LINES + b"\xff\n", mtime=0), r"20001: not UTF-8 text \(byte 1 of the line"),
        ("a.nt", b"# a remark\n<http://e/\xff> .\n", r"2: not UTF-8 text \(byte 11 of the line"),
        ("a.ttl", b"# a remark\n<http://e/\xff> .\n", r"2: not UTF-8 text \(byte 11 of the line"),
        ("a.tsv.gz", b"Q1\tr\tQ2\n", "1: broken gzip: Not a gzipped file"),
        ("a.tsv.gz", PACKED[:10] + b"\xff" * 99, "1: broken gzip: Error -3 while decompressing"),
        ("a.tsv.gz", PACKED[:-8] + bytes(8), "20001: broken gzip: CRC check failed"),
        ("a.tsv.gz", gzip.compress(b"Q1\tr\tQ2\n" * 3, mtime=0)[:-8], "4: broken gzip: Compressed file ended before"),
        ("a.csv", b"Q1,r,Q2\nQ1,r," + b"Q" * 200_000, "2: field larger than field limit"),
    ],
)
def test_files_that_are_not_what_they_seem(name: str, content: bytes, problem: str, tmp_path: Path) -> None:
    if name.endswith((".nt", ".ttl")):
        pytest.importorskip("rdflib")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"R724.*{name}:{problem}"):
        read_store([tmp_path / name])


def test_a_gzip_that_is_cut_off_says_about_where(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv.gz"
    path.write_bytes(PACKED[: len(PACKED) // 2])
    with pytest.raises(ValueError, match=r"R724.*broken gzip: Compressed file ended") as found:
        read_store([path])
    assert 5_000 < int(str(found.value).split("gz:")[1].split(":")[0]) < 15_000


ids = st.sampled_from("abcdef")
facts_of = st.lists(st.tuples(ids, st.sampled_from("rs"), ids), min_size=1, max_size=30)


words = st.text(st.characters(exclude_categories=("Cc", "Cs")) | st.just("#"), min_size=1).map(str.strip).filter(bool)


@given(st.lists(st.tuples(words, words, words), min_size=1, max_size=5))
def test_what_is_written_is_read_again(tmp_path_factory: Any, facts: List[Any]) -> None:
    entities, relations = sorted({each for a, _, b in facts for each in (a, b)}), sorted({name for _, name, _ in facts})
    rows = sorted({(entities.index(a), relations.index(name), entities.index(b)) for a, name, b in facts})
    store = TripleStore(entities, relations, numpy.asarray(rows, dtype="int32"))
    path = tmp_path_factory.mktemp("kb") / "a.tsv"
    store.write(path)
    again = read_store([path])
    assert again.digest() == store.digest()


@given(facts_of, st.lists(st.tuples(ids, ids), max_size=5))
def test_left_out_pairs_have_no_fact(tmp_path_factory: Any, facts: List[Any], pairs: List[Any]) -> None:
    path = write(tmp_path_factory.mktemp("kb") / "a.tsv", ["\t".join(fact) for fact in facts])
    store = read_store([path])
    kept, hit = store.without_pairs(pairs)
    unordered = {frozenset(pair) for pair in pairs}
    assert list(kept.facts()) == [f for f in store.facts() if frozenset((f[0], f[2])) not in unordered]
    assert {frozenset(pair) for pair in hit} == {frozenset((f[0], f[2])) for f in facts} & unordered
    assert kept.entities == store.entities and kept.relations == store.relations


def test_many_entities_are_sorted_without_one_number_a_fact() -> None:
    from spacy_relext.kb.facts import distinct_facts

    triples = numpy.random.default_rng(0).integers(0, 4, (200, 3)).astype("int32")
    expected = sorted(set(map(tuple, triples.tolist())))
    for entities, relations in ((4, 4), (2**31, 2**8)):
        assert list(map(tuple, distinct_facts(triples, entities, relations).tolist())) == expected


def test_a_store_is_made_of_arrays() -> None:
    store = TripleStore(["a", "b"], ["r"], numpy.asarray([[0, 0, 1]], dtype="int32"))
    assert store.number_of("b") == 1 and store.relation_number("r") == 0 and store.relation_number("s") == -1


def test_digests_tell_stores_apart() -> None:
    def made(entities: List[str], relations: List[str], facts: List[List[int]]) -> str:
        return TripleStore(entities, relations, numpy.asarray(facts, dtype="int32")).digest()

    same = made(["a", "bc"], ["r"], [[0, 0, 1]])
    assert same == made(["a", "bc"], ["r"], [[0, 0, 1]])
    others = [(["ab", "c"], ["r"]), (["a", "bc"], ["s"]), (["a"], ["bc", "r"]), (["a", "bc", "r"], [])]
    found = {made(*names, [[0, 0, 1]]) for names in others} | {made(["a", "bc"], ["r"], [[1, 0, 0]])}
    assert len(found) == 5 and same not in found


def test_a_store_becomes_bytes_and_back(tmp_path: Path) -> None:
    names = write(tmp_path / "names.tsv", ["id\tlabel\ttype\taliases", "Q1\tUna Brekk\tPERSON\tBrekk|U. Brekk"])
    store = read_store([write(tmp_path / "a.tsv", FACTS), names])
    copy = TripleStore.from_bytes(store.to_bytes())
    assert list(copy.facts()) == list(store.facts()) and copy.names == store.names and copy.digest() == store.digest()


def test_names_alone_are_a_store_if_no_facts_are_needed(tmp_path: Path) -> None:
    names = write(tmp_path / "names.tsv", ["id\tlabel", "Q1\tUna Brekk"])
    with pytest.raises(ValueError, match="R725"):
        read_store([names])
    store = read_store([names], needs_facts=False)
    assert not len(store) and store.triples.shape == (0, 3) and store.names["Q1"].label == "Una Brekk"
    assert list(TripleStore.from_bytes(store.to_bytes()).facts()) == []
    assert FactIndex(store).count_facts("Q1") == FactIndex(store).facts_with("Q1", {"Q2"}) == 0


def test_counts_of_facts(tmp_path: Path) -> None:
    kb = FactIndex(read_store([write(tmp_path / "a.tsv", [*FACTS, "Q9\thome_of\tQ1"])]))
    assert [kb.count_facts(each) for each in ("Q1", "Q2", "Q9", "?")] == [2, 1, 5, 0]
    assert kb.facts_with("Q1", {"Q1", "Q2", "Q9"}) == 2 and kb.facts_with("Q9", {"Q9"}) == 0


IRI = "<http://e/a> <http://e/r> <http://e/b{}> .\n"


@pytest.mark.parametrize("suffix", [".nt", ".ttl"])
@pytest.mark.parametrize(
    "content",
    [
        '<http://e/a> <http://e/r> "cut off',
        "@",
        '<http://e/a> <http://e/r> "\\U00110000" .',
        IRI.format("\\U00110000"),
        IRI.format("\\ud800"),
        IRI.format("\\u000A"),
        IRI.format("\\u0009"),
        IRI.format("\\u0000c"),
        '<http://e/a> <http://www.w3.org/2000/01/rdf-schema#label> "\\ud800" .',
        f"<http://e/a> <http://e/r> {'[' * 2_000}",
        f"<http://e/a> <http://e/r> {'(' * 2_000} {')' * 2_000} .",
    ],
)
def test_broken_rdf_is_one_line(suffix: str, content: str, tmp_path: Path) -> None:
    """No traceback, and nothing that a file cannot hold, or that would be another fact in it."""
    pytest.importorskip("rdflib")
    path = tmp_path / f"a{suffix}"
    path.write_text(IRI.format("") + content, encoding="utf8")
    with pytest.raises(ValueError, match=rf"^\[R72[24]\] {re.escape(str(path))}") as found:
        read_store([path])
    assert "\n" not in str(found.value) and len(str(found.value)) < 500


def test_names_may_have_line_breaks(tmp_path: Path) -> None:
    pytest.importorskip("rdflib")
    label = '<http://e/a> <http://www.w3.org/2000/01/rdf-schema#label> "two\\nlines" .\n'
    (tmp_path / "a.nt").write_text(IRI.format("") + label, encoding="utf8")
    assert read_store([tmp_path / "a.nt"]).names["http://e/a"].label == "two\nlines"
