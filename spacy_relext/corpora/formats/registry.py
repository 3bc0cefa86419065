"""The formats of `spacy relext convert` and `export`: how files are split into raw records, parsed and written."""

from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple
from typing import Mapping as PlainMapping

from ...annotations.triple import Record
from ...errors import Errors
from ..records import parse_jsonl, write_jsonl
from ..report import Report
from .annotation import DISCONTINUOUS, Losses, count_losses
from .answers import leave_out_unfinished, read_answers
from .bioc import parse_bioc, read_bioc
from .brat import BIONLP, parse_brat, read_brat, write_brat
from .cas import check_cas, parse_cas, read_cas
from .conll04 import parse_conll04, read_conll04
from .doccano import parse_doccano, read_doccano, write_doccano
from .drugprot import parse_drugprot, read_drugprot
from .evidence import OffsetConvention
from .label_studio import parse_label_studio, read_label_studio, write_label_studio
from .locate import locate_facts, locate_pair, locate_record
from .mapped import locate_mapped, parse_mapped, read_mapped
from .mapping import Mapping, read_mappings
from .named_spans import decide_docred, decide_opennre, parse_docred, parse_opennre
from .nyt import MENTION, parse_cotype, parse_duie, parse_nyt, parse_nyt10, read_nyt10
from .offsets import COUNTINGS
from .prodigy import parse_prodigy, write_prodigy
from .pubannotation import parse_pubannotation, read_pubannotation
from .pubtator import parse_pubtator, read_pubtator
from .semeval2010 import parse_semeval2010, read_semeval2010
from .sources import Item, read_json, read_lines
from .spacy_rel import parse_spacy_rel, read_spacy_rel
from .text import parse_markup_line, parse_text, read_text
from .token_spans import PLACES, TYPES, decide_spert, decide_tacred, parse_spert, parse_tacred
from .webanno import parse_webanno, read_webanno


def _write_jsonl(records: Iterable[Record], path: Path, losses: Losses) -> List[Path]:
    """Write canonical records, which lose nothing."""
    write_jsonl(path, records)
    return [path]


@dataclass(frozen=True)
class Format:
    """A raw format."""

    # Splits a file into raw values.
    read: Callable[..., Iterator[Item]]
    # Makes a record of a raw value: a canonical one, or one for `locate`. ValueError if the value is malformed.
    parse: Callable[..., Record]
    # Locates the arguments in the text: takes the record and the report that counts. Returns None if the record is to
    # be left out. Without it, all arguments have offsets.
    locate: Optional[Callable[[Record, Report], Optional[Record]]] = None
    # Whether a record without `sents` is one sentence.
    one_sentence: bool = True
    # Writes canonical records to a path, counts what the format has no place for, and returns the files to name.
    write: Optional[Callable[[Iterable[Record], Path, Losses], List[Path]]] = None
    # Suffix of the file that is written; "" if a folder is, or nothing.
    suffix: str = ""
    # Whether a folder of files can be read.
    folder: bool = False
    # Options of `convert` that `read` and `parse` take as keywords.
    read_options: Tuple[str, ...] = ()
    parse_options: Tuple[str, ...] = ()
    # Decides by the values of a file how they are to be parsed.
    decide: Optional[Callable[[Iterable[object]], OffsetConvention]] = None
    # Keys that the parser reads; others are kept or counted. Without any, the parser does so itself.
    keys: Tuple[str, ...] = ()
    # Keys that are read of the objects in a list, in `vertexSet[]` of lists in a list, and in `h{}` of one object; none
    # if all are. Lists of objects may be columns.
    objects: PlainMapping[str, Sequence[str]] = field(default_factory=dict)
    # Whether it is a mistake if nothing is annotated; None: if records have lists under keys that are kept unread.
    is_annotated: Optional[bool] = True
    # Checks the report before the last file is written. ValueError if no document has what is to be read.
    check: Optional[Callable[[Report], None]] = None


# Options of readers of spans that may be discontinuous.
_SPANS = ("offsets", "discontinuous")

# One mapping for each data set that is read by nothing else.
_MAPPINGS = {path.stem: path for path in (Path(__file__).parent / "mappings").glob("*.yaml")}


@cache
def _shipped(name: str) -> List[Mapping]:
    """Read a mapping of the package when it is needed."""
    return read_mappings(_MAPPINGS[name])


def _mapped(mappings: Callable[[], List[Mapping]]) -> Format:
    """Make the format of JSON records that mappings describe."""
    return Format(
        lambda path: read_mapped(path, mappings=mappings()),
        lambda value, **options: parse_mapped(value, mappings=mappings(), **options),
        locate=locate_mapped,
        parse_options=_SPANS,
        one_sentence=False,
    )


# Formats of annotation tools, whose arguments have offsets.
_tool = partial(Format, locate=count_losses, one_sentence=False)

FORMATS: Dict[str, Format] = {
    "bioc": _tool(read_bioc, parse_bioc, parse_options=_SPANS, folder=True),
    "bionlp": _tool(partial(read_brat, suffixes=BIONLP), parse_brat, parse_options=_SPANS, folder=True),
    "brat": _tool(read_brat, parse_brat, parse_options=_SPANS, write=write_brat, folder=True),
    "cas": _tool(read_cas, parse_cas, folder=True, check=check_cas),
    "conll04": Format(read_conll04, parse_conll04),
    "doccano": _tool(read_doccano, parse_doccano, parse_options=("offsets",), write=write_doccano, suffix=".jsonl"),
    "docred": Format(
        read_json,
        parse_docred,
        locate=locate_facts,
        decide=decide_docred,
        keys=("title", "sents", "vertexSet", "labels"),
        objects={
            "labels": ("h", "t", "r", "evidence", "relation_text", "head", "tail", "relation_id"),
            "vertexSet[]": ("name", "sent_id", "pos", "type", "global_pos", "index"),
        },
    ),
    "drugprot": _tool(read_drugprot, parse_drugprot, parse_options=("offsets",), folder=True),
    "duie": Format(
        read_json,
        parse_duie,
        locate=locate_record,
        keys=("text", "spo_list", "triple_list"),
        objects={"spo_list": ("subject", "predicate", "object", "subject_type", "object_type")},
    ),
    "jsonl": Format(
        read_answers,
        parse_jsonl,
        locate=leave_out_unfinished,
        one_sentence=False,
        objects=dict.fromkeys(("entities", "triples", "pairs", "rejected"), ()),
        is_annotated=None,
        parse_options=("offsets", "pseudo_labels"),
        write=_write_jsonl,
        suffix=".jsonl",
    ),
    "label-studio": _tool(
        read_label_studio,
        parse_label_studio,
        parse_options=("annotator", "offsets"),
        write=write_label_studio,
        suffix=".json",
    ),
    "markup": Format(partial(read_lines, comment="#"), parse_markup_line),
    "nyt": Format(read_json, parse_nyt, locate=locate_record, keys=("text", "triple_list")),
    "nyt10": Format(read_nyt10, parse_nyt10, locate=locate_pair),
    "opennre": Format(
        read_json,
        parse_opennre,
        decide=decide_opennre,
        parse_options=("offsets",),
        keys=("text", "token", "h", "t", "relation"),
        objects=dict.fromkeys(("h{}", "t{}"), ("id", "name", "pos", "type")),
    ),
    "cotype": Format(
        read_json,
        parse_cotype,
        locate=locate_record,
        keys=("sentText", "relationMentions", "entityMentions"),
        objects={"relationMentions": MENTION, "entityMentions": ("text", "label", "start")},
    ),
    "prodigy": _tool(
        read_json,
        parse_prodigy,
        objects={"spans": (), "relations": ()},
        parse_options=("offsets",),
        write=write_prodigy,
        suffix=".jsonl",
    ),
    "pubannotation": _tool(read_pubannotation, parse_pubannotation, parse_options=_SPANS, folder=True),
    "pubtator": _tool(read_pubtator, parse_pubtator, parse_options=("offsets",), folder=True),
    "semeval2010": Format(read_semeval2010, parse_semeval2010, keys=("sentence", "relation")),
    "spacy-rel": _tool(read_spacy_rel, parse_spacy_rel, folder=True),
    "spert": Format(
        read_json,
        parse_spert,
        decide=decide_spert,
        # the last three are numbers of tokens that `sentences` have too
        keys=("tokens", "entities", "tags", "relations", "sentences", "ner", "clusters")
        + ("_sentence_start", "sentence_start", "_sentence_end"),
        objects={"entities": ("type", "start", "end"), "relations": ("type", "head", "tail")},
    ),
    "tacred": Format(read_json, parse_tacred, decide=decide_tacred, keys=("token", "relation", *PLACES, *TYPES)),
    "text": Format(read_text, parse_text, one_sentence=False, is_annotated=False, folder=True, read_options=("unit",)),
    "webanno": _tool(read_webanno, parse_webanno, folder=True, check=check_cas),
    **{name: _mapped(partial(_shipped, name)) for name in _MAPPINGS},
}

# Values that options of formats can have.
_CHOICES = {"offsets": tuple(COUNTINGS), "discontinuous": DISCONTINUOUS}

# Formats that can be written too.
WRITABLE = [name for name, format in FORMATS.items() if format.write]


def get_format(name: str, *, names: Iterable[str] = FORMATS) -> Format:
    """Look up a format by its name, such as `jsonl`; to be read, it may be a mapping, a `.yaml` or `.yml` file.

    names (Iterable[str]): Names that may be chosen.
    RAISES (ValueError): If the name is not among them, or the mapping is malformed.
    """
    is_mapping = names is FORMATS and name.lower().endswith((".yaml", ".yml"))
    if not is_mapping and name not in names:
        expected = [*sorted(names), *(["the path of a mapping (.yaml)"] if names is FORMATS else [])]
        raise ValueError(Errors.R102.format(found=name, expected=", ".join(expected)))
    if is_mapping:
        mappings = read_mappings(Path(name))
        return _mapped(lambda: mappings)
    return FORMATS[name]


def bind_options(name: str, options: Dict[str, object], *, annotator: Optional[str] = None) -> Format:
    """Look up a format that is to be read with some options.

    options (Dict[str, object]): Values by name, such as `unit`; None and False count as not given.
    annotator (Optional[str]): Whose annotation is read, for formats that have several of a text.
    RAISES (ValueError): If there is no such format, or an option belongs to other formats; TypeError if it is unknown.
    """
    spec, given = get_format(name), {key: value for key, value in options.items() if value not in (None, False)}
    given.update({} if annotator is None or "annotator" not in spec.parse_options else {"annotator": annotator})
    for key, choices in _CHOICES.items():
        if given.get(key, choices[0]) not in choices:
            option, expected = f"--{key}", ", ".join(choices)
            raise ValueError(Errors.R206.format(option=option, found=given[key], expected=expected))
    for key in given:
        if key not in (*spec.read_options, *spec.parse_options):
            others = [each for each, of in FORMATS.items() if key in (*of.read_options, *of.parse_options)]
            if not others:
                raise TypeError(f"unknown option {key!r}")
            option = f"--{key.replace('_', '-')}"
            raise ValueError(Errors.R123.format(option=option, format=name, expected=", ".join(others)))
    read, parse = (
        {key: given[key] for key in names if key in given} for names in (spec.read_options, spec.parse_options)
    )
    return replace(spec, read=partial(spec.read, **read), parse=partial(spec.parse, **parse))
