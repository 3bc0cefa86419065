"""Triples that an annotator refused are negatives, also in Docs that are not annotated otherwise."""

from typing import Any, List, Sequence, Tuple

import numpy
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed

from spacy_relext.annotations.entities import PAIRS_KEY
from spacy_relext.annotations.judged import set_judged
from spacy_relext.annotations.store import get_rejected, set_rejected, set_triples
from spacy_relext.bridge.modules import module_of
from spacy_relext.pairs.gold import gold_pairs
from spacy_relext.pairs.suggesters import AnnotatedPairs, EntityPairs
from tests.contract.cases import CNN, SHARED, detector, distilled, extractor, pairs
from tests.contract.entities import FACTORY as ENTITIES
from tests.contract.sentences import make_english_examples
from tests.pairs.builders import make_doc, with_entities

WORDS = "ada met charles in london .".split()
ADA, CHARLES, LONDON = (0, 1), (2, 3), (4, 5)
TEXT = "Kari Lund was born in London and wrote to Charles Babbage."
REFUSED = ("Kari Lund", "place_of_birth", "London")


def refusing(doc: Doc, *refused: Any) -> Example:
    reference = doc.copy()
    set_rejected(reference, [(reference[slice(*s)], relation, reference[slice(*o)]) for s, relation, o in refused])
    return Example(doc, reference)


def people() -> Doc:
    return with_entities(make_doc(WORDS), [(*ADA, "PER"), (*CHARLES, "PER"), (*LONDON, "LOC")])


def places(found: Any) -> List[Tuple[str, str]]:
    spans = [found.pairs.spans(number) for number in range(len(found))]
    return [(subject.text, obj.text) for subject, obj in spans]


def test_only_the_refused_pairs_are_known() -> None:
    bare = people()
    examples = [refusing(people(), (ADA, "born", LONDON)), Example(bare, bare.copy())]
    found = gold_pairs(EntityPairs(), examples)
    assert places(found) == [("ada", "london")] and found.gold == [set()] and found.unannotated == 1
    assert len(found.pairs.docs) == 2  # all Docs stay in the batch


def test_a_pair_in_one_order_is_refused_in_both() -> None:
    doc = people()
    doc.user_data[PAIRS_KEY] = [{"subject": [19, 25], "object": [0, 3]}, {"subject": [0, 3], "object": [8, 15]}]
    found = gold_pairs(AnnotatedPairs(), [refusing(doc, (ADA, "born", LONDON))])
    assert places(found) == [("london", "ada")] and found.gold == [set()]


def test_gold_goes_before_a_refusal() -> None:
    example = refusing(people(), (ADA, "met", CHARLES), (ADA, "born", LONDON))
    set_triples(example.reference, [(example.reference[0:1], "met", example.reference[2:3])])
    found = gold_pairs(EntityPairs(), [example])
    assert len(found) == 6 and [len(classes) for classes in found.gold].count(1) == 1  # the Doc is annotated


def test_where_some_relations_are_not_judged_only_stated_pairs_are_known() -> None:
    example = refusing(people())
    set_triples(example.reference, [(example.reference[0:1], "met", example.reference[2:3])])
    for judged, count in (["met"], 1), ([], 1), (["met", "born"], 6), (None, 6):
        set_judged(example.reference, judged)
        assert len(gold_pairs(EntityPairs(), [example], labels=["met", "born"])) == count


def test_a_refusal_without_a_pair_is_not_learned() -> None:
    found = gold_pairs(EntityPairs(), [refusing(people(), (ADA, "born", (5, 6)))])
    assert len(found) == 0 and found.unannotated == 1


def build(factory: str, config: Any, *, before: Sequence[str]) -> Language:
    nlp = spacy.blank("en")
    for name in before:
        nlp.add_pipe(name)
    nlp.add_pipe(factory, config=config)
    return nlp


STUDENT = ("kd_classifier", distilled("KdStudent", {**SHARED, "tok2vec": CNN}), ("sentencizer", ENTITIES))
GOLD_GROUNDER = {**pairs("NeroGrounder", {**SHARED, "tok2vec": CNN}), "learning": {"learn_gold": True}}
GOLD_GROUNDER["rules"] = [{"relation": "place_of_birth", "pattern": "OBJ-PLACE is where SUBJ-PERSON was born"}]
GROUNDER = ("nero_grounder", GOLD_GROUNDER, ("sentencizer", ENTITIES))
EXTRACTOR = ("rere_extractor", extractor(CNN), ("sentencizer",))


def refused_example(nlp: Language, *, is_refused: bool = True) -> Example:
    predicted, reference = nlp.make_doc(TEXT), nlp.make_doc(TEXT)
    for doc in (predicted, reference):
        for name in nlp.pipe_names[:-1]:
            nlp.get_pipe(name)(doc)
    subject, relation, obj = REFUSED
    spans = [(TEXT.index(each), TEXT.index(each) + len(each)) for each in (subject, obj)]
    if is_refused:
        set_rejected(reference, [(spans[0], relation, spans[1])])
    return Example(predicted, reference)


def head_weights(pipe: Any) -> numpy.ndarray:
    return numpy.concatenate([each.detach().numpy().ravel() for each in module_of(pipe.model).parameters()])


@pytest.mark.parametrize(("factory", "config", "before"), [STUDENT, EXTRACTOR], ids=["pairs", "rere"])
@pytest.mark.filterwarnings("ignore:.W360", "ignore:.W007")
def test_a_refused_triple_changes_the_gradient_and_nothing_else_does(
    factory: str, config: Any, before: Tuple[str, ...]
) -> None:
    fix_random_seed(0)
    nlp = build(factory, config, before=before)
    examples = make_english_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    pipe: Any = nlp.get_pipe(factory)
    before_it = head_weights(pipe)
    pipe.update([refused_example(nlp, is_refused=False)], sgd=optimizer)
    assert (head_weights(pipe) == before_it).all()
    example = refused_example(nlp)
    instances = pipe.suggest_gold([example])
    outputs = pipe.model.predict(pipe.features(instances))
    _, gradients = pipe.get_loss([example], outputs)
    logits = gradients[0] if factory == "kd_classifier" else gradients[3]
    assert int((numpy.abs(numpy.asarray(logits)).reshape(len(logits), -1).sum(1) > 0).sum()) == 1  # of one pair
    if factory == "rere_extractor":
        assert float(abs(gradients[0]).sum()) == 0.0  # pointers: nothing is known about other arguments
    pipe.update([example], sgd=optimizer)
    assert (head_weights(pipe) != before_it).any()


def score_of_refused(factory: str, config: Any, before: Tuple[str, ...], *, is_refused: bool) -> float:
    fix_random_seed(0)
    nlp = build(factory, config, before=before)
    examples = [*make_english_examples(nlp), refused_example(nlp, is_refused=is_refused)]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.005
    for _ in range(60):
        nlp.update(examples, sgd=optimizer, annotates=list(before))
    (candidates,) = nlp.get_pipe(factory).list_candidates([nlp(TEXT)])  # type: ignore[attr-defined]
    rows = {(TEXT[slice(*c["subject"])], c["relation"], TEXT[slice(*c["object"])]): c for c in candidates}
    return float(rows[REFUSED]["score"]) if REFUSED in rows else 0.0


@pytest.mark.filterwarnings("ignore:.W360", "ignore:.W007")
@pytest.mark.parametrize(("factory", "config", "before"), [STUDENT, GROUNDER, EXTRACTOR], ids=["kd", "nero", "rere"])
def test_refused_triples_lose_score(factory: str, config: Any, before: Tuple[str, ...]) -> None:
    scores = [score_of_refused(factory, config, before, is_refused=is_refused) for is_refused in (False, True)]
    assert scores[1] < 0.5 * scores[0], scores


def test_a_detector_says_that_it_cannot_learn_from_them() -> None:
    nlp = build("rere_detector", detector(CNN), before=("sentencizer",))
    examples = make_english_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    with pytest.warns(UserWarning) as caught:
        for _ in range(2):
            nlp.update([*examples, refused_example(nlp)], sgd=optimizer)
    assert len([each for each in caught if "[W361] rere_detector: 1 documents" in str(each.message)]) == 1


@pytest.mark.filterwarnings("ignore:.W007")
def test_missing_entities_are_no_argument_types() -> None:
    nlp = build("rere_extractor", extractor(CNN), before=("sentencizer", ENTITIES))
    examples = [refused_example(nlp), refused_example(nlp)]
    learned = make_english_examples(nlp)
    for example in learned:
        nlp.get_pipe(ENTITIES)(example.reference)
    nlp.initialize(lambda: learned)
    pipe: Any = nlp.get_pipe("rere_extractor")
    assert "untyped" not in pipe.targets(pipe.suggest_gold(examples))
    bare = nlp.make_doc(TEXT)
    set_rejected(bare, get_rejected(examples[0].reference))
    instances = pipe.suggest_gold([examples[0], Example(nlp.make_doc(TEXT), bare)])
    assert pipe.targets(instances)["untyped"].tolist() == [1]
    set_triples(bare, [])  # annotated with triples, and still not with entities
    instances = pipe.suggest_gold([examples[0], Example(nlp.make_doc(TEXT), bare)])
    assert pipe.targets(instances)["untyped"].tolist() == [1]
