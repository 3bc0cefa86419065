"""Schemas in LinkML, read as schemas of relations by linkml-runtime.

slots and attributes, without identifiers         a relation
description, else title                           description
domain, else the classes that have it; range      subject, object
slot_uri                                          ids
inverse, symmetric, transitive                    inverse, symmetric, transitive
multivalued: false, if it is written              functional
asymmetric and irreflexive                        acyclic
is_a, mixins                                      implies
"""

from pathlib import Path
from typing import Any, List, Sequence, Set

from ..errors import Errors, require
from .names import VALUE, labels_of
from .ontology import class_types
from .triple import Record
from .yaml_files import read_yaml

# Types of values; other types, such as strings, say nothing about entity types.
_VALUES = frozenset({"date", "datetime", "time", "date_or_datetime", "integer", "float", "double", "decimal"})


def is_linkml(data: object) -> bool:
    """Return True if the content of a YAML file is a schema in LinkML."""
    return isinstance(data, dict) and "relations" not in data and not {"classes", "slots"}.isdisjoint(data)


def read_linkml(path: Path) -> Record:
    """Read the relations of a schema in LinkML.

    RETURNS (Record): Plain values, as of a schema in YAML.
    RAISES (ImportError): If linkml-runtime is not installed.
    RAISES (ValueError): If it cannot be read, declares no slot, or imports what is not on disk.
    """
    schemaview = require("linkml_runtime.utils.schemaview", purpose="a schema in LinkML", extra="linkml")
    package = Path(str(schemaview.__file__)).parent.parent
    _refuse_remote(path, package / "linkml_model" / "model" / "schema", seen={path})
    try:
        view = schemaview.SchemaView(str(path))
        slots = {str(slot.name): slot for slot in view.all_slots().values()}
        read = {
            name: _relation(view, slot) for name, slot in sorted(slots.items()) if not (slot.identifier or slot.key)
        }
    except Exception as error:  # the runtime raises errors of many kinds
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(Errors.R033.format(path=path, reason=f"no LinkML: {reason:.200}")) from None
    if not read:
        raise ValueError(Errors.R033.format(path=path, reason="it declares no slot"))
    names = {name: _word(name) for name in read}
    for made in read.values():
        made["implies"] = [names[each] for each in made.get("implies", ()) if each in names]
        made["inverse"] = names.get(str(made.get("inverse")))
    made_by_name = {names[name]: {key: value for key, value in made.items() if value} for name, made in read.items()}
    return {"relations": made_by_name}


def _relation(view: Any, slot: Any) -> Record:
    having = (each for each in view.all_classes() if slot.name in view.class_slots(each, direct=True))
    owners = [slot.domain] if slot.domain else sorted(map(str, having))
    uri = str(slot.slot_uri or "")
    subject, obj = _types(view, owners), _types(view, [slot.range or view.schema.default_range or "string"])
    if slot.symmetric:
        subject = obj = sorted({*subject, *obj}) if subject and obj else []
    return {
        "description": " ".join(str(slot.description or slot.title or "").split()),
        "subject": subject,
        "object": obj,
        "ids": [uri.replace("/", ":").split(":")[-1]] if uri else [],
        "inverse": None if slot.symmetric else slot.inverse,
        "symmetric": bool(slot.symmetric),
        "transitive": bool(slot.transitive),
        "functional": slot.multivalued is False,
        "acyclic": bool(slot.asymmetric and slot.irreflexive),
        "implies": [str(each) for each in (slot.is_a, *(slot.mixins or ())) if each],
    }


def _types(view: Any, ranges: Sequence[str]) -> List[str]:
    """List the entity types of classes or types; none for any."""
    found: Set[str] = set()
    for name in ranges:
        if name in view.all_classes():
            found |= class_types(name, below=set(view.class_descendants(name)), above=set(view.class_ancestors(name)))
        elif name in view.all_types() and _VALUES.intersection(view.type_ancestors(name)):
            found.update(labels_of(VALUE))
        else:
            return []
    return sorted(found)


def _word(name: str) -> str:
    return "_".join(name.split())


def _refuse_remote(path: Path, own: Path, *, seen: Set[Path]) -> None:
    """Raise a ValueError if a schema imports what is neither beside it nor part of LinkML: it would be downloaded.

    own (Path): Folder of LinkML's own schemas.
    """
    data, _ = read_yaml(path, message=Errors.R030)
    for name in (data.get("imports") or ()) if isinstance(data, dict) else ():
        prefix, _, local = str(name).partition(":")
        beside = path.parent / f"{name}.yaml"
        if not (own / f"{local}.yaml" if prefix == "linkml" and local else beside).is_file():
            reason = f"it imports {name}, which is no file beside it, and nothing is downloaded"
            raise ValueError(Errors.R033.format(path=path, reason=reason))
        if beside not in seen and not local:
            _refuse_remote(beside, own, seen={*seen, beside})
