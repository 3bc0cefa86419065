"""A teacher and a student of a few sentences, in the smallest sizes, for the tests of this folder."""

import copy
from typing import Any, Dict, List, Sequence, Tuple

import spacy
from spacy.language import Language
from spacy.training import Example
from spacy.util import fix_random_seed

from spacy_relext import set_triples  # noqa: F401
from spacy_relext.annotations.store import SOFT_LABELS_KEY
from spacy_relext.kd import architectures as pair_architectures  # noqa: F401
from spacy_relext.kd import student as callbacks  # noqa: F401
from spacy_relext.kd.soft_labels import PARTS
from spacy_relext.pairs import suggesters  # noqa: F401
from tests.contract.cases import CNN

TEACHER, STUDENT = "kd_teacher", "kd_classifier"
Entities = Sequence[Tuple[str, str]]
# text, entities, triples; what two types say is as a rule, and once (ORG, PER) by a single pair
ROWS: List[Tuple[str, Entities, Sequence[Tuple[str, str, str]]]] = [
    ("Ada was born in London .", [("Ada", "PER"), ("London", "LOC")], [("Ada", "born_in", "London")]),
    ("Mary was born in Oslo .", [("Mary", "PER"), ("Oslo", "LOC")], [("Mary", "born_in", "Oslo")]),
    ("Kari met Ole .", [("Kari", "PER"), ("Ole", "PER")], [("Kari", "met", "Ole")]),
    ("Ole lives in Bergen .", [("Ole", "PER"), ("Bergen", "LOC")], [("Ole", "lives_in", "Bergen")]),
    ("Viking praised Mary .", [("Viking", "ORG"), ("Mary", "PER")], [("Viking", "praised", "Mary")]),
    ("Ada never saw Oslo , said Kari .", [("Ada", "PER"), ("Oslo", "LOC"), ("Kari", "PER")], []),
    ("It rained .", [], []),
]
Model = Dict[str, Any]
VECTORS: Model = {**CNN, "width": 16, "depth": 1}
GRAPH: Model = {"@architectures": "spacy_relext.GraphEncoder.v1", "tok2vec": VECTORS, "width": 16, "dropout": 0.0}
GRAPH |= {"input_dropout": 0.0, "word_dropout": 0.0}
TRAINED: Model = {"freeze_embeddings": False, "lr_scale": 1.0}  # unlike a pretrained encoder
PIECES: Model = {"@architectures": "spacy_relext.PieceEncoder.v1", "max_pieces": 32, "marker_layer": 1, **TRAINED}
PIECES |= {"precision": "fp32"}
TEACHER_HEAD: Model = {"@architectures": "spacy_relext.KdTeacher.v1", "hidden": 16, "dropout": 0.0, "scale": 0.8}
STUDENT_HEAD: Model = {"@architectures": "spacy_relext.KdStudent.v1", "hidden": 16, "dropout": 0.0}
STUDENT_HEAD |= {"attention_hidden": 8}
GRAPH_TEACHER: Model = {**TEACHER_HEAD, "encoder": GRAPH}
GRAPH_STUDENT: Model = {**STUDENT_HEAD, "encoder": GRAPH}
PIECE_TEACHER: Model = {**TEACHER_HEAD, "encoder": PIECES}
PIECE_STUDENT: Model = {**STUDENT_HEAD, "encoder": PIECES}


def over(model: Model, **options: Any) -> Model:
    """The model with other settings of its encoder."""
    return {**model, "encoder": {**model["encoder"], **options}}


def make_example(nlp: Language, text: str, entities: Entities, triples: Sequence[Tuple[str, str, str]]) -> Example:
    doc = nlp.make_doc(text)
    spans = [(name, text.index(name), kind) for name, kind in entities]
    found = [doc.char_span(start, start + len(name), label=kind) for name, start, kind in spans]
    doc.set_ents([span for span in found if span is not None])
    reference = doc.copy()
    offsets = {name: (start, start + len(name)) for name, start, _ in spans}
    set_triples(reference, [(offsets[s], relation, offsets[o]) for s, relation, o in triples])
    return Example(doc, reference)


def make_examples(nlp: Language) -> List[Example]:
    return [make_example(nlp, *row) for row in ROWS]


def unlabelled_examples(nlp: Language) -> List[Example]:
    """The same texts and entities, not annotated with triples."""
    return [Example(each.predicted, each.predicted.copy()) for each in make_examples(nlp)]


SHARED_LEARNING = ("sentence_penalty", "assertion_weight", "adversarial_radius", "adversarial_reuse")
LEARNING = {
    TEACHER: ("tsd_weight", "tsd_k", *SHARED_LEARNING),
    STUDENT: ("teacher_share", "hint_weight", "temperature", "label_smoothing", *SHARED_LEARNING),
}
# The whole loss of the paper, without adversarial training.
PAPER = {
    TEACHER: {"tsd_weight": 1.0, "adversarial_radius": 0.0, "adversarial_reuse": False},
    STUDENT: {"hint_weight": 1.8, "label_smoothing": 0.0, "adversarial_radius": 0.0, "adversarial_reuse": False},
}
MISC = {TEACHER: "spacy_relext.KdTeacherLearning.v1", STUDENT: "spacy_relext.KdStudentLearning.v1"}


def settings_of(factory: str, **settings: Any) -> Dict[str, Any]:
    """Settings of a config, with those of learning in their section."""
    own = {key: value for key, value in settings.items() if key in LEARNING[factory]}
    others = {key: value for key, value in settings.items() if key not in own}
    return {"learning": {"@misc": MISC[factory], **PAPER[factory], **own}, **others}


def build(factory: str, model: Dict[str, Any], **settings: Any) -> Any:
    """An initialized component."""
    fix_random_seed(0)
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe(factory, config={"model": model, **settings_of(factory, **settings)})
    pipe.initialize(lambda: make_examples(nlp), nlp=nlp)
    return pipe


def teacher(**model: Any) -> Any:
    return build(TEACHER, {**GRAPH_TEACHER, **model})


def student(**settings: Any) -> Any:
    return build(STUDENT, GRAPH_STUDENT, **settings)


def taught_examples(pipe: Any) -> List[Example]:
    examples = make_examples(spacy.blank("en"))
    pipe.teach(examples)
    return examples


def loss_of(pipe: Any, examples: List[Example]) -> Dict[str, float]:
    """The terms of the loss, without learning."""
    return pipe.update(copy.deepcopy(examples), losses={})


def train(pipe: Any, examples: List[Example], *, steps: int, learn_rate: float = 0.01) -> List[float]:
    optimizer = spacy.blank("en").create_optimizer()
    optimizer.learn_rate = learn_rate
    return [pipe.update(examples, sgd=optimizer, losses={})[pipe.name] for _ in range(steps)]


def soft_labels(examples: Sequence[Example]) -> Dict[Any, List[float]]:
    """What a teacher said, by text and arguments."""
    return {
        (example.text, *record["subject"], *record["object"], part): record[part]
        for example in examples
        for record in example.reference.user_data[SOFT_LABELS_KEY]["pairs"]
        for part in PARTS
    }
