"""What gold says of each pair, and how it becomes classes."""

from typing import Any, Iterable, List

import numpy
from spacy.tokens import Doc
from spacy.training import Example

from spacy_relext import set_triples
from spacy_relext.annotations.entities import PAIRS_KEY
from spacy_relext.pairs.gold import GoldPairs, PairClass, gold_pairs, list_classes, reversed_classes
from spacy_relext.pairs.suggesters import AnnotatedPairs, EntityPairs
from tests.pairs.builders import make_doc, make_example, with_entities

WORDS = "ada met charles in london .".split()
ADA, CHARLES, LONDON = (0, 1), (2, 3), (4, 5)
MET, BORN = PairClass("met"), PairClass("born")


def people() -> Doc:
    return with_entities(make_doc(WORDS), [(*ADA, "PER"), (*CHARLES, "PER"), (*LONDON, "LOC")])


def marked(*pairs: Any) -> Doc:
    """The Doc with pairs of token spans marked."""
    doc = people()
    offsets = [[[doc[slice(*span)].start_char, doc[slice(*span)].end_char] for span in pair] for pair in pairs]
    doc.user_data[PAIRS_KEY] = [{"subject": subject, "object": obj} for subject, obj in offsets]
    return doc


def read(gold: Iterable[Any], **options: Any) -> GoldPairs:
    return gold_pairs(EntityPairs(**options), [make_example(people(), gold)])


def said(found: GoldPairs) -> List[Any]:
    """Subject, classes and object of the pairs of which gold says something."""
    spans = [found.pairs.spans(number) for number in range(len(found))]
    rows = [(s.text, sorted(classes), o.text) for (s, o), classes in zip(spans, found.gold)]
    return [row for row in rows if row[1]]


def test_relations_of_pairs_in_both_orders_are_read_forwards() -> None:
    found = read([(ADA, "met", CHARLES), (LONDON, "home", ADA)])
    assert said(found) == [("ada", [MET], "charles"), ("london", [PairClass("home")], "ada")]
    assert len(found) == 6 and found.missed == found.unannotated == 0


def test_relations_of_marked_pairs_are_read_in_both_directions() -> None:
    example = make_example(marked((CHARLES, ADA), (ADA, LONDON)), [(ADA, "met", CHARLES), (ADA, "born", LONDON)])
    found = gold_pairs(AnnotatedPairs(), [example])
    assert said(found) == [("charles", [PairClass("met", backwards=True)], "ada"), ("ada", [BORN], "london")]
    assert found.missed == 0


def test_a_pair_may_have_several_relations_and_be_marked_twice() -> None:
    example = make_example(marked((ADA, CHARLES), (ADA, CHARLES)), [(ADA, "met", CHARLES), (ADA, "born", CHARLES)])
    found = gold_pairs(AnnotatedPairs(), [example])
    assert said(found) == [("ada", [BORN, MET], "charles")] * 2
    assert found.classes([MET, BORN]).tolist() == [1, 1]
    assert found.classes([PairClass("other"), BORN]).tolist() == [2, 2]


def test_triples_without_a_pair_are_missed() -> None:
    far = [(ADA, "born", LONDON), (ADA, "met", (2, 4))]
    assert read(far, max_distance=1).missed == 2
    assert read(far).missed == 1


def test_a_pair_in_the_other_order_alone_is_missed_too() -> None:
    example = make_example(people(), [(ADA, "born", LONDON)])
    found = gold_pairs(lambda docs: EntityPairs()(docs).take([4]), [example])  # london, ada
    assert said(found) == [] and found.missed == 1


def test_triples_that_cover_no_token_are_missed() -> None:
    merged = with_entities(make_doc(["ada met", "charles"]), [(0, 1, "PER"), (1, 2, "PER")])
    example = make_example(merged, [((0, 1), "r", (1, 2)), ((0, 1), "met", (2, 3))], reference=make_doc(WORDS[:3]))
    found = gold_pairs(EntityPairs(), [example])
    assert found.missed == 1 and said(found) == [("ada met", [MET], "charles")]


def test_docs_without_annotation_are_skipped_and_counted() -> None:
    bare, empty = people(), make_example(people(), [])
    known = make_example(people(), [(ADA, "met", CHARLES)])
    found = gold_pairs(EntityPairs(), [Example(bare, bare.copy()), empty, known])
    assert found.unannotated == 1 and len(found) == 12
    assert found.gold[:6] == [set()] * 6 and said(found) == [("ada", [MET], "charles")]
    references = [example.reference for example in found.examples]
    assert len(references) == len(found.pairs.docs) and references[found.pairs.doc[0]] is empty.reference


def test_all_docs_stay_in_the_batch() -> None:
    bare = people()
    examples = [Example(bare, bare.copy()), make_example(people(), []), Example(bare.copy(), bare.copy())]
    found = gold_pairs(EntityPairs(), examples)  # a shared encoder reads them all
    assert [doc is example.predicted for doc, example in zip(found.pairs.docs, examples)] == [True] * 3
    assert set(found.pairs.doc.tolist()) == {1} and found.unannotated == 2
    own = found.with_own_docs()
    assert own.examples == [examples[1]] and list(own.pairs.docs) == [examples[1].predicted]
    assert set(own.pairs.doc.tolist()) == {0} and own.gold == found.gold


def test_no_examples() -> None:
    found = gold_pairs(EntityPairs(), [])
    assert len(found) == found.missed == found.unannotated == 0 and found.classes([MET]).shape == (0,)


def test_predictions_of_others_are_not_gold() -> None:
    found = gold_pairs(EntityPairs(), [make_example(people(), [(ADA, "met", CHARLES)], source="other")])
    assert said(found) == [] and found.missed == 0 and len(found) == 6


def test_the_tokens_of_the_predicted_doc_count() -> None:
    coarse = make_doc(["ada", "met", "char", "les in", "london"], spaces=[True, True, False, True, False])
    with_entities(coarse, [(0, 1, "PER"), (2, 4, "PER"), (4, 5, "LOC")])
    gold = [(ADA, "born", LONDON), (ADA, "met", (2, 4))]
    found = gold_pairs(EntityPairs(), [make_example(coarse, gold, reference=make_doc(WORDS[:5]))])
    assert said(found) == [("ada", [MET], "charles in"), ("ada", [BORN], "london")]


def test_pairs_whose_relations_are_all_unknown_are_left_out() -> None:
    found = read([(ADA, "met", CHARLES), (ADA, "new", CHARLES), (ADA, "strange", LONDON)])
    known, unknown = found.known([BORN, MET])
    assert unknown == ["new", "strange"] and len(known) == 5
    assert said(known) == [("ada", [MET, PairClass("new")], "charles")]
    assert (known.missed, known.unannotated, known.examples) == (0, 0, found.examples)
    assert known.classes([BORN, MET]).tolist() == [2, 0, 0, 0, 0]


def test_nothing_is_left_out_where_all_is_known() -> None:
    found = read([(ADA, "met", CHARLES)])
    assert found.known([MET]) == (found, []) and found.known([MET])[0] is found


def test_a_direction_that_was_never_seen_is_unknown() -> None:
    found = gold_pairs(AnnotatedPairs(), [make_example(marked((CHARLES, ADA)), [(ADA, "met", CHARLES)])])
    assert len(found.known([MET])[0]) == 0


def test_classes_are_numbered_from_one() -> None:
    found = read([(ADA, "met", CHARLES), (ADA, "born", LONDON)])
    classes = found.classes([BORN, MET])
    assert classes.tolist() == [2, 1, 0, 0, 0, 0] and classes.dtype == numpy.int64


def test_classes_of_a_data_set() -> None:
    gold = [{MET}, set(), {PairClass("born", backwards=True), BORN}, {MET}]
    swapped = [PairClass(label, backwards=True) for label in ("born", "met", "unseen")]
    assert list_classes(gold[:2]) == [MET]
    assert list_classes(gold) == [BORN, swapped[0], MET, swapped[1]]
    assert list_classes(gold, ["born", "unseen"]) == [BORN, swapped[0], PairClass("unseen"), swapped[2]]
    assert list_classes([]) == []


def test_classes_from_the_other_side() -> None:
    classes = list_classes([{MET, PairClass("born", backwards=True)}])
    swapped = reversed_classes(classes)
    assert swapped is not None and swapped.tolist() == [0, 2, 1, 4, 3]
    assert reversed_classes([MET]) is None and reversed_classes([PairClass("born", backwards=True), MET]) is None


def test_gold_that_was_stored_twice() -> None:
    example = make_example(people(), [(ADA, "met", CHARLES), (ADA, "met", CHARLES)])
    set_triples(example.reference, [], source="other")
    found = gold_pairs(EntityPairs(), [example])
    assert said(found) == [("ada", [MET], "charles")] and found.missed == 0
