"""`spacy relext init-config`: a config for the supervision at hand, made from those in configs/."""

import re
from pathlib import Path
from typing import Annotated, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import srsly
import typer
from spacy.language import Language
from spacy.util import get_lang_class, load_model_from_config
from spacy.vocab import Vocab
from thinc.api import Config
from wasabi import msg

from ..corpora.damage import first_line
from ..corpora.statistics import CorpusStatistics, count_corpus, list_shortages
from ..corpora.whole import write_whole
from ..errors import Errors
from ..pipeline.schedules import training_length
from . import options
from .pipeline import fail, input_errors

# Links to configs/; in an installed package, copies.
TEMPLATES = Path(__file__).parent / "templates"

LOCAL_ENCODER = Path("assets/encoder/all-MiniLM-L6-v2")
ENCODER, ENCODER_LANG = "sentence-transformers/all-MiniLM-L6-v2", "en"


class Choice(NamedTuple):
    """What a user may have.

    what (str): In words.
    template (str): Name of the config.
    paths (Tuple[str, ...]): Paths that a training needs besides the corpora.
    is_tuned (bool): Whether `spacy relext tune` belongs to the next steps.
    """

    what: str
    template: str
    paths: Tuple[str, ...] = ()
    is_tuned: bool = True


CHOICES: Dict[str, Choice] = {
    "labels": Choice("sentences with labelled triples (RERE)", "rere"),
    "rules": Choice("rules, and texts with entities (NERO)", "nero", ("rules",), False),
    "kb": Choice("triples that a knowledge base has labelled, with gaps (RERE)", "rere"),
    "raw": Choice("texts with entities, and nothing else (SelfORE)", "selfore", (), False),
    "linked": Choice("texts with linked entities, and a table of facts (HRERE)", "hrere", ("kb",)),
}

# Loss of the detector if labels come from a knowledge base, as in the paper.
INCOMPLETE = """
# A loss for labels that are incomplete; compare it with kind = "bce" and thresholds fitted by `spacy relext tune`.
# missing_rate: share of the true relations of sentences that have no label. Label a hundred sentences to measure it.
[components.rere_detector.loss]
kind = "collective"
missing_rate = 0.3
weight = 10.0

[components.rere_detector.model]
"""

# The pipeline that the package carries, as spaCy names it: `spacy_relext.load` loads it.
PACKAGE = "spacy_relext"

# What replaces parts of rere.cfg in a config that starts from it. Its encoder needs no checkpoint. Without negatives,
# relations that were learned from few sentences would be found in unrelated ones. With them, fewer absent relations
# have to be sampled, and the threshold may be low.
START = {
    r"\nencoder = .*": "\nstart = null",
    r"\[components\.tok2vec\]\n(.|\n)*?(?=\[components\.rere)": "[components.tok2vec]\nsource = ${paths.start}\n\n",
    r"(?<=shuffle = true\n)": "negatives = 1.0\n",
    r'(?<=factory = "rere_extractor"\n)': "threshold = 0.2\n\n[components.rere_extractor.sampling]\nnegatives = 1.0\n",
    r"after_init = null\n": "",
    r"(?=\[initialize\.tokenizer\])": """[initialize.after_init]
@callbacks = "spacy_relext.start_from.v1"
pipeline = ${paths.start}

""",
}
# Epochs of its training, negatives included, and steps if its corpus is not known; never more than rere.cfg has.
PASSES, STEPS = 30, 300


def init_config_cli(
    output: Annotated[Path, typer.Argument(metavar="OUT.cfg", help="Config to write")],
    have: Annotated[str, typer.Option(help="; ".join(f"{name}: {choice.what}" for name, choice in CHOICES.items()))],
    lang: options.Lang = ENCODER_LANG,
    encoder: Annotated[
        Optional[str], typer.Option(help="Folder or name of a Hugging Face encoder; default: all-MiniLM-L6-v2")
    ] = None,
    gpu: Annotated[bool, typer.Option("--gpu", help="For training on a GPU")] = False,
    force: options.Force = False,
    corpora: Annotated[
        Optional[List[Path]],
        typer.Argument(metavar="[TRAIN.spacy DEV.spacy]", help="Your corpora: warns of too few labels"),
    ] = None,
) -> None:
    """Write a config for what you have."""
    if have not in CHOICES:
        fail(Errors.R206.format(option="--have", found=have, expected=", ".join(CHOICES)))
    if output.suffix != ".cfg":
        fail(Errors.R209.format(what=output, found="a name without .cfg", expected="such as relations.cfg"))
    if output.exists() and not force:
        fail(Errors.R227.format(path=str(output)))
    with input_errors():
        counted = [_count(path) for path in corpora or ()]
        config = make_config(have, lang=lang, encoder=encoder, gpu=gpu, train=corpora[0] if corpora else None)
        write_whole(output, config)
    msg.good(f"Wrote {output}")
    for problem in list_shortages(counted[0], counted[1:]) if counted and CHOICES[have].is_tuned else ():
        msg.warn(problem)
    for line in next_steps(have, output, corpora or (), gpu=gpu):
        typer.echo(line)


def make_config(
    have: str,
    *,
    lang: str = ENCODER_LANG,
    encoder: Optional[str] = None,
    gpu: bool = False,
    train: Optional[Path] = None,
) -> str:
    """Make the text of a config. For English labels and the default encoder, it starts from the packaged pipeline.

    have (str): One of CHOICES.
    encoder (Optional[str]): Folder or name of an encoder; None: the default one, which reads English.
    train (Optional[Path]): The training corpus, whose size decides the steps of a training that starts so.
    RAISES (ValueError): If there is no such language, or no encoder that reads it.
    """
    try:
        get_lang_class(lang)
    except (ImportError, KeyError) as error:
        raise ValueError(Errors.R108.format(lang=lang, reason=first_line(error))) from None
    if encoder is None and lang != ENCODER_LANG:
        raise ValueError(Errors.R228.format(lang=lang))
    text = (TEMPLATES / f"{CHOICES[have].template}.cfg").read_text(encoding="utf8")
    starts = have == "labels" and lang == ENCODER_LANG and encoder is None
    for pattern, section in START.items() if starts else ():
        text = re.sub(pattern, lambda _, section=section: section, text, count=1)  # type: ignore[misc]
    if have == "kb":
        text = text.replace("\n[components.rere_detector.model]\n", INCOMPLETE)
    if lang != ENCODER_LANG:  # whose tokenizer may be another
        text = re.sub(r"\[nlp\.tokenizer\]\n.*\n\n", "", text)
    text = set_values(text, {"lang": lang, "encoder": encoder or default_encoder(), "start": PACKAGE})
    text = set_values(text, {"gpu_allocator": "pytorch"}) if gpu else text
    nlp = load_model_from_config(Config().from_str(text, interpolate=False), auto_fill=True)
    return set_values(text, _steps(nlp, train)) if starts else text


def _steps(nlp: Language, train: Optional[Path]) -> Dict[str, int]:
    """Choose the steps of a training that starts from a trained pipeline."""
    steps = STEPS
    if train is not None:
        nlp.config["paths"].update(train=str(train), dev=str(train))
        nlp.config["training"]["max_epochs"] = PASSES
        steps = training_length(nlp)
    half = max(1, steps // 2)  # evaluated twice, the second time at the end
    return {"max_steps": 2 * half, "eval_frequency": half}


def set_values(text: str, values: Mapping[str, object]) -> str:
    """Set keys of a config, the first of each name."""
    for key, value in values.items():
        line = f"{key} = {srsly.json_dumps(value)}"
        text = re.sub(rf"^{key} = .*$", lambda _, line=line: line, text, count=1, flags=re.MULTILINE)  # type: ignore[misc]
    return text


def default_encoder() -> str:
    """RETURNS (str): The folder of the default encoder if it is there, else its name."""
    return LOCAL_ENCODER.as_posix() if LOCAL_ENCODER.is_dir() else ENCODER


def _count(path: Path) -> CorpusStatistics:
    """Count a corpus."""
    statistics, docs = count_corpus(path, Vocab(), name=path.stem)
    for _ in docs:
        pass
    return statistics


def next_steps(have: str, output: Path, corpora: Sequence[Path] = (), *, gpu: bool = False) -> List[str]:
    """List the commands that come next.

    corpora (Sequence[Path]): For training and development; by default train.spacy and dev.spacy.
    """
    train, dev, *others = [*corpora, *map(Path, ("train.spacy", "dev.spacy")[len(corpora) :])]
    paths = "".join(f" --paths.{name} {name.upper()}" for name in CHOICES[have].paths)
    device = " --gpu-id 0" if gpu else ""
    steps = [
        f"spacy relext debug-data {output} {' '.join(map(str, (train, dev, *others)))}",
        f"spacy train {output} --output model --paths.train {train} --paths.dev {dev}{paths}{device}",
    ]
    if CHOICES[have].is_tuned:
        given = " --gold-ents" if have == "linked" else ""
        steps.append(f"spacy relext tune model/model-best {dev} tuned{given}")
    return ["Next:", *(f"  python -m {step}" for step in steps)]
