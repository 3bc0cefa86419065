"""The base of components that read a schema: it is read in `initialize`, and saved with the component."""

import warnings
from pathlib import Path
from typing import Callable, Dict, Iterable, Optional, Union

import srsly
from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.training import Example

from ..annotations.schema import Schema, read_schema, schema_from_dict, schema_to_dict
from ..annotations.triple import Record
from ..corpora.damage import check_file_list, refuse_damage, write_file_list
from ..errors import Errors, Warnings
from .pipe import KNOWLEDGE, RelationPipe
from .requirements import late_components

SCHEMA = "schema.json"


class SchemaPipe(Pipe):
    """A component without a model, which reads a schema.

    schema (Optional[Schema]): The schema; None before the component is initialized.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.schema: Optional[Schema] = None

    def require_schema(self) -> Schema:
        """Return the schema. RAISES (ValueError): If the component is not initialized."""
        if self.schema is None:
            raise ValueError(Errors.R004.format(name=self.name))
        return self.schema

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        schema_path: Optional[Path] = None,
    ) -> None:
        """Read the schema, which is saved with the component.

        get_examples (Callable[[], Iterable[Example]]): Not read.
        nlp (Optional[Language]): The pipeline, whose labels the relations of the schema are compared with.
        schema_path (Optional[Path]): YAML or JSON file; see `annotations/schema.py`.
        RAISES (ValueError): If it is not set, missing or malformed.
        """
        if schema_path is None:
            raise ValueError(Errors.R032.format(name=self.name))
        self.schema = read_schema(schema_path)
        for attribute, names in late_components(nlp, self.name).items() if nlp is not None else ():
            message = Warnings.W006.format(name=self.name, attribute=attribute, others=", ".join(names))
            warnings.warn(message, UserWarning, stacklevel=2)
        pipes = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, RelationPipe)] if nlp is not None else []
        known = {label for pipe in pipes if pipe.needs_triples for label in pipe.labels}
        unknown = sorted(set(self.schema.relations) - known)
        if known and unknown:
            message = Warnings.W008.format(
                name=self.name, path=schema_path, unknown=", ".join(unknown), known=", ".join(sorted(known))
            )
            warnings.warn(message, UserWarning, stacklevel=2)

    # Serialization

    def to_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> None:
        """Write the schema into a folder, unless `exclude` has "knowledge"."""
        folder = Path(path) / KNOWLEDGE
        if KNOWLEDGE not in exclude:
            folder.mkdir(parents=True, exist_ok=True)
            srsly.write_json(folder / SCHEMA, self._data())
            write_file_list(Path(path))

    def from_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> "SchemaPipe":
        """Read what `to_disk` wrote.

        RAISES (ValueError): If the file is missing or malformed.
        """
        file = Path(path) / KNOWLEDGE / SCHEMA
        if KNOWLEDGE not in exclude:
            if not file.is_file():
                raise ValueError(Errors.R012.format(name=self.name, where=file.parent, files=SCHEMA))
            check_file_list(Path(path), name=self.name)
            with refuse_damage(file, message=Errors.R021, name=self.name):
                self._load(srsly.read_json(file))
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Serialize the schema, unless `exclude` has "knowledge"."""
        parts: Dict[str, object] = {} if KNOWLEDGE in exclude else {SCHEMA: self._data()}
        return bytes(srsly.msgpack_dumps(parts))

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "SchemaPipe":
        """Deserialize what `to_bytes` returned.

        RAISES (ValueError): If the schema is missing.
        """
        if KNOWLEDGE not in exclude:
            with refuse_damage("the bytes", message=Errors.R021, name=self.name):
                parts = srsly.msgpack_loads(bytes_data)
                if SCHEMA not in parts:
                    raise ValueError(Errors.R012.format(name=self.name, where="the bytes", files=SCHEMA))
                self._load(parts[SCHEMA])
        return self

    def _data(self) -> Optional[Record]:
        return None if self.schema is None else schema_to_dict(self.schema)

    def _load(self, data: Optional[Record]) -> None:
        self.schema = None if data is None else schema_from_dict(data)
