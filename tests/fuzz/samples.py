"""A small valid input of each kind of file."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Dict

from spacy_relext.corpora.formats.registry import FORMATS

ADA = {"start": 0, "end": 8, "label": "PERSON", "kb_id": "Q1"}
BERGEN = {"start": 21, "end": 27, "label": "PLACE"}
BORN = {"subject": [0, 8], "relation": "born_in", "object": [21, 27], "attributes": {"negated": False}}
RECORD: Dict[str, Any] = {
    "text": "Ada Holm was born in Bergen. She sings.",
    "entities": [ADA, BERGEN],
    "triples": [{**BORN, "score": 0.5, "source": "a", "evidence": {"sentence": 1}}],
    "rejected": [{"subject": [21, 27], "relation": "born_in", "object": [0, 8]}],
    "sents": [[0, 28], [29, 39]],
    "coref": [[[0, 8], [29, 32]]],
    "pairs": [{"subject": [0, 8], "object": [21, 27], "label": "born_in"}],
    "id": "d1",
}
OTHER: Dict[str, Any] = {"text": "Bob left Oslo.", "entities": [], "triples": []}

TOKENS = ["Ada", "Holm", "was", "born", "in", "Bergen", "."]
_DOCRED = {
    "title": "Ada",
    "sents": [TOKENS],
    "vertexSet": [
        [{"name": "Ada Holm", "pos": [0, 2], "sent_id": 0, "type": "PER"}],
        [{"name": "Bergen", "pos": [5, 6], "sent_id": 0, "type": "LOC"}],
    ],
    "labels": [{"h": 0, "t": 1, "r": "P19", "evidence": [0]}],
}
_COTYPE = {
    "sentText": "Ada Holm was born in Bergen.",
    "relationMentions": [{"em1Text": "Ada Holm", "em2Text": "Bergen", "label": "/born_in"}],
    "entityMentions": [{"start": 0, "text": "Ada Holm", "label": "PERSON"}],
}
_DUIE = {
    "text": "Ada Holm was born in Bergen.",
    "spo_list": [
        {
            "subject": "Ada Holm",
            "subject_type": "P",
            "predicate": "born",
            "object": {"@value": "Bergen", "x": "Ada"},
            "object_type": {"@value": "L", "x": "P"},
        }
    ],
}
_OPENNRE = {
    "token": TOKENS,
    "h": {"name": "Ada Holm", "id": "Q1", "pos": [0, 2]},
    "t": {"name": "Bergen", "id": "Q2", "pos": [5, 6]},
    "relation": "born_in",
}
_SPERT = {
    "tokens": TOKENS,
    "entities": [{"type": "PER", "start": 0, "end": 2}, {"type": "LOC", "start": 5, "end": 6}],
    "relations": [{"type": "born_in", "head": 0, "tail": 1}],
    "orig_id": 7,
}
_DYGIE = {"doc_key": "x", "sentences": [TOKENS], "ner": [[[0, 1, "PER"]]], "relations": [[[0, 1, 5, 5, "born_in"]]]}
_TACRED = {
    "id": "1",
    "token": TOKENS,
    "relation": "per:city_of_birth",
    "subj_start": 0,
    "subj_end": 1,
    "obj_start": 5,
    "obj_end": 5,
    "subj_type": "PERSON",
    "obj_type": "CITY",
}
_NYT = {"text": "Ada Holm was born in Bergen.", "triple_list": [["Ada Holm", "born_in", "Bergen"]]}
_NYT10 = "m.1\tm.2\tada_holm\tbergen\t/born_in\tada_holm was born in bergen . ###END###\n"
_SEMEVAL = '1\t"The <e1>fire</e1> came from a <e2>spark</e2>."\nCause-Effect(e2,e1)\nComment: x\n\n'
_TEXTS: Dict[str, str] = {
    "markup": "# a remark\n[P1 Ada Holm] was born in [L2 Bergen]. || 1 place_of_birth 2\n",
    "nyt10": _NYT10 * 2,
    "semeval2010": _SEMEVAL + '2\t"A <e1>boat</e1> and <e2>oars</e2>."\nOther\n',
    "text": "Ada Holm was born in Bergen.\n\nShe sings.\n",
}
_JSON: Dict[str, Any] = {
    "docred": [_DOCRED],
    "cotype": [_COTYPE],
    "duie": [_DUIE],
    "nyt": [_NYT],
    "opennre": [_OPENNRE, {**_OPENNRE, "relation": "NA"}],
    "spert": [_SPERT, _DYGIE],
    "tacred": [_TACRED],
    "jsonl": [RECORD, OTHER],
}


def write_sample(format: str, folder: Path) -> Path:
    """Write a file of a format, or a folder of files, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    spec = FORMATS[format]
    if spec.write is not None:
        path = folder / f"sample{spec.suffix}"
        spec.write([RECORD, OTHER], path, Counter())
        return path
    if format == "cas":
        from tests.corpora.formats.cas_builder import make_cas, make_types

        path = folder / "sample.json"
        record = {key: RECORD[key] for key in ("text", "entities", "triples", "sents", "coref", "id")}
        make_cas(record, make_types(negated="uima.cas.Boolean")).to_json(path)
        return path
    path = folder / "sample.txt" if format in _TEXTS else folder / "sample.json"
    lines = [json.dumps(each) + "\n" for each in _JSON.get(format, ())]
    path.write_text(_TEXTS.get(format, "".join(lines)), encoding="utf8")
    return path
