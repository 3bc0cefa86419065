"""Configs as text: sections with their comments, which can be merged and filled without losing order or comments."""

import re
from typing import Dict, Iterable, List, NamedTuple, Optional

_SECTION = re.compile(r"\[([\w.]+)\]$")

_KEY = re.compile(r"([@\w*]+)\s*=")

# Top-level sections, in the order of a config.
_ORDER = ("paths", "system", "variables", "nlp", "components", "corpora", "training", "pretraining", "initialize")


class Entry(NamedTuple):
    """A key of a section: the comment above it and its line."""

    comment: List[str]
    line: str


class Section(NamedTuple):
    """A section: the comment above it and its keys."""

    comment: List[str]
    entries: Dict[str, Entry]


class ConfigText(NamedTuple):
    """A config as it is written; `header` is the comment before the first section."""

    header: List[str]
    sections: Dict[str, Section]

    def __str__(self) -> str:
        """RETURNS (str): The text of the config."""
        blocks = ["\n".join(self.header)] if self.header else []
        for name, section in self.sections.items():
            lines = [*section.comment, f"[{name}]"]
            for entry in section.entries.values():
                lines += [*entry.comment, entry.line]
            blocks.append("\n".join(lines))
        return "\n\n".join(blocks) + "\n"

    def set_value(self, section: str, key: str, value: str) -> None:
        """Set a key to a value, written as in a config, and leave its comment."""
        entries = self.sections[section].entries
        comment = entries[key].comment if key in entries else []
        entries[key] = Entry(comment, f"{key} = {value}")

    def value(self, section: str, key: str) -> Optional[str]:
        """RETURNS (Optional[str]): The value of a key as it is written."""
        found = self.sections.get(section, Section([], {})).entries.get(key)
        return None if found is None else found.line.partition("=")[2].strip()


def parse_config(text: str) -> ConfigText:
    """Read the text of a config whose values take a line each.

    A comment belongs to the section or key below it; one that a blank line follows, above the first section, is the
    header.
    """
    header: List[str] = []
    sections: Dict[str, Section] = {}
    comment: List[str] = []
    entries: Dict[str, Entry] = {}
    for line in text.splitlines():
        section, key = _SECTION.match(line), _KEY.match(line)
        if line.startswith("#"):
            comment.append(line)
        elif section is not None:
            entries = {}
            sections[section.group(1)] = Section(comment, entries)
            comment = []
        elif key is not None:
            entries[key.group(1)] = Entry(comment, line)
            comment = []
        elif not sections and comment:
            header, comment = [*header, *comment], []
    return ConfigText(header, sections)


def merge_configs(first: ConfigText, *others: ConfigText) -> ConfigText:
    """Add the sections and keys of other configs to those of the first; later ones win, and bring their comments."""
    header, sections = first.header, {name: _copy(section) for name, section in first.sections.items()}
    for other in others:
        header = other.header or header
        for name, section in other.sections.items():
            known = sections.get(name, Section([], {}))
            entries = dict(known.entries)
            for key, entry in section.entries.items():
                old = entries.get(key)
                entries[key] = Entry(old.comment, entry.line) if old and not entry.comment else entry
            sections[name] = Section(section.comment or known.comment, entries)
    return ConfigText(header, {name: sections[name] for name in _in_order(sections)})


def fill_config(config: ConfigText, filled: ConfigText) -> ConfigText:
    """Add to a config the sections and keys that only the filled one has, behind those that belong with them."""
    sections = {}
    for name in _in_order([*config.sections, *(name for name in filled.sections if name not in config.sections)]):
        section = config.sections.get(name, Section([], {}))
        added = filled.sections[name].entries if name in filled.sections else {}
        missing = {key: Entry([], entry.line) for key, entry in added.items() if key not in section.entries}
        sections[name] = Section(section.comment, {**section.entries, **missing})
    return ConfigText(config.header, sections)


def _copy(section: Section) -> Section:
    """Copy a section, so that its keys can be changed."""
    return Section(section.comment, dict(section.entries))


def _in_order(names: Iterable[str]) -> List[str]:
    """Sort sections: each top-level section, then its parts, and each new part behind the ones that belong with it."""
    ordered: List[str] = []
    for name in names:
        place = len(ordered)
        parent = name
        while parent:
            within = [at for at, other in enumerate(ordered) if other == parent or other.startswith(f"{parent}.")]
            if within:
                place = within[-1] + 1
                break
            parent = parent.rpartition(".")[0]
        ordered.insert(place, name)
    rank = {name: number for number, name in enumerate(_ORDER)}
    return sorted(ordered, key=lambda name: rank.get(name.partition(".")[0], len(rank)))
