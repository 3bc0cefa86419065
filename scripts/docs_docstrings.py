"""The docstrings of this project as Markdown, for the API page (an extension of mkdocstrings' parser, griffe).

A line `name (type): meaning`, `RETURNS (type): meaning` or `RAISES (type): meaning` becomes an item of a list.
"""

import re
from typing import Any

from griffe import Extension, Object

ITEM = re.compile(r"^(\*{0,2}[a-z_]\w*|RETURNS|YIELDS|RAISES) \((.+?)\): ")


def to_markdown(text: str) -> str:
    """Turn the lines that describe arguments into a list."""
    lines = []
    for line in text.splitlines():
        match = ITEM.match(line)
        if match:
            name = match[1].lower() if match[1].isupper() else f"**{match[1]}**"
            previous = lines[-1] if lines else ""
            lines += [""] if previous and not previous.startswith(("- ", "    ")) else []
            line = f"- {name} (`{match[2]}`): {line[match.end() :]}"
        lines.append(line)
    return "\n".join(lines)


class Docstrings(Extension):
    """Rewrites the docstring of each object that is read."""

    def on_object(self, *, obj: Object, **kwargs: Any) -> None:
        """Rewrite one docstring; griffe calls this for each object."""
        if obj.docstring is not None:
            obj.docstring.value = to_markdown(obj.docstring.value)
