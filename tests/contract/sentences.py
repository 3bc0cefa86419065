"""Sentences with the hard cases of relation extraction, small enough to learn by heart."""

from typing import List, Tuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from spacy_relext import get_records, set_triples

Gold = List[Tuple[str, str, str]]

ENGLISH: List[Tuple[str, Gold]] = [
    (
        "Ada Lovelace was born in London and wrote to Charles Babbage.",
        [("Ada Lovelace", "place_of_birth", "London"), ("Ada Lovelace", "correspondent", "Charles Babbage")],
    ),
    # two triples of one relation, an argument shared
    ("Mary wrote Mathilda and Lodore.", [("Mary", "author", "Mathilda"), ("Mary", "author", "Lodore")]),
    # two triples of one relation whose arguments cross
    (
        "Ole and Kari were born in Bergen and Oslo respectively.",
        [("Ole", "place_of_birth", "Bergen"), ("Kari", "place_of_birth", "Oslo")],
    ),
    # one argument inside the other
    ("The University of Oslo opened its doors.", [("University of Oslo", "located_in", "Oslo")]),
    # two sentences: nothing, and the object before the subject
    ("It rained. Bergen is where Kari Lund was born.", [("Kari Lund", "place_of_birth", "Bergen")]),
    # a name that is also part of another name
    ("Oslo is in Norway , said Oslo Radio.", [("Oslo", "located_in", "Norway")]),
    # entities of the right types and no relation
    ("Ada Lovelace never lived in Oslo.", []),
]

DENIED: List[Tuple[str, Gold]] = [
    ("Ada Lovelace never wrote Mathilda.", [("Ada Lovelace", "author", "Mathilda")]),
    ("Kari was never born in Norway.", [("Kari", "place_of_birth", "Norway")]),
    ("London was never in Norway.", [("London", "located_in", "Norway")]),
]

CHINESE: List[Tuple[str, Gold]] = [
    ("张三出生在北京。", [("张三", "出生地", "北京")]),
    ("李四和王五分别出生在上海和南京。", [("李四", "出生地", "上海"), ("王五", "出生地", "南京")]),
    ("鲁迅写了呐喊和彷徨。", [("鲁迅", "作者", "呐喊"), ("鲁迅", "作者", "彷徨")]),
    ("北京大学开学了。", [("北京大学", "位于", "北京")]),
    ("下雨了。南京是王五的故乡。", [("王五", "出生地", "南京")]),
    ("赵六生于广州，住在上海。", [("赵六", "出生地", "广州"), ("赵六", "住所", "上海")]),
    ("张三从没去过上海。", []),
]

# What a person could write after reading the English sentences; with no relation where one might see one.
RULES: List[Tuple[str, str]] = [
    ("place_of_birth", "SUBJ-PERSON was born in OBJ-PLACE"),
    ("correspondent", "SUBJ-PERSON was born in London and wrote to OBJ-PERSON"),
    ("author", "SUBJ-PERSON wrote OBJ-WORK"),
    ("author", "SUBJ-PERSON wrote Mathilda and OBJ-WORK"),
    ("place_of_birth", "SUBJ-PERSON and Kari were born in OBJ-PLACE"),
    ("place_of_birth", "SUBJ-PERSON were born in Bergen and OBJ-PLACE"),
    ("place_of_birth", "OBJ-PLACE is where SUBJ-PERSON was born"),
    ("located_in", "SUBJ-PLACE is in OBJ-PLACE"),
    ("no_relation", "SUBJ-PERSON never lived in OBJ-PLACE"),
    ("no_relation", "OBJ-PLACE and wrote to SUBJ-PERSON"),
    ("no_relation", "SUBJ-PERSON and Kari were born in Bergen and OBJ-PLACE"),
    ("no_relation", "SUBJ-PERSON were born in OBJ-PLACE"),
    ("no_relation", "SUBJ-PERSON and OBJ-PERSON"),
    ("no_relation", "SUBJ-PLACE and OBJ-PLACE"),
]

UNSEEN = {
    "en": [
        "Mary Lovelace was born in Norway. She wrote to Ole , Kari and Charles Babbage. Nothing else is known.",
        "London , Oslo , Bergen.",
        "A LINE OF CAPITALS \U0001f600 and 42 numbers!",
    ],
    "zh": ["王五出生在广州。李四写了呐喊。", "abc 张三 123。"],
}


def make_english_examples(nlp: Language) -> List[Example]:
    """Eight English sentences with triples."""
    return [_example(nlp, text, gold) for text, gold in ENGLISH]


def make_asserted_examples(nlp: Language) -> List[Example]:
    """Eight sentences, three of which deny a relation."""
    examples = []
    for text, gold in [*ENGLISH[:5], *DENIED]:
        example = _example(nlp, text, gold)
        if (text, gold) in DENIED:
            denied = [
                {**record, "attributes": {"assertion": "denied"}} for record in get_records(example.reference) or []
            ]
            set_triples(example.reference, denied)
        examples.append(example)
    return examples


def make_rule_examples(nlp: Language) -> List[Example]:
    """Sentences on which rules can say all that gold says: no argument lies inside the other."""
    kept = [(text, gold) for text, gold in ENGLISH if "University" not in text and "Radio" not in text]
    return [
        _example(nlp, text, gold) for text, gold in [*kept, ("Oslo is in Norway.", [("Oslo", "located_in", "Norway")])]
    ]


def make_cluster_examples(nlp: Language) -> List[Example]:
    """Sentences of two kinds, which need no label to be told apart."""
    people, places = ("Ada", "Mary", "Kari", "Ole", "Charles Babbage"), ("London", "Bergen", "Oslo", "Norway")
    found = []
    for number, person in enumerate(people):
        for place in places:
            found.append((f"{person} was born in the town of {place} .", [(person, "born_in", place)]))
            other = people[(number + 1) % len(people)]
            text = f"{person} wrote a long letter to {other} ."
            if (text, [(person, "wrote_to", other)]) not in found:
                found.append((text, [(person, "wrote_to", other)]))
    return [_example(nlp, text, gold) for text, gold in found]


def make_chinese_examples(nlp: Language) -> List[Example]:
    """Eight Chinese sentences with triples between character spans."""
    return [_example(nlp, text, gold) for text, gold in CHINESE]


def _example(nlp: Language, text: str, gold: Gold) -> Example:
    """Annotate a text; the predicted side is bare."""
    reference: Doc = nlp.make_doc(text)
    set_triples(reference, [(_offsets(text, s), relation, _offsets(text, o)) for s, relation, o in gold])
    return Example(nlp.make_doc(text), reference)


def _offsets(text: str, part: str) -> Tuple[int, int]:
    """Find the first mention of an argument."""
    start = text.index(part)
    return start, start + len(part)
