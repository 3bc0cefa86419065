"""The sample files in tests/corpora/samples: `convert` finds their triples, and damaged ones give one line each."""

import json
import re
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
import spacy
from spacy.tokens import DocBin, Span

from spacy_relext.corpora.convert import convert
from spacy_relext.corpora.formats.bioc_xml import read_bioc_xml
from spacy_relext.corpora.formats.checks import INCOMPLETE
from spacy_relext.corpora.records import doc_to_record
from spacy_relext.corpora.report import Report
from spacy_relext.corpora.shards import iter_docs
from tests.fuzz.samples import SAMPLES, copy_sample, format_of

from .tool_records import Record

Triple = Tuple[str, str, str]

NLP = spacy.blank("en")

# The triples of each document; None if it is not annotated.
EXPECTED: Dict[str, List[Any]] = {
    "crossre": [[("Ada Holm", "role", "Skald"), ("Fjord prize", "win-defeat", "Ada Holm")], []],
    "fewrel": [[("Jon Holm", "P22", "Holm")], [("Ada Holm", "P937", "Bergen")]],
    "fewrel.hub": [[("Ada Holm", "P937", "Bergen")]],
    "gliner": [[("Ada Holm", "leads", "Havgass"), ("Havgass", "located in", "Skien")]],
    "gliner2": [[("Ada Holm", "leads", "Havgass"), ("Havgass", "located_in", "Skien")]],
    "glirel": [[("Ada Holm", "leads", "Havgass"), ("Havgass", "located in", "Skien")]],
    "rebel": [[("Ada Holm", "date of birth", "8 May 1951"), ("Ada Holm", "place of birth", "Skien")]],
    "rebel.hub": [
        [
            ("Ada Holm", "residence", "Skien"),
            ("Ada Holm", "country of citizenship", "Norwegian"),
            ("Norwegian", "includes", "Ada Holm"),
        ]
    ],
    "semeval2010.hub": [[("stove", "Cause-Effect", "smoke")], []],
    "uie": [[("Ada Holm", "leads", "Havgass")]],
    "bioc": [[("Havol", "activates", "EDD1"), ("Havol", "inhibits", "KALB")], []],
    "bionlp": [[("Havol", "Binds", "KALB"), ("EDD1", "Part_Of", "Skaldin")], None],
    "conll04": [
        [
            ("Ada Holm", "Live_In", "North Bergen"),
            ("Ada Holm", "Work_For", "Lysverk"),
            ("Lysverk", "OrgBased_In", "North Bergen"),
        ],
        [],
    ],
    "drugprot": [[("Havol", "INHIBITOR", "KALB"), ("Skaldin", "ACTIVATOR", "EDD1")], []],
    "pubannotation": [[("Havol", "inhibits", "KALB"), ("Skaldin", "binds", "KALB")]],
    "pubtator": [[("Havol", "inhibits", "KALB"), ("Skaldin", "activates", "EDD1")], []],
    "webanno": [
        [
            ("Ada Holm", "leads_now", "Lys\\verk"),
            ("Lys\\verk", "based_in", "Oslo"),
            ("Ada Holm", "lives_in", "Oslo"),
            ("She", "likes", "Oslo"),
        ]
    ],
    "spacy-rel": [[("Ada Holm", "born_in", "Bergen"), ("Bo Lie", "born_in", "Oslo")], None],
}


def read(name: str, path: Path) -> Tuple[List[Record], Report]:
    output = path.parent / "out.spacy"
    report = convert(format_of(name), [path], output, nlp=NLP)
    return [doc_to_record(doc) for doc in iter_docs(output, NLP.vocab)], report


def in_words(record: Record) -> List[Triple]:
    text = record["text"]
    return [(text[slice(*t["subject"])], t["relation"], text[slice(*t["object"])]) for t in record["triples"]]


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_triples_of_a_sample(name: str, tmp_path: Path) -> None:
    records, report = read(name, copy_sample(name, tmp_path))
    assert [in_words(record) if "triples" in record else None for record in records] == EXPECTED[name]
    assert not report.skipped and not report.entities_widened
    assert +report.losses == ({"values in place of ids, such as dates": 1} if name == "rebel" else {})


def change(name: str, folder: Path, old: str, new: str) -> Path:
    """Copy a sample with one piece of its text replaced."""
    path = copy_sample(name, folder)
    (file,) = [each for each in ([path] if path.is_file() else path.iterdir()) if old in each.read_text("utf8")]
    file.write_text(file.read_text("utf8").replace(old, new, 1), encoding="utf8")
    return path


# What is replaced in a sample by what, and the line that says so.
BAD: List[Tuple[str, str, str, str]] = [
    ("bioc", "</passage>", "", "R209.*.xml:14: mismatched tag; expected BioC's XML"),
    ("bioc", "&amp;", "&nbsp;", ".xml:7: the entity 'nbsp', which is not declared"),
    ("bioc", '"BioC.dtd"', '"x" [<!ENTITY a "b">]', ".xml:2: a declaration of the entity 'a'"),
    ("bioc", 'encoding="UTF-8"', 'encoding="UTF-9"', "R209.*.xml:1: unknown encoding: UTF-9; expected BioC's XML"),
    ("bioc", 'encoding="UTF-8"', 'encoding="gb18030"', "R209.*.xml:1: multi-byte encodings are not supported"),
    ("bioc", "<collection>", "<html>", ".xml:3: <html>; expected BioC's XML"),
    ("bioc", 'offset="12"', 'offset="11"', "R750.*passages[1].annotations[0]: found the place [11, 16]"),
    ("bioc", 'offset="12"', 'offset="13"', "R713.*hold 'avol ', but its text is 'Havol'"),
    ("bioc", 'length="5"', "", "'length' of locations[0] of passages[1].annotations[0]: found None; expected a number"),
    ("bioc", 'refid="1"', 'refid="9"', "R708.*passages[1].relations[0] joins the span '9'"),
    ("bioc", "<offset>12</offset>", "", "'offset' of passages[1]: found None; expected a number"),
    ("bionlp", "Binds Arg1:T1", "Binds", "R716.*.a2 line 1 is 'Binds Arg2:T2'"),
    ("bionlp", "Protein 12", "Protein 13", "R713.*.a1 line 2 hold 'ALB'"),
    ("bionlp", "Arg2:T2", "Arg2:T9", "R708.*.a2 line 1 joins the span 'T9'"),
    ("conll04", "I-Loc", "I-Peop", "tags[6] is 'I-Peop', which continues no entity"),
    ("conll04", "[6, 9]", "[6]", "R750.*line 3: found 2 relations and 1 tokens; expected as many of both"),
    ("conll04", "[6, 9]", "[6, 8]", "R750.*line 3: found a relation of token 8; expected tokens of entities"),
    ("conll04", "[6, 9]", "6, 9", "R750.*line 3: found '6, 9'; expected a list"),
    ("conll04", "\t[7]", "", "R750.*line 9: found \"7\\tand\\tO\\t['N']\"; expected 5<tab>"),
    ("drugprot", "T1\tCHEMICAL\t12\t17", "T1\tCHEMICAL\t11\t16", "R713.*sample_entities.tsv:1 hold '\\nHavo'"),
    ("drugprot", "T1\tCHEMICAL\t12", "T1\tCHEMICAL\tx", "sample_entities.tsv:1: found '1\\tT1\\tCHEMICAL\\tx"),
    ("drugprot", "\tArg2:T2", "", "R750.*sample_relations.tsv:1: found '1\\tINHIBITOR\\tArg1:T1'; expected ID<tab>INH"),
    ("drugprot", "Arg2:T2", "Arg2:T9", "R708.*sample_relations.tsv:1 joins the span 'T9'"),
    ("drugprot", "2\tNothing", "2 Nothing", "sample_abstracts.tsv:2: [R750] sample_abstracts.tsv:2: found '2 Nothing"),
    ("drugprot", "1\tACTIVATOR", "3\tACTIVATOR", "sample_relations.tsv:2: [R750] the row: found ['3', 'ACTIVATOR'"),
    ("pubannotation", '"begin": 0', '"begin": -1', "denotations[0] is [-1, 5]; expected 0 <= start < end <= 48"),
    ("pubannotation", '"begin": 0, ', "", "'span' of denotations[0] has no key 'begin'"),
    ("pubannotation", '"id": "T1", ', "", "R750.*'id' of denotations[0]: found None; expected an id"),
    ("pubannotation", '"subj": "T1"', '"subj": "T9"', "R708.*relations[0] joins the span 'T9'"),
    ("pubannotation", '"denotations": [', '"denotations": 3, "x": [', "'denotations' of the record is 3, not a list"),
    ("pubannotation", '"attributes": [', '"attributes": ', "not JSON"),
    ("pubtator", "\t12\t17\tHavol", "\t11\t16\tHavol", "R713.*line 3 hold '\\nHavo', but its text is 'Havol'"),
    ("pubtator", "17\tHavol\tChemical\tC001", "17", "R750.*line 3: found '1\\t12\\t17'; expected ID|t|title"),
    ("pubtator", "1|t|Havol", "1|a|Havol", "R750.*line 2: found '1|a|Havol inhibits"),
    ("pubtator", "2|a|", "3|a|", "the document: found the ids 2, 3; expected one id"),
    ("pubtator", "1\tinhibits\tC001\t77", "1 inhibits C001 77", "line 8: found '1 inhibits C001 77'"),
    ("webanno", "=WebAnno TSV 3.3", "=x", "the first line: found '#FORMAT=x'; expected #FORMAT=WebAnno TSV"),
    ("webanno", "|BT_webanno.custom.Entity", "", "the layer webanno.custom.Relation: found no BT_"),
    ("webanno", "12-17\tleads", "11-16\tleads", "R713.*line 10 hold ' lead', but its text is 'leads'"),
    ("webanno", "Q1[1]\tPERSON[1]\t_", "Q1[1]|*[2]\tPERSON[1]\t_", "line 7: found 'Q1[1]|*[2]"),
    ("webanno", "\t1-1[1_0]", "", "R750.*line 11: found 'leads"),
    ("webanno", "1-1[1_0]", "x", "R750.*line 11: found 'x'; expected a source such as 1-1"),
    ("webanno", "1-1[1_0]", "1-1[9_0]", "R708.*the relation of line 11 joins the span 'webanno.custom.Entity[9]'"),
    ("webanno", "#Text=Ada", "#Txt=Ada", "line 7: found '1-1"),
]


@pytest.mark.parametrize("name, old, new, message", BAD)
def test_what_cannot_be_read_is_one_line(name: str, old: str, new: str, message: str, tmp_path: Path) -> None:
    path = change(name, tmp_path, old, new)
    with pytest.raises(ValueError) as error:
        convert(name, [path], tmp_path / "out.spacy", nlp=NLP, malformed="refuse")
    what = str(error.value)
    assert str(tmp_path) in what and "\n" not in what and all(part in what for part in message.split(".*")), what


# What is replaced in a sample by what, and what the report counts.
LOST: List[Tuple[str, str, str, str]] = [
    ("bionlp", "R1\tBinds Arg1", "E1\tBinds:T1 Arg1", "events"),
    ("bionlp", "R1\tBinds", "R1\tBinds Arg0:T3", "relations with more than two arguments"),
    ("bioc", '5"/><text>Havol', '1"/><location offset="16" length="1"/><text>H l', "discontinuous spans"),
    ("bioc", 'length="4"/>', 'length="0"/>', "spans without a character"),
    ("bioc", 'role="Arg2"/>', 'role="Arg2"/><node refid="2"/>', "relations with more than two arguments"),
    ("bioc", '<node refid="1" role="Arg2"/>', "", "relations without a subject or an object"),
    ("bioc", 'key="entity2">78', 'key="entity2">79', "relations without a subject or an object"),
    ("bioc", '<infon key="type">inhibits</infon>', "", "relations without a label"),
    ("bioc", '<node refid="0"', '<node refid="R1"', "relations of spans that are left out"),
    (
        "bioc",
        '<location offset="12"',
        '<infon key="Source">X</infon><location offset="12"',
        "infons of annotations: source",
    ),
    (
        "pubannotation",
        '"span": {"begin": 0, "end": 5}',
        '"span": [{"begin": 0, "end": 2}, {"begin": 3, "end": 5}]',
        "discontinuous spans",
    ),
    ("pubannotation", '"subj": "R2"', '"subj": "T2"', "attributes of spans"),
    ("pubannotation", '"subj": "T3"', '"subj": "R1"', "relations of spans that are left out"),
    ("pubtator", "C002\t78", "C002\t79", "relations of ids without a mention"),
    ("pubtator", "C002\t78", "78\t78", "relations of a span with itself"),
    ("pubtator", "Novel", "other", "further columns of relations"),
    ("pubtator", "Chemical\t-", "Chemical\t-\tHavol", "further columns of spans"),
    ("webanno", "leads\\_now", "*", "relations without a label"),
    ("webanno", "*\tPERSON", "*\t*", "spans without a label"),
    ("webanno", "Entity|identifier", "Entity|size", "features of spans: size"),
]


@pytest.mark.parametrize("name, old, new, kind", LOST)
def test_what_has_no_place_is_counted(name: str, old: str, new: str, kind: str, tmp_path: Path) -> None:
    _, report = read(name, change(name, tmp_path, old, new))
    assert report.losses[kind] == 1


def test_bioc_as_json_and_with_sentences(tmp_path: Path) -> None:
    documents = [document for _, document in read_bioc_xml(SAMPLES["bioc"])]
    for name, value in {"a.json": {"documents": documents}, "b.json": {"PubTator3": documents}}.items():
        (tmp_path / name).write_text(json.dumps(value, indent=1), encoding="utf8")
    lines = "".join(json.dumps(document) + "\n" for document in documents)
    (tmp_path / "c.jsonl").write_text(lines, encoding="utf8")
    records, report = read("bioc", tmp_path)
    assert [in_words(record) for record in records] == 3 * EXPECTED["bioc"] and not report.skipped
    passage = documents[0]["passages"][1]
    sentence = {**passage, "annotations": passage.pop("annotations")}
    documents[0]["passages"][1] = {**passage, "text": None, "sentences": [sentence]}
    (tmp_path / "d.json").write_text(json.dumps(documents), encoding="utf8")
    records, _ = read("bioc", tmp_path / "d.json")
    assert [in_words(record) for record in records] == EXPECTED["bioc"]


def test_a_relation_of_ids_joins_mentions_of_one_sentence(tmp_path: Path) -> None:
    title, abstract = (
        "Nordin and Havol",
        "It is old. KALB, which is new, is by the way inhibited by Havol. Nordin is old.",
    )
    text = f"1|t|{title}\n1|a|{abstract}"
    rows = []
    for word, kb_id in {"Nordin": "C1|C2", "Havol": "C3", "KALB": "77"}.items():
        for match in re.finditer(word, f"{title} {abstract}"):
            rows.append((*match.span(), word, kb_id))
    lines = [f"1\t{start}\t{end}\t{word}\tX\t{kb_id}" for start, end, word, kb_id in rows]
    relations = ["1\tinhibits\tC3\t77", "1\tbesides\tC2\tC3"]
    (tmp_path / "a.txt").write_text("\n".join([text, *lines, *relations]), encoding="utf8")
    (record,), _ = read("pubtator", tmp_path / "a.txt")
    assert [triple["subject"] for triple in record["triples"]] == [[75, 80], [0, 6]]
    assert in_words(record) == [("Havol", "inhibits", "KALB"), ("Nordin", "besides", "Havol")]


@pytest.mark.parametrize("name, relation", [("pubtator", r"1\t[a-z].*\n"), ("bioc", r"<relation .*</relation>")])
def test_a_file_without_any_relation_is_not_annotated_with_triples(name: str, relation: str, tmp_path: Path) -> None:
    path = copy_sample(name, tmp_path)
    path.write_text(re.sub(relation, "", path.read_text("utf8")), encoding="utf8")
    records, _ = read(name, path)
    assert records and not any("triples" in record for record in records) and len(records[0]["entities"]) > 2


def test_tables_of_chemprot_and_without_relations(tmp_path: Path) -> None:
    path = change("drugprot", tmp_path, "INHIBITOR", "CPR:4\tY \t INHIBITOR")
    (first, _), report = read("drugprot", path / "sample_abstracts.tsv")
    triple = first["triples"][0]
    assert triple["attributes"] == {"group": "CPR:4", "evaluated": "Y"} and triple["relation"] == "INHIBITOR"
    (path / "sample_relations.tsv").unlink()
    records, _ = read("drugprot", path)
    assert len(records) == 2 and not any("triples" in record for record in records)
    (path / "sample_entities.tsv").unlink()
    with pytest.raises(ValueError, match="R209.*no table of entities beside it; expected sample_entities.tsv"):
        read("drugprot", path)
    with pytest.raises(ValueError, match="R209.*no table of abstracts"):
        read("drugprot", copy_sample("bioc", tmp_path))


WEBANNO = """#FORMAT=WebAnno TSV 3.2
#T_SP=de.tudarmstadt.ukp.dkpro.core.api.lexmorph.type.pos.POS|PosValue
#T_SP=webanno.custom.Frame|ROLE_webanno.custom.Frame:Roles_webanno.custom.FrameLink|webanno.custom.Frame
#T_SP=webanno.custom.Other|
#T_CH=de.tudarmstadt.ukp.dkpro.core.api.coref.type.CoreferenceLink|referenceType|referenceRelation
#T_RL=webanno.custom.Knows|BT_webanno.custom.Other


#Text=😀 Ada
1-1\t0-1\t😀\tNN\t_\t_\t*\t_\t_\t_
1-2\t2-5\tAda\tNN\tseller;buyer\t1-1;1-1\t*\tpr[1]\tcoref->1-1\t1-1
"""


def test_webanno_with_slots_chains_and_several_documents(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text(2 * WEBANNO, encoding="utf8")
    records, report = read("webanno", path)
    assert [in_words(record) for record in records] == 2 * [[("😀", "Knows", "Ada")]]
    assert +report.losses == {"annotations of the layer webanno.custom.Frame": 2, "mentions in coreference chains": 2}
    path.write_text(WEBANNO.replace("BT_webanno.custom.Other", "BT_webanno.custom.Frame"), encoding="utf8")
    with pytest.raises(ValueError, match="R708"):
        read("webanno", path)
    lines = WEBANNO.replace("#T_RL=webanno.custom.Knows|BT_webanno.custom.Other\n", "")
    path.write_text(re.sub(r"\t[^\t\n]+$", "", lines, flags=re.M), encoding="utf8")
    with pytest.raises(ValueError, match="R122"):
        read("webanno", path)


@pytest.mark.parametrize("name", ["drugprot", "pubtator"])
def test_offsets_of_java_are_found_by_the_texts_of_spans(name: str, tmp_path: Path) -> None:
    path = copy_sample(name, tmp_path)
    file = path / "sample_abstracts.tsv" if path.is_dir() else path
    file.write_text(
        file.read_text("utf8").replace("Havol study", "Havol stu😀", 1), encoding="utf8"
    )  # as long in UTF-16
    records, report = read(name, path)
    assert [in_words(record) for record in records] == EXPECTED[name]
    assert +report.losses == {"documents whose offsets count UTF-16 units": 1}


def test_what_has_lost_relations_is_incomplete(tmp_path: Path) -> None:
    path = change("pubtator", tmp_path, "C002\t78", "C002\t79")
    records, _ = read("pubtator", path)
    assert records[0][INCOMPLETE] and INCOMPLETE not in records[1]


def test_tracks_have_ids_of_their_own(tmp_path: Path) -> None:
    ids = {"T1": (0, 3), "T2": (8, 10)}
    spans = [{"id": key, "span": {"begin": start, "end": end}, "obj": "A"} for key, (start, end) in ids.items()]
    relations = [{"id": "R1", "pred": "knows", "subj": subject, "obj": obj} for subject, obj in (ids, reversed(ids))]
    tracks = [{"denotations": spans, "relations": [relation]} for relation in relations]
    path = tmp_path / "tracks.json"
    path.write_text(json.dumps({"text": "Ada met Bo.", "tracks": tracks}), encoding="utf8")
    (record,), report = read("pubannotation", path)
    assert in_words(record) == [("Ada", "knows", "Bo"), ("Bo", "knows", "Ada")] and not +report.losses
    assert "tracks" not in record


def test_modifications_are_attributes_and_a_folder_is_read(tmp_path: Path) -> None:
    negated = '"modifications": [{"id": "M1", "pred": "Negation", "obj": "R1"}], "x": ['
    change("pubannotation", tmp_path, '"attributes": [', negated)
    (tmp_path / "README.txt").write_text("not a document")
    (record,), _ = read("pubannotation", tmp_path)
    assert record["triples"][0]["attributes"] == {"negated": True}


def test_a_folder_without_a_file_of_the_format(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="R209.*no such file in the folder; expected files that end in .json"):
        read("pubannotation", tmp_path)


@pytest.mark.parametrize(
    "rel, message",
    [
        ("x", "R750.*doc._.rel: found 'x'; expected a dictionary"),
        ({3: {"born_in": 1.0}}, "R750.*doc._.rel[3]: found 3; expected the starts of two entities"),
        ({(0, 5): {"born_in": "yes"}}, "R750.*found {'born_in': 'yes'}; expected a number for each label"),
        ({(0, 1): {"born_in": 1.0}}, "R708.*joins the span 1, which is absent"),
    ],
)
def test_rel_that_cannot_be_read(rel: object, message: str, tmp_path: Path) -> None:
    path = write_rel(tmp_path, rel)
    with pytest.raises(ValueError) as error:
        convert("spacy-rel", [path], tmp_path / "out.spacy", nlp=NLP, malformed="refuse")
    assert f"{path}:1" in str(error.value) and all(part in str(error.value) for part in message.split(".*"))


def write_rel(folder: Path, rel: object) -> Path:
    path = folder / "rel.spacy"
    doc = NLP.make_doc("Ada Holm was born in Bergen.")
    doc.ents = [Span(doc, 0, 2, "PERSON"), Span(doc, 5, 6, "PLACE")]
    doc.user_data["._.", "rel", None, None] = rel
    DocBin(docs=[doc], store_user_data=True).to_disk(path)
    return path


def test_other_attributes_and_negatives_of_rel(tmp_path: Path) -> None:
    (record,), _ = read("spacy-rel", write_rel(tmp_path, {(0, 5): {"born_in": 0.4, "lives_in": 0.5}, (5, 0): {}}))
    assert in_words(record) == [("Ada Holm", "lives_in", "Bergen")]
    (record,), _ = read("spacy-rel", write_rel(tmp_path, {}))
    assert record["triples"] == []
